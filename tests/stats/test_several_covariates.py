"""Slopes on several covariates against least squares."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.several_covariates import slopes, worth_units


def _moments(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    return np.asarray(centred.T @ centred)


def test_slopes_are_least_squares() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3)) * [1.0, 100.0, 1e-3] + [0.0, 1e9, 0.0]
    y = x @ [2.0, 0.03, -500.0] + rng.normal(size=200)
    table = _moments(np.column_stack([x, y]))
    found = slopes(table[:3, :3], table[:3, 3], table[3, 3])
    design = np.column_stack([np.ones(200), x - x.mean(axis=0)])
    theirs, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    assert found.values == pytest.approx(theirs[1:], rel=1e-6)
    assert found.rank == 3
    assert found.explained == pytest.approx(1 - residual[0] / table[3, 3], rel=1e-6)


def test_copies_and_constants_change_nothing_that_is_explained() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=100)
    y = 3 * x + rng.normal(size=100)
    alone = _moments(np.column_stack([x, y]))
    twice = _moments(np.column_stack([x, x, np.full(100, 7.0), y]))
    one, two = (
        slopes(alone[:1, :1], alone[:1, 1], alone[1, 1]),
        slopes(twice[:3, :3], twice[:3, 3], twice[3, 3]),
    )
    assert two.rank == 1
    assert two.values.sum() == pytest.approx(one.values[0])
    assert two.values[0] == pytest.approx(two.values[1])
    assert two.explained == pytest.approx(one.explained)
    nothing = slopes(np.zeros((1, 1)), np.zeros(1), 4.0)
    assert (nothing.rank, nothing.explained) == (0, 0.0)


def test_worth_in_units() -> None:
    assert worth_units(2.0, 1.0, 500) == 500.0
    assert worth_units(1.0, 2.0, 500) == -250.0
    assert np.isnan(worth_units(0.0, 1.0, 5))
