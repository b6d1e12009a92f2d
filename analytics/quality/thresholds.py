"""Best thresholds with their intervals, and what they would gain over the decisions that were taken.

The threshold is chosen on all rows; what it is worth is read from rows that did not choose it: ten stretches of days,
each judged by the threshold that the other nine choose. That is free of the optimism of looking where one has fitted,
and a little too low, since nine tenths of the rows choose less well; the value on the choosing rows is too high. The
interval of value and gain holds both intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from analytics.aggregates.decisions import NOTHING, DecisionScores
from analytics.measures.estimate import LEAST_OF_A_CLASS, Estimate
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import MINIMUM_CLUSTERS, Independence, unit_variance
from analytics.stats.thresholds import (
    FOLDS,
    UNREACHABLE,
    Above,
    Amounts,
    Goal,
    above,
    best,
    folds_of,
    resampled_groups,
    resampled_rows,
    split_counts,
    threshold_range,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
METRIC: dict[Goal, str] = {
    "cost": "cost",
    "precision": "recall",
    "recall": "precision",
    "budget": "precision",
}
"""What a goal leaves to be made as large as can be."""
_LIKELY = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the thresholds that resampled rows choose: what is looked at for the upper limit of a gain."""


@dataclass(frozen=True)
class Wish:
    """A goal as typed.

    Attributes:
        goal: which.
        target: a precision, a recall, or rows a day; None for cost.
    """

    goal: Goal
    target: float | None = None


