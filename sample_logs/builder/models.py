"""The models: ordinary scikit-learn, fixed seeds, nothing tuned to make a story come out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sample_logs.builder.encoding import CATEGORY_POSITIONS, NUMBER_POSITIONS, Encoder, Matrix

FOLDS = 5
BOOSTING = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 200,
    "l2_regularization": 10.0,
    "categorical_features": CATEGORY_POSITIONS,
    "random_state": 0,
}

# scikit-learn has no types; an estimator is anything with fit and predict or predict_proba.
Estimator = Any
MakeEstimator = Callable[[], Estimator]


def boosted_classifier() -> Estimator:
    """Gradient-boosted trees that take categories and missing values as they are."""
    return HistGradientBoostingClassifier(**BOOSTING)


def boosted_regressor(loss: Literal["squared_error", "absolute_error"]) -> Estimator:
    """The same trees for the mean or for the median of the minutes."""
    return HistGradientBoostingRegressor(loss=loss, **BOOSTING)


def logistic_regression() -> Estimator:
    """A plain logistic regression: linear in every number, missing ones at the training mean.

    Temperature, dew point and humidity enter as three lines. They nearly determine each other in winter,
    so their slopes are large and of opposite sign, and summer lies far outside: that is its real weakness.
    """
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBER_POSITIONS),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORY_POSITIONS),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000))


@dataclass(frozen=True)
class Model:
    """A fitted estimator with the encoder of its training rows."""

    encoder: Encoder
    estimator: Estimator

    @classmethod
    def fit(cls, make: MakeEstimator, flights: pd.DataFrame, target: str) -> Self:
        """Fit on the flights whose target is known."""
        known = flights[flights[target].notna()]
        encoder = Encoder.fit(known)
        return cls(encoder, make().fit(encoder.table(known), known[target]))

    def scores(self, flights: pd.DataFrame) -> npt.NDArray[np.float64]:
        """P(positive) per row; all class probabilities where there are more than two; or the prediction."""
        return self._scores(self.encoder.table(flights))

    def score(self, flight: dict[str, object]) -> npt.NDArray[np.float64]:
        """The same for one flight, as a scoring service does it."""
        return self._scores(self.encoder.row(flight))

    def _scores(self, rows: Matrix) -> npt.NDArray[np.float64]:
        if not hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict(rows))
        probabilities = np.asarray(self.estimator.predict_proba(rows))
        return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def out_of_fold(make: MakeEstimator, flights: pd.DataFrame, target: str) -> npt.NDArray[np.float64]:
    """Scores of every row by a model that saw none of its day.

    A random split would put flights of one snowstorm on both sides and flatter the reference.
    """
    folds = (flights["day"] - flights["day"].min()).dt.days.to_numpy() % FOLDS
    parts = [
        Model.fit(make, flights[folds != fold], target).scores(flights[folds == fold])
        for fold in range(FOLDS)
    ]
    scores = np.empty((len(flights), *parts[0].shape[1:]))
    for fold, part in enumerate(parts):
        scores[folds == fold] = part
    return scores
