"""Rows of one cell -> the estimates that reading them from files gives, without files: for simulations.

What DuckDB sums for a cell is summed here by NumPy; everything after that is the product's own code.
`tests/statistical/test_quality_table.py` holds both against each other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analytics.aggregates.cells import DecisionCells
from analytics.aggregates.moments import Centre, RowMoments
from analytics.aggregates.ranks import MedianError
from analytics.aggregates.reliability import ReliabilityBins
from analytics.aggregates.scores import ScoreHistogram
from analytics.measures import binary, macro, multiclass, regression
from analytics.measures.estimate import Estimate, with_units
from analytics.project import Costs

CONFIDENCE = 0.95
COSTS = Costs(true_positive=5.0, false_positive=-1.0, false_negative=-4.0, true_negative=0.0)


def matrix(names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """What a decision earns, by true and decided class."""
    return {a: {b: float(2 * (a == b) - i * j) for j, b in enumerate(names)} for i, a in enumerate(names)}


class Rows(NamedTuple):
    """Scored and labelled rows of one cell.

    ``score`` has shape (n,), or (n, K) for K classes; ``label`` and ``decision`` are class numbers, or the label is a
    number and there is no decision.
    """

    score: np.ndarray
    label: np.ndarray
    decision: np.ndarray | None
    weight: np.ndarray
    block: np.ndarray
    unit: np.ndarray | None = None


def estimates_of(rows: Rows) -> list[Estimate]:
    """What quality says of the cell, units filled in."""
    if rows.decision is None:
        return regression_of(rows)
    return multiclass_of(rows) if rows.score.ndim == 2 else binary_of(rows)


def by_group(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums of the rows of each group, for values of shape (n, ...)."""
    found, place = np.unique(group, return_inverse=True)
    total = np.zeros((len(found), *values.shape[1:]))
    np.add.at(total, place, values)
    return total


def moments_of(rows: Rows, columns: dict[str, np.ndarray]) -> RowMoments:
    z = np.column_stack(
        [np.broadcast_to(np.asarray(one, float), rows.weight.shape) for one in columns.values()]
    )
    wz = rows.weight[:, None] * z
    units = n_units = None
    if rows.unit is not None:
        totals = by_group(rows.unit, wz)
        units, n_units = totals.T @ totals, (totals != 0).sum(axis=0).astype(float)
    counts = (z != 0).sum(axis=0).astype(float)
    sums = by_group(rows.block, wz)
    return RowMoments(tuple(columns), len(z), counts, np.unique(rows.block), sums, wz.T @ wz, units, n_units)


def cells_of(rows: Rows, classes: tuple[str, ...]) -> DecisionCells:
    blocks, block = np.unique(rows.block, return_inverse=True)
    k = len(classes)
    shape = (len(blocks), k + 1, k)
    place = np.ravel_multi_index((block, rows.label, rows.decision), shape)
    w = rows.weight
    sums = [
        np.bincount(place, one, int(np.prod(shape))).reshape(shape) for one in (np.ones_like(w), w, w * w)
    ]
    return DecisionCells(classes, blocks, *sums)


def scores_of(rows: Rows, score: np.ndarray, positive: np.ndarray) -> ScoreHistogram:
    blocks, block = np.unique(rows.block, return_inverse=True)
    keys, place = np.unique(score, return_inverse=True)
    w = rows.weight
    sums = np.stack([np.ones_like(w), w, w * w, w * score])
    return ScoreHistogram(keys, keys, keys, True, blocks, block, positive.astype(np.int64), place, sums)


def reliability_of(rows: Rows, score: np.ndarray, right: np.ndarray) -> ReliabilityBins:
    tenth = np.minimum((10 * score).astype(int), 9)
    w, r = rows.weight, right.astype(float)
    n, sw, sw2, ws, wl, we2 = (
        np.bincount(tenth, one, 10)
        for one in (np.ones_like(w), w, w * w, w * score, w * r, w * (r - score) ** 2)
    )
    known = np.where(sw > 0, sw, np.nan)
    spread = np.maximum(we2 - sw * np.nan_to_num((wl - ws) / known) ** 2, 0.0)
    return ReliabilityBins(n, sw, sw2, ws / known, wl / known, spread)


def binary_of(rows: Rows) -> list[Estimate]:
    p, y = rows.score, rows.label
    moments = moments_of(rows, {
        "scored": np.ones(1), "score": p, "labelled": np.ones(1), "label": y,
        "log_loss": -np.log(np.where(y == 1, p, 1 - p)), "brier_score": (p - y) ** 2, "residual": y - p,
    })  # fmt: skip
    histogram = scores_of(rows, p, y == 1)
    found = binary.binary_estimates(
        binary.BinaryAggregates(moments, cells_of(rows, binary.CLASSES), histogram, reliability_of(rows, p, y == 1)),
        confidence=CONFIDENCE, costs=COSTS, decides=True,
    )  # fmt: skip
    return [_with_units(one, rows, p, y) for one in found]


