"""Drift against damage: how far each feature moved, and how much quality depends on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.aggregates.reference_bins import reference_version_of
from analytics.aggregates.rich_columns import LABELLED, WEIGHED, number_column
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.drift import drift_of
from analytics.ask.samples import (
    block_codes,
    feature_columns,
    losses_of,
    numbers,
    part_of,
    picked,
    weights_of,
)
from analytics.ask.windows import resolve, versions_of
from analytics.drift.damage import (
    LEAST_ROWS,
    Weight,
    by_attribution,
    by_information,
    damage_row,
    nothing,
)
from analytics.drift.damage_rows import DamageRow, MeasuredOn
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

SIZE = 10_000
_NOTE = (
    f"dependence is measured on a random sample of at most {SIZE:,} rows a version; p-values of mutual information are "
    "corrected over the features of a version"
)
_Weights = dict[str, Weight]


@dataclass
class _Asking:
    catalog: Catalog
    scope: Scope
    texts: list[str]

    def sample(self, scope: Scope, source: Any, **words: Any) -> Sample:
        found = read_sample(self.catalog, scoped_rows(self.catalog, scope, source), SIZE, **words)
        self.texts.append(found.sql)
        return found


def damage_of(catalog: Catalog, scope: Scope) -> Results[DamageRow]:
    """Every feature of every window and version: how far it moved, and how much depends on it.

    Where the project names attribution columns, it is their share in the window. Elsewhere it is the mutual
    information with the row's loss, on labelled rows outside the window: of the reference, or, where that has none of
    this version, of earlier predictions.

    Raises:
        ProjectError: the project has no reference.
        ScopeError: the scope splits by a segment.
    """
    drift = drift_of(catalog, scope)
    scope, windows = resolve(catalog, scope)
    asking = _Asking(catalog, scope, list(drift.sql))
    versions = versions_of(catalog, scope)
    if catalog.predictions.attributions:
        weights = _attributions(asking, versions, [window.key for window in windows])
    else:
        found = _information(asking, versions)
        weights = {(version, window.key): found[version] for version in versions for window in windows}
    keys = {window.start: window.key for window in windows}
    rows = tuple(
        damage_row(row, weights[row.version, keys[row.window_start]][row.feature])
        for row in drift
        if row.role == "feature"
    )
    return Results(
        rows, catalog.project.zone, tuple(asking.texts), (*((_NOTE,) if rows else ()), *drift.notes)
    )


def _attributions(
    asking: _Asking, versions: tuple[str | None, ...], keys: list[datetime]
) -> dict[tuple[str | None, datetime], _Weights]:
    named = asking.catalog.predictions.attributions
    columns = {f"attribution:{feature}": number_column(column) for feature, column in named.items()}
    sample = asking.sample(asking.scope, "predictions", columns=columns, where=WEIGHED)
    without = nothing("attribution", "undefined", "the project file names no attribution column for it")
    found = {}
    for version in versions:
        for key in keys:
            table = part_of(sample.table, version=version, window_key=key)
            amounts = [np.abs(numbers(table, f"attribution:{feature}")) for feature in named]
            shares = by_attribution(
                np.column_stack(amounts),
                block_codes(table),
                _units(table),
                weights_of(table),
                asking.scope.confidence,
            )
            found[version, key] = {feature.name: without for feature in asking.catalog.features} | dict(
                zip(named, shares, strict=True)
            )
    return found


def _information(asking: _Asking, versions: tuple[str | None, ...]) -> dict[str | None, _Weights]:
    catalog = asking.catalog
    if not catalog.has_labels:
        without = nothing(
            "mutual_information", "undefined", "the project declares no labels, so no row has a loss"
        )
        return {version: {one.name: without for one in catalog.features} for version in versions}
    reference = asking.sample(
        replace(asking.scope, versions=()), "reference", features=catalog.features, where=LABELLED
    ).table
    found: dict[str | None, _Weights] = {}
    for version in versions:
        table, measured_on = _outside(asking, reference, version)
        names = [feature.name for feature in catalog.features]
        columns = list(feature_columns(catalog, table).values())
        loss = losses_of(catalog, table)
        kept = np.isfinite(loss)
        columns = [picked(one, kept) for one in columns]
        weights = by_information(
            columns,
            loss[kept],
            block_codes(table)[kept],
            weights_of(table)[kept],
            measured_on,
            asking.scope.confidence,
        )
        found[version] = dict(zip(names, weights, strict=True))
    return found


def _outside(asking: _Asking, reference: pa.Table, version: str | None) -> tuple[pa.Table, MeasuredOn]:
    own = part_of(reference, version=version)
    if own.num_rows >= LEAST_ROWS:
        return own, "reference"
    scope = asking.scope
    # what was predicted before the window, as far as its labels were known
    before = replace(
        scope, start=None, end=scope.start, grain="all", versions=() if version is None else (version,)
    )
    earlier = asking.sample(before, "predictions", features=asking.catalog.features, where=LABELLED).table
    if earlier.num_rows >= LEAST_ROWS:
        return earlier, "earlier predictions"
    other = part_of(reference, version=reference_version_of(asking.catalog, version))
    tables: list[tuple[pa.Table, MeasuredOn]] = [
        (own, "reference"), (earlier, "earlier predictions"), (other, "reference of another version"),
    ]  # fmt: skip
    return max(tables, key=lambda pair: pair[0].num_rows)


def _units(table: pa.Table) -> npt.NDArray[np.int64] | None:
    units = table.column("unit").to_pylist()
    if not units or any(unit is None for unit in units):
        return None
    return np.unique(np.array(units, dtype=object).astype(str), return_inverse=True)[1]
