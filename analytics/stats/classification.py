"""Measures of a confusion matrix, each with the influence of one row of every cell.

All are smooth functions of sums of weights. With the influence f of a cell (the derivative of the measure by
the cell's weight), the variance over independent rows is sum w2 f^2, where w2 is the cell's sum of squared
weights; for units or blocks, take the sums of weight x influence within each. A measure that has no value (no
positives, nothing decided) is ``Undefined`` with the reason, where scikit-learn would warn and return 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats


class Linearised(NamedTuple):
    """A value and the influence of a row of weight 1 in each cell (shape of the cells)."""

    value: float
    influence: FloatArray

    def variance(self, squared_weights: npt.ArrayLike) -> float:
        """Return the variance for independent rows, given the sums of squared weights per cell."""
        return float(np.sum(as_floats(squared_weights) * np.square(self.influence)))


class Undefined(NamedTuple):
    """The measure has no value on these rows, and why."""

    reason: str


Measure: TypeAlias = Linearised | Undefined

NO_ROWS = "no rows with both a label and a decision"
NO_POSITIVES = "no row is truly positive"
NO_NEGATIVES = "no row is truly negative"
NO_DECISIONS = "no row was decided positive"
ONE_CLASS = "all rows are of one true class"
CONSTANT = "all rows are of one true class, or all were decided alike"


def _share(part: Sequence[float], whole: Sequence[float], cells: Sequence[float], reason: str) -> Measure:
    """Linearise sum(part x cells) / sum(whole x cells), given the cells' coefficients."""
    sums, top, bottom = as_floats(cells), as_floats(part), as_floats(whole)
    total = float(bottom @ sums)
    if total <= 0:
        return Undefined(reason)
    value = float(top @ sums) / total
    return Linearised(value, (top - value * bottom) / total)


