"""The value of a metric in one window, with an interval that takes units (clusters, days) as what is independent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analytics.aggregates.metric_memory import MetricCell
from analytics.outcomes.rows import Independent, Reached
from analytics.project import SHARES
from analytics.results import Status
from analytics.stats.blocks import MINIMUM_CLUSTERS, block_variance, unit_variance
from analytics.stats.intervals import effective_n, normal_quantile, wilson
from analytics.stats.means import t_interval
from analytics.stats.quantile_difference import at, quantile_of

LEAST_UNITS = 2


@dataclass(frozen=True)
class Outcome:
    """A value with its interval, or why there is none."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    independence: Independent | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class Asked:
    """What is asked of a cell.

    Attributes:
        kind: of the metric.
        confidence: of the interval.
        clustered: whether the groups are clusters of units.
        quantile: which one, of that kind.
        spread: squares per group over all windows together, for a window in which every unit has the same value.
    """

    kind: str
    confidence: float
    clustered: bool = False
    quantile: float | None = None
    spread: float | None = None


def nothing(status: Status, reason: str) -> Outcome:
    """No value, and why."""
    return Outcome(None, None, None, None, status, reason)


def outcome(cell: MetricCell | None, asked: Asked) -> Outcome:
    """Value and interval of one cell.

    >>> cell = MetricCell(n_units=100, n_rows=300, n_groups=100, numerator=50.0, denominator=100.0, squares=25.0)
    >>> found = outcome(cell, Asked("mean", 0.95))
    >>> found.value, round(found.ci_low, 3), round(found.ci_high, 3)
    (0.5, 0.4, 0.6)
    """
    if cell is None or cell.n_units == 0:
        return nothing("no_data", "no rows in this window")
    problem = _problem(cell, asked)
    if problem is not None:
        return problem
    if asked.quantile is not None:
        return _quantile(cell, asked, asked.quantile)
    value = cell.numerator / cell.denominator
    variance, df, independence = _variance(cell, value, asked)
    if asked.kind in SHARES:
        share = min(max(value, 0.0), 1.0)
        low, high = wilson(share, effective_n(share, variance, cell.n_groups), asked.confidence, df)
        return Outcome(share, min(low, share), max(high, share), independence, "ok", None)
    return _by_t(value, variance, (df, asked.confidence), independence)


def _by_t(value: float, variance: float, how: tuple[float, float], independence: Independent) -> Outcome:
    """A mean or ratio with its t interval at so many degrees of freedom and confidence."""
    if variance <= 0:
        return nothing(
            "undefined", f"all units have the same value ({value:g}), so nothing tells how sure it is"
        )
    low, high = t_interval(value, math.sqrt(variance), *how)
    if not (math.isfinite(low) and math.isfinite(high)):
        return nothing(
            "undefined", "units differ by less, or more, than can be squared: nothing tells how sure it is"
        )
    return Outcome(value, low, high, independence, "ok", None)


def _problem(cell: MetricCell, asked: Asked) -> Outcome | None:
    if cell.denominator == 0 or not math.isfinite(cell.numerator / cell.denominator):
        return nothing("undefined", "the denominator sums to 0 in this window")
    if cell.n_groups < LEAST_UNITS:
        group = "cluster" if asked.clustered else "unit"
        return nothing("too_few", f"one {group} only: nothing tells how {group}s differ")
    return None


def spread_of(cells: Iterable[MetricCell]) -> float | None:
    """Squares per group over all windows; None where no window has any."""
    squares, groups = 0.0, 0
    for cell in cells:
        squares += cell.squares
        groups += cell.n_groups
    return squares / groups if groups and squares > 0 else None


def reached(found: Outcome, target: float | None, direction: str) -> Reached | None:
    """Where the interval lies to the target.

    >>> reached(Outcome(0.5, 0.4, 0.6, "units", "ok", None), 0.7, "up")
    'missed'
    """
    if target is None or found.ci_low is None or found.ci_high is None:
        return None
    good, bad = (found.ci_low >= target, found.ci_high < target)
    if direction == "down":
        good, bad = (found.ci_high <= target, found.ci_low > target)
    return "met" if good else "missed" if bad else "unclear"


def _variance(cell: MetricCell, value: float, asked: Asked) -> tuple[float, float, Independent]:
    """The larger of the variances over groups and over days, with its degrees of freedom."""
    squares = cell.squares
    if squares <= 0 and asked.kind not in SHARES and asked.spread is not None:
        squares = asked.spread * cell.n_groups
    variance = float(unit_variance(squares, cell.n_groups)) / cell.denominator**2
    df, independence = float(cell.n_groups - 1), _groups(asked)
    if cell.blocks is not None and len(cell.blocks) >= MINIMUM_CLUSTERS:
        off = (cell.blocks[:, 0] - value * cell.blocks[:, 1]) / cell.denominator
        by_day = float(block_variance(off))
        if by_day > variance:
            return by_day, len(cell.blocks) - 1.0, "days"
    return variance, df, independence


def _groups(asked: Asked) -> Independent:
    return "clusters" if asked.clustered else "units"


def _quantile(cell: MetricCell, asked: Asked, share: float) -> Outcome:
    """An order statistic between two others: where the share of values below is surely too small, and too large."""
    if cell.values is None or not cell.values[0].size:
        return nothing("no_data", "no row of this window has a value")
    values, groups = cell.values
    found = quantile_of(values, share, groups)
    if found.groups < LEAST_UNITS:
        return nothing("too_few", "one unit only: nothing tells how units differ")
    reach = normal_quantile(asked.confidence, found.groups - 1.0) * found.share_error
    if not reach < min(share, 1 - share):  # nan too
        return nothing(
            "too_few", "too few units for this quantile: its interval would reach beyond the outermost one"
        )
    ordered = np.sort(values)
    low, high = at(ordered, share - reach), at(ordered, share + reach)
    if low == high:
        return nothing(
            "undefined",
            f"so many units have the same value ({found.value:g}) that nothing tells how sure it is",
        )
    return Outcome(found.value, low, high, _groups(asked), "ok", None)
