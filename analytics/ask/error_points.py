"""The map of errors: sampled rows in two dimensions, by their features or an embedding, and clusters of costly ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.rich_columns import IDENTITY, embedding_column
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.example_rows import hides_scores, masked, relative
from analytics.ask.samples import block_codes, feature_columns, losses_of, numbers, picked
from analytics.ask.unlike import MOST_FEATURES
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ScopeError
from analytics.examples.marks import Column, learn, where_of
from analytics.examples.points import (
    ClusterRow,
    Condition,
    Method,
    PointRow,
    axis_names,
    costly_rows,
    encoded_names,
    in_common,
    places,
    regions,
    share_costly,
)
from analytics.results import Results
from analytics.scope import Scope
from analytics.stats.encoding import fit_encoder
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
SAMPLE = 3_000
LEAST_ROWS = 3
FEATURES = "features"


@dataclass(frozen=True)
class ErrorMap:
    """A map of errors.

    Attributes:
        points: sampled rows with their places.
        clusters: of the costly ones, that with most of them first.
        axes: what weighs most along either axis; empty where axes mean nothing (UMAP, embeddings).
        explained: the share of the variance along both axes together; None for UMAP.
        version: whose rows are shown.
        of: what the map is made of: ``features``, or an embedding column.
        method: pca or umap.
    """

    points: Results[PointRow]
    clusters: Results[ClusterRow]
    axes: tuple[str, str]
    explained: float | None
    version: str | None
    of: str
    method: Method


def map_of(catalog: Catalog, scope: Scope, of: str = FEATURES, method: Method = "pca") -> ErrorMap:
    """Sampled rows of one version in two dimensions, coloured by loss, and clusters of the costliest fifth.

    Args:
        catalog: the project's views.
        scope: window, version, filters and as-of; of several versions the last one with rows is shown.
        of: ``features``, or a column of ``[predictions] embeddings``.
        method: pca, or umap where it is installed.

    Raises:
        ScopeError: there is no such column or method, or UMAP is not installed.
    """
    _check(catalog, of, method)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    drawn, version = _draw(catalog, scope, of) if windows else (None, None)
    zone = catalog.project.zone
    sql = () if drawn is None else (drawn.sql,)
    if drawn is None or drawn.n < LEAST_ROWS:
        few = ("too few rows in this window for a map",)
        return ErrorMap(
            Results((), zone, sql, few), Results((), zone, sql, few), ("", ""), None, version, of, method
        )
    features = feature_columns(catalog, drawn.table)
    matrix, names, kept = _matrix(drawn.table, features, of)
    table = drawn.table.filter(pa.array(kept))
    features = {name: picked(column, kept) for name, column in features.items()}
    if len(matrix) < LEAST_ROWS or not matrix.shape[1]:
        nothing = ("nothing to draw a map of: no column varies, or too few rows have a value",)
        return ErrorMap(
            Results((), zone, sql, nothing),
            Results((), zone, sql, nothing),
            ("", ""),
            None,
            version,
            of,
            method,
        )
    place, found = places(matrix, method)
    loss = losses_of(catalog, table)
    costly = costly_rows(loss)
    region = regions(found.places, costly)
    clusters = _clusters(table, features, place, (loss, costly, region), scope.confidence)
    total = sum(drawn.totals.values())
    note = f"a seeded sample of {len(matrix):,} of {total:,} rows of {version or 'the model'}"
    points = _points(catalog, table, place, (loss, costly, region))
    explained = float(found.explained[:2].sum()) if method == "pca" else None
    axes = axis_names(found, names) if method == "pca" and names else ("", "")
    said = (*_missing(loss, costly, region), *_left(drawn.n, len(matrix), of))
    return ErrorMap(
        Results(tuple(points), zone, sql, (note, *said)), Results(tuple(clusters), zone, sql, (note, *said)), axes,
        explained, version, of, method,
    )  # fmt: skip


def _check(catalog: Catalog, of: str, method: str) -> None:
    if method not in get_args(Method):
        raise ScopeError(f'method "{method}" is not one of: {", ".join(get_args(Method))}')
    known = (FEATURES, *catalog.predictions.embeddings)
    if of not in known:
        raise ScopeError(f'a map can be made of: {", ".join(known)}; "{of}" is none of them')
    if of == FEATURES and not catalog.features:
        raise ScopeError(
            "a map of features needs features, and the model has none; declare [predictions] features"
        )


def _draw(catalog: Catalog, scope: Scope, of: str) -> tuple[Sample | None, str | None]:
    """A sample of the last version that has rows."""
    features = catalog.features[:MOST_FEATURES]
    columns = dict(IDENTITY)
    if of != FEATURES:
        columns["embedding"] = embedding_column(catalog, of)
    drawn, version = None, None
    for version in reversed(versions_of(catalog, scope)):
        only = scope if version is None else replace(scope, versions=(version,))
        rows = scoped_rows(catalog, only)
        drawn = read_sample(catalog, rows, SAMPLE, features=features, columns=columns, where="scored")
        if drawn.n:
            break
    return drawn, version


def _matrix(
    table: pa.Table, features: Mapping[str, Column], of: str
) -> tuple[Floats, tuple[str, ...], NDArray[np.bool_]]:
    """The rows as numbers, what each column speaks of, and which rows have them."""
    if of == FEATURES:
        encoder = fit_encoder(features)
        return encoder(features), encoded_names(encoder), np.ones(table.num_rows, dtype=bool)
    vectors: list[Any] = table.column("embedding").to_pylist()
    whole = [one if one and all(x is not None and np.isfinite(x) for x in one) else None for one in vectors]
    lengths = Counter(len(one) for one in whole if one is not None)
    usual = max(lengths, key=lambda length: (lengths[length], length)) if lengths else 0
    kept = np.array([one is not None and len(one) == usual for one in whole], dtype=bool)
    chosen = [one for one, keep in zip(whole, kept, strict=True) if keep]
    return np.array(chosen, dtype=np.float64).reshape(len(chosen), usual), (), kept


def _points(
    catalog: Catalog,
    table: pa.Table,
    place: Floats,
    of_rows: tuple[Floats, NDArray[np.bool_], NDArray[np.int64]],
) -> list[PointRow]:
    loss, costly, region = of_rows
    shown = not hides_scores(catalog)
    score: Sequence[float] = (
        numbers(table, "score").tolist() if "score" in table.column_names else [np.nan] * len(loss)
    )
    found = []
    for index, row in enumerate(table.select(["ts", "version", "label", "decision", *IDENTITY]).to_pylist()):
        known = bool(np.isfinite(loss[index])) and shown
        found.append(
            PointRow(
                float(place[index, 0]), float(place[index, 1]), masked(catalog, "id", row["id"]),
                row["ts"].astimezone(UTC), row["version"], masked(catalog, "label", row["label"]),
                masked(catalog, "decision", row["decision"]),
                float(score[index]) if shown and np.isfinite(score[index]) else None,
                float(loss[index]) if known else None, bool(costly[index]) if known else None,
                int(region[index]) + 1 if region[index] >= 0 else None,
                relative(row["file"], catalog.project.folder), int(row["row"]),
            )
        )  # fmt: skip
    return found


def _clusters(
    table: pa.Table,
    features: Mapping[str, Column],
    place: Floats,
    of_rows: tuple[Floats, NDArray[np.bool_], NDArray[np.int64]],
    confidence: float,
) -> list[ClusterRow]:
    loss, costly, region = of_rows
    marks = learn(features)
    blocks = block_codes(table)
    names = np.array([str(unit) for unit in table.column("unit").to_pylist()])
    known_units = table.column("unit").null_count == 0
    units = np.unique(names, return_inverse=True)[1].astype(np.int64) if known_units else None
    found = []
    for cluster in range(int(region.max(initial=-1)) + 1):
        mine = costly & (region == cluster)
        inside = (region == cluster) & np.isfinite(loss)
        common = in_common(mine, marks, features)
        value, low, high, independence = share_costly(
            costly[inside], blocks[inside], None if units is None else units[inside], confidence
        )
        middle = place[mine].mean(axis=0)
        found.append(
            ClusterRow(
                cluster + 1, _name(common), common[0].text if common else None,
                common[1].text if len(common) > 1 else None,
                common[0].inside if common else None, common[0].elsewhere if common else None, int(mine.sum()),
                float(mine.sum() / costly.sum()), int(inside.sum()), value, low, high, float(loss[inside].mean()),
                float(middle[0]), float(middle[1]), independence, "ok", None,
            )
        )  # fmt: skip
    return found


def _name(common: Sequence[Condition]) -> str:
    return " and ".join(where_of(one.text) for one in common) or "nothing in common"


def _missing(loss: Floats, costly: NDArray[np.bool_], region: NDArray[np.int64]) -> tuple[str, ...]:
    unlabelled = int((~np.isfinite(loss)).sum())
    said = [f"{unlabelled:,} of them have no label and so no loss"] if unlabelled else []
    if not costly.any():
        said.append("no row costs more than the others, so there are no clusters of errors")
    elif region.max(initial=-1) < 0:
        said.append(f"{int(costly.sum()):,} costly rows are too few to be grouped")
    else:
        said.append("costly: the fifth of the labelled rows with the highest loss")
    return tuple(said)


def _left(drawn: int, kept: int, of: str) -> tuple[str, ...]:
    return (f"{drawn - kept:,} rows have no usable value in {of} and are left out",) if kept < drawn else ()
