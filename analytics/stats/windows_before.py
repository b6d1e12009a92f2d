"""A window against the days before it, judged by how earlier windows of the same length differed from theirs.

Neither days nor rows need be independent, nor the values normal: what a week differs from the four weeks before it is
compared with what earlier weeks did. The spread of those differences is the yardstick, their number of separate windows
and their fourth moment say how far Student's t may be trusted.

Source of the degrees of freedom: a t distribution with excess kurtosis k has 4 + 6 / k of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .arrays import FloatArray

BEFORE = 28
"""Days that a window is compared with, at most."""
LEAST_BEFORE = 5
_LEAST_DF = 3.0


@dataclass(frozen=True)
class Moving:
    """Sums over windows that move through the days, the last one being the window that is asked about.

    Attributes:
        after: of each window, shape (P, ...).
        before: of the days before each, shape (P, ...).
        days_before: how many those are, shape (P,).
        separate: how many windows before the last one share no day, about.
    """

    after: FloatArray
    before: FloatArray
    days_before: FloatArray
    separate: float


@dataclass(frozen=True)
class Judged:
    """The last window's difference; every array has the shape of one window's values.

    Attributes:
        effect: after less before.
        scale: standard deviation of such differences where nothing changed.
        df: of Student's t.
        z: (effect less its mean where nothing changed) over scale.
        p_value: two-sided (one-sided where only more counts); 1 where the difference is not known.
    """

    effect: FloatArray
    scale: FloatArray
    df: FloatArray
    z: FloatArray
    p_value: FloatArray

    def interval(self, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Of the effect, as wide as earlier windows scatter."""
        half = stats.t.ppf((1 + confidence) / 2, self.df) * self.scale
        return self.effect - half, self.effect + half


def moving(sums: FloatArray, window: int, before: int = BEFORE) -> Moving:
    """Sum days into windows of ``window`` days and the up to ``before`` days ahead of each.

    Args:
        sums: days on the first axis, ascending; the last ``window`` of them are the window asked about.
        window: at least 1.
        before: days compared with.

    >>> found = moving(np.arange(12.0), 2, before=5)
    >>> float(found.after[-1]), float(found.before[-1]), len(found.after)
    (21.0, 35.0, 5)
    """
    total = np.concatenate([np.zeros((1, *sums.shape[1:])), np.cumsum(sums, axis=0)])
    days = len(sums)
    least = min(LEAST_BEFORE, max(days - window, 1))
    # earlier windows end before the last one begins
    ends = [*range(least + window, days - window + 1), days]
    starts = [end - window for end in ends]
    firsts = [max(start - before, 0) for start in starts]
    after = total[ends] - total[starts]
    ahead = total[starts] - total[firsts]
    length = np.array([start - first for start, first in zip(starts, firsts, strict=True)], dtype=np.float64)
    return Moving(after, ahead, length, max(len(ends) - 1 + window - 1, 0) / window if len(ends) > 1 else 0.0)


def judge(
    differences: FloatArray, separate: float, sampling: FloatArray | float = 0.0, *, only_more: bool = False
) -> Judged:
    """Judge the last of some differences by the ones before it.

    Args:
        differences: shape (P, ...), nan where a window had nothing to compare.
        separate: how many earlier windows share no day.
        sampling: variance that drawing rows alone gives the last difference; the spread is never taken for less.
        only_more: the value has a mean above 0 where nothing changed (a distance), and only more of it counts.
    """
    earlier, last = differences[:-1], differences[-1]
    known = np.isfinite(earlier)
    n = known.sum(axis=0)
    held = np.where(known, earlier, 0.0)
    safe = np.maximum(n, 1)
    middle = held.sum(axis=0) / safe if only_more else np.zeros(last.shape)
    gap = np.where(known, held - middle, 0.0)
    second = (gap**2).sum(axis=0) / safe
    fourth = (gap**4).sum(axis=0) / safe
    excess = np.divide(fourth, second**2, out=np.full(last.shape, 3.0), where=second > 0) - 3.0
    tails = np.where(excess > 0, 4.0 + 6.0 / np.maximum(excess, 1e-9), np.inf)
    share = np.where(len(earlier) > 0, n / max(len(earlier), 1), 0.0)
    df = np.maximum(np.minimum(share * separate, tails), _LEAST_DF)
    scale = np.sqrt(np.maximum(second, sampling))
    usable = np.isfinite(last) & (scale > 0) & (n >= 2)
    z = np.divide(last - middle, scale, out=np.zeros(last.shape), where=usable)
    tail = stats.t.sf(z if only_more else np.abs(z), df) * (1.0 if only_more else 2.0)
    return Judged(
        np.where(np.isfinite(last), last, 0.0), scale, df, z, np.where(usable, np.minimum(tail, 1.0), 1.0)
    )


def share_variance(before: FloatArray, n_before: FloatArray, n_after: FloatArray) -> FloatArray:
    """Of the difference of two shares by drawing rows alone, at the share before (never taken for 0)."""
    pooled = (before + 0.5) / (n_before + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = pooled * (1 - pooled) * (1 / n_before + 1 / n_after)
    return np.where(np.isfinite(found), found, np.inf)
