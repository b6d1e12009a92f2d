"""Metrics that are sums over rows: what each row counts (d) and what it adds (u), so that the metric is sum u / sum d.

Means of losses and shares are so directly. Three more are, by the whole window that a row belongs to:

- AUC: a row's value is its placement, the share of the other class's weight that it is ranked rightly against (ties
  half); rows count so that both classes count the same. The sum is the AUC exactly.
- balanced accuracy: right or wrong, both classes count the same.
- expected calibration error: score less label, with the sign that this difference has in the row's bin of ten.

F1 counts a true positive twice and each error once. The root of the mean squared error is explained by its square,
scaled so that the parts add up to the change of the root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from analytics.aggregates.model_rows import LABELLED, model_columns
from analytics.engines.text import literal
from analytics.project import Costs
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column


@dataclass(frozen=True)
class RowMeasure:
    """One metric of a row.

    Attributes:
        metric: the word.
        counted: SQL over scoped rows: whether the row takes part.
        d: SQL: what it counts, without its weight; may look at all rows of its window (a window function).
        u: SQL: what it adds, likewise.
        needs_label: whether only labelled rows take part.
        ranks: whether d and u depend on other rows, so that a row's influence is twice what it adds itself.
        root: whether the metric is the root of sum u / sum d.
        share: whether it lies between 0 and 1.
        unit_d: whether d is 1 in every row that takes part.
        among: SQL: the rows whose inputs are compared, where only some of them take part by what was decided or
            came true; empty where these are the same.
    """

    metric: str
    counted: str
    d: str
    u: str
    needs_label: bool = True
    ranks: bool = False
    root: bool = False
    share: bool = False
    unit_d: bool = True
    among: str = ""

    def over_inputs(self) -> RowMeasure:
        """The same metric over all rows that might have taken part; the others count and add nothing.

        Rows of one class, or of one decision, are chosen by an outcome: their inputs differ as soon as the outcome at
        the same inputs does, and that is no change of the inputs.
        """
        if not self.among:
            return self
        d, u = (f"CASE WHEN {self.counted} THEN {one} ELSE 0e0 END" for one in (self.d, self.u))
        return replace(self, counted=self.among, d=d, u=u, unit_d=False, among="")


_DECIDED = f"{LABELLED} AND decision IS NOT NULL"
_RIGHT = "CASE WHEN CAST(label AS VARCHAR) = CAST(decision AS VARCHAR) THEN 1e0 ELSE 0e0 END"
_SUM = "sum(weight * ({what})) OVER ({over})"
_OWN_MODEL = {
    "log_loss": "log_loss", "brier_score": "brier_score", "accuracy": "accuracy",
    "mean_absolute_error": "absolute_error", "mean_squared_error": "squared_error",
    "root_mean_squared_error": "squared_error", "error_rate": "error_rate", "mean_latency": "latency",
}  # fmt: skip
_NO_LABEL = {"error_rate", "mean_latency"}

SERVICE = ("error_rate", "mean_latency")
BINARY = (
    "log_loss", "brier_score", "roc_auc", "expected_calibration_error", "accuracy", "balanced_accuracy", "precision",
    "recall", "specificity", "f1", "cost", "mean_error", "prevalence", "mean_score", "decision_rate",
)  # fmt: skip
MULTICLASS = ("log_loss", "brier_score", "accuracy", "cost", "mean_top_score")
REGRESSION = (
    "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "mean_error",
    "mean_absolute_percentage_error", "mean_label", "mean_prediction",
)  # fmt: skip
LABELS = ("label_coverage",)
_OF_DECISIONS = {
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "cost", "decision_rate",
}  # fmt: skip


def explainable(catalog: Catalog) -> tuple[str, ...]:
    """The metrics of this project that fall into parts."""
    section = catalog.predictions
    own = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}[section.task]
    decides = section.decision is not None or section.threshold is not None or section.task == "multiclass"
    costs = catalog.project.costs
    priced = costs is not None and (section.task == "binary" or bool(costs.matrix))

    def there(name: str) -> bool:
        if name in _OF_DECISIONS and not decides:
            return False
        if name == "cost":
            return priced
        return catalog.has_labels or name in {
            "mean_score",
            "decision_rate",
            "mean_top_score",
            "mean_prediction",
        }

    service = ("error_rate",) * bool(section.ok_status) + ("mean_latency",) * (section.latency is not None)
    return (*(name for name in own if there(name)), *service, *(LABELS if catalog.has_labels else ()))


def needs_label(catalog: Catalog, metric: str) -> bool:
    """Whether a metric is about labelled rows only."""
    return metric in explainable(catalog) and row_measure(catalog, metric).needs_label


def row_measure(catalog: Catalog, metric: str) -> RowMeasure:
    """What a row counts and adds.

    Args:
        catalog: the project's views.
        metric: one of `explainable`.
    """
    if metric in _OWN_MODEL:
        columns = model_columns(catalog, metric, _OWN_MODEL[metric])  # type: ignore[arg-type]
        return RowMeasure(
            metric, f"({columns['denominator']}) IS NOT NULL", columns["denominator"], columns["numerator"],
            needs_label=metric not in _NO_LABEL, root=metric == "root_mean_squared_error",
            share=metric in {"accuracy", "error_rate"},
        )  # fmt: skip
    return _OTHERS[metric](catalog)


def _auc(_: Catalog) -> RowMeasure:
    positive = "CASE WHEN label = 1 THEN 1e0 ELSE 0e0 END"
    negative = "CASE WHEN label = 1 THEN 0e0 ELSE 1e0 END"

    def total(what: str, over: str) -> str:
        return _SUM.format(what=what, over=over)

    upto = "ORDER BY score RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    lower = (
        f"({total(negative, upto)} - {total(negative, 'PARTITION BY score')} / 2e0) / "
        f"nullif({total(negative, '')}, 0e0)"
    )
    higher = (
        f"({total(positive, '')} - {total(positive, upto)} + {total(positive, 'PARTITION BY score')} / 2e0) / "
        f"nullif({total(positive, '')}, 0e0)"
    )
    d = f"1e0 / (2e0 * {total('1e0', 'PARTITION BY label')})"
    u = f"({d}) * CASE WHEN label = 1 THEN {lower} ELSE {higher} END"
    return RowMeasure("roc_auc", LABELLED, d, u, ranks=True, share=True, unit_d=False)


def _balanced(_: Catalog) -> RowMeasure:
    d = f"1e0 / (2e0 * {_SUM.format(what='1e0', over='PARTITION BY label')})"
    return RowMeasure("balanced_accuracy", _DECIDED, d, f"({d}) * {_RIGHT}", share=True, unit_d=False)


def _calibration(_: Catalog) -> RowMeasure:
    gap = _SUM.format(what="score - label", over="PARTITION BY least(floor(score * 10e0), 9e0)")
    return RowMeasure(
        "expected_calibration_error", LABELLED, "1e0", f"sign({gap}) * (score - label)", ranks=False
    )


def _f1(_: Catalog) -> RowMeasure:
    counted = f"{_DECIDED} AND (label = 1 OR decision = 1)"
    both = "CASE WHEN label = 1 AND decision = 1 THEN 2e0 ELSE {} END"
    return RowMeasure(
        "f1", counted, both.format("1e0"), both.format("0e0"), share=True, unit_d=False, among=_DECIDED
    )


def _among(metric: str, condition: str, right: str) -> Callable[[Catalog], RowMeasure]:
    def measure(_: Catalog) -> RowMeasure:
        return RowMeasure(
            metric,
            f"{_DECIDED} AND {condition}",
            "1e0",
            f"CASE WHEN {right} THEN 1e0 ELSE 0e0 END",
            share=True,
            among=_DECIDED,
        )

    return measure


def _cost(catalog: Catalog) -> RowMeasure:
    costs = catalog.project.costs or Costs()
    return RowMeasure("cost", _DECIDED, "1e0", f"({_earned(costs, catalog.predictions.classes)})")


def _earned(costs: Costs, classes: tuple[str, ...]) -> str:
    if not classes:
        cases = {
            (1, 1): costs.true_positive, (0, 1): costs.false_positive,
            (1, 0): costs.false_negative, (0, 0): costs.true_negative,
        }  # fmt: skip
        told = " ".join(
            f"WHEN label = {label} AND decision = {decision} THEN {literal(float(value))}"
            for (label, decision), value in cases.items()
        )
        return f"CASE {told} ELSE 0e0 END"
    told = " ".join(
        f"WHEN label = {literal(true)} AND decision = {literal(decided)} THEN {literal(float(value))}"
        for true, row in (costs.matrix or {}).items()
        for decided, value in row.items()
    )
    return f"CASE {told} ELSE 0e0 END" if told else "0e0"


def _mean(
    metric: str, counted: str, value: str, *, needs_label: bool = True, share: bool = False
) -> Callable[[Catalog], RowMeasure]:
    def measure(_: Catalog) -> RowMeasure:
        return RowMeasure(metric, counted, "1e0", value, needs_label=needs_label, share=share)

    return measure


def _decision_rate(_: Catalog) -> RowMeasure:
    return RowMeasure(
        "decision_rate", "decision IS NOT NULL AND scored", "1e0", "CASE WHEN decision = 1 THEN 1e0 ELSE 0e0 END",
        needs_label=False, share=True,
    )  # fmt: skip


def _mean_error(_: Catalog) -> RowMeasure:
    return RowMeasure("mean_error", LABELLED, "1e0", "(score - label)")


def _top_score(catalog: Catalog) -> RowMeasure:
    scores = ", ".join(score_column(name) for name in catalog.predictions.classes)
    return RowMeasure("mean_top_score", "scored", "1e0", f"greatest({scores})", needs_label=False, share=True)


_OTHERS: dict[str, Callable[[Catalog], RowMeasure]] = {
    "roc_auc": _auc,
    "balanced_accuracy": _balanced,
    "expected_calibration_error": _calibration,
    "f1": _f1,
    "precision": _among("precision", "decision = 1", "label = 1"),
    "recall": _among("recall", "label = 1", "decision = 1"),
    "specificity": _among("specificity", "label = 0", "decision = 0"),
    "cost": _cost,
    "mean_error": _mean_error,
    "prevalence": _mean("prevalence", LABELLED, "CAST(label AS DOUBLE)", share=True),
    "mean_score": _mean("mean_score", "scored", "score", needs_label=False, share=True),
    "decision_rate": _decision_rate,
    "mean_top_score": _top_score,
    "mean_absolute_percentage_error": _mean(
        "mean_absolute_percentage_error", f"{LABELLED} AND label <> 0e0", "abs(score - label) / abs(label)"
    ),
    "mean_label": _mean("mean_label", LABELLED, "label"),
    "mean_prediction": _mean("mean_prediction", "scored", "score", needs_label=False),
    "label_coverage": _mean(
        "label_coverage",
        "scored",
        "CASE WHEN label IS NULL THEN 0e0 ELSE 1e0 END",
        needs_label=False,
        share=True,
    ),
}
