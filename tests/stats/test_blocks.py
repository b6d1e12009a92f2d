"""Variances over units and blocks."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats import blocks, intervals


def test_block_variance_of_a_mean_is_that_of_block_means() -> None:
    """Equal blocks: the mean's influence totals give the variance of the mean of block means."""
    values = np.random.default_rng(1).normal(size=(12, 50))
    totals = (values - values.mean()).sum(axis=1) / values.size
    expected = values.mean(axis=1).var(ddof=1) / 12
    assert blocks.block_variance(totals) == pytest.approx(expected)
    both = blocks.block_variance(np.column_stack([totals, 2 * totals]))
    assert both == pytest.approx([expected, 4 * expected])
    assert blocks.unit_variance(np.square(totals).sum(), 12) == pytest.approx(expected)


def test_too_few_clusters_have_no_variance() -> None:
    assert np.isnan(blocks.block_variance([1.0]))
    assert np.isnan(blocks.block_variance(np.zeros((1, 3)))).all()
    assert np.isnan(blocks.unit_variance([2.0, 2.0], [1, 0])).all()


@pytest.mark.parametrize(
    "unit,block,n_blocks,n_units,expected",
    [
        (None, None, 0, 0, (1.0, None, "rows")),
        (3.0, 2.0, 30, 40, (3.0, 39.0, "units")),
        (2.0, 3.0, 30, 40, (3.0, 29.0, "blocks")),
        (2.0, 3.0, 9, 40, (2.0, 39.0, "units")),
        (2.0, 3.0, 9, 9, (1.0, None, "rows")),
        (0.5, 0.9, 30, 40, (1.0, None, "rows")),
        (float("nan"), float("nan"), 30, 40, (1.0, None, "rows")),
    ],
)
def test_the_largest_known_variance_wins(
    unit: float | None,
    block: float | None,
    n_blocks: int,
    n_units: int,
    expected: tuple[float, float | None, str],
) -> None:
    assert blocks.largest_variance(1.0, unit, block, n_blocks, n_units) == expected


@pytest.mark.statistical
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_coverage_with_and_without_correlated_days(spread: float) -> None:
    """Measured: rows alone cover .96 and .58; the largest variance .97 and .94."""
    rng, days, rows = np.random.default_rng(2), 14, 100
    plain, honest = [], []
    for _ in range(2000):
        size = rng.poisson(rows, days) + 1
        sums = size * spread * rng.normal(size=days) + np.sqrt(size) * rng.normal(size=days)
        mean = sums.sum() / size.sum()
        between = blocks.block_variance((sums - mean * size) / size.sum())
        chosen = blocks.largest_variance(1 / size.sum(), None, float(between), days, 0)
        for store, variance, df in ((plain, 1 / size.sum(), None), (honest, chosen.variance, chosen.df)):
            low, high = intervals.wald(mean, variance, 0.95, df)
            store.append(low <= 0 <= high)
    assert np.mean(honest) >= 0.935
    assert np.mean(plain) >= 0.94 if spread == 0 else np.mean(plain) < 0.7


def test_variances_equal_but_for_rounding_are_those_of_rows():
    """Units of one row each: which of the two sums is larger depends on the order of the rows."""
    row = 0.1 + 0.2
    for unit in (0.3, row, np.nextafter(row, 1), row + 1e-13):
        assert blocks.largest_variance(row, unit, None, 0, 40).independence == "rows"
        assert blocks.largest_variance(row, None, unit, 40, 0).df is None
    assert blocks.largest_variance(row, row * 1.0001, None, 0, 40).independence == "units"
