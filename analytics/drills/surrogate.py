"""What the model would have answered: a surrogate fitted to its logged scores, and the rule its decisions follow.

There is no model to call, so a broken input alone would leave the logged score as it is, and no fault in a feature
would ever do harm. Trees fitted to ``score ~ features`` on a seeded sample stand in for the model, and only for a
difference: a row whose input is broken gets its logged score plus what the trees answer to the broken input less what
they answer to the true one, on the logit scale (of a regression: on its own). Rows that are not touched keep their
score exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import special
from threadpoolctl import threadpool_limits

from analytics.aggregates.samples import read_sample
from analytics.ask.samples import Column, feature_columns, numbers
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog, Feature
from analytics.telemetry.rows import scoped_rows

Floats = npt.NDArray[np.float64]
SAMPLE_ROWS = 6_000
LEAST_ROWS = 200
_MOST_CATEGORIES = 250
_NEAR = 1e-6
_HUGE = 1e300
_TREES = 60
_AGREES = 0.99
_AGREES_FITTED = 0.97


@dataclass(frozen=True)
class Surrogate:
    """Trees that answer like one version.

    Attributes:
        features: in the order of the matrix.
        words: category -> number, of every feature that is no number.
        trees: one for the score, or for the score of every class.
        explained: share of the variance of the score that they explain on rows they were not fitted to; None where
            there are too few to say.
        task: of the project.
    """

    features: tuple[Feature, ...]
    words: Mapping[str, Mapping[str, int]]
    trees: tuple[Any, ...]
    explained: float | None
    task: str

    def moved(self, scores: Floats, before: Mapping[str, Column], after: Mapping[str, Column]) -> Floats:
        """The scores (n, k) of rows whose features went from ``before`` to ``after``."""
        left, right = (_matrix(self.features, self.words, columns) for columns in (before, after))
        with threadpool_limits(1):
            step = np.column_stack([tree.predict(right) - tree.predict(left) for tree in self.trees])
        return on_scale(to_scale(scores, self.task) + step, self.task)


@dataclass(frozen=True)
class DecisionRule:
    """How a version decides by its scores, read off its log.

    Attributes:
        threshold: of a binary task.
        weights: of several classes, a row a score: what is largest of ``log(score, 1) @ weights`` is decided.
        classes: their order in that.
    """

    threshold: float | None = None
    weights: Floats | None = None
    classes: tuple[str, ...] = ()

    def decide(self, scores: Floats) -> list[int] | list[str]:
        """The typed decision of each row of scores (n, k)."""
        if self.threshold is not None:
            return [int(value) for value in scores[:, 0] >= self.threshold]
        logs = np.log(np.clip(scores, _NEAR, None))
        ranked = logs if self.weights is None else _with_ones(logs) @ self.weights
        return [self.classes[place] for place in np.argmax(ranked, axis=1)]


def to_scale(scores: Floats, task: str) -> Floats:
    """Where differences add up: logit of a probability, logarithm of several, a number as it is."""
    if task == "regression":
        return scores
    inside = np.clip(scores, _NEAR, 1 - _NEAR)
    return np.asarray(special.logit(inside) if task == "binary" else np.log(inside), dtype=np.float64)


def on_scale(values: Floats, task: str) -> Floats:
    """Back from there; the scores of several classes sum to 1 again."""
    if task == "regression":
        return values
    return np.asarray(
        special.expit(values) if task == "binary" else special.softmax(values, axis=1), dtype=np.float64
    )


def fit_surrogate(catalog: Catalog, version: str | None) -> Surrogate | None:
    """Fit trees to the logged scores of one version; None where too few rows are scored."""
    scope = Scope(versions=() if version is None else (version,))
    table = _sample(catalog, scope, catalog.features)
    if table.num_rows < LEAST_ROWS or not catalog.features:
        return None
    columns = feature_columns(catalog, table)
    words = {
        feature.name: _codes(columns[feature.name])
        for feature in catalog.features
        if feature.kind != "numeric"
    }
    matrix = _matrix(catalog.features, words, columns)
    # a column that never held anything cannot be cut, and an empty one cannot be fitted
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    task = catalog.predictions.task
    goals = to_scale(scores_of(catalog, table), task)
    marks = [feature.kind != "numeric" for feature in catalog.features]
    held = np.arange(len(goals)) % 5 == 0
    # more threads than idle cores wait for each other longer than they work
    with threadpool_limits(1):
        trees = tuple(_tree(matrix[~held], goal[~held], marks) for goal in goals.T)
        answers = [tree.predict(matrix[held]) for tree in trees]
    explained = [
        1 - float(np.mean((answer - goal[held]) ** 2) / np.var(goal[held]))
        for answer, goal in zip(answers, goals.T, strict=True)
        if np.var(goal[held]) > 0
    ]
    return Surrogate(catalog.features, words, trees, min(explained) if explained else None, task)


def fit_decisions(catalog: Catalog, version: str | None) -> DecisionRule | None:
    """The rule by which a version's logged decisions follow from its scores; None where none is found."""
    if catalog.predictions.decision is None or catalog.predictions.task == "regression":
        return None
    table = _sample(catalog, Scope(versions=() if version is None else (version,)), ())
    table = table.filter(pc.is_valid(table.column("decision")))
    if table.num_rows < LEAST_ROWS:
        return None
    scores, decided = scores_of(catalog, table), table.column("decision").to_pylist()
    if catalog.predictions.task == "binary":
        return _threshold(scores[:, 0], np.asarray(decided, dtype=np.float64))
    return _largest(scores, decided, catalog.predictions.classes)


