"""The moment a number changed: found to the hour where rows allow, not found where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from analytics.stats.onset import Sums, find_onset, usable_step

HOUR = 3600


def _sums(rng: np.random.Generator, hours: int, at: int | None, rows: int = 60, jump: float = 0.15) -> Sums:
    step = np.arange(hours, dtype=np.int64)
    daily = 0.05 * np.sin(2 * np.pi * step / 24)
    mean = 0.3 + daily + (jump * (step >= at) if at is not None else 0.0)
    n = np.full(hours, float(rows))
    u = rng.binomial(rows, mean).astype(float)
    return Sums(step, n, n.copy(), u, np.stack([n, u, u]), HOUR)


@pytest.mark.parametrize("at", [130, 95])
def test_a_jump_is_found_to_the_hour(at: int) -> None:
    found = find_onset(_sums(np.random.default_rng(1), 168, at), 0.95)
    assert found is not None
    assert found.low * found.seconds <= at * HOUR <= (found.high + 1) * found.seconds
    assert abs(found.at * found.seconds - at * HOUR) <= 3 * HOUR
    assert found.seconds == HOUR


def test_a_long_stretch_is_scanned_coarsely_and_then_finely() -> None:
    found = find_onset(_sums(np.random.default_rng(2), 60 * 24, 40 * 24 + 7), 0.95)
    assert found is not None
    assert found.seconds < 86_400
    assert abs(found.at * found.seconds - (40 * 24 + 7) * HOUR) <= 6 * HOUR


@pytest.mark.statistical
def test_nothing_is_found_where_nothing_happened() -> None:
    rng = np.random.default_rng(3)
    with threadpool_limits(1, user_api="blas"):
        assert sum(find_onset(_sums(rng, 96, None), 0.95) is not None for _ in range(12)) <= 2


def test_too_few_rows_make_no_steps() -> None:
    sums = _sums(np.random.default_rng(4), 20, None, rows=2)
    assert usable_step(sums) is None
    assert find_onset(sums, 0.95) is None


def test_sums_add_to_coarser_steps() -> None:
    sums = _sums(np.random.default_rng(5), 48, None)
    days = sums.coarser(86_400)
    assert days.rows.tolist() == [24 * 60.0, 24 * 60.0]
    assert days.u.sum() == sums.u.sum()
    assert sums.between(10, 20).step.tolist() == list(range(10, 20))
