"""Good and bad requests by minute: sums from which any window of a service objective can be added up.

Rows of one unit in the same minute (three items of one answer, a client that tries again) are one cluster. Each cell
knows when its rows became known, so that what was known at an instant is a choice of cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Standard, read_added
from analytics.aggregates.keys import column
from analytics.aggregates.model_rows import LABELLED
from analytics.aggregates.moments import unit_expression
from analytics.aggregates.unit_sums import SHOWN
from analytics.engines.expressions import Expression, value_of
from analytics.engines.text import Sql, literal
from analytics.errors import ExpressionError, ProjectError
from analytics.project import Objective
from analytics.scope import Scope
from analytics.stats.burn_rate import Outcomes
from analytics.telemetry.casts import as_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import expression_columns
from analytics.telemetry.rows import block_key, scoped_rows

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_SUMS = ("n", "n_bad", "weight", "bad", "squares", "crossed", "bad_squares", "clusters")


class GoodRow(NamedTuple):
    """What makes a row of the predictions good: SQL that is true, false, or NULL where the row does not count."""

    sql: str
    needs_label: bool


class Tallied(NamedTuple):
    """One window: rows, bad rows, the sums that an interval needs, and the totals of its blocks, shape (G, 2)."""

    n: int
    n_bad: int
    outcomes: Outcomes
    blocks: Floats


@dataclass(frozen=True)
class EventCells:
    """Sums of one version and segment value by minute.

    Attributes:
        minute: start of the minute the rows belong to, microseconds since 1970, ascending, shape (C,).
        known: when they were known, rounded up to the minute, shape (C,).
        block: number of the stretch of time whose rows are not taken as independent, shape (C,).
        sums: rows, bad rows, and the sums of `Outcomes`, shape (C, 8).
    """

    minute: Whole
    known: Whole
    block: Whole
    sums: Floats

    def between(self, start: datetime, end: datetime, at: datetime) -> Tallied:
        """What had been known at an instant of the rows in [start, end), all on whole minutes."""
        first, last = np.searchsorted(self.minute, [_micros(start), _micros(end)])
        chosen = slice(int(first), int(last))
        known = self.known[chosen] <= _micros(at)
        sums, block = self.sums[chosen][known], self.block[chosen][known]
        n, bad, *weights, clusters = sums.sum(axis=0).tolist()
        return Tallied(int(n), int(bad), Outcomes._make((*weights, int(clusters))), _by_block(sums, block))

    @property
    def first(self) -> datetime | None:
        """The earliest minute with rows."""
        if not len(self.minute):
            return None
        return datetime.fromtimestamp(int(self.minute[0]) / 1_000_000, UTC)


def _by_block(sums: Floats, block: Whole) -> Floats:
    """Weight and bad weight of every block with rows."""
    if not len(block):
        return np.zeros((0, 2))
    codes = block - block.min()
    totals = np.stack([np.bincount(codes, sums[:, place]) for place in (2, 3)], axis=1)
    return np.asarray(totals[totals[:, 0] > 0])


Cells = dict[tuple[str | None, str | None], EventCells]
"""By version and segment value."""


def read_event_cells(catalog: Catalog, scope: Scope, good: GoodRow) -> tuple[Cells, str]:
    """Good and bad rows of a scope by minute, for every version and segment value.

    Returns:
        The cells, and the SQL text that scanned.
    """
    table, text = read_added(catalog, scoped_rows(catalog, scope), event_parts(catalog, good))
    return _split(table), text


def event_parts(catalog: Catalog, good: GoodRow) -> Additive:
    """Good and bad rows by minute; a minute lies in one day, so what is counted in it is in one part."""
    zone, block = catalog.project.time_zone, catalog.predictions.block
    known = "coalesce(received, ts)"
    if good.needs_label:
        known = f"greatest({known}, coalesce(label_ts, ts))"
    utc = f"({known} AT TIME ZONE 'UTC')"
    flag = "CASE WHEN good THEN 0e0 ELSE 1e0 END"
    keys = "window_key, version, segment, minute, known, stretch"

    def query(rows: Sql) -> Sql:
        inner = (
            "SELECT window_key, version, segment, date_trunc('minute', ts AT TIME ZONE 'UTC') AS minute, "
            f"date_trunc('minute', {utc} + INTERVAL '59999999' MICROSECOND) AS known, "
            f"{block_key(block, 'all', zone)} AS stretch, {unit_expression()} AS who, weight, "
            f"{good.sql} AS good FROM ({rows.text}) WHERE weight > 0e0"
        )
        clusters = (
            f"SELECT {keys}, count(*) AS n, sum({flag}) AS n_bad, sum(weight) AS w, sum(weight * {flag}) AS b "
            f"FROM ({inner}) WHERE good IS NOT NULL GROUP BY {keys}, who"
        )
        text = (
            f"SELECT {keys}, CAST(sum(n) AS BIGINT) AS n, sum(n_bad) AS n_bad, "
            "sum(w) AS weight, sum(b) AS bad, sum(w * w) AS squares, sum(w * b) AS crossed, "
            f"sum(b * b) AS bad_squares, count(*) AS clusters FROM ({clusters}) GROUP BY {keys}"
        )
        return Sql(text, rows.parameters)

    return Additive("objectives", query, _SUMS, labelled=good.needs_label)


def standard_objectives(catalog: Catalog) -> tuple[Standard, ...]:
    """What the Service page reads of declared objectives, except those that labels decide.

    Each row of these is known in a minute of its own, so that their parts would hold as much as the logs.
    """
    alike: dict[str, GoodRow] = {}
    for name, objective in catalog.project.objectives.items():
        try:
            good = good_row(catalog, name, objective)
        except (ProjectError, ExpressionError):  # whoever asks for it is told; nothing is kept of it
            continue
        if not good.needs_label:
            alike[good.sql] = good  # two objectives that call the same good share their parts
    return tuple(Standard(event_parts(catalog, good)) for good in alike.values())


def good_row(catalog: Catalog, name: str, objective: Objective) -> GoodRow:
    """SQL of what an objective calls good.

    Raises:
        ProjectError: these predictions do not tell.
        ExpressionError: the condition means nothing over a row.
    """
    if objective.good is not None:
        return _condition(catalog, name, objective.good)
    section, at = catalog.predictions, f"{catalog.project.file}: objectives.{name}.kind"
    if objective.kind == "availability":
        if not section.ok_status:
            raise ProjectError(f"{at}: availability needs predictions.status and ok_status")
        return GoodRow(f"({failed(catalog)} = 0e0)", needs_label=False)
    if objective.kind == "latency":
        if section.latency is None:
            raise ProjectError(
                f"{at}: latency needs predictions.latency, the column with the time an answer took"
            )
        return GoodRow(f"(latency <= {literal(float(objective.below or 0.0))})", needs_label=False)
    if section.task == "regression":
        raise ProjectError(f'{at}: a regression decides nothing; write good = "abs(score - label) <= …"')
    if not catalog.has_labels:
        raise ProjectError(
            f"{at}: right_decision needs labels: declare predictions.label, or a [labels] feed"
        )
    same = "CAST(label AS VARCHAR) = CAST(decision AS VARCHAR)"
    return GoodRow(f"CASE WHEN {LABELLED} AND decision IS NOT NULL THEN {same} END", needs_label=True)


def failed(catalog: Catalog) -> str:
    """SQL of 1 for a failed request and 0 for another; a row without a status is none."""
    fine = ", ".join(literal(status) for status in catalog.predictions.ok_status)
    return f"CASE WHEN status IS NULL OR status IN ({fine}) THEN 0e0 ELSE 1e0 END"


def _condition(catalog: Catalog, name: str, text: str) -> GoodRow:
    columns = expression_columns(catalog, "predictions", needs_unit=False)
    columns.pop("variant", None)
    late = _late_columns(catalog, columns)
    try:
        found = value_of(
            text, columns | late, lambda said: as_instant(said, "VARCHAR", catalog.project.time_zone)
        )
    except ExpressionError as error:
        raise ExpressionError(
            f"{catalog.project.file}: objectives.{name}.good: {text[:SHOWN]!r} {' '.join(str(error).split())}"
        ) from error
    sql = found.sql if found.kind == "truth" else f"({found.number} <> 0e0)"
    return GoodRow(f"({sql})", needs_label=any(column.sql in sql for column in late.values()))


def _late_columns(catalog: Catalog, columns: dict[str, Expression]) -> dict[str, Expression]:
    """What an expression may name that is known only with the label, in brackets by which it is recognised."""
    names = ("label",) if catalog.has_label_feed else (catalog.predictions.label,)
    return {
        name: Expression(f"({columns[name].sql})", columns[name].kind)
        for name in names
        if name is not None and name in columns
    }


def _split(table: pa.Table) -> Cells:
    order = np.lexsort((_stamps(table, "known"), _stamps(table, "minute")))
    table = table.take(pa.array(order))
    versions, segments = table.column("version").to_pylist(), table.column("segment").to_pylist()
    minute, known, block = (
        _stamps(table, "minute"),
        _stamps(table, "known"),
        _numbered(_stamps(table, "stretch")),
    )
    places: dict[tuple[str | None, str | None], list[int]] = {}
    for place, key in enumerate(zip(versions, segments, strict=True)):
        places.setdefault(key, []).append(place)
    sums = np.stack([column(table, name) for name in _SUMS], axis=1) if table.num_rows else np.zeros((0, 8))
    return {
        key: EventCells(minute[rows], known[rows], block[rows], sums[rows]) for key, rows in places.items()
    }


def _numbered(codes: Whole) -> Whole:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _stamps(table: pa.Table, name: str) -> Whole:
    found: Whole = table.column(name).to_numpy(zero_copy_only=False).astype("datetime64[us]").astype(np.int64)
    return found


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
