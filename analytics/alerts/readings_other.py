"""Numbers that other questions answer window by window: delays of labels, the product's own metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analytics.alerts.asked import Asked, Found
from analytics.alerts.numbers import Number
from analytics.ask.label_counts import labels_of
from analytics.ask.outcomes import outcomes_of
from analytics.telemetry.looked_rows import Look


def delay_numbers(asked: Asked, looks: Sequence[Look]) -> Found:
    """The median delay of labels in every window, in seconds."""
    found: Found = {}
    for look in looks:
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
    for look in looks:
        scope = replace(
            asked.scope, start=look.start, end=look.end, as_of=look.known_at, grain=asked.grain or "all"
        )
        for row in outcomes_of(asked.catalog, scope, [asked.rule.metric or ""]):
            status = "ok" if row.status == "immature" else row.status
            number = Number(row.value, row.ci_low, row.ci_high, row.n, row.n, status, row.reason)
            found[look.end, asked.target(row.version, row.segment_value)] = number
    return found
