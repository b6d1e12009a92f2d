"""Requests, failures and slow answers by window, version and segment value, with what their intervals need.

All of it adds over days: requests by the kind of their failure, and latencies by bin. Who is slower than a percentile
is told from the bins, without a second pass over the rows; only where rows of one unit go together are rows read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Standard, held_rows, read_added, shown
from analytics.aggregates.event_cells import failed
from analytics.aggregates.keys import KEYS, CellKey, Grouped, block_codes, column, group, key_columns
from analytics.aggregates.latency_bins import (
    BlockedLatencies,
    LatencyBins,
    latency_parts,
    read_latencies,
)
from analytics.aggregates.moments import RowMoments, Statistic, read_row_moments
from analytics.aggregates.service_units import (
    UnitMoments,
    beyond_sums,
    moments_of,
    request_sums,
    stored_requests,
    unit_service_parts,
)
from analytics.aggregates.unit_groups import GROUPS
from analytics.engines.text import Sql, literal
from analytics.scope import Grain
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import PartGrain
from analytics.telemetry.rows import ScopedRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PERCENTILES = (0.5, 0.95, 0.99)
MOST_KINDS = 8
"""Kinds of failure that are told apart, the most frequent first; the rest are one."""
OTHER_KINDS = "(other)"
SHORT = timedelta(days=2)
"""Stretches up to this length are read in five minutes."""


@dataclass(frozen=True)
class ServiceCell:
    """One window, version and segment value.

    Attributes:
        moments: sums of ``requests``, ``failed``, ``timed``, ``above_50`` … and ``kind_0`` …
        latency: None where no row has any.
    """

    moments: RowMoments
    latency: LatencyBins | None


@dataclass(frozen=True)
class ServiceCells:
    """All cells with rows, the kinds of failure, and the SQL texts that scanned."""

    cells: dict[CellKey, ServiceCell]
    kinds: tuple[str, ...]
    sql: tuple[str, ...]


def read_service_cells(catalog: Catalog, rows: Sql, *, kinds: bool = True) -> ServiceCells:
    """Read scoped rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        kinds: whether to tell kinds of failure apart.
    """
    grain = part_grain(rows)
    with held_rows(catalog, rows, _needed) as held:
        # two scans of what is held where the former three also joined every row with its cell's percentiles
        latencies: dict[CellKey, BlockedLatencies] = {}
        bins_sql = ""
        if catalog.predictions.latency is not None:
            latencies, bins_sql = read_latencies(catalog, held, grain)
        table, sums_sql = read_added(catalog, held, request_parts(catalog, grain))
        found = _Requests(group(table), table)
        names = found.kinds() if kinds else ()
        failing = bool(catalog.predictions.ok_status)
        moments = {key: found.moments(key, names, latencies, failing=failing) for key in found.groups}
        pooled = {key: one.pooled() for key, one in latencies.items()}
        if catalog.predictions.unit is not None:
            by_group = unit_moments(catalog, held, latencies, names) if grain == "day" else None
            if by_group is None:
                moments = _with_units(catalog, held, moments, pooled, names)
            else:
                moments = {
                    key: replace(one, **by_group[key]) if key in by_group else one
                    for key, one in moments.items()
                }
        texts = tuple(shown(rows, held, text) for text in (sums_sql, bins_sql) if text)
    return ServiceCells(
        {key: ServiceCell(moment, pooled.get(key)) for key, moment in moments.items()}, names, texts
    )


def part_grain(rows: Sql) -> PartGrain:
    """How finely parts must be cut to answer for these rows: a day or two rarely begin at midnight."""
    below: tuple[Grain, ...] = ("5min", "15min", "hour")
    if not isinstance(rows, ScopedRows):
        return "day"
    start, end = rows.scope.start, rows.scope.end
    short = start is not None and end is not None and end - start <= SHORT
    return "5min" if short or rows.scope.grain in below else "day"


def _needed(rows: Sql) -> Sql:
    columns = (
        "window_key, block_key, version, segment, file, row, unit, CASE WHEN weight > 0e0 THEN weight ELSE 0e0 END "
        "AS weight, latency, status"
    )
    return Sql(f"SELECT {columns} FROM ({rows.text})", rows.parameters)


def request_parts(catalog: Catalog, grain: PartGrain = "day") -> Additive:
    """Requests by block and by the kind of their failure."""
    is_failed = f"{failed(catalog)} = 1e0" if catalog.predictions.ok_status else "FALSE"

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, block_key"
        text = (
            f"SELECT {keys}, kind, count(*) AS n, CAST(sum(CASE WHEN w > 0e0 THEN 1 ELSE 0 END) AS BIGINT) AS counted, "
            f"sum(w) AS w, sum(w * w) AS w2 FROM (SELECT {keys}, CASE WHEN {is_failed} THEN status END AS kind, "
            f"CASE WHEN weight > 0e0 THEN weight ELSE 0e0 END AS w FROM ({rows.text})) GROUP BY {keys}, kind"
        )
        return Sql(text, rows.parameters)

    return Additive("requests", query, sums=("n", "counted", "w", "w2"), grain=grain, labelled=False)


def standard_service(catalog: Catalog) -> tuple[Standard, ...]:
    """What the Service page reads: over days, and over minutes and hours of the newest days."""
    grains: tuple[PartGrain, ...] = ("day", "5min")
    found = [Standard(request_parts(catalog, grain)) for grain in grains]
    if catalog.predictions.latency is not None:
        found += [Standard(latency_parts(grain)) for grain in grains]
    if catalog.predictions.unit is not None:
        found += [Standard(part) for part in unit_service_parts(catalog)]
    return tuple(found)


class _Requests:
    """The answer of `request_parts`, cell by cell."""

    def __init__(self, groups: Grouped, table: pa.Table) -> None:
        self.groups = groups
        self._values = {name: column(table, name) for name in ("n", "counted", "w", "w2")}
        self._blocks = block_codes(table)
        self._kind = np.array(table.column("kind").to_pylist(), dtype=object)

    def kinds(self) -> tuple[str, ...]:
        """The kinds of failure, the most frequent first."""
        total: dict[str, float] = {}
        for name, n in zip(self._kind.tolist(), self._values["n"].tolist(), strict=True):
            if name is not None:
                total[name] = total.get(name, 0.0) + n
        names = sorted(total, key=lambda name: (-total[name], name))
        return (*names[: MOST_KINDS - 1], OTHER_KINDS) if len(names) > MOST_KINDS else tuple(names)

    def moments(
        self,
        key: CellKey,
        names: Sequence[str],
        latencies: Mapping[CellKey, BlockedLatencies],
        *,
        failing: bool,
    ) -> RowMoments:
        """The moments of one cell: all its statistics are flags, and weights of flags are their own products."""
        index = self.groups.rows[key]
        values = {name: found[index] for name, found in self._values.items()}
        entries = _Entries(self._blocks[index], values["counted"], values["w"], values["w2"])
        sums = _Sums(entries)
        sums.add("requests", np.ones(len(index)), entries, "requests")
        kind = self._kind[index]
        if failing:
            sums.add("failed", np.array([one is not None for one in kind], dtype=float), entries, "requests")
        for place, name in enumerate(names):
            sums.add(f"kind_{place}", _same(kind, name, names), entries, "requests")
        if latencies:
            timed = latencies.get(key, _NO_LATENCY)
            slow = _Entries(timed.block, timed.n, timed.weight, timed.squares)
            sums.add("timed", np.ones(len(timed.n)), slow, "timed")
            for share in PERCENTILES:
                limit = timed.pooled().quantile(share) if len(timed.n) else 0.0
                beyond = timed.beyond(limit)
                # of rows all as long as the limit every one is half above; of others some are, and the rest are not
                square = np.where(timed.high > timed.low, beyond, beyond**2)
                sums.add(above(share), beyond, slow, "timed", square)
        return sums.moments(int(values["n"].sum()))


def _same(kind: NDArray[np.object_], name: str, names: Sequence[str]) -> Floats:
    """Which failures are of a kind, or of none that is named."""
    if name != OTHER_KINDS:
        return np.array([one == name for one in kind], dtype=float)
    named = {None, *names} - {OTHER_KINDS}
    return np.array([one not in named for one in kind], dtype=float)


@dataclass(frozen=True)
class _Entries:
    """Groups of rows: their block, number, weight and squared weights, shape (E,) each."""

    block: Ints
    n: Floats
    weight: Floats
    squares: Floats


_NOTHING = np.zeros(0)
_NO_LATENCY = BlockedLatencies(
    np.zeros(0, np.int64), np.zeros(0, np.int64), _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING
)


class _Sums:
    """Sums of flags by block, put together to `RowMoments`."""

    def __init__(self, entries: _Entries) -> None:
        self._blocks = np.unique(entries.block)
        self._names: list[str] = []
        self._counts: list[float] = []
        self._columns: list[Floats] = []
        self._products: dict[tuple[str, str], float] = {}

    def add(
        self, name: str, share: Floats, entries: _Entries, whole: str, square: Floats | None = None
    ) -> None:
        """Count the share of every group for which a flag is up, beside the flag of which it is a part.

        Args:
            name: of the statistic.
            share: its mean over the rows of each group, shape (E,).
            entries: the groups.
            whole: the statistic of which this one counts a part.
            square: mean of its square; that of a flag where left out.
        """
        self._names.append(name)
        place = np.searchsorted(self._blocks, entries.block)
        totals = np.bincount(place, share * entries.weight, len(self._blocks))
        self._columns.append(totals.astype(np.float64))
        self._counts.append(float(entries.n[share > 0].sum()))
        self._products[name, name] = float(((share if square is None else square) * entries.squares).sum())
        if whole != name:
            self._products[whole, name] = float((share * entries.squares).sum())

    def moments(self, n: int) -> RowMoments:
        """All statistics so far."""
        size = len(self._names)
        products = np.zeros((size, size))
        for (one, other), value in self._products.items():
            i, j = self._names.index(one), self._names.index(other)
            products[i, j] = products[j, i] = value
        return RowMoments(
            tuple(self._names),
            n,
            np.array(self._counts),
            self._blocks,
            np.stack(self._columns, axis=1),
            products,
        )


def above(probability: float) -> str:
    """Name of the statistic that counts rows slower than a percentile.

    >>> above(0.99)
    'above_99'
    """
    return f"above_{round(probability * 100)}"


def unit_moments(
    catalog: Catalog, rows: Sql, latencies: Mapping[CellKey, BlockedLatencies], kinds: Sequence[str]
) -> dict[CellKey, UnitMoments] | None:
    """What groups of units tell of every cell's statistics, in their order; None where there are no parts of it."""
    table = stored_requests(catalog, rows)
    beyond = beyond_sums(catalog, rows, latencies, PERCENTILES) if latencies and table is not None else {}
    if table is None or beyond is None:
        return None
    names = set(table.column("kind").to_pylist()) - {None}
    together = [names - set(kinds) if name == OTHER_KINDS else {name} for name in kinds]
    requests = request_sums(
        table, [sorted(one) for one in together] if catalog.predictions.ok_status else None
    )
    none = np.zeros((GROUPS, 1 + len(PERCENTILES))), np.zeros(1 + len(PERCENTILES))
    found = {}
    for key, sums in requests.items():
        timed, within = beyond.get(key, none) if latencies else (np.zeros((GROUPS, 0)), np.zeros(0))
        all_within = np.concatenate([np.zeros(sums.shape[1]), within])
        found[key] = moments_of(np.concatenate([sums, timed], axis=1), all_within)
    return found


