"""A model of the model's mistakes: fitted out of fold, judged on days it has not seen.

Gradient boosting of "wrong" on the features and the logged scores. Every row is judged by a fit without its days, so
the area, the calibration and what a filter would catch are those of a model used on later rows, not of one that has
seen the answers. Beside it stands what the score alone says, since a filter by the score costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from analytics.measures.rows import Together
from analytics.stats.calibrators import block_folds
from analytics.stats.encoding import Column, Encoder, fit_encoder
from analytics.stats.threads import one_thread

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
FOLDS = 5
LEAST_ROWS = 200
LEAST_OF_A_KIND = 20
"""Wrong rows, and right ones, below which nothing is fitted."""
_SEED = 11


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows with a label.

    Attributes:
        columns: features and scores by name: doubles (nan for missing), or texts (None for missing).
        wrong: whether the model was wrong on each.
        doubt: how unsure the score is of each; higher is less sure.
        together: weights, blocks and units.
    """

    columns: Mapping[str, Column]
    wrong: Truths
    doubt: Floats
    together: Together

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.wrong)

    @property
    def problem(self) -> str | None:
        """Why nothing can be fitted; None where it can."""
        wrong = int(self.wrong.sum())
        if self.n < LEAST_ROWS:
            return f"{self.n:,} labelled rows; {LEAST_ROWS} are needed"
        if min(wrong, self.n - wrong) < LEAST_OF_A_KIND:
            return f"{wrong:,} of {self.n:,} rows are wrong; {LEAST_OF_A_KIND} of either kind are needed"
        return None


@dataclass(frozen=True, eq=False)
class Fitted:
    """An error model.

    Attributes:
        encoder: of the columns.
        design: the rows it was fitted to, encoded.
        folds: the fit without each fold.
        whole: the fit on all rows.
        fold: of each row.
        chance: of being wrong, of each row by the fit that did not see it.
        microseconds: that one row took.
    """

    encoder: Encoder
    design: Floats
    folds: Sequence[_Model]
    whole: _Model
    fold: npt.NDArray[np.int64]
    chance: Floats
    microseconds: float

    def predict(self, columns: Mapping[str, Column]) -> Floats:
        """The chance of being wrong of other rows."""
        with one_thread():
            return self.whole(self.encoder(columns))

    def shuffled(self, name: str) -> Floats:
        """The chances where one column's values stand beside other rows of the same fold."""
        place = self.encoder.places()[name]
        generator = np.random.default_rng(_SEED)
        design = self.design.copy()
        for g in range(len(self.folds)):
            mine = np.flatnonzero(self.fold == g)
            design[mine, place] = self.design[generator.permutation(mine), place]
        with one_thread():
            return _crossed(self.folds, design, self.fold)


def fit_error_model(rows: LabelledRows) -> Fitted:
    """Fit with and without each fold of days.

    Raises:
        ValueError: there is too little to learn from (`LabelledRows.problem`).
    """
    if rows.problem is not None:
        raise ValueError(rows.problem)
    encoder = fit_encoder(rows.columns)
    design = encoder(rows.columns)
    fold = block_folds(rows.together.block, FOLDS)
    wrong, weight = rows.wrong.astype(np.float64), rows.together.weight
    with one_thread():
        folds = [_fit(design[fold != g], wrong[fold != g], weight[fold != g]) for g in range(fold.max() + 1)]
        whole = _fit(design, wrong, weight)
        began = time.perf_counter()
        chance = _crossed(folds, design, fold)
        taken = time.perf_counter() - began
    return Fitted(encoder, design, folds, whole, fold, chance, 1e6 * taken / rows.n)


@dataclass(frozen=True, eq=False)
class _Model:
    """A fitted model, or a constant where one kind of row was missing."""

    boosted: _Boosted | None
    constant: float

    def __call__(self, design: Floats) -> Floats:
        if self.boosted is None or not len(design):
            return np.full(len(design), self.constant)
        return np.asarray(self.boosted.predict_proba(design)[:, 1], dtype=np.float64)


class _Boosted(Protocol):
    """What a boosted classifier does; sklearn is imported only where one is fitted."""

    def predict_proba(self, X: Floats, /) -> Floats: ...


def _fit(design: Floats, wrong: Floats, weight: Floats) -> _Model:
    share = float(np.average(wrong, weights=weight))
    if not 0 < share < 1 or design.shape[1] == 0:
        return _Model(None, share)
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  # half a second, only where needed

    boosted = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=5.0, max_bins=64,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    return _Model(boosted.fit(design, wrong, sample_weight=weight), share)


def _crossed(models: Sequence[_Model], design: Floats, fold: npt.NDArray[np.int64]) -> Floats:
    answer = np.empty(len(fold))
    for g, model in enumerate(models):
        answer[fold == g] = model(design[fold == g])
    return answer
