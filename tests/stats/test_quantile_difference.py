"""Quantiles: the closed form of independent values, groups, and when no error is to be trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.quantile_difference import (
    REACH,
    GroupSums,
    outer_shares,
    quantile_of,
    share_error,
)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_the_quantile_is_the_inverted_distribution_function(values, probability):
    found = quantile_of(values, probability)
    assert found.value == np.quantile(values, probability, method="inverted_cdf")
    if found.low is not None:
        assert found.low <= found.value <= found.high


def test_the_error_of_a_normal_median_is_the_textbooks():
    values = np.random.default_rng(2).normal(size=100_000)
    found = quantile_of(values, 0.5)
    assert found.standard_error == pytest.approx(math.sqrt(math.pi / 2 / 100_000), rel=0.15)
    assert found.share_error == pytest.approx(0.5 / math.sqrt(100_000), rel=1e-4)


def test_groups_of_one_are_no_groups_and_copies_are_worth_one():
    values = np.random.default_rng(3).exponential(size=500)
    alone = quantile_of(values, 0.8)
    grouped = quantile_of(values, 0.8, np.arange(500))
    assert grouped.share_error == pytest.approx(alone.share_error)
    assert grouped.standard_error == pytest.approx(alone.standard_error)
    copied = quantile_of(np.repeat(values, 4), 0.8, np.repeat(np.arange(500), 4))
    assert copied.groups == 500
    assert copied.share_error == pytest.approx(alone.share_error)


def test_the_sums_give_what_the_residuals_give():
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 9, 300)
    counted = rng.binomial(sizes, 0.3)
    share, n = counted.sum() / sizes.sum(), sizes.sum()
    sums = GroupSums((counted**2).sum(), (counted * sizes).sum(), (sizes**2).sum(), n, 300)
    residuals = counted - share * sizes
    expected = math.sqrt(300 / 299 * (residuals**2).sum()) / n
    assert share_error(share, sums) == pytest.approx(expected)
    assert math.isnan(share_error(0.5, GroupSums(1, 1, 1, 1, 1)))


def test_validity_is_the_reference_s_rule():
    for probability, enough in ((0.95, 77), (0.99, 397), (0.5, 5)):
        for n in (enough, int(enough * 0.85)):
            error = math.sqrt(probability * (1 - probability) / n)
            assert (outer_shares(probability, error) is not None) == (n == enough)
    assert pytest.approx(1.96, abs=1e-3) == REACH


def test_what_cannot_be_trusted_is_refused_in_words():
    rng = np.random.default_rng(6)
    few = quantile_of(rng.normal(size=30), 0.95)
    assert few.standard_error is None
    assert "too few" in few.refusal
    ties = quantile_of(rng.poisson(3, 1000), 0.5)
    assert "alike" in ties.refusal
    timeouts = np.where(rng.random(5000) < 0.05, rng.normal(30_000, 100, 5000), rng.lognormal(5, 0.5, 5000))
    assert "far apart" in quantile_of(timeouts, 0.95).refusal
    assert "one unit only" in quantile_of(rng.normal(size=50), 0.5, np.zeros(50, int)).refusal


def test_the_same_share_of_values_written_differently_is_the_same_place():
    assert quantile_of(np.arange(1, 101), 0.55).value == 55.0
