"""Can a rule tell the rows of one sample from those of another? Its area under the curve, out of fold, and chance.

The rule goes by the nearer mean, in a matrix of balanced columns that does not know the sides (`feature_maps`). It is
linear, so it can be fitted anew for hundreds of permutations of the sides at once: the null distribution is that of
the whole procedure, fitting and folds included, and not that of a finished score. (Dividing by the covariance, with
more or less ridge, found no more in trials with 30 days of 30 rows, and costs much more.) Rows of one cluster (a day,
a unit) stay together, in folds and in permutations; that is what keeps a few odd days from looking like drift.

Sources: Lopez-Paz and Oquab, Revisiting classifier two-sample tests (2017); Phipson and Smyth (2010) for p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .arrays import FloatArray, IntArray, as_floats
from .feature_maps import Matrix
from .roc import auc_interval

FOLDS = 5
DRAWS = 199
_SEED = 4031
_STEPS = 100_000
"""Scores are told apart to this share of the largest."""
Folding = Literal["clusters", "rows"]
Signs = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sides:
    """Which rows are whose.

    Attributes:
        side: True for a row of the window, False for one of the reference; shape (n,).
        cluster: 0 … G - 1; rows of one cluster are all on one side; shape (n,).
        weight: of each row; shape (n,).
        fold: of each row; shape (n,).
        folding: whether folds hold whole clusters. With one cluster in the window they cannot.
    """

    side: npt.NDArray[np.bool_]
    cluster: IntArray
    weight: FloatArray
    fold: IntArray
    folding: Folding

    @property
    def cluster_side(self) -> npt.NDArray[np.bool_]:
        """The side of each cluster."""
        sides = np.zeros(int(self.cluster.max()) + 1, dtype=bool)
        sides[self.cluster] = self.side
        return sides


def fold_sides(
    side: npt.ArrayLike, cluster: npt.ArrayLike, weight: npt.ArrayLike, seed: int = _SEED, folds: int = FOLDS
) -> Sides:
    """Deal whole clusters of either side to folds in turn, in random order; rows, where the window is one cluster."""
    sides, names = np.asarray(side, dtype=bool), np.asarray(cluster)
    _, places = np.unique(names, return_inverse=True)
    generator = np.random.default_rng(seed)
    n_window = len(np.unique(places[sides]))
    n_reference = len(np.unique(places[~sides]))
    fold = np.zeros(len(sides), dtype=np.int64)
    folding: Folding = "clusters" if min(n_window, n_reference) > 1 else "rows"
    k = min(folds, n_window, n_reference) if folding == "clusters" else folds
    for which in (False, True):
        mine = np.flatnonzero(sides == which)
        dealt = np.unique(places[mine]) if folding == "clusters" else mine
        parts = np.arange(len(dealt)) % k
        order = generator.permutation(len(dealt))
        if folding == "clusters":
            table = np.zeros(int(places.max()) + 1, dtype=np.int64)
            table[dealt[order]] = parts
            fold[mine] = table[places[mine]]
        else:
            fold[mine[order]] = parts
    return Sides(sides, places, np.asarray(weight, dtype=np.float64), fold, folding)


class Importance(NamedTuple):
    """An area or a difference of areas, and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class DomainClassifier:
    """What the classifier found.

    Attributes:
        auc: out of fold, ties half; .5 where the sides cannot be told apart.
        ci_low: of the area.
        ci_high: of the area.
        null_mean: mean of the permutations; near .5, above where folds could not hold whole clusters.
        null_high: their 95 % point.
        p_value: one-sided: (1 + permutations at least as high) / (1 + permutations).
        scores: out of fold, one a row; higher is more like the window.
        share_beyond: of each row, the share of the reference's weight in its fold that scores higher.
        draws: how many permutations there were.
    """

    auc: float
    ci_low: float
    ci_high: float
    null_mean: float
    null_high: float
    p_value: float
    scores: FloatArray
    share_beyond: FloatArray
    draws: int


