"""Ranking metrics as unweighted means over classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.measures.estimate import Estimate, missing, with_units
from analytics.stats.intervals import normal_quantile
from analytics.stats.rare import FEW_EVENTS

Floats = NDArray[np.float64]


def macro_mean(metric: str, per_class: Sequence[Estimate]) -> Estimate:
    """The unweighted mean over the classes that are present.

    From histograms of single scores its variance over rows is not known, only that its standard error is at most the
    mean of the classes'. That bound stands until `macro_squares` brings the exact one. The block variance is exact.
    """
    mine = [estimate for estimate in per_class if estimate.metric == metric]
    present = [estimate for estimate in mine if estimate.status == "ok" and estimate.value is not None]
    scarce = [estimate for estimate in mine if estimate.status == "too_few"]
    if scarce or not present:
        worst = (scarce or mine)[0]
        return missing(metric, worst.status, f"class {worst.class_}: {worst.reason}")
    blocks = present[0].blocks
    k = len(present)
    totals = np.sum([_totals(estimate) for estimate in present], axis=0) / k
    absent = len(mine) - k
    return Estimate(
        metric,
        float(np.mean([estimate.value for estimate in present])),
        family=present[0].family,
        reason=f"mean of {k} classes; {absent} without labels left out" if absent else None,
        row_variance=float(np.mean([np.sqrt(estimate.row_variance) for estimate in present])) ** 2,
        blocks=blocks,
        block_totals=totals,
        n_positive=min(estimate.n_positive for estimate in present),
        n_negative=min(estimate.n_negative for estimate in present),
        bias=float(np.mean([estimate.bias for estimate in present])),
    )


def macro_influences(per_class: Sequence[Estimate], metrics: Sequence[str]) -> dict[str, Floats]:
    """What a row of unit weight moves the means over classes by, through each class's score.

    Args:
        per_class: the estimates of one cell.
        metrics: names of M ranking metrics, without ``_macro``.

    Returns:
        Class -> influences of shape (M, 2, B); classes that do not count are left out.
    """
    present = {(e.class_, e.metric): e for e in per_class if e.class_ and e.influence is not None}
    classes = list(dict.fromkeys(class_ for class_, metric in present if metric in metrics and class_))
    return {
        name: np.stack([_influence(present[name, metric]) for metric in metrics]) / len(classes)
        for name in classes
        if all((name, metric) in present for metric in metrics)
    }


def _influence(estimate: Estimate) -> Floats:
    if estimate.influence is None:
        raise ValueError("a ranking estimate carries its influence")
    return estimate.influence


def macro_squares(
    macro: Estimate, per_class: Sequence[Estimate], squares: float, units: tuple[float, int] | None
) -> Estimate:
    """The mean over classes with its exact variance over rows, and over units where they are declared.

    The classes' own variances have a divisor of n - 1 rows of each kind; that of the mean gets the same.

    Args:
        macro: of one cell.
        per_class: the estimates of the same cell.
        squares: sum over rows of (weight x influence)^2.
        units: the same over units, and their number.
    """
    if macro.value is None:
        return macro
    metric = macro.metric.removesuffix("_macro")
    parts = [e for e in per_class if e.class_ is not None and e.metric == metric and e.status == "ok"]
    corrected = sum(e.row_variance for e in parts)
    plain = sum(e.row_variance * (1.0 - 1.0 / max(min(e.n_positive, e.n_negative), 2.0)) for e in parts)
    correction = corrected / plain if plain > 0 else 1.0
    found = replace(macro, row_variance=squares * correction, **_speaking(macro.value, parts))
    return found if units is None else with_units(found, *units)


def macro_farther(macro: Estimate, per_class: Sequence[Estimate], metric: str, confidence: float) -> Estimate:
    """A mean of shares over classes whose interval reaches as far as those of the classes known by a few rows do.

    Where rows are logged by their outcome a class may seem free of doubt: five right decisions and no wrong one, as one
    in ten of those is logged. Its own interval knows that and its variance does not, so what the limits say
    beyond the variance is added to both sides (Zou and Donner, Statistics in Medicine 27, 2008).

    Args:
        macro: over all classes.
        per_class: the estimates of the same cell.
        metric: of the classes.
        confidence: of the intervals.
    """
    if macro.value is None:
        return macro
    present = [e for e in per_class if e.metric == metric and e.value is not None]
    below = above = 0.0
    for one in present:
        if one.value is None or one.kinds is None or min(one.kinds.hits, one.kinds.misses) >= FEW_EVENTS:
            continue
        low, high, _ = one.interval(confidence)
        known = normal_quantile(confidence) ** 2 * one.row_variance
        below += max((one.value - low) ** 2 - known, 0.0) / len(present) ** 2
        above += max((high - one.value) ** 2 - known, 0.0) / len(present) ** 2
    return replace(macro, farther=(below, above))


def _speaking(value: float, parts: Sequence[Estimate]) -> dict[str, Any]:
    """Rows that speak for a mean over classes: where all are separated the rarest decides, else all do."""
    if not 0.0 < value < 1.0:
        return {}
    k = len(parts)
    return {
        name: k * k / sum(1.0 / max(getattr(e, name), 1.0) for e in parts)
        for name in ("n_positive", "n_negative")
    }


def _totals(estimate: Estimate) -> Floats:
    if estimate.block_totals is None:
        raise ValueError("a ranking estimate carries its block totals")
    return estimate.block_totals
