"""What estimated quality is made of: rows by score and decision with both possible losses, and labels by window.

Labels carry whether they were known early: by the time the window was mature (`Span.known_after` after its end). What
an estimate learns from earlier windows rests on early labels alone, so that nothing enters that came later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.batch_rows import with_its_labels
from analytics.aggregates.day_facts import Facts
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import block_codes, column
from analytics.engines.text import Parameter, Sql, literal
from analytics.scope import Grain, Scope
from analytics.stats.expected_quality import ScoredRows
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.remembered import remembered
from analytics.telemetry.rows import ScopedRows, scoped_rows, window_key

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Key = tuple[datetime, str | None]
EXACT_ROWS = 5_000
EVER_AFTER = timedelta(days=36_500)
USABLE = "scored"
"""SQL over windowed rows: those an estimate can be made for."""
MEASURABLE = "scored AND label IS NOT NULL"
OWN_WINDOW = {"window_of": "window_of"}
"""Columns of a sample that say where each row belongs."""
WEIGHT = {"weight": "1e0"}
ERRORS = {**WEIGHT, "absolute": "abs(score - label)", "square": "(score - label) * (score - label)"}
"""Statistics of a regression's labelled rows."""
_EPSILON = "2.220446049250313e-16"
CLIPPED = f"least(greatest(score, {_EPSILON}), 1e0 - {_EPSILON})"
"""A score that has a finite loss whatever the label."""
_STEP = {
    "5min": "INTERVAL '5' MINUTE", "15min": "INTERVAL '15' MINUTE", "hour": "INTERVAL '1' HOUR",
    "day": "INTERVAL '1' DAY", "week": "INTERVAL '7' DAY", "month": "INTERVAL '1' MONTH",
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """How rows are cut into windows of one length, also far before the scope.

    Attributes:
        grain: of the calendar; "all" means windows as long as the scope, side by side.
        zone: in which days are cut.
        anchor: start of the scope, for "all".
        length: of the scope, for "all".
        known_after: how long after a window's end its labels count as complete.
        gap: start and end of a stretch that belongs to no window, before a scope that starts amid one.
    """

    grain: Grain
    zone: str
    anchor: datetime
    length: timedelta
    known_after: timedelta
    gap: tuple[datetime, datetime] | None = None


def windowed(rows: Sql, span: Span, *, keyed: bool = True) -> Sql:
    """Scoped rows with ``window_of`` and ``label_early``: whether the label was known when the window was mature.

    Args:
        rows: from `analytics.telemetry.rows.scoped_rows`.
        span: how to cut them.
        keyed: whether ``window_key`` becomes the same, so that aggregates and samples are cut by it.
    """
    parameters: dict[str, Parameter] = {"known_after": span.known_after.total_seconds()}
    late = "CAST($known_after AS DOUBLE) * INTERVAL '1' SECOND"
    if span.grain == "all":
        parameters |= {"anchor": span.anchor.timestamp(), "length": span.length.total_seconds()}
        place = "floor((epoch(ts) - CAST($anchor AS DOUBLE)) / CAST($length AS DOUBLE))"
        key = f"(TIMESTAMP '1970-01-01 00:00:00' + {place} * INTERVAL '1' SECOND)"
        end = f"CAST($anchor AS DOUBLE) + ({place} + 1e0) * CAST($length AS DOUBLE) + CAST($known_after AS DOUBLE)"
        early = f"epoch(label_ts) <= {end}"
    else:
        key = window_key(span.grain, span.zone)
        zone = "UTC" if span.grain in {"5min", "15min", "hour"} else span.zone
        end = f"({key} + {_STEP[span.grain]})"
        early = f"label_ts <= ({end} AT TIME ZONE {literal(zone)}) + {late}"
        if span.grain == "day":
            # by the clock on the wall, as it is stored (`analytics.aggregates.estimated_parts`)
            early = f"(label_ts AT TIME ZONE {literal(zone)}) <= {end} + {late}"
    every = f"* REPLACE ({key} AS window_key)" if keyed else "*"
    text = f"SELECT {every}, {key} AS window_of, coalesce({early}, FALSE) AS label_early FROM ({rows.text})"
    if span.gap is not None:
        parameters |= {"gap_start": span.gap[0], "gap_end": span.gap[1]}
        start, end = (f"CAST(${name} AS TIMESTAMP WITH TIME ZONE)" for name in ("gap_start", "gap_end"))
        text = f"{text} WHERE ts < {start} OR ts >= {end}"
    return Sql(text, {**rows.parameters, **parameters})


@dataclass(frozen=True)
class BinaryCell:
    """Rows of one window and version by score, decision, label and block.

    Attributes:
        rows: ascending by score.
        label: 0, 1, or -1 where there is none yet.
        early: whether that label was known when the window was mature.
        block: the number of the block (one for all where blocks were not asked for).
    """

    rows: ScoredRows
    label: Integers
    early: NDArray[np.bool_]
    block: Integers

    @property
    def n(self) -> int:
        """Rows with a usable score."""
        return int(self.rows.n.sum())


def read_binary(catalog: Catalog, rows: Sql, edges: Sequence[float]) -> tuple[dict[Key, BinaryCell], str]:
    """Read windowed rows of a binary model; cells of at most 5,000 rows keep every distinct score.

    Args:
        catalog: the project's views.
        rows: from `windowed`.
        edges: inner edges of the score bins of larger cells.
    """
    sql = _binary_sql(rows, edges, blocks=False)
    return _binary_cells(catalog.engine.query(sql)), sql.text


def read_reference(
    catalog: Catalog, rows: Sql, span: Span, edges: Sequence[float]
) -> tuple[dict[Key, BinaryCell], str]:
    """The cells of a reference with its blocks apart, kept on disk while no file of it changes.

    Of the reference no label is early or late, so that its answer does not depend on how long labels take.

    Args:
        catalog: the project's views.
        rows: scoped rows of the reference.
        span: how to cut them.
        edges: as for `read_binary`.
    """
    sql = _reference_sql(rows, span, edges)
    # of windows of any length, of filters and of instants there are many
    many = span.grain == "all" or span.gap is not None or "known_at" in sql.parameters
    if many or not isinstance(rows, ScopedRows) or rows.scope.filters:
        return _binary_cells(catalog.engine.query(sql)), sql.text
    return _binary_cells(_remembered(catalog, sql)), sql.text


def keep_reference(catalog: Catalog, edges: Sequence[float], facts: Facts) -> None:
    """Have the reference's cells of a day ready before anybody asks; of labels only those files are read it has."""
    if "reference" in catalog.sources:
        rows = scoped_rows(catalog, Scope(grain="day"), "reference")
        span = Span("day", catalog.project.time_zone, datetime.now(UTC), timedelta(days=1), timedelta())
        quick = _reference_sql(with_its_labels(catalog, facts, rows), span, edges)
        _remembered(catalog, _reference_sql(rows, span, edges), quick)


def _reference_sql(rows: Sql, span: Span, edges: Sequence[float]) -> Sql:
    return _binary_sql(windowed(rows, replace(span, known_after=EVER_AFTER)), edges, blocks=True)


def _remembered(catalog: Catalog, sql: Sql, quick: Sql | None = None) -> pa.Table:
    feeds = ("reference" if catalog.listed.get("reference") else "predictions", "labels")
    run = None if quick is None else lambda: catalog.engine.query(quick)
    return remembered(catalog, "reference of estimates", sql, feeds, run)


def _binary_sql(rows: Sql, edges: Sequence[float], *, blocks: bool) -> Sql:
    cell = "PARTITION BY window_key, version"
    block = "block_key" if blocks else "TIMESTAMP '1970-01-01 00:00:00'"
    place = f"CASE WHEN n_cell <= {EXACT_ROWS} THEN score ELSE 2e0 + {bin_expression('score', edges)} END"
    keys = "window_key, version, block_key, decision, label_code, label_early, place"
    text = (
        f"SELECT {keys}, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, sum(weight * score) AS ws, "
        f"sum(-weight * ln(1e0 - {CLIPPED})) AS l0, sum(-weight * ln({CLIPPED})) AS l1, "
        "sum(weight * score * score) AS q0, sum(weight * (1e0 - score) * (1e0 - score)) AS q1 "
        f"FROM (SELECT window_key, version, {block} AS block_key, coalesce(CAST(decision AS INTEGER), -1) AS decision, "
        "coalesce(CAST(label AS INTEGER), -1) AS label_code, label_early AND label IS NOT NULL AS label_early, "
        f"score, weight, {place} AS place "
        f"FROM (SELECT *, count(*) OVER ({cell}) AS n_cell FROM ({rows.text}) WHERE scored)) GROUP BY {keys}"
    )
    return Sql(text, rows.parameters)


def _binary_cells(table: pa.Table) -> dict[Key, BinaryCell]:
    values = {
        name: column(table, name)
        for name in ("place", "n", "w", "w2", "ws", "l0", "l1", "q0", "q1", "decision")
    }
    label = column(table, "label_code").astype(np.int64)
    early = table.column("label_early").to_numpy(zero_copy_only=False).astype(np.bool_)
    block_numbers = block_codes(table)
    answers = {}
    for key, index in by_key(table).items():
        order = index[np.argsort(values["place"][index], kind="stable")]
        v = {name: some[order] for name, some in values.items()}
        scored = ScoredRows(
            v["place"], v["decision"].astype(np.int64), v["n"], v["w"], v["w2"], v["ws"] / v["w"], v["l0"], v["l1"],
            v["q0"], v["q1"],
        )  # fmt: skip
        answers[key] = BinaryCell(scored, label[order], early[order], block_numbers[order])
    return answers


@dataclass(frozen=True)
class LabelledSums:
    """Sums over the labelled rows of one window and version.

    Attributes:
        n: labelled rows, of those known early and of all, shape (2,).
        sums: of weight x statistic, shape (2, S).
        table: weights by true and decided class, shape (2, K, K).
    """

    n: Floats
    sums: Floats
    table: Floats


def read_labelled(
    catalog: Catalog, rows: Sql, statistics: Mapping[str, str], classes: Sequence[str]
) -> tuple[dict[Key, LabelledSums], str]:
    """Read what the realised metrics need, exactly, over all labelled rows of windowed rows.

    Args:
        catalog: the project's views.
        rows: from `windowed`.
        statistics: name -> SQL over a labelled row; the first is the weight's own (``1e0``).
        classes: of the labels and decisions; empty for a regression.
    """
    split = ", CAST(label AS VARCHAR) AS true_class, decision AS decided_class" if classes else ""
    by = ", true_class, decided_class" if classes else ""
    sums = ", ".join(f"sum(weight * ({sql})) AS s{i}" for i, sql in enumerate(statistics.values()))
    text = (
        f"SELECT window_key, version, label_early{split}, count(*) AS n, {sums} FROM ({rows.text}) "
        f"WHERE {MEASURABLE} GROUP BY window_key, version, label_early{by}"
    )
    table = catalog.engine.query(Sql(text, rows.parameters))
    early = table.column("label_early").to_numpy(zero_copy_only=False).astype(np.bool_)
    n = column(table, "n")
    values = np.stack([column(table, f"s{i}") for i in range(len(statistics))], axis=1)
    place = {name: i for i, name in enumerate(classes)}
    true, decided = (
        [place.get(name, -1) for name in table.column(column_name).to_pylist()] if classes else []
        for column_name in ("true_class", "decided_class")
    )
    answers = {}
    for key, index in by_key(table).items():
        matrix = np.zeros((2, len(classes), len(classes)))
        for i in index:
            if classes and true[i] >= 0 and decided[i] >= 0:
                matrix[:, true[i], decided[i]] += np.array([float(early[i]), 1.0]) * values[i, 0]
        first = index[early[index]]
        answers[key] = LabelledSums(
            np.array([n[first].sum(), n[index].sum()]),
            np.stack([values[first].sum(axis=0), values[index].sum(axis=0)]),
            matrix,
        )
    return answers, text


def by_key(table: pa.Table) -> dict[Key, Integers]:
    """Window and version -> the numbers of their rows."""
    if table.num_rows == 0:
        return {}
    window = table.column("window_key").combine_chunks().dictionary_encode()
    version = table.column("version").combine_chunks().dictionary_encode()
    windows, versions = window.dictionary.to_pylist(), [*version.dictionary.to_pylist(), None]
    last = len(versions) - 1
    codes = version.indices.fill_null(last).to_numpy(zero_copy_only=False).astype(np.int64)
    codes += window.indices.to_numpy(zero_copy_only=False).astype(np.int64) * len(versions)
    unique, inverse = np.unique(codes, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(unique) + 1))
    return {
        (windows[code // len(versions)], versions[code % len(versions)]): order[starts[i] : starts[i + 1]]
        for i, code in enumerate(unique.tolist())
    }
