"""Drift of every field of every window: distances, significance, a verdict and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from analytics.aggregates.features import CellHistogram
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.aggregates.unit_counts import ReferenceUnits, UnitPairs
from analytics.drift.by_units import UnitField, enough
from analytics.drift.draws import shuffles
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.drift.sides import Mode, ReferenceSide, Side
from analytics.drift.significance import Units, significances, values_by_block
from analytics.drift.tolerance import (
    Tolerated,
    moments,
    p_beyond,
    shifts_in_deviations,
    shifts_in_quantiles,
    tolerated,
)
from analytics.drift.univariate import Distances, distances
from analytics.drift.windows import Stacked, Windows
from analytics.project import STANDARD_TOLERANCE, Drift, Tolerance
from analytics.results import Status
from analytics.scope import Window
from analytics.stats.multiplicity import benjamini_hochberg

ALPHA = 0.05
LEAST_ROWS = 30
_MEASURED = (
    *Distances._fields,
    *("independence", "p_value", "p_adjusted", "drifted"),
)
"""Fields of `DriftRow` without a value of their own where nothing is measured."""
_INDEPENDENCE: Mapping[Mode, Literal["rows", "blocks"]] = {
    "rows": "rows",
    "few blocks": "blocks",
    "blocks": "blocks",
}


@dataclass(frozen=True)
class Prepared:
    """A reference with all that does not depend on windows; whoever asks again about the same one keeps it."""

    reference: CellHistogram

    @cached_property
    def sides(self) -> tuple[ReferenceSide, ...]:
        """The reference of each field."""
        cell = self.reference
        return tuple(ReferenceSide.of(bins, cell.field(i)) for i, bins in enumerate(cell.bins))

    @cached_property
    def values(self) -> tuple[FewBlocks | None, ...]:
        """The reference's values of each field, for windows of few blocks."""
        return tuple(map(values_by_block, self.sides))

    @cached_property
    def limits(self) -> dict[tuple[int, Tolerance], Tolerated]:
        """What is tolerated, by field and declared tolerance, as far as it was asked for."""
        return {}


@dataclass(frozen=True)
class VersionHistograms:
    """One version: its windows, and the reference it is compared with, on the same bins.

    Attributes:
        windows: window key -> histogram; a window without rows is not there.
        units: the reference by unit, where units are declared.
        unit_pairs: window key -> how its rows share units.
        known: the same reference as it was prepared before, where it was.
    """

    version: str | None
    reference_version: str | None
    reference: CellHistogram
    windows: Mapping[datetime, CellHistogram]
    units: ReferenceUnits | None = field(default=None, kw_only=True)
    unit_pairs: Mapping[datetime, UnitPairs] = field(default_factory=dict, kw_only=True)
    known: Prepared | None = field(default=None, kw_only=True, compare=False, repr=False)

    @property
    def bins(self) -> tuple[ReferenceBins, ...]:
        """The fields and their bins."""
        return self.reference.bins

    @cached_property
    def prepared(self) -> Prepared:
        """The reference, prepared."""
        return self.known or Prepared(self.reference)

    @property
    def references(self) -> tuple[ReferenceSide, ...]:
        """The reference of each field."""
        return self.prepared.sides

    def tolerated(self, index: int, declared: Tolerance) -> Tolerated:
        """What a declared tolerance means for one field."""
        known, key = self.prepared.limits, (index, declared)
        if key not in known:
            known[key] = tolerated(self.references[index], self.reference.field(index), declared)
        return known[key]

    @cached_property
    def nothing(self) -> CellHistogram:
        """What a window without rows has."""
        return CellHistogram.empty(self.bins)

    @cached_property
    def stacked(self) -> tuple[list[datetime], Stacked | None]:
        """The windows that have rows, by key and as one; None where there are none."""
        held = {key: cell for key, cell in self.windows.items() if len(cell.blocks)}
        return list(held), Stacked.of(held.values()) if held else None

    @property
    def values(self) -> tuple[FewBlocks | None, ...]:
        """The reference's values of each field, for windows of few blocks."""
        return self.prepared.values

    @cached_property
    def by_units(self) -> tuple[UnitField, ...]:
        """The reference of each field by unit; nothing without units."""
        if self.units is None:
            return ()
        return tuple(UnitField.of(side, self.units, i) for i, side in enumerate(self.references))

    def units_of(self, index: int, key: datetime) -> Units | None:
        """One field of one window by unit, where the reference has units enough."""
        pairs = self.unit_pairs.get(key)
        return Units(self.by_units[index], pairs) if pairs is not None and enough(self.units) else None


