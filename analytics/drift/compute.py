"""Drift of every field of every window: distances, significance, a verdict and its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from analytics.aggregates.features import CellHistogram
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.aggregates.unit_counts import ReferenceUnits, UnitPairs
from analytics.drift.by_units import UnitField, enough
from analytics.drift.draws import BlockDraws
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.drift.sides import Mode, ReferenceSide, Side
from analytics.drift.significance import Units, significance, values_by_block
from analytics.drift.tolerance import (
    moments,
    p_beyond,
    shift_in_deviations,
    shift_in_quantiles,
    tolerated,
)
from analytics.drift.univariate import distances
from analytics.project import STANDARD_TOLERANCE, Drift
from analytics.results import Status
from analytics.scope import Window
from analytics.stats.multiplicity import benjamini_hochberg

ALPHA = 0.05
LEAST_ROWS = 30
_INDEPENDENCE: Mapping[Mode, Literal["rows", "blocks"]] = {
    "rows": "rows",
    "few blocks": "blocks",
    "blocks": "blocks",
}


@dataclass(frozen=True)
class VersionHistograms:
    """One version: its windows, and the reference it is compared with, on the same bins.

    Attributes:
        windows: window key -> histogram; a window without rows is not there.
        units: the reference by unit, where units are declared.
        unit_pairs: window key -> how its rows share units.
    """

    version: str | None
    reference_version: str | None
    reference: CellHistogram
    windows: Mapping[datetime, CellHistogram]
    units: ReferenceUnits | None = field(default=None, kw_only=True)
    unit_pairs: Mapping[datetime, UnitPairs] = field(default_factory=dict, kw_only=True)

    @property
    def bins(self) -> tuple[ReferenceBins, ...]:
        """The fields and their bins."""
        return self.reference.bins

    @cached_property
    def references(self) -> tuple[ReferenceSide, ...]:
        """The reference of each field."""
        return tuple(ReferenceSide.of(bins, self.reference.field(i)) for i, bins in enumerate(self.bins))

    @cached_property
    def nothing(self) -> CellHistogram:
        """What a window without rows has."""
        return CellHistogram.empty(self.bins)

    @cached_property
    def values(self) -> tuple[FewBlocks | None, ...]:
        """The reference's values of each field, for windows of few blocks."""
        return tuple(map(values_by_block, self.references))

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
    windows_late = late or {}
    shuffles = _Shuffles()
    fields = [
        [
            _field_rows(version, index, windows, settings, (shuffles, windows_late))
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


class _Shuffles(dict[tuple[int, int], BlockDraws]):
    """Shuffles by the numbers of blocks, drawn when first asked for."""

    def __missing__(self, blocks: tuple[int, int]) -> BlockDraws:
        self[blocks] = BlockDraws.of(*blocks)
        return self[blocks]


def _field_rows(
    version: VersionHistograms,
    index: int,
    windows: Sequence[Window],
    settings: Drift,
    drawn_and_late: tuple[_Shuffles, Mapping[datetime, str]],
) -> list[DriftRow]:
    """One field of one version in every window."""
    shuffles, late = drawn_and_late
    reference = version.references[index]
    cells = [version.windows.get(window.key, version.nothing) for window in windows]
    sides = [Side.of(cell.field(index)) for cell in cells]
    rows = [_blank(version, index, *pair, settings) for pair in zip(windows, sides, strict=True)]
    if version.bins[index].field.role == "label":
        rows = [_unless_late(row, late.get(window.key)) for row, window in zip(rows, windows, strict=True)]
    known = [number for number, row in enumerate(rows) if row.status == "ok"]
    if not known:
        return rows
    own = version.reference.field(index)
    limit = tolerated(reference, own, settings.declared(reference.bins.field.name))
    own_moments = moments(reference.bins, own)
    for number, far in zip(known, distances(reference, [sides[i] for i in known]), strict=True):
        blocks = (len(version.reference.blocks), len(cells[number].blocks))
        mode = reference.mode(sides[number])
        draws = shuffles[blocks] if mode == "blocks" else None
        units = version.units_of(index, windows[number].key)
        chance = significance(reference, sides[number], draws, version.values[index], units)
        window_moments = moments(reference.bins, cells[number].field(index))
        rows[number] = replace(
            rows[number],
            **far._asdict(),
            tolerance_share=limit.share,
            shift_sd=shift_in_deviations(own_moments, window_moments),
            shift_quantiles=shift_in_quantiles(reference, sides[number]),
            p_beyond_tolerance=p_beyond(reference, sides[number], limit, chance, far.total_variation),
            independence="units" if chance.by_units else _INDEPENDENCE[mode],
            p_value=chance.p_value,
            n_effective=chance.n_effective,
            total_variation_by_chance=chance.total_variation,
            unseen_rate_by_chance=None if reference.bins.is_numeric else reference.lone_share,
        )
    return rows


def _unless_late(row: DriftRow, reason: str | None) -> DriftRow:
    """The labels of a window that is not mature are not judged."""
    return row if reason is None or row.status != "ok" else replace(row, status="immature", reason=reason)


def _blank(
    version: VersionHistograms, index: int, window: Window, current: Side, settings: Drift
) -> DriftRow:
    """The row before anything is measured."""
    bins, reference = version.bins[index], version.references[index]
    status, reason = _status(version, reference, current)
    declared = settings.declared(bins.field.name)
    if declared.unit != "share" and not bins.is_numeric:
        declared = STANDARD_TOLERANCE
    return DriftRow(
        window_start=window.start,
        window_end=window.end,
        version=version.version,
        reference_version=version.reference_version,
        feature=bins.field.name,
        role=bins.field.role,
        kind=bins.field.kind,
        n_reference=reference.side.rows,
        n=current.rows,
        psi=None,
        js_distance=None,
        ks=None,
        ks_bound=None,
        wasserstein=None,
        total_variation=None,
        tolerance=declared.value,
        tolerance_unit=declared.unit,
        noise_floor=None,
        independence=None,
        p_value=None,
        p_adjusted=None,
        missing_rate=None,
        missing_rate_reference=None,
        unseen_rate=None,
        drifted=None,
        status=status,
        reason=reason,
    )


def _status(version: VersionHistograms, reference: ReferenceSide, window: Side) -> tuple[Status, str | None]:
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
    if window.rows == 0:
        return "no_data", f"no {'labelled ' if role == 'label' else ''}rows in this window"
    for side, words in ((window, "in this window"), (reference.side, "in the reference")):
        if side.rows < LEAST_ROWS:
            return "too_few", f"{side.rows} rows {words}; drift needs {LEAST_ROWS}"
    return "ok", None


def _corrected(family: list[DriftRow], settings: Drift) -> list[DriftRow]:
    """Correct the p-values of one window and version, and judge."""
    adjusted = benjamini_hochberg([row.p_value for row in family])
    tested = sum(row.p_value is not None for row in family)
    return [
        row
        if row.p_value is None
        else replace(
            row,
            p_adjusted=float(p),
            drifted=bool(p < ALPHA) and _matters(row, settings.share_tolerance),
            n_expected_by_chance=ALPHA / tested,
        )
        for row, p in zip(family, adjusted, strict=True)
    ]


def _matters(row: DriftRow, share_tolerance: float) -> bool:
    """Whether the difference is large enough in plain units to be called drift."""
    beyond = (row.total_variation or 0.0) - (row.total_variation_by_chance or 0.0)
    missing = (row.missing_rate or 0.0) - (row.missing_rate_reference or 0.0)
    unseen = (row.unseen_rate or 0.0) - (row.unseen_rate_by_chance or 0.0)
    return beyond >= (row.tolerance_share or 0.0) or max(missing, unseen) >= share_tolerance


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
