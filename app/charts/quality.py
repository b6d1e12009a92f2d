"""Every figure of quality under one name."""

from app.charts.calibration import reliability_alt, reliability_diagram
from app.charts.confusion import MOST_CLASSES, confusion_alt, confusion_matrix, top_confused_pairs
from app.charts.curves import precision_recall_alt, precision_recall_curve, roc_alt, roc_curve
from app.charts.metric import metric_over_time, metric_over_time_alt
from app.charts.regression import (
    predicted_against_true,
    predicted_against_true_alt,
    residuals,
    residuals_alt,
)
from app.charts.scores import score_alt, score_histogram

__all__ = [
    "MOST_CLASSES",
    "confusion_alt",
    "confusion_matrix",
    "metric_over_time",
    "metric_over_time_alt",
    "precision_recall_alt",
    "precision_recall_curve",
    "predicted_against_true",
    "predicted_against_true_alt",
    "reliability_alt",
    "reliability_diagram",
    "residuals",
    "residuals_alt",
    "roc_alt",
    "roc_curve",
    "score_alt",
    "score_histogram",
    "top_confused_pairs",
]
