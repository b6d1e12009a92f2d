"""Numbers that other questions answer: the service, assertions, delays of labels, the product's own metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from analytics.aggregates.service_cells import PERCENTILES, read_service_cells
from analytics.alerts.asked import Asked, Found, parts, stretches
from analytics.alerts.numbers import Number
from analytics.ask.assertions import assertions_of
from analytics.ask.label_counts import labels_of
from analytics.ask.outcomes import outcomes_of
from analytics.service.load import Load, Measured, load_of
from analytics.telemetry.looked_rows import Look, looked_rows


def delay_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The median delay of labels in every window, in seconds."""
    found: Found = {}
    ends = asked.catalog.extent
    # each window is a question of its own: none is asked of the years since the log ended
    for look in (one for one in looks if ends is not None and one.start <= ends[1]):
        scope = replace(asked.scope, start=look.start, end=look.end, as_of=look.known_at)
        for row in labels_of(asked.catalog, scope):
            number = Number(
                row.delay_p50_seconds, row.delay_p50_ci_low, row.delay_p50_ci_high, row.n, row.n_labelled,
                "ok" if row.delay_p50_seconds is not None else "no_data" if not row.n else "too_few", row.reason,
            )  # fmt: skip
            found[look.end, asked.target(row.version)] = number
    return found


def outcome_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """A metric of the project in every window, as it was known at the look."""
    found: Found = {}
    catalog, name = asked.catalog, asked.rule.metric or ""
    source = catalog.project.source_of(catalog.project.metrics[name])
    # how a series scatters is learned from all that came before, and labels come late: such windows are asked one by
    # one, but for forecasts, which learn the scatter themselves
    exact = source == "series" and asked.rule.anomaly
    together = asked.grain is not None and (exact or source in {"events", "units"})
    if together and asked.grain is not None:
        last = max(look.known_at for look in looks)
        scopes = [
            replace(asked.scope, start=start, end=end, as_of=last, grain=asked.grain)
            for start, end in stretches(looks)
        ]
    else:
        scopes = [
            replace(
                asked.scope, start=look.start, end=look.end, as_of=look.known_at, grain=asked.grain or "all"
            )
            for look in looks
        ]
    for scope in scopes:
        for row in outcomes_of(catalog, scope, [name]):
            status = "ok" if row.status == "immature" else row.status
            number = Number(row.value, row.ci_low, row.ci_high, row.n, row.n, status, row.reason)
            if exact and row.value is not None:
                number = replace(number, ci_low=row.value, ci_high=row.value)
            found[row.window_end, asked.target(row.version, row.segment_value)] = number
    return found


def service_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """Load, errors or a latency percentile in every window, all windows in one scan."""
    found: Found = {}
    catalog, metric = asked.catalog, asked.rule.metric or ""
    for part in parts(looks):
        rows = looked_rows(catalog, asked.scope, part)
        by_key = {look.key: look for look in part}
        for key, cell in read_service_cells(catalog, rows, kinds=False).cells.items():
            look = by_key[key.window]
            if not cell.moments.count("requests"):
                continue
            if not metric.startswith("latency"):
                cell = replace(cell, latency=None)  # noqa: PLW2901
            load = load_of(cell, (look.end - look.start).total_seconds(), asked.rule.confidence)
            found[look.end, asked.target(key.version, key.segment)] = _of_load(load, metric)
    return found


def _of_load(load: Load, metric: str) -> Number:
    match metric:
        case "request_rate":
            return _measured(load.rate, load.n, load.n)
        case "error_rate":
            return _measured(load.errors, load.n, load.n)
    place = [f"latency_p{round(100 * share)}" for share in PERCENTILES].index(metric)
    return _measured(load.latencies[place], load.n, load.n_timed)


def _measured(one: Measured, n: int, used: int) -> Number:
    """A number; an end of its interval that so few rows cannot know lies infinitely far."""
    if one.value is None:
        return Number(None, None, None, n, used, "undefined", "not logged, or of no row")
    low = -math.inf if one.low is None else one.low
    return Number(one.value, low, math.inf if one.high is None else one.high, n, used)


def assertion_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The share of rows (or groups) that break an assertion in every window."""
    found: Found = {}
    catalog, grain = asked.catalog, asked.grain
    assertion = catalog.project.assertions[asked.rule.metric or ""]
    late = assertion.source == "labels" or (
        assertion.source == "predictions" and catalog.predictions.received is not None
    )
    if grain is not None and not late:
        scopes = [replace(asked.scope, start=a, end=b, grain=grain) for a, b in stretches(looks)]
    else:
        scopes = [replace(asked.scope, start=one.start, end=one.end, as_of=one.known_at) for one in looks]
    for scope in scopes:
        for row in assertions_of(catalog, scope, [asked.rule.metric or ""]):
            number = Number(row.value, row.ci_low, row.ci_high, row.n, row.n, row.status, row.reason)
            found[row.window_end, asked.target(row.version, row.segment_value)] = number
    return found
