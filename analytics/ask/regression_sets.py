"""Regression sets: rows that people pinned, and how each version does on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.ask.example_rows import Asking, Item, hides_scores, masked, relative, text_of
from analytics.ask.row_card import find_row
from analytics.errors import ScopeError
from analytics.examples.card_rows import PinnedExampleRow, RegressionRow
from analytics.examples.reasons import PRIVATE
from analytics.examples.regression import Answered, judged, rates
from analytics.examples.select import any_key, any_request, described, usual_error
from analytics.results import Results
from analytics.scope import Scope
from analytics.store import Store
from analytics.store.regression import PinnedRow, pin, pinned, unpin
from analytics.telemetry.catalog import Catalog

Answer = tuple[PinnedRow, Item]


def pin_row(
    catalog: Catalog, store: Store, scope: Scope, name: str, key: str, *, by: str, note: str = ""
) -> Results[PinnedExampleRow]:
    """Pin a row into a set; one that is there already stays as it was pinned first.

    Args:
        catalog: the project's views.
        store: where it is kept.
        scope: only its as-of counts.
        name: of the set.
        key: the row's id, or its file and row as ``FILE:ROW``.
        by: who pins it.
        note: why.

    Returns:
        What each version made of the row.

    Raises:
        ScopeError: there is no such row.
        StoreError: it cannot be kept.
    """
    item = find_row(Asking(catalog), Scope(as_of=scope.as_of), key)
    private = catalog.predictions.id in catalog.predictions.private
    by_id = item["id"] is not None and not private
    kept = pin(
        store, project=catalog.project.name, name=name, by=by, note=note,
        prediction_id=item["id"] if by_id else None,
        file=None if by_id else relative(item["file"], catalog.project.folder),
        file_row=None if by_id else int(item["row"]),
    )  # fmt: skip
    return _answers(catalog, scope, [kept])


def unpin_row(catalog: Catalog, store: Store, pinned_id: int, *, by: str) -> None:
    """Take a row out of its set."""
    unpin(store, project=catalog.project.name, pinned_id=pinned_id, by=by)


def pinned_of(
    catalog: Catalog, store: Store, scope: Scope, name: str | None = None
) -> Results[PinnedExampleRow]:
    """Every pinned row as every version answered it."""
    return _answers(catalog, scope, pinned(store, catalog.project.name, name))


def regression_of(
    catalog: Catalog, store: Store, scope: Scope, name: str | None = None
) -> Results[RegressionRow]:
    """The share of each set that each version gets right. The window of the scope does not apply, as-of does.

    Raises:
        ScopeError: there is no set of that name.
    """
    rows = pinned(store, catalog.project.name, name)
    if name is not None and not rows:
        known = sorted({row.name for row in pinned(store, catalog.project.name)})
        raise ScopeError(f'there is no set "{name}"; known: {", ".join(known) or "none, pin a row first"}')
    asking = Asking(catalog)
    versions = scope.versions or catalog.versions
    tolerance = _tolerance(asking)
    found: list[RegressionRow] = []
    answers = _logged(asking, scope, rows)
    for set_ in sorted({row.name for row in rows}):
        of_set = [
            Answered(item["version"], _judged(catalog, item, tolerance)[0])
            for row, item in answers
            if row.name == set_
        ]
        n_pinned = sum(row.name == set_ for row in rows)
        found += rates(set_, n_pinned, of_set, versions, scope.confidence)
    notes = _notes(catalog, tolerance) if found else ("no row is pinned yet",)
    return Results(tuple(found), catalog.project.zone, tuple(asking.texts), notes)


def _notes(catalog: Catalog, tolerance: float | None) -> tuple[str, ...]:
    rows = [
        "rows are pinned by people, not drawn: the interval tells how far chance goes for rows like these"
    ]
    if catalog.predictions.request is None:
        rows.append(
            "the project logs no request, so a row is answered only by the version that logged it; with [predictions] "
            "request, versions on the same request are compared"
        )
    if tolerance is not None:
        rows.append(
            f"a prediction passes within {tolerance:.4g}, the median absolute error of all labelled rows"
        )
    return tuple(rows)


def _answers(catalog: Catalog, scope: Scope, rows: Sequence[PinnedRow]) -> Results[PinnedExampleRow]:
    asking = Asking(catalog)
    tolerance = _tolerance(asking) if rows else None
    shown = not hides_scores(catalog)
    found = []
    answers = _logged(asking, scope, rows)
    for row in rows:
        mine = [item for one, item in answers if one.id == row.id]
        if not mine:
            found.append(_gone(row))
        for item in mine:
            passed, why = _judged(catalog, item, tolerance)
            found.append(
                PinnedExampleRow(
                    row.name, row.id, text_of(item["version"]), masked(catalog, "id", item["id"]), item["ts"],
                    masked(catalog, "label", item["label"]), masked(catalog, "decision", item["decision"]),
                    item["score"] if shown else None, item["loss"] if shown else None, passed if shown else None,
                    why if shown else PRIVATE, row.pinned_by, row.pinned_at, row.note,
                    relative(item["file"], catalog.project.folder), int(item["row"]),
                )
            )  # fmt: skip
    return Results(
        tuple(found), catalog.project.zone, tuple(asking.texts), () if rows else ("no row is pinned yet",)
    )


def _gone(row: PinnedRow) -> PinnedExampleRow:
    return PinnedExampleRow(
        row.name, row.id, None, row.prediction_id, None, None, None, None, None, None,
        "the row is no longer in the logs", row.pinned_by, row.pinned_at, row.note, row.file, row.file_row,
    )  # fmt: skip


def _judged(catalog: Catalog, item: Item, tolerance: float | None) -> tuple[bool | None, str]:
    label, decision = text_of(item["label"]), text_of(item["decision"])
    task = catalog.predictions.task
    return judged(task, item["label"] if task == "regression" else label, decision, item["score"], tolerance)


def _tolerance(asking: Asking) -> float | None:
    if asking.catalog.predictions.task != "regression":
        return None
    value = asking.records(usual_error(asking.catalog, Scope()))[0]["value"]
    return None if value is None else float(value)


def _logged(asking: Asking, scope: Scope, rows: Sequence[PinnedRow]) -> list[Answer]:
    """What is logged of the pinned rows, and of other versions on their requests."""
    everywhere = Scope(as_of=scope.as_of)
    catalog = asking.catalog
    found: list[Answer] = []
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        by_id: dict[str, list[PinnedRow]] = {}
        by_place: dict[tuple[str, int], list[PinnedRow]] = {}
        for row in part:
            if row.prediction_id is not None:
                by_id.setdefault(row.prediction_id, []).append(row)
            elif row.file is not None and row.file_row is not None:
                by_place.setdefault((str(catalog.project.folder / row.file), row.file_row), []).append(row)
        items = _items(asking, everywhere, by_id, list(by_place))
        own = [
            (row, item)
            for item in items
            for row in (*by_id.get(item["id"], ()), *by_place.get((item["file"], item["row"]), ()))
        ]
        found += own + _others(asking, everywhere, own)
    return found


def _items(
    asking: Asking, scope: Scope, ids: Mapping[str, Any], places: Sequence[tuple[str, int]]
) -> list[Item]:
    condition, values = any_key(places)
    if ids and asking.catalog.predictions.id is not None:
        named = {f"id_{index}": name for index, name in enumerate(ids)}
        condition = f"(id IN ({', '.join(f'${name}' for name in named)}) OR {condition})"
        values |= named
    return asking.records(described(asking.catalog, scope, condition, values))


def _others(asking: Asking, scope: Scope, own: Sequence[Answer]) -> list[Answer]:
    """Other versions on the same requests; of one version the first answer."""
    if asking.catalog.predictions.request is None:
        return []
    wanted: dict[str, list[PinnedRow]] = {}
    taken = {(row.id, item["version"]) for row, item in own}
    for row, item in own:
        if item["request"] is not None:
            wanted.setdefault(item["request"], []).append(row)
    if not wanted:
        return []
    found = []
    for item in asking.records(any_request(asking.catalog, scope, wanted)):
        for row in wanted[item["request"]]:
            if (row.id, item["version"]) not in taken:
                taken.add((row.id, item["version"]))
                found.append((row, item))
    return found
