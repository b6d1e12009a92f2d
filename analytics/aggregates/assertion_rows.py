"""Rows that break what is always expected: one condition over a row, over consecutive rows of a unit, or over a group.

A condition that is neither true nor false (something in it is missing) is not checked, and counted as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.unit_sums import SHOWN
from analytics.engines.expressions import Columns, Expression, parse_expression
from analytics.engines.group_expressions import parse_group_expression
from analytics.engines.text import Sql, all_of, identifier
from analytics.errors import ExpressionError, ProjectError
from analytics.project import Assertion
from analytics.scope import Scope
from analytics.telemetry.casts import as_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import event_rows, expression_columns, unit_rows
from analytics.telemetry.rows import block_key, conditions, scoped_rows, window_key

Floats = NDArray[np.float64]
Over = Literal["rows", "consecutive", "groups"]
PREVIOUS = "previous."
_NOTHING = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True)
class Checked:
    """An assertion as SQL.

    Attributes:
        name: of the assertion.
        source: whose rows.
        over: rows, consecutive rows, or groups.
        condition: true, false or NULL, over a row (or, of groups, over a group).
        within: SQL of what makes a group.
        previous: SQL of the columns of the row before, by the name they carry.
        shown: column as the user wrote it -> SQL of its value: what the condition names.
    """

    name: str
    source: str
    over: Over
    condition: str
    within: tuple[str, ...]
    previous: Mapping[str, str]
    shown: Mapping[str, str]


@dataclass(frozen=True)
class BrokenCell:
    """One window, version and segment value.

    Attributes:
        n: rows (or groups) that were checked.
        n_broken: that broke the condition.
        n_unknown: of which nothing could be said.
        first, last: instants of the first and last broken row.
        blocks: checked and broken of every block of time, shape (G, 2).
    """

    n: int
    n_broken: int
    n_unknown: int
    first: datetime | None
    last: datetime | None
    blocks: Floats


@dataclass(frozen=True)
class BrokenRow:
    """A row that breaks an assertion (of a group: its first row), with the values the condition names."""

    key: CellKey
    ts: datetime | None
    file: str
    row: int
    unit: str | None
    columns: Mapping[str, Any]


def checked(catalog: Catalog, name: str, assertion: Assertion) -> Checked:
    """Check what a project file expects against the logs' columns.

    Raises:
        ExpressionError: the condition means nothing over these columns.
        ProjectError: the source, or a unit, is not declared.
    """
    source = assertion.source
    known = _known(catalog, source)
    within: list[str] = []
    for place, written in enumerate(assertion.within):
        try:
            within.append(parse_expression(identifier(written), known).sql)
        except ExpressionError as error:
            raise _wrong(catalog, f"{name}.within[{place}]", written, error) from error
    before = {f"{PREVIOUS}{written}": each for written, each in known.items()}
    names = {written: identifier(written) for written in before}
    printed = {written: Expression(names[written], each.kind) for written, each in before.items()}
    expression = _parsed(catalog, name, assertion, known | printed)
    previous = {names[each]: before[each].sql for each in before if names[each] in expression.sql}
    if previous and within:
        raise ProjectError(f"{_key(catalog, name)}.within: previous rows and groups do not go together")
    if previous and not _has_unit(catalog, source):
        raise ProjectError(f"{_key(catalog, name)}.expect: previous needs a column that names the unit")
    shown = {written: each.sql for written, each in known.items() if _named(each.sql, expression.sql)}
    shown |= {written: names[written] for written in before if names[written] in previous}
    shown = dict(zip(assertion.within, within, strict=True)) | ({} if within else shown)
    over: Over = "groups" if within else "consecutive" if previous else "rows"
    return Checked(name, source, over, expression.sql, tuple(within), previous, shown)


def _named(part: str, whole: str) -> bool:
    """Whether SQL names this column, and not one whose name holds it."""
    return re.search(rf'(?<![\w:"]){re.escape(part)}(?![\w"])', whole) is not None


def _parsed(catalog: Catalog, name: str, assertion: Assertion, known: Columns) -> Expression:
    def instant(said: str) -> str:
        return as_instant(said, "VARCHAR", catalog.project.time_zone)

    try:
        if assertion.within:
            found = parse_group_expression(assertion.expect, known, assertion.within, instant)
        else:
            found = parse_expression(assertion.expect, known, instant)
    except ExpressionError as error:
        raise _wrong(catalog, f"{name}.expect", assertion.expect, error) from error
    if found.kind not in {"truth", "nothing"}:
        no_condition = ExpressionError("is no condition: it gives a value, and is neither true nor false")
        raise _wrong(catalog, f"{name}.expect", assertion.expect, no_condition)
    return found


def _key(catalog: Catalog, name: str) -> str:
    return f"{catalog.project.file}: assertions.{name}"


def _wrong(catalog: Catalog, key: str, text: str, error: ExpressionError) -> ExpressionError:
    return ExpressionError(f"{_key(catalog, key)}: {text[:SHOWN]!r} {' '.join(str(error).split())}")


def _known(catalog: Catalog, source: str) -> dict[str, Expression]:
    """What a name in a condition may stand for."""
    if source == "labels":
        section = catalog.project.labels
        if section is None:
            raise ProjectError(
                f"{catalog.project.file}: labels: this needs a [labels] section, and there is none"
            )
        kind: Literal["text", "number"] = "text" if catalog.predictions.task == "multiclass" else "number"
        found = {section.id: Expression("id", "text"), section.timestamp: Expression("ts", "time")}
        found[section.label] = Expression("label", kind)
        return found | ({section.source: Expression("source", "text")} if section.source else {})
    if source == "predictions":
        catalog.project.require_predictions()
        found = expression_columns(catalog, "predictions", needs_unit=False)
    else:
        catalog.require_feed(source)
        found = expression_columns(catalog, "events" if source == "events" else "units")
    if found.get("variant", Expression("", "nothing")).sql == "arm_variant":
        found.pop("variant")
    return found


def _has_unit(catalog: Catalog, source: str) -> bool:
    return catalog.predictions.unit is not None if source == "predictions" else source != "labels"


def assertion_rows(catalog: Catalog, scope: Scope, asked: Checked) -> Sql:
    """One row a checked row (or group): keys, ts, file, row, unit, ``holds`` and ``shown_0`` and so on.

    Rows before are looked for in all the logs, not in the window alone. A group is made of the rows of one window.
    """
    open_scope = scope if not asked.previous else Scope(
        as_of=scope.as_of, by=scope.by, versions=scope.versions, grain=scope.grain, filters=()
    )  # fmt: skip
    rows = _rows(catalog, open_scope, asked.source)
    if asked.previous:
        order = "OVER (PARTITION BY version, unit ORDER BY ts, file, row)"
        items = [f"lag({sql}) {order} AS {name}" for name, sql in asked.previous.items()]
        inside = _inside(catalog, scope, asked.source)
        rows = Sql(
            f"SELECT * FROM (SELECT *, {', '.join(items)} FROM ({rows.text}) WHERE unit IS NOT NULL) "
            f"WHERE {inside.text}",
            rows.parameters | inside.parameters,
        )
    values = ", ".join(f"{sql} AS shown_{place}" for place, sql in enumerate(asked.shown.values()))
    extra = f", {values}" if values else ""
    if not asked.within:
        text = f"SELECT {KEYS}, block_key, ts, file, row, unit, {asked.condition} AS holds{extra} FROM ({rows.text})"
        return Sql(text, rows.parameters)
    places = ", ".join(f"{sql} AS within_{place}" for place, sql in enumerate(asked.within))
    keys = ", ".join((KEYS, *(f"within_{place}" for place in range(len(asked.within)))))
    named = ", ".join(f"within_{place} AS shown_{place}" for place in range(len(asked.within)))
    first = ", ".join(
        f"arg_min({name}, (ts, file, row)) AS {name}" for name in ("block_key", "file", "row", "unit")
    )
    inner = (
        f"SELECT {keys}, min(ts) AS ts, {first}, {asked.condition} AS holds "
        f"FROM (SELECT *, {places} FROM ({rows.text})) GROUP BY {keys}"
    )
    return Sql(
        f"SELECT {KEYS}, block_key, ts, file, row, unit, holds, {named} FROM ({inner})", rows.parameters
    )


def _inside(catalog: Catalog, scope: Scope, source: str) -> Sql:
    """Window and filters, put to rows whose row before is known."""
    parts = []
    if scope.start is not None:
        parts.append(Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": scope.start}))
    if scope.end is not None:
        parts.append(Sql("ts < CAST($end AS TIMESTAMP WITH TIME ZONE)", {"end": scope.end}))
    if source == "predictions":
        parts += conditions(catalog, scope.filters)
    return all_of(parts)


def _rows(catalog: Catalog, scope: Scope, source: str) -> Sql:
    if source == "predictions":
        return scoped_rows(catalog, scope)
    zone, section = catalog.project.time_zone, catalog.project.predictions
    if source == "labels":
        rows, usable = f"SELECT *, {_NOTHING} AS unit FROM labels", []
    else:
        rows, usable = event_rows(catalog) if source == "events" else unit_rows(catalog), [Sql("usable")]
    bounds = []
    for name, sign, moment in (
        ("start", ">=", scope.start),
        ("end", "<", scope.end),
        ("as_of", "<=", scope.as_of),
    ):
        if moment is not None and has_time(catalog, source):
            bounds.append(Sql(f"ts {sign} CAST(${name} AS TIMESTAMP WITH TIME ZONE)", {name: moment}))
    wanted = all_of([*usable, *bounds])
    grain = scope.grain if has_time(catalog, source) else "all"
    block = section.block if section is not None else "day"
    return Sql(
        f"SELECT *, {window_key(grain, zone)} AS window_key, {block_key(block, grain, zone)} AS block_key, "
        f"{_NOTHING} AS version, {_NOTHING} AS segment FROM ({rows}) WHERE {wanted.text}",
        wanted.parameters,
    )


def has_time(catalog: Catalog, source: str) -> bool:
    """Whether rows of a source can be cut to windows."""
    units = catalog.project.units
    return source != "units" or (units is not None and units.timestamp is not None)


def read_broken(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, BrokenCell], str]:
    """Count what `assertion_rows` gives, by window, version and segment value."""
    broken = "FILTER (WHERE NOT holds)"
    text = (
        f"SELECT {KEYS}, block_key, count(holds) AS n, count(*) {broken} AS n_broken, "
        f"count(*) FILTER (WHERE holds IS NULL) AS n_unknown, min(ts) {broken} AS first, max(ts) {broken} AS last "
        f"FROM ({rows.text}) GROUP BY {KEYS}, block_key ORDER BY block_key"
    )
    table = catalog.engine.query(Sql(text, rows.parameters))
    counts = {name: column(table, name) for name in ("n", "n_broken", "n_unknown")}
    moments = {name: table.column(name).to_pylist() for name in ("first", "last")}
    found = {}
    for key, index in group(table).rows.items():
        seen = {name: [at for place in index if (at := moments[name][place]) is not None] for name in moments}
        blocks = np.stack([counts["n"][index], counts["n_broken"][index]], axis=1)
        found[key] = BrokenCell(
            int(blocks[:, 0].sum()), int(blocks[:, 1].sum()), int(counts["n_unknown"][index].sum()),
            min(seen["first"], default=None), max(seen["last"], default=None), blocks[blocks[:, 0] > 0],
        )  # fmt: skip
    return found, text


def broken_examples(catalog: Catalog, rows: Sql, asked: Checked, k: int) -> list[BrokenRow]:
    """The first rows that break an assertion, by time."""
    text = f"SELECT * FROM ({rows.text}) WHERE NOT holds ORDER BY ts, file, row LIMIT {int(k)}"
    private = catalog.project.predictions.private if catalog.project.predictions is not None else ()
    hidden = asked.source == "predictions" and catalog.predictions.unit in private
    return [
        BrokenRow(
            CellKey(row["window_key"], row["version"], row["segment"]), row["ts"], row["file"], row["row"],
            "(private)" if hidden and row["unit"] is not None else row["unit"],
            {name: row[f"shown_{place}"] for place, name in enumerate(asked.shown)},
        )
        for row in catalog.engine.query(Sql(text, rows.parameters)).to_pylist()
    ]  # fmt: skip
