"""Metrics by window, version and segment value: what the rows of every unit come to, summed with the spread of groups.

A unit's rows of one window are added up (or taken together) as an experiment would take them, then every window has
sums over its units and the squares of what each group of units (a cluster, or one unit) lies off the window's value:
the linearised error of a ratio of two sums. Over long windows the same is summed by day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import CellKey, group
from analytics.aggregates.metric_memory import Cells, MetricCell, keep_cells, recall_cells
from analytics.aggregates.metric_rows import RowSource, metric_rows
from analytics.aggregates.model_rows import OF_LABELS, WAITING
from analytics.aggregates.readings import Wanted
from analytics.aggregates.unit_kinds import raw_column, reached, unit_items, usable, value_column
from analytics.aggregates.unit_sums import raw_columns
from analytics.aggregates.unit_table import capped
from analytics.engines.text import Sql, literal
from analytics.project import SHARES
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import expression_columns
from analytics.telemetry.remembered import is_worth_keeping, key_of

Floats = NDArray[np.float64]
KEYS = "window_key, version, seg"
Caps = Mapping[str, tuple[float | None, float | None]]


def read_metric_cells(
    catalog: Catalog, scope: Scope, source: RowSource, metrics: Sequence[Wanted], *, blocks: bool
) -> tuple[dict[str, Cells], str]:
    """Read metrics of one source in a scope whose ends are both set.

    Args:
        catalog: the project's views.
        scope: the question.
        source: of all these metrics.
        metrics: what to read; windows and half-lives from the first exposure mean nothing here and are left aside.
        blocks: whether to read sums by day besides.

    Returns:
        Cells by name of the metric, and the SQL text that scanned.
    """
    known = expression_columns(catalog, source)
    plain = [_timeless(wanted) for wanted in metrics]
    raw = [raw_columns(catalog, wanted, known) for wanted in plain]
    rows = metric_rows(catalog, scope, source)
    keys = [
        _memory_key(
            catalog, scope, wanted, _units(_inner(rows, [wanted], [columns]), [wanted], source), blocks
        )
        for wanted, columns in zip(plain, raw, strict=True)
    ]
    found = {
        wanted.name: cells
        for wanted, key in zip(plain, keys, strict=True)
        if (cells := recall_cells(catalog, key)) is not None
    }
    wanting = [place for place, wanted in enumerate(plain) if wanted.name not in found]
    missing, columns = [plain[place] for place in wanting], [raw[place] for place in wanting]
    with ExitStack() as stack:
        if missing:
            inner = _inner(rows, missing, columns)
            units = stack.enter_context(catalog.engine.kept(_units(inner, missing, source)))
            days = stack.enter_context(catalog.engine.kept(_days(inner, missing, source))) if blocks else None
            for index, wanted in enumerate(missing):
                cells = _Reader(catalog, index, wanted, source, inner, units, days).cells()
                found[wanted.name] = keep_cells(catalog, keys[wanting[index]], cells)
    return found, rows.text


def _memory_key(
    catalog: Catalog,
    scope: Scope,
    wanted: Wanted,
    units: Sql,
    blocks: bool,  # noqa: FBT001
) -> str | None:
    """What the cells of a metric are kept under; None for what is not kept.

    A unit comes back any day, so cells of weeks do not add up from days; of large logs they are kept as they are until
    a file changes. Windows that begin within a day are asked once.
    """
    if "known_at" in units.parameters:
        return (
            None  # labels that turn absent as time goes by: asked at another instant, it is another question
        )
    feeds = {"events": ("events", "units"), "units": ("units",)}.get(
        wanted.source, ("predictions", "labels", "units")
    )
    zone = catalog.project.zone
    whole = all(
        moment is not None and moment.astimezone(zone).time() == time() for moment in (scope.start, scope.end)
    )
    if not whole or wanted.metric.kind == "quantile" or not is_worth_keeping(catalog, feeds):
        return None
    said = f"{units.text}\n{wanted.metric.model_dump_json()}\n{blocks}"
    return key_of(catalog, "metric cells", Sql(said, units.parameters), feeds)


def _timeless(wanted: Wanted) -> Wanted:
    """The metric without what counts from a first exposure: outside experiments nobody is exposed."""
    update = {"after": None, "window": None, "half_life": None, "covariate": ()}
    return Wanted(wanted.name, wanted.metric.model_copy(update=update), wanted.source)


def _inner(rows: Sql, metrics: Sequence[Wanted], raw: Sequence[Mapping[str, str]]) -> Sql:
    items = [KEYS, "block_key", "who", "grp", "ts", "weight", "FALSE AS early"]
    for index, (wanted, columns) in enumerate(zip(metrics, raw, strict=True)):
        items += [f"{text} AS {raw_column(index, name)}" for name, text in columns.items()]
        items += [f"TRUE AS after_{index}", f"FALSE AS before_{index}", f"TRUE AS since_{index}"]
        if wanted.metric.model in OF_LABELS:
            items.append(f"{WAITING} AS waiting_{index}")
    return Sql(f"SELECT {', '.join(items)} FROM ({rows.text})", rows.parameters)


def _units(inner: Sql, metrics: Sequence[Wanted], source: RowSource) -> Sql:
    """One row a window, version, segment value and unit."""
    items, ways = [KEYS, "who", "min(grp) AS grp", "count(*) AS n_rows"], []
    for index, wanted in enumerate(metrics):
        items += unit_items(index, wanted, weighted=source == "predictions")
        ways += reached(index, wanted.steps)
    summed = f"SELECT {', '.join(items)} FROM ({inner.text}) GROUP BY {KEYS}, who"
    return Sql(f"SELECT *, {', '.join(ways)} FROM ({summed})" if ways else summed, inner.parameters)


def _days(inner: Sql, metrics: Sequence[Wanted], source: RowSource) -> Sql:
    """One row a window, version, segment value, unit and day."""
    items = [KEYS, "who", "block_key"]
    for index, wanted in enumerate(metrics):
        if not wanted.steps:
            items += unit_items(index, wanted, weighted=source == "predictions")
    return Sql(
        f"SELECT {', '.join(items)} FROM ({inner.text}) GROUP BY {KEYS}, who, block_key", inner.parameters
    )


@dataclass(frozen=True)
class _Reader:
    """One metric over the table of units."""

    catalog: Catalog
    index: int
    wanted: Wanted
    source: RowSource
    rows: Sql
    units: Sql
    days: Sql | None

    def cells(self) -> Cells:
        caps = self._caps()
        table = self._query(_cells_sql(self._values(caps), self.units.text))
        cells = {
            key: MetricCell(
                row["n_units"], row["n_rows"], row["n_groups"], row["numerator"], row["denominator"],
                row["squares"] or 0.0, row["n_left"], row["n_waiting"],
            )
            for key, row in _keyed(table)
        }  # fmt: skip
        if self.wanted.metric.kind == "quantile":
            cells = self._with_values(cells)
        elif self.days is not None and not self.wanted.steps:
            cells = self._with_blocks(cells, caps, self.days)
        return cells

    def _column(self, name: str) -> str:
        return value_column(self.index, name)

    def _known(self, name: str) -> str:
        """A unit's value; who did nothing that counts has 0, unless a table of units should have said it."""
        column = self._column(name)
        return column if self.source == "units" else f"coalesce({column}, 0e0)"

    def _values(self, caps: Caps) -> str:
        """What a unit adds to both sums; a metric per unit adds 1 below for each unit that has a value."""
        names = self.wanted.columns
        cut = [capped(self._column(name), caps.get(name)) for name in names]
        if len(names) == 2:
            top, bottom = (f"coalesce({text}, 0e0)" for text in cut)
        elif self.source == "units":
            bottom = f"CASE WHEN {cut[0]} IS NULL THEN 0e0 ELSE 1e0 END"
            top = f"coalesce({cut[0]}, 0e0)"
        else:
            top, bottom = f"coalesce({cut[0]}, 0e0)", "1e0"
        counted = ", ".join(f"{self._column(name)} AS n_{name}" for name in ("left", "waiting"))
        return f"{top} AS top, {bottom} AS bottom, {counted}"

    def _caps(self) -> Caps:
        """Where values are cut, over the units of all windows together: the same for every window."""
        declared = self.wanted.metric.winsorize
        if declared is None:
            return {}
        low, high = declared if isinstance(declared, tuple) else (None, declared)
        found = {}
        for name in self.wanted.columns:
            ends = [
                _order_statistic(share) if share not in {None, 0.0, 1.0} else "NULL" for share in (low, high)
            ]
            row = self._query(
                f"SELECT {ends[0]} AS low, {ends[1]} AS high FROM ("
                "SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS n FROM ("
                f"SELECT {self._known(name)} AS value FROM ({self.units.text})) WHERE value IS NOT NULL)"
            ).to_pylist()[0]
            found[name] = (row["low"], row["high"])
        return found

    def _with_values(self, cells: Cells) -> Cells:
        """The values that a quantile is of: those of the rows, as an experiment takes them."""
        column = raw_column(self.index, "value")
        text = (
            f"SELECT window_key, version, seg AS segment, grp, {column} AS value FROM ({self.rows.text}) "
            f"WHERE {usable(column)}"
        )
        table = self.catalog.engine.query(Sql(text, self.rows.parameters))
        values = table.column("value").to_numpy()
        groups = np.unique(table.column("grp").to_numpy().astype(str), return_inverse=True)[1]
        return {
            key: replace(cells[key], values=(values[places], groups[places]))
            for key, places in group(table).rows.items()
        }

    def _with_blocks(self, cells: Cells, caps: Caps, days: Sql) -> Cells:
        table = self._query(
            f"SELECT {KEYS}, block_key, sum(top) AS top, sum(bottom) AS bottom FROM ("
            f"SELECT {KEYS}, block_key, {self._by_day(caps)} FROM ({days.text})) GROUP BY {KEYS}, block_key"
        )
        sums: dict[CellKey, list[tuple[float, float]]] = {}
        for key, row in _keyed(table):
            sums.setdefault(key, []).append((row["top"], row["bottom"]))
        return {
            key: replace(cell, blocks=np.asarray(sums.get(key, []), dtype=np.float64).reshape(-1, 2))
            for key, cell in cells.items()
        }

    def _by_day(self, caps: Caps) -> str:
        """What a unit's day adds: its part of a yes to every day that said yes, and of the unit to every day it had."""
        own = f"PARTITION BY {KEYS}, who"
        if len(self.wanted.columns) == 2:
            top, bottom = (_spread(self._column(name), caps.get(name), own) for name in self.wanted.columns)
            return f"{top} AS top, {bottom} AS bottom"
        column = self._column("value")
        top = _spread(column, caps.get("value"), own)
        if self.wanted.metric.kind in SHARES:
            top = f"coalesce({column} / nullif(sum({column}) OVER ({own}), 0e0), 0e0)"
        return f"{top} AS top, 1e0 / count(*) OVER ({own}) AS bottom"

    def _query(self, text: str) -> pa.Table:
        return self.catalog.engine.query(Sql(text))


