"""What a field is like: shares, moments with intervals, order statistics, from the sums of one cell."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.group_bins import BinCounts
from analytics.aggregates.reference_bins import Field, ReferenceBins
from analytics.aggregates.summaries import FieldSums, Values
from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from analytics.results import Status
from analytics.scope import Window
from analytics.stats.blocks import Independence, block_variance, largest_variance, unit_variance
from analytics.stats.intervals import score_interval, wald

Floats = NDArray[np.float64]
LEAST_ROWS = 20


class _Limits(NamedTuple):
    low: float
    high: float
    independence: Independence


class Place(NamedTuple):
    """Which cell a row is about."""

    window: Window
    version: str | None
    group: str | None
    group_value: str | None


def feature_row(place: Place, field: Field, sums: FieldSums | None, confidence: float) -> FeatureRow:
    """Describe one field of one cell.

    Args:
        place: window, version and group.
        field: which field.
        sums: of `analytics.aggregates.summaries.read_summaries`; None where the cell has no rows.
        confidence: of the intervals of the mean and of the missing share.
    """
    n = 0 if sums is None else round(float(sums.n.sum()))
    status, reason = _status(n, field)
    row = _blank(place, field, n, status, reason)
    if sums is None or status != "ok":
        return row
    weight = float(sums.w.sum())
    independence: Independence | None = None
    if field.role != "label":
        share = min(float(sums.missing.sum()) / weight, 1.0)
        limits = _missing_limits(sums, share, confidence)
        row = replace(
            row, missing_rate=share, missing_rate_ci_low=limits.low, missing_rate_ci_high=limits.high
        )
        independence = limits.independence
    if sums.values is not None:
        row = _with_values(row, sums.values, weight)
    if field.kind != "numeric":
        said = None if sums.values is not None else "all values are missing"
        return replace(row, independence=independence, reason=said)
    row = replace(row, infinite_rate=min(float(sums.infinite.sum()) / weight, 1.0))
    return _with_mean(row, sums, confidence, independence)


def _status(n: int, field: Field) -> tuple[Status, str | None]:
    what = "labelled rows" if field.role == "label" else "rows"
    if n == 0:
        return "no_data", f"no {what} here"
    if n < LEAST_ROWS:
        return "too_few", f"{n} {what}; a description needs {LEAST_ROWS}"
    return "ok", None


def _blank(place: Place, field: Field, n: int, status: Status, reason: str | None) -> FeatureRow:
    return FeatureRow(
        place.window.start, place.window.end, place.version, place.group, place.group_value,
        field.name, field.role, field.kind, n,
        missing_rate=None, missing_rate_ci_low=None, missing_rate_ci_high=None, infinite_rate=None,
        mean=None, mean_ci_low=None, mean_ci_high=None, standard_deviation=None, p05=None, p50=None, p95=None,
        top_value=None, top_share=None, n_values=None, independence=None, status=status, reason=reason,
    )  # fmt: skip


def _with_values(row: FeatureRow, values: Values, weight: float) -> FeatureRow:
    return replace(
        row,
        p05=values.p05,
        p50=values.p50,
        p95=values.p95,
        top_value=value_text(values.top),
        top_share=None if values.top is None else min(values.top_weight / weight, 1.0),
        n_values=values.n_values,
    )


def value_text(value: str | float | None) -> str | None:
    """A value as text; whole numbers without a decimal point.

    >>> value_text(3.0), value_text(0.1), value_text("AA"), value_text(None)
    ('3', '0.1', 'AA', None)
    """
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value


def _with_mean(
    row: FeatureRow, sums: FieldSums, confidence: float, independence: Independence | None
) -> FeatureRow:
    """Add mean and spread of the finite values, where there are two of them and a double can hold them."""
    n, weight = float(sums.n_finite.sum()), float(sums.finite.sum())
    if n < 2 or sums.mean is None:
        what = (
            "no finite value"
            if n == 0
            else "one finite value"
            if n == 1
            else "values too large to be averaged"
        )
        return replace(row, independence=independence, reason=f"{what} in these rows")
    # the second pass takes out what rounding left in the first mean
    left = float(sums.d1.sum()) / weight
    mean = sums.mean + left
    m2 = max(float(sums.d2.sum()) - left**2 * weight, 0.0)
    freedom = weight - float(sums.finite2.sum()) / weight
    deviation = math.sqrt(m2 / freedom) if freedom > 0 and math.isfinite(m2) else math.nan
    limits = _mean_limits(sums, mean, confidence)
    if not all(map(math.isfinite, (mean, deviation, limits.low, limits.high))):
        return replace(row, independence=independence, reason="values too large to be averaged in these rows")
    return replace(
        row,
        mean=mean,
        mean_ci_low=min(limits.low, mean),
        mean_ci_high=max(limits.high, mean),
        standard_deviation=deviation,
        independence=limits.independence,
    )


def _mean_limits(sums: FieldSums, mean: float, confidence: float) -> _Limits:
    n, weight = float(sums.n_finite.sum()), float(sums.finite.sum())
    row = float(sums.v2.sum()) / weight**2 * n / (n - 1)
    held = sums.n_finite > 0
    totals = sums.d1[held] / weight
    units, n_units = None, 0
    if sums.units is not None:
        n_units = sums.units.n
        units = float(unit_variance(sums.units.deviations / weight**2, n_units))
    chosen = largest_variance(row, units, _block(totals), len(totals), n_units)
    freedom = n - 1 if chosen.df is None else chosen.df
    return _Limits(*wald(mean, chosen.variance, confidence, freedom), chosen.independence)


def _missing_limits(sums: FieldSums, share: float, confidence: float) -> _Limits:
    weight, squared = float(sums.w.sum()), float(sums.w2.sum())
    gone = float(sums.missing2.sum())
    row = (gone * (1 - share) ** 2 + (squared - gone) * share**2) / weight**2
    held = sums.n > 0
    totals = (sums.missing[held] - share * sums.w[held]) / weight
    units, n_units = None, 0
    if sums.units is not None:
        one = sums.units
        n_units = one.n
        squares = one.missing - 2 * share * one.both + share**2 * one.rows
        units = float(unit_variance(max(squares, 0.0) / weight**2, n_units))
    chosen = largest_variance(row, units, _block(totals), len(totals), n_units)
    size = weight**2 / squared
    low, high = score_interval(share, chosen.variance, size, confidence, chosen.df)
    return _Limits(min(low, share), max(high, share), chosen.independence)


def _block(totals: Floats) -> float | None:
    return float(block_variance(totals)) if len(totals) > 1 else None


def bin_rows(place: Place, item: ReferenceBins, counts: BinCounts | None) -> list[GroupBinRow]:
    """Shares of every bin that can hold rows; None where the cell has none."""
    weight = 0.0 if counts is None else float(counts.weights.sum())
    bins = list(zip(item.names, item.limits, strict=True))
    if not item.is_numeric:
        # nothing is unseen on bins that the logs themselves fixed
        bins = bins[:-1]
    return [
        GroupBinRow(
            place.window.start, place.window.end, place.version, place.group, place.group_value, item.field.name,
            name, low, high, 0 if counts is None else counts.n,
            None if counts is None or weight <= 0 else float(counts.weights[index]) / weight,
        )
        for index, (name, (low, high)) in enumerate(bins)
    ]  # fmt: skip
