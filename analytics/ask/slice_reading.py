"""Rows of one version encoded for slice search, map and tree; the last two readings are kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.features import CellHistogram, feature_histograms
from analytics.aggregates.moments import RowMoments, variance_over_units
from analytics.aggregates.reference_bins import ReferenceBins, reference_version_of
from analytics.aggregates.slice_codes import Among, SliceCodes, read_slice_codes
from analytics.aggregates.slice_fields import SliceField, slice_fields
from analytics.aggregates.slice_losses import Loss, row_loss, row_losses
from analytics.ask.drift import reference_of
from analytics.ask.kept import kept
from analytics.ask.logged_bins import logged_bins
from analytics.ask.windows import resolve
from analytics.errors import ScopeError
from analytics.measures.estimate import LEAST_ROWS, Estimate, missing, ratio
from analytics.scope import Scope, Window
from analytics.segments.compare import Pair
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Mask = NDArray[np.bool_]
_KEPT = 2
"""A reading of a million rows takes 60 MB."""


@dataclass(frozen=True)
class Reading:
    """Encoded rows of one version of one window."""

    scope: Scope
    window: Window
    version: str | None
    loss: Loss
    codes: SliceCodes

    def part(self, which: int) -> SliceCodes:
        """The rows in which slices are looked for (1), or on which they are confirmed (2)."""
        return self.codes.only(self.codes.part == which)

    def amount(self, codes: SliceCodes) -> NDArray[np.float64] | None:
        """What each row lost; None where that means nothing."""
        best = self.loss.total
        return None if best is None else np.abs(codes.value - best)


class _Readings:
    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], Reading] = OrderedDict()
        self._lock = Lock()

    def of(self, catalog: Catalog, scope: Scope, window: Window, version: str | None, metric: str) -> Reading:
        key = (catalog.digest, scope, window, version, metric)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        found = _read(catalog, scope, window, version, metric)
        with self._lock:
            self._held[key] = found
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return found


_READINGS = _Readings()


def read_for_slices(
    catalog: Catalog, scope: Scope, version: str | None, metric: str | None
) -> Reading | None:
    """Encode the rows of one version; None where the logs hold no row at all.

    Raises:
        ScopeError: the metric is no mean of rows in this project.
    """
    metric = metric_of(catalog, metric)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None, versions=_only(version)))
    return _READINGS.of(catalog, scope, windows[0], version, metric) if windows else None


def metric_of(catalog: Catalog, metric: str | None) -> str:
    """The metric asked for, or the loss of the task.

    Raises:
        ScopeError: it is no mean of rows in this project.
    """
    known = row_losses(catalog)
    if not known:
        raise ScopeError(
            "slices need a number a row: declare predictions.label or a [labels] feed, predictions.latency, or status "
            "and ok_status"
        )
    if metric is not None and metric not in known:
        raise ScopeError(
            f'metric "{metric}" is no mean of one number a row; choose one of: {", ".join(known)}'
        )
    return metric or known[0]


def _only(version: str | None) -> tuple[str, ...]:
    return () if version is None else (version,)


def _read(catalog: Catalog, scope: Scope, window: Window, version: str | None, metric: str) -> Reading:
    loss = row_loss(catalog, metric)
    fields = fields_of(catalog, scope, version)
    codes = read_slice_codes(catalog, scoped_rows(catalog, scope), fields, loss)
    return Reading(scope, window, version, loss, codes)


def fields_of(catalog: Catalog, scope: Scope, version: str | None) -> tuple[SliceField, ...]:
    """What rows are sliced by: numbers are cut by the reference, or by all rows of the version where there is none."""
    filtered = {one.name for one in scope.filters}

    def read() -> tuple[SliceField, ...]:
        bins, cell = _bins(catalog, scope, version)
        counts = [cell.field(i).counts.sum(axis=0) for i in range(len(bins))]
        return slice_fields(catalog, bins, counts)

    key = ("slice fields", version, scope.as_of if not catalog.reference_versions else None)
    # what all rows share by a filter is no condition
    return tuple(field for field in kept(catalog, key, tuple, read) if field.name not in filtered)


def _bins(
    catalog: Catalog, scope: Scope, version: str | None
) -> tuple[tuple[ReferenceBins, ...], CellHistogram]:
    if catalog.reference_versions:
        bins, cell, _ = reference_of(catalog, reference_version_of(catalog, version))
        return bins, cell
    bins = logged_bins(catalog, version, scope.as_of)
    counted = feature_histograms(catalog, Scope(as_of=scope.as_of), bins, [version])
    return bins, next(iter(counted.cells.values()), CellHistogram.empty(bins))


@dataclass(frozen=True)
class Sides:
    """Some rows and all others among the same rows."""

    part: RowMoments
    rest: RowMoments
    pair: Pair


def sides(reading: Reading, rows: Mask, among: Among) -> Sides:
    """Compare rows with the others of those that they are a part of; a side of under 20 rows has no value."""
    part = among.codes.moments(rows, among)
    rest = among.moments - part
    inside, outside = (mean_of(reading.loss, side) for side in (part, rest))
    if inside.gradient is None or outside.gradient is None:
        return Sides(part, rest, Pair(inside, outside))
    variance = None
    if part.beside is not None:
        variance = variance_over_units(part, rest, inside.gradient, outside.gradient)
    return Sides(part, rest, Pair(inside, outside, variance, min(inside.n_units, outside.n_units)))


def everyone(codes: SliceCodes) -> Among:
    """All encoded rows."""
    return Among(codes, np.ones(len(codes.value), dtype=np.bool_))


def mean_of(loss: Loss, moments: RowMoments) -> Estimate:
    """The metric of some rows."""
    if moments.n == 0:
        return missing(loss.metric, "no_data", "no rows with this metric")
    if moments.n < LEAST_ROWS:
        return missing(loss.metric, "too_few", f"{moments.n} rows; at least {LEAST_ROWS} are needed")
    return ratio(loss.metric, moments, "value", "rows", family=loss.family)


def share_of_loss(reading: Reading, rows: Mask, among: Among) -> Estimate | None:
    """The part of everything lost that some rows lost; None where that means nothing or nothing was lost."""
    amount = reading.amount(among.codes)
    if amount is None or not float(among.codes.weight @ amount) > 0:
        return None
    moments = among.codes.share_moments(rows, amount, among)
    return ratio("share_of_loss", moments, "inside", "all", family="share")
