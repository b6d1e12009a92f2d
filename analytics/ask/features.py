"""What the inputs are like: every watched field of every window and version, whole or split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analytics.aggregates.bin_summaries import summary_of
from analytics.aggregates.features import FeatureHistograms, stored_histograms
from analytics.aggregates.group_bins import BinCounts, read_group_bins
from analytics.aggregates.groups import SPLITS, Grouping, Split, grouped
from analytics.aggregates.keys import CellKey
from analytics.aggregates.reference_bins import Field, reference_version_of, watched_fields
from analytics.aggregates.summaries import FieldSums, Summaries, read_summaries
from analytics.ask.drift import reference_of
from analytics.ask.logged_bins import logged_bins
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.drift.against import listed, with_unseen_listed
from analytics.drift.summaries import Place, bin_rows, feature_row
from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from analytics.errors import ProjectError, ScopeError
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import scoped_rows

MANY_ROWS = 50_000
"""Over more, stored counts are asked, where there are any: reading every value takes seconds a million rows."""
_ABOUT_BINS = (
    "from stored counts: p05, p50 and p95 are told from the reference's bins, each of which holds a twentieth of the "
    "reference or a single value; different numbers and the most frequent one are not counted"
)


def features_of(
    catalog: Catalog,
    scope: Scope,
    split: str | None = None,
    source: Source = "predictions",
    *,
    feature: str | None = None,
) -> Results[FeatureRow]:
    """Describe every feature, the score, the decision and the label of every window, version and group.

    Columns declared private are left out. Values known after as-of play no part.

    Args:
        catalog: the project's views.
        scope: which rows; a segment to split by counts as a split.
        split: ``label``, ``decision`` or ``outcome`` (see `analytics.aggregates.groups`); None for all rows together.
        source: monitored rows, or the reference.
        feature: only this field.

    Raises:
        ScopeError: there is nothing to split by, no such feature, or two splits were asked for.
        ProjectError: the reference was asked for, and there is none.
    """
    if source == "reference" and source not in catalog.sources:
        raise ProjectError(f"{catalog.project.file}: reference: there is none; name files, or start and end")
    scope, windows = resolve(catalog, scope)
    fields, hidden = shown_fields(catalog)
    if feature is not None:
        fields = (field_named(fields, feature),)
    grouping = grouping_of(catalog, scope, split, source)
    stored = _stored(catalog, scope, fields, source) if grouping.name is None else None
    found = read_summaries(catalog, grouping, fields) if stored is None else stored
    groups: list[str | None] = [None]
    if grouping.name is not None:
        groups = list(in_order(key.segment for key in found.cells if key.segment is not None))
    rows = tuple(
        feature_row(
            Place(window, version, grouping.name, group),
            field,
            _sums(found, CellKey(window.key, version, group), index),
            scope.confidence,
        )
        for window in (windows[:1] if source == "reference" else windows)
        for version in versions_of(catalog, scope, source)
        for group in groups
        for index, field in enumerate(fields)
    )
    notes = grouping.notes + ((f"not shown, as private: {', '.join(hidden)}",) if hidden else ())
    if stored is not None:
        notes += (_ABOUT_BINS,)
    return Results(rows, catalog.project.zone, found.sql, notes)


def _stored(catalog: Catalog, scope: Scope, fields: tuple[Field, ...], source: Source) -> Summaries | None:
    """Summaries of many rows from stored counts on the reference's bins, where there are such counts and no weights."""
    section = catalog.predictions
    if catalog.parts is None or section.weight is not None or section.unit is not None:
        return None
    if not catalog.reference_versions:
        return None
    groups: dict[str | None, list[str | None]] = {}
    for version in versions_of(catalog, scope, source):
        groups.setdefault(reference_version_of(catalog, version), []).append(version)
    cells: dict[CellKey, tuple[FieldSums, ...]] = {}
    texts = []
    for reference_version, members in groups.items():
        bins = reference_of(catalog, reference_version)[0]
        counted = stored_histograms(catalog, scope, bins, members, source)
        if counted is None:
            return None
        places = [(item, i) for i, item in enumerate(bins) if item.field in fields]
        texts.append(counted.sql)
        for (window, version), cell in counted.cells.items():
            cells[CellKey(window, version, None)] = tuple(summary_of(item, cell, i) for item, i in places)
    if sum(float(sums[0].n.sum()) for sums in cells.values()) <= MANY_ROWS:
        return None
    return Summaries(cells, tuple(texts))


