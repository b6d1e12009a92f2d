"""Numbers of drift with limits: a distance has a floor of noise, and what lies above it is what surely moved.

A distance (psi, total variation, …) is above 0 by chance alone, so its value says too much at small n. Its lower limit
here is the value less what chance gives at this size (the 95 % point where nothing drifts), its upper limit the value
itself: a rule with ``above`` fires when more than its limit moved beyond what chance explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from analytics.alerts.asked import Asked, Found, stretches
from analytics.alerts.numbers import Number
from analytics.ask.drift import drift_of
from analytics.drift.rows import DriftRow
from analytics.errors import ProjectError
from analytics.stats.intervals import wilson
from analytics.telemetry.looked_rows import Look

_HALF_NORMAL = 2.4563
"""The 95 % point of a distance that is the absolute value of one normal number, over its mean: no sum of several such
numbers has a larger ratio."""
_KOLMOGOROV = 1.3581
"""95 % point of the Kolmogorov-Smirnov statistic times the root of the harmonic size."""


def drift_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The rule's measure of drift in every window and version."""
    found: Found = {}
    for row in _rows(asked, looks):
        key = row[0].window_end, asked.target(row[0].version)
        found[key] = _number(asked, row)
    return found


def _rows(asked: Asked, looks: Sequence[Look]) -> list[list[DriftRow]]:
    """The rows of every window and version: of the feature that is watched, or of all of them."""
    catalog, grain = asked.catalog, asked.grain
    scope = replace(asked.scope, by=None)
    late = catalog.predictions.received is not None or asked.rule.feature == "label"
    if grain is not None and not late:
        scopes = [replace(scope, start=start, end=end, grain=grain) for start, end in stretches(looks)]
    else:
        scopes = [replace(scope, start=one.start, end=one.end, as_of=one.known_at) for one in looks]
    found: dict[tuple[object, ...], list[DriftRow]] = {}
    # only the number of drifted fields needs p-values that are corrected over all of them
    only = asked.rule.feature if asked.rule.metric != "drifted" else None
    for one in scopes:
        for row in drift_of(catalog, one, only):
            if asked.rule.feature in {None, row.feature} and (asked.rule.feature or row.role != "label"):
                found.setdefault((row.window_start, row.window_end, row.version), []).append(row)
    if asked.rule.feature is not None and not found and looks:
        raise ProjectError(
            f'{catalog.project.file}: alerts.{asked.name}.feature: "{asked.rule.feature}" is not watched; a feature, '
            "score, decision or label is"
        )
    return list(found.values())


def _number(asked: Asked, rows: Sequence[DriftRow]) -> Number:
    metric = asked.rule.metric or ""
    n = max(row.n for row in rows)
    known = [row for row in rows if row.status == "ok"]
    if not known:
        first = rows[0]
        status = "no_data" if n == 0 else first.status
        return Number(None, None, None, n, n, status, first.reason or "no rows in this window")
    if metric == "drifted":
        moved = [row for row in known if row.drifted]
        count = float(len(moved))
        said = ", ".join(
            row.feature for row in sorted(moved, key=lambda row: -(row.total_variation or 0.0))[:5]
        )
        return Number(count, count, count, n, n, reason=said or None)
    numbers = [(row, measured(row, metric)) for row in known]
    worst, number = max(numbers, key=lambda item: (item[1].ci_low or -1.0, item[1].value or -1.0))
    return replace(number, reason=worst.feature if asked.rule.feature is None else None)


def measured(row: DriftRow, metric: str) -> Number:
    """One measure of one field with its limits."""
    if metric in {"missing_rate", "unseen_rate"}:
        share = row.missing_rate if metric == "missing_rate" else row.unseen_rate
        if share is None:
            return Number(
                None,
                None,
                None,
                row.n,
                row.n,
                "undefined",
                f"{row.feature} has no {metric.replace('_', ' ')}",
            )
        low, high = wilson(share, row.n_effective or float(row.n), 0.95)
        return Number(share, min(low, share), max(high, share), row.n, row.n)
    value: float | None = getattr(row, metric)
    floor = _floor(row, metric)
    if value is None or floor is None:
        return Number(None, None, None, row.n, row.n, "undefined", f"{row.feature} has no {metric}")
    return Number(value, max(value - floor, 0.0), value, row.n, row.n)


def _floor(row: DriftRow, metric: str) -> float | None:
    match metric:
        case "psi":
            return row.noise_floor
        case "js_distance":
            # near no drift psi is eight times the squared distance in nats
            return math.sqrt(row.noise_floor / 8 / math.log(2)) if row.noise_floor is not None else None
        case "total_variation":
            chance = row.total_variation_by_chance
            return _HALF_NORMAL * chance if chance is not None else None
        case "ks":
            size = row.n_effective or float(row.n)
            return (
                _KOLMOGOROV * math.sqrt(1 / size + 1 / row.n_reference) if size and row.n_reference else None
            )
    return None