@dataclass(frozen=True)
class Rows:
    """Combinations of rows that are judged: label, decision, bin, and who they belong to.

    Attributes:
        label: 0, 1 or `NOTHING`.
        decision: the same.
        place: bin.
        group: block, or group of units.
        fold: which part of the rows.
        w: weights.
        w2: squared weights.
        groups: how many.
        of_units: whether the groups are units, not stretches of time.
    """

    label: Integers
    decision: Integers
    place: Integers
    group: Integers
    fold: Integers
    w: Floats
    w2: Floats
    groups: int
    of_units: bool = False

    @property
    def y(self) -> Floats:
        """1 for a positive label, else 0."""
        return as_floats(self.label == 1)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which have a label."""
        there: NDArray[np.bool_] = self.label != NOTHING
        return there


@dataclass(frozen=True)
class Cell:
    """One cell made ready: the same rows by time, in parts, and by unit.

    Attributes:
        bins: how many.
        rows: labelled ones that count, and those without a label for volumes; in folds.
        units: the same by group of units, without folds; None where no unit is declared.
        folds: weights at or above every threshold by fold, shape (folds, bins + 1).
        draws: the same of resampled rows.
        decided: whether decisions are logged.
        least: the share of the labelled rows that ten of them are.
    """

    bins: int
    rows: Rows
    units: Rows | None
    folds: Above
    draws: Above
    decided: bool
    least: float


@dataclass(frozen=True)
class Answer:
    """What can be said about one goal.

    Attributes:
        place: the threshold's bin; the number of bins where nobody is called.
        low: of the interval of the place.
        high: of the interval.
        value: on held-out rows, as all estimates here but those in sample.
        gain: value minus that of the logged decisions; None where none are logged.
        p_value: of gain = 0, for the goal cost.
    """

    place: int
    low: int
    high: int
    value: Estimate
    value_limits: tuple[float, float]
    precision: Estimate | None
    recall: Estimate
    decision_rate: Estimate
    present: Estimate | None
    gain: Estimate | None
    gain_limits: tuple[float, float] | None
    gain_in_sample: float | None
    p_value: float | None


def cell_of(scores: DecisionScores, units: DecisionScores | None, *, decided: bool) -> Cell:
    """Make a cell ready for any number of goals.

    Args:
        scores: by block.
        units: by group of units.
        decided: whether labelled rows count only with a logged decision.
    """
    bins = len(scores.keys)
    counted = scores.kept(_counts(scores, decided=decided))
    by_unit = units.kept(_counts(units, decided=decided)) if units is not None else None
    blocks = _present(counted)
    unit_groups = _present(by_unit) if by_unit is not None else np.zeros(0, dtype=np.int64)
    # rows without a label belong to blocks of their own where their block has no labelled row
    if len(blocks) < MINIMUM_CLUSTERS <= len(unit_groups) and by_unit is not None:
        rows = replace(_by_group(by_unit, unit_groups), of_units=True)
        draws = resampled_groups(_above(rows, rows.group, rows.groups, bins))
    elif len(blocks) >= MINIMUM_CLUSTERS:
        rows = _by_group(counted, blocks)
        draws = resampled_groups(_above(rows, rows.group, rows.groups, bins))
    else:
        rows = _by_lot(counted)
        w, w2 = (_by_label(rows, one, bins) for one in (rows.w, rows.w2))
        draws = resampled_rows(w, w2)
    folds = _above(rows, rows.fold, int(rows.fold.max()) + 1 if len(rows.fold) else 1, bins)
    unit_rows = _by_group(by_unit, unit_groups) if by_unit is not None else None
    labelled = float(counted.n[counted.label != NOTHING].sum())
    least = min(LEAST_OF_A_CLASS / labelled, 1.0) if labelled else 0.0
    return Cell(bins, rows, unit_rows, folds, draws, decided, least)


def answer(
    cell: Cell, wish: Wish, rows_per_day: float, amounts: Amounts | None, confidence: float
) -> Answer | None:
    """The best threshold for a goal; None where no threshold reaches it.

    Args:
        cell: from `cell_of`, with rows of both labels.
        wish: the goal.
        rows_per_day: scored rows a day, for a budget.
        amounts: what outcomes earn, for the goal cost.
        confidence: of the intervals.
    """
    target = wish.target
    if wish.goal == "budget" and target is not None:
        target = min(target / rows_per_day, 1.0) if rows_per_day > 0 else 1.0
    place = int(best(cell.folds.total(), wish.goal, target, amounts, least=cell.least))
    if place == UNREACHABLE:
        return None
    drawn = best(cell.draws, wish.goal, target, amounts, least=cell.least)
    spread = threshold_range(drawn, place, cell.bins, confidence)
    others = best(cell.folds.without(cell.folds.total()), wish.goal, target, amounts, least=cell.least)
    held_out = np.where(others == UNREACHABLE, cell.bins, others)[cell.rows.fold]
    judge = _Judge(cell, METRIC[wish.goal], amounts)
    value, limits = judge.both(judge.policy(held_out, place), judge.policy(place, place), confidence)
    gain = in_sample = p_value = gain_limits = None
    if cell.decided and judge.present() is not None and value is not None:
        pair = judge.gain(held_out, place), judge.gain(place, place)
        gain, gain_limits = judge.both(*pair, confidence)
        in_sample = pair[1].value if pair[1] is not None else None
        likely = [judge.gain(int(other), int(other)) for other in _likely(drawn)]
        if gain_limits is not None:
            highs = [one.interval(confidence)[1] for one in likely if one is not None]
            gain_limits = (gain_limits[0], max([gain_limits[1], *highs]))
        # only earnings are a goal in themselves: a stricter recall or precision is a choice, not a test
        p_value = _p_value(pair, likely) if wish.goal == "cost" else None
    if value is None or limits is None:
        return None
    return Answer(
        place, spread.low, spread.high, value, limits,
        judge.named("precision", held_out, place), _known(judge.named("recall", held_out, place)),
        _known(judge.named("decision_rate", held_out, place)), judge.present() if cell.decided else None,
        gain, gain_limits, in_sample, p_value,
    )  # fmt: skip


@dataclass(frozen=True)
class CurvePoint:
    """One threshold of the curve, on the rows that chose; place None: the logged decisions."""

    place: int | None
    estimate: Estimate
    decision_rate: float


def curve(cell: Cell, metric: str, amounts: Amounts | None, places: Sequence[int]) -> list[CurvePoint]:
    """The metric at some thresholds and at the logged decisions, each with its own interval."""
    judge = _Judge(cell, metric, amounts)
    points: list[tuple[int | None, Estimate | None]] = [
        (place, judge.policy(place, place)) for place in places
    ]
    if cell.decided:
        points.append((None, judge.present()))
    volume = cell.folds.total().rows
    rows = cell.rows
    everyone = float(rows.w.sum())
    called = float(rows.w[rows.decision == 1].sum())
    return [
        CurvePoint(place, estimate, (called if place is None else float(volume[place])) / everyone)
        for place, estimate in points
        if estimate is not None
    ]


class _Judge:
    """Values of one metric of one cell under different ways to decide."""

    def __init__(self, cell: Cell, metric: str, amounts: Amounts | None) -> None:
        self._cell, self._metric, self._amounts = cell, metric, amounts

    def policy(self, threshold: Integers | int, place: int) -> Estimate | None:
        """At thresholds, one for each combination of rows or one for all; units are judged at ``place``."""
        return self._estimate(self._metric, self._called(threshold), place)

    def named(self, metric: str, threshold: Integers | int, place: int) -> Estimate | None:
        """Another metric at the same thresholds."""
        return self._estimate(metric, self._called(threshold), place)

    def present(self) -> Estimate | None:
        """At the logged decisions."""
        return self._estimate(self._metric, self._cell.rows.decision == 1, None)

    def gain(self, threshold: Integers | int, place: int) -> Estimate | None:
        """At thresholds minus at the logged decisions, row by row."""
        rows = self._cell.rows
        ours = _linear(self._metric, rows, self._called(threshold), self._amounts)
        theirs = _linear(self._metric, rows, rows.decision == 1, self._amounts)
        if ours is None or theirs is None:
            return None
        squares: tuple[float, int] | None = None
        if self._cell.units is not None:
            units = self._cell.units
            one = _linear(self._metric, units, units.place >= place, self._amounts)
            other = _linear(self._metric, units, units.decision == 1, self._amounts)
            if one is not None and other is not None:
                squares = _unit_squares(units, one.influence - other.influence)
        gap = _Linear(ours.value - theirs.value, ours.influence - theirs.influence, ours.size)
        return _as_estimate("gain", gap, rows, squares, share=False)

    def both(
        self, held_out: Estimate | None, in_sample: Estimate | None, confidence: float
    ) -> tuple[Estimate | None, tuple[float, float] | None]:
        """The held-out estimate, and limits that hold the intervals of both."""
        if held_out is None or in_sample is None:
            return None, None
        limits = [one.interval(confidence) for one in (held_out, in_sample)]
        return held_out, (min(one[0] for one in limits), max(one[1] for one in limits))

    def _called(self, threshold: Integers | int) -> NDArray[np.bool_]:
        called: NDArray[np.bool_] = self._cell.rows.place >= threshold
        return called

    def _estimate(self, metric: str, called: NDArray[np.bool_], place: int | None) -> Estimate | None:
        rows, units = self._cell.rows, self._cell.units
        found = _linear(metric, rows, called, self._amounts)
        if found is None:
            return None
        squares = None
        if units is not None:
            theirs = units.decision == 1 if place is None else units.place >= place
            influence = _linear(metric, units, theirs, self._amounts)
            squares = _unit_squares(units, influence.influence) if influence is not None else None
        return _as_estimate(metric, found, rows, squares, share=metric != "cost")


class _Linear(NamedTuple):
    """A value, the influence of one row of unit weight of each combination, and Kish's size of the rows asked."""

    value: float
    influence: Floats
    size: float


