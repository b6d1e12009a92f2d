"""The curve of arrivals against statsmodels, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from analytics.stats.arrivals import (
    EDGES,
    arrived_of_ever,
    delay_bins,
    follow_up,
    kaplan_meier,
)
from analytics.stats.intervals import score_interval


def drawn(seed: int, n: int = 3000, never: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ages, delays (-1 where not seen) and true delays of things that arrive late or never."""
    draw = np.random.default_rng(seed)
    age = draw.uniform(0, 20 * 3600, n)
    delay = np.where(draw.uniform(size=n) < never, np.inf, draw.gamma(3, 3600, n))
    seen = delay <= age
    return delay_bins(age), np.where(seen, delay_bins(np.where(seen, delay, 0)), -1), delay


def fitted(age, delay, weight=None, blocks=None):
    weight = np.ones(len(age)) if weight is None else weight
    blocks = np.zeros(len(age), dtype=int) if blocks is None else blocks
    return kaplan_meier(follow_up(blocks, int(blocks.max()) + 1, age, delay, weight, weight**2))


def test_edges_are_six_percent_apart_and_for_ever():
    assert (np.diff(EDGES) > 0).all()
    assert (EDGES[2:] / EDGES[1:-1]).max() <= 1 + 1 / 16
    assert EDGES[[0, 1, 17, 33]].tolist() == [0, 1, 2, 4]
    assert EDGES[-1] > 16 * 365 * 86_400


@settings(max_examples=50)
@given(st.floats(0, 5e8))
def test_every_time_lies_in_its_bin(seconds):
    place = delay_bins([seconds])[0]
    assert EDGES[place] <= seconds
    assert place + 1 == len(EDGES) or seconds < EDGES[place + 1]


def test_it_is_the_kaplan_meier_curve_of_times_rounded_to_the_bins():
    age, delay, _ = drawn(1)
    curve = fitted(age, delay)
    # what arrives in the bin in which the follow-up ends was not followed through it: it counts as not arrived
    event = (delay >= 0) & (delay < age)
    time = np.where(event, delay + 0.5, age)
    theirs = SurvfuncRight(time, event.astype(int))
    for at, survival, error in zip(theirs.surv_times, theirs.surv_prob, theirs.surv_prob_se, strict=True):
        edge = int(at + 0.5)
        if edge > curve.last:
            break
        assert curve.share[edge] == pytest.approx(1 - survival, abs=1e-12)
        assert curve.at(edge).chosen.variance == pytest.approx(error**2, rel=1e-9, abs=1e-15)


def test_with_everybody_followed_it_is_the_plain_share():
    age = np.full(500, 300)
    delay = np.where(np.arange(500) < 400, 100 + np.arange(500) % 50, -1)
    curve = fitted(age, delay)
    assert curve.share[125] == pytest.approx((delay[delay >= 0] < 125).sum() / 500)
    assert curve.plateau == pytest.approx(0.8)
    assert curve.at(curve.last).chosen.variance == pytest.approx(0.8 * 0.2 / 500)
    assert curve.edge_of(0.5) == 125  # half of what ever arrives came in bins 100 to 124


def test_a_point_of_equal_weights_is_the_same_and_counts_add():
    age, delay, _ = drawn(2)
    plain, double = fitted(age, delay), fitted(age, delay, np.full(len(age), 2.0))
    assert double.share == pytest.approx(plain.share)
    assert double.at(150).chosen.variance == pytest.approx(plain.at(150).chosen.variance)
    blocks, ones = np.zeros(len(age), dtype=int), np.ones(len(age))
    half = len(age) // 2
    parts = [
        follow_up(blocks[part], 1, age[part], delay[part], ones[part], ones[part])
        for part in (slice(0, half), slice(half, None))
    ]
    assert kaplan_meier(parts[0] + parts[1]).share == pytest.approx(plain.share)


def test_too_few_and_nothing_at_all():
    assert fitted(np.full(19, 100), np.full(19, 50)) is None
    nothing = fitted(np.full(50, 100), np.full(50, -1))
    assert nothing.plateau == 0
    assert nothing.edge_of(0.5) is None
    at_once = fitted(np.full(50, 100), np.zeros(50, dtype=int))
    assert at_once.share[:3].tolist() == [0, 1, 1]
    assert at_once.at(1).chosen.variance == 0


def test_reverse_hazards_need_no_row_that_has_not_arrived():
    age, delay, true = drawn(3, n=40_000)
    share = arrived_of_ever(age, delay, np.ones(len(age)))
    came = true[np.isfinite(true) & (true < 20 * 3600)]
    for edge in (170, 190, 215):
        assert share[edge] == pytest.approx((came < EDGES[edge]).mean(), abs=0.015)
    # the naive share of those that came is biased towards the fast ones
    naive = (delay[delay >= 0] < 215).mean()
    assert naive - share[215] > 0.03
    assert arrived_of_ever(np.array([5]), np.array([-1]), np.ones(1)) is None


@pytest.mark.statistical
def test_intervals_cover_with_young_rows_and_days_that_differ():
    """95 % intervals of the share arrived by 3 h: alike rows, and days of which some are slow."""
    draw = np.random.default_rng(11)
    edge = int(delay_bins([3 * 3600])[0])
    hits = {0.0: 0, 0.5: 0}
    runs = 400
    for spread in hits:
        size, days = 60, 30
        many = np.exp(spread * draw.standard_normal((200_000,)))[:, None]
        truth = float((draw.gamma(3, 3600, (200_000, 1)) * many < EDGES[edge]).mean() * 0.9)
        for _ in range(runs):
            slow = np.repeat(np.exp(spread * draw.standard_normal(days)), size)
            delay = draw.gamma(3, 3600, days * size) * slow
            delay = np.where(draw.uniform(size=days * size) < 0.1, np.inf, delay)
            age = draw.uniform(0, 12 * 3600, days * size)
            seen = delay <= age
            curve = fitted(
                delay_bins(age), np.where(seen, delay_bins(np.where(seen, delay, 0)), -1),
                blocks=np.repeat(np.arange(days), size),
            )  # fmt: skip
            found = curve.at(edge)
            low, high = score_interval(found.value, found.chosen.variance, curve.n, 0.95, found.chosen.df)
            hits[spread] += low <= truth <= high
    assert 0.93 <= hits[0.0] / runs <= 0.98, hits
    assert 0.90 <= hits[0.5] / runs <= 0.98, hits
