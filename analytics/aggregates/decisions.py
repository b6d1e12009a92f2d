"""Scores by label and decision: best thresholds, review budgets and confident shares come from these.

Three groupings of the same rows stand side by side: blocks, local days and groups of units. A unit falls into one of
256 groups by its digest; sums over such groups spread as sums over units do, so one additive aggregate gives the
variance over units of every estimate made from it, without another pass over the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group, key_columns
from analytics.aggregates.moments import unit_expression
from analytics.engines.text import Sql, literal
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import window_key
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Grouping = Literal["block_key", "day_key", "unit_group"]
NOTHING = 2
"""Code of a label that has not come and of a decision that was not logged."""


@dataclass(frozen=True)
class ScoreColumn:
    """One score to decide by: that of a binary model, or one class's against the rest.

    Attributes:
        class_: None for a binary model.
        score: SQL of the score.
        positive: SQL that says a label is positive.
        decided: SQL that says a decision is positive.
    """

    class_: str | None
    score: str
    positive: str
    decided: str


@dataclass(frozen=True)
class CellCounts:
    """What one window, version and segment value holds.

    Attributes:
        n: rows.
        n_scored: those with a usable score.
        n_labelled: those with a label too.
        n_decided: labelled ones with a logged decision.
        days: local days with a scored row.
        weight: of scored rows.
    """

    n: int
    n_scored: int
    n_labelled: int
    n_decided: int
    days: int
    weight: float


@dataclass(frozen=True)
class DecisionScores:
    """Scored rows of one cell by group, label, decision and score; only combinations that have rows are held.

    Attributes:
        keys: the bins' numbers, or the distinct scores where these are kept, ascending, shape (B,).
        groups: how many blocks, days or unit groups there are.
        group: of each of the E combinations.
        label: 0, 1, or `NOTHING`.
        decision: 0, 1, or `NOTHING`.
        place: its place in ``keys``.
        n: rows of each combination.
        w: their weights.
        w2: squared weights.
        low: lowest score.
        high: highest score.
    """

    keys: Floats
    groups: int
    group: Integers
    label: Integers
    decision: Integers
    place: Integers
    n: Floats
    w: Floats
    w2: Floats
    low: Floats
    high: Floats

    @cached_property
    def by_group(self) -> Floats:
        """Weights by group, label (0, 1, none) and place, shape (G, 3, B)."""
        shape = (self.groups, 3, len(self.keys))
        where = np.ravel_multi_index((self.group, self.label, self.place), shape)
        return as_floats(np.bincount(where, self.w, int(np.prod(shape))).reshape(shape))

    def kept(self, wanted: NDArray[np.bool_]) -> DecisionScores:
        """Only some of the combinations; groups and places stay."""
        return DecisionScores(
            self.keys, self.groups, self.group[wanted], self.label[wanted], self.decision[wanted],
            self.place[wanted], self.n[wanted], self.w[wanted], self.w2[wanted], self.low[wanted],
            self.high[wanted],
        )  # fmt: skip


def prepared(catalog: Catalog, rows: Sql) -> Sql:
    """Scoped rows with what the readers here need, to be held in memory once."""
    predictions = catalog.predictions
    scores = [score_column(name) for name in predictions.classes] or ["score"]
    day = window_key("day", catalog.project.time_zone)
    unit = (
        f"substr(md5({unit_expression()}), 1, 2)" if predictions.unit is not None else "CAST(NULL AS VARCHAR)"
    )
    text = (
        f"SELECT window_key, block_key, version, segment, weight, scored, label, decision, {', '.join(scores)}, "
        f"{day} AS day_key, {unit} AS unit_group FROM ({rows.text})"
    )
    return Sql(text, rows.parameters)


def read_counts(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, CellCounts], str]:
    """Count prepared rows by cell."""
    labelled = "scored AND label IS NOT NULL"
    sql = Sql(
        f"SELECT {KEYS}, count(*) AS n, count(*) FILTER (WHERE scored) AS n_scored, "
        f"count(*) FILTER (WHERE {labelled}) AS n_labelled, "
        f"count(*) FILTER (WHERE {labelled} AND decision IS NOT NULL) AS n_decided, "
        "count(DISTINCT CASE WHEN scored THEN day_key END) AS days, "
        f"sum(CASE WHEN scored THEN weight ELSE 0e0 END) AS weight FROM ({rows.text}) GROUP BY {KEYS}",
        rows.parameters,
    )
    table = catalog.engine.query(sql)
    names = ("n", "n_scored", "n_labelled", "n_decided", "days")
    whole = {name: column(table, name).astype(np.int64) for name in names}
    weight = column(table, "weight")
    answers = {}
    for key, index in group(table).rows.items():
        n, scored, labelled_, decided, days = (int(whole[name][index[0]]) for name in names)
        answers[key] = CellCounts(n, scored, labelled_, decided, days, float(weight[index[0]]))
    return answers, sql.text


def read_decision_scores(
    catalog: Catalog,
    rows: Sql,
    score: ScoreColumn,
    edges: Sequence[float],
    *,
    by: Grouping = "block_key",
    exact: Sequence[CellKey] | None = None,
) -> tuple[dict[CellKey, DecisionScores], str]:
    """Count prepared rows by cell, group, label, decision and score.

    Args:
        catalog: the project's views.
        rows: from `prepared`.
        score: which score, and what is positive.
        edges: inner edges of the score bins; a cell in bins has all of them as places, empty ones too.
        by: the grouping.
        exact: read these cells only, and keep every distinct score; bins for every cell where left out.
    """
    place = score.score if exact is not None else f"CAST({bin_expression(score.score, edges)} AS DOUBLE)"
    source = f"({rows.text})"
    if exact is not None:
        source = (
            f"(SELECT r.* FROM ({rows.text}) AS r JOIN cells AS o ON r.window_key = o.window_key "
            "AND coalesce(r.version, '') = o.version AND coalesce(r.segment, '') = o.segment)"
        )
    label = f"CASE WHEN label IS NULL THEN {NOTHING} WHEN {score.positive} THEN 1 ELSE 0 END"
    decision = f"CASE WHEN decision IS NULL THEN {NOTHING} WHEN {score.decided} THEN 1 ELSE 0 END"
    sql = Sql(
        f"SELECT {KEYS}, group_key, label_code, decision_code, place, count(*) AS n, sum(weight) AS w, "
        "sum(weight * weight) AS w2, min(this_score) AS low, max(this_score) AS high "
        f"FROM (SELECT {KEYS}, {by} AS group_key, weight, {score.score} AS this_score, {label} AS label_code, "
        f"{decision} AS decision_code, {place} AS place FROM {source} WHERE scored) "
        f"GROUP BY {KEYS}, group_key, label_code, decision_code, place",
        rows.parameters,
    )
    tables = {"cells": pa.table(key_columns(list(exact)))} if exact is not None else None
    table = catalog.engine.query(sql, tables=tables)
    bins = None if exact is not None else np.arange(len(edges) + 1, dtype=np.float64)
    return _decision_scores(table, bins), sql.text


def _decision_scores(table: pa.Table, bins: Floats | None) -> dict[CellKey, DecisionScores]:
    groups = _codes(table, "group_key")
    codes = {name: column(table, name).astype(np.int64) for name in ("label_code", "decision_code")}
    place = column(table, "place")
    sums = [column(table, name) for name in ("n", "w", "w2", "low", "high")]
    answers = {}
    for key, index in group(table).rows.items():
        present, own = np.unique(groups[index], return_inverse=True)
        if bins is None:
            keys, places = np.unique(place[index], return_inverse=True)
        else:
            keys, places = bins, place[index].astype(np.int64)
        answers[key] = DecisionScores(
            keys,
            len(present),
            own.astype(np.int64),
            codes["label_code"][index],
            codes["decision_code"][index],
            places.astype(np.int64),
            sums[0][index],
            sums[1][index],
            sums[2][index],
            sums[3][index],
            sums[4][index],
        )
    return answers


@dataclass(frozen=True)
class ChoiceCells:
    """Labelled and decided rows of one cell by group, true class, decided class and the class that pays best.

    Attributes:
        groups: how many.
        group: of each of the E combinations.
        true: place of the class.
        decided: the same.
        best: the same.
        n: rows.
        w: weights.
        w2: squared weights.
    """

    groups: int
    group: Integers
    true: Integers
    decided: Integers
    best: Integers
    n: Floats
    w: Floats
    w2: Floats


def read_choices(
    catalog: Catalog, rows: Sql, classes: Sequence[str], earned: Floats, *, by: Grouping = "block_key"
) -> tuple[dict[CellKey, ChoiceCells], str]:
    """Count prepared rows by cell, group, true, decided and best class.

    Args:
        catalog: the project's views.
        rows: from `prepared`.
        classes: in order.
        earned: what deciding j earns where i is true, shape (K, K).
        by: the grouping.

    The best class is the one whose expected earnings under the logged scores are largest, the first of equal ones.
    """
    expected = [
        " + ".join(f"{score_column(name)} * {literal(float(earned[i, j]))}" for i, name in enumerate(classes))
        for j in range(len(classes))
    ]
    named = ", ".join(f"{text} AS e{j}" for j, text in enumerate(expected))
    most = f"greatest({', '.join(f'e{j}' for j in range(len(classes)))})"
    best = " ".join(f"WHEN e{j} = most THEN {j}" for j in range(len(classes)))
    place = " ".join(f"WHEN {literal(name)} THEN {j}" for j, name in enumerate(classes))
    sql = Sql(
        f"SELECT {KEYS}, group_key, true_code, decided_code, CASE {best} END AS best_code, count(*) AS n, "
        f"sum(weight) AS w, sum(weight * weight) AS w2 FROM (SELECT *, {most} AS most FROM "
        f"(SELECT {KEYS}, {by} AS group_key, weight, CASE CAST(label AS VARCHAR) {place} END AS true_code, "
        f"CASE CAST(decision AS VARCHAR) {place} END AS decided_code, {named} FROM ({rows.text}) "
        "WHERE scored AND label IS NOT NULL AND decision IS NOT NULL)) "
        "WHERE true_code IS NOT NULL AND decided_code IS NOT NULL "
        f"GROUP BY {KEYS}, group_key, true_code, decided_code, best_code",
        rows.parameters,
    )
    table = catalog.engine.query(sql)
    groups = _codes(table, "group_key")
    codes = [column(table, name).astype(np.int64) for name in ("true_code", "decided_code", "best_code")]
    sums = [column(table, name) for name in ("n", "w", "w2")]
    answers = {}
    for key, index in group(table).rows.items():
        present, own = np.unique(groups[index], return_inverse=True)
        true, decided, chosen = (one[index] for one in codes)
        n, w, w2 = (one[index] for one in sums)
        answers[key] = ChoiceCells(len(present), own.astype(np.int64), true, decided, chosen, n, w, w2)
    return answers, sql.text


@dataclass(frozen=True)
class ConfidenceBins:
    """Scored rows of one cell by group and confidence, least confident first.

    Attributes:
        keys: the bins' numbers, ascending, shape (B,).
        low: lowest confidence in each bin.
        groups: how many.
        group: of each of the E combinations.
        place: its place in ``keys``.
        n: scored rows.
        w: their weights.
        n_labelled: labelled rows.
        wl: their weights.
        wl2: their squared weights.
        sums: statistic -> sums of weight x, squared weight x and squared weight x squared, shape (3, E), over labelled
            rows.
    """

    keys: Floats
    low: Floats
    groups: int
    group: Integers
    place: Integers
    n: Floats
    w: Floats
    n_labelled: Floats
    wl: Floats
    wl2: Floats
    sums: Mapping[str, Floats]


def read_confidence(
    catalog: Catalog,
    rows: Sql,
    confidence: str,
    statistics: Mapping[str, str],
    edges: Sequence[float] | Floats,
    *,
    by: Grouping = "block_key",
    decided: bool = True,
) -> tuple[dict[CellKey, ConfidenceBins], str]:
    """Sum what answers are worth by confidence.

    Args:
        catalog: the project's views.
        rows: from `prepared`.
        confidence: SQL of how sure an answer is.
        statistics: name -> SQL of what a labelled row is worth; a row where it is NULL counts as 0.
        edges: inner edges of the confidence bins.
        by: the grouping.
        decided: only rows with a logged decision.
    """
    which = "scored AND decision IS NOT NULL" if decided else "scored"
    labelled = "CASE WHEN label IS NULL THEN 0e0 ELSE 1e0 END"
    values = "".join(
        f", CASE WHEN label IS NULL THEN 0e0 ELSE coalesce(CAST({text} AS DOUBLE), 0e0) END AS x{i}"
        for i, text in enumerate(statistics.values())
    )
    sums = "".join(
        f", sum(weight * x{i}) AS wx{i}, sum(weight * weight * x{i}) AS w2x{i}, "
        f"sum(weight * weight * x{i} * x{i}) AS w2xx{i}"
        for i in range(len(statistics))
    )
    sql = Sql(
        f"SELECT {KEYS}, group_key, place, count(*) AS n, sum(weight) AS w, sum(is_labelled) AS n_labelled, "
        "sum(weight * is_labelled) AS wl, sum(weight * weight * is_labelled) AS wl2, min(sure) AS low"
        f"{sums} FROM (SELECT *, {bin_expression('sure', edges)} AS place FROM "
        f"(SELECT {KEYS}, {by} AS group_key, weight, {confidence} AS sure, {labelled} AS is_labelled{values} "
        f"FROM ({rows.text}) WHERE {which})) GROUP BY {KEYS}, group_key, place",
        rows.parameters,
    )
    table = catalog.engine.query(sql)
    groups, place, lows = _codes(table, "group_key"), column(table, "place"), column(table, "low")
    counts = [column(table, name) for name in ("n", "w", "n_labelled", "wl", "wl2")]
    worth = {
        name: np.stack([column(table, f"{sort}{i}") for sort in ("wx", "w2x", "w2xx")])
        for i, name in enumerate(statistics)
    }
    answers = {}
    for key, index in group(table).rows.items():
        keys, places = np.unique(place[index], return_inverse=True)
        present, own = np.unique(groups[index], return_inverse=True)
        low = np.full(len(keys), np.inf)
        np.minimum.at(low, places, lows[index])
        answers[key] = ConfidenceBins(
            keys,
            low,
            len(present),
            own.astype(np.int64),
            places.astype(np.int64),
            counts[0][index],
            counts[1][index],
            counts[2][index],
            counts[3][index],
            counts[4][index],
            {name: as_floats(values[:, index]) for name, values in worth.items()},
        )
    return answers, sql.text


def earned_by_decision(classes: Sequence[str], earned: Floats) -> str:
    """SQL of what a labelled and decided row earns.

    Args:
        classes: in order.
        earned: what deciding j earns where i is true, shape (K, K).
    """
    cases = " ".join(
        f"WHEN CAST(label AS VARCHAR) = {literal(true)} AND CAST(decision AS VARCHAR) = {literal(decided)} "
        f"THEN {literal(float(earned[i, j]))}"
        for i, true in enumerate(classes)
        for j, decided in enumerate(classes)
    )
    return f"CASE {cases} END"


def certainty_by_distance(thresholds: Mapping[str | None, float]) -> str:
    """SQL of 1 - exp(-d), with d the distance in log-odds of the score from its version's threshold.

    Args:
        thresholds: version -> threshold as log-odds.
    """
    cases = " ".join(
        f"WHEN {'version IS NULL' if version is None else f'version = {literal(version)}'} THEN {literal(value)}"
        for version, value in thresholds.items()
    )
    clipped = "least(greatest(score, 1e-9), 1e0 - 1e-9)"
    return f"1e0 - exp(-abs(ln({clipped} / (1e0 - {clipped})) - CASE {cases} END))"


def _codes(table: pa.Table, name: str) -> Integers:
    """A column of instants or texts as numbers in their order."""
    encoded = table.column(name).combine_chunks().dictionary_encode()
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(np.array([str(value) for value in encoded.dictionary.to_pylist()]), kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = len(order)
    codes: Integers = rank[index]
    return codes
