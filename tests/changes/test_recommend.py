"""The written rules of a release, and what the sentences make of rows."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.changes.releases import Release, Sides, recommend, release_rows
from analytics.stats.daily import Daily

AT = datetime(2024, 3, 1, tzinfo=UTC)
RULES = [
    (0.05, (0.02, 0.08), "roll back"),
    (0.005, (0.001, 0.009), "keep"),  # worse for sure, but by less than is tolerated
    (0.008, (0.001, 0.015), "watch"),  # worse for sure, perhaps within what is tolerated
    (-0.05, (-0.08, -0.02), "keep"),
    (0.0, (-0.005, 0.005), "keep"),
    (0.02, (-0.01, 0.05), "watch"),
    (-0.02, (-0.08, 0.04), "watch"),
]


@pytest.mark.parametrize("harm, interval, call", RULES)
def test_every_rule(harm, interval, call):
    assert recommend(harm, interval, tolerance=0.01, n=28)[0] == call


@given(harm=st.floats(-1, 1), reach=st.floats(1e-6, 1), tolerance=st.floats(1e-4, 1), n=st.integers(7, 60))
def test_one_call_and_a_wait_only_where_watched(harm, reach, tolerance, n):
    call, wait = recommend(harm, (harm - reach, harm + reach), tolerance, n)
    if call == "roll back":
        assert harm - reach > 0
    if call == "keep":
        assert harm + reach < tolerance
    if wait is not None:
        assert call == "watch"
        # with that many days the interval is narrow enough for one of the two
        narrow = reach * np.sqrt(n / wait)
        assert harm - narrow > -1e-9 or harm + narrow < tolerance + 1e-9


def sides(metric="roc_auc", jump=0.0, shadow=None, n=28, seed=1):
    random = np.random.default_rng(seed)
    day = np.arange(100, 100 + 2 * n)
    value = 0.7 + 0.01 * random.normal(size=2 * n) + jump * (np.arange(2 * n) >= n)
    before = Daily(day[:n], value[:n], np.zeros(n))
    after = Daily(day[n:], value[n:], np.zeros(n))
    paired = Daily(day[n:], 0.002 * random.normal(size=n) + (shadow or 0.0), np.zeros(n))
    empty = Daily(day[:0], value[:0], np.zeros(0))
    return Sides(metric, before, after, empty if shadow is None else paired, 0, 0.01)


def judged(one):
    return release_rows(Release(AT, "new", "old", 28), [one], 0.95)[0]


def test_the_days_changed_and_not_the_model():
    # everything fell after the release, the old version in shadow as well
    row = judged(sides(jump=-0.05, shadow=0.0))
    assert row.ci_high < 0
    assert (row.evidence, row.recommendation) == ("paired", "keep")


def test_without_a_shadow_the_fall_counts_and_the_doubt_is_said():
    row = judged(sides(jump=-0.05))
    assert (row.evidence, row.recommendation) == ("same weekday", "roll back")
    assert "the days may have changed" in row.reason


DIRECTIONS = [
    ("roc_auc", -0.05, "roll back"),
    ("log_loss", -0.05, "keep"),
    ("log_loss", 0.05, "roll back"),
    ("roc_auc", 0.05, "keep"),
]


@pytest.mark.parametrize("metric, jump, call", DIRECTIONS)
def test_direction_counts(metric, jump, call):
    assert judged(sides(metric, jump)).recommendation == call


def test_too_few_days_are_too_early():
    row = judged(sides(n=5))
    assert (row.recommendation, row.status, row.before) == ("too early", "too_few", None)


def test_many_still_metrics_rarely_say_roll_back():
    random = np.random.default_rng(3)
    alarms, release = 0, Release(AT, "n", "o", 28)
    for _ in range(30):
        many = [sides(seed=int(random.integers(1 << 30))) for _ in range(8)]
        rows = release_rows(release, many, 0.95)
        alarms += any(row.recommendation == "roll back" for row in rows)
    assert alarms <= 4