def drift_rows(
    versions: Sequence[VersionHistograms],
    windows: Sequence[Window],
    settings: Drift,
    late: Mapping[datetime, str] | None = None,
    only: str | None = None,
) -> tuple[DriftRow, ...]:
    """Compare every field of every window and version with its reference.

    p-values are corrected over the fields of one window and version (Benjamini and Hochberg), so that a cell reads
    the same whatever else is asked for.

    Args:
        versions: the histograms.
        windows: the windows of the scope; each has a row for each version and field, also where it is empty.
        settings: what may be called drift.
        late: window key -> why its labels are not all there yet; the labels that come first may be of one kind, so
            they are not judged.
        only: of this field alone; its p-values are then not corrected for the others.
    """
    asked = _Asked(windows, settings, late or {})
    fields = [
        [
            _field_rows(version, index, asked)
            for index in range(len(version.bins))
            if only in {None, version.bins[index].field.name}
        ]
        for version in versions
    ]
    return tuple(
        row
        for number in range(len(windows))
        for rows in fields
        for row in _corrected([of_field[number] for of_field in rows], settings)
    )


class _Asked(NamedTuple):
    """The windows of a question, what may be called drift, and whose labels are late."""

    windows: Sequence[Window]
    settings: Drift
    late: Mapping[datetime, str]


_Row = dict[str, Any]
"""What becomes a `DriftRow` once its family is known: a row of 37 fields is made in one step, not copied twice."""


def _field_rows(version: VersionHistograms, index: int, asked: _Asked) -> list[_Row]:
    """One field of one version in every window."""
    keys, stacked = version.stacked
    field_of_all = stacked.field(index) if stacked is not None else None
    counted = {} if field_of_all is None else dict(zip(keys, field_of_all.rows, strict=True))
    rows = _blanks(version, index, [counted.get(window.key, 0) for window in asked.windows], asked)
    known = [number for number, row in enumerate(rows) if row["status"] == "ok"]
    if not known or field_of_all is None:
        return rows
    places = {key: place for place, key in enumerate(keys)}
    chosen = [asked.windows[number].key for number in known]
    of_field = field_of_all.only([places[key] for key in chosen])
    for number, found in zip(known, _measured(version, index, chosen, of_field, asked), strict=True):
        rows[number] |= found
    return rows


def _measured(
    version: VersionHistograms, index: int, keys: Sequence[datetime], windows: Windows, asked: _Asked
) -> Iterator[_Row]:
    """What is measured of one field in some windows, all of which can be judged."""
    reference, own = version.references[index], version.reference.field(index)
    bins = reference.bins
    limit = version.tolerated(index, asked.settings.declared(bins.field.name))
    n_blocks = len(version.reference.blocks)
    far = distances(reference, windows)
    chances = significances(
        reference,
        windows,
        lambda side: shuffles(n_blocks, len(side.counts)),
        version.values[index],
        [version.units_of(index, key) for key in keys],
    )
    beyond = p_beyond(reference, windows, limit, chances, np.array([one.total_variation for one in far]))
    deviations = shifts_in_deviations(bins, moments(bins, own), windows.sums)
    quantiles = shifts_in_quantiles(reference, windows.totals)
    for i, side in enumerate(windows.sides):
        yield {
            **far[i]._asdict(),
            "tolerance_share": limit.share,
            "shift_sd": deviations[i],
            "shift_quantiles": quantiles[i],
            "p_beyond_tolerance": beyond[i],
            "independence": "units" if chances[i].by_units else _INDEPENDENCE[reference.mode(side)],
            "p_value": chances[i].p_value,
            "n_effective": chances[i].n_effective,
            "total_variation_by_chance": chances[i].total_variation,
            "unseen_rate_by_chance": None if bins.is_numeric else reference.lone_share,
        }


