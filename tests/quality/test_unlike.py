"""The share of rows unlike the reference: its interval and p-value where days differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from analytics.quality.unlike import EXPECTED, share_unlike


def _days(random: np.random.Generator, days: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows beyond the limit, 5 % of them on average, alike within a day (correlation .05)."""
    chance = np.repeat(random.beta(EXPECTED * 19, (1 - EXPECTED) * 19, days), rows)
    return random.random(days * rows) < chance, np.repeat(np.arange(days), rows)


@pytest.mark.statistical
@pytest.mark.parametrize("days, most", [(1, 0.09), (7, 0.09), (20, 0.10)])
def test_days_that_differ_do_not_cry_wolf(days: int, most: float) -> None:
    """Taken as independent, the rows of one day alarm in 16 % of the runs, those of seven in 10 %."""
    alarms = []
    for seed in range(600):
        random = np.random.default_rng(seed)
        beyond, blocks = _days(random, 30, 60)
        novel, window = _days(random, days, 100)
        found = share_unlike(novel, np.ones(len(novel)), window, (beyond, blocks.astype(float)), 0.95)
        alarms.append(found.p_value <= 0.05)
    assert np.mean(alarms) <= most


def test_a_single_day_is_lent_the_spread_of_the_reference_days() -> None:
    """DerSimonian and Laird's moments by hand, with equal days."""
    by_day = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 10])
    beyond = np.concatenate([np.arange(20) < count for count in by_day])
    blocks = np.repeat(np.arange(10), 20).astype(float)
    novel = np.arange(100) < 30
    found = share_unlike(novel, np.ones(100), np.zeros(100, dtype=np.int64), (beyond, blocks), 0.95)

    between = (20 * ((by_day / 20 - 0.05) ** 2).sum() - 9 * 0.05 * 0.95) / (200 - 20)
    of_limit = np.var(by_day / 200, ddof=1) * 10
    error = np.sqrt(0.3 * 0.7 / 100 + between + of_limit)
    assert found.independence == "blocks"
    assert found.p_value > norm.sf((0.3 - EXPECTED) / error)
    assert found.low == 0.0
    assert found.high > 0.3 + 1.96 * error


def test_reference_days_that_do_not_differ_lend_nothing() -> None:
    """Every day has one row of twenty beyond: the rows of the window count as independent."""
    beyond = np.tile(np.arange(20) < 1, 12)
    blocks = np.repeat(np.arange(12), 20).astype(float)
    novel = np.arange(100) < 15
    found = share_unlike(novel, np.ones(100), np.zeros(100, dtype=np.int64), (beyond, blocks), 0.95)
    assert found.independence == "rows"
    assert found.p_value < 0.02
