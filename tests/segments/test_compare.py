"""Differences of slices: the interval and the p-value are one statement, and errors of small slices are not denied."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.measures.estimate import Estimate
from analytics.segments.compare import Pair, difference, differences, impact
from analytics.stats.intervals import newcombe_difference

BOUNDED = ["share", "signed_share", "auc", "average_precision"]


def share(successes: int, n: int) -> Estimate:
    p = successes / n
    return Estimate("accuracy", p, family="share", row_variance=p * (1 - p) / n, size=n)


def mean(x: np.ndarray) -> Estimate:
    return Estimate("mean_error", float(x.mean()), row_variance=float(x.var() / len(x)), size=len(x))


@given(k1=st.integers(0, 40), k2=st.integers(0, 300))
def test_shares_are_newcombes(k1, k2):
    found = difference(Pair(share(k1, 40), share(k2, 300)), 0.95)
    low, high = newcombe_difference(k1 / 40, 40, k2 / 300, 300, 0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_means_are_welchs_but_for_the_divisor():
    rng = np.random.default_rng(0)
    # the smaller side varies more, so its own variance stands
    x, y = rng.normal(0.3, 2, 60), rng.normal(0, 1, 500)
    found = difference(Pair(mean(x), mean(y)), 0.95)
    test = stats.ttest_ind(x, y, equal_var=False)
    limits = test.confidence_interval(0.95)
    assert found.p_value == pytest.approx(test.pvalue, abs=0.005)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=0.02)


@given(
    family=st.sampled_from([*BOUNDED, "mean", "positive", "below_one"]),
    values=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    errors=st.tuples(st.floats(1e-4, 0.3), st.floats(1e-4, 0.3)),
    sizes=st.tuples(st.floats(20, 1e5), st.floats(20, 1e5)),
    confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
    units=st.one_of(st.none(), st.floats(0, 0.2)),
)
def test_interval_and_p_value_never_contradict(family, values, errors, sizes, confidence, units):
    if family == "positive":  # a mean of numbers above 0 cannot vary more than it is large
        values = tuple(max(value, 0.2 + error) for value, error in zip(values, errors, strict=True))
    sides = [
        Estimate(
            "accuracy",
            value,
            family=family,
            row_variance=error**2,
            size=size,
            n_positive=size / 2,
            n_negative=size / 2,
        )
        for value, error, size in zip(values, errors, sizes, strict=True)
    ]
    found = difference(Pair(*sides, unit_variance=units, n_units=40), confidence)
    assert found.low <= found.value <= found.high
    assert 0 <= found.p_value <= 1
    excluded = found.low > 1e-12 or found.high < -1e-12
    if abs(found.p_value - (1 - confidence)) > 1e-6:
        assert excluded == (found.p_value < 1 - confidence)
    turned = difference(Pair(*reversed(sides), unit_variance=units, n_units=40), confidence)
    assert turned.p_value == pytest.approx(found.p_value, rel=1e-6, abs=1e-12)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_days_that_move_both_sides_cancel():
    rng = np.random.default_rng(1)
    days = rng.normal(0, 0.02, 40)
    noise = rng.normal(0, 0.001, (2, 40))
    common = {"row_variance": 1e-4, "size": 400.0, "blocks": np.arange(40)}
    inside = Estimate("log_loss", 0.5, block_totals=days + noise[0], **common)
    outside = Estimate("log_loss", 0.48, block_totals=days + noise[1], **common)
    together = difference(Pair(inside, outside), 0.95)
    apart = difference(
        Pair(inside, Estimate("log_loss", 0.48, block_totals=rng.permutation(days), **common)), 0.95
    )
    assert together.high - together.low == pytest.approx(2 * 1.96 * np.sqrt(2e-4), rel=0.02)
    assert apart.high - apart.low > 3 * (together.high - together.low)


def test_no_value_and_nothing_that_varies():
    lonely = Estimate("accuracy", None, status="too_few", reason="few")
    still = Estimate("mean_error", 1.0, row_variance=0.0, size=50.0)
    assert differences([Pair(lonely, share(5, 10))], 0.95) == [None]
    assert difference(Pair(still, still), 0.95) is None
    assert difference(Pair(share(50, 50), share(500, 500)), 0.95).p_value == 1.0
    assert differences([], 0.95) == []


def test_impact_follows_the_direction():
    assert impact("log_loss", 0.6, 0.5, 0.2) == pytest.approx(0.02)
    assert impact("accuracy", 0.6, 0.5, 0.2) == pytest.approx(-0.02)
    assert impact("prevalence", 0.6, 0.5, 0.2) is None
