"""Every quality metric of a binary model, from the aggregates of one cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cells import DecisionCells
from analytics.aggregates.moments import RowMoments, Statistic
from analytics.aggregates.reliability import ReliabilityBins
from analytics.aggregates.scores import ScoreHistogram
from analytics.measures.estimate import (
    LEAST_OF_A_CLASS,
    LEAST_ROWS,
    Estimate,
    Family,
    among_class,
    missing,
    of_cells,
    ratio,
    smallest_class,
)
from analytics.measures.ranking import ranking_estimates
from analytics.project import Costs
from analytics.results import Status
from analytics.stats import classification
from analytics.stats.calibration import CalibrationError, calibration_error
from analytics.stats.classification import Linearised, Undefined

Floats = NDArray[np.float64]
CLASSES = ("0", "1")
EPSILON = "2.220446049250313e-16"
_LABELLED = "scored AND label IS NOT NULL"
_CLIPPED = f"least(greatest(score, {EPSILON}), 1e0 - {EPSILON})"

STATISTICS = (
    Statistic("scored", "CASE WHEN scored THEN 1e0 ELSE 0e0 END", share=True),
    Statistic("score", "CASE WHEN scored THEN score ELSE 0e0 END", within="scored"),
    Statistic("labelled", f"CASE WHEN {_LABELLED} THEN 1e0 ELSE 0e0 END", share=True),
    Statistic(
        "label",
        f"CASE WHEN {_LABELLED} THEN CAST(label AS DOUBLE) ELSE 0e0 END",
        share=True,
        within="labelled",
    ),
    Statistic(
        "log_loss",
        f"CASE WHEN {_LABELLED} THEN CASE WHEN label = 1 THEN -ln({_CLIPPED}) "
        f"ELSE -ln(1e0 - {_CLIPPED}) END ELSE 0e0 END",
        within="labelled",
    ),
    Statistic(
        "brier_score",
        f"CASE WHEN {_LABELLED} THEN (score - label) * (score - label) ELSE 0e0 END",
        within="labelled",
    ),
    Statistic(
        "residual",
        f"CASE WHEN {_LABELLED} THEN label - score ELSE 0e0 END",
        within="labelled",
        square="brier_score",
    ),
)
TOGETHER = (
    ("scored", "score"),
    ("labelled", "label"),
    ("labelled", "log_loss"),
    ("labelled", "brier_score"),
    ("labelled", "residual"),
)
METRICS = (
    "roc_auc", "average_precision", "log_loss", "brier_score", "expected_calibration_error", "accuracy",
    "balanced_accuracy", "precision", "recall", "specificity", "f1", "matthews_corrcoef", "prevalence", "mean_score",
    "decision_rate", "cost",
)  # fmt: skip
_DECIDED: dict[str, tuple[Callable[[float, float, float, float], Linearised | Undefined], Family, bool]] = {
    "accuracy": (classification.accuracy, "share", False),
    "balanced_accuracy": (classification.balanced_accuracy, "share", True),
    "precision": (classification.precision, "share", False),
    "recall": (classification.recall, "share", False),
    "specificity": (classification.specificity, "share", False),
    "f1": (classification.f1, "share", False),
    "matthews_corrcoef": (classification.matthews_corrcoef, "signed_share", True),
}


@dataclass(frozen=True)
class BinaryAggregates:
    """Everything read of one cell; what had no row is None."""

    moments: RowMoments
    cells: DecisionCells | None
    scores: ScoreHistogram | None
    reliability: ReliabilityBins | None


def binary_estimates(
    aggregates: BinaryAggregates, *, confidence: float, costs: Costs | None, decides: bool
) -> list[Estimate]:
    """All metrics of the cell in the contract's order.

    Args:
        aggregates: of the cell.
        confidence: of the calibration error's interval, which is resampled and not in closed form.
        costs: what decisions cost, where declared.
        decides: whether the project logs decisions or declares a threshold.
    """
    moments = aggregates.moments
    labelled = moments.count("labelled")
    few = few_rows(moments.n, moments.count("scored"), labelled)
    found = [
        *(_few(few, RANKING_METRICS) or ranking_estimates(aggregates.scores)),
        *(
            _few(few, ("log_loss", "brier_score"))
            or [
                ratio(name, moments, name, "labelled", family="positive")
                for name in ("log_loss", "brier_score")
            ]
        ),
        _few_one(few, "expected_calibration_error") or calibration_estimate(aggregates, confidence),
        *(_few(few, _DECIDED) or _decided(aggregates.cells, decides=decides)),
        _few_one(few, "prevalence") or ratio("prevalence", moments, "label", "labelled", family="share"),
        mean_score(moments),
        decision_rate(aggregates.cells, moments, decides=decides),
    ]
    if costs is not None:
        found.append(_few_one(few, "cost") or _cost(aggregates.cells, costs, decides=decides))
    return found


RANKING_METRICS = ("roc_auc", "average_precision")


def few_rows(n: int, scored: int, labelled: int) -> tuple[Status, str] | None:
    """Why a metric that needs labels cannot be given, or None."""
    if n == 0:
        return "no_data", "no rows in this window"
    if scored == 0:
        return "no_data", f"none of {n:,} rows has a usable score"
    if labelled == 0:
        return "no_data", f"none of {n:,} rows has a label"
    if labelled < LEAST_ROWS:
        return "too_few", f"{labelled} labelled rows; at least {LEAST_ROWS} are needed"
    return None


def mean_score(moments: RowMoments) -> Estimate:
    """The mean score over all scored rows, labelled or not."""
    scored = moments.count("scored")
    if scored == 0:
        return missing("mean_score", *(few_rows(moments.n, 0, 0) or ("no_data", "no rows")))
    if scored < LEAST_ROWS:
        return missing(
            "mean_score", "too_few", f"{scored} rows with a score; at least {LEAST_ROWS} are needed"
        )
    return ratio("mean_score", moments, "score", "scored", family="share")


def decision_rate(cells: DecisionCells | None, moments: RowMoments, *, decides: bool) -> Estimate:
    """The share of rows decided positive, labelled or not."""
    problem = _no_decisions(cells, moments, decides=decides)
    if problem is not None or cells is None:
        return missing("decision_rate", *(problem or ("no_data", "no rows")))
    weights = cells.weights.sum(axis=(0, 1))
    value = weights[1] / weights.sum()
    influence = np.tile((np.array([0.0, 1.0]) - value) / weights.sum(), (3, 1))
    everyone = np.ones(influence.shape, dtype=np.bool_)
    return of_cells("decision_rate", cells, Linearised(float(value), influence), influence, among=everyone)


def _no_decisions(
    cells: DecisionCells | None, moments: RowMoments, *, decides: bool
) -> tuple[Status, str] | None:
    if not decides:
        return "undefined", NO_DECISIONS
    decided = 0 if cells is None else int(cells.counts.sum())
    if decided == 0:
        return "no_data", f"none of {moments.n:,} rows has a decision"
    if decided < LEAST_ROWS:
        return "too_few", f"{decided} rows with a decision; at least {LEAST_ROWS} are needed"
    return None


NO_DECISIONS = "no decision is logged and no threshold declared ([predictions] decision or threshold)"


def _decided(cells: DecisionCells | None, *, decides: bool) -> list[Estimate]:
    if not decides:
        return [missing(name, "undefined", NO_DECISIONS) for name in _DECIDED]
    rows = 0 if cells is None else int(cells.counts[:, :-1].sum())
    if cells is None or rows < LEAST_ROWS:
        status: Status = "too_few" if rows else "no_data"
        reason = f"{rows} rows with a label and a decision; at least {LEAST_ROWS} are needed"
        return [missing(name, status, reason) for name in _DECIDED]
    table = cells.labelled
    tn, fp, fn, tp = table[0, 0], table[0, 1], table[1, 0], table[1, 1]
    of_class = cells.counts[:, :-1].sum(axis=(0, 2)).astype(int)
    found = []
    for name, (measure, family, both) in _DECIDED.items():
        if both and 0 < of_class.min() < LEAST_OF_A_CLASS:
            reason = (
                f"{of_class[1]} positive and {of_class[0]} negative labels; "
                f"at least {LEAST_OF_A_CLASS} of each are needed"
            )
            found.append(missing(name, "too_few", reason))
            continue
        result = measure(tp, fp, fn, tn)
        influence = _spread(result.influence) if isinstance(result, Linearised) else None
        # one wrong row of the smaller class moves a mean over two classes by half its share
        size = smallest_class(cells) * (2.0 if name == "balanced_accuracy" else 1.0) if both else None
        among = among_class(2, 1, name)
        found.append(of_cells(name, cells, result, influence, among=among, size=size, family=family))
    return found


def _spread(influence: Floats) -> Floats:
    """Influences in the order tp, fp, fn, tn as a (true, decided) table with a row of 0 for rows without a label."""
    tp, fp, fn, tn = influence
    return np.array([[tn, fp], [fn, tp], [0.0, 0.0]])


def _cost(cells: DecisionCells | None, costs: Costs, *, decides: bool) -> Estimate:
    if not decides:
        return missing("cost", "undefined", NO_DECISIONS)
    if cells is None or cells.counts[:, :-1].sum() < LEAST_ROWS:
        return missing("cost", "too_few", f"fewer than {LEAST_ROWS} rows with a label and a decision")
    earned = np.array(
        [
            [costs.true_negative, costs.false_positive],
            [costs.false_negative, costs.true_positive],
            [0.0, 0.0],
        ]
    )
    return cost_estimate(cells, earned)


def cost_estimate(cells: DecisionCells, earned: Floats) -> Estimate:
    """Mean earnings a decided and labelled row, from a table of earnings of shape (K + 1, K)."""
    table = cells.labelled
    value = float((table * earned[:-1]).sum() / table.sum())
    influence = (earned - value) / table.sum()
    influence[-1] = 0.0
    return of_cells("cost", cells, Linearised(value, influence), influence, family="mean")


def calibration_estimate(aggregates: BinaryAggregates, confidence: float) -> Estimate:
    """Expected calibration error with its interval, noise floor and debiased value."""
    bins = aggregates.reliability
    if bins is None:
        return missing("expected_calibration_error", "no_data", "no labelled rows")
    residual = ratio("residual", aggregates.moments, "residual", "labelled")
    return reliability_estimate(bins, residual, confidence)


def reliability_estimate(bins: ReliabilityBins, residual: Estimate, confidence: float) -> Estimate:
    """The calibration error of reliability bins.

    Rows that belong together are worth fewer independent ones: by the factor by which days or units inflate
    the variance of the mean residual (label minus score). That is right where a day's rows share a bin; where a unit's
    rows spread over all bins, each bin's are nearly independent. So the interval holds those of both readings.
    """
    variance, _, independence = residual.chosen()
    design_effect = variance / residual.row_variance if residual.row_variance > 0 else 1.0
    error = reliability_error(bins, design_effect, confidence)
    by_rows = reliability_error(bins, 1.0, confidence) if design_effect > 1.0 else error
    return Estimate(
        "expected_calibration_error",
        error.value,
        family="given",
        limits=(min(error.low, by_rows.low), max(error.high, by_rows.high)),
        limits_take=independence,
        noise_floor=error.noise_floor,
        debiased=error.debiased,
    )


def reliability_error(bins: ReliabilityBins, design_effect: float, confidence: float) -> CalibrationError:
    """The calibration error of reliability bins whose rows are worth fewer independent ones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kish = np.where(bins.w2 > 0, bins.w**2 / bins.w2, 0.0)
        spread = np.where(kish > 1, bins.m2_error / bins.w * kish / (kish - 1.0), 0.0)
    return calibration_error(
        kish / max(design_effect, 1.0),
        np.nan_to_num(bins.mean_score),
        np.nan_to_num(bins.mean_label),
        confidence,
        share=bins.w / bins.w.sum(),
        residual_variance=spread,
    )


def _few(few: tuple[Status, str] | None, metrics: object) -> list[Estimate] | None:
    return None if few is None else [missing(str(name), *few) for name in metrics]  # type: ignore[attr-defined]


def _few_one(few: tuple[Status, str] | None, metric: str) -> Estimate | None:
    return None if few is None else missing(metric, *few)
