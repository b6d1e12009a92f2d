from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from analytics.drills.chaos import chaos_of, compared_with_usual
from analytics.drills.faults import Fault, inject
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog

START, END = datetime(2024, 1, 15, 6, tzinfo=UTC), datetime(2024, 1, 15, 18, tzinfo=UTC)
CHAOS = """
[[chaos]]
name = "labels off"
start = 2024-01-15T07:00:00
end = 2024-01-15T19:00:00
fault = "labels flipped for twelve hours"
metric = "accuracy"
expect = "{expect}"
[[chaos]]
name = "nothing"
start = 2024-01-17T07:00:00
end = 2024-01-17T19:00:00
metric = "accuracy"
tolerance = 0.5
"""


def found(small, folder, expect, *, broken=True):
    faults = [Fault("labels_flipped", 1.0, START, END)] if broken else []
    file = inject(small, faults, folder)
    file.write_text(file.read_text() + CHAOS.format(expect=expect))
    catalog = Catalog(read_project(file))
    try:
        return chaos_of(catalog, datetime(2024, 1, 21, tzinfo=UTC))
    finally:
        catalog.close()


def test_against_the_prediction_interval_of_one_new_value():
    """The same as the interval of a new observation in a regression on a constant."""
    before = np.array([3.0, 4.0, 2.5, 3.5, 5.0])
    one = compared_with_usual(6.0, before)
    error = before.std(ddof=1) * np.sqrt(1 + 1 / 5)
    assert one.difference == pytest.approx(6 - before.mean())
    assert one.high - one.difference == pytest.approx(stats.t.ppf(0.975, 4) * error)
    assert one.p_value == pytest.approx(2 * stats.t.sf((6 - before.mean()) / error, 4))


@pytest.mark.parametrize("before", [[1.0, 2.0, 3.0], [2.0] * 8, []])
def test_too_few_or_all_alike_say_nothing(before):
    assert compared_with_usual(3.0, before) is None


@pytest.mark.statistical
def test_a_window_like_all_others_is_called_moved_as_often_as_stated():
    rng = np.random.default_rng(8)
    draws = rng.normal(size=(4000, 9))
    share = np.mean([compared_with_usual(row[0], row[1:].tolist()).p_value < 0.05 for row in draws])
    assert share == pytest.approx(0.05, abs=0.012)


def test_a_fault_that_was_real_is_seen_and_over(small, tmp_path):
    rows = [row for row in found(small, tmp_path, "harmed") if row.chaos == "labels off"]
    hypothesis = rows[0]
    assert hypothesis.part == "hypothesis"
    assert hypothesis.outcome == "confirmed"
    assert hypothesis.version == "b"
    assert hypothesis.ci_low <= hypothesis.difference <= hypothesis.ci_high < 0
    assert hypothesis.harm
    radius = [row for row in rows if row.part == "radius"]
    assert radius[0].moved
    assert {row.metric for row in radius if row.moved} & {"accuracy", "log_loss"}
    recovery = rows[-1]
    assert recovery.part == "recovery"
    assert recovery.censored is False
    assert recovery.ci_low == 0
    assert recovery.sentence == "labels off: accuracy was as usual right after the end."


def test_an_expectation_that_was_wrong_is_refuted_and_one_that_held_is_confirmed(small, tmp_path):
    rows = found(small, tmp_path, "unharmed")
    outcomes = {row.chaos: row.outcome for row in rows if row.part == "hypothesis"}
    assert outcomes == {"labels off": "refuted", "nothing": "confirmed"}
    quiet = next(row for row in rows if row.chaos == "nothing" and row.part == "recovery")
    assert quiet.status == "undefined"
    assert "nothing had to recover" in quiet.reason


def test_without_a_fault_harm_is_not_claimed(small, tmp_path):
    rows = found(small, tmp_path, "harmed", broken=False)
    assert next(row for row in rows if row.part == "hypothesis").outcome in {"refuted", "unclear"}
    assert not any(row.moved for row in rows)
    for row in rows:
        if row.status == "ok" and row.difference is not None:
            assert row.ci_low <= row.difference <= row.ci_high


def test_a_window_at_the_very_beginning_has_nothing_to_compare_with(small, tmp_path):
    file = inject(small, [], tmp_path)
    text = '\n[[chaos]]\nname = "first"\nstart = 2024-01-02\nend = 2024-01-03\nmetric = "accuracy"\n'
    file.write_text(file.read_text() + text)
    catalog = Catalog(read_project(file))
    rows = chaos_of(catalog, datetime(2024, 1, 2, 12, tzinfo=UTC) + timedelta(days=3))
    catalog.close()
    assert rows[0].status == "too_few"
    assert rows[0].outcome is None