def distribution_of(
    catalog: Catalog, scope: Scope, feature: str, split: str | None = None
) -> Results[GroupBinRow]:
    """The shares of every bin of one field, in every window, version and group; bins from all rows of the version.

    Raises:
        ScopeError: as `features_of`.
    """
    scope, windows = resolve(catalog, scope)
    field = field_named(shown_fields(catalog)[0], feature)
    grouping = grouping_of(catalog, scope, split)
    rows: list[GroupBinRow] = []
    texts: list[str] = []
    for version in versions_of(catalog, scope):
        stored = _stored_bins(catalog, scope, field, version, windows) if grouping.name is None else None
        if stored is not None:
            rows += stored.rows
            texts.append(stored.sql)
            continue
        bins = {item.field.name: item for item in logged_bins(catalog, version, scope.as_of)}
        item = listed(bins[field.name])
        found, text = read_group_bins(catalog, grouping, item, version)
        texts.append(text)
        groups: list[str | None] = [None]
        if grouping.name is not None:
            groups = list(in_order(key.segment for key in found if key.segment is not None))
        for window in windows:
            for group in groups:
                counts = found.get(CellKey(window.key, version, group))
                rows += bin_rows(Place(window, version, grouping.name, group), item, counts)
    return Results(tuple(rows), catalog.project.zone, tuple(texts), grouping.notes)


class _StoredBins(NamedTuple):
    rows: list[GroupBinRow]
    sql: str


def _stored_bins(
    catalog: Catalog, scope: Scope, field: Field, version: str | None, windows: Sequence[Window]
) -> _StoredBins | None:
    """The shares of a field's bins from stored counts; its bins are the reference's then."""
    if catalog.parts is None or not catalog.reference_versions:
        return None
    bins = reference_of(catalog, reference_version_of(catalog, version))[0]
    counted = stored_histograms(catalog, scope, bins, [version])
    place = next(i for i, item in enumerate(bins) if item.field == field)
    if counted is None or _rows_of(counted, place) <= MANY_ROWS:
        return None
    rows: list[GroupBinRow] = []
    for window in windows:
        cell = counted.cells.get((window.key, version))
        found = None
        if cell is not None:
            counts = with_unseen_listed(cell).field(place)
            found = BinCounts(round(float(counts.rows.sum())), counts.counts.sum(axis=0))
        rows += bin_rows(Place(window, version, None, None), listed(bins[place]), found)
    return _StoredBins(rows, counted.sql)


def _rows_of(counted: FeatureHistograms, place: int) -> float:
    return sum(float(cell.field(place).rows.sum()) for cell in counted.cells.values())


def _sums(found: Summaries, key: CellKey, index: int) -> FieldSums | None:
    cell = found.cells.get(key)
    return None if cell is None else cell[index]


def grouping_of(
    catalog: Catalog, scope: Scope, split: str | None, source: Source = "predictions"
) -> Grouping:
    """The rows of a scope and what they are split by."""
    if split is not None and scope.by is not None:
        raise ScopeError(f"split and by: rows are split by one thing at a time, {split} or {scope.by}")
    if split is None:
        return Grouping(scoped_rows(catalog, scope, source), name=scope.by)
    return grouped(catalog, scoped_rows(catalog, scope, source), split_named(split))


def split_named(word: str) -> Split:
    """A split by its word.

    Raises:
        ScopeError: there is no such split.
    """
    for known in SPLITS:
        if known == word:
            return known
    raise ScopeError(f'split: "{word}" is not one of: {", ".join(SPLITS)} (or a segment with by)')


def shown_fields(catalog: Catalog) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """The watched fields whose values may be shown, and the names of the private ones."""
    section = catalog.predictions
    private = set(section.private)
    columns = {"decision": section.decision, "label": section.label}
    if isinstance(section.score, dict):
        columns |= {f"score:{name}": column for name, column in section.score.items()}
    else:
        columns["score"] = section.score
    fields = watched_fields(catalog)
    hidden = tuple(field.name for field in fields if columns.get(field.name) in private)
    return tuple(field for field in fields if field.name not in hidden), hidden


def field_named(fields: tuple[Field, ...], name: str) -> Field:
    """One of the fields.

    Raises:
        ScopeError: there is no such field.
    """
    for field in fields:
        if field.name == name:
            return field
    raise ScopeError(f'"{name}" is not watched; known: {", ".join(field.name for field in fields)}')
