"""Every quality metric of a multiclass model, from the aggregates of one cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cells import DecisionCells
from analytics.aggregates.moments import RowMoments, Statistic
from analytics.aggregates.reliability import ReliabilityBins
from analytics.aggregates.scores import ScoreHistogram
from analytics.engines.text import literal
from analytics.measures.binary import EPSILON, cost_estimate, few_rows, reliability_estimate
from analytics.measures.estimate import (
    LEAST_ROWS,
    Estimate,
    Family,
    among_class,
    missing,
    of_cells,
    ratio,
    smallest_class,
)
from analytics.measures.macro import macro_farther, macro_mean
from analytics.measures.ranking import ranking_estimates
from analytics.project import Costs
from analytics.stats import classification
from analytics.stats.classification import Linearised, Measure
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
METRICS = (
    "roc_auc", "roc_auc_macro", "average_precision", "log_loss", "brier_score", "expected_calibration_error",
    "accuracy", "balanced_accuracy", "precision", "precision_macro", "recall", "recall_macro", "f1", "f1_macro",
    "matthews_corrcoef", "top_2_accuracy", "cost",
)  # fmt: skip
PER_CLASS = (
    "roc_auc", "average_precision", "precision", "recall", "specificity", "f1", "prevalence", "mean_score",
    "decision_rate",
)  # fmt: skip
_LABELLED = "scored AND label IS NOT NULL"


@dataclass(frozen=True)
class MulticlassAggregates:
    """Everything read of one cell; what had no row is None.

    Attributes:
        scores: class -> histogram of that class's score, one against the rest.
        reliability: of the largest score against being right.
    """

    moments: RowMoments
    cells: DecisionCells | None
    scores: dict[str, ScoreHistogram]
    reliability: ReliabilityBins | None


def statistics(classes: Sequence[str]) -> tuple[Statistic, ...]:
    """What is summed over rows."""
    true_score = _by_label(classes)
    # of equal scores scikit-learn ranks the class declared last first
    beaten = " + ".join(
        f"CASE WHEN {score_column(name)} > {true_score}{_tied(name, classes[:i], true_score)} THEN 1 ELSE 0 END"
        for i, name in enumerate(classes)
    )
    squares = " + ".join(
        f"power({score_column(name)} - CASE WHEN label = {literal(name)} THEN 1e0 ELSE 0e0 END, 2)"
        for name in classes
    )
    parts = [
        ("scored", "scored", "1e0"),
        ("labelled", _LABELLED, "1e0"),
        ("log_loss", _LABELLED, f"-ln(least(greatest({true_score}, {EPSILON}), 1e0 - {EPSILON}))"),
        ("brier_score", _LABELLED, squares),
        ("top_2_accuracy", f"{_LABELLED} AND {beaten} < 2", "1e0"),
        (
            "residual",
            _LABELLED,
            f"CASE WHEN {top_class(classes)} = label THEN 1e0 ELSE 0e0 END - {top_score(classes)}",
        ),
    ]
    for i, name in enumerate(classes):
        parts.append((f"score_{i}", "scored", score_column(name)))
        parts.append((f"label_{i}", f"{_LABELLED} AND label = {literal(name)}", "1e0"))
    return tuple(Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END") for name, when, then in parts)


def together(classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Which of the statistics one metric depends on."""
    losses = ("log_loss", "brier_score", "top_2_accuracy", "residual")
    return (
        *(("labelled", name) for name in losses),
        *(("scored", f"score_{i}") for i in range(len(classes))),
        *(("labelled", f"label_{i}") for i in range(len(classes))),
    )


def class_residuals(classes: Sequence[str]) -> tuple[Statistic, ...]:
    """Label minus score of each class against the rest: how far its calibration varies."""
    labelled = Statistic("labelled", f"CASE WHEN {_LABELLED} THEN 1e0 ELSE 0e0 END", share=True)
    return labelled, *(
        Statistic(
            f"residual_{i}",
            f"CASE WHEN {_LABELLED} THEN CASE WHEN label = {literal(name)} THEN 1e0 ELSE 0e0 END "
            f"- {score_column(name)} ELSE 0e0 END",
            within="labelled",
        )
        for i, name in enumerate(classes)
    )