def _linear(metric: str, rows: Rows, called: NDArray[np.bool_], amounts: Amounts | None) -> _Linear | None:
    """A metric of labelled rows, or the decision rate of all; None where no row is asked."""
    y, c = rows.y, as_floats(called)
    worth, among = c, np.ones_like(y)
    match metric:
        case "cost" if amounts is not None:
            caught = c * amounts.true_positive + (1 - c) * amounts.false_negative
            alarmed = c * amounts.false_positive + (1 - c) * amounts.true_negative
            worth, among = y * caught + (1 - y) * alarmed, as_floats(rows.labelled)
        case "precision":
            worth, among = y, c * rows.labelled
        case "recall":
            among = y
    below = float((rows.w * among).sum())
    if below <= 0:
        return None
    value = float((rows.w * among * worth).sum()) / below
    return _Linear(value, among * (worth - value) / below, below**2 / float((rows.w2 * among).sum()))


def _as_estimate(
    metric: str, found: _Linear, rows: Rows, squares: tuple[float, int] | None, *, share: bool
) -> Estimate:
    totals = np.bincount(rows.group, rows.w * found.influence, rows.groups)
    there = np.bincount(rows.group[rows.labelled], minlength=rows.groups) > 0
    estimate = Estimate(
        metric,
        found.value,
        family="share" if share else "mean",
        row_variance=float((rows.w2 * found.influence**2).sum()),
        blocks=np.flatnonzero(there).astype(np.int64),
        block_totals=as_floats(totals[there]),
        size=found.size,
    )
    if rows.of_units:
        variance = float(unit_variance(float((totals**2).sum()), rows.groups))
        return replace(estimate, unit_variance=variance, n_units=rows.groups, blocks=None, block_totals=None)
    if squares is None:
        return estimate
    return replace(estimate, unit_variance=squares[0], n_units=squares[1])