def _blanks(version: VersionHistograms, index: int, counted: Sequence[int], asked: _Asked) -> list[_Row]:
    """The rows before anything is measured, of windows of so many rows."""
    bins, reference = version.bins[index], version.references[index]
    declared = asked.settings.declared(bins.field.name)
    if declared.unit != "share" and not bins.is_numeric:
        declared = STANDARD_TOLERANCE
    same: _Row = dict.fromkeys(_MEASURED) | {
        "version": version.version,
        "reference_version": version.reference_version,
        "feature": bins.field.name,
        "role": bins.field.role,
        "kind": bins.field.kind,
        "n_reference": reference.side.rows,
        "tolerance": declared.value,
        "tolerance_unit": declared.unit,
    }
    rows = []
    for window, n in zip(asked.windows, counted, strict=True):
        status, reason = _status(version, reference, n)
        late = asked.late.get(window.key) if bins.field.role == "label" else None
        if status == "ok" and late is not None:
            # the labels of a window that is not mature are not judged
            status, reason = "immature", late
        rows.append(
            same
            | {
                "window_start": window.start,
                "window_end": window.end,
                "n": n,
                "status": status,
                "reason": reason,
            }
        )
    return rows


def _status(version: VersionHistograms, reference: ReferenceSide, n: int) -> tuple[Status, str | None]:
    """Of a window of so many rows."""
    bins = reference.bins
    role, name = bins.field.role, bins.field.name
    if role in {"score", "decision"} and version.version != version.reference_version:
        return "undefined", (
            f"the reference has no rows of {version.version}, and the {role} of another version is no measure for it"
        )
    if bins.absent:
        return "undefined", f"the reference does not log {name}"
    if reference.side.rows == 0:
        return "undefined", f"the reference has no {'labelled ' if role == 'label' else ''}rows here"
    if n == 0:
        return "no_data", f"no {'labelled ' if role == 'label' else ''}rows in this window"
    for rows, words in ((n, "in this window"), (reference.side.rows, "in the reference")):
        if rows < LEAST_ROWS:
            return "too_few", f"{rows} rows {words}; drift needs {LEAST_ROWS}"
    return "ok", None


def _corrected(family: list[_Row], settings: Drift) -> list[DriftRow]:
    """Correct the p-values of one window and version, and judge."""
    adjusted = benjamini_hochberg([row["p_value"] for row in family]).tolist()
    tested = sum(row["p_value"] is not None for row in family)
    for row, p in zip(family, adjusted, strict=True):
        if row["p_value"] is not None:
            row["p_adjusted"] = p
            row["drifted"] = p < ALPHA and _matters(row, settings.share_tolerance)
            row["n_expected_by_chance"] = ALPHA / tested
    return [DriftRow(**row) for row in family]


def _matters(row: _Row, share_tolerance: float) -> bool:
    """Whether the difference is large enough in plain units to be called drift."""
    beyond = (row["total_variation"] or 0.0) - (row["total_variation_by_chance"] or 0.0)
    missing = (row["missing_rate"] or 0.0) - (row["missing_rate_reference"] or 0.0)
    unseen = (row["unseen_rate"] or 0.0) - (row["unseen_rate_by_chance"] or 0.0)
    return beyond >= (row["tolerance_share"] or 0.0) or max(missing, unseen) >= share_tolerance


def histogram_rows(
    versions: Sequence[VersionHistograms], windows: Sequence[Window], field: str
) -> tuple[HistogramRow, ...]:
    """Shares of every bin of one field, in the reference and in each window.

    Args:
        field: name of a feature, or ``score``, ``score:<class>``, ``decision``, ``label``.
    """
    rows: list[HistogramRow] = []
    for window in windows:
        for version in versions:
            cell = version.windows.get(window.key, version.nothing)
            for index, bins in enumerate(version.bins):
                if bins.field.name == field:
                    rows += _histogram(version, window, cell, index)
    return tuple(rows)


def _histogram(
    version: VersionHistograms, window: Window, cell: CellHistogram, index: int
) -> list[HistogramRow]:
    bins = version.bins[index]
    left, right = version.references[index].side, Side.of(cell.field(index))
    shares, window_shares = (
        item.shares.tolist() if item.rows else [None] * bins.size for item in (left, right)
    )
    return [
        HistogramRow(
            window_start=window.start,
            window_end=window.end,
            version=version.version,
            reference_version=version.reference_version,
            feature=bins.field.name,
            bin=name,
            bin_low=low,
            bin_high=high,
            n_reference=left.rows,
            n=right.rows,
            share_reference=share,
            share=window_share,
        )
        for name, (low, high), share, window_share in zip(
            bins.names, bins.limits, shares, window_shares, strict=True
        )
    ]
