"""Scores turned into probabilities: which recalibration helps, judged on rows that it was not fitted on.

Three candidates: the scores as they are, a logistic curve on the logit (Platt, 1999) and isotonic regression
(Zadrozny and Elkan, 2002). The one with the smallest log loss on left-out folds is taken; the fits without each
fold also say how far the answer moves with the rows it was fitted on (`leave_out_variance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, IntArray, as_floats, divide
from .recalibration import NoFit, fit_isotonic, fit_logistic, logits

Kind = Literal["none", "logistic", "isotonic"]
KINDS: tuple[Kind, ...] = ("none", "logistic", "isotonic")
LEAST_OF_A_CLASS = 20
"""Labels of either class below which nothing is fitted."""


@dataclass(frozen=True)
class Calibrator:
    """A monotone map from a score to a probability.

    Attributes:
        kind: what it is.
        slope: of the logistic curve.
        intercept: of the logistic curve.
        scores: corners of the isotonic steps, between which it is linear.
        chances: its values there.
    """

    kind: Kind = "none"
    slope: float = 1.0
    intercept: float = 0.0
    scores: FloatArray | None = None
    chances: FloatArray | None = None

    def __call__(self, score: npt.ArrayLike) -> FloatArray:
        """The probability of each score.

        >>> Calibrator("logistic", slope=2.0)([0.5, 0.8]).round(3).tolist()
        [0.5, 0.941]
        """
        s = as_floats(score)
        if self.kind == "logistic":
            return as_floats(special.expit(self.intercept + self.slope * logits(s)))
        if self.scores is not None and self.chances is not None:
            return as_floats(np.interp(s, self.scores, self.chances))
        return np.clip(s, 0.0, 1.0)


def fit(kind: Kind, score: FloatArray, label: FloatArray, weight: FloatArray) -> Calibrator:
    """Fit one kind to weighted rows with labels 0 and 1; the scores as they are where a class is too rare."""
    positive = weight > 0
    rarer = min(float((label[positive] == 1).sum()), float((label[positive] == 0).sum()))
    if kind == "none" or rarer < LEAST_OF_A_CLASS:
        return Calibrator()
    return _logistic(score, label, weight) if kind == "logistic" else _isotonic(score, label, weight)


def _logistic(score: FloatArray, label: FloatArray, weight: FloatArray) -> Calibrator:
    found = fit_logistic(score, weight * (1 - label), weight * label)
    # a curve that falls would turn the order of the scores around, which recalibration must not
    if isinstance(found, NoFit) or found.slope <= 0:
        return Calibrator()
    return Calibrator("logistic", found.slope, found.intercept)


def _isotonic(score: FloatArray, label: FloatArray, weight: FloatArray) -> Calibrator:
    found = fit_isotonic(score, label, weight, towards=float(np.average(label, weights=weight)))
    return Calibrator("isotonic", scores=found.scores, chances=found.values)


@dataclass(frozen=True)
class Chosen:
    """The kind whose log loss on left-out folds is smallest.

    Attributes:
        kind: of all of them.
        whole: fitted on all rows, one a class (one only for a binary score).
        without: fitted without each fold.
        losses: mean log loss on left-out folds by kind.
    """

    kind: Kind
    whole: tuple[Calibrator, ...]
    without: tuple[tuple[Calibrator, ...], ...]
    losses: dict[Kind, float]

    def chances(self, score: FloatArray) -> FloatArray:
        """Probabilities of scores of shape (R,), or of shape (R, K) with rows that sum to 1."""
        return chances(self.whole, score)

    def left_out(self, score: FloatArray) -> list[FloatArray]:
        """The same by the fits without each fold."""
        return [chances(calibrators, score) for calibrators in self.without]

    def cross_fitted(self, score: FloatArray, fold: IntArray) -> FloatArray:
        """The probability of every row by the fit that did not see its fold."""
        return _crossed(self.without, score, fold)


def choose(
    score: FloatArray,
    label: npt.ArrayLike,
    weight: FloatArray,
    fold: IntArray,
    kinds: Sequence[Kind] = KINDS,
) -> Chosen:
    """Fit every kind without each fold and keep the best.

    Args:
        score: shape (R,), or (R, K) with one score a class.
        label: 0 or 1, or the number of the true class.
        weight: of each row.
        fold: 0 … G - 1; rows that belong together share one.
        kinds: the candidates; the first wins a tie.
    """
    truth = np.asarray(label)
    folds = range(int(fold.max()) + 1 if len(fold) else 0)
    losses: dict[Kind, float] = {}
    fits: dict[Kind, tuple[tuple[Calibrator, ...], ...]] = {}
    for kind in kinds:
        fits[kind] = tuple(_fit_each(kind, score, truth, np.where(fold == g, 0.0, weight)) for g in folds)
        losses[kind] = log_loss(_crossed(fits[kind], score, fold), truth, weight) if fits[kind] else 0.0
    best = min(kinds, key=lambda kind: losses[kind])
    return Chosen(best, _fit_each(best, score, truth, weight), fits[best], losses)


def _fit_each(
    kind: Kind, score: FloatArray, truth: npt.NDArray[np.generic], weight: FloatArray
) -> tuple[Calibrator, ...]:
    seen = weight > 0
    if score.ndim == 1:
        return (fit(kind, score[seen], as_floats(truth[seen]), weight[seen]),)
    return tuple(
        fit(kind, score[seen, k], as_floats(truth[seen] == k), weight[seen]) for k in range(score.shape[1])
    )


def chances(calibrators: Sequence[Calibrator], score: FloatArray) -> FloatArray:
    """Apply calibrators: one to a binary score; one a class to (R, K), each row then made to sum to 1."""
    if score.ndim == 1:
        return calibrators[0](score)
    raw = np.column_stack([calibrator(score[:, k]) for k, calibrator in enumerate(calibrators)])
    return divide(raw, raw.sum(axis=1, keepdims=True), otherwise=1.0 / score.shape[1])


def _crossed(without: Sequence[tuple[Calibrator, ...]], score: FloatArray, fold: IntArray) -> FloatArray:
    answer = np.empty(score.shape)
    for g, calibrators in enumerate(without):
        rows = fold == g
        answer[rows] = chances(calibrators, score[rows])
    return answer


def log_loss(chance: FloatArray, truth: npt.NDArray[np.generic], weight: FloatArray) -> float:
    """The weighted mean log loss of probabilities of shape (R,) or (R, K)."""
    if chance.ndim == 1:
        right = np.where(truth == 1, chance, 1 - chance)
    else:
        right = chance[np.arange(len(chance)), truth.astype(np.int64)]
    total = float(weight.sum())
    return float(-(weight @ np.log(np.maximum(right, 1e-15))) / total) if total > 0 else 0.0


def leave_out_variance(estimates: npt.ArrayLike) -> FloatArray:
    """The delete-a-group jackknife variance of estimates made without each of G groups (first axis).

    (G - 1) / G x sum (estimate - mean)^2; 0 with fewer than two groups (Kott, J. Official Statistics 17, 2001).

    >>> float(leave_out_variance([1.0, 2.0, 3.0]))
    1.3333333333333333
    """
    values = as_floats(estimates)
    groups = values.shape[0]
    if groups < 2:
        return np.zeros(values.shape[1:])
    return as_floats((groups - 1) * np.var(values, axis=0))


def block_folds(block: npt.ArrayLike, most: int = 10) -> IntArray:
    """Folds of whole blocks that follow each other; rows one by one where there is one block only.

    >>> block_folds([3, 3, 5, 7], most=2).tolist()
    [0, 0, 0, 1]
    """
    codes, place = np.unique(np.asarray(block), return_inverse=True)
    if len(codes) < 2:
        rows = np.arange(len(place))
        return np.asarray(rows % min(most, max(len(rows), 1)), dtype=np.int64)
    folds = min(most, len(codes))
    bounds = np.arange(len(codes)) * folds // len(codes)
    return np.asarray(bounds[place], dtype=np.int64)
