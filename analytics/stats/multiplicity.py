"""Correction of a family of p-values, and the levels at which the matching intervals are drawn.

Missing p-values (None or nan) stay missing and do not count as members of the family.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .arrays import FloatArray

PValues = Sequence[float | None] | FloatArray


def _present(p: PValues) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    values = np.array([np.nan if x is None else float(x) for x in p], dtype=np.float64)
    known = ~np.isnan(values)
    if np.any((values[known] < 0) | (values[known] > 1)):
        raise ValueError("p-values lie between 0 and 1")
    return values, known


def _adjust(p: PValues, method: Callable[[FloatArray], FloatArray]) -> FloatArray:
    values, known = _present(p)
    adjusted = np.full(values.shape, np.nan)
    if known.any():
        adjusted[known] = method(values[known])
    return adjusted


def benjamini_hochberg(p: PValues) -> FloatArray:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg, JRSS B 57, 1995).

    >>> benjamini_hochberg([0.01, 0.04, None, 0.03]).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    return _adjust(p, _benjamini_hochberg)


def _benjamini_hochberg(values: FloatArray) -> FloatArray:
    """Adjust as `scipy.stats.false_discovery_control` does, which takes .2 ms to look around, a window and version."""
    order = np.argsort(values, kind="stable")
    steps = values[order] * values.size / np.arange(1, values.size + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted


def holm(p: PValues) -> FloatArray:
    """Return p-values adjusted for the chance of any false alarm (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjust(p, _holm)


def _holm(values: FloatArray) -> FloatArray:
    """Adjust by Holm; statsmodels' function takes 75 ms a call, and there are thousands."""
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    steps = np.maximum.accumulate(values[order] * (values.size - np.arange(values.size)))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def holm_levels(p: PValues, alpha: float) -> FloatArray:
    """Return, per member, the level at which Holm tests it: alpha / (m - j + 1) at step j in order of p.

    Steps not reached get the level of the first failure. An interval at confidence 1 - level leaves out 0
    exactly where Holm rejects.

    >>> holm_levels([0.01, 0.04, 0.03], 0.06).round(3).tolist()
    [0.02, 0.06, 0.03]
    """
    values, known = _present(p)
    levels = np.full(values.shape, np.nan)
    members = np.flatnonzero(known)
    order = members[np.argsort(values[members], kind="stable")]
    steps = alpha / (order.size - np.arange(order.size))
    failed = np.flatnonzero(values[order] > steps)
    if failed.size:
        steps[failed[0] :] = steps[failed[0]]
    levels[order] = steps
    return levels


def bh_level(p: PValues, alpha: float) -> float:
    """Return the level R alpha / m of intervals that go with Benjamini-Hochberg.

    R is the number of rejections. Where nothing is rejected (R = 0), alpha / m: no member's interval may then
    leave out 0. alpha for an empty family.

    >>> bh_level([0.001, 0.8, 0.02, None], 0.05)
    0.03333333333333333
    """
    values, known = _present(p)
    m = int(known.sum())
    if m == 0:
        return alpha
    rejected = int((benjamini_hochberg(values[known]) <= alpha).sum())
    return max(rejected, 1) * alpha / m


def fixed_sequence(p: PValues) -> FloatArray:
    """Return p-values adjusted for testing in the given order, each at the full level, up to the first failure.

    The order must have been fixed before the data were seen. This is the closed test of the hierarchical family
    (Maurer, Hothorn and Lehmacher, 1995): the chance of any false alarm is at most the level.

    >>> fixed_sequence([0.01, 0.2, 0.001]).tolist()
    [0.01, 0.2, 0.2]
    """
    return _adjust(p, np.maximum.accumulate)
