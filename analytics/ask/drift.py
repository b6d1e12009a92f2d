"""Drift of a project's features, scores, decisions and labels: read the histograms, compare them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from analytics.aggregates.features import CellHistogram, FeatureHistograms, feature_histograms
from analytics.aggregates.reference_bins import (
    ReferenceBins,
    feature_bins,
    reference_version_of,
    watched_fields,
)
from analytics.aggregates.unit_counts import ReferenceUnits, reference_units, unit_pairs
from analytics.ask.labels import maturity_of
from analytics.ask.windows import reference_inside, resolve, versions_of
from analytics.drift.compute import ALPHA, Prepared, VersionHistograms, drift_rows, histogram_rows
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Filter, Scope, Window
from analytics.stats.blocks import MINIMUM_CLUSTERS
from analytics.telemetry.catalog import Catalog

_KEPT, _PREPARED = 48, 4
"""References that stay in memory, and those of them that stay prepared, which takes several times as much of it."""
_Reference = tuple[tuple[ReferenceBins, ...], CellHistogram, str]
_Key = tuple[str, str | None, tuple[Filter, ...]]


class _References:
    """The counted references of late, by content: they do not change while their files do not."""

    def __init__(self) -> None:
        self._held: OrderedDict[_Key, _Reference] = OrderedDict()
        self._prepared: OrderedDict[_Key, Prepared] = OrderedDict()
        self._lock = Lock()

    def prepared(self, catalog: Catalog, version: str | None, filters: tuple[Filter, ...]) -> Prepared:
        """The counts of a reference with all that does not depend on windows."""
        cell, key = self.of(catalog, version, filters)[1], (catalog.digest, version, filters)
        with self._lock:
            found = self._prepared.get(key)
            if found is None or found.reference is not cell:
                found = self._prepared[key] = Prepared(cell)
            self._prepared.move_to_end(key)
            while len(self._prepared) > _PREPARED:
                self._prepared.popitem(last=False)
        return found

    def of(self, catalog: Catalog, version: str | None, filters: tuple[Filter, ...]) -> _Reference:
        catalog = catalog.whole  # a sample is compared with all of the reference
        key = (catalog.digest, version, filters)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        # bins come from the whole reference, so that they are the same under every filter
        bins = self.of(catalog, version, ())[0] if filters else feature_bins(catalog, version)
        counted = feature_histograms(catalog, Scope(filters=filters), bins, [version], "reference")
        cell = next(iter(counted.cells.values()), CellHistogram.empty(bins))
        with self._lock:
            self._held[key] = (bins, cell, counted.sql)
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return bins, cell, counted.sql


_REFERENCES = _References()


class _ReferenceUnits:
    """The references of late by unit, like `_References`."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str | None, tuple[Filter, ...]], ReferenceUnits | None]
        self._held = OrderedDict()
        self._lock = Lock()

    def of(
        self,
        catalog: Catalog,
        bins: tuple[ReferenceBins, ...],
        version: str | None,
        filters: tuple[Filter, ...],
    ) -> ReferenceUnits | None:
        catalog = catalog.whole
        key = (catalog.digest, version, filters)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        found = reference_units(catalog, Scope(filters=filters), bins, version)
        with self._lock:
            self._held[key] = found
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return found


_UNITS = _ReferenceUnits()


def drift_of(catalog: Catalog, scope: Scope, only: str | None = None) -> Results[DriftRow]:
    """Every feature, score, decision and label of every window and version against the reference.

    Filters apply to both sides; as-of and the window to the monitored rows only.

    Args:
        catalog: the project's views.
        scope: the question.
        only: measure this field alone: its p-values are then not corrected for the others.

    Raises:
        ProjectError: the project has no reference.
        ScopeError: the scope splits by a segment, which drift does not do.
    """
    histograms, windows, texts = _read(catalog, scope, units=catalog.predictions.unit is not None)
    rows = drift_rows(histograms, windows, catalog.project.drift, late_windows(catalog, scope, windows), only)
    notes = (*by_chance(rows), *reference_inside(catalog, scope))
    return Results(rows, catalog.project.zone, texts, notes)


