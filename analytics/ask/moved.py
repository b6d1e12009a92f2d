"""What is different about any selection of rows: a window, a segment, a cell of the confusion matrix, a bin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analytics.aggregates.moved_cells import read_moved
from analytics.ask.windows import resolve
from analytics.errors import ScopeError
from analytics.explain.moved import MovedRow, moved_rows
from analytics.results import Results
from analytics.scope import Scope, format_instant
from analytics.telemetry.catalog import Catalog

BEFORE = timedelta(days=28)
USUAL_WINDOW = timedelta(days=7)


def moved_of(catalog: Catalog, selection: Scope, rest: Scope | None = None) -> Results[MovedRow]:
    """Every field of a selection against the rest, those that tell most first.

    Args:
        catalog: the project's views.
        selection: window, versions and the filters that make the selection.
        rest: what it is compared with. Where its filters are among the selection's and its window and versions the
            same, its rows that are not in the selection. None: the same window without the selection; where the
            selection has no filter, the up to 28 days before it.

    Raises:
        ScopeError: the two sides are the same rows, or the scope splits by a segment.
    """
    if selection.by is not None:
        raise ScopeError("by: a selection is one set of rows; name a value with where")
    zone = catalog.project.zone
    asked = selection
    selection, windows = resolve(catalog, replace(selection, grain="all"))
    if not windows or selection.start is None or selection.end is None:
        return Results((), zone, notes=("The logs hold no prediction.",))
    if rest is not None:
        rest, _ = resolve(catalog, replace(rest, grain="all", by=None))
    elif not asked.filters:
        began = selection.start
        if asked.start is None:
            began = max(began, selection.end - USUAL_WINDOW)
            selection = replace(selection, start=began)
        rest = replace(selection, start=began - BEFORE, end=began)
    apart, other = selection.filters, rest
    if rest is not None and _same_window(selection, rest) and set(rest.filters) <= set(selection.filters):
        apart, other = tuple(f for f in selection.filters if f not in rest.filters), None
    if other is None and not apart:
        raise ScopeError("the selection and the rest are the same rows; add a filter, or name another window")
    cells, text = read_moved(catalog, selection, other, apart)
    differ = (
        apart
        if other is None
        else tuple(
            f
            for f in (*selection.filters, *other.filters)
            if f not in other.filters or f not in selection.filters
        )
    )
    rows = moved_rows(cells, differ, selection.confidence)
    against = _words(other, catalog) if other is not None else "the other rows of the same window"
    said = f"{_words(selection, catalog)} against {against}"
    return Results(rows, zone, (text,), (said,))


def _same_window(one: Scope, two: Scope) -> bool:
    return (one.start, one.end, one.versions, one.as_of) == (two.start, two.end, two.versions, two.as_of)


def _words(scope: Scope, catalog: Catalog) -> str:
    parts = [condition.sentence for condition in scope.filters]
    zone = catalog.project.zone
    window = (
        f"{format_instant(scope.start, zone)} to {format_instant(scope.end, zone)}"
        if scope.start and scope.end
        else ""
    )
    return ", ".join([*parts, window]) or "all rows"
