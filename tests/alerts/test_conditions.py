"""Verdicts: intervals decide, the better side does not count, missing numbers are not judged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alerts.conditions import Likely, moved, outside_limits, unknown, unlikely
from analytics.alerts.numbers import Number


def number(value, low, high, n=100):
    return Number(value, low, high, n, n)


@pytest.mark.parametrize(
    "low,high,below,above,seen",
    [
        (0.5, 0.6, 0.65, None, "breach"),
        (0.5, 0.7, 0.65, None, "unsure"),
        (0.65, 0.7, 0.65, None, "fine"),
        (0.5, 0.6, None, 0.45, "breach"),
        (0.4, 0.6, None, 0.45, "unsure"),
        (0.4, 0.45, None, 0.45, "fine"),
        (0.2, 0.3, 0.35, 0.6, "breach"),
        (0.4, 0.5, 0.35, 0.6, "fine"),
        (0.3, 0.7, 0.35, 0.6, "unsure"),
        # an end that so few rows cannot know
        (0.7, math.inf, None, 0.6, "breach"),
        (0.5, math.inf, None, 0.6, "unsure"),
    ],
)
def test_fixed_limits(low, high, below, above, seen):
    assert outside_limits(number((low + min(high, 1.0)) / 2, low, high), below, above).seen == seen


@pytest.mark.parametrize(
    "better,up,down",
    [("higher", "fine", "breach"), ("lower", "breach", "fine"), ("none", "breach", "breach")],
)
def test_only_the_worse_side_counts(better, up, down):
    base = number(0.5, 0.49, 0.51)
    assert moved(number(0.7, 0.69, 0.71), base, better, 0.1).seen == up
    assert moved(number(0.3, 0.29, 0.31), base, better, 0.1).seen == down


def test_nearer_to_zero_is_better_on_either_side():
    base = number(-1.0, -1.1, -0.9)
    assert moved(number(0.1, 0.0, 0.2), base, "zero", 0.5).seen == "fine"
    assert moved(number(3.0, 2.9, 3.1), base, "zero", 0.5).seen == "breach"
    assert moved(number(-3.0, -3.1, -2.9), base, "zero", 0.5).seen == "breach"


def test_what_is_tolerated_is_not_enough():
    base = number(0.5, 0.49, 0.51)
    assert moved(number(0.58, 0.57, 0.59), base, "lower", 0.1).seen == "fine"
    assert moved(number(0.61, 0.59, 0.63), base, "lower", 0.1).seen == "unsure"


def test_without_anything_to_compare_with_nobody_can_tell():
    nothing = Number(None, None, None, 0, 0, "no_data", "no rows in this window")
    assert moved(number(0.5, 0.4, 0.6), nothing, "lower", 0.0).seen == "unsure"


@pytest.mark.parametrize(
    "status,seen",
    [("no_data", "no_data"), ("immature", "waiting"), ("too_few", "unsure"), ("undefined", "unsure")],
)
def test_missing_numbers(status, seen):
    found = unknown(Number(None, None, None, 5, 5, status, "why"), 1)
    assert (found.seen, found.reason) == (seen, "why")


def test_fewer_rows_than_asked_for_decide_nothing():
    assert unknown(number(0.5, 0.4, 0.6, n=99), 100).seen == "unsure"
    assert unknown(number(0.5, 0.4, 0.6, n=100), 100) is None


def test_an_anomaly_lies_outside_what_is_usual_on_the_side_that_counts():
    earlier = [(k % 7, number(10.0 + k % 7 + (k % 3) / 10, 9.0, 12.0)) for k in range(56)]
    high, low = number(30.0, 29.0, 31.0), number(-9.0, -10.0, -8.0)
    assert unlikely(high, earlier, 3, Likely("lower", 0.99)).seen == "breach"
    assert unlikely(low, earlier, 3, Likely("lower", 0.99)).seen == "fine"
    assert unlikely(low, earlier, 3, Likely("none", 0.99)).side == "low"
    assert unlikely(high, earlier, 3, Likely("lower", 0.99, tolerance=25.0)).seen == "fine"
    assert unlikely(high, earlier[:3], 3, Likely("lower", 0.99)).seen == "unsure"


def test_what_is_usual_stays_where_numbers_can_be():
    earlier = [(0, number(0.1 * (k % 2), 0.0, 0.1)) for k in range(20)]
    assert unlikely(number(0.0, 0.0, 0.1), earlier, 0, Likely("none", 0.99, least=0.0)).expected[0] == 0.0


FINITE = st.floats(-1e3, 1e3)


@given(FINITE, st.floats(0, 100), st.floats(0, 100), FINITE, st.floats(0, 1e3))
def test_wider_intervals_never_turn_fine_into_breach(value, below, above, limit, more):
    narrow = outside_limits(number(value, value - below, value + above), limit, None).seen
    wide = outside_limits(number(value, value - below - more, value + above + more), limit, None).seen
    assert wide in (narrow, "unsure")


@pytest.mark.parametrize("better", ["higher", "lower", "none", "zero"])
def test_where_no_change_is_tolerated_the_same_again_is_fine(better):
    """Else a rule without a tolerance that fired once would fire for good: no interval lies within nothing."""
    same = number(0.7, 0.6, 0.8)
    assert moved(same, same, better, 0.0).seen == "fine"
    assert moved(same, same, better, 0.01).seen == "unsure"
