"""Centred moments that add: count, weights, mean and sum of squared deviations.

Two halves are merged by the parallel formulas, so a large mean never eats the variance as it does with sums
of squares. Sources: Chan, Golub and LeVeque, American Statistician 37 (1983); Pebay, SAND2008-6212 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats, divide


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments of one quantity, or element by element of many (all fields of one shape).

    ``n`` rows, ``w`` sum of weights, ``w2`` sum of squared weights, ``mean`` = sum w y / w (0 without rows)
    and ``m2`` = sum w (y - mean)^2. They add: ``a + b`` are the moments of the rows of both.

    >>> both = Moments.from_values([1.0, 2.0]) + Moments.from_values([3.0, 4.0])
    >>> float(both.mean), round(float(both.variance), 4)
    (2.5, 1.6667)
    """

    n: FloatArray
    w: FloatArray
    w2: FloatArray
    mean: FloatArray
    m2: FloatArray

    @classmethod
    def from_values(cls, values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Moments:
        """Return the moments of rows (first axis); each further axis is a quantity of its own."""
        y = as_floats(values)
        shape = (-1,) + (1,) * (y.ndim - 1)
        w = (
            np.ones_like(y)
            if weights is None
            else np.broadcast_to(as_floats(weights).reshape(shape), y.shape)
        )
        total = w.sum(axis=0)
        mean = divide((w * y).sum(axis=0), total)
        # A second pass takes out what rounding left in the first mean.
        mean = mean + divide((w * (y - mean)).sum(axis=0), total)
        return cls(
            n=np.full(total.shape, float(y.shape[0])),
            w=total,
            w2=np.square(w).sum(axis=0),
            mean=mean,
            m2=(w * np.square(y - mean)).sum(axis=0),
        )

    def __add__(self, other: Moments) -> Moments:
        """Merge the moments of two disjoint sets of rows."""
        total = self.w + other.w
        share = divide(other.w, total)
        gap = other.mean - self.mean
        return Moments(
            n=self.n + other.n,
            w=total,
            w2=self.w2 + other.w2,
            mean=self.mean + gap * share,
            m2=self.m2 + other.m2 + np.square(gap) * self.w * share,
        )

    @property
    def variance(self) -> FloatArray:
        """Variance of the rows, divisor w - w2 / w (n - 1 where every weight is 1); nan under two rows."""
        freedom = self.w - divide(self.w2, self.w)
        return np.where(self.n >= 2, divide(self.m2, freedom, otherwise=np.nan), np.nan)

    @property
    def kish_n(self) -> FloatArray:
        """Effective number of rows (sum w)^2 / sum w^2, for weights that do not depend on the outcome."""
        return divide(np.square(self.w), self.w2)


@dataclass(frozen=True, eq=False)
class Comoments:
    """Moments of k quantities measured on the same rows, with their co-moments; they add like `Moments`.

    ``means`` has shape (k,) and ``comoments`` (k, k) = sum w (y_i - mean_i)(y_j - mean_j).

    >>> part = Comoments.from_values([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    >>> part.covariance.tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """

    n: float
    w: float
    w2: float
    means: FloatArray
    comoments: FloatArray

    @classmethod
    def from_values(cls, values: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Comoments:
        """Return the moments of rows x quantities."""
        y = as_floats(values)
        w = np.ones(y.shape[0]) if weights is None else as_floats(weights)
        total = float(w.sum())
        means = divide(w @ y, total)
        means = means + divide(w @ (y - means), total)
        centred = y - means
        return cls(float(y.shape[0]), total, float(w @ w), means, (centred * w[:, None]).T @ centred)

    def __add__(self, other: Comoments) -> Comoments:
        """Merge the moments of two disjoint sets of rows."""
        total = self.w + other.w
        share = other.w / total if total else 0.0
        gap = other.means - self.means
        return Comoments(
            n=self.n + other.n,
            w=total,
            w2=self.w2 + other.w2,
            means=self.means + gap * share,
            comoments=self.comoments + other.comoments + np.outer(gap, gap) * (self.w * share),
        )

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix, divisor w - w2 / w (n - 1 where every weight is 1); nan under two rows."""
        freedom = self.w - (self.w2 / self.w if self.w else 0.0)
        if self.n < 2 or freedom <= 0:
            return np.full(self.comoments.shape, np.nan)
        return self.comoments / freedom
