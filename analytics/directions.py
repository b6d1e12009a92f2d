"""Which way is better: for every metric of the contract, whether more or less of it is good news.

Stands beside `analytics.results` because quality, segments and the pages all need it.
"""

from __future__ import annotations

from typing import Literal

Direction = Literal["higher", "lower", "zero", "none"]

_HIGHER = (
    "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "specificity",
    "f1", "matthews_corrcoef", "precision_macro", "recall_macro", "f1_macro", "roc_auc_macro",
    "top_2_accuracy", "r2", "label_coverage",
    # what a decision earns is positive in the project file, so the sum of earnings and costs should be high
    "cost",
)  # fmt: skip
_LOWER = (
    "log_loss", "brier_score", "expected_calibration_error", "mean_absolute_error", "root_mean_squared_error",
    "mean_absolute_percentage_error", "median_absolute_error", "error_rate", "latency_p50", "latency_p95",
    "latency_p99", "label_delay_p50", "mean_squared_error", "mean_latency",
)  # fmt: skip
_ZERO = ("mean_error",)
_NONE = ("prevalence", "mean_score", "decision_rate", "mean_label", "mean_prediction", "request_rate")

DIRECTIONS: dict[str, Direction] = {
    **dict.fromkeys(_HIGHER, "higher"),
    **dict.fromkeys(_LOWER, "lower"),
    **dict.fromkeys(_ZERO, "zero"),
    **dict.fromkeys(_NONE, "none"),
}


def direction(metric: str) -> Direction:
    """Which way is better for a metric: higher, lower, nearer to zero, or none where neither is.

    >>> direction("roc_auc"), direction("log_loss"), direction("mean_error"), direction("prevalence")
    ('higher', 'lower', 'zero', 'none')

    Raises:
        KeyError: the metric is not in the contract.
    """
    return DIRECTIONS[metric]


def worse_by(metric: str, value: float, baseline: float) -> float | None:
    """How much worse a value is than a baseline, in the metric's unit; negative is better, None is neither.

    >>> worse_by("accuracy", 0.75, 1.0), worse_by("log_loss", 0.75, 0.5), worse_by("mean_error", -3.0, 1.0)
    (0.25, 0.25, 2.0)
    """
    match direction(metric):
        case "higher":
            return baseline - value
        case "lower":
            return value - baseline
        case "zero":
            return abs(value) - abs(baseline)
        case "none":
            return None
