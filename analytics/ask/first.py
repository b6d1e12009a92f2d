"""Who was first: the earliest rows and units of a window that show what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from analytics.ask.causes import found_of
from analytics.ask.example_rows import Asking, hides_scores, masked, relative
from analytics.ask.windows import resolve, versions_of
from analytics.examples.first import first_rows, first_units
from analytics.examples.first_row import FirstRow
from analytics.explain.describe import filters_of
from analytics.results import Results
from analytics.scope import Scope, parse_filter
from analytics.telemetry.catalog import Catalog

NOT_SAID = "no filter says which rows are meant, and nothing changed that single rows show: these are the first of all"


def first_of(catalog: Catalog, scope: Scope, k: int = 10, now: datetime | None = None) -> Results[FirstRow]:
    """The k first rows, and the k first units, of a scope that show a change.

    Args:
        catalog: the project's views.
        scope: its filters say which rows are meant; without one, the rows of the likeliest cause.
        k: rows, and units.
        now: the instant whose knowledge counts where the scope has no as-of.
    """
    zone = catalog.project.zone
    notes: tuple[str, ...] = ()
    if not scope.filters:
        scope, notes = _of_cause(catalog, scope, now)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    versions_of(catalog, scope)
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    asking = Asking(catalog)
    shows = ", ".join(condition.sentence for condition in scope.filters) or "any row"
    rows = [
        _row(catalog, rank, item, shows)
        for rank, item in enumerate(asking.records(first_rows(catalog, scope, k)), 1)
    ]
    if catalog.predictions.unit is not None:
        units = asking.records(first_units(catalog, scope, k))
        rows += [_unit(catalog, rank, item, shows) for rank, item in enumerate(units, 1)]
        if units:
            notes = (*notes, f"{units[0]['n_units']:,} units show it in the window")
    return Results(tuple(rows), zone, tuple(asking.texts), notes)


def _of_cause(catalog: Catalog, scope: Scope, now: datetime | None) -> tuple[Scope, tuple[str, ...]]:
    found = found_of(catalog, scope, None, now)
    if isinstance(found, str) or not found.roots:
        return scope, (NOT_SAID,)
    root, since = found.roots[0], found.onsets[0]
    features = [feature.name for feature in catalog.features]
    filters = tuple(parse_filter(text, catalog.project, features) for text in filters_of(root, found.cells))
    start = found.scope.start if since is None or found.scope.start is None else max(since, found.scope.start)
    narrowed = replace(found.scope, start=start, filters=filters)
    if len(root.same) == 1 and root.same[0] is not None:
        narrowed = replace(narrowed, versions=(root.same[0],))
    return narrowed, () if filters else (NOT_SAID,)


def _row(catalog: Catalog, rank: int, item: dict[str, object], shows: str) -> FirstRow:
    shown = not hides_scores(catalog)
    moment, score = item["ts"], item["score"]
    if not isinstance(moment, datetime):
        raise TypeError("an instant is expected")
    return FirstRow(
        part="row",
        rank=rank,
        timestamp=moment.astimezone(UTC),
        n=None,
        **{
            role: masked(catalog, role, item[role]) for role in ("unit", "id", "version", "label", "decision")
        },
        score=float(score) if shown and isinstance(score, float) else None,
        shows=shows,
        file=relative(str(item["file"]), catalog.project.folder),
        row=int(str(item["row"])),
    )


def _unit(catalog: Catalog, rank: int, item: dict[str, object], shows: str) -> FirstRow:
    moment = item["ts"]
    if not isinstance(moment, datetime):
        raise TypeError("an instant is expected")
    return FirstRow(
        part="unit",
        rank=rank,
        timestamp=moment.astimezone(UTC),
        unit=masked(catalog, "unit", item["unit"]),
        n=int(str(item["n"])),
        **dict.fromkeys(("id", "version", "label", "decision", "score", "file", "row")),
        shows=shows,
    )
