"""How wrong a regression will be on a row: gradient boosting of its absolute and squared error on the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

from analytics.quality.estimated import Calibration
from analytics.quality.estimators import ErrorRows
from analytics.stats.threads import one_thread

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_SMALLEST = 1e-9


@dataclass(frozen=True)
class _Model:
    """One fitted model, or a constant."""

    boosted: HistGradientBoostingRegressor | None
    scale: float

    def __call__(self, features: Floats) -> Floats:
        if self.boosted is None or len(features) == 0:
            return np.full(len(features), self.scale)
        return np.asarray(self.boosted.predict(features), dtype=np.float64) * self.scale


@dataclass(frozen=True)
class ErrorModels:
    """Models of |error| and error squared, of all rows and without each fold.

    Attributes:
        absolute: the first of all rows, then one a fold.
        square: the same.
        excess: variance of the squared error as a multiple of its expectation's square.
        calibration: which kind did better on left-out folds.
    """

    absolute: tuple[_Model, ...]
    square: tuple[_Model, ...]
    excess: float
    calibration: Calibration

    def rows(self, features: Floats, weight: Floats, total: int) -> ErrorRows:
        """Expected errors of a window's rows."""
        with one_thread():
            both = [
                np.stack([model(features) for model in models]) for models in (self.absolute, self.square)
            ]
        return ErrorRows(both[0], both[1], weight, total, self.excess, self.calibration)

    def left_out(self, features: Floats, weight: Floats, fold: Integers) -> ErrorRows:
        """Expected errors of reference rows, each by the models that did not see its fold."""
        with one_thread():
            both = [
                _crossed(list(models[1:]), features, fold)[None, :] for models in (self.absolute, self.square)
            ]
        return ErrorRows(both[0], both[1], weight, len(weight), self.excess, self.calibration)


def fit_error_models(features: Floats, error: Floats, weight: Floats, fold: Integers) -> ErrorModels:
    """Fit with and without each fold; a constant where boosting does no better on left-out folds.

    Args:
        features: of the reference rows with the prediction among them, shape (N, d).
        error: prediction minus label.
        weight: sampling weights.
        fold: by blocks, 0 … G - 1.
    """
    with one_thread():
        return _fitted(features, (np.abs(error), np.square(error)), weight, fold)


def _fitted(features: Floats, targets: tuple[Floats, Floats], weight: Floats, fold: Integers) -> ErrorModels:
    folds = range(int(fold.max()) + 1)
    fits = {
        kind: [
            [_fit(kind, features[fold != g], target[fold != g], weight[fold != g]) for g in folds]
            for target in targets
        ]
        for kind in ("boosting", "constant")
    }
    crossed = {kind: [_crossed(models, features, fold) for models in both] for kind, both in fits.items()}
    # judged on the absolute error: squares of a few far rows would decide alone
    worse = {kind: float(weight @ np.square(targets[0] - crossed[kind][0])) for kind in crossed}
    best: Calibration = "boosting" if worse["boosting"] < worse["constant"] else "constant"
    whole = [_fit(best, features, target, weight) for target in targets]
    squares = crossed[best][1]
    excess = float(
        weight @ np.square(targets[1] - squares) / max(float(weight @ np.square(squares)), _SMALLEST)
    )
    return ErrorModels((whole[0], *fits[best][0]), (whole[1], *fits[best][1]), excess, best)


def _crossed(models: list[_Model], features: Floats, fold: Integers) -> Floats:
    answer = np.empty(len(fold))
    for g, model in enumerate(models):
        answer[fold == g] = model(features[fold == g])
    return answer


def _fit(kind: str, features: Floats, target: Floats, weight: Floats) -> _Model:
    mean = float(np.average(target, weights=weight))
    if kind == "constant" or mean <= _SMALLEST or features.shape[1] == 0:
        return _Model(None, max(mean, 0.0))
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  # half a second, only where needed

    # with the Poisson loss predictions stay positive and their mean is that of the errors
    boosted = HistGradientBoostingRegressor(
        loss="poisson", max_iter=60, learning_rate=0.08, max_leaf_nodes=12, min_samples_leaf=40,
        l2_regularization=1.0, max_bins=64, early_stopping=False, random_state=0,
    )  # fmt: skip
    return _Model(boosted.fit(features, target / mean, sample_weight=weight), mean)
