"""Intervals of differences: against the textbook where variances are known, and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.differences import magnitude, recovered
from analytics.stats.intervals import Interval, wald, wilson


def test_of_symmetric_intervals_it_is_the_usual_one():
    one, other = wald(5.0, 4.0, 0.95), wald(2.0, 9.0, 0.95)
    found = recovered(5.0, one, 2.0, other)
    low, high = wald(3.0, 13.0, 0.95)
    assert found.value == 3.0
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_of_shares_it_is_newcombes_method_10():
    # Newcombe, Statistics in Medicine 17 (1998), table II: 56/70 against 48/80, method 10: .0524 to .3339
    found = recovered(0.8, wilson(0.8, 70, 0.95), 0.6, wilson(0.6, 80, 0.95))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


LIMITS = st.tuples(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3))


@given(LIMITS, LIMITS)
def test_swapping_the_sides_turns_the_sign(one, other):
    def interval(value, below, above):
        return Interval(value - below, value + above)

    found = recovered(one[0], interval(*one), other[0], interval(*other))
    back = recovered(other[0], interval(*other), one[0], interval(*one))
    assert (back.low, back.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    assert found.low <= found.value <= found.high


@given(LIMITS)
def test_a_distance_from_0_lies_in_its_interval(one):
    value, below, above = one
    size, (low, high) = magnitude(value, Interval(value - below, value + above))
    assert 0 <= low <= size <= high


@pytest.mark.statistical
def test_covers_the_true_difference_of_two_shares():
    rng = np.random.default_rng(7)
    hits = []
    for _ in range(1500):
        a, b = rng.binomial(60, 0.9) / 60, rng.binomial(200, 0.8) / 200
        found = recovered(a, wilson(a, 60, 0.95), b, wilson(b, 200, 0.95))
        hits.append(found.low <= 0.1 <= found.high)
    assert 0.935 <= np.mean(hits) <= 0.97
