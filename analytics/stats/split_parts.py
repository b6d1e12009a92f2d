"""Which segments carry a sample ratio mismatch: parts of the chi-squared statistic that sum to the whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats, divide


class SplitParts(NamedTuple):
    """The test of the whole split, and what every segment contributes.

    Attributes:
        statistic: Pearson's, of the arms' totals.
        p_value: of it.
        df: degrees of freedom, the same for every test here.
        contributions: of every segment to the statistic; they sum to it, and are negative where a segment deviates
            the other way, shape (S,).
        own_statistics: of every segment's own split, shape (S,).
        own_p_values: of these; nan where a segment expects under 5 units in an arm, shape (S,).
        p_values_without: of the split of all the others together, shape (S,).
    """

    statistic: float
    p_value: float
    df: int
    contributions: FloatArray
    own_statistics: FloatArray
    own_p_values: FloatArray
    p_values_without: FloatArray


LEAST_EXPECTED = 5.0


def split_parts(counts: npt.ArrayLike, shares: npt.ArrayLike) -> SplitParts:
    """Decompose Pearson's statistic over segments.

    With O and E summed over segments, sum_k (O_k - E_k)^2 / E_k is the sum over segments s of
    sum_k (O_sk - E_sk) (O_k - E_k) / E_k.

    Args:
        counts: units by segment and arm, shape (S, K).
        shares: planned, shape (K,) or by segment (S, K); arms planned to get nothing anywhere are left out.

    Raises:
        ValueError: shapes differ, numbers are negative, or fewer than two arms are planned.

    >>> parts = split_parts([[500, 500], [300, 200]], [0.5, 0.5])
    >>> round(parts.statistic, 3), parts.contributions.round(3).tolist(), parts.own_p_values.round(5).tolist()
    (6.667, [0.0, 6.667], [1.0, 1e-05])
    """
    units, planned = as_floats(counts), as_floats(shares)
    if units.ndim != 2 or planned.shape not in {units.shape, units.shape[1:]}:
        raise ValueError("counts need the shape (segments, arms), and shares (arms,) or (segments, arms)")
    if not ((units >= 0).all() and (planned >= 0).all()):
        raise ValueError("counts and planned shares are not negative")
    planned = np.broadcast_to(planned, units.shape)
    used = (planned > 0).all(axis=0)
    if used.sum() < 2:
        raise ValueError("a split needs two arms with a planned share")
    units, planned = units[:, used], planned[:, used] / planned[:, used].sum(axis=1, keepdims=True)
    df = int(used.sum()) - 1
    expected = planned * units.sum(axis=1, keepdims=True)
    gaps, whole = units - expected, expected.sum(axis=0)
    contributions = (gaps * divide(gaps.sum(axis=0), whole)).sum(axis=1)
    own = divide(np.square(gaps), expected).sum(axis=1)
    rest = divide(np.square(gaps.sum(axis=0) - gaps), whole - expected).sum(axis=1)
    statistic = float(contributions.sum())
    own_p = np.where(expected.min(axis=1) >= LEAST_EXPECTED, special.chdtrc(df, own), np.nan)
    return SplitParts(
        statistic,
        float(special.chdtrc(df, max(statistic, 0.0))),
        df,
        contributions,
        own,
        own_p,
        np.asarray(special.chdtrc(df, rest)),
    )
