"""ROC AUC and average precision of one class's scores."""

from __future__ import annotations

from dataclasses import replace

from analytics.aggregates.scores import ScoreHistogram
from analytics.measures.estimate import LEAST_OF_A_CLASS, LEAST_ROWS, Estimate, missing, of_scores
from analytics.results import Status
from analytics.stats.average_precision import (
    Ties,
    average_precision_estimate,
    average_precision_influence,
)
from analytics.stats.roc import area_and_placements, placement_variance

RANKING = ("roc_auc", "average_precision")


def ranking_estimates(histogram: ScoreHistogram | None, class_: str | None = None) -> list[Estimate]:
    """AUC (ties half) and average precision from a score histogram by label."""
    if histogram is None:
        return [missing(metric, "no_data", "no labelled rows", class_) for metric in RANKING]
    problem = _problem(histogram)
    if problem is not None:
        return [missing(metric, *problem, class_) for metric in RANKING]
    positives, negatives = histogram.positives, histogram.negatives
    pos_w2, neg_w2 = histogram.squares[1], histogram.squares[0]
    area, placed = area_and_placements(positives, negatives)
    auc = of_scores("roc_auc", histogram, float(area), placed)
    ties: Ties = "step" if histogram.exact else "random"
    rows = histogram.counts[1]
    moved = average_precision_influence(positives, negatives, ties, histogram.tied)
    precision = average_precision_estimate(
        positives, negatives, pos_w2, neg_w2, ties=ties, pos_rows=rows, tied=histogram.tied, influence=moved
    )
    average = of_scores(
        "average_precision", histogram, float(precision.value), moved, bias=float(precision.bias)
    )
    return [
        replace(
            auc,
            class_=class_,
            row_variance=float(placement_variance(placed, positives, negatives, pos_w2, neg_w2)),
        ),
        replace(average, class_=class_, row_variance=float(precision.variance)),
    ]


def _problem(histogram: ScoreHistogram) -> tuple[Status, str] | None:
    negative, positive = histogram.counts[:2].sum(axis=1).astype(int)
    if positive + negative < LEAST_ROWS:
        return "too_few", f"{positive + negative} labelled rows; at least {LEAST_ROWS} are needed"
    if positive == 0 or negative == 0:
        return "undefined", f"all {positive + negative} labels are of one class"
    if min(positive, negative) < LEAST_OF_A_CLASS:
        return (
            "too_few",
            f"{positive} positive and {negative} negative labels; at least {LEAST_OF_A_CLASS} of each are needed",
        )
    return None
