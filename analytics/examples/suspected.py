"""Labels that are likely wrong: what models that did not see them think, beside what was logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.stats.encoding import fit_encoder
from analytics.stats.label_errors import combined, label_errors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Column = Floats | Sequence[str | None]
FOLDS = 5
LEAST_ROWS = 200
LEAST_OF_CLASS = 10
FAR = 5.0
"""A number is suspected where it lies so many usual errors from both predictions, on the same side."""
_SEED = 7
_SHAPE = {
    "max_iter": 60, "learning_rate": 0.15, "max_leaf_nodes": 15, "min_samples_leaf": 30, "l2_regularization": 1.0,
    "max_bins": 128, "early_stopping": False, "random_state": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Suspect:
    """One suspected label.

    Attributes:
        place: of the row.
        suggested: the number of the class it looks like; of a regression None.
        logged: what the logged score gives that class, or predicted.
        other: the same of the model that did not see the row.
        times: of a regression, how many usual errors the label lies away from the nearer one.
    """

    place: int
    suggested: int | None
    logged: float
    other: float
    times: float | None = None


def folds_of(blocks: Integers, units: Sequence[str | None]) -> tuple[Integers, str]:
    """Deal whole blocks of time to folds; whole units where there are too few blocks; else rows."""
    known = np.array(["" if unit is None else str(unit) for unit in units])
    for names, word in ((blocks, "days"), (known, "units")):
        _, places = np.unique(names, return_inverse=True)
        count = int(places.max(initial=-1)) + 1
        if count >= 2 * FOLDS:
            return np.random.default_rng(_SEED).permutation(count)[places] % FOLDS, word
    return np.random.default_rng(_SEED).permutation(len(blocks)) % FOLDS, "rows"


def suspected_classes(
    columns: Mapping[str, Column], logged: Floats, labels: Integers, fold: Integers
) -> list[Suspect]:
    """Suspected labels of a classifier, the most suspect first.

    The logged scores were given before the label was known; a second opinion comes from boosted trees on the features,
    fitted on the other folds with the labels as they are. Both are combined by the mean of their log odds.

    Args:
        columns: of the features.
        logged: the logged probability of each class; shape (n, K), rows that sum to 1.
        labels: the class given, 0 … K - 1.
        fold: of each row.
    """
    with _one_thread():
        other = _classes_out_of_fold(fit_encoder(columns)(columns), labels, logged.shape[1], fold)
    found = label_errors(combined(logged, other), labels)
    return [
        Suspect(place, int(found.other[place]), float(logged[place, found.other[place]]),
                float(other[place, found.other[place]]))
        for place in found.ranked().tolist()
    ]  # fmt: skip


def suspected_numbers(
    columns: Mapping[str, Column], logged: Floats, labels: Floats, fold: Integers
) -> list[Suspect]:
    """Suspected labels of a regression: far from both predictions, on the same side."""
    with _one_thread():
        other = _numbers_out_of_fold(fit_encoder(columns)(columns), labels, fold)
    first, second = labels - logged, labels - other
    near = np.where(np.sign(first) == np.sign(second), np.minimum(np.abs(first), np.abs(second)), 0.0)
    usual = max(float(np.median(np.abs(second))) * 1.4826, 1e-300)
    order = np.argsort(-near, kind="stable")
    return [
        Suspect(place, None, float(logged[place]), float(other[place]), float(near[place] / usual))
        for place in order.tolist()
        if near[place] > FAR * usual
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads would cost more than they bring on so few rows; the library is loaded first, or it is not limited."""
    import sklearn.ensemble  # noqa: F401, PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        yield


def _classes_out_of_fold(matrix: Floats, labels: Integers, k: int, fold: Integers) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  # half a second, only where needed

    found = np.zeros((len(labels), k))
    for part in np.unique(fold).tolist():
        held, fitted = fold == part, fold != part
        present = np.unique(labels[fitted])
        if len(present) < 2 or not matrix.shape[1]:
            shares = np.bincount(labels[fitted], minlength=k) / max(int(fitted.sum()), 1)
            found[held] = shares
            continue
        model = HistGradientBoostingClassifier(**_SHAPE).fit(matrix[fitted], labels[fitted])
        found[np.ix_(held, present)] = model.predict_proba(matrix[held])
    return found


def _numbers_out_of_fold(matrix: Floats, labels: Floats, fold: Integers) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  # half a second, only where needed

    found = np.zeros(len(labels))
    for part in np.unique(fold).tolist():
        held, fitted = fold == part, fold != part
        if not matrix.shape[1]:
            found[held] = np.median(labels[fitted])
            continue
        # absolute errors: one wrong label must not pull the model to itself
        model = HistGradientBoostingRegressor(loss="absolute_error", **_SHAPE).fit(
            matrix[fitted], labels[fitted]
        )
        found[held] = model.predict(matrix[held])
    return found
