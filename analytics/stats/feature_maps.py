"""Many columns of any kind as one matrix in which a linear rule finds shifts of single columns and of pairs.

Nothing here knows which side a row is on: values are ranked, counted and hashed over both sides together. So a
permutation of the sides leaves the matrix as it is, and what is fitted on it may be tested by permutation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .arrays import FloatArray, IntArray

Matrix = npt.NDArray[np.float32]
Texts = Sequence[str | None]
N_BINS = 6
MOST_CATEGORIES = 12
HASH_BUCKETS = 4
MOST_FACTORS = 20
"""Pairs are formed of at most so many columns; of more, their leading principal components stand for them."""
_FACTORS_OF_CATEGORIES = 1
_FAR = 3.0


@dataclass(frozen=True)
class Encoded:
    """One column, encoded.

    Attributes:
        own: what speaks of this column alone: bins, categories, missing; (n, k), centred, total variance 1.
        factors: what pairs are formed of; (n, j), centred.
    """

    own: Matrix
    factors: Matrix


@dataclass(frozen=True)
class FeatureMap:
    """Encoded columns and how they are joined to one matrix.

    Attributes:
        columns: one for each feature.
        mixing: (factors, MOST_FACTORS) where there are more factors than that; None where each stands for itself.
    """

    columns: tuple[Encoded, ...]
    mixing: Matrix | None

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.columns[0].own.shape[0])

    def design(self, shuffled: int | None = None, order: IntArray | None = None) -> Matrix:
        """The matrix: what speaks of each column, then the products of pairs; centred over all rows.

        Args:
            shuffled: the column whose rows are taken in another order, which breaks its link with all others.
            order: that order.
        """
        shown = [
            Encoded(one.own[order], one.factors[order]) if i == shuffled and order is not None else one
            for i, one in enumerate(self.columns)
        ]
        parts = [one.own for one in shown]
        products = self._products(shown)
        return (
            np.concatenate([*parts, products], axis=1) if products.shape[1] else np.concatenate(parts, axis=1)
        )

    def _products(self, shown: Sequence[Encoded]) -> Matrix:
        factors = np.concatenate([one.factors for one in shown], axis=1)
        owner = np.repeat(np.arange(len(shown)), [one.factors.shape[1] for one in shown])
        if self.mixing is not None:
            factors = factors @ self.mixing
            owner = np.arange(factors.shape[1])
        left, right = np.triu_indices(factors.shape[1], 1)
        apart = owner[left] != owner[right]
        left, right = left[apart], right[apart]
        if not left.size:
            return np.zeros((len(factors), 0), dtype=np.float32)
        products = factors[:, left] * factors[:, right]
        products -= products.mean(axis=0)
        # all pairs of one column together weigh as much as the column itself
        return np.asarray(products / np.sqrt(max(factors.shape[1] - 1, 1)), dtype=np.float32)

    def alone(self, place: int) -> Matrix:
        """What speaks of one column only."""
        return self.columns[place].own


def feature_map(columns: Sequence[FloatArray | Texts]) -> FeatureMap:
    """Encode the columns of both sides together.

    Args:
        columns: of each feature either numbers (nan for missing) or texts (None for missing), n of each.
    """
    encoded = tuple(
        encode_numbers(column) if isinstance(column, np.ndarray) else encode_texts(column)
        for column in columns
    )
    factors = np.concatenate([one.factors for one in encoded], axis=1)
    mixing = None
    if factors.shape[1] > MOST_FACTORS:
        covariance = factors.T @ factors / len(factors)
        values, vectors = np.linalg.eigh(covariance.astype(np.float64))
        leading = np.argsort(values)[::-1][:MOST_FACTORS]
        mixing = (vectors[:, leading] / np.sqrt(np.maximum(values[leading], 1e-12))).astype(np.float32)
    return FeatureMap(encoded, mixing)


def normal_scores(values: FloatArray) -> FloatArray:
    """Ranks as quantiles of the normal distribution, ties together; missing at 0.

    >>> normal_scores(np.array([3.0, 1.0, np.nan, 1e9])).round(2).tolist()
    [0.0, -0.97, 0.0, 0.97]
    """
    present = ~np.isnan(values)
    scores = np.zeros(len(values))
    if present.any():
        ranks = stats.rankdata(values[present])
        scores[present] = special.ndtri((ranks - 0.5) / present.sum())
    return scores


def encode_numbers(values: FloatArray) -> Encoded:
    """Normal score, quantile bins and whether it is missing; infinities are the largest and smallest values."""
    missing = np.isnan(values)
    score = np.clip(normal_scores(values), -_FAR, _FAR)
    own = [score[:, None], missing[:, None].astype(np.float64)]
    present = values[~missing]
    if present.size:
        shares = np.arange(1, N_BINS) / N_BINS
        edges = np.unique(np.quantile(present, shares, method="inverted_cdf"))
        bins = np.searchsorted(edges, values, side="right")
        own.append((bins[:, None] == np.arange(len(edges) + 1)) & ~missing[:, None])
    return Encoded(_balanced(np.concatenate(own, axis=1)), _standard(score[:, None]))


def encode_texts(values: Texts) -> Encoded:
    """The most frequent values, the others hashed into buckets, how frequent a value is, and whether it is missing."""
    texts = np.array([None if value is None else str(value) for value in values], dtype=object)
    missing = np.array([value is None for value in texts])
    names, places, counts = np.unique(
        np.where(missing, "", texts).astype(str), return_inverse=True, return_counts=True
    )
    order = [i for i in np.argsort(-counts, kind="stable") if names[i] != "" or not missing.any()]
    listed = order[:MOST_CATEGORIES]
    bucket = np.array([crc32(name.encode("utf-8", "surrogatepass")) % HASH_BUCKETS for name in names])
    bucket[listed] = -1
    own = [
        (places[:, None] == np.array(listed)) & ~missing[:, None],
        (bucket[places][:, None] == np.arange(HASH_BUCKETS)) & ~missing[:, None],
        missing[:, None],
        np.where(missing, 0.0, np.log(counts[places]))[:, None],
    ]
    matrix = np.concatenate([part.astype(np.float64) for part in own], axis=1)
    return Encoded(_balanced(matrix), _standard(matrix[:, :_FACTORS_OF_CATEGORIES]))


def _standard(matrix: FloatArray) -> Matrix:
    spread = matrix.std(axis=0)
    # a constant column may vary in the last digit of its mean
    kept = spread > 1e-9 * np.maximum(np.abs(matrix).max(axis=0, initial=0.0), 1e-12)
    centred = (matrix[:, kept] - matrix[:, kept].mean(axis=0)) / spread[kept]
    return np.asarray(centred, dtype=np.float32)


def _balanced(matrix: FloatArray) -> Matrix:
    """Columns of the same weight, together of variance 1, so that no feature counts more for having more columns."""
    standard = _standard(matrix)
    return np.asarray(standard / np.sqrt(max(standard.shape[1], 1)), dtype=np.float32)
