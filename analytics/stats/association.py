"""Do two ways of dividing units go together? Chi-squared with the size of what was found."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import as_floats

LEAST_EXPECTED = 5.0


class Association(NamedTuple):
    """Pearson's test of independence.

    Attributes:
        statistic, df, p_value: without continuity correction; p is nan where an expected count is under 5.
        effect_size: Cohen's w, the root of statistic / n; 0.1 is called small.
        n: units.
    """

    statistic: float
    df: int
    p_value: float
    effect_size: float
    n: float


def association(counts: npt.ArrayLike) -> Association:
    """Test whether rows and columns of a table of counts are independent; empty ones are left out.

    >>> found = association([[500, 500], [500, 500]])
    >>> found.p_value, found.effect_size
    (1.0, 0.0)
    """
    table = as_floats(counts)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, df = float(table.sum()), (table.shape[0] - 1) * (table.shape[1] - 1)
    if df < 1:
        return Association(float("nan"), df, float("nan"), float("nan"), n)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    statistic = float((np.square(table - expected) / expected).sum())
    p = float(special.chdtrc(df, statistic)) if expected.min() >= LEAST_EXPECTED else float("nan")
    return Association(statistic, df, p, math.sqrt(statistic / n), n)