class MeanFolds:
    """The matrix cut into folds: the rule of each is the gap of the sides' means over the other folds' rows."""

    def __init__(self, design: Matrix, sides: Sides) -> None:
        self.sides = sides
        self.rows = [np.flatnonzero(sides.fold == k) for k in range(int(sides.fold.max()) + 1)]
        weight = sides.weight.astype(np.float32)
        self.parts = [design[rows] for rows in self.rows]
        self.weighted = [part * weight[rows, None] for part, rows in zip(self.parts, self.rows, strict=True)]

    def coefficients(self, signs: Signs) -> list[Matrix]:
        """The rule of each fold for each assignment of sides; ``signs`` is (n, P), 1 for the window."""
        weight = self.sides.weight.astype(np.float32)
        inside = [heavy.T @ signs[rows] for heavy, rows in zip(self.weighted, self.rows, strict=True)]
        masses = [weight[rows] @ signs[rows] for rows in self.rows]
        sums = [heavy.sum(axis=0) for heavy in self.weighted]
        whole = [float(weight[rows].sum()) for rows in self.rows]
        all_inside, all_masses = np.sum(inside, axis=0), np.sum(masses, axis=0)
        all_sums, all_whole = np.sum(sums, axis=0), sum(whole)
        found = []
        for k in range(len(self.rows)):
            window, mass = all_inside - inside[k], all_masses - masses[k]
            rest = (all_sums - sums[k])[:, None] - window
            gap = window / np.maximum(mass, 1e-9) - rest / np.maximum(all_whole - whole[k] - mass, 1e-9)
            found.append(np.asarray(gap, dtype=np.float32))
        return found

    def scores(self, coefficients: list[Matrix]) -> list[Matrix]:
        """Out-of-fold scores, fold by fold, (rows of the fold, P)."""
        return [part @ one for part, one in zip(self.parts, coefficients, strict=True)]


def classify(
    design: Matrix, sides: Sides, *, confidence: float = 0.95, draws: int = DRAWS, seed: int = _SEED
) -> tuple[DomainClassifier, list[Matrix]]:
    """Fit, test by permutation of whole clusters inside each fold, and give the rule of each fold as well.

    Clusters of one fold are exchangeable when nothing has drifted, whichever side they are on; so sides are permuted
    within folds. With one cluster in the window, every cluster takes its turn as the window.
    """
    folds = MeanFolds(design, sides)
    signs = np.concatenate([sides.side[:, None], _permuted(sides, draws, seed)], axis=1).astype(np.float32)
    rules = folds.coefficients(signs)
    scores = folds.scores(rules)
    areas = _areas(scores, signs > 0, sides, folds.rows)
    value, null = float(areas[0]), areas[1:]
    own = np.zeros(len(sides.side))
    for rows, part in zip(folds.rows, scores, strict=True):
        own[rows] = part[:, 0]
    placed = placements(own, sides)
    variance, df = _variance(placed, sides)
    spread = float(np.var(null)) * _flattened(value)
    if spread > variance:
        variance, df = spread, float(len(null) - 1)
    low, high = _interval(value, variance, df, sides, confidence)
    # sums in another order differ in the last digits: a tie must count as one
    at_least = int(np.count_nonzero(null >= value - 1e-9))
    found = DomainClassifier(
        value, low, high, float(null.mean()), float(np.quantile(null, 0.95, method="higher")),
        (1 + at_least) / (1 + len(null)), own, _share_beyond(own, sides), len(null),
    )  # fmt: skip
    return found, [rule[:, :1] for rule in rules]


def _flattened(area: float) -> float:
    """How much less the same unrest of clusters moves an area this far from .5: the binormal slope, squared."""
    return float(np.exp(-np.square(special.ndtri(min(max(area, 1e-9), 1 - 1e-9)))))


def out_of_fold(design: Matrix, sides: Sides, rules: list[Matrix] | None = None) -> FloatArray:
    """Scores of another matrix by given rules, or by rules fitted on it."""
    if rules is None:
        folds = MeanFolds(design, sides)
        rules = folds.coefficients(sides.side[:, None].astype(np.float32))
    scores = np.zeros(len(sides.side))
    for k, rule in enumerate(rules):
        rows = np.flatnonzero(sides.fold == k)
        scores[rows] = (design[rows] @ rule)[:, 0]
    return scores


