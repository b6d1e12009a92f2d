"""Prediction intervals: known answers, coverage, and when an estimator is no longer believed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.stats.prediction_bands import bands, interval_score, least_held

SHARE, POSITIVE = ("share",), ("positive",)


def one(estimate, variance, errors, scale=SHARE, confidence=0.9):
    past = np.array(errors, dtype=float).reshape(-1, 1)
    found = bands(np.array([estimate]), np.array([variance]), past, np.zeros(past.shape), scale, confidence)
    return float(found.low[0]), float(found.high[0])


def test_without_errors_it_is_the_normal_interval():
    low, high = one(0.5, 0.01, [])
    assert (low, high) == pytest.approx((0.5 - 1.6449 * 0.1, 0.5 + 1.6449 * 0.1), abs=1e-4)


def test_with_errors_it_is_the_t_interval_of_their_mean_square():
    errors = [0.02, -0.03, 0.01, 0.04, -0.02, 0.03]
    low, high = one(0.5, 0.0, errors)
    half = stats.t.ppf(0.95, 6) * np.sqrt(np.mean(np.square(errors)))
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))


def test_four_errors_teach_nothing():
    assert one(0.5, 0.01, [0.3, 0.3, 0.3, 0.3]) == one(0.5, 0.01, [])


def test_losses_are_bounded_below_and_shares_on_both_sides():
    low, high = one(0.1, 4.0, [], POSITIVE)
    assert 0 < low < 0.1 < high
    assert one(0.95, 1.0, []) == (0.0, 1.0)


def test_normal_errors_are_covered_as_promised():
    rng = np.random.default_rng(0)
    past, new = rng.normal(0, 0.02, (4000, 12)), rng.normal(0, 0.02, 4000)
    inside = 0
    for errors, error in zip(past, new, strict=True):
        low, high = one(0.5, 0.0, errors)
        inside += low <= 0.5 + error <= high
    assert 0.885 <= inside / 4000 <= 0.915


def test_interval_score_is_width_plus_penalty():
    assert interval_score(0.2, 0.6, 0.4, 0.9) == pytest.approx(0.4)
    assert interval_score(0.2, 0.6, 0.7, 0.9) == pytest.approx(0.4 + 20 * 0.1)
    assert interval_score(0.2, 0.6, 0.1, 0.8) == pytest.approx(0.4 + 10 * 0.1)


@pytest.mark.parametrize("n", range(1, 21))
def test_fewer_than_enough_would_be_chance_less_than_one_time_in_twenty(n):
    least = least_held(n)
    assert stats.binom.cdf(least - 1, n, 0.9) < 0.05 <= stats.binom.cdf(least, n, 0.9)
    assert least_held(20) == least_held(20, 0.99) == 16
    assert least_held(20, 0.5) < 12
