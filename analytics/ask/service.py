"""Service of a scope: load, errors and latency of every window, version and segment value; empty windows too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from analytics.aggregates.keys import CellKey
from analytics.aggregates.service_cells import ServiceCells, read_service_cells
from analytics.aggregates.tail_units import read_tail
from analytics.ask.kept import kept
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.errors import ProjectError
from analytics.results import Results, Status
from analytics.scope import Scope, Window
from analytics.service.load import NOTHING, Load, load_of
from analytics.service.rows import ErrorRow, ServiceRow, TailRow
from analytics.service.tail import tail_rows
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

NO_ROWS = "no requests in this window"


@dataclass(frozen=True)
class Service:
    """Load, errors and latency, and the kinds of failure, from one scan."""

    rows: Results[ServiceRow]
    errors: Results[ErrorRow]


def service_of(catalog: Catalog, scope: Scope, now: datetime) -> Service:
    """Service and kinds of failure of every window, version and segment value.

    Args:
        catalog: the project's views.
        scope: the question.
        now: the present; a window that is not over yet has lasted until then.
    """
    return kept(catalog, ("service", scope, now), Service, lambda: _service(catalog, scope, now))


def _service(catalog: Catalog, scope: Scope, now: datetime) -> Service:
    zone = catalog.project.zone
    scope, windows = resolve(catalog, scope)
    if not windows:
        empty = ("The logs hold no prediction.",)
        return Service(Results((), zone, notes=empty), Results((), zone, notes=empty))
    found = read_service_cells(catalog, scoped_rows(catalog, scope))
    known_at = scope.as_of or now
    rows: list[ServiceRow] = []
    errors: list[ErrorRow] = []
    for window, version, value in _places(catalog, scope, windows, found):
        cell = found.cells.get(CellKey(window.key, version, value))
        load = NOTHING
        if cell is not None and cell.moments.count("requests"):
            load = load_of(cell, _seconds(window, known_at), scope.confidence, len(found.kinds))
        place = _Place(window, version, scope.by, value)
        rows.append(_row(place, load, _reason(catalog, window, load, known_at)))
        errors += _errors(place, load, found.kinds)
    notes = _notes(catalog, scope)
    return Service(
        Results(tuple(rows), zone, found.sql, notes), Results(tuple(errors), zone, found.sql[:1], notes)
    )


@dataclass(frozen=True)
class _Place:
    window: Window
    version: str | None
    segment: str | None
    value: str | None

    @property
    def fields(self) -> tuple[datetime, datetime, str | None, str | None, str | None]:
        return self.window.start, self.window.end, self.version, self.segment, self.value


def _places(
    catalog: Catalog, scope: Scope, windows: tuple[Window, ...], found: ServiceCells
) -> list[tuple[Window, str | None, str | None]]:
    values: tuple[str | None, ...] = (None,)
    if scope.by is not None:
        values = in_order(key.segment for key in found.cells if key.segment is not None) or (None,)
    return [
        (window, version, value)
        for window in windows
        for version in versions_of(catalog, scope)
        for value in values
    ]


def _seconds(window: Window, known_at: datetime) -> float:
    """How long a window has lasted; all of it where its rows come from clocks that go ahead."""
    end = min(window.end, known_at) if known_at > window.start else window.end
    return (end - window.start).total_seconds()


def _row(place: _Place, load: Load, reason: str | None) -> ServiceRow:
    status: Status = "ok" if load.n else "no_data"
    p50, p95, p99 = (found[:3] for found in load.latencies)
    return ServiceRow(
        *place.fields, load.n, *load.rate[:3], load.n_failed, *load.errors[:3], load.n_timed, *p50, *p95, *p99,
        load.errors.independence, load.latencies[1].independence, status, reason,
    )  # fmt: skip


def _reason(catalog: Catalog, window: Window, load: Load, known_at: datetime) -> str | None:
    if not load.n:
        return NO_ROWS
    said = []
    if window.start < known_at < window.end:
        said.append("the window is not over yet")
    if catalog.predictions.latency is not None and not load.n_timed:
        said.append("no request with a usable latency")
    if load.open_ends:
        ends = " and ".join(load.open_ends)
        said.append(f"too few requests to bound {ends} on both sides")
    return "; ".join(said) or None


def _errors(place: _Place, load: Load, kinds: tuple[str, ...]) -> list[ErrorRow]:
    if not load.n:
        return [
            ErrorRow(*place.fields, kind, 0, 0, None, None, None, None, "no_data", NO_ROWS) for kind in kinds
        ]
    return [
        ErrorRow(
            *place.fields, kind, load.n, n, found.value, found.low, found.high, found.independence, "ok", None
        )
        for kind, (n, found) in zip(kinds, load.kinds, strict=True)
    ]


def _notes(catalog: Catalog, scope: Scope) -> tuple[str, ...]:
    section, notes = catalog.predictions, []
    if not section.ok_status:
        notes.append("no error rate: declare predictions.status and ok_status")
    if section.latency is None:
        notes.append("no latency: declare predictions.latency")
    if section.request is not None and len(versions_of(catalog, scope)) > 1:
        notes.append("several versions answer the same requests (shadow mode): each counts its own answers")
    return tuple(notes)


def tail_of(catalog: Catalog, scope: Scope, k: int = 10) -> Results[TailRow]:
    """The units with most requests among the slowest one percent of each version, over the whole stretch.

    Raises:
        ProjectError: no latency, or no unit, is declared.
    """
    section, zone = catalog.predictions, catalog.project.zone
    for role in ("latency", "unit"):
        if getattr(section, role) is None:
            raise ProjectError(
                f"{catalog.project.file}: predictions.{role}: who waits longest needs this column"
            )
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    cells, text = read_tail(catalog, scoped_rows(catalog, scope), k)
    private = section.unit in section.private
    (window,) = windows
    found = tuple(
        row
        for version in versions_of(catalog, scope)
        if (cell := cells.get(CellKey(window.key, version, None))) is not None
        for row in tail_rows(cell, (window.start, window.end), version, scope.confidence, private=private)
    )
    notes = (
        () if found else ("No request with a latency in this window, or all took as long as one another.",)
    )
    return Results(found, zone, (text,), notes)
