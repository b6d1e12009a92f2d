"""Windows of few days learn from all windows how much days differ."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.pooled_blocks import BlockSpread, WindowBlocks, block_spread, spread_variance


def window(days: int, rng, spread: float, rows: int = 50, mean: float = 0.0) -> WindowBlocks:
    of_day = mean + rng.normal(0, spread, days) + rng.normal(0, 1 / rows**0.5, days)
    value = float(of_day.mean())
    return WindowBlocks(value, 1 / (rows * days), (of_day - value) / days, np.full(days, 1 / days))


@pytest.mark.parametrize("days", [1, 2, 7])
def test_the_spread_of_days_is_found(days):
    rng = np.random.default_rng(days)
    found = [block_spread([window(days, rng, 0.3) for _ in range(60)]) for _ in range(40)]
    assert np.mean([one.variance for one in found]) == pytest.approx(0.09, rel=0.08)
    assert found[0].df == 60 * (days - 1) if days > 1 else 59


def test_windows_that_differ_do_not_widen_the_days():
    rng = np.random.default_rng(4)
    found = [
        block_spread([window(7, rng, 0.3, mean=place) for place in range(20)]).variance for _ in range(40)
    ]
    assert np.mean(found) == pytest.approx(0.09, rel=0.08)


def test_too_few_days_lend_nothing():
    rng = np.random.default_rng(5)
    assert block_spread([window(2, rng, 0.3)]) is None
    assert block_spread([window(3, rng, 0.3)]).df == 2
    assert block_spread([]) is None
    assert block_spread([window(2, rng, 0.0, rows=10) for _ in range(30)]).variance >= 0


def test_a_borrowed_variance_is_that_of_the_mean():
    one = WindowBlocks(0.0, 0.01, np.zeros(3), np.array([0.5, 0.3, 0.2]))
    assert spread_variance(one, BlockSpread(1.0, 20.0)) == pytest.approx(0.01 + 0.25 + 0.09 + 0.04)
