"""From estimates and curves to result rows: coverage of windows, and of groups of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from analytics.labels.learn import Learned
from analytics.labels.rows import LabelCoverageRow, LabelRow
from analytics.measures.estimate import Estimate
from analytics.stats.arrivals import EDGES, ArrivalCurve, Combined
from analytics.stats.blocks import Independence
from analytics.stats.intervals import normal_quantile, score_interval
from analytics.stats.multiplicity import benjamini_hochberg

SHORT = 0.02
SELECTED = 0.05
ALPHA = 0.05
LEAST_GROUP = 20
HEAVY = 4.0


class Limits(NamedTuple):
    """A share with its interval."""

    value: float
    low: float
    high: float
    independence: Independence


def share_limits(found: Combined, n: float, confidence: float) -> Limits:
    """The interval of a share on a curve."""
    value = min(max(found.value, 0.0), 1.0)
    variance, df, independence = found.chosen
    low, high = score_interval(value, variance, n, confidence, df)
    return Limits(value, min(float(low), value), max(float(high), value), independence)


def quantile_limits(
    curve: ArrivalCurve | None, quantile: float, share: float, confidence: float
) -> tuple[float, float] | None:
    """The interval of a quantile of the delays: where the band of the curve crosses it (Woodruff, JASA 47, 1952).

    Args:
        curve: of the delays of the labels that came.
        quantile: the quantile in seconds.
        share: which one it is.
        confidence: of the interval.
    """
    if curve is None or curve.plateau <= 0:
        return None
    edge = min(int(np.searchsorted(EDGES, quantile, side="right")), len(EDGES) - 1)
    variance, df, _ = curve.at(edge).chosen
    reach = normal_quantile(confidence, df) * math.sqrt(max(variance, 0.0))
    plateau = curve.plateau
    reached = curve.share / plateau
    low = int(np.argmax(reached >= max(share - reach / plateau, 0.0)))
    above = reached >= min(share + reach / plateau, 1.0)
    high = int(np.argmax(above)) if above.any() else curve.last
    return min(float(EDGES[max(low - 1, 0)]), quantile), max(float(EDGES[high]), quantile)


def shortfall(estimate: Estimate, wanted: Combined, learned: Learned) -> float | None:
    """One-sided p-value of "as many labels came as expected", days varying as they did before.

    The plateau's block over row variance tells by how much days vary more than rows: the window's variance is raised by
    the same factor where it has too few days to tell itself. Single days have heavy tails (a storm cancels a fifth of
    the flights), so Student's t with `HEAVY` degrees of freedom stands in there.
    """
    if estimate.value is None:
        return None
    chosen = estimate.chosen()
    variance, df = chosen.variance, chosen.df
    value, share = estimate.value, min(max(wanted.value, 0.0), 1.0)
    size = max(estimate.size, 1.0)
    # under the hypothesis, so that a window without any label has a variance, too
    plain = share * (1 - share) / size
    if chosen.independence == "blocks":
        variance = max(variance, plain)
    else:
        variance, df = max(variance, plain * _design_effect(learned.curve)), HEAVY
    error = math.sqrt(variance + wanted.chosen.variance)
    if error == 0:
        return 1.0 if value >= share - 1e-12 else 0.0
    gap = (value - share) / error
    return float(stats.t.cdf(gap, df)) if df is not None else float(stats.norm.cdf(gap))


def _design_effect(curve: ArrivalCurve) -> float:
    found = curve.at(curve.last)
    plain = curve.plateau * (1 - curve.plateau) / max(curve.n, 1.0)
    return max(found.chosen.variance / plain, 1.0) if plain > 0 else 1.0


def judged(rows: Sequence[LabelRow]) -> list[LabelRow]:
    """The rows of one version with their p-values corrected, and whether labels are short."""
    adjusted = benjamini_hochberg([row.p_adjusted for row in rows])
    return [
        replace(row, p_adjusted=_float(p), short=_is_short(row, _float(p)))
        for row, p in zip(rows, adjusted, strict=True)
    ]


def _float(p: float | None) -> float | None:
    return None if p is None or not math.isfinite(p) else float(p)


def _is_short(row: LabelRow, p: float | None) -> bool | None:
    if p is None or row.coverage is None or row.expected_coverage is None:
        return None
    return p < ALPHA and row.coverage < row.expected_coverage - SHORT


def against_the_rest(
    rows: Sequence[LabelCoverageRow], variances: Sequence[float | None]
) -> list[LabelCoverageRow]:
    """Each group of one version and kind against all others, corrected.

    Args:
        rows: the groups.
        variances: of each coverage; None where it has no value.
    """
    p_values = [_group_p(rows, variances, place) for place in range(len(rows))]
    adjusted = benjamini_hochberg([p for _, p in p_values])
    answer = []
    for row, (difference, _), p in zip(rows, p_values, adjusted, strict=True):
        chance = _float(p)
        selected = (
            None if chance is None or difference is None else chance < ALPHA and abs(difference) > SELECTED
        )
        answer.append(replace(row, difference=difference, p_adjusted=chance, selected=selected))
    return answer


def _group_p(
    rows: Sequence[LabelCoverageRow], variances: Sequence[float | None], place: int
) -> tuple[float | None, float | None]:
    mine, variance = rows[place], variances[place]
    others = [
        (row, v)
        for k, (row, v) in enumerate(zip(rows, variances, strict=True))
        if k != place and row.coverage is not None and v is not None
    ]
    n = sum(row.n for row, _ in others)
    if mine.coverage is None or variance is None or mine.n < LEAST_GROUP or n < LEAST_GROUP:
        return None, None
    rest = sum(row.n * (row.coverage or 0.0) for row, _ in others) / n
    spread = sum(v * (row.n / n) ** 2 for row, v in others)
    # a group in which all or none have a label has no variance of its own
    pooled = (mine.n * mine.coverage + n * rest) / (mine.n + n)
    floor = pooled * (1 - pooled) * (1 / mine.n + 1 / n)
    error = math.sqrt(max(variance + spread, floor))
    difference = mine.coverage - rest
    if error == 0:
        return difference, 1.0
    return difference, float(2 * stats.norm.sf(abs(difference) / error))