class Placed(NamedTuple):
    """The area, the influence on it of each row, and of pairs in it."""

    auc: float
    influence: FloatArray


def placements(scores: FloatArray, sides: Sides) -> Placed:
    """The area inside folds, joined over folds by their pairs, with the influence of each row (they sum to 0)."""
    beaten, pairs = np.zeros(len(scores)), []
    folds = [np.flatnonzero(sides.fold == k) for k in range(int(sides.fold.max()) + 1)]
    areas = []
    for rows in folds:
        window, weight = sides.side[rows], sides.weight[rows]
        ours, theirs = float(weight[window].sum()), float(weight[~window].sum())
        pairs.append(ours * theirs)
        if pairs[-1] <= 0:
            areas.append(0.5)
            continue
        below, above = _beaten(scores[rows], window, weight)
        beaten[rows] = np.where(window, below / theirs, above / ours)
        areas.append(float((weight * beaten[rows])[window].sum() / ours))
    share = np.array(pairs) / max(sum(pairs), 1e-300)
    influence = np.zeros(len(scores))
    for k, rows in enumerate(folds):
        if pairs[k] > 0:
            window, weight = sides.side[rows], sides.weight[rows]
            size = np.where(window, weight[window].sum(), weight[~window].sum())
            influence[rows] = share[k] * weight / size * (beaten[rows] - areas[k])
    return Placed(float(share @ np.array(areas)), influence)


def difference(full: Placed, less: Placed, sides: Sides) -> Importance:
    """By how much one area exceeds another on the same rows."""
    variance, _ = _variance(Placed(0.0, full.influence - less.influence), sides)
    return Importance(full.auc - less.auc, float(np.sqrt(max(variance, 0.0))))


def area_of(placed: Placed, sides: Sides, confidence: float) -> tuple[float, float, float]:
    """An area with its interval."""
    variance, df = _variance(placed, sides)
    return placed.auc, *_interval(placed.auc, variance, df, sides, confidence)


def quantile_of(sides: Sides, confidence: float) -> float:
    """The t quantile that belongs to differences of areas."""
    both = sides.cluster_side
    df = max(min(int(both.sum()), int((~both).sum())) - 1, 1)
    return float(stats.t.ppf((1 + confidence) / 2, df))


def _permuted(sides: Sides, draws: int, seed: int) -> npt.NDArray[np.bool_]:
    """Sides of rows under permutations, (n, draws)."""
    generator = np.random.default_rng(seed)
    both = sides.cluster_side
    if sides.folding == "rows" and min(both.sum(), (~both).sum()) == 1 and len(both) < len(sides.side):
        lone = bool(both.sum() == 1)
        turns = np.flatnonzero(both != lone)[:draws]
        return np.asarray((sides.cluster[:, None] == turns) == lone)
    fold = np.zeros(len(both), dtype=np.int64)
    fold[sides.cluster] = sides.fold
    drawn = np.empty((len(both), draws), dtype=bool)
    for k in range(int(sides.fold.max()) + 1):
        members = np.flatnonzero(fold == k)
        if not members.size:
            continue
        repeated = np.broadcast_to(both[members][:, None], (len(members), draws))
        drawn[members] = generator.permuted(repeated, axis=0)
    return drawn[sides.cluster]


def _areas(
    scores: list[Matrix], signs: npt.NDArray[np.bool_], sides: Sides, folds: list[IntArray]
) -> FloatArray:
    """The area of each assignment of sides, folds joined by their pairs."""
    n = signs.shape[1]
    won, pairs = np.zeros(n), np.zeros(n)
    for part, rows in zip(scores, folds, strict=True):
        weight = sides.weight[rows]
        window = signs[rows].T
        ours = window @ weight
        pairs += ours * (weight.sum() - ours)
        won += _won(part, window, weight)
    return as_floats(np.where(pairs > 0, won / np.maximum(pairs, 1e-300), 0.5))


