"""One row looked at closely: versions side by side, what is unusual about it, its unit's history, rows like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.rich_columns import IDENTITY
from analytics.aggregates.samples import feature_expression, read_sample
from analytics.ask.example_rows import Asking, Found, Item, example_rows, text_of
from analytics.ask.samples import feature_columns
from analytics.ask.unlike import MOST_FEATURES
from analytics.errors import ScopeError
from analytics.examples import reasons
from analytics.examples.card_rows import NeighbourRow, UnusualRow
from analytics.examples.rows import ExampleRow
from analytics.examples.select import any_request, described, feature_values
from analytics.results import Results
from analytics.scope import Scope
from analytics.stats.novelty import Known
from analytics.stats.usual import Column, place_of
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

KNOWN = 5_000
NEIGHBOUR_SAMPLE = 20_000
MOST_NEIGHBOURS = 1_000
MOST_CHOSEN = 200
BEFORE, AFTER = 40, 10
_TOLD = 3
_PLACE = re.compile(r"(.+):(\d{1,18})", re.DOTALL)


@dataclass(frozen=True)
class RowCard:
    """Everything about one row.

    Attributes:
        row: the row itself, alone.
        versions: the rows of the same request, this one included, by version; only this one where no request is logged.
        features: each feature as it lies among the reference.
        history: rows of the same unit and version around it, the oldest first; empty where no unit is logged.
    """

    row: Results[ExampleRow]
    versions: Results[ExampleRow]
    features: Results[UnusualRow]
    history: Results[ExampleRow]


def card_of(catalog: Catalog, scope: Scope, key: str) -> RowCard:
    """One row, its request, its features and its unit. The window of the scope does not apply, as-of does.

    Args:
        catalog: the project's views.
        scope: only its as-of counts.
        key: the row's id, or its file (relative to the project file) and row as ``FILE:ROW``.

    Raises:
        ScopeError: there is no such row.
    """
    asking = Asking(catalog)
    everywhere = Scope(as_of=scope.as_of)
    item = find_row(asking, everywhere, key)
    zone = catalog.project.zone
    own = example_rows(asking, [(1, Found(item, "the row asked for"))])
    versions, said = _versions(asking, everywhere, item)
    features, known = _features(asking, item)
    history, told = _history(asking, everywhere, item)
    texts = tuple(asking.texts)
    return RowCard(
        Results(tuple(own), zone, texts),
        Results(tuple(versions), zone, texts, said),
        Results(tuple(features), zone, texts, known),
        Results(tuple(history), zone, texts, told),
    )


def rows_of(
    catalog: Catalog, scope: Scope, keys: tuple[tuple[str, int], ...], reason: str = "chosen on the map"
) -> Results[ExampleRow]:
    """Rows that are known by file (relative to the project file) and row, those of the highest loss first."""
    asking = Asking(catalog)
    places = [(str(catalog.project.folder / file), row) for file, row in keys[:MOST_CHOSEN]]
    items = asking.described(Scope(as_of=scope.as_of), places)
    items.sort(key=lambda item: -np.inf if item["loss"] is None else -item["loss"])
    items.sort(key=lambda item: item["loss"] is None)
    found = [(rank, Found(item, reason)) for rank, item in enumerate(items, 1)]
    return Results(tuple(example_rows(asking, found)), catalog.project.zone, tuple(asking.texts))


def find_row(asking: Asking, scope: Scope, key: str) -> Item:
    """What one row says of itself.

    Raises:
        ScopeError: there is no such row, or no one as known then.
    """
    catalog = asking.catalog
    found: list[Item] = []
    if catalog.predictions.id is not None:
        found = asking.records(described(catalog, scope, "id = $wanted_id", {"wanted_id": key}))
    place = _PLACE.fullmatch(key)
    if not found and place is not None:
        named = {"wanted_file": str(catalog.project.folder / place[1]), "wanted_row": int(place[2])}
        found = asking.records(described(catalog, scope, "file = $wanted_file AND row = $wanted_row", named))
    if not found:
        how = (
            "an id, or FILE:ROW" if catalog.predictions.id is not None else "FILE:ROW, as the logs have no id"
        )
        raise ScopeError(
            f'there is no row "{key}" in these logs; name one by {how}, as `assay examples` shows them'
        )
    return found[0]


def _versions(asking: Asking, scope: Scope, item: Item) -> tuple[list[ExampleRow], tuple[str, ...]]:
    section = asking.catalog.predictions
    if section.request is None or item["request"] is None:
        why = "logs no request" if section.request is None else "has no request on this row"
        note = f"the project {why}, so other versions cannot be set beside it"
        return example_rows(asking, [(1, Found(item, "the row asked for"))]), (note,)
    items = asking.records(any_request(asking.catalog, scope, [item["request"]]))
    items.sort(key=lambda one: (str(one["version"]), one["ts"]))
    found = [
        (rank, Found(one, "the row asked for" if _same(one, item) else "another version on the same request"))
        for rank, one in enumerate(items, 1)
    ]
    notes = () if len({one["version"] for one in items}) > 1 else ("no other version answered this request",)
    return example_rows(asking, found), notes


def _same(one: Item, other: Item) -> bool:
    return bool(one["file"] == other["file"] and one["row"] == other["row"])


def _history(asking: Asking, scope: Scope, item: Item) -> tuple[list[ExampleRow], tuple[str, ...]]:
    catalog = asking.catalog
    if catalog.predictions.unit is None or item["unit"] is None:
        why = "names no unit" if catalog.predictions.unit is None else "logged no unit on this row"
        return [], (f"the project {why}, so there is no history to show",)
    condition, values = "unit = $unit_wanted", {"unit_wanted": item["unit"], "moment": item["ts"]}
    if item["version"] is not None:
        condition, values = (
            f"{condition} AND version = $version_wanted",
            values | {"version_wanted": item["version"]},
        )
    moment = "CAST($moment AS TIMESTAMP WITH TIME ZONE)"
    before = asking.records(
        described(catalog, scope, f"{condition} AND ts <= {moment}", values, newest=BEFORE)
    )
    after = asking.records(described(catalog, scope, f"{condition} AND ts > {moment}", values, oldest=AFTER))
    items = [*reversed(before), *after]
    found = [(rank, Found(one, "the row asked for" if _same(one, item) else "the same unit"))
             for rank, one in enumerate(items, 1)]  # fmt: skip
    note = (
        f"the {len(before):,} rows of this unit and version up to this one, and {len(after):,} after it; at most "
        f"{BEFORE} and {AFTER}"
    )
    return example_rows(asking, found), (note,)


def _features(asking: Asking, item: Item) -> tuple[list[UnusualRow], tuple[str, ...]]:
    catalog = asking.catalog
    features = catalog.features[:MOST_FEATURES]
    if not features:
        return [], ("the model has no features to compare",)
    mine = _values_of(asking, item)
    table, known = _known(asking, item["version"])
    columns = feature_columns(catalog, table)
    rows = []
    for name, column in columns.items():
        value = mine[name]
        place = place_of(value, column)
        shown = None if value is None or (isinstance(value, float) and not np.isfinite(value)) else value
        reason = reasons.of_place(name, value, place) if place.unusual else None
        rows.append(
            UnusualRow(
                name, shown, place.finding, place.unusual, place.quantile, place.share, place.low, place.high,
                int(table.num_rows), known, reason,
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (not row.unusual, _commonness(row)))
    expected = len(rows) * 0.01
    note = (
        f"compared with a seeded sample of {table.num_rows:,} rows of {known}; at 1 % each, about {expected:.2g} of "
        f"these {len(rows):,} features would look unusual on any row"
    )
    return rows, (note,)


def _commonness(row: UnusualRow) -> float:
    if row.quantile is not None:
        return 2 * min(row.quantile, 1 - row.quantile)
    return row.share if row.share is not None else 1.0


def _known(asking: Asking, version: str | None) -> tuple[pa.Table, str]:
    """Rows that say what is usual: of the reference, else of all that is logged."""
    catalog = asking.catalog
    features = catalog.features[:MOST_FEATURES]
    if "reference" in catalog.sources and catalog.reference_versions:
        name = reference_version_of(catalog, version)
        rows, what = scoped_rows(catalog, Scope(), "reference"), "the reference"
    else:
        name = version
        rows, what = scoped_rows(catalog, Scope()), "everything logged, as no reference is declared"
    drawn = read_sample(catalog, rows, KNOWN, features=features)
    asking.texts.append(drawn.sql)
    column = drawn.table.column("version")
    keep = pc.is_null(column) if name is None else pc.equal(column, pa.scalar(name, type=column.type))
    return drawn.table.filter(keep), what


def _values_of(asking: Asking, item: Item) -> Mapping[str, Any]:
    """The features of one row: a float (nan: missing), or a text (None: missing)."""
    features = asking.catalog.features[:MOST_FEATURES]
    sql = feature_values({feature.name: feature_expression(feature) for feature in features})
    asking.texts.append(sql.text)
    wanted = pa.table({"wanted_file": [item["file"]], "wanted_row": [item["row"]]})
    row = asking.catalog.engine.query(sql, tables={"wanted": wanted}).to_pylist()[0]
    return {
        feature.name: (np.nan if row[feature.name] is None else float(row[feature.name]))
        if feature.kind == "numeric"
        else row[feature.name]
        for feature in features
    }


def neighbours_of(catalog: Catalog, scope: Scope, key: str, k: int = 10) -> Results[NeighbourRow]:
    """The k sampled rows of the scope and of the row's version that are most like a row by all features.

    Raises:
        ScopeError: there is no such row, k is out of range, or the model has no features.
    """
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise ScopeError(f"k {k:,} must be from 1 to {MOST_NEIGHBOURS:,}")
    features = catalog.features[:MOST_FEATURES]
    if not features:
        raise ScopeError(
            "neighbours are found by features, and the model has none; declare [predictions] features"
        )
    asking = Asking(catalog)
    item = find_row(asking, Scope(as_of=scope.as_of), key)
    only = () if item["version"] is None else (str(item["version"]),)
    within = replace(scope, grain="all", by=None, versions=only)
    drawn = read_sample(
        catalog, scoped_rows(catalog, within), NEIGHBOUR_SAMPLE, features=features,
        columns=IDENTITY | {"request": "request"},
    )  # fmt: skip
    asking.texts.append(drawn.sql)
    columns = feature_columns(catalog, drawn.table)
    values = _values_of(asking, item)
    own: dict[str, Column] = {
        name: np.array([values[name]], dtype=np.float64) if isinstance(column, np.ndarray) else [values[name]]
        for name, column in columns.items()
    }
    if not drawn.n:
        return Results(
            (), catalog.project.zone, tuple(asking.texts), ("no row in this window to compare with",)
        )
    apart = Known.of(list(columns.values())).apart(list(own.values()))
    distance = apart.mean(axis=0)
    rows = drawn.table.select(["file", "row", "request"]).to_pylist()
    order = [
        place
        for place in np.argsort(distance, kind="stable")[: k + 100].tolist()
        if not (_same(rows[place], item) or (item["request"] and rows[place]["request"] == item["request"]))
    ][:k]
    by_key = {(rows[place]["file"], rows[place]["row"]): place for place in order}
    items = asking.described(within, list(by_key))
    found = [(rank, Found(one, _differs(apart[:, by_key[one["file"], one["row"]]], columns, own,
                                        by_key[one["file"], one["row"]])))
             for rank, one in enumerate(items, 1)]  # fmt: skip
    near = [
        NeighbourRow(
            row.rank, float(distance[by_key[one.key]]), one.reason, row.id, row.timestamp, row.version, row.label,
            row.decision, row.score, row.loss, row.file, row.row, row.columns,
        )
        for row, (_, one) in zip(example_rows(asking, found), found, strict=True)
    ]  # fmt: skip
    note = (
        f"the nearest of a seeded sample of {drawn.n:,} rows of the same version, by Gower's distance: numbers by the "
        "difference of their places in the sample, texts by whether they agree; rows of the same request left out"
    )
    return Results(tuple(near), catalog.project.zone, tuple(asking.texts), (note, *_labels_told(near)))


def _differs(
    apart: np.ndarray[tuple[int], np.dtype[np.float64]],
    columns: Mapping[str, Column],
    own: Mapping[str, Column],
    place: int,
) -> str:
    names = list(columns)
    said = []
    for column in np.argsort(-apart, kind="stable")[:_TOLD].tolist():
        if apart[column] <= 0.02:
            break
        theirs, mine = columns[names[column]][place], own[names[column]][0]
        said.append(f"{names[column]} {_short(theirs)} against {_short(mine)}")
    return ", ".join(said) or "alike in all features"


def _short(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "missing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _labels_told(rows: list[NeighbourRow]) -> tuple[str, ...]:
    labels = [row.label for row in rows if row.label is not None]
    if not labels or len(set(labels)) > 5:
        return ()
    counts = {label: labels.count(label) for label in sorted(set(labels))}
    said = ", ".join(f"{count} labelled {text_of(label)}" for label, count in counts.items())
    return (f"of the {len(rows)} nearest: {said}",)
