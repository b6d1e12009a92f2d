"""Every arm by itself, day by day: what the units first exposed on each local day came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analytics.aggregates.arms import MetricAggregates
from analytics.aggregates.observations import Observations
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.rows import ArmRow, Kind
from analytics.experiments.single_arms import arm_rows
from analytics.results import Status


@dataclass(frozen=True)
class ArmDayRow:
    """One metric in one arm, over the units first exposed on one day, or over all of them.

    Attributes:
        metric: its name.
        kind: of the metric.
        variant: the arm.
        is_control: whether it is the control.
        day: local day of first exposure; None for all days together.
        n: units that enter.
        mean: mean, share, ratio or quantile of the units, unadjusted.
        ci_low, ci_high: its interval, for this number alone (t for means and ratios, Wilson for shares).
        standard_deviation: of the units' values; for a ratio of its linearised values.
        status, reason: as everywhere; a day on which the arm got nobody is ``no_data``.
    """

    metric: str
    kind: Kind
    variant: str
    is_control: bool
    day: date | None
    n: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    standard_deviation: float | None
    status: Status
    reason: str | None


def arm_day_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[ArmDayRow]:
    """Every arm over all days, then on each day from the first to the last; no days where exposures carry no time.

    A metric with a window counts for each unit from its own first exposure on, so a day's value does not depend on how
    long ago it was, but for units whose window is still open.
    """
    yield from (_row(row, None) for row in arm_rows(design, metric, found, confidence))
    known = found.moments.known_days
    if not known:
        return
    for day in np.arange(np.datetime64(known[0]), np.datetime64(known[-1]) + 1):
        here = _on(found, day)
        yield from (_row(row, day.astype(object)) for row in arm_rows(design, metric, here, confidence))


def _on(found: MetricAggregates, day: np.datetime64) -> MetricAggregates:
    """The units first exposed on one day."""
    moments = found.moments.only(found.moments.days == day)
    # whose window is open, or whose value is missing, is known of an arm and not of its days
    return replace(
        found,
        moments=replace(moments, missing={}),
        observations=_observed(found.observations, day),
        open_windows={},
    )


def _observed(values: Observations | None, day: np.datetime64) -> Observations | None:
    if values is None:
        return None
    chosen = values.days == day
    groups = None if values.groups is None else values.groups[chosen]
    return replace(
        values, variants=values.variants[chosen], values=values.values[chosen], groups=groups,
        days=values.days[chosen], n_units={},
    )  # fmt: skip


def _row(row: ArmRow, day: date | None) -> ArmDayRow:
    return ArmDayRow(
        row.metric, row.kind, row.variant, row.is_control, day, row.n, row.mean, row.ci_low, row.ci_high,
        row.standard_deviation, row.status, row.reason,
    )  # fmt: skip
