"""Tests for rows that come in days: their size, beside the plain tests that lose it."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats import clustered, two_sample


def _days(rng: np.random.Generator, days: int, spread: float, rows: int, shift: float = 0.0) -> np.ndarray:
    """Counts in 20 bins per day; days differ in their mean by ``spread`` standard deviations."""
    edges = np.linspace(-1.65, 1.65, 19) * np.sqrt(1 + spread**2)
    moods = rng.normal(shift, spread, size=days)
    sizes = rng.poisson(rows, size=days) + 1
    return np.array(
        [
            np.bincount(np.searchsorted(edges, rng.normal(m, 1, size=k)), minlength=20)
            for m, k in zip(moods, sizes, strict=True)
        ]
    )


def test_blocks_must_be_enough() -> None:
    enough, few = np.full((8, 3), 5), np.full((7, 3), 5)
    with pytest.raises(ValueError, match="8 of them on both sides"):
        clustered.permute_blocks(enough, few, two_sample.chi_squared_statistic)
    with pytest.raises(ValueError, match="reference needs 8 blocks"):
        clustered.rao_scott_chi_squared(few, enough)
    with pytest.raises(ValueError, match="both sides"):
        clustered.rao_scott_chi_squared(enough, np.zeros((2, 3)))


def test_one_common_bin_is_constant_and_empty_days_do_not_count() -> None:
    constant = np.column_stack([np.full(9, 4), np.zeros(9)])
    assert clustered.rao_scott_chi_squared(constant, constant[:2]).method == "constant"
    rng = np.random.default_rng(1)
    days = _days(rng, 12, 0.5, 40)
    padded = np.vstack([days, np.zeros((5, 20))])
    window = _days(rng, 2, 0.5, 40)
    assert clustered.rao_scott_chi_squared(padded, window) == clustered.rao_scott_chi_squared(days, window)


def test_block_permutation_is_seeded_and_finds_a_shift() -> None:
    rng = np.random.default_rng(2)
    before, after = _days(rng, 20, 0.3, 100), _days(rng, 15, 0.3, 100, shift=1.0)
    statistic = two_sample.anderson_darling_statistic
    found = clustered.permute_blocks(before, after, statistic)
    assert found.p_value < 0.001
    assert clustered.permute_blocks(before, after, statistic) == found
    assert clustered.rao_scott_anderson_darling(before, after[:3]).p_value < 0.01
    assert clustered.rao_scott_chi_squared(before, after[:3]).p_value < 0.05


def test_design_effect() -> None:
    rng = np.random.default_rng(3)
    assert clustered.design_effect(_days(rng, 300, 0.0, 100)) == pytest.approx(1, abs=0.35)
    assert clustered.design_effect(_days(rng, 300, 1.0, 100)) > 3
    assert clustered.design_effect(np.column_stack([np.full(9, 4), np.zeros(9)])) == 1


@pytest.mark.statistical
def test_few_reference_days_estimate_the_same_covariance_as_many() -> None:
    """Measured 8 % above (negative directions are cut off): on the safe side, never below."""
    rng = np.random.default_rng(6)
    many = _days(rng, 20_000, 1.0, 200)
    truth = np.trace(clustered._between(many, many.sum(axis=0) / many.sum()))
    few = [
        float(np.trace(clustered._between(days, days.sum(axis=0) / days.sum())))
        for days in np.split(many[:16_000], 2000)
    ]
    assert truth <= np.mean(few) <= 1.12 * truth


@pytest.mark.statistical
@pytest.mark.parametrize("spread,rows", [(0.0, 50), (0.3, 100), (1.0, 300)])
@pytest.mark.parametrize("reference,window", [(59, 1), (59, 7), (20, 3)])
def test_size_with_few_window_days(spread: float, rows: int, reference: int, window: int) -> None:
    """Measured with 300 draws: Rao-Scott F .00 to .11 (worst: a single day against very different days); the
    plain chi-squared test rejects .04 to 1.00. With independent rows it is conservative (.01 to .04).
    """
    rng = np.random.default_rng(4)
    p = []
    for _ in range(150):
        before, after = _days(rng, reference, spread, rows), _days(rng, window, spread, rows)
        p.append(
            [
                clustered.rao_scott_chi_squared(before, after).p_value,
                clustered.rao_scott_anderson_darling(before, after).p_value,
                two_sample.chi_squared(before.sum(axis=0), after.sum(axis=0)).p_value,
            ]
        )
    rejected = (np.array(p) < 0.05).mean(axis=0)
    assert rejected[0] <= 0.12
    assert rejected[1] <= 0.10
    if spread == 1:
        assert rejected[2] > 0.8


@pytest.mark.statistical
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_size_of_block_permutation(spread: float) -> None:
    """Measured: .03 to .06."""
    rng = np.random.default_rng(5)
    p = []
    for _ in range(250):
        before, after = _days(rng, 25, spread, 60), _days(rng, 9, spread, 60)
        p.append(clustered.permute_blocks(before, after, two_sample.anderson_darling_statistic).p_value)
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.035)
