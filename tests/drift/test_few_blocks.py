"""Windows of few blocks, where the reference's days are not normal: one storm among many quiet days."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.drift.few_blocks import FewBlocks
from analytics.drift.left_out import SETS, statistics_left_out


def quiet(rng: np.random.Generator, days: int) -> np.ndarray:
    """Rows by day, of four kinds."""
    return rng.multinomial(100, [0.4, 0.3, 0.2, 0.1], size=days).astype(float)


STORM = np.array([[10.0, 20.0, 30.0, 40.0]])


def test_one_day_left_out_by_hand() -> None:
    blocks = quiet(np.random.default_rng(1), 12)
    found = statistics_left_out(blocks, 1, ordered=False, trace=0.0)
    total, rest = blocks.sum(axis=0), blocks[1:]
    weights, shares = total.sum() / total, total / total.sum()
    residual = np.square(rest - 100 * shares)
    between = (residual.sum(axis=0) * len(rest) / (len(rest) - 1) - shares * (1 - shares) * rest.sum()) / (
        len(rest) * 100 * 99
    )
    # what the estimate over all days lacks to the trace is added
    whole = np.square(blocks - 100 * shares).sum(axis=0) * 12 / 11 - shares * (1 - shares) * blocks.sum()
    lack = max(-float(weights @ whole) / (12 * 100 * 99), 0.0)
    n, m = 100.0, rest.sum()
    mean = weights @ (shares * (1 - shares)) * (1 / n + 1 / m)
    mean += max(weights @ between + lack, 0.0) * (11 * 100 * 99 / m**2 + 100 * 99 / n**2)
    gap = rest.sum(axis=0) / m - blocks[0] / n
    assert found.shape == (12,)
    assert found[0] == pytest.approx(weights @ gap**2 / mean)


@pytest.mark.parametrize("ordered", [True, False])
def test_statistics_of_quiet_days_have_mean_one(ordered: bool) -> None:
    blocks = quiet(np.random.default_rng(2), 120)
    for size in (1, 5):
        found = statistics_left_out(blocks, size, ordered=ordered, trace=0.0)
        assert len(found) == (120 if size == 1 else SETS)
        assert found.mean() == pytest.approx(1.0, abs=0.25)


def test_a_reference_that_knows_storms_takes_one_for_chance() -> None:
    rng = np.random.default_rng(3)
    calm = quiet(rng, 59)
    stormy = np.concatenate([calm[:57], STORM, STORM[:, ::-1] + 5])
    today = STORM + np.array([[2.0, -2.0, 2.0, -2.0]])
    assert FewBlocks.of(calm, ordered=False).p_value(today) < 1e-6
    assert FewBlocks.of(stormy, ordered=False).p_value(today) > 0.005
    # and F alone would not
    test = FewBlocks.of(stormy, ordered=False)
    shared = test.pairs / test.total.sum() ** 2 + 100 * 99 / 100**2
    assert test.p_value_of(today.sum(axis=0), shared, test.carry(1)) < 0.5 * test.p_value(today)


def test_a_week_of_change_is_still_found() -> None:
    rng = np.random.default_rng(4)
    stormy = np.concatenate([quiet(rng, 58), STORM])
    week = rng.multinomial(100, [0.28, 0.29, 0.27, 0.16], size=7).astype(float)
    assert FewBlocks.of(stormy, ordered=False).p_value(week) < 0.01
    assert FewBlocks.of(stormy, ordered=True).p_value(week) < 0.01


def test_no_more_than_half_of_the_reference_is_left_out() -> None:
    blocks = quiet(np.random.default_rng(5), 8)
    found = statistics_left_out(blocks, 7, ordered=True, trace=0.0)
    assert np.isfinite(found).all()
    assert 0 < FewBlocks.of(blocks, ordered=True).p_value(quiet(np.random.default_rng(6), 7)) <= 1


def test_days_of_one_row_say_nothing_of_their_likeness() -> None:
    assert statistics_left_out(np.eye(3)[[0, 1, 2, 0, 1]], 1, ordered=False, trace=0.0).size == 0
