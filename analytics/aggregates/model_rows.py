"""What the model itself did in one row of predictions, as a ratio's two columns: the numbers of `assay quality`.

A row without what a measure needs (a label, a decision, a latency) has NULL in both columns and enters neither sum.
"""

from __future__ import annotations

from analytics.engines.text import literal
from analytics.errors import ProjectError
from analytics.project import ModelMetric
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog

LABELLED = "(scored AND label IS NOT NULL)"
WAITING = "(scored AND label IS NULL)"
"""A row that can be judged once its label is there."""
OF_LABELS: frozenset[ModelMetric] = frozenset(
    {"log_loss", "brier_score", "accuracy", "absolute_error", "squared_error"}
)
_EPSILON = "2.220446049250313e-16"


def model_columns(catalog: Catalog, metric: str, model: ModelMetric) -> dict[str, str]:
    """Numerator and denominator of one row, as SQL over scoped rows.

    Raises:
        ProjectError: these predictions cannot be measured so.
    """
    refusal = _refusal(catalog, model)
    if refusal is not None:
        raise ProjectError(f"{catalog.project.file}: metrics.{metric}.model: {model} {refusal}")
    condition, value = _measured(catalog, model)
    return {
        "numerator": f"CASE WHEN {condition} THEN {value} END",
        "denominator": f"CASE WHEN {condition} THEN 1e0 END",
    }


def _refusal(catalog: Catalog, model: ModelMetric) -> str | None:
    section = catalog.predictions
    undecided = section.task == "binary" and section.decision is None and section.threshold is None
    classes = {"log_loss", "brier_score", "accuracy"}
    reasons = {
        "needs labels: declare predictions.label, or a [labels] feed": model in OF_LABELS
        and not catalog.has_labels,
        f'is for task = "regression", and this one is {section.task}; brier_score or log_loss are for it': (
            model in {"absolute_error", "squared_error"} and section.task != "regression"
        ),
        "is for classes, and this task is regression; absolute_error and squared_error are for it": (
            model in classes and section.task == "regression"
        ),
        "needs decisions: declare predictions.decision, or a threshold": model == "accuracy" and undecided,
        "needs predictions.status and ok_status, which say what a failed request is": (
            model == "error_rate" and not section.ok_status
        ),
        "needs predictions.latency, the column with the time an answer took": (
            model == "latency" and section.latency is None
        ),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def _measured(catalog: Catalog, model: ModelMetric) -> tuple[str, str]:
    """Which rows are measured, and by what."""
    section = catalog.predictions
    match model:
        case "error_rate":
            fine = ", ".join(literal(status) for status in section.ok_status)
            return "TRUE", f"CASE WHEN status IS NULL OR status IN ({fine}) THEN 0e0 ELSE 1e0 END"
        case "latency":
            return "latency IS NOT NULL", "latency"
        case "accuracy":
            same = "CAST(label AS VARCHAR) = CAST(decision AS VARCHAR)"
            return f"({LABELLED} AND decision IS NOT NULL)", f"CASE WHEN {same} THEN 1e0 ELSE 0e0 END"
        case "absolute_error":
            return LABELLED, "abs(score - label)"
        case "squared_error":
            return LABELLED, "(score - label) * (score - label)"
    return LABELLED, _loss(section.classes, model)


def _loss(classes: tuple[str, ...], model: ModelMetric) -> str:
    if not classes:
        if model == "brier_score":
            return "(score - label) * (score - label)"
        chance = "CASE WHEN label = 1 THEN {clipped} ELSE 1e0 - {clipped} END".format(
            clipped=_clipped("score")
        )
        return f"-ln({chance})"
    scores = {name: typed.score_column(name) for name in classes}
    if model == "brier_score":
        squares = (
            f"power({score} - CASE WHEN label = {literal(name)} THEN 1e0 ELSE 0e0 END, 2)"
            for name, score in scores.items()
        )
        return " + ".join(squares)
    cases = " ".join(f"WHEN {literal(name)} THEN {score}" for name, score in scores.items())
    return f"-ln({_clipped(f'(CASE label {cases} END)')})"


def _clipped(chance: str) -> str:
    return f"least(greatest({chance}, {_EPSILON}), 1e0 - {_EPSILON})"
