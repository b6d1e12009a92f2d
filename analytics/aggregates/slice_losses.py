"""Metrics that are means of one number a row, and that number in SQL: what slices can be searched by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analytics.aggregates.model_rows import LABELLED, model_columns
from analytics.engines.text import literal
from analytics.project import ModelMetric
from analytics.telemetry.catalog import Catalog

Family = Literal["share", "positive", "mean"]


@dataclass(frozen=True)
class Loss:
    """A metric that is the mean of one number a row.

    Attributes:
        metric: its word.
        condition: SQL over scoped rows: which rows have the number.
        value: SQL over scoped rows: the number, in the metric's own unit.
        family: which interval belongs to its mean.
        sign: 1 where more is worse, -1 where less is.
        total: what the numbers add up to in the bad direction, as ``most - number`` (None where that means nothing).
    """

    metric: str
    condition: str
    value: str
    family: Family
    sign: int = 1
    total: float | None = 0.0


_MODEL: dict[str, tuple[ModelMetric, Family, int, float | None]] = {
    "log_loss": ("log_loss", "positive", 1, 0.0),
    "brier_score": ("brier_score", "positive", 1, 0.0),
    "accuracy": ("accuracy", "share", -1, 1.0),
    "mean_absolute_error": ("absolute_error", "positive", 1, 0.0),
    "mean_squared_error": ("squared_error", "positive", 1, 0.0),
    "error_rate": ("error_rate", "share", 1, 0.0),
    "mean_latency": ("latency", "positive", 1, 0.0),
}
"""Word -> what is measured, family, sign, and what a row has at best."""


def row_losses(catalog: Catalog) -> tuple[str, ...]:
    """The metrics that slices of this project can be searched by; the loss of its task first."""
    section = catalog.predictions
    labelled = catalog.has_labels
    decides = section.decision is not None or section.threshold is not None or section.task == "multiclass"
    known = {
        "log_loss": labelled and section.task != "regression",
        "mean_absolute_error": labelled and section.task == "regression",
        "brier_score": labelled and section.task != "regression",
        "mean_squared_error": labelled and section.task == "regression",
        "accuracy": labelled and section.task != "regression" and decides,
        "cost": labelled and section.task == "binary" and decides and catalog.project.costs is not None,
        "error_rate": section.status is not None and bool(section.ok_status),
        "mean_latency": section.latency is not None,
    }
    return tuple(name for name, there in known.items() if there)


def row_loss(catalog: Catalog, metric: str) -> Loss:
    """One of `row_losses`."""
    if metric == "cost":
        return _cost(catalog)
    model, family, sign, best = _MODEL[metric]
    columns = model_columns(catalog, metric, model)
    return Loss(metric, f"({columns['denominator']}) IS NOT NULL", columns["numerator"], family, sign, best)


def _cost(catalog: Catalog) -> Loss:
    """What a decision earned: less is worse."""
    costs = catalog.project.costs
    if costs is None:
        raise ValueError("a project without [costs] has no cost")
    cases = " ".join(
        f"WHEN label = {label} AND decision = {decision} THEN {literal(float(earned))}"
        for label, decision, earned in (
            (1, 1, costs.true_positive),
            (0, 1, costs.false_positive),
            (1, 0, costs.false_negative),
            (0, 0, costs.true_negative),
        )
    )
    condition = f"({LABELLED} AND decision IS NOT NULL)"
    return Loss("cost", condition, f"CASE {cases} END", "mean", sign=-1, total=None)