def by_chance(rows: Sequence[DriftRow]) -> tuple[str, ...]:
    """How many windows would show a small p without drift; nothing where no field was tested."""
    tested = len({(row.window_start, row.version) for row in rows if row.p_value is not None})
    if not tested:
        return ()
    corrected = "p-values are corrected over the fields of each window and version"
    few = f"about {ALPHA * tested:.2g} of these {tested:,} would still show a small p by chance"
    return (f"{corrected}; when nothing has drifted, {few}",)


def late_windows(catalog: Catalog, scope: Scope, windows: Sequence[Window]) -> dict[datetime, str]:
    """Window key -> why its labels are not all there yet, of the windows of which that is so."""
    maturity = maturity_of(catalog, scope)
    reasons = {window.key: maturity.reason(window.end) for window in windows}
    return {key: reason for key, reason in reasons.items() if reason is not None}


def histogram_of(catalog: Catalog, scope: Scope, feature: str) -> Results[HistogramRow]:
    """The bins of one field, in the reference and in each window, as shares of all rows of each side.

    Raises:
        ScopeError: no such field, or the scope splits by a segment.
    """
    known = [field.name for field in watched_fields(catalog)]
    if feature not in known:
        raise ScopeError(f'"{feature}" is not watched; known: {", ".join(known)}')
    histograms, windows, texts = _read(catalog, scope)
    return Results(histogram_rows(histograms, windows, feature), catalog.project.zone, texts)


def _read(
    catalog: Catalog, scope: Scope, *, units: bool = False
) -> tuple[list[VersionHistograms], tuple[Window, ...], tuple[str, ...]]:
    if scope.by is not None:
        raise ScopeError(
            f'by: drift is not split by segment; ask for one value at a time, with where "{scope.by}=VALUE"'
        )
    scope, windows = resolve(catalog, scope)
    versions = versions_of(catalog, scope)
    groups: dict[str | None, list[str | None]] = {}
    for version in versions:
        groups.setdefault(reference_version_of(catalog, version), []).append(version)
    found: dict[str | None, VersionHistograms] = {}
    texts: list[str] = []
    for reference_version, members in groups.items():
        bins, _, text = _REFERENCES.of(catalog, reference_version, scope.filters)
        counted = feature_histograms(catalog, replace(scope, by=None), bins, members)
        texts += [text, counted.sql]
        known = _REFERENCES.prepared(catalog, reference_version, scope.filters)
        for version in members:
            own = _windows_of(counted, version)
            found[version] = VersionHistograms(version, reference_version, known.reference, own, known=known)
        if units:
            texts += _add_units(catalog, scope, bins, found, members)
    return [found[version] for version in versions], windows, tuple(texts)


def _add_units(
    catalog: Catalog,
    scope: Scope,
    bins: tuple[ReferenceBins, ...],
    found: dict[str | None, VersionHistograms],
    members: list[str | None],
) -> tuple[str, ...]:
    """Tell the versions of one reference how their rows share units; the texts that counted."""
    reference_version = found[members[0]].reference_version
    own = _UNITS.of(catalog, bins, reference_version, scope.filters)
    if own is None or own.units < MINIMUM_CLUSTERS:
        return ()
    pairs, text = unit_pairs(catalog, scope, members, reference_version)
    for version in members:
        of_version = {key: item for (key, name), item in pairs.items() if name == version}
        found[version] = replace(found[version], units=own, unit_pairs=of_version)
    return (*own.sql, text)


def _windows_of(counted: FeatureHistograms, version: str | None) -> dict[datetime, CellHistogram]:
    return {key: cell for (key, name), cell in counted.cells.items() if name == version}


def reference_of(
    catalog: Catalog, version: str | None, filters: tuple[Filter, ...] = ()
) -> tuple[tuple[ReferenceBins, ...], CellHistogram, str]:
    """The bins that the reference of one version fixes, its own counts on them, and the text that counted."""
    return _REFERENCES.of(catalog, version, filters)
