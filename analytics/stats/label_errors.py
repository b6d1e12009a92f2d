"""Labels that are likely wrong, by confident learning.

Every row has probabilities of the classes from models that did not see its label. A class is plausible for a row where
its probability reaches the mean probability of that class among the rows that carry it (so a model that is shy of a
rare class is not held against it). A label is suspected where another class is plausible and likelier than the given
one would have to be; the less probable the given label, the more suspect.

Source: Northcutt, Jiang and Chuang, Confident learning, JAIR 70 (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray

_TINY = 2.220446049250313e-16


@dataclass(frozen=True)
class LabelErrors:
    """What is thought of each label.

    Attributes:
        given: the probability of the label that was given; shape (n,).
        other: the likeliest plausible class, or -1 where none is; shape (n,).
        suspected: whether that class is another one than the label; shape (n,).
    """

    given: FloatArray
    other: IntArray
    suspected: npt.NDArray[np.bool_]

    def ranked(self) -> IntArray:
        """The places of the suspected rows, the least probable label first."""
        places = np.flatnonzero(self.suspected)
        return places[np.argsort(self.given[places], kind="stable")]


def combined(*probabilities: FloatArray) -> FloatArray:
    """The normalised geometric mean of several models' probabilities (n, K): the mean of their log odds.

    >>> combined(np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])).round(2).tolist()
    [[0.75, 0.25]]
    """
    logs = np.mean([np.log(np.clip(one, _TINY, 1.0)) for one in probabilities], axis=0)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def label_errors(probabilities: FloatArray, labels: IntArray) -> LabelErrors:
    """Judge each label.

    Args:
        probabilities: of each class, from models that did not see the row's label; shape (n, K).
        labels: the class given to each row, 0 … K - 1; shape (n,).
    """
    n, k = probabilities.shape
    given = probabilities[np.arange(n), labels]
    counts = np.bincount(labels, minlength=k)
    # a class that nobody carries is plausible for nobody
    limits = np.where(counts > 0, np.bincount(labels, given, minlength=k) / np.maximum(counts, 1), np.inf)
    plausible = np.where(probabilities >= limits, probabilities, -1.0)
    best = plausible.argmax(axis=1) if n else np.zeros(0, dtype=np.int64)
    other = np.where(plausible.max(axis=1, initial=-1.0) >= 0, best, -1).astype(np.int64)
    return LabelErrors(given, other, (other >= 0) & (other != labels))