def _unit_squares(units: Rows, influence: Floats) -> tuple[float, int]:
    totals = np.bincount(units.group, units.w * influence, units.groups)
    return float(unit_variance(float((totals**2).sum()), units.groups)), units.groups


def _likely(drawn: Integers) -> Integers:
    """Thresholds that resampled rows choose: any of them may be the best."""
    reached = drawn[drawn != UNREACHABLE]
    return np.unique(np.quantile(reached, _LIKELY, method="nearest").astype(np.int64))


def _p_value(pair: Sequence[Estimate | None], likely: Sequence[Estimate | None]) -> float | None:
    """The p-value whose level is that of the joint interval.

    A gain must show both on held-out rows and in sample; a loss at every threshold that may be the best.
    """
    known = [one for one in pair if one is not None and one.value is not None]
    if len(known) < len(pair):
        return None
    if all((one.value or 0.0) > 0 for one in known):
        return max(_tail(one) for one in known)
    known += [one for one in likely if one is not None]
    return max(_tail(one) for one in known) if all((one.value or 0.0) < 0 for one in known) else 1.0


def _tail(estimate: Estimate) -> float:
    variance, df, _ = estimate.chosen()
    if estimate.value is None or not variance > 0:
        return 1.0
    z = -abs(estimate.value) / float(np.sqrt(variance))
    return float(2.0 * (ndtr(z) if df is None else stdtr(df, z)))


def _known(estimate: Estimate | None) -> Estimate:
    if estimate is None:
        raise ValueError("the cell needs rows of both labels")
    return estimate


def independence_of(estimate: Estimate) -> Independence:
    """What the estimate's interval takes as independent."""
    return estimate.chosen().independence


def _counts(scores: DecisionScores, *, decided: bool) -> NDArray[np.bool_]:
    """Rows without a label (for volumes), and labelled rows with a decision where decisions count."""
    usable = (scores.label != NOTHING) & (scores.decision != NOTHING)
    counted: NDArray[np.bool_] = (scores.label == NOTHING) | usable if decided else scores.label != -1
    return counted


def _present(scores: DecisionScores) -> Integers:
    labelled = np.bincount(scores.group[scores.label != NOTHING], minlength=scores.groups)
    return np.flatnonzero(labelled > 0).astype(np.int64)


def _by_group(scores: DecisionScores, present: Integers) -> Rows:
    """Groups in order of time in folds; those without a labelled row join the one before, for volumes only."""
    place = np.maximum(np.searchsorted(present, np.arange(scores.groups), side="right") - 1, 0)
    group = place[scores.group]
    fold = folds_of(len(present))[group] if len(present) else np.zeros_like(group)
    return Rows(
        scores.label, scores.decision, scores.place, group, fold, scores.w, scores.w2, max(len(present), 1)
    )


def _by_lot(scores: DecisionScores) -> Rows:
    """Rows dealt out to folds at random; blocks are too few to be used."""
    dealt = split_counts(scores.n, FOLDS)
    entry, fold = np.nonzero(dealt)
    share = dealt[entry, fold] / scores.n[entry]
    return Rows(
        scores.label[entry],
        scores.decision[entry],
        scores.place[entry],
        scores.group[entry],
        fold.astype(np.int64),
        scores.w[entry] * share,
        scores.w2[entry] * share,
        scores.groups,
    )


def _above(rows: Rows, part: Integers, parts: int, bins: int) -> Above:
    by_label = np.zeros((3, parts, bins))
    np.add.at(by_label, (rows.label, part, rows.place), rows.w)
    return Above(above(by_label[1]), above(by_label[0]), above(by_label.sum(axis=0)))


def _by_label(rows: Rows, values: Floats, bins: int) -> Floats:
    total = np.bincount(rows.label * bins + rows.place, values, 3 * bins)
    return as_floats(total.reshape(3, bins))
