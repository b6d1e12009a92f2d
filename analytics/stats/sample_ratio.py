"""Sample ratio mismatch: did each arm get the share of units that was planned?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats


class SampleRatio(NamedTuple):
    """Expected count of every arm, Pearson's statistic, its degrees of freedom and p-value."""

    expected: FloatArray
    statistic: float
    df: int
    p_value: float


def sample_ratio_test(counts: npt.ArrayLike, shares: npt.ArrayLike) -> SampleRatio:
    """Test counts of arms against planned shares by Pearson's chi-squared, without continuity correction.

    Args:
        counts: units of every arm, shape (K,).
        shares: planned, in any unit (they are normalised), shape (K,). An arm planned to get nothing (share 0) is left
            out with its units and gives no degree of freedom.

    Returns:
        Statistic and p-value are nan with fewer than two planned arms or without units. Whether the expected counts
        are large enough (5) is for the caller to judge.

    Raises:
        ValueError: for negative numbers, shares that sum to 0, or shapes that differ.

    Source: Fabijan et al., Proceedings of KDD (2019); the test is Pearson's, Philosophical Magazine 50 (1900).

    >>> test = sample_ratio_test([5120, 4880], [0.5, 0.5])
    >>> test.expected.tolist(), test.statistic, test.df, round(test.p_value, 4)
    ([5000.0, 5000.0], 5.76, 1, 0.0164)
    """
    units, planned = as_floats(counts), as_floats(shares)
    if units.shape != planned.shape or units.ndim != 1:
        raise ValueError("every arm needs a count and a planned share")
    if not ((units >= 0).all() and (planned >= 0).all() and planned.sum() > 0):
        raise ValueError("counts and planned shares are not negative, and some share is positive")
    used = planned > 0
    expected = planned / planned.sum() * units[used].sum()
    df = int(used.sum()) - 1
    if df < 1 or units[used].sum() == 0:
        return SampleRatio(expected, float("nan"), df, float("nan"))
    statistic = float((np.square(units - expected)[used] / expected[used]).sum())
    return SampleRatio(expected, statistic, df, float(special.chdtrc(df, statistic)))
