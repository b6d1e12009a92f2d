"""Scoped rows: the one FROM clause behind every aggregate and example.

`scoped_rows` gives a SELECT over ``predictions`` or ``reference`` with labels joined, cut to a scope, whose
columns are window_key, block_key, version, segment, label, label_ts, first_label_ts (of its first report), decision,
score or ``score:<class>``, scored, weight, unit, ts, and ``column:<name>``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from analytics.engines.text import Sql, all_of, any_of, identifier, literal
from analytics.errors import ScopeError
from analytics.project import Block, Predictions
from analytics.scope import FINER, MISSING, Filter, Grain, Interval, Scope, is_interval
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog, Feature, Rows, Segment, Source

OTHER = "(other)"
SLICE, REST = "slice", "rest"
_OF_LABELS = frozenset({"label", "outcome"})


BETWEEN = "\x1f"
"""Stands between the two values of a pair of segments."""


@dataclass(frozen=True)
class ScopedRows(Sql):
    """Rows of a scope that still know which question they are the rows of.

    Attributes:
        scope: the question.
        source: which view they are of.
        segments: what the column ``segment`` holds: nothing, a declared segment's value, or the values of two.
        now: the instant up to which a label may be called absent.
    """

    scope: Scope = field(default_factory=Scope)
    source: Source = "predictions"
    segments: tuple[str, ...] = ()
    now: datetime | None = None


@dataclass(frozen=True)
class KeyedRows(Sql):
    """Rows that have the keys of their windows as columns already (`key_column`), so that no query makes them again.

    A local day by calendar arithmetic costs as much as summing ten columns does.
    """


def key_column(grain: Grain) -> str:
    """The column of `KeyedRows` that holds `window_key` of a grain."""
    return identifier(f"key:{grain}")


def scoped_rows(
    catalog: Catalog,
    scope: Scope,
    source: Source = "predictions",
    *,
    segment: str | None = None,
    slice_: tuple[Filter, ...] = (),
    now: datetime | None = None,
) -> Sql:
    """The rows of a scope as SQL text with its bound values.

    Args:
        catalog: the project's views.
        scope: window, versions, filters, as-of, grain and segment.
        source: monitored rows, or the reference (to which window and as-of do not apply).
        segment: split by this segment instead of ``scope.by``.
        slice_: split by whether these filters hold instead: the segment is then ``slice`` or ``rest``.
        now: the instant up to which a label may be called absent.

    Raises:
        ScopeError: the scope names something the project lacks.
    """
    now = now or datetime.now(UTC)
    by = segment if segment is not None else scope.by
    if not slice_:
        return segmented_rows(catalog, scope, source, (by,) if by is not None else (), now)
    inside = all_of(conditions(catalog, slice_, "slice"))
    value = Sql(f"CASE WHEN {inside.text} THEN '{SLICE}' ELSE '{REST}' END", inside.parameters)
    return _cut(catalog, scope, source, value, labelled_rows(catalog, scope, source, now))


def segmented_rows(
    catalog: Catalog,
    scope: Scope,
    source: Source,
    segments: tuple[str, ...],
    now: datetime,
    base: Sql | None = None,
) -> ScopedRows:
    """The rows of a scope split by none, one or two declared segments.

    Args:
        catalog: the project's views.
        scope: window, versions, filters, as-of and grain.
        source: monitored rows, or the reference.
        segments: their names; the values of two stand in one text, `BETWEEN` them.
        now: the instant up to which a label may be called absent.
        base: rows to cut instead of those of the view with their labels: of the same columns, or of those needed.
    """
    values = [segment_expression(declared_segment(catalog, name)) for name in segments]
    if len(values) > 1:
        values = [f"replace({value}, {literal(BETWEEN)}, ' ')" for value in values]
    value = f" || {literal(BETWEEN)} || ".join(values) or "CAST(NULL AS VARCHAR)"
    rows = base if base is not None else labelled_rows(catalog, scope, source, now)
    cut = _cut(catalog, scope, source, Sql(value), rows)
    return ScopedRows(cut.text, cut.parameters, scope, source, segments, now)


def reads_labels(scope: Scope) -> bool:
    """Whether a scope's filters ask for labels."""
    return any(condition.kind in _OF_LABELS for condition in scope.filters)


def unlabelled_rows(scope: Scope, source: Source) -> Sql:
    """The rows of a view without their labels, for what needs none: no label feed is read."""
    known = scope.as_of if source != "reference" else None
    if known is None:
        return Sql(f"SELECT * FROM {source}")
    late = "coalesce(received, ts) <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)"
    return Sql(f"SELECT * FROM {source} WHERE {late}", {"as_of": known})


