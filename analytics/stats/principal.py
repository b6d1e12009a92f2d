"""Principal components: the directions in which rows of a matrix differ most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray


@dataclass(frozen=True)
class Principal:
    """Rows seen along their principal components.

    Attributes:
        places: (n, components); centred.
        explained: the share of the whole variance along each component.
        loadings: (components, columns), rows of length 1; the largest entry of each is positive.
    """

    places: FloatArray
    explained: FloatArray
    loadings: FloatArray


def principal(matrix: FloatArray, components: int = 2) -> Principal:
    """The leading principal components of a matrix (n, columns), by singular values.

    With fewer directions than asked for, the missing ones are all 0.

    >>> found = principal(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 1)
    >>> found.places[:, 0].round(2).tolist(), found.explained.tolist()
    ([-1.41, 0.0, 1.41], [1.0])
    """
    n, columns = matrix.shape
    places, loadings, explained = (
        np.zeros((n, components)),
        np.zeros((components, columns)),
        np.zeros(components),
    )
    if n == 0 or columns == 0:
        return Principal(places, explained, loadings)
    centred = matrix - matrix.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    count = min(components, int(np.count_nonzero(values > 1e-12 * max(float(values[0]), 1e-300))))
    signs = np.sign(right[np.arange(count), np.abs(right[:count]).argmax(axis=1)])
    places[:, :count] = left[:, :count] * values[:count] * signs
    loadings[:count] = right[:count] * signs[:, None]
    total = float(np.square(values).sum())
    explained[:count] = np.square(values[:count]) / total if total > 0 else 0.0
    return Principal(places, explained, loadings)
