"""Drift against an earlier window, another version or another segment: read both sides, compare them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Lock
from typing import Literal

from analytics.aggregates.features import CellHistogram, feature_histograms
from analytics.aggregates.reference_bins import ReferenceBins, watched_fields
from analytics.ask.drift import by_chance, late_windows
from analytics.ask.logged_bins import logged_bins
from analytics.ask.windows import resolve, versions_of
from analytics.drift.against import (
    Compared,
    PairedStretch,
    Stretch,
    earlier,
    listed,
    paired,
    together,
    with_unseen_listed,
    without,
)
from analytics.drift.compute import drift_rows, histogram_rows
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.errors import ScopeError
from analytics.project import Project
from analytics.results import Results
from analytics.scope import Filter, Scope, Window, cut
from analytics.stats.clustered import LEAST_BLOCKS
from analytics.telemetry.catalog import Catalog

Kind = Literal["reference", "previous", "last-week", "version", "segment", "slice"]
Cells = Mapping[tuple[datetime, str | None], CellHistogram]
_PLAIN: tuple[Kind, ...] = ("reference", "previous", "last-week")
_ACCEPTED = "reference, previous, last-week, version=NAME, segment=COLUMN=VALUE"
_ORDER = ["5min", "15min", "hour", "day", "week", "month", "all"]
_KEPT = 16


@dataclass(frozen=True)
class Against:
    """What a window is compared with.

    Attributes:
        name: the version, or the segment.
        value: of the segment.
        filters: of a slice, whose rows are compared with all others.
    """

    kind: Kind
    name: str | None = None
    value: str | None = None
    filters: tuple[Filter, ...] = ()

    @property
    def text(self) -> str:
        """As it is typed."""
        if self.kind == "version":
            return f"version={self.name}"
        if self.kind == "slice":
            return f"not {' and '.join(one.text for one in self.filters)}"
        return f"segment={self.name}={self.value}" if self.kind == "segment" else self.kind

    @property
    def other(self) -> str:
        """The other side in a sentence."""
        return {
            "reference": "the reference",
            "previous": "the window before it",
            "last-week": "the same window a week earlier",
            "version": f"version {self.name}",
            "segment": f"the rows that are not {self.name}={self.value}",
            "slice": "all other rows",
        }[self.kind]

    @classmethod
    def parse(cls, text: str, project: Project) -> Against:
        """Read ``previous``, ``version=NAME`` and the like.

        Raises:
            ScopeError: the text is none of these.
        """
        for kind in _PLAIN:
            if text == kind:
                return cls(kind)
        word, _, rest = text.partition("=")
        if word == "version" and rest:
            return cls("version", rest)
        if word == "segment":
            known = project.require_predictions().segments
            names = [name for name in known if rest.startswith(f"{name}=")]
            if names:
                # a column may hold an equals sign: the longest known name wins
                name = max(names, key=len)
                return cls("segment", name, rest[len(name) + 1 :] or "(missing)")
            raise ScopeError(f'against: "{rest}" names no segment; known: {", ".join(known) or "none"}')
        raise ScopeError(f'against: "{text}" is not one of: {_ACCEPTED}')


def drift_against(catalog: Catalog, scope: Scope, against: Against) -> Results[DriftRow]:
    """Every feature, score, decision and label of every window and version against another side.

    Raises:
        ScopeError: the comparison has no meaning for this scope.
    """
    reading = _Reading(catalog, scope, against)
    settings = catalog.project.drift
    late = late_windows(catalog, scope, [window for window, _, _ in reading.comparisons()])
    rows = tuple(
        _said(row, against, version)
        for window, version, compared in reading.comparisons()
        for row in drift_rows([compared], [window], settings, late)
    )
    return Results(rows, catalog.project.zone, tuple(reading.sql), by_chance(rows))


def histogram_against(
    catalog: Catalog, scope: Scope, feature: str, against: Against
) -> Results[HistogramRow]:
    """The bins of one field on both sides."""
    known = [field.name for field in watched_fields(catalog)]
    if feature not in known:
        raise ScopeError(f'"{feature}" is not watched; known: {", ".join(known)}')
    reading = _Reading(catalog, scope, against)
    rows = tuple(
        replace(row, reference_version=against.name if against.kind == "version" else version)
        for window, version, compared in reading.comparisons()
        for row in histogram_rows([compared], [window], feature)
    )
    return Results(rows, catalog.project.zone, tuple(reading.sql))


def _said(row: DriftRow, against: Against, version: str | None) -> DriftRow:
    """The row in the words of this comparison."""
    other = against.name if against.kind == "version" else version
    status, reason = row.status, row.reason
    if row.n_reference == 0 and row.n > 0:
        status, reason = "no_data", f"no {'labelled ' if row.role == 'label' else ''}rows in {against.other}"
    elif reason is not None:
        reason = reason.replace("the reference", against.other)
    return replace(
        row,
        reference_version=other,
        against=against.text,
        status=status,
        reason=reason,
        unseen_rate=None,
        unseen_rate_by_chance=None,
    )


class _Reading:
    """Both sides of every window and version of a scope."""

    def __init__(self, catalog: Catalog, scope: Scope, against: Against) -> None:
        if scope.by is not None:
            raise ScopeError(
                f'by: drift is not split by segment; ask for one value at a time, with where "{scope.by}=VALUE"'
            )
        self.catalog, self.against = catalog, against
        self.scope, self.windows = resolve(catalog, scope)
        self.versions = versions_of(catalog, self.scope)
        self.sql: dict[str, None] = {}
        if against.kind == "version":
            self._needs_version()
        if against.kind == "segment" and any(one.name == against.name for one in scope.filters):
            raise ScopeError(f"against: rows are filtered by {against.name} already; clear that filter")

    def _needs_version(self) -> None:
        known = self.catalog.versions
        if self.against.name not in known:
            names = ", ".join(str(name) for name in known)
            raise ScopeError(f'against: version "{self.against.name}" is not in the logs; known: {names}')
        self.versions = tuple(name for name in self.versions if name != self.against.name)
        if not self.versions:
            raise ScopeError(
                f"against: {self.against.name} cannot be compared with itself; ask for another version"
            )

    def comparisons(self) -> list[tuple[Window, str | None, Compared]]:
        """Window by window, versions in order."""
        if not self.windows:
            return []
        by_version = {version: self._of_version(version) for version in self.versions}
        return [
            (window, version, by_version[version][number])
            for number, window in enumerate(self.windows)
            for version in self.versions
        ]

    def _of_version(self, version: str | None) -> list[Compared]:
        if self.against.kind in {"previous", "last-week"}:
            return self._earlier(version)
        return self._paired(version)

    # --- an earlier window

    def _earlier(self, version: str | None) -> list[Compared]:
        bins = logged_bins(self.catalog, version, self.scope.as_of)
        before = shifted(self.windows, self.scope, self.against.kind, self.catalog.project)
        now = self._count(self.scope, bins, version)
        span = replace(self.scope, start=before[0].start, end=before[-1].end)
        then = self._count(span, bins, version)
        longer: Stretch | None = None
        if self.catalog.predictions.block != "none" and any(
            min(len(now[w.key].blocks), len(then[b.key].blocks)) < LEAST_BLOCKS
            for w, b in zip(self.windows, before, strict=True)
            if w.key in now and b.key in then
        ):
            longer = Stretch.of(self._longer(bins, version, (now, then)))
        nothing = CellHistogram.empty(_listed(bins))
        return [
            earlier(version, (w.key, now.get(w.key, nothing)), then.get(b.key, nothing), longer)
            for w, b in zip(self.windows, before, strict=True)
        ]

    def _longer(
        self,
        bins: tuple[ReferenceBins, ...],
        version: str | None,
        read: Sequence[Mapping[datetime, CellHistogram]],
    ) -> CellHistogram:
        """What tells how much blocks differ: all rows of the version."""
        if self._fine:
            cells = {key: cell for part in read for key, cell in part.items()}
            return together(cells, _listed(bins))
        return _STRETCHES.of(self.catalog, self._whole, bins, version)

    @property
    def _fine(self) -> bool:
        """Whether windows are shorter than the declared block: then a window is a block."""
        block = self.catalog.predictions.block
        return block != "none" and _ORDER.index(self.scope.grain) < _ORDER.index(block)

    @property
    def _whole(self) -> Scope:
        return Scope(as_of=self.scope.as_of, filters=self.scope.filters)

    # --- the same windows, other rows

    def _paired(self, version: str | None) -> list[Compared]:
        named = self.against.name if self.against.kind == "version" else version
        bins = logged_bins(self.catalog, named, self.scope.as_of)
        other, own = self._two_sides(self.scope, bins, version)
        longer = None
        if self.catalog.predictions.block != "none":
            longer = self._longer_pair(bins, version, other, own)
        nothing = CellHistogram.empty(_listed(bins))
        return [
            paired(version, (w.key, own.get(w.key, nothing)), other.get(w.key, nothing), longer)
            for w in self.windows
        ]

    def _two_sides(
        self, scope: Scope, bins: tuple[ReferenceBins, ...], version: str | None
    ) -> tuple[dict[datetime, CellHistogram], dict[datetime, CellHistogram]]:
        if self.against.kind == "version":
            return self._count(scope, bins, self.against.name), self._count(scope, bins, version)
        parts = self.against.filters or (Filter("segment", str(self.against.name), str(self.against.value)),)
        own = self._count(scope.narrowed(*parts), bins, version)
        whole = self._count(scope, bins, version)
        rest = {key: without(cell, own[key]) if key in own else cell for key, cell in whole.items()}
        return rest, own

    def _longer_pair(
        self,
        bins: tuple[ReferenceBins, ...],
        version: str | None,
        other: Mapping[datetime, CellHistogram],
        own: Mapping[datetime, CellHistogram],
    ) -> PairedStretch | None:
        if all(
            min(len(cell.blocks), len(other[key].blocks)) >= LEAST_BLOCKS
            for key, cell in own.items()
            if key in other
        ):
            return None
        if not self._fine:
            other, own = self._two_sides(self._whole, bins, version)
        return PairedStretch.of(together(other, _listed(bins)), together(own, _listed(bins)))

    # --- reading

    def _count(
        self, scope: Scope, bins: tuple[ReferenceBins, ...], version: str | None
    ) -> dict[datetime, CellHistogram]:
        # the version is a condition of the count itself; the scope's versions are those that are asked about
        counted = feature_histograms(self.catalog, replace(scope, by=None, versions=()), bins, [version])
        self.sql[counted.sql] = None
        return {key: with_unseen_listed(cell) for (key, _), cell in counted.cells.items()}


def _listed(bins: tuple[ReferenceBins, ...]) -> tuple[ReferenceBins, ...]:
    return tuple(listed(item) for item in bins)


def shifted(windows: Sequence[Window], scope: Scope, kind: Kind, project: Project) -> list[Window]:
    """The earlier window of each window, in wall-clock time of the project's zone.

    Raises:
        ScopeError: a window is longer than a week.
    """
    if kind == "previous" and scope.grain != "all":
        step = {"5min": 5, "15min": 15, "hour": 60}.get(scope.grain, 0)
        reach = (
            timedelta(minutes=2 * step)
            if step
            else timedelta(days={"day": 3, "week": 15}.get(scope.grain, 63))
        )
        known = cut(windows[0].start - reach, windows[-1].end, scope.grain, project.zone)
        before = {later.key: first for first, later in pairwise(known)}
        return [before[window.key] for window in windows]
    if kind == "last-week" and any(_local_length(window, project) > timedelta(days=7) for window in windows):
        raise ScopeError(
            "against: last-week needs windows of at most a week; take another grain, or previous"
        )
    return [_moved(window, scope, kind, project) for window in windows]


def _local_length(window: Window, project: Project) -> timedelta:
    start, end = (
        moment.astimezone(project.zone).replace(tzinfo=None) for moment in (window.start, window.end)
    )
    return end - start


def _moved(window: Window, scope: Scope, kind: Kind, project: Project) -> Window:
    back = timedelta(days=7) if kind == "last-week" else _local_length(window, project)
    start, end = (
        (moment.astimezone(project.zone).replace(tzinfo=None) - back)
        .replace(tzinfo=project.zone)
        .astimezone(UTC)
        for moment in (window.start, window.end)
    )
    if start >= end:
        # clocks went back or forward inside the window
        end = start + (window.end - window.start)
    return Window(start, end, cut(start, end, scope.grain, project.zone)[0].key)


class _Stretches:
    """Whole stretches of late that tell how much blocks differ."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], CellHistogram] = OrderedDict()
        self._lock = Lock()

    def of(
        self,
        catalog: Catalog,
        scope: Scope,
        bins: tuple[ReferenceBins, ...],
        version: str | None,
    ) -> CellHistogram:
        key = (catalog.digest, scope, version, bins)
        with self._lock:
            if key in self._held:
                return self._held[key]
        counted = feature_histograms(catalog, scope, bins, [version])
        found = CellHistogram.empty(_listed(bins))
        for cell in counted.cells.values():
            found = with_unseen_listed(cell)
        with self._lock:
            self._held[key] = found
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return found


_STRETCHES = _Stretches()
