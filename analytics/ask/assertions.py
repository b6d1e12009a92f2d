"""Assertions of a scope: what breaks them, by window, and the rows that do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from analytics.aggregates.assertion_rows import (
    BrokenCell,
    Checked,
    assertion_rows,
    broken_examples,
    checked,
    has_time,
    read_broken,
)
from analytics.aggregates.keys import CellKey
from analytics.aggregates.metric_rows import extent_of
from analytics.ask.example_rows import relative
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.service.assertions import AssertionRow, Broken, BrokenExampleRow, broken_share
from analytics.telemetry.catalog import Catalog


def assertions_of(catalog: Catalog, scope: Scope, names: Iterable[str] = ()) -> Results[AssertionRow]:
    """Every assertion in every window, version (of predictions) and segment value; empty windows too.

    Args:
        catalog: the project's views.
        scope: the question.
        names: only these assertions.

    Raises:
        ProjectError: none is declared, or there is none of this name.
        ExpressionError: a condition means nothing over the logs' columns.
    """
    rows: list[AssertionRow] = []
    texts: list[str] = []
    for name in catalog.project.declared("assertions", names):
        asked = checked(catalog, name, catalog.project.assertions[name])
        filled, windows = _windows(catalog, scope, asked)
        refusal = _refusal(catalog, filled, asked)
        cells: dict[CellKey, BrokenCell] = {}
        if windows and refusal is None:
            cells, text = read_broken(catalog, assertion_rows(catalog, filled, asked))
            texts.append(text)
        rows += _answers(catalog, filled, asked, windows, cells, refusal)
    return Results(tuple(rows), catalog.project.zone, tuple(texts))


def broken_of(
    catalog: Catalog, scope: Scope, names: Iterable[str] = (), k: int = 10
) -> Results[BrokenExampleRow]:
    """The first rows that break each assertion, by time.

    Args:
        catalog: the project's views.
        scope: the question.
        names: only these assertions.
        k: rows of each.
    """
    rows: list[BrokenExampleRow] = []
    for name in catalog.project.declared("assertions", names):
        asked = checked(catalog, name, catalog.project.assertions[name])
        filled, windows = _windows(catalog, replace(scope, grain="all"), asked)
        if not windows or _refusal(catalog, filled, asked) is not None:
            continue
        found = broken_examples(catalog, assertion_rows(catalog, filled, asked), asked, k)
        for rank, row in enumerate(found, 1):
            file, columns = relative(row.file, catalog.project.folder), dict(row.columns)
            rows.append(
                BrokenExampleRow(name, rank, row.ts, row.key.version, row.unit, file, row.row, columns)
            )
    return Results(tuple(rows), catalog.project.zone)


def _windows(catalog: Catalog, scope: Scope, asked: Checked) -> tuple[Scope, tuple[Window, ...]]:
    """The scope with ends filled from the rows of the assertion's source, and its windows."""
    if asked.source == "predictions" or (scope.start is not None and scope.end is not None):
        return resolve(catalog, scope)
    extent = catalog.extent if catalog.has_predictions else None
    if asked.source == "labels" and extent is not None and catalog.last_logged is not None:
        extent = extent[0], catalog.last_logged
    if asked.source in {"events", "units"} and has_time(catalog, asked.source):
        extent = extent_of(catalog, "events" if asked.source == "events" else "units")
    if extent is None:
        return scope, ()
    zone = catalog.project.zone
    first, last = (moment.astimezone(zone).date() for moment in extent)
    start = scope.start or datetime.combine(first, time(), zone)
    end = scope.end or datetime.combine(last + timedelta(days=1), time(), zone)
    return resolve(catalog, replace(scope, start=start, end=max(end, start + timedelta(minutes=1))))


def _refusal(catalog: Catalog, scope: Scope, asked: Checked) -> str | None:
    """Why an assertion cannot be asked so."""
    if asked.source == "predictions":
        return None
    if scope.by is not None or scope.filters:
        return f"{asked.source} have no segments here: only predictions are split and cut by them"
    if scope.grain != "all" and not has_time(catalog, asked.source):
        return "the table of units has no time: it is checked as a whole only (no --grain)"
    return None


def _answers(
    catalog: Catalog,
    scope: Scope,
    asked: Checked,
    windows: tuple[Window, ...],
    cells: dict[CellKey, BrokenCell],
    refusal: str | None,
) -> list[AssertionRow]:
    of_model = asked.source == "predictions"
    values: tuple[str | None, ...] = (None,)
    if scope.by is not None and of_model:
        values = in_order(key.segment for key in cells if key.segment is not None) or (None,)
    assertion = catalog.project.assertions[asked.name]
    rows = []
    for window in windows:
        for version in versions_of(catalog, scope) if of_model else (None,):
            for value in values:
                cell = cells.get(CellKey(window.key, version, value))
                found = broken_share(cell, asked.over, scope.confidence)
                if refusal is not None:
                    found = Broken(status="undefined", reason=refusal)
                counts = (cell.n, cell.n_broken, cell.n_unknown) if cell is not None else (0, 0, 0)
                seen = (cell.first, cell.last) if cell is not None else (None, None)
                rows.append(
                    AssertionRow(
                        window.start, window.end, asked.name, asked.source, asked.over, assertion.expect, version,
                        scope.by if of_model else None, value, *counts, found.value, found.low, found.high, *seen,
                        found.independence, found.status, found.reason,
                    )
                )  # fmt: skip
    return rows