def _cut(catalog: Catalog, scope: Scope, source: Source, value: Sql, rows: Sql) -> Sql:
    zone = catalog.project.time_zone
    grain: Grain = scope.grain if source == "predictions" else "all"
    wanted = wanted_condition(catalog, scope, source)
    window, block = window_key(grain, zone), block_key(catalog.predictions.block, grain, zone)
    if isinstance(rows, KeyedRows):
        window, block = key_column(grain), key_column(block_grain(catalog.predictions.block, grain))
    text = (
        f"SELECT *, {window} AS window_key, {block} AS block_key, "
        f"{value.text} AS segment FROM ({rows.text}) WHERE {wanted.text}"
    )
    return Sql(text, rows.parameters | wanted.parameters | value.parameters)


def split_rows(catalog: Catalog, scope: Scope, early_until: datetime | None = None) -> Sql:
    """The rows of every split, whose segment is the split: train, validation, test, production.

    Versions, filters and as-of apply to all of them; the window to production only.

    Args:
        catalog: the project's views.
        scope: the question.
        early_until: production before then is the segment ``production:early``, the rest ``production:late``.
    """
    labelled = labelled_rows(catalog, scope, "splits", datetime.now(UTC))
    inside = all_of(window_conditions(scope))
    window = Sql(f"coalesce(lower(split), '') <> 'production' OR ({inside.text})", inside.parameters)
    wanted = all_of([window, *only_versions(scope, "splits"), *conditions(catalog, scope.filters)])
    block = block_key(catalog.predictions.block, "all", catalog.project.time_zone)
    parameters = {**labelled.parameters, **wanted.parameters}
    segment = f"coalesce(lower(split), {literal(MISSING)})"
    if early_until is not None:
        parameters["early_until"] = early_until
        segment = (
            f"CASE WHEN coalesce(lower(split), '') <> 'production' THEN coalesce(lower(split), {literal(MISSING)}) "
            "WHEN ts < CAST($early_until AS TIMESTAMP WITH TIME ZONE) THEN 'production:early' "
            "ELSE 'production:late' END"
        )
    return Sql(
        f"SELECT *, {window_key('all', catalog.project.time_zone)} AS window_key, {block} AS block_key, "
        f"{segment} AS segment FROM ({labelled.text}) WHERE {wanted.text}",
        parameters,
    )


def window_key(grain: Grain, zone: str) -> str:
    """The key `analytics.scope.cut` gives the window a row falls in."""
    if grain == "all":
        return "TIMESTAMP '1970-01-01 00:00:00'"
    if grain in FINER:
        utc = "ts AT TIME ZONE 'UTC'"
        hour = f"date_trunc('hour', {utc})"
        if grain == "hour":
            return hour
        step = {"5min": 5, "15min": 15}[grain]
        minutes = f"CAST(floor(extract(minute FROM {utc}) / {step}e0) * {step} AS INTEGER)"
        return f"({hour} + {minutes} * INTERVAL '1' MINUTE)"
    return f"date_trunc({literal(grain)}, {_local(zone)})"


def block_key(block: Block, grain: Grain, zone: str) -> str:
    """The stretch whose rows are not taken as independent; never longer than the window."""
    return window_key(block_grain(block, grain), zone)


def block_grain(block: Block, grain: Grain) -> Grain:
    """The grain of blocks in windows of a grain; blocks of no kind are one.

    >>> block_grain("day", "hour"), block_grain("hour", "day"), block_grain("none", "day")
    ('hour', 'hour', 'all')
    """
    if block == "none":
        return "all"
    order: list[Grain] = ["5min", "15min", "hour", "day", "week", "month", "all"]
    return grain if order.index(grain) < order.index(block) else block


def segment_expression(segment: Segment) -> str:
    """The value of a segment as text; a numeric one as the interval between reference quartiles."""
    if segment.edges is None:
        value = f"CAST({segment.column} AS VARCHAR)"
        shown = f"CASE WHEN {segment.column} IS NULL OR {value} = '' THEN {literal(MISSING)} ELSE {value} END"
        if segment.kept is None:
            return shown
        kept = ", ".join(literal(name) for name in (*segment.kept, MISSING))
        return f"CASE WHEN {shown} IN ({kept}) THEN {shown} ELSE {literal(OTHER)} END"
    value = f"CAST({segment.column} AS DOUBLE)"
    cases = " ".join(
        f"WHEN {value} < {literal(edge)} THEN {literal(name)}"
        for edge, name in zip(segment.edges, interval_names(segment.edges)[:-1], strict=True)
    )
    last = literal(interval_names(segment.edges)[-1])
    nothing = f"{segment.column} IS NULL OR isnan({value})"
    return f"CASE WHEN {nothing} THEN {literal(MISSING)} {cases} ELSE {last} END"


