from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from analytics.stats.principal import principal


@pytest.mark.parametrize("shape", [(60, 5), (4, 9), (30, 2)])
def test_as_scikit_learn(shape):
    matrix = np.random.default_rng(2).normal(size=shape) * np.arange(1, shape[1] + 1)
    ours, theirs = principal(matrix, 2), PCA(2, svd_solver="full").fit(matrix)
    np.testing.assert_allclose(np.abs(ours.places), np.abs(theirs.transform(matrix)), atol=1e-9)
    np.testing.assert_allclose(ours.explained, theirs.explained_variance_ratio_, atol=1e-12)
    np.testing.assert_allclose(np.abs(ours.loadings), np.abs(theirs.components_), atol=1e-9)


@pytest.mark.parametrize("matrix", [np.zeros((0, 3)), np.ones((5, 0)), np.ones((5, 3)), np.ones((1, 3))])
def test_nothing_to_see(matrix):
    found = principal(matrix, 2)
    assert found.places.shape == (len(matrix), 2)
    assert not found.places.any()
    assert np.isfinite(found.explained).all()