def accuracy(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of right decisions. Influences of all binary measures are in the order tp, fp, fn, tn.

    >>> accuracy(40, 10, 5, 45).value
    0.85
    """
    return _share((1, 0, 0, 1), (1, 1, 1, 1), (tp, fp, fn, tn), NO_ROWS)


def precision(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of positives among the rows decided positive.

    >>> precision(0, 0, 5, 45)
    Undefined(reason='no row was decided positive')
    """
    return _share((1, 0, 0, 0), (1, 1, 0, 0), (tp, fp, fn, tn), NO_DECISIONS)


def recall(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of positives that were decided positive."""
    return _share((1, 0, 0, 0), (1, 0, 1, 0), (tp, fp, fn, tn), NO_POSITIVES)


def specificity(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of negatives that were decided negative."""
    return _share((0, 0, 0, 1), (0, 1, 0, 1), (tp, fp, fn, tn), NO_NEGATIVES)


def f1(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return 2 tp / (2 tp + fp + fn): 0, as in scikit-learn, where there are positives and none is found."""
    return _share(
        (2, 0, 0, 0), (2, 1, 1, 0), (tp, fp, fn, tn), "no row is truly positive or decided positive"
    )


def prevalence(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of truly positive rows."""
    return _share((1, 0, 1, 0), (1, 1, 1, 1), (tp, fp, fn, tn), NO_ROWS)


def decision_rate(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the share of rows decided positive (among rows with a label)."""
    return _share((1, 1, 0, 0), (1, 1, 1, 1), (tp, fp, fn, tn), NO_ROWS)


def balanced_accuracy(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the mean of recall and specificity."""
    return _binary(balanced_accuracy_of, tp, fp, fn, tn)


def matthews_corrcoef(tp: float, fp: float, fn: float, tn: float) -> Measure:
    """Return the correlation of label and decision.

    >>> round(matthews_corrcoef(40, 10, 5, 45).value, 4)
    0.7035
    """
    return _binary(matthews_corrcoef_of, tp, fp, fn, tn)


def _binary(
    measure: Callable[[npt.ArrayLike], Measure], tp: float, fp: float, fn: float, tn: float
) -> Measure:
    result = measure([[tn, fp], [fn, tp]])
    if isinstance(result, Undefined):
        return result
    cells = result.influence
    return Linearised(result.value, np.array([cells[1, 1], cells[0, 1], cells[1, 0], cells[0, 0]]))


def _matrix(matrix: npt.ArrayLike) -> FloatArray:
    sums = as_floats(matrix)
    if sums.ndim != 2 or sums.shape[0] != sums.shape[1]:
        message = f"a confusion matrix is square (true class x decided class), found shape {sums.shape}"
        raise ValueError(message)
    return sums


def accuracy_of(matrix: npt.ArrayLike) -> Measure:
    """Return the share of right decisions from a K x K matrix of weights (rows true, columns decided)."""
    sums = _matrix(matrix)
    total = float(sums.sum())
    if total <= 0:
        return Undefined(NO_ROWS)
    value = float(np.trace(sums)) / total
    return Linearised(value, (np.eye(len(sums)) - value) / total)


def balanced_accuracy_of(matrix: npt.ArrayLike) -> Measure:
    """Return the mean recall over the classes that are present (at least two).

    >>> balanced_accuracy_of([[8, 2], [1, 1]]).value
    0.65
    """
    sums = _matrix(matrix)
    if int((sums.sum(axis=1) > 0).sum()) < 2:
        return Undefined(ONE_CLASS)
    return recall_macro_of(sums)


def matthews_corrcoef_of(matrix: npt.ArrayLike) -> Measure:
    """Return the multiclass correlation coefficient (Gorodkin, Comp. Biology and Chemistry 28, 2004).

    With n rows, c right ones, t_k true and p_k decided per class: (c n - sum t p) / sqrt((n^2 - sum p^2)(n^2
    - sum t^2)).
    """
    sums = _matrix(matrix)
    total = float(sums.sum())
    if total <= 0:
        return Undefined(NO_ROWS)
    sums = sums / total  # the measure does not depend on the scale, and products of shares cannot overflow
    true, decided, right = sums.sum(axis=1), sums.sum(axis=0), float(np.trace(sums))
    spread_decided = 1 - float(decided @ decided)
    spread_true = 1 - float(true @ true)
    if min(spread_decided, spread_true) <= 1e-14:
        return Undefined(CONSTANT)
    scale = float(np.sqrt(spread_decided * spread_true))
    value = (right - float(true @ decided)) / scale
    by_decided, by_true = decided[None, :], true[:, None]
    numerator = np.eye(len(sums)) + right - decided[:, None] - true[None, :]
    change = (1 - by_decided) / spread_decided + (1 - by_true) / spread_true
    return Linearised(value, (numerator / scale - value * change) / total)


def precision_of(matrix: npt.ArrayLike, k: int) -> Measure:
    """Return the precision of class ``k`` against the rest."""
    sums = _matrix(matrix)
    cells = np.zeros_like(sums)
    cells[:, k] = 1
    return _class_share(sums, k, cells, NO_DECISIONS)


def recall_of(matrix: npt.ArrayLike, k: int) -> Measure:
    """Return the recall of class ``k`` against the rest."""
    sums = _matrix(matrix)
    cells = np.zeros_like(sums)
    cells[k, :] = 1
    return _class_share(sums, k, cells, NO_POSITIVES)


def f1_of(matrix: npt.ArrayLike, k: int) -> Measure:
    """Return F1 of class ``k`` against the rest."""
    sums = _matrix(matrix)
    cells = np.zeros_like(sums)
    cells[k, :] += 0.5
    cells[:, k] += 0.5
    return _class_share(sums, k, cells, "no row is truly positive or decided positive")


def _class_share(sums: FloatArray, k: int, whole: FloatArray, reason: str) -> Measure:
    """Linearise M[k, k] / sum(whole x M)."""
    total = float((whole * sums).sum())
    if total <= 0:
        return Undefined(reason)
    value = float(sums[k, k]) / total
    influence = -value * whole / total
    influence[k, k] += 1 / total
    return Linearised(value, influence)


def one_vs_rest(matrix: npt.ArrayLike, k: int) -> FloatArray:
    """Return tp, fp, fn, tn of class ``k`` against all others (also of matrices of squared weights).

    >>> one_vs_rest([[5, 1, 0], [2, 6, 0], [0, 1, 9]], 1).tolist()
    [6.0, 2.0, 2.0, 14.0]
    """
    sums = _matrix(matrix)
    right = sums[k, k]
    alarms, misses = sums[:, k].sum() - right, sums[k, :].sum() - right
    return np.array([right, alarms, misses, sums.sum() - right - alarms - misses])


def precision_macro_of(matrix: npt.ArrayLike) -> Measure:
    """Return the mean precision over the classes present; undefined where one of them was never decided."""
    return _macro(_matrix(matrix), precision_of)


def recall_macro_of(matrix: npt.ArrayLike) -> Measure:
    """Return the mean recall over the classes present."""
    return _macro(_matrix(matrix), recall_of)


def f1_macro_of(matrix: npt.ArrayLike) -> Measure:
    """Return the mean F1 over the classes present."""
    return _macro(_matrix(matrix), f1_of)


def absent_classes(matrix: npt.ArrayLike) -> int:
    """Return the number of classes without a single true row: macro means leave them out."""
    return int((_matrix(matrix).sum(axis=1) <= 0).sum())


def _macro(sums: FloatArray, measure: Callable[[npt.ArrayLike, int], Measure]) -> Measure:
    present = np.flatnonzero(sums.sum(axis=1) > 0)
    if present.size == 0:
        return Undefined(NO_ROWS)
    value, influence = 0.0, np.zeros_like(sums)
    for k in present:
        part = measure(sums, int(k))
        if isinstance(part, Undefined):
            return Undefined(f"class number {int(k)}: {part.reason}")
        value += part.value / present.size
        influence += part.influence / present.size
    return Linearised(value, influence)
