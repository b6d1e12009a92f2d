"""Has the feed stopped, and did its delays change?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.labels.learn import History
from analytics.stats.arrivals import EDGES, ArrivalCurve, kaplan_meier
from analytics.stats.intervals import normal_quantile

Floats = NDArray[np.float64]
SILENT = 0.001
USUAL = 0.95
LONGER = 1.5
LEAST_DAYS = 5
CHANGED = 0.05
ALPHA = 0.05


class Silence(NamedTuple):
    """How likely it is that nothing came although nothing has changed."""

    expected: float
    p_value: float


def silence(curve: ArrivalCurve, waiting: Floats, silent_seconds: float) -> Silence:
    """Labels expected since the newest one, and the probability of none.

    Each prediction still without a label would have got one since with the probability of the curve. Labels of one day
    come or stay away together: the expected number is divided by how much more days vary than rows, at the median.

    Args:
        curve: fitted to what was known when the newest label came.
        waiting: predictions without a label, by the bin of their age, shape (B,).
        silent_seconds: since the newest label.
    """
    middle = EDGES + np.append(np.diff(EDGES) / 2, 0.0)
    now = _arrived(curve, middle)
    then = _arrived(curve, np.maximum(middle - silent_seconds, 0.0))
    # whoever was predicted since then was not at risk before
    chance = np.divide(now - then, 1.0 - then, out=np.zeros_like(now), where=then < 1.0)
    expected = float((waiting * np.clip(chance, 0.0, 1.0)).sum())
    return Silence(expected, float(math.exp(-expected / dispersion(curve))))


def _arrived(curve: ArrivalCurve, seconds: Floats) -> Floats:
    known = curve.last + 1
    return np.asarray(np.interp(seconds, EDGES[:known], curve.share[:known]))


def dispersion(curve: ArrivalCurve) -> float:
    """How much more days vary than rows, in the share that has come by the median delay; at least 1."""
    edge = curve.edge_of(0.5)
    if edge is None:
        return 1.0
    share = float(curve.share[edge])
    plain = share * (1 - share) / max(curve.n, 1.0)
    return max(curve.at(edge).chosen.variance / plain, 1.0) if plain > 0 else 1.0


def usual_silence(longest_by_day: Floats) -> float | None:
    """What 95 % of days' longest silences do not pass."""
    if len(longest_by_day) < LEAST_DAYS:
        return None
    return float(np.quantile(longest_by_day, USUAL, method="inverted_cdf"))


def has_stopped(found: Silence | None, silent_seconds: float, usual: float | None) -> bool | None:
    """Whether the feed is silent: no chance, and half as long again as it ever usually is."""
    if found is None or usual is None:
        return None
    return found.p_value < SILENT and silent_seconds > LONGER * usual


class Change(NamedTuple):
    """The share that had come by the median delay, in the first and in the second half of the days."""

    middle: float
    before: float
    recent: float
    low: float
    high: float
    p_value: float


def delay_change(history: History, version: str | None, confidence: float) -> Change | None:
    """Compare the first with the second half of the days; None under five days in either."""
    counts = history.by_version.get(version)
    if counts is None:
        return None
    curve = kaplan_meier(counts)
    edge = curve.edge_of(0.5) if curve is not None else None
    if curve is None or edge is None or edge == 0:
        return None
    # a day that was not followed up to the median says nothing about it
    followed = np.flatnonzero(counts.at_risk[:, edge - 1] + counts.arrived[:, :edge].sum(axis=1) > 0)
    halves = [part for part in np.array_split(followed, 2) if len(part) >= LEAST_DAYS]
    if len(halves) < 2:
        return None
    fits = [kaplan_meier(counts[part]) for part in halves]
    if fits[0] is None or fits[1] is None:
        return None
    found = [fit.at(min(edge, fit.last)) for fit in fits if fit is not None]
    variances = [one.chosen.variance for one in found]
    difference = found[1].value - found[0].value
    error = math.sqrt(sum(variances))
    if error == 0:
        return None
    df = min(len(halves[0]), len(halves[1])) - 1.0
    reach = normal_quantile(confidence, df) * error
    p_value = float(2 * stats.t.sf(abs(difference) / error, df))
    return Change(
        float(EDGES[edge]), found[0].value, found[1].value, difference - reach, difference + reach, p_value
    )