def interval_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the stretches between edges.

    >>> interval_names((10.0, 20.5))
    ('(-inf, 10)', '[10, 20.5)', '[20.5, inf)')
    """
    shown = [f"{edge:.6g}" for edge in edges]
    if len(set(shown)) < len(edges):
        shown = [repr(edge) for edge in edges]
    if not shown:
        return ("(-inf, inf)",)
    inner = [f"[{low}, {high})" for low, high in pairwise(shown)]
    return (f"(-inf, {shown[0]})", *inner, f"[{shown[-1]}, inf)")


def conditions(catalog: Catalog, filters: tuple[Filter, ...], prefix: str = "filter") -> list[Sql]:
    """One condition a name; several values of one name are joined by OR."""
    by_name: dict[tuple[str, str], list[Sql]] = {}
    for index, condition in enumerate(filters):
        by_name.setdefault((condition.kind.removesuffix("_range"), condition.name), []).append(
            _condition(catalog, condition, f"{prefix}_{index}")
        )
    return [any_of(parts) for parts in by_name.values()]


def _condition(catalog: Catalog, condition: Filter, name: str) -> Sql:
    match condition.kind:
        case "segment":
            return _segment_is(declared_segment(catalog, condition.name), condition.value, name)
        case "feature" | "feature_range":
            return _feature_is(_feature(catalog, condition.name), condition.value, name)
        case "score_range":
            if catalog.predictions.task == "multiclass":
                raise ScopeError(
                    "score: a multiclass project has one score a class; filter by decision or label instead"
                )
            return _inside("score", condition.value, name)
        case "outcome":
            return Sql(_OUTCOME[condition.value])
        case "label" | "decision":
            return _class_is(catalog.predictions, condition, name)


def _feature_is(feature: Feature, value: str, name: str) -> Sql:
    if feature.kind == "numeric":
        number = f"CAST({feature.column} AS DOUBLE)"
        if value == MISSING:
            return Sql(f"{feature.column} IS NULL OR isnan({number})")
        return _inside(number, value, name) if is_interval(value) else _equals(number, value, name)
    text = f"CAST({feature.column} AS VARCHAR)"
    if value == MISSING:
        return Sql(f"{text} IS NULL OR {text} = ''")
    return Sql(f"{text} = ${name}", {name: value})


def _class_is(section: Predictions, condition: Filter, name: str) -> Sql:
    column, value = condition.kind, condition.value
    if value == MISSING:
        return Sql(f"{column} IS NULL")
    if section.task == "regression" and column == "label":
        return _inside(column, value, name) if is_interval(value) else _equals(column, value, name)
    if section.task == "binary":
        # 0 and 1, or the words the labels are logged in
        words = {str(section.positive): "1", str(section.negative_class): "0"}
        value = words.get(value, value)
    return Sql(f"CAST({column} AS VARCHAR) = ${name}", {name: value})


def _equals(number: str, value: str, name: str) -> Sql:
    try:
        wanted = float(value)
    except ValueError:
        raise ScopeError(f'"{value}" is not a number; write one, or an interval like [10, 20)') from None
    if wanted != wanted:  # noqa: PLR0124  # not a number
        raise ScopeError(f"nan is the missing value; write {MISSING}")
    return Sql(f"{number} = ${name}", {name: wanted})


_OUTCOME = {
    "tp": "label = 1 AND decision = 1",
    "fp": "label = 0 AND decision = 1",
    "fn": "label = 1 AND decision = 0",
    "tn": "label = 0 AND decision = 0",
    "right": "label = decision",
    "wrong": "label <> decision",
}


def _segment_is(segment: Segment, value: str, name: str) -> Sql:
    if segment.edges is not None and value not in {MISSING, *interval_names(segment.edges)}:
        return _inside(f"CAST({segment.column} AS DOUBLE)", value, name)
    return Sql(f"{segment_expression(segment)} = ${name}", {name: value})


def _inside(column: str, text: str, name: str) -> Sql:
    interval = Interval.parse(text)
    parts, parameters = [f"NOT isnan({column})"], {}
    if interval.low != float("-inf"):
        parts.append(f"{column} {'>=' if interval.low_closed else '>'} ${name}_low")
        parameters[f"{name}_low"] = interval.low
    if interval.high != float("inf"):
        parts.append(f"{column} {'<=' if interval.high_closed else '<'} ${name}_high")
        parameters[f"{name}_high"] = interval.high
    return Sql(" AND ".join(parts), parameters)


def labelled_rows(
    catalog: Catalog,
    scope: Scope,
    source: Rows,
    now: datetime,
    few: str | None = None,
) -> Sql:
    """Every row of a view beside its newest label, as known at the scope's as-of.

    With ``few``, a table in memory of some of its rows, only these: labels are looked up for them, where joining all
    takes several times as long as reading them.
    """
    parameters: dict[str, Any] = {}
    # as-of replays what was known of monitored rows; the reference is what we compare with today
    known = scope.as_of if source != "reference" else None
    before = ""
    if known is not None:
        parameters["as_of"] = known
        before = " WHERE {} <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)"
    rows = f"SELECT * FROM {few or source}{before.format('coalesce(received, ts)')}"
    if not catalog.has_label_feed:
        late = "own_label_ts > CAST($as_of AS TIMESTAMP WITH TIME ZONE)" if known is not None else "FALSE"
        label = f"CASE WHEN {late} THEN NULL ELSE own_label END"
        first = f"CASE WHEN {late} OR own_label IS NULL THEN NULL ELSE own_label_ts END"
        return Sql(
            f"SELECT *, {label} AS label, own_label_ts AS label_ts, {first} AS first_label_ts FROM ({rows})",
            parameters,
        )
    reports = f"SELECT id, label, ts, ts AS first_ts FROM labels{before.format('ts')}"
    if catalog.superseded:
        later = "later.row = report.row AND later.file = report.file"
        if known is not None:
            later += " AND later.next_ts <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)"
        joiner = "AND" if before else "WHERE"
        reports = (
            f"SELECT report.id AS id, label, ts, coalesce(e.first_ts, ts) AS first_ts "
            "FROM labels AS report LEFT JOIN "
            "(SELECT id, min(ts) AS first_ts FROM superseded GROUP BY id) AS e ON report.id = e.id"
            f"{before.format('ts')} {joiner} NOT EXISTS (SELECT 1 FROM superseded AS later WHERE {later})"
        )
    elif catalog.relabelled:
        ranked = (
            # the first report costs nothing where nobody reads it: DuckDB leaves the column out
            "SELECT id, label, ts, min(ts) OVER (PARTITION BY id) AS first_ts, "
            "row_number() OVER (PARTITION BY id ORDER BY ts DESC, file DESC, row DESC) AS place "
            f"FROM labels{before.format('ts')}"
        )
        reports = f"SELECT id, label, ts, first_ts FROM ({ranked}) WHERE place = 1"
    label, label_ts = "l.label", "l.ts"
    section = catalog.project.labels
    if section is not None and section.absent_after is not None and section.absent_means is not None:
        parameters["known_at"] = known or now
        parameters["absent_seconds"] = section.absent_after.total_seconds()
        due = "p.ts + CAST($absent_seconds AS DOUBLE) * INTERVAL '1' SECOND"
        ripe = f"l.id IS NULL AND {due} <= CAST($known_at AS TIMESTAMP WITH TIME ZONE)"
        absent = typed.absent_label(catalog.predictions, section.absent_means)
        label = f"CASE WHEN {ripe} THEN {absent} ELSE l.label END"
        label_ts = f"CASE WHEN {ripe} THEN {due} ELSE l.ts END"
    return Sql(
        f"SELECT p.*, {label} AS label, {label_ts} AS label_ts, l.first_ts AS first_label_ts "
        f"FROM ({rows}) AS p LEFT JOIN ({reports}) AS l ON p.id = l.id",
        parameters,
    )


def wanted_condition(catalog: Catalog, scope: Scope, source: Source) -> Sql:
    """The condition that keeps the rows of a scope: of its window (but the reference's), versions and filters."""
    window = [] if source == "reference" else window_conditions(scope)
    return all_of([*window, *only_versions(scope, source), *conditions(catalog, scope.filters)])


def window_conditions(scope: Scope) -> list[Sql]:
    """The conditions that keep the rows of a scope's window."""
    parts = []
    if scope.start is not None:
        parts.append(Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": scope.start}))
    if scope.end is not None:
        parts.append(Sql("ts < CAST($end AS TIMESTAMP WITH TIME ZONE)", {"end": scope.end}))
    return parts


def only_versions(scope: Scope, source: Rows) -> list[Sql]:
    """The condition that keeps the versions asked for; none where all are, or for the reference."""
    if not scope.versions or source == "reference":
        return []
    return [
        any_of(
            [Sql(f"version = $version_{i}", {f"version_{i}": name}) for i, name in enumerate(scope.versions)]
        )
    ]


def _local(zone: str) -> str:
    return f"ts AT TIME ZONE {literal(zone)}"


def declared_segment(catalog: Catalog, name: str) -> Segment:
    """The declared segment of this name."""
    if name not in catalog.segments:
        raise ScopeError(f'"{name}" is not a segment; known: {", ".join(catalog.segments) or "none"}')
    return catalog.segments[name]


def _feature(catalog: Catalog, name: str) -> Feature:
    for feature in catalog.features:
        if feature.name == name:
            return feature
    raise ScopeError(f'"{name}" is not a feature')
