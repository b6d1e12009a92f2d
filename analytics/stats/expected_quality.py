"""Quality that is expected when only the chance of each label is known, and how each chance moves it.

Every estimate comes with its derivative by the weight of each possible label of each row. With it follow the noise
that the labels themselves will bring (variance of a draw, `label_variance`) and how far other chances would move the
estimate (`moved`). With chances of 0 and 1 the estimates are the realised metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import classification
from .arrays import FloatArray, IntArray, as_floats
from .classification import Linearised, Undefined
from .roc import area_and_placements, auc

BINARY = (
    "roc_auc", "log_loss", "brier_score", "accuracy", "precision", "recall", "specificity", "f1", "prevalence",
)  # fmt: skip
MULTICLASS = (
    "log_loss", "brier_score", "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro",
)  # fmt: skip
REGRESSION = ("mean_absolute_error", "root_mean_squared_error")
_SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ScoredRows:
    """Rows of a binary model, or groups of rows that share score bin and decision; ascending by place.

    Attributes:
        place: rows with the same place are ties, shape (R,).
        decision: 0, 1, or -1 where there is none.
        n: rows of each group.
        w: sum of weights.
        w2: sum of squared weights.
        score: mean score.
        loss_if_negative: weighted sum of the log loss were the label 0.
        loss_if_positive: the same for 1.
        square_if_negative: weighted sum of the squared error were the label 0.
        square_if_positive: the same for 1.
    """

    place: FloatArray
    decision: IntArray
    n: FloatArray
    w: FloatArray
    w2: FloatArray
    score: FloatArray
    loss_if_negative: FloatArray
    loss_if_positive: FloatArray
    square_if_negative: FloatArray
    square_if_positive: FloatArray

    def only(self, rows: np.ndarray) -> ScoredRows:
        """Some of the rows, by position or mask."""
        return ScoredRows(**{name: values[rows] for name, values in vars(self).items()})


def rows_of(score: FloatArray, decision: IntArray, weight: FloatArray | None = None) -> ScoredRows:
    """Single rows, sorted by score."""
    w = np.ones(len(score)) if weight is None else weight
    order = np.argsort(score, kind="stable")
    s, d, w = score[order], decision[order], w[order]
    clipped = np.clip(s, _SMALLEST, 1 - _SMALLEST)
    return ScoredRows(
        s, d, np.ones(len(s)), w, w * w, s, -w * np.log1p(-clipped), -w * np.log(clipped), w * s**2,
        w * (1 - s) ** 2,
    )  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """Estimates of M metrics.

    Attributes:
        values: NaN where undefined, shape (M,).
        gradients: derivative by the weight of each label of each row: shape (M, R) as positive minus negative for a
            binary model, (M, R, K) for several classes; of no row where they were not asked for.
        reasons: of those that are undefined.
    """

    values: FloatArray
    gradients: FloatArray
    reasons: dict[str, str]


_Table = Callable[[float, float, float, float], "Linearised | Undefined"]
_DECIDED: dict[str, _Table] = {
    "accuracy": classification.accuracy,
    "precision": classification.precision,
    "recall": classification.recall,
    "specificity": classification.specificity,
    "f1": classification.f1,
}
NO_DECISIONS = "no row has a decision"
ONE_CLASS = "all labels are, or are expected to be, of one class"


def binary(
    rows: ScoredRows, chance: FloatArray, earned: FloatArray | None = None, *, gradients: bool = True
) -> Expected:
    """The metrics of `BINARY`, and of ``cost`` where ``earned`` (true x decided, shape (2, 2)) is given.

    Confidence-based performance estimation (NannyML's CBPE) with ties half, of the logged score and decision. Measured
    values, whose chances are 0 or 1, need no ``gradients``.
    """
    names = (*BINARY, "cost") if earned is not None else BINARY
    values = np.full(len(names), np.nan)
    moved = np.zeros((len(names), len(rows.w) if gradients else 0))
    reasons: dict[str, str] = {}
    parts = _binary_parts(rows, chance, gradients=gradients)
    parts |= _decided_parts(rows, chance, earned, gradients=gradients)
    for i, name in enumerate(names):
        part = parts[name]
        if isinstance(part, Undefined):
            reasons[name] = part.reason
        else:
            values[i] = part[0]
            if gradients:
                moved[i] = part[1]
    return Expected(values, moved, reasons)


_Part = tuple[float, FloatArray] | Undefined
_NOT_ASKED = np.zeros(0)


def _binary_parts(rows: ScoredRows, p: FloatArray, *, gradients: bool) -> dict[str, _Part]:
    total = float(rows.w.sum())
    if total <= 0:
        return dict.fromkeys(("roc_auc", "log_loss", "brier_score", "prevalence"), Undefined("no rows"))
    safe = np.where(rows.w > 0, rows.w, 1.0)
    answer: dict[str, _Part] = {"roc_auc": _auc(rows, p, gradient=gradients)}
    for name, zero, one in (
        ("log_loss", rows.loss_if_negative, rows.loss_if_positive),
        ("brier_score", rows.square_if_negative, rows.square_if_positive),
    ):
        value = float((p * one + (1 - p) * zero).sum() / total)
        answer[name] = value, (one - zero) / safe / total if gradients else _NOT_ASKED
    answer["prevalence"] = float(p @ rows.w / total), np.full(len(p), 1.0 / total)
    return answer


def _auc(rows: ScoredRows, p: FloatArray, *, gradient: bool) -> _Part:
    starts = np.flatnonzero(np.r_[True, rows.place[1:] != rows.place[:-1]])
    pos, neg = np.add.reduceat(rows.w * p, starts), np.add.reduceat(rows.w * (1 - p), starts)
    # no row is both a positive and a negative: pairs of a row with itself do not count
    own = float(rows.w2 @ (p * (1 - p)))
    pairs = float(pos.sum() * neg.sum())
    if pairs - own <= 1e-12 * max(pairs, 1e-300):
        return Undefined(ONE_CLASS)
    if not gradient:
        return (float(auc(pos, neg)) * pairs - own / 2) / (pairs - own), _NOT_ASKED
    area, influence = area_and_placements(pos, neg)
    value = (float(area) * pairs - own / 2) / (pairs - own)
    size = np.diff(np.r_[starts, len(p)])
    return value, as_floats(np.repeat(influence.positive - influence.negative, size))


def _decided_parts(
    rows: ScoredRows, p: FloatArray, earned: FloatArray | None, *, gradients: bool
) -> dict[str, _Part]:
    names = (*_DECIDED, "cost") if earned is not None else tuple(_DECIDED)
    known = rows.decision >= 0
    total = float(rows.w[known].sum())
    if total <= 0:
        return dict.fromkeys(names, Undefined(NO_DECISIONS))
    yes, no = rows.decision == 1, rows.decision == 0
    positive, negative = rows.w * p, rows.w * (1 - p)
    tp, fp = float(positive[yes].sum()), float(negative[yes].sum())
    fn, tn = float(positive[no].sum()), float(negative[no].sum())
    answer: dict[str, _Part] = {}
    for name, measure in _DECIDED.items():
        found = measure(tp, fp, fn, tn)
        if isinstance(found, Undefined):
            answer[name] = found
        else:
            answer[name] = found.value, _by_decision(rows, found) if gradients else _NOT_ASKED
    if earned is not None:
        value = float((np.array([[tn, fp], [fn, tp]]) * earned).sum() / total)
        change = (earned[1] - earned[0]) / total
        answer["cost"] = value, np.where(yes, change[1], np.where(no, change[0], 0.0))
    return answer


def _by_decision(rows: ScoredRows, found: Linearised) -> FloatArray:
    tp, fp, fn, tn = found.influence
    return np.where(rows.decision == 1, tp - fp, np.where(rows.decision == 0, fn - tn, 0.0))


_MATRIX = {
    "accuracy": classification.accuracy_of,
    "balanced_accuracy": classification.balanced_accuracy_of,
    "precision_macro": classification.precision_macro_of,
    "recall_macro": classification.recall_macro_of,
    "f1_macro": classification.f1_macro_of,
}


def multiclass(
    score: FloatArray,
    decision: IntArray,
    weight: FloatArray,
    chance: FloatArray,
    earned: FloatArray | None = None,
) -> Expected:
    """The metrics of `MULTICLASS`, and of ``cost`` where ``earned`` (true x decided, shape (K, K)) is given.

    Args:
        score: logged scores, shape (R, K).
        decision: the number of the decided class; -1 where there is none.
        weight: of each row.
        chance: of each class, shape (R, K).
        earned: what each pair of true and decided class earns.
    """
    classes = score.shape[1]
    total = float(weight.sum())
    clipped = np.clip(score, _SMALLEST, 1 - _SMALLEST)
    squares = np.square(score).sum(axis=1, keepdims=True) - 2 * score + 1
    known = decision >= 0
    table = np.zeros((classes, classes))
    np.add.at(table.T, decision[known], (weight[:, None] * chance)[known])
    parts: dict[str, tuple[float, FloatArray] | Undefined] = {}
    for name, loss in (("log_loss", -np.log(clipped)), ("brier_score", squares)):
        parts[name] = (
            (float(weight @ (chance * loss).sum(axis=1)) / total, loss / total)
            if total > 0
            else Undefined("no rows")
        )
    for name, part in matrix_metrics(table, earned).items():
        if isinstance(part, Undefined):
            parts[name] = part
        else:
            gradient = np.zeros((len(weight), classes))
            gradient[known] = part.influence.T[decision[known]]
            parts[name] = part.value, gradient
    return _collected(parts, (len(weight), classes))


def matrix_metrics(table: FloatArray, earned: FloatArray | None = None) -> dict[str, Linearised | Undefined]:
    """The metrics of `MULTICLASS` that follow from a table of weights, true x decided."""
    total = float(table.sum())
    if total <= 0:
        names = (*_MATRIX, "cost") if earned is not None else tuple(_MATRIX)
        return dict.fromkeys(names, Undefined(NO_DECISIONS))
    answer = {name: measure(table) for name, measure in _MATRIX.items()}
    if earned is not None:
        value = float((table * earned).sum() / total)
        answer["cost"] = Linearised(value, (earned - value) / total)
    return answer


def _collected(parts: dict[str, tuple[float, FloatArray] | Undefined], shape: tuple[int, ...]) -> Expected:
    values, gradients = np.full(len(parts), np.nan), np.zeros((len(parts), *shape))
    reasons = {}
    for i, (name, part) in enumerate(parts.items()):
        if isinstance(part, Undefined):
            reasons[name] = part.reason
        else:
            values[i], gradients[i] = part
    return Expected(values, gradients, reasons)


def regression(weight: FloatArray, absolute: FloatArray, square: FloatArray) -> Expected:
    """The metrics of `REGRESSION` from the expected absolute and squared error of each row (direct loss estimation).

    Gradients are by the absolute error (first metric) and the squared error (second) of each row, shape (2, R).
    """
    total = float(weight.sum())
    if total <= 0:
        return Expected(np.full(2, np.nan), np.zeros((2, len(weight))), dict.fromkeys(REGRESSION, "no rows"))
    mean, root = float(weight @ absolute / total), float(np.sqrt(weight @ square / total))
    slopes = np.array([1.0, 0.5 / root if root > 0 else 0.0]) / total
    return Expected(np.array([mean, root]), np.repeat(slopes[:, None], len(weight), axis=1), {})


def label_variance(expected: Expected, chance: FloatArray, w2: FloatArray) -> FloatArray:
    """The variance of each metric when labels are drawn with these chances, independently row by row."""
    if expected.gradients.ndim == 2:
        return as_floats(np.square(expected.gradients) @ (w2 * chance * (1 - chance)))
    mean = (expected.gradients * chance).sum(axis=2)
    spread = (np.square(expected.gradients) * chance).sum(axis=2) - np.square(mean)
    return as_floats(np.maximum(spread, 0.0) @ w2)


def moved(expected: Expected, weight: FloatArray, change: FloatArray) -> FloatArray:
    """By how much each metric moves, to first order, when chances change by this much."""
    if expected.gradients.ndim == 2:
        return as_floats(expected.gradients @ (weight * change))
    return as_floats(np.einsum("mrk,rk->m", expected.gradients, weight[:, None] * change))


def sampling_variance(expected: Expected, chance: FloatArray, weight: FloatArray, drawn: float) -> FloatArray:
    """The variance that comes from having a share ``drawn`` of the rows only (simple random sampling)."""
    n = len(weight)
    if drawn >= 1.0 or n < 2:
        return np.zeros(len(expected.values))
    if expected.gradients.ndim == 2:
        per_row = expected.gradients * (weight * chance)
    else:
        per_row = (expected.gradients * chance).sum(axis=2) * weight
    centred = per_row - per_row.mean(axis=1, keepdims=True)
    return as_floats((1 - drawn) * n / (n - 1) * np.square(centred).sum(axis=1))
