"""Are several independent effects the same? Cochran's Q with the corrections of Welch for small samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import as_floats


class EqualEffects(NamedTuple):
    """Test of equal effects.

    Attributes:
        pooled: the effect weighted by 1 / variance.
        statistic: F.
        df: of its numerator and denominator.
        p_value: nan with fewer than two effects.
    """

    pooled: float
    statistic: float
    df: tuple[float, float]
    p_value: float


def equal_effects(values: npt.ArrayLike, variances: npt.ArrayLike, dfs: npt.ArrayLike) -> EqualEffects:
    """Test whether independent estimates have the same expectation (Welch, Biometrika 38, 1951).

    Args:
        values: the effects, shape (K,).
        variances: their squared standard errors, all positive, shape (K,).
        dfs: degrees of freedom of each, shape (K,).

    >>> found = equal_effects([1.0, 1.1, 3.0], [0.04, 0.04, 0.04], [1e9, 1e9, 1e9])
    >>> round(found.pooled, 2), round(found.statistic, 2), round(found.p_value, 12)
    (1.7, 31.75, 0.0)
    """
    effects, squared, freedom = as_floats(values), as_floats(variances), as_floats(dfs)
    k = len(effects)
    if k < 2:
        nan = float("nan")
        return EqualEffects(float(effects[0]) if k else nan, nan, (0.0, nan), nan)
    if not (squared > 0).all():
        raise ValueError("variances are positive")
    weights = 1 / squared
    pooled = float(np.average(effects, weights=weights))
    q = float((weights * np.square(effects - pooled)).sum())
    spread = float((np.square(1 - weights / weights.sum()) / freedom).sum())
    statistic = q / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    below = (k**2 - 1) / (3 * spread)
    return EqualEffects(pooled, statistic, (k - 1.0, below), float(special.fdtrc(k - 1, below, statistic)))
