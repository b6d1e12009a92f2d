"""Covariate against concept shift where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.stats.shift_split import Rows, between_blocks, split_shift

Floats = NDArray[np.float64]


def _rows(rng: np.random.Generator, n: int, shift: float, concept: float, days: int = 40) -> Rows:
    block = rng.integers(0, days, n) + (1000 if shift or concept else 0)
    x = rng.normal(0, 1, (n, 3))
    x[:, 0] += shift
    value = 0.5 + 0.3 * x[:, 0] + 0.1 * x[:, 0] ** 2 + concept + rng.normal(0, 0.5, n)
    return Rows(np.column_stack([x, (x[:, :1] ** 2 - 1) / 2]), value, np.ones(n), block)


def _truth(shift: float) -> float:
    return 0.3 * shift + 0.1 * shift**2


@pytest.mark.statistical
def test_coverage_of_both_parts() -> None:
    """Of 60 worlds with a shift of inputs and one of the concept, both intervals hold at least 53 times."""
    rng = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(60):
        found = split_shift(_rows(rng, 900, 0.0, 0.0), _rows(rng, 700, 0.6, 0.2), 0.95)
        assert found.covariate is not None
        assert found.concept is not None
        held += [
            found.covariate.low <= _truth(0.6) <= found.covariate.high,
            found.concept.low <= 0.2 <= found.concept.high,
        ]
    assert (held >= 53).all(), held


def test_parts_add_up_and_carry_their_names() -> None:
    rng = np.random.default_rng(2)
    before, after = _rows(rng, 3000, 0.0, 0.0), _rows(rng, 3000, 0.7, 0.0)
    found = split_shift(before, after, 0.95)
    assert found.covariate is not None
    assert found.concept is not None
    change = after.value.mean() - before.value.mean()
    assert found.covariate.value + found.concept.value == pytest.approx(change, rel=1e-12)
    assert found.covariate.low > 0
    assert found.concept.low <= 0 <= found.concept.high


def test_without_cover_nothing_is_said() -> None:
    rng = np.random.default_rng(3)
    found = split_shift(_rows(rng, 800, 0.0, 0.0), _rows(rng, 800, 9.0, 0.0), 0.95)
    assert found.covariate is None
    assert found.outside > 0.5


def test_a_metric_that_is_no_mean_is_computed_anew() -> None:
    rng = np.random.default_rng(4)
    before, after = _rows(rng, 2000, 0.0, 0.0), _rows(rng, 2000, 0.6, 0.1)

    def spread(rows: Rows) -> float:
        return float(rows.value @ rows.weight / rows.weight.sum())

    def functional(rows: Rows):  # type: ignore[no-untyped-def]
        return lambda weight: float(rows.value @ weight / weight.sum())

    found = split_shift(before, after, 0.95, (functional(before), functional(after)))
    assert found.covariate is not None
    assert found.change == pytest.approx(spread(after) - spread(before))
    assert found.covariate.low <= _truth(0.6) <= found.covariate.high


def test_between_blocks() -> None:
    rng = np.random.default_rng(5)
    block = np.repeat(np.arange(20), 50)
    assert between_blocks(rng.normal(0, 1, 1000), block) < 0.1
    assert between_blocks(rng.normal(0, 1, 20)[block] + rng.normal(0, 0.1, 1000), block) > 0.9
    assert between_blocks(np.full(1000, np.nan), block) == 0.0
