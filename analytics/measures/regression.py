"""Every quality metric of a regression model, from the aggregates of one cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.aggregates.moments import Centre, RowMoments, Statistic
from analytics.aggregates.ranks import MedianError
from analytics.engines.text import literal
from analytics.measures.binary import few_rows
from analytics.measures.estimate import LEAST_ROWS, Estimate, missing, of_moments, ratio
from analytics.stats.intervals import normal_quantile

METRICS = (
    "mean_absolute_error", "root_mean_squared_error", "mean_error", "mean_absolute_percentage_error", "r2",
    "median_absolute_error", "mean_label", "mean_prediction",
)  # fmt: skip
_LABELLED = "scored AND label IS NOT NULL"


@dataclass(frozen=True)
class RegressionAggregates:
    """Everything read of one cell.

    Attributes:
        centre: what was taken off predictions and labels before they were squared, so that a large mean
            costs no digits.
        median: order statistics of the absolute error; None without labelled rows.
        above: the share of rows above the median.
    """

    moments: RowMoments
    centre: Centre
    median: MedianError | None
    above: Estimate | None = None


def statistics(centre: Centre) -> tuple[Statistic, ...]:
    """What is summed over rows; labels and predictions are taken from a centre near their mean."""
    c = literal(float(centre.label))
    parts = [
        ("scored", "scored", "1e0"),
        ("prediction", "scored", f"score - {literal(float(centre.prediction))}"),
        ("labelled", _LABELLED, "1e0"),
        ("error", _LABELLED, "score - label"),
        ("absolute_error", _LABELLED, "abs(score - label)"),
        ("squared_error", _LABELLED, "(score - label) * (score - label)"),
        ("label", _LABELLED, f"label - {c}"),
        ("squared_label", _LABELLED, f"(label - {c}) * (label - {c})"),
        ("has_percentage", f"{_LABELLED} AND label <> 0e0", "1e0"),
        ("percentage_error", f"{_LABELLED} AND label <> 0e0", "abs(score - label) / nullif(abs(label), 0e0)"),
    ]
    return tuple(Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END") for name, when, then in parts)


TOGETHER = (
    ("scored", "prediction"),
    ("labelled", "error"),
    ("labelled", "absolute_error"),
    ("labelled", "squared_error", "label", "squared_label"),
    ("has_percentage", "percentage_error"),
)


def regression_estimates(aggregates: RegressionAggregates) -> list[Estimate]:
    """All metrics of the cell in the contract's order."""
    moments = aggregates.moments
    few = few_rows(moments.n, moments.count("scored"), moments.count("labelled"))
    prediction = _mean_prediction(moments, aggregates.centre.prediction)
    if few is not None:
        return [*(missing(metric, *few) for metric in METRICS[:-1]), prediction]
    return [
        ratio("mean_absolute_error", moments, "absolute_error", "labelled", family="positive"),
        _root_mean_squared_error(moments),
        ratio("mean_error", moments, "error", "labelled"),
        _percentage(moments),
        _r2(moments),
        _median(aggregates),
        ratio("mean_label", moments, "label", "labelled", shift=aggregates.centre.label),
        prediction,
    ]


def _mean_prediction(moments: RowMoments, centre: float) -> Estimate:
    scored = moments.count("scored")
    if scored == 0:
        return missing("mean_prediction", *(few_rows(moments.n, 0, 0) or ("no_data", "no rows")))
    if scored < LEAST_ROWS:
        return missing(
            "mean_prediction", "too_few", f"{scored} predictions; at least {LEAST_ROWS} are needed"
        )
    return ratio("mean_prediction", moments, "prediction", "scored", shift=centre)


def _root_mean_squared_error(moments: RowMoments) -> Estimate:
    mean = ratio("root_mean_squared_error", moments, "squared_error", "labelled", family="positive")
    root = float(np.sqrt(mean.value or 0.0))
    if root == 0.0:
        return replace(mean, value=0.0)
    slope = 1.0 / (2.0 * root)
    total = moments.total("labelled")
    gradient = {"squared_error": slope / total, "labelled": -slope * (mean.value or 0.0) / total}
    return of_moments("root_mean_squared_error", moments, root, gradient, family="positive", size=mean.size)


def _percentage(moments: RowMoments) -> Estimate:
    rows = moments.count("has_percentage")
    if rows < LEAST_ROWS:
        return missing(
            "mean_absolute_percentage_error",
            "too_few",
            f"{rows} labels other than 0; at least {LEAST_ROWS} are needed",
        )
    left_out = moments.count("labelled") - rows
    estimate = ratio(
        "mean_absolute_percentage_error", moments, "percentage_error", "has_percentage", family="positive"
    )
    return replace(estimate, reason=f"{left_out:,} rows with label 0 left out" if left_out else None)


def _r2(moments: RowMoments) -> Estimate:
    total, labels = moments.total("labelled"), moments.total("label")
    residual, squares = moments.total("squared_error"), moments.total("squared_label")
    spread = squares - labels**2 / total
    # what is left after subtracting the mean must stand out from rounding
    if spread <= 1e-12 * max(squares, 1e-300):
        return missing("r2", "undefined", "all labels are equal")
    value = 1.0 - residual / spread
    per_spread = residual / spread**2
    gradient = {
        "squared_error": -1.0 / spread,
        "squared_label": per_spread,
        "label": -2.0 * per_spread * labels / total,
        "labelled": per_spread * (labels / total) ** 2,
    }
    size = ratio("r2", moments, "squared_error", "labelled").size
    return of_moments("r2", moments, value, gradient, family="below_one", size=size)


def above_median(moments: RowMoments) -> Estimate:
    """The share of rows above the median error: one half, and how much it varies."""
    return ratio("median_absolute_error", moments, "above", "labelled", family="share")


def median_reach(share: Estimate, confidence: float) -> float:
    """How far from one half the cumulated shares lie whose errors are the limits of the median.

    Where all errors are equal the share does not vary and says nothing; independent rows stand in.
    """
    variance, df, _ = share.chosen()
    if not variance > 0:
        variance = 0.25 / share.size
    return float(normal_quantile(confidence, df) * variance**0.5)


def _median(aggregates: RegressionAggregates) -> Estimate:
    median = aggregates.median
    if median is None:
        return missing("median_absolute_error", "no_data", "no labelled rows")
    return Estimate(
        "median_absolute_error",
        median.value,
        family="given",
        limits=(median.low, median.high),
        limits_take=aggregates.above.chosen().independence if aggregates.above is not None else "rows",
    )