def multiclass_of(rows: Rows) -> list[Estimate]:
    p, y = rows.score, rows.label
    k = p.shape[1]
    names, each = tuple("ABCDEFGH"[:k]), np.arange(len(y))
    of_true, top = p[each, y], p.argmax(axis=1)
    hot = np.eye(k)[y]
    columns = {
        "scored": np.ones(1), "labelled": np.ones(1), "log_loss": -np.log(of_true),
        "brier_score": ((p - hot) ** 2).sum(axis=1), "top_2_accuracy": (p > of_true[:, None]).sum(axis=1) < 2,
        "residual": (top == y) - p.max(axis=1),
    }  # fmt: skip
    columns |= {f"score_{i}": p[:, i] for i in range(k)} | {f"label_{i}": hot[:, i] for i in range(k)}
    costs = Costs(
        matrix={a: {b: float(2 * (a == b) - i * j) for j, b in enumerate(names)} for i, a in enumerate(names)}
    )
    found = multiclass.multiclass_estimates(
        multiclass.MulticlassAggregates(
            moments_of(rows, columns), cells_of(rows, names),
            {name: scores_of(rows, p[:, i], y == i) for i, name in enumerate(names)},
            reliability_of(rows, p.max(axis=1), top == y),
        ),
        names, confidence=CONFIDENCE, costs=costs,
    )  # fmt: skip
    place = {name: i for i, name in enumerate(names)}
    filled = [
        _with_units(
            one, rows, *((p[:, place[one.class_]], y == place[one.class_]) if one.class_ else (None, y))
        )
        for one in found
    ]
    return [_macro(one, filled, rows, place) for one in filled]


def _macro(estimate: Estimate, filled: list[Estimate], rows: Rows, place: dict[str, int]) -> Estimate:
    metrics = ("roc_auc", "average_precision")
    metric = estimate.metric.removesuffix("_macro")
    if estimate.class_ is not None or metric not in metrics or estimate.value is None:
        return estimate
    moved = np.zeros(len(rows.label))
    for name, influence in macro.macro_influences(filled, metrics).items():
        of_row = np.unique(rows.score[:, place[name]], return_inverse=True)[1]
        moved += influence[metrics.index(metric), (rows.label == place[name]).astype(int), of_row]
    moved *= rows.weight
    units = None
    if rows.unit is not None:
        totals = by_group(rows.unit, np.column_stack([moved, moved != 0]))
        units = float((totals[:, 0] ** 2).sum()), int((totals[:, 1] > 0).sum())
    return macro.macro_squares(estimate, filled, float((moved**2).sum()), units)


def _with_units(estimate: Estimate, rows: Rows, score: np.ndarray | None, positive: np.ndarray) -> Estimate:
    if rows.unit is None or estimate.influence is None or estimate.value is None:
        return estimate
    if estimate.place == "cells":
        moved = estimate.influence[rows.label, rows.decision]
    else:
        moved = estimate.influence[positive.astype(int), np.unique(score, return_inverse=True)[1]]
    totals = by_group(rows.unit, np.column_stack([rows.weight * moved, moved != 0]))
    return with_units(estimate, float((totals[:, 0] ** 2).sum()), int((totals[:, 1] > 0).sum()))


def regression_of(rows: Rows) -> list[Estimate]:
    y, p = rows.label, rows.score
    centre = Centre(float(p.mean()), float(y.mean()))
    error, label = p - y, y - centre.label
    has = y != 0
    moments = moments_of(rows, {
        "scored": np.ones(1), "prediction": p - centre.prediction, "labelled": np.ones(1), "error": error,
        "absolute_error": abs(error), "squared_error": error**2, "label": label, "squared_label": label**2,
        "has_percentage": has, "percentage_error": np.where(has, abs(error) / np.where(has, abs(y), 1.0), 0.0),
    })  # fmt: skip
    e, w = abs(error), rows.weight
    order = np.argsort(e, kind="stable")
    ordered, below = e[order], np.cumsum(w[order]) / w.sum()
    median = (ordered[below >= 0.5 - 1e-9][0] + ordered[below > 0.5 + 1e-9][0]) / 2
    share = moments_of(rows, {"labelled": np.ones(1), "above": (e > median) + 0.5 * (e == median)})
    above = regression.above_median(share)
    reach = regression.median_reach(above, CONFIDENCE)
    low = ordered[below - w[order] / w.sum() <= 0.5 - reach]
    high = ordered[below >= 0.5 + reach]
    limits = MedianError(
        float(median),
        float(low[-1] if len(low) else ordered[0]),
        float(high[0] if len(high) else ordered[-1]),
    )
    found = regression.regression_estimates(regression.RegressionAggregates(moments, centre, limits, above))
    return [replace(one, influence=None) for one in found]