def _cells_sql(values: str, units: str) -> str:
    """Sums of every cell, and squares about its own value: two passes, so that large values lose no digits."""
    whole = f"PARTITION BY {KEYS}"
    groups = (
        f"SELECT {KEYS}, grp, count(*) AS units, sum(n_rows) AS n_rows, sum(top) AS top, sum(bottom) AS bottom, "
        "sum(n_left) AS n_left, sum(n_waiting) AS n_waiting "
        f"FROM (SELECT {KEYS}, grp, n_rows, {values} FROM ({units})) GROUP BY {KEYS}, grp"
    )
    value = f"sum(top) OVER ({whole}) / nullif(sum(bottom) OVER ({whole}), 0e0)"
    return (
        f"SELECT {KEYS}, CAST(sum(units) AS BIGINT) AS n_units, CAST(sum(n_rows) AS BIGINT) AS n_rows, "
        "count(*) AS n_groups, sum(top) AS numerator, sum(bottom) AS denominator, "
        "sum((top - value * bottom) * (top - value * bottom)) AS squares, "
        "CAST(sum(n_left) AS BIGINT) AS n_left, CAST(sum(n_waiting) AS BIGINT) AS n_waiting "
        f"FROM (SELECT *, {value} AS value FROM ({groups})) GROUP BY {KEYS}"
    )


def _order_statistic(share: float | None) -> str:
    # a quotient is rounded as the written share was, a product is not: 0.55 * 100 is more than 55
    return f"min(CASE WHEN CAST(place AS DOUBLE) / n >= {literal(float(share or 0.0))} THEN value END)"


def _spread(column: str, limits: tuple[float | None, float | None] | None, own: str) -> str:
    """A unit's sum of a day; where the unit's whole sum is cut, its days are cut in proportion."""
    if limits is None:
        return f"coalesce({column}, 0e0)"
    whole = f"(sum(coalesce({column}, 0e0)) OVER ({own}))"
    return f"CASE WHEN {whole} <> 0e0 THEN coalesce({column}, 0e0) * {capped(whole, limits)} / {whole} ELSE 0e0 END"


def _keyed(table: pa.Table) -> list[tuple[CellKey, dict[str, Any]]]:
    return [
        (CellKey(row.pop("window_key"), row.pop("version"), row.pop("seg")), row) for row in table.to_pylist()
    ]