def _won(scores: Matrix, window: npt.NDArray[np.bool_], weight: FloatArray) -> FloatArray:
    """Weight of the pairs that the window wins, ties half, of each column of scores; ``window`` is (P, rows)."""
    n = scores.shape[0]
    # rows that are alike must tie, whatever the order of sums; whole numbers with the row behind them sort fastest
    whole = np.rint(_rounded(scores).T * _STEPS).astype(np.int64) + _STEPS
    bits = n.bit_length()
    behind = np.sort((whole << bits) | np.arange(n), axis=1)
    level, row = behind >> bits, behind & ((1 << bits) - 1)
    mine = np.take_along_axis(window, row, axis=1)
    heavy = weight[row]
    theirs = np.where(mine, 0.0, heavy)
    first = np.ones(level.shape, dtype=bool)
    first[:, 1:] = level[:, 1:] != level[:, :-1]
    starts = np.flatnonzero(first)
    tied = np.add.reduceat(theirs.ravel(), starts)
    winning = np.add.reduceat((heavy - theirs).ravel(), starts)
    up_to = np.cumsum(theirs, axis=1).ravel()[np.append(starts[1:], level.size) - 1]
    lines = np.searchsorted(starts, np.arange(level.shape[0]) * n)
    return as_floats(np.add.reduceat(winning * (up_to - tied / 2), lines))


def _rounded(scores: npt.NDArray[np.floating]) -> FloatArray:
    """To 1 / 100 000 of the largest of the column."""
    scale = np.maximum(np.abs(scores).max(axis=0), 1e-30)
    return as_floats(np.round(scores.astype(np.float64) / scale, 5))


def _beaten(
    scores: FloatArray, window: npt.NDArray[np.bool_], weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rounded = _rounded(scores)
    order = np.argsort(rounded, kind="stable")
    below, above = _beaten_sorted(rounded[order], window[order], weight[order])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return below[back], above[back]


def _beaten_sorted(
    scores: FloatArray, window: npt.NDArray[np.bool_], weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """For rows in order: weight of the reference below each, of the window above each; ties half."""
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    sizes = np.diff(np.append(starts, len(scores)))
    theirs = np.add.reduceat(np.where(window, 0.0, weight), starts)
    ours = np.add.reduceat(np.where(window, weight, 0.0), starts)
    below = np.cumsum(theirs) - theirs / 2
    above = ours.sum() - np.cumsum(ours) + ours / 2
    return np.repeat(below, sizes), np.repeat(above, sizes)


def _variance(placed: Placed, sides: Sides) -> tuple[float, float]:
    """Over the totals of clusters of either side, with Welch's degrees of freedom; over rows where there is one."""
    both = sides.cluster_side
    totals = np.bincount(sides.cluster, placed.influence, minlength=len(both))
    parts = []
    for which in (True, False):
        one = totals[both == which]
        if len(one) < 2:
            one = placed.influence[sides.side == which]
        size = max(len(one), 2)
        parts.append((float(np.square(one).sum()) * size / (size - 1), size - 1))
    (first, df_first), (second, df_second) = parts
    whole = first + second
    if whole <= 0:
        return 0.0, float(min(df_first, df_second))
    return whole, whole**2 / (first**2 / df_first + second**2 / df_second)


def _interval(
    value: float, variance: float, df: float, sides: Sides, confidence: float
) -> tuple[float, float]:
    sizes = [int(sides.side.sum()), int((~sides.side).sum())]
    if variance <= 0:
        # where all pairs agree, a cluster speaks once
        both = sides.cluster_side
        counts = [int(both.sum()), int((~both).sum())]
        sizes = [count if count > 1 else size for count, size in zip(counts, sizes, strict=True)]
    found = auc_interval([value], [variance], [sizes[0]], [sizes[1]], confidence, [max(df, 1.0)])
    return float(found.low[0]), float(found.high[0])


def _share_beyond(scores: FloatArray, sides: Sides) -> FloatArray:
    beyond = np.ones(len(scores))
    for k in range(int(sides.fold.max()) + 1):
        rows = np.flatnonzero(sides.fold == k)
        weight = np.where(sides.side[rows], 0.0, sides.weight[rows])
        total = float(weight.sum())
        if total > 0:
            below, _ = _beaten(scores[rows], sides.side[rows], sides.weight[rows])
            beyond[rows] = 1 - below / total
    return beyond