def residuals_together(classes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Which of `class_residuals` one number depends on."""
    return tuple(("labelled", f"residual_{i}") for i in range(len(classes)))


def top_score(classes: Sequence[str]) -> str:
    """SQL of the largest score."""
    return f"greatest({', '.join(score_column(name) for name in classes)})"


def top_class(classes: Sequence[str]) -> str:
    """SQL of the class with the largest score; the first of equal ones."""
    cases = " ".join(
        f"WHEN {score_column(name)} = {top_score(classes)} THEN {literal(name)}" for name in classes
    )
    return f"CASE {cases} END"


def multiclass_estimates(
    aggregates: MulticlassAggregates, classes: Sequence[str], *, confidence: float, costs: Costs | None
) -> list[Estimate]:
    """All metrics of the cell, first over all classes, then each class against the rest.

    Args:
        aggregates: of the cell.
        classes: the declared classes in order.
        confidence: of the calibration error's interval.
        costs: what decisions cost, where declared as a matrix.
    """
    moments = aggregates.moments
    few = few_rows(moments.n, moments.count("scored"), moments.count("labelled"))
    per_class = _per_class(aggregates, classes)
    if few is not None:
        metrics = METRICS if costs is not None and costs.matrix else METRICS[:-1]
        return [*(missing(name, *few) for name in metrics), *per_class]
    found = [
        macro_mean("roc_auc", per_class),
        macro_mean("average_precision", per_class),
        *(ratio(name, moments, name, "labelled", family="positive") for name in ("log_loss", "brier_score")),
        _calibration(aggregates, confidence),
        *(_reaching(one, per_class, confidence) for one in _decided(aggregates.cells)),
        ratio("top_2_accuracy", moments, "top_2_accuracy", "labelled", family="share"),
    ]
    found += [
        replace(estimate, metric=f"{estimate.metric}_macro") for estimate in found if estimate.metric in _BOTH
    ]
    if costs is not None and costs.matrix:
        found.append(_cost(aggregates.cells, classes, costs.matrix))
    order = {name: i for i, name in enumerate(METRICS)}
    return [*sorted(found, key=lambda estimate: order[estimate.metric]), *per_class]


_OF_CLASSES = {"precision": "precision", "recall": "recall", "balanced_accuracy": "recall", "f1": "f1"}


def _reaching(estimate: Estimate, per_class: list[Estimate], confidence: float) -> Estimate:
    metric = _OF_CLASSES.get(estimate.metric)
    return estimate if metric is None else macro_farther(estimate, per_class, metric, confidence)


_BOTH = {"roc_auc", "precision", "recall", "f1"}


def _by_label(classes: Sequence[str]) -> str:
    cases = " ".join(f"WHEN {literal(name)} THEN {score_column(name)}" for name in classes)
    return f"CASE label {cases} END"


def _tied(name: str, earlier: Sequence[str], true_score: str) -> str:
    if not earlier:
        return ""
    names = ", ".join(literal(one) for one in earlier)
    return f" OR ({score_column(name)} = {true_score} AND label IN ({names}))"


def _per_class(aggregates: MulticlassAggregates, classes: Sequence[str]) -> list[Estimate]:
    found = []
    moments, cells = aggregates.moments, aggregates.cells
    few = few_rows(moments.n, moments.count("scored"), moments.count("labelled"))
    for i, name in enumerate(classes):
        found += (
            [missing(metric, *few, name) for metric in ("roc_auc", "average_precision")]
            if few
            else ranking_estimates(aggregates.scores.get(name), name)
        )
        found += _decided_class(cells, i, name)
        found.append(
            missing("prevalence", *few, name)
            if few
            else ratio("prevalence", moments, f"label_{i}", "labelled", family="share", class_=name)
        )
        found.append(
            ratio("mean_score", moments, f"score_{i}", "scored", family="share", class_=name)
            if moments.count("scored") >= LEAST_ROWS
            else missing("mean_score", *(few or ("too_few", "too few rows with scores")), name)
        )
        found.append(_decision_rate(cells, i, name))
    return found


def _decided_class(cells: DecisionCells | None, k: int, name: str) -> list[Estimate]:
    measures = {
        "precision": classification.precision_of,
        "recall": classification.recall_of,
        "f1": classification.f1_of,
    }
    rows = 0 if cells is None else int(cells.counts[:, :-1].sum())
    if cells is None or rows < LEAST_ROWS:
        reason = f"{rows} rows with a label and a decision; at least {LEAST_ROWS} are needed"
        return [
            missing(metric, "too_few" if rows else "no_data", reason, name)
            for metric in (*measures, "specificity")
        ]
    table = cells.labelled
    found = []
    for metric, measure in measures.items():
        result = measure(table, k)
        influence = _padded(result.influence) if isinstance(result, Linearised) else None
        among = among_class(len(table), k, metric)
        found.append(of_cells(metric, cells, result, influence, among=among, class_=name))
    tp, fp, fn, tn = classification.one_vs_rest(table, k)
    result = classification.specificity(tp, fp, fn, tn)
    influence = None
    if isinstance(result, Linearised):
        influence = np.zeros((len(table) + 1, len(table)))
        negative = np.arange(len(table)) != k
        influence[:-1][np.ix_(negative, negative)] = result.influence[3]
        influence[:-1][negative, k] = result.influence[1]
    among = among_class(len(table), k, "specificity")
    return [*found, of_cells("specificity", cells, result, influence, among=among, class_=name)]


def _padded(influence: Floats) -> Floats:
    return np.vstack([influence, np.zeros((1, influence.shape[1]))])


def _decision_rate(cells: DecisionCells | None, k: int, name: str) -> Estimate:
    rows = 0 if cells is None else int(cells.counts.sum())
    if cells is None or rows < LEAST_ROWS:
        reason = f"{rows} rows with a decision; at least {LEAST_ROWS} are needed"
        return missing("decision_rate", "too_few" if rows else "no_data", reason, name)
    weights = cells.weights.sum(axis=(0, 1))
    value = weights[k] / weights.sum()
    influence = np.tile(((np.arange(len(weights)) == k) - value) / weights.sum(), (len(weights) + 1, 1))
    everyone = np.ones(influence.shape, dtype=np.bool_)
    result = Linearised(float(value), influence)
    return of_cells("decision_rate", cells, result, influence, among=everyone, class_=name)


def _decided(cells: DecisionCells | None) -> list[Estimate]:
    measures: dict[str, tuple[Callable[[Floats], Measure], Family]] = {
        "accuracy": (classification.accuracy_of, "share"),
        "balanced_accuracy": (classification.balanced_accuracy_of, "share"),
        "precision": (classification.precision_macro_of, "share"),
        "recall": (classification.recall_macro_of, "share"),
        "f1": (classification.f1_macro_of, "share"),
        "matthews_corrcoef": (classification.matthews_corrcoef_of, "signed_share"),
    }
    rows = 0 if cells is None else int(cells.counts[:, :-1].sum())
    if cells is None or rows < LEAST_ROWS:
        reason = f"{rows} rows with a label and a decision; at least {LEAST_ROWS} are needed"
        return [missing(metric, "too_few" if rows else "no_data", reason) for metric in measures]
    found = []
    # one wrong row of the smallest class moves a mean over the present ones by its share over their number
    present = int((cells.labelled.sum(axis=1) > 0).sum())
    for metric, (measure, family) in measures.items():
        result = measure(cells.labelled)
        influence = _padded(result.influence) if isinstance(result, Linearised) else None
        size = smallest_class(cells) * (1 if family == "signed_share" else present)
        found.append(
            of_cells(
                metric, cells, result, influence, size=None if metric == "accuracy" else size, family=family
            )
        )
    return found


def _calibration(aggregates: MulticlassAggregates, confidence: float) -> Estimate:
    if aggregates.reliability is None:
        return missing("expected_calibration_error", "no_data", "no labelled rows")
    residual = ratio("residual", aggregates.moments, "residual", "labelled")
    return reliability_estimate(aggregates.reliability, residual, confidence)


def _cost(
    cells: DecisionCells | None, classes: Sequence[str], matrix: dict[str, dict[str, float]]
) -> Estimate:
    earned = np.zeros((len(classes) + 1, len(classes)))
    for i, true in enumerate(classes):
        for j, decided in enumerate(classes):
            earned[i, j] = matrix.get(true, {}).get(decided, 0.0)
    if cells is None or cells.counts[:, :-1].sum() < LEAST_ROWS:
        return missing("cost", "too_few", f"fewer than {LEAST_ROWS} rows with a label and a decision")
    return cost_estimate(cells, earned)