def _with_units(
    catalog: Catalog,
    rows: Sql,
    moments: Mapping[CellKey, RowMoments],
    bins: Mapping[CellKey, LatencyBins],
    kinds: Sequence[str],
) -> dict[CellKey, RowMoments]:
    """The moments with those of units, which one row after another must be read for: a unit comes back any day."""
    counted = "weight > 0e0"
    statistics = [Statistic("requests", f"CASE WHEN {counted} THEN 1e0 ELSE 0e0 END")]
    together: list[tuple[str, ...]] = [("requests",)]
    if catalog.predictions.ok_status:
        statistics.append(Statistic("failed", f"CASE WHEN {counted} THEN {failed(catalog)} ELSE 0e0 END"))
        together.append(("requests", "failed"))
    for place, name in enumerate(kinds):
        named = ", ".join(literal(kind) for kind in kinds if kind != OTHER_KINDS)
        same = f"status = {literal(name)}" if name != OTHER_KINDS else f"status NOT IN ({named})"
        condition = f"{counted} AND {failed(catalog)} = 1e0 AND {same}"
        statistics.append(Statistic(f"kind_{place}", f"CASE WHEN {condition} THEN 1e0 ELSE 0e0 END"))
        together.append(("requests", f"kind_{place}"))
    tables: dict[str, pa.Table] = {}
    if bins:
        statistics.append(
            Statistic("timed", f"CASE WHEN {counted} AND latency IS NOT NULL THEN 1e0 ELSE 0e0 END")
        )
        for share in PERCENTILES:
            limit = f"limit_{round(share * 100)}"
            statistics.append(
                Statistic(
                    above(share),
                    f"CASE WHEN {counted} AND latency > {limit} THEN 1e0 "
                    f"WHEN {counted} AND latency = {limit} THEN 0.5e0 ELSE 0e0 END",
                )
            )
            together.append(("timed", above(share)))
        rows, tables["limits"] = with_limits(rows, bins, PERCENTILES)
    units, _ = read_row_moments(catalog, rows, statistics, together, tables=tables)
    return {
        key: replace(one, unit_products=units[key].unit_products, n_units=units[key].n_units)
        if key in units
        else one
        for key, one in moments.items()
    }


def with_limits(
    rows: Sql, bins: Mapping[CellKey, LatencyBins], shares: Sequence[float]
) -> tuple[Sql, pa.Table]:
    """Rows beside the percentiles of their own cell, as ``limit_50`` …; the text reads the table ``limits``."""
    keys = list(bins)
    names = [f"limit_{round(share * 100)}" for share in shares]
    values = {
        name: pa.array([bins[key].quantile(share) for key in keys], pa.float64())
        for name, share in zip(names, shares, strict=True)
    }
    same = (
        "r.window_key = i.window_key AND coalesce(r.version, '') = i.version "
        "AND coalesce(r.segment, '') = i.segment"
    )
    items = ", ".join(f"i.{name} AS {name}" for name in names)
    text = f"SELECT r.*, {items} FROM ({rows.text}) AS r LEFT JOIN limits AS i ON {same}"
    return Sql(text, rows.parameters), pa.table({**key_columns(keys), **values})
