"""Reconstruction error: components as scikit-learn finds them, limits from rows the fit has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from analytics.stats.reconstruction import _errors, reconstruction


def rows(
    days_reference: int,
    days_window: int,
    size: int = 40,
    correlation: float = 0.9,
    now: float = 0.9,
    seed: int = 0,
):
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days_reference + days_window), size)
    side = day >= days_reference
    x = rng.normal(size=(len(day), 3))
    strength = np.where(side, now, correlation)
    x[:, 1] = strength * x[:, 0] + np.sqrt(1 - strength**2) * x[:, 1]
    return [x[:, i] for i in range(3)], side, day, np.ones(len(day))


def test_errors_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    matrix -= matrix[:200].mean(axis=0)
    fitting = np.arange(300) < 200
    found, count = _errors(matrix, fitting)
    pca = PCA(n_components=count).fit(matrix[fitting])
    again = pca.inverse_transform(pca.transform(matrix))
    assert found == pytest.approx(np.linalg.norm(matrix - again, axis=1))
    assert PCA().fit(matrix[fitting]).explained_variance_ratio_[:count].sum() >= 0.65
    assert PCA().fit(matrix[fitting]).explained_variance_ratio_[: count - 1].sum() < 0.65


@pytest.mark.parametrize(
    "days, yardstick, count",
    [((60, 6), "chunks", 5), ((30, 8), "blocks", 15), ((20, 1), "chunks", 10), ((3, 2), "rows", 60)],
)
def test_limits_are_of_stretches_as_long_as_the_window(days, yardstick, count):
    found = reconstruction(*rows(*days))
    assert found.yardstick == yardstick
    assert found.n_yardstick == pytest.approx(count, abs=10 if yardstick == "rows" else 0)
    assert found.null_low <= found.null_mean <= found.null_high
    assert found.ci_low <= found.value <= found.ci_high


def test_a_lost_correlation_raises_the_error_and_a_stronger_one_lowers_it():
    lost = reconstruction(*rows(60, 10, now=0.0))
    assert lost.value > lost.null_high
    assert lost.p_value < 0.01
    stronger = reconstruction(*rows(60, 10, correlation=0.5, now=0.99))
    assert stronger.value < stronger.null_low
    assert reconstruction(*rows(60, 10)).p_value > 0.05


def test_odd_columns():
    _, side, day, weight = rows(20, 4)
    n = len(day)
    texts = [None if i % 7 == 0 else f"v{i % 5}" for i in range(n)]
    numbers = np.where(np.arange(n) % 3 == 0, np.nan, np.arange(n) % 11).astype(float)
    found = reconstruction([texts, numbers, np.full(n, np.nan), np.full(n, np.inf)], side, day, weight)
    assert np.isfinite(found.value)
    assert reconstruction([np.ones(n)], side, day, weight) is None
    assert reconstruction([np.arange(n) % 7.0], side, day, weight) is None, "one column is its own component"
