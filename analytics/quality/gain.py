"""Reviewing the highest scores first: what share of the positives is found, how many of the reviewed are positive.

A review takes the top share of all rows of the window, or the top k of each day, labelled or not; precision and
recall are those of the labelled ones. Of rows with the same score, or in the bin where the review ends, each is as
likely to be reviewed as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.decisions import NOTHING, DecisionScores
from analytics.measures.estimate import Estimate
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import unit_variance
from analytics.stats.rare import FEW_EVENTS

Floats = NDArray[np.float64]
NEAR = 0.02
"""Rows this far in rank from where a review ends tell what one row more would find."""


@dataclass(frozen=True)
class Review:
    """What one review finds.

    Attributes:
        share: of all rows that is reviewed.
        reviewed: weight of the reviewed rows.
        n_reviewed: labelled rows among them.
        recall: the share of the positives found.
        at_random: what as many rows at random find, day by day.
        precision: None where no reviewed row has a label.
        lift_factor: precision over prevalence is recall times this.
    """

    share: float
    reviewed: float
    n_reviewed: float
    recall: Estimate
    at_random: float
    precision: Estimate | None
    lift_factor: float | None


def review_share(scores: DecisionScores, units: DecisionScores | None, share: float) -> Review:
    """Review the top share of all rows.

    Args:
        scores: by block, with at least one positive label.
        units: by group of units.
        share: of all rows, in (0, 1].
    """
    by_unit = _of_share(units, share) if units is not None else None
    return _review(_of_share(scores, share), by_unit)


def review_budget(days: DecisionScores, budget: float) -> Review:
    """Review the top rows of each day.

    Args:
        days: by local day, with at least one positive label.
        budget: weight of rows a day.
    """
    reviewed = _reviewed(days, np.full(days.groups, float(budget)))
    share = float((days.w * reviewed).sum() / days.w.sum())
    review = _review(_Part(days, reviewed, np.zeros_like(reviewed), share), None)
    by_day = np.bincount(days.group, days.w, days.groups)
    positives = np.bincount(days.group, days.w * (days.label == 1), days.groups)
    at_random = float((positives * np.minimum(budget / by_day, 1.0)).sum() / positives.sum())
    return replace(review, at_random=at_random)


@dataclass(frozen=True)
class _Part:
    """Rows and how much of each combination is reviewed.

    Attributes:
        scores: the rows.
        reviewed: of each combination, in [0, 1].
        near: 1 for combinations around the score where the review ends: that score is estimated too.
        share: of all rows that is reviewed.
    """

    scores: DecisionScores
    reviewed: Floats
    near: Floats
    share: float

    @property
    def y(self) -> Floats:
        """1 for a positive label."""
        return as_floats(self.scores.label == 1)

    @property
    def labelled(self) -> Floats:
        """1 for any label."""
        return as_floats(self.scores.label != NOTHING)

    def among(self, metric: str) -> Floats:
        """How much of each combination the metric is about."""
        return self.y if metric == "recall" else as_floats(self.reviewed * self.labelled)

    def linear(self, metric: str) -> tuple[float, Floats]:
        """Value, and influence of one row of unit weight of each combination."""
        w, among = self.scores.w, self.among(metric)
        worth = self.reviewed if metric == "recall" else self.y
        below = float((w * among).sum())
        value = min(float((w * among * worth).sum()) / below, 1.0)
        # one more row reviewed moves the score where the review ends
        around = float((w * self.near).sum())
        rest = self.y if metric == "recall" else self.y - value * self.labelled
        rate = float((w * self.near * rest).sum()) / around if around > 0 else 0.0
        return value, as_floats((among * (worth - value) - rate * (self.reviewed - self.share)) / below)


def _of_share(scores: DecisionScores, share: float) -> _Part:
    together = replace(scores, groups=1, group=np.zeros_like(scores.group))
    reviewed = _reviewed(together, np.array([share * float(scores.w.sum())]))
    by_place = np.bincount(scores.place, scores.w, len(scores.keys))
    rank = (np.cumsum(by_place[::-1])[::-1] - by_place / 2) / by_place.sum()
    near = np.abs(rank - share) <= max(min(NEAR, share / 2), float(np.abs(rank - share).min()))
    return _Part(scores, reviewed, as_floats(near[scores.place]), share)


def _reviewed(scores: DecisionScores, budget: Floats) -> Floats:
    """The share of each combination that the top ``budget`` of its group takes in."""
    size = len(scores.keys)
    where = scores.group * size + (size - 1 - scores.place)
    unique, inverse = np.unique(where, return_inverse=True)
    weight = np.bincount(inverse, scores.w)
    group = unique // size
    before = np.cumsum(weight) - weight
    # what stands above in the same group
    first = np.searchsorted(group, group)
    taken = np.clip((budget[group] - (before - before[first])) / weight, 0.0, 1.0)
    return as_floats(taken[inverse])


def _review(part: _Part, units: _Part | None) -> Review:
    w = part.scores.w
    asked = float((w * part.among("precision")).sum())
    recall = _estimate("recall", part, units)
    if bool((part.reviewed >= 1.0 - 1e-12).all()):
        recall = replace(recall, family="given", limits=(1.0, 1.0))
    return Review(
        part.share,
        float((w * part.reviewed).sum()),
        float((part.scores.n * part.among("precision")).sum()),
        recall,
        part.share,
        _estimate("precision", part, units) if asked > 0 else None,
        float((w * part.labelled).sum()) / asked if asked > 0 else None,
    )


def found_among_few(
    review: Review, recall: tuple[float, float], precision: tuple[float, float]
) -> tuple[float, float]:
    """The interval of recall, as wide as precision's in proportion where few reviewed rows are of the rarer kind.

    Eight reviewed rows of which all are positive have no variance, which does not make recall known.

    Args:
        review: with a precision.
        recall: its interval by variance.
        precision: its interval.
    """
    shown = review.precision.value if review.precision is not None else None
    whole = review.recall.limits is not None
    if shown is None or shown <= 0 or whole or min(shown, 1 - shown) * review.n_reviewed >= FEW_EVENTS:
        return recall
    ratio = (review.recall.value or 0.0) / shown
    return min(recall[0], ratio * precision[0]), max(recall[1], min(ratio * precision[1], 1.0))


def _estimate(metric: str, part: _Part, units: _Part | None) -> Estimate:
    scores, among = part.scores, part.among(metric)
    value, influence = part.linear(metric)
    totals = np.bincount(scores.group, scores.w * influence, scores.groups)
    labelled = np.bincount(scores.group[scores.label != NOTHING], minlength=scores.groups) > 0
    squares = float((scores.w2 * among).sum())
    estimate = Estimate(
        metric,
        value,
        family="share",
        row_variance=float((scores.w2 * influence**2).sum()),
        blocks=np.flatnonzero(labelled).astype(np.int64),
        block_totals=as_floats(totals[labelled]),
        size=float((scores.w * among).sum()) ** 2 / squares if squares > 0 else 0.0,
    )
    if units is None or not units.among(metric).any():
        return estimate
    theirs = units.scores
    sums = np.bincount(theirs.group, theirs.w * units.linear(metric)[1], theirs.groups)
    variance = float(unit_variance(float((sums**2).sum()), theirs.groups))
    return replace(estimate, unit_variance=variance, n_units=theirs.groups)
