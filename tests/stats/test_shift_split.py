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
        return lambda weight: (m := float(rows.value @ weight / weight.sum()), rows.value - m)

    found = split_shift(before, after, 0.95, (functional(before), functional(after)))
    assert found.covariate is not None
    assert found.change == pytest.approx(spread(after) - spread(before))
    assert found.covariate.low <= _truth(0.6) <= found.covariate.high


def test_a_metric_that_happens_to_be_a_mean_is_split_as_one() -> None:
    rng = np.random.default_rng(4)
    before, after = _rows(rng, 1000, 0.0, 0.0), _rows(rng, 1000, 0.6, 0.1)

    def functional(rows: Rows):  # type: ignore[no-untyped-def]
        return lambda weight: (m := float(rows.value @ weight / weight.sum()), rows.value - m)

    anew = split_shift(before, after, 0.95, (functional(before), functional(after)))
    mean = split_shift(before, after, 0.95)
    assert anew.covariate is not None
    assert mean.covariate is not None
    assert anew.covariate == pytest.approx(mean.covariate, rel=1e-9)


def _ratio(rng: np.random.Generator, n: int, shift: float, noise: float) -> Rows:
    """A share among rows of a class that the inputs make likely: recall, say."""
    x = rng.normal(shift, 1, (n, 2))
    label = (rng.random(n) < 1 / (1 + np.exp(-noise * x[:, 0]))).astype(float)
    caught = label * (x[:, 0] + x[:, 1] > 0)
    block = rng.integers(0, 30, n) + (1000 if shift else 0)
    return Rows(np.column_stack([x, x**2 - 1]), caught, np.ones(n), block, label)


@pytest.mark.statistical
def test_coverage_of_a_ratio_whose_rows_are_chosen_by_their_outcome() -> None:
    rng = np.random.default_rng(6)

    def share(shift: float, noise: float) -> float:
        one = _ratio(rng, 300_000, shift, noise)
        assert one.counts is not None
        return float(one.value.sum() / one.counts.sum())

    would = share(0.4, 1.5)
    truth = would - share(0.0, 1.5), share(0.4, 0.3) - would
    assert min(map(abs, truth)) > 0.05
    held = np.zeros(2)
    for _ in range(100):
        found = split_shift(_ratio(rng, 900, 0.0, 1.5), _ratio(rng, 700, 0.4, 0.3), 0.95)
        assert found.covariate is not None
        assert found.concept is not None
        parts = found.covariate, found.concept
        held += [part.low <= true <= part.high for part, true in zip(parts, truth, strict=True)]
    assert (held >= 88).all(), held


def test_between_blocks() -> None:
    rng = np.random.default_rng(5)
    block = np.repeat(np.arange(20), 50)
    assert between_blocks(rng.normal(0, 1, 1000), block) < 0.1
    assert between_blocks(rng.normal(0, 1, 20)[block] + rng.normal(0, 0.1, 1000), block) > 0.9
    assert between_blocks(np.full(1000, np.nan), block) == 0.0
