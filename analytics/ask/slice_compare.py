"""One slice beside all other rows, on everything: quality, features, labels, latency and failures; and over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import (
    RowMoments,
    Statistic,
    read_row_moments,
    variance_over_units,
)
from analytics.aggregates.slice_losses import row_loss
from analytics.ask.drift_against import Against, drift_against
from analytics.ask.segments import Compared, compare_filters, metrics_by_slice
from analytics.ask.slice_reading import metric_of
from analytics.ask.windows import resolve, versions_of
from analytics.directions import worse_by
from analytics.drift.rows import DriftRow
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.measures.estimate import LEAST_ROWS, Estimate, Family, missing, ratio
from analytics.project import Predictions
from analytics.results import Results
from analytics.scope import Filter, Scope, Window
from analytics.segments.compare import ALARM, Pair, difference
from analytics.segments.rows import SegmentRow
from analytics.slices.rows import SliceCompareRow, SliceTrendRow
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import REST, SLICE, scoped_rows

MOST_LATENCY = 1e300


class _Number(NamedTuple):
    """A mean over rows that is no quality metric: its word, kind, numerator and denominator in SQL, and family."""

    name: str
    kind: str
    numerator: str
    denominator: str
    family: Family


def slice_compare_of(catalog: Catalog, scope: Scope, slice_: tuple[Filter, ...]) -> Results[SliceCompareRow]:
    """Everything about the rows that meet some filters, beside the same of all other rows of the scope.

    Args:
        catalog: the project's views.
        scope: the rows both sides are of, in one window.
        slice_: the filters of the slice; at least one.

    Raises:
        ScopeError: there is no filter, or the scope filters by the same field.
    """
    _check(scope, slice_)
    scope = replace(scope, grain="all", by=None)
    found: list[SliceCompareRow] = []
    where = tuple(one.text for one in slice_)
    quality, texts = _quality(catalog, scope, slice_, where)
    found += quality
    numbers, text = _numbers(catalog, scope, slice_, where)
    found += numbers
    drifted = drift_against(catalog, scope, Against("slice", filters=slice_))
    defining = {one.name for one in slice_}
    found += [
        _of_drift(row, where)
        for row in drifted
        if row.role != "label" and not (row.role == "feature" and row.feature in defining)
    ]
    judged = _corrected(found)
    note = "p-values are corrected (Benjamini-Hochberg) within quality, features, labels and service of a version."
    return Results(tuple(judged), catalog.project.zone, (*texts, *text, *drifted.sql), (note,))


def _check(scope: Scope, slice_: tuple[Filter, ...]) -> None:
    if not slice_:
        raise ScopeError("a slice needs at least one condition, like carrier=UA")
    names = {one.name for one in slice_}
    for one in scope.filters:
        if one.name in names:
            raise ScopeError(
                f"rows are filtered by {one.name} already; clear that filter to compare a slice by it"
            )


# --- quality


def _quality(
    catalog: Catalog, scope: Scope, slice_: tuple[Filter, ...], where: tuple[str, ...]
) -> tuple[list[SliceCompareRow], tuple[str, ...]]:
    if not catalog.has_labels:
        return [], ()
    wanted = [Compared(metric) for metric in metrics_by_slice(catalog)]
    found, texts = compare_filters(catalog, scope, slice_, wanted)
    rows = []
    for one in wanted:
        by_version: dict[str | None, dict[str, SegmentRow]] = {}
        for row in found[one]:
            by_version.setdefault(row.version, {})[row.segment_value] = row
        rows += [_of_segment(both, where) for both in by_version.values() if SLICE in both]
    return rows, texts


def _of_segment(both: dict[str, SegmentRow], where: tuple[str, ...]) -> SliceCompareRow:
    row, rest = both[SLICE], both.get(REST)
    return SliceCompareRow(
        window_start=row.window_start, window_end=row.window_end, version=row.version, where=where, kind="quality",
        name=row.metric, class_=None, n=row.n_labelled, n_elsewhere=rest.n_labelled if rest else 0, value=row.value,
        ci_low=row.ci_low, ci_high=row.ci_high, value_elsewhere=row.value_elsewhere,
        elsewhere_ci_low=rest.ci_low if rest else None, elsewhere_ci_high=rest.ci_high if rest else None,
        difference=row.difference, difference_ci_low=row.difference_ci_low, difference_ci_high=row.difference_ci_high,
        by_chance=None, p_value=row.p_value, p_adjusted=None, differs=None, worse=None, status=row.status,
        reason=row.reason,
    )  # fmt: skip


# --- features


def _of_drift(row: DriftRow, where: tuple[str, ...]) -> SliceCompareRow:
    return SliceCompareRow(
        window_start=row.window_start, window_end=row.window_end, version=row.version, where=where, kind="feature",
        name=row.feature, class_=None, n=row.n, n_elsewhere=row.n_reference, value=None, ci_low=None, ci_high=None,
        value_elsewhere=None, elsewhere_ci_low=None, elsewhere_ci_high=None, difference=row.total_variation,
        difference_ci_low=None, difference_ci_high=None, by_chance=row.total_variation_by_chance,
        p_value=row.p_value, p_adjusted=row.p_adjusted, differs=row.drifted, worse=None, status=row.status,
        reason=row.reason,
    )  # fmt: skip


# --- labels, latency, failures


def _known_numbers(section: Predictions, *, labels: bool) -> list[_Number]:
    found = []
    if labels:
        found.append(_Number("label_coverage", "labels", "label IS NOT NULL", "scored", "share"))
    if section.status is not None and section.ok_status:
        found.append(_Number("error_rate", "service", "", "TRUE", "share"))
    if section.latency is not None:
        there = f"latency IS NOT NULL AND abs(latency) <= {MOST_LATENCY!r}"
        found.append(_Number("mean_latency", "service", "", there, "positive"))
    return found


def _numbers(
    catalog: Catalog, scope: Scope, slice_: tuple[Filter, ...], where: tuple[str, ...]
) -> tuple[list[SliceCompareRow], tuple[str, ...]]:
    numbers = _known_numbers(catalog.predictions, labels=catalog.has_labels)
    resolved, windows = resolve(catalog, scope)
    if not (numbers and windows):
        return [], ()
    statistics, together = [], []
    for one in numbers:
        value = f"CASE WHEN {one.numerator} THEN 1e0 ELSE 0e0 END"
        if one.name in {"error_rate", "mean_latency"}:
            value = row_loss(catalog, one.name).value
        statistics += [
            Statistic(one.name, f"CASE WHEN {one.denominator} THEN {value} ELSE 0e0 END"),
            Statistic(f"{one.name}_rows", f"CASE WHEN {one.denominator} THEN 1e0 ELSE 0e0 END"),
        ]
        together.append((one.name, f"{one.name}_rows"))
    read = _both_sides(catalog, resolved, slice_, statistics, together)
    rows = []
    for version in versions_of(catalog, resolved):
        sides = read.of(windows[0], version)
        if sides is None:
            continue
        rows += [_of_number(one, version, windows[0], sides, where, scope.confidence) for one in numbers]
    return rows, read.sql


class _Read(NamedTuple):
    whole: dict[CellKey, RowMoments]
    parts: dict[CellKey, RowMoments]
    sql: tuple[str, ...]

    def of(self, window: Window, version: str | None) -> tuple[RowMoments, RowMoments] | None:
        """The slice and the rest of one window and version; None where the slice has no row."""
        part = self.parts.get(CellKey(window.key, version, SLICE))
        whole = self.whole.get(CellKey(window.key, version, None))
        return None if part is None or whole is None else (part, whole - part)


def _both_sides(
    catalog: Catalog,
    scope: Scope,
    slice_: tuple[Filter, ...],
    statistics: Sequence[Statistic],
    together: Sequence[Sequence[str]],
) -> _Read:
    def read(rows: Sql, *, slices: bool) -> tuple[dict[CellKey, RowMoments], str]:
        return read_row_moments(catalog, rows, statistics, together, slices=slices)

    whole, text = read(scoped_rows(catalog, scope), slices=False)
    parts, more = read(scoped_rows(catalog, scope, slice_=slice_), slices=True)
    return _Read(whole, parts, (text, more))


def _of_number(
    one: _Number,
    version: str | None,
    window: Window,
    both: tuple[RowMoments, RowMoments],
    where: tuple[str, ...],
    confidence: float,
) -> SliceCompareRow:
    inside, outside = (_mean(one.name, side, one.family) for side in both)
    gap = difference(_pair(*both, inside, outside), confidence)
    low, high = inside.interval(confidence)[:2] if inside.value is not None else (None, None)
    rest_low, rest_high = outside.interval(confidence)[:2] if outside.value is not None else (None, None)
    n, n_rest = (side.count(f"{one.name}_rows") for side in both)
    return SliceCompareRow(
        window_start=window.start, window_end=window.end, version=version, where=where,
        kind="labels" if one.kind == "labels" else "service", name=one.name, class_=None, n=n, n_elsewhere=n_rest,
        value=inside.value, ci_low=low, ci_high=high, value_elsewhere=outside.value, elsewhere_ci_low=rest_low,
        elsewhere_ci_high=rest_high, difference=gap.value if gap else None, difference_ci_low=gap.low if gap else None,
        difference_ci_high=gap.high if gap else None, by_chance=None, p_value=gap.p_value if gap else None,
        p_adjusted=None, differs=None, worse=None, status=inside.status, reason=inside.reason,
    )  # fmt: skip


def _mean(name: str, moments: RowMoments, family: Family) -> Estimate:
    n = moments.count(f"{name}_rows")
    if n < LEAST_ROWS:
        return missing(name, "too_few" if n else "no_data", f"{n} rows; at least {LEAST_ROWS} are needed")
    return ratio(name, moments, name, f"{name}_rows", family=family)


def _pair(part: RowMoments, rest: RowMoments, inside: Estimate, outside: Estimate) -> Pair:
    if inside.gradient is None or outside.gradient is None or part.beside is None:
        return Pair(inside, outside)
    variance = variance_over_units(part, rest, inside.gradient, outside.gradient)
    return Pair(inside, outside, variance, min(inside.n_units, outside.n_units))


def _corrected(rows: list[SliceCompareRow]) -> list[SliceCompareRow]:
    """Correct each kind of each version as a family; features are corrected already."""
    families: dict[tuple[str | None, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row.kind != "feature":
            families.setdefault((row.version, row.kind), []).append(i)
    answers = list(rows)
    for members in families.values():
        adjusted = np.asarray(benjamini_hochberg([rows[i].p_value for i in members]))
        for i, p_adjusted in zip(members, adjusted.tolist(), strict=True):
            if rows[i].p_value is not None:
                answers[i] = _judged(rows[i], p_adjusted)
    return answers


def _judged(row: SliceCompareRow, p_adjusted: float) -> SliceCompareRow:
    differs = p_adjusted < ALARM
    worse = None
    if row.value is not None and row.value_elsewhere is not None:
        by = worse_by(row.name, row.value, row.value_elsewhere)
        worse = None if by is None else differs and by > 0
    return replace(row, p_adjusted=p_adjusted, differs=differs, worse=worse)


# --- over time


def slice_trend_of(
    catalog: Catalog, scope: Scope, slice_: tuple[Filter, ...], metric: str | None = None
) -> Results[SliceTrendRow]:
    """The metric of a slice and of all other rows, window by window.

    Args:
        catalog: the project's views.
        scope: the rows both sides are of, and the grain.
        slice_: the filters of the slice; at least one.
        metric: a mean of one number a row; the loss of the task where left out.

    Raises:
        ScopeError: there is no filter, the scope filters by the same field, or the metric is no mean of rows.
    """
    _check(scope, slice_)
    loss = row_loss(catalog, metric_of(catalog, metric))
    scope, windows = resolve(catalog, replace(scope, by=None))
    there = f"{loss.condition} AND abs({loss.value}) <= {MOST_LATENCY!r}"
    name = loss.metric
    statistics = [
        Statistic(name, f"CASE WHEN {there} THEN {loss.value} ELSE 0e0 END"),
        Statistic(f"{name}_rows", f"CASE WHEN {there} THEN 1e0 ELSE 0e0 END"),
    ]
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    read = _both_sides(catalog, scope, slice_, statistics, [(name, f"{name}_rows")])
    where = tuple(one.text for one in slice_)

    trend = _Trend(read, name, loss.family, where, scope.confidence)
    rows = [trend.row(window, version) for window in windows for version in versions_of(catalog, scope)]
    return Results(tuple(rows), catalog.project.zone, read.sql)


class _Trend(NamedTuple):
    """What all windows of one slice have in common."""

    read: _Read
    metric: str
    family: Family
    where: tuple[str, ...]
    confidence: float

    def row(self, window: Window, version: str | None) -> SliceTrendRow:
        """One window of one version."""
        both = self.read.of(window, version)
        part, rest = both or (None, self.read.whole.get(CellKey(window.key, version, None)))
        inside, outside = self._mean(part), self._mean(rest)
        low = high = independence = None
        if inside.value is not None:
            low, high, independence = inside.interval(self.confidence)
        rest_low, rest_high = (
            outside.interval(self.confidence)[:2] if outside.value is not None else (None, None)
        )
        name = f"{self.metric}_rows"
        mine = part.total(name) if part is not None else 0.0
        weight = mine + (rest.total(name) if rest is not None else 0.0)
        return SliceTrendRow(
            window_start=window.start, window_end=window.end, version=version, metric=self.metric, where=self.where,
            n=part.count(name) if part is not None else 0, share=mine / weight if weight > 0 else None,
            value=inside.value, ci_low=low, ci_high=high, value_elsewhere=outside.value, elsewhere_ci_low=rest_low,
            elsewhere_ci_high=rest_high, independence=independence, status=inside.status, reason=inside.reason,
        )  # fmt: skip

    def _mean(self, moments: RowMoments | None) -> Estimate:
        if moments is None:
            return missing(self.metric, "no_data", "no rows")
        return _mean(self.metric, moments, self.family)