def scores_of(catalog: Catalog, table: pa.Table) -> Floats:
    """The scores of sampled rows, (n, k)."""
    classes = catalog.predictions.classes
    names = [f"score:{name}" for name in classes] or ["score"]
    return np.column_stack([numbers(table, name) for name in names])


def _sample(catalog: Catalog, scope: Scope, features: Sequence[Feature]) -> pa.Table:
    rows = scoped_rows(catalog, scope)
    return read_sample(catalog, rows, SAMPLE_ROWS, features=features, where="scored", seed="surrogate").table


def _tree(matrix: Floats, goal: Floats, marks: Sequence[bool]) -> Any:
    # only drills need it, and importing it takes longer than most questions
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    tree = HistGradientBoostingRegressor(
        max_iter=_TREES,
        learning_rate=0.2,
        categorical_features=list(marks),
        early_stopping=False,
        random_state=0,
    )
    return tree.fit(matrix, goal)


def _codes(column: Column) -> dict[str, int]:
    texts = [value for value in column if value is not None]
    names, counts = np.unique(np.array(texts, dtype=str), return_counts=True)
    kept = sorted(str(name) for name in names[np.argsort(-counts, kind="stable")][:_MOST_CATEGORIES])
    return {name: place for place, name in enumerate(kept)}


def _matrix(
    features: Sequence[Feature], words: Mapping[str, Mapping[str, int]], columns: Mapping[str, Column]
) -> Floats:
    parts = []
    for feature in features:
        column = columns[feature.name]
        if feature.name in words:
            known = words[feature.name]
            column = np.array(
                [np.nan if v is None else known.get(str(v), np.nan) for v in column], dtype=np.float64
            )
        # infinity is merely large: the trees cut by order
        parts.append(
            np.nan_to_num(np.asarray(column, dtype=np.float64), nan=np.nan, posinf=_HUGE, neginf=-_HUGE)
        )
    return np.column_stack(parts)


def _threshold(scores: Floats, decided: Floats) -> DecisionRule | None:
    order = np.argsort(scores, kind="stable")
    ranked, said = scores[order], decided[order]
    # with the threshold before place i, rows below it that were decided 1 and rows above it decided 0 disagree
    wrong = np.concatenate(([0.0], np.cumsum(said))) + np.concatenate(
        (np.cumsum((1 - said)[::-1])[::-1], [0.0])
    )
    best = int(np.argmin(wrong))
    if wrong[best] > (1 - _AGREES) * len(said):
        return None
    if best == 0:
        return DecisionRule(threshold=float(ranked[0]))
    if best == len(ranked):
        return DecisionRule(threshold=float(np.nextafter(ranked[-1], np.inf)))
    return DecisionRule(threshold=float((ranked[best - 1] + ranked[best]) / 2))


def _largest(scores: Floats, decided: Sequence[str], classes: tuple[str, ...]) -> DecisionRule | None:
    plain = DecisionRule(classes=classes)
    if _agreement(plain, scores, decided) >= _AGREES:
        return plain
    if len(set(decided)) < 2:
        return None
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # only here

    logs = np.log(np.clip(scores, _NEAR, None))
    with threadpool_limits(1):
        fitted = LogisticRegression(C=1e4, max_iter=300).fit(logs, decided)
    weights = np.vstack((fitted.coef_.T, fitted.intercept_))
    if len(fitted.classes_) == 2:
        weights = np.column_stack((-weights, weights))
    rule = DecisionRule(None, weights, tuple(str(name) for name in fitted.classes_))
    return rule if _agreement(rule, scores, decided) >= _AGREES_FITTED else None


def _with_ones(matrix: Floats) -> Floats:
    return np.column_stack((matrix, np.ones(len(matrix))))


def _agreement(rule: DecisionRule, scores: Floats, decided: Sequence[str]) -> float:
    return float(np.mean([one == other for one, other in zip(rule.decide(scores), decided, strict=True)]))
