"""Moments: they add, in any order, and a large mean does not eat the variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.moments import Comoments, Moments

ROWS = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.01, 10)), min_size=1, max_size=30)


def _of(rows: list[tuple[float, float]]) -> Moments:
    return Moments.from_values([y for y, _ in rows], [w for _, w in rows])


@given(left=ROWS, right=ROWS)
def test_two_parts_equal_the_whole(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> None:
    whole, merged, swapped = _of(left + right), _of(left) + _of(right), _of(right) + _of(left)
    for field in ("n", "w", "w2", "mean", "m2"):
        expected = pytest.approx(float(getattr(whole, field)), rel=1e-9, abs=1e-6)
        assert float(getattr(merged, field)) == expected
        assert float(getattr(swapped, field)) == expected


def test_empty_part_is_neutral() -> None:
    part = Moments.from_values([1.0, 2.0, 4.0])
    nothing = Moments(*(np.float64(0) for _ in range(5)))  # type: ignore[arg-type]
    assert float((part + nothing).variance) == float((nothing + part).variance) == pytest.approx(7 / 3)
    assert float((nothing + nothing).mean) == 0
    assert np.isnan((nothing + nothing).variance)
    assert np.isnan(Moments.from_values([3.0]).variance)


@pytest.mark.parametrize("shift", [0.0, 1e9, -1e12])
def test_large_mean_keeps_the_variance(shift: float) -> None:
    values = np.random.default_rng(3).normal(size=10_000) * 10
    moved = values + shift
    whole = Moments.from_values(moved[:10])
    for part in np.split(moved[10:], 9):
        whole = whole + Moments.from_values(part)
    assert float(whole.variance) == pytest.approx(np.var(moved - shift, ddof=1), rel=1e-6)


def test_unit_weights_give_the_usual_variance_and_many_columns_at_once() -> None:
    values = np.random.default_rng(4).normal(size=(50, 3))
    moments = Moments.from_values(values)
    assert moments.variance == pytest.approx(values.var(axis=0, ddof=1))
    assert moments.kish_n == pytest.approx(50)
    weights = np.random.default_rng(5).uniform(0.5, 2, size=50)
    expected = np.cov(values[:, 0], aweights=weights)
    assert Moments.from_values(values[:, 0], weights).variance == pytest.approx(expected)
    assert Moments.from_values(values[:, 0], weights * 7).variance == pytest.approx(expected)


def test_comoments_match_numpy_and_add() -> None:
    rng = np.random.default_rng(6)
    values, weights = rng.normal(size=(60, 3)) + np.array([1e8, 0, -5]), rng.uniform(0.5, 2, size=60)
    merged = Comoments.from_values(values[:20], weights[:20]) + Comoments.from_values(
        values[20:], weights[20:]
    )
    assert merged.covariance == pytest.approx(np.cov(values.T, aweights=weights), rel=1e-6, abs=1e-7)
    assert merged.means == pytest.approx(np.average(values, axis=0, weights=weights))
    assert np.isnan(Comoments.from_values(values[:1]).covariance).all()
