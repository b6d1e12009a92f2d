"""What mapping scores anew would bring, tried forward in time: maps fitted to earlier blocks, judged on later ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.scores import ScoreHistogram
from analytics.measures.calibration import Settled
from analytics.measures.estimate import LEAST_OF_A_CLASS, LEAST_ROWS, Estimate
from analytics.quality.calibration import Method
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import MINIMUM_CLUSTERS, ChosenVariance, unit_variance
from analytics.stats.calibration import CalibrationError, calibration_error, score_bins
from analytics.stats.intervals import normal_quantile
from analytics.stats.recalibration import (
    IsotonicFit,
    LogisticFit,
    NoFit,
    apply_isotonic,
    apply_logistic,
    fit_isotonic,
    fit_logistic,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FOLDS = 5
"""Stretches of equal weight that maps are judged on, after a first one that they are only fitted to."""
SCORE_METHODS: tuple[Method, ...] = ("none", "logistic", "isotonic")
VALUE_METHODS: tuple[Method, ...] = ("none", "linear", "isotonic")
EPSILON = 2.220446049250313e-16
DRAWS = 400
_SEED = 20137
BINS = 10


@dataclass(frozen=True)
class Entries:
    """Labelled rows, or groups of them that have the same block, label and score.

    Attributes:
        block: each entry's place among the blocks in order of time.
        score: as logged.
        label: 0 or 1, or the true value.
        w, w2: sums of weights and of squared weights.
        n: rows.
        tag: each one's score bin, or unit, as a number.
        n_blocks: how many blocks there are.
    """

    block: Integers
    score: Floats
    label: Floats
    w: Floats
    w2: Floats
    n: Floats
    tag: Integers
    n_blocks: int

    def among(self, kept: NDArray[np.bool_]) -> Entries:
        """Some of them."""
        return replace(
            self, block=self.block[kept], score=self.score[kept], label=self.label[kept], w=self.w[kept],
            w2=self.w2[kept], n=self.n[kept], tag=self.tag[kept],
        )  # fmt: skip


def entries_of(histogram: ScoreHistogram, scores: Floats) -> Entries:
    """The labelled rows of a histogram; ``scores`` stand for its bins, shape (B,)."""
    labelled = histogram.label < 2
    n, w, w2, _ = histogram.sums[:, labelled]
    return Entries(
        histogram.block[labelled].astype(np.int64),
        scores[histogram.place[labelled]],
        histogram.label[labelled].astype(np.float64),
        w,
        w2,
        n,
        histogram.keys.astype(np.int64)[histogram.place[labelled]],
        len(histogram.blocks),
    )


@dataclass(frozen=True)
class Fold:
    """One step forward in time.

    Attributes:
        fitted: blocks the map is fitted to: places below this.
        first, after: blocks it is judged on.
    """

    fitted: int
    first: int
    after: int


def folds_of(
    weights: Floats, ends: Integers, starts: Integers, delay: int, folds: int = FOLDS
) -> tuple[Fold, ...]:
    """Cut blocks into ``folds`` + 1 stretches of about equal weight, and step through them.

    A map is fitted to blocks whose labels were there when the stretch it is judged on began.

    Args:
        weights: labelled weight by block.
        ends: of the blocks, in microseconds.
        starts: likewise.
        delay: how long labels take, in microseconds.
        folds: how many steps.

    >>> day = np.arange(6)
    >>> folds_of(np.ones(6), day + 1, day, 0, folds=2)
    (Fold(fitted=2, first=2, after=4), Fold(fitted=4, first=4, after=6))
    """
    if len(weights) < folds + 1:
        return ()
    reached = np.cumsum(weights) / weights.sum()
    cuts = [int(np.searchsorted(reached, k / (folds + 1) - 1e-9)) + 1 for k in range(1, folds + 1)]
    edges = [*cuts, len(weights)]
    steps = []
    for first, after in pairwise(edges):
        if after <= first:
            return ()
        steps.append(Fold(int((ends + delay <= starts[first]).sum()), first, after))
    return tuple(steps)


@dataclass(frozen=True)
class Line:
    """Value = intercept + slope x prediction."""

    intercept: float
    slope: float


Map = LogisticFit | IsotonicFit | Line | None


def fit_score_map(method: Method, rows: Entries) -> Map | NoFit:
    """The map of a method from scores to shares; None leaves scores as they are."""
    positive = rows.label == 1
    counts = rows.n[positive].sum(), rows.n[~positive].sum()
    if method == "none":
        return None
    if min(counts) < LEAST_OF_A_CLASS:
        return NoFit(f"{counts[0]:.0f} positive and {counts[1]:.0f} negative labels to fit to")
    above, below = np.where(positive, rows.w, 0.0), np.where(positive, 0.0, rows.w)
    if method == "logistic":
        unique, place = np.unique(rows.score, return_inverse=True)
        return fit_logistic(
            unique, np.bincount(place, below, len(unique)), np.bincount(place, above, len(unique))
        )
    scale = rows.w.sum() / rows.w2.sum()  # weights as Kish's rows
    mean = float(above.sum() / rows.w.sum())
    return fit_isotonic(rows.score, rows.label, rows.w * scale, towards=mean)


def fit_value_map(method: Method, rows: Entries) -> Map | NoFit:
    """The map of a method from predictions to values."""
    if method == "none":
        return None
    if rows.n.sum() < LEAST_ROWS:
        return NoFit(f"{rows.n.sum():.0f} labelled rows to fit to; at least {LEAST_ROWS} are needed")
    if method == "isotonic":
        return fit_isotonic(rows.score, rows.label, rows.w)
    share = rows.w / rows.w.sum()
    mean_score, mean_label = float(share @ rows.score), float(share @ rows.label)
    spread = float(share @ np.square(rows.score - mean_score))
    if spread <= 1e-12 * max(mean_score**2, 1e-300):
        return NoFit("all predictions are equal")
    slope = float(share @ ((rows.score - mean_score) * (rows.label - mean_label))) / spread
    return Line(mean_label - slope * mean_score, slope)


def apply_map(fitted: Map, scores: Floats) -> Floats:
    """Scores after a map."""
    match fitted:
        case None:
            return scores
        case LogisticFit():
            return apply_logistic(fitted, scores)
        case IsotonicFit():
            return apply_isotonic(fitted, scores)
        case Line():
            return fitted.intercept + fitted.slope * scores


def words(fitted: Map) -> str | None:
    """A map's numbers, for whoever wants to use it; an isotonic one is a table.

    >>> words(Line(1.5, 0.9))
    'intercept 1.5, slope 0.9'
    """
    match fitted:
        case LogisticFit():
            return f"logit: intercept {fitted.intercept:.6g}, slope {fitted.slope:.6g}"
        case Line():
            return f"intercept {fitted.intercept:.6g}, slope {fitted.slope:.6g}"
    return None


def losses(metric: str, mapped: Floats, labels: Floats) -> Floats:
    """The loss of each row."""
    match metric:
        case "log_loss":
            p = np.clip(mapped, EPSILON, 1 - EPSILON)
            return -np.where(labels == 1, np.log(p), np.log1p(-p))
        case "brier_score" | "mean_squared_error":
            return np.square(mapped - labels)
        case "mean_absolute_error":
            return np.abs(mapped - labels)
    raise ValueError(f"{metric} is not a loss of single rows")


@dataclass(frozen=True)
class Trial:
    """Scores of the test rows under each method.

    Attributes:
        rows: the test rows of all folds.
        fold: each one's fold.
        mapped: method -> its score; a method that could not be fitted in some fold is missing.
        problems: method -> why.
        n_fitted: rows the last fold was fitted to.
    """

    rows: Entries
    fold: Integers
    mapped: Mapping[Method, Floats]
    problems: Mapping[Method, str]
    n_fitted: int


def fittable(
    rows: Entries, folds: Sequence[Fold], methods: Sequence[Method], *, of_scores: bool
) -> tuple[Fold, ...]:
    """Leave out the first folds, where their past has too few labels yet; all folds where even the last has."""
    fit = fit_score_map if of_scores else fit_value_map
    for place, step in enumerate(folds):
        past = rows.among(rows.block < step.fitted)
        if not any(isinstance(fit(method, past), NoFit) for method in methods):
            return tuple(folds[place:])
    return tuple(folds)


def tried(rows: Entries, folds: Sequence[Fold], methods: Sequence[Method], *, of_scores: bool) -> Trial:
    """Fit each method on the past of each fold and apply it to the fold."""
    fit = fit_score_map if of_scores else fit_value_map
    fold = np.full(len(rows.block), -1)
    for i, step in enumerate(folds):
        fold[(rows.block >= step.first) & (rows.block < step.after)] = i
    tested = fold >= 0
    mapped: dict[Method, Floats] = {}
    problems: dict[Method, str] = {}
    for method in methods:
        scores = rows.score.copy()
        for i, step in enumerate(folds):
            fitted = fit(method, rows.among(rows.block < step.fitted))
            if isinstance(fitted, NoFit):
                problems[method] = f"part {i + 1} of {len(folds)}: {fitted.reason}"
                break
            scores[fold == i] = apply_map(fitted, rows.score[fold == i])
        else:
            mapped[method] = scores[tested]
    last = float(rows.n[rows.block < folds[-1].fitted].sum())
    return Trial(rows.among(tested), fold[tested], mapped, problems, int(last))


def mean_of(trial: Trial, values: Floats, metric: str) -> Estimate:
    """The weighted mean of a number of each test row, with its variance over rows and blocks."""
    rows = trial.rows
    total = float(rows.w.sum())
    mean = float(rows.w @ values) / total
    influence = (values - mean) / total
    present = np.bincount(rows.block, rows.w, rows.n_blocks) > 0
    totals = as_floats(np.bincount(rows.block, rows.w * influence, rows.n_blocks)[present])
    return Estimate(
        metric,
        mean,
        row_variance=float(rows.w2 @ np.square(influence)),
        blocks=np.flatnonzero(present),
        block_totals=totals,
        influence=influence,
    )


def over_units(estimate: Estimate, rows: Entries) -> Estimate:
    """The same with its variance over units; for entries that are single rows tagged by unit."""
    if estimate.influence is None:
        return estimate
    sums = np.bincount(rows.tag, rows.w * estimate.influence)
    units = len(np.unique(rows.tag))
    return replace(estimate, unit_variance=float(unit_variance(float(sums @ sums), units)), n_units=units)


def settle(estimate: Estimate) -> Settled:
    """The estimate with the largest variance that is known."""
    return Settled(estimate, estimate.chosen())


def error_of(trial: Trial, scores: Floats, confidence: float) -> CalibrationError:
    """The expected calibration error of the test rows under these scores."""
    rows = trial.rows
    gap = settle(mean_of(trial, scores - rows.label, "gap"))
    place = score_bins(np.clip(scores, 0.0, 1.0))
    w, w2 = (np.bincount(place, one, BINS) for one in (rows.w, rows.w2))
    filled = np.where(w > 0, w, 1.0)
    kish = np.where(w2 > 0, np.square(w) / np.where(w2 > 0, w2, 1.0), 0.0)
    return calibration_error(
        kish / gap.design_effect,
        np.bincount(place, rows.w * scores, BINS) / filled,
        np.bincount(place, rows.w * rows.label, BINS) / filled,
        confidence,
        share=w / w.sum(),
    )


def error_difference(
    trial: Trial, scores: Floats, before: Floats, confidence: float
) -> tuple[float, float, float, float] | None:
    """Calibration error minus that of the scores before, its limits and p-value; None under ten blocks.

    Whole blocks are drawn anew 400 times (bootstrap), the same ones for both.
    """
    rows = trial.rows
    present = np.flatnonzero(np.bincount(rows.block, rows.w, rows.n_blocks) > 0)
    if len(present) < MINIMUM_CLUSTERS:
        return None
    tables = [_by_block(rows, one)[present] for one in (scores, before)]
    weight = np.bincount(rows.block, rows.w, rows.n_blocks)[present]
    generator = np.random.default_rng(_SEED)
    drawn = generator.multinomial(len(present), np.full(len(present), 1.0 / len(present)), size=DRAWS)
    total = drawn @ weight
    errors = [np.abs(drawn @ table).sum(axis=1) / total for table in tables]
    spread = float(np.std(errors[0] - errors[1], ddof=1))
    value = float((np.abs(tables[0].sum(axis=0)).sum() - np.abs(tables[1].sum(axis=0)).sum()) / weight.sum())
    df = len(present) - 1.0
    if not spread > 0:
        return None
    reach = float(normal_quantile(confidence, df)) * spread
    estimate = Settled(
        Estimate("difference", value, row_variance=spread**2), ChosenVariance(spread**2, df, "blocks")
    )
    return value, value - reach, value + reach, estimate.p_value or 0.0


def _by_block(rows: Entries, scores: Floats) -> Floats:
    place = score_bins(np.clip(scores, 0.0, 1.0))
    flat = np.bincount(rows.block * BINS + place, rows.w * (rows.label - scores), rows.n_blocks * BINS)
    return as_floats(flat.reshape(rows.n_blocks, BINS))
