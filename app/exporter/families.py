"""The names, and results as samples of them; the Grafana dashboard uses these names and no others.

A number without a value (too few rows, no data) has no sample: a gap says so. A project brings at most `MOST_SERIES`
samples, whatever its logs hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from analytics.alerts.rows import AlertRow
from analytics.drift.rows import DriftRow
from analytics.labels.rows import LabelRow
from analytics.outcomes.rows import OutcomeRow
from analytics.quality.rows import MetricRow
from analytics.service.assertions import AssertionRow
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import METRICS, ServiceRow

MOST_SERIES = 5_000
MOST_LETTERS = 120
"""Of a label's value; a longer one is cut."""
STATES = ("ok", "pending", "firing", "recovering", "no_data", "silenced")

_ENDS = {"": "", "_ci_low": ", lower end of its interval", "_ci_high": ", upper end of its interval"}
_NUMBERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "assay_quality": ("a metric of quality", ("project", "version", "metric", "class", "window")),
    "assay_service": (
        "requests a second, share of failed requests, latency percentiles as logged",
        ("project", "version", "metric", "window"),
    ),
    "assay_drift": (
        "total variation of a feature, the score, the decision or the label against the reference",
        ("project", "version", "feature", "role", "window"),
    ),
    "assay_outcome": ("a metric of the product", ("project", "metric", "version", "window")),
    "assay_label_coverage": ("share of predictions with a label", ("project", "version", "window")),
    "assay_objective_good_share": ("share of good requests", ("project", "objective", "version")),
    "assay_objective_budget_left": (
        "share of the error budget that is left",
        ("project", "objective", "version"),
    ),
    "assay_objective_burn_rate": (
        "how many times faster than allowed the budget is used",
        ("project", "objective", "version", "pair"),
    ),
    "assay_assertion_broken_share": (
        "share of rows that break an assertion",
        ("project", "assertion", "version", "window"),
    ),
}
_OTHERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "assay_quality_labelled_rows": ("labelled rows behind quality", ("project", "version", "window")),
    "assay_quality_immature": ("1 while labels of the window still arrive", ("project", "version", "window")),
    "assay_requests": ("requests in the window", ("project", "version", "window")),
    "assay_drift_detected": ("1 where drift was found", ("project", "version", "feature", "role", "window")),
    "assay_drift_tolerance": ("drift that is tolerated", ("project", "version", "feature", "role", "window")),
    "assay_objective_target": (
        "share of good requests that is promised",
        ("project", "objective", "version"),
    ),
    "assay_objective_burn_limit": (
        "burn rate that both windows must exceed",
        ("project", "objective", "version", "pair"),
    ),
    "assay_objective_burning": ("1 where both windows burn", ("project", "objective", "version", "pair")),
    "assay_assertion_broken_rows": (
        "rows that break an assertion",
        ("project", "assertion", "version", "window"),
    ),
    "assay_alert_state": (
        "1 for the state an alert is in, 0 for the others",
        ("project", "alert", "version", "segment", "segment_value", "severity", "state"),
    ),
    "assay_alert_value": (
        "the number an alert looks at",
        ("project", "alert", "version", "segment", "segment_value", "severity"),
    ),
    "assay_alert_threshold": (
        "the limit an alert looks for",
        ("project", "alert", "version", "segment", "segment_value", "severity"),
    ),
    "assay_freshness_seconds": ("seconds since the newest row", ("project", "feed")),
    "assay_project_up": ("1 where everything could be computed", ("project",)),
    "assay_series_left_out": ("samples beyond the most that a project may bring", ("project",)),
    "assay_computed_timestamp_seconds": ("when the numbers were computed", ()),
    "assay_computing_seconds": ("how long that took", ()),
}
NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{
        f"{name}{end}": (f"{text}{said}", labels)
        for name, (text, labels) in _NUMBERS.items()
        for end, said in _ENDS.items()
    },
    **_OTHERS,
}
"""Name -> what it is and its labels."""


@dataclass(frozen=True)
class Sample:
    """One number: its name, labels in the order of `NAMES`, and value."""

    name: str
    labels: tuple[str, ...]
    value: float


def _number(name: str, labels: tuple[object, ...], ends: Sequence[float | None]) -> list[Sample]:
    """A value with both ends of its interval, as far as they are known."""
    if ends[0] is None:
        return []
    shown = _shown(labels)
    return [
        Sample(f"{name}{end}", shown, float(value))
        for end, value in zip(_ENDS, ends, strict=True)
        if value is not None
    ]


def _one(name: str, labels: tuple[object, ...], value: float | None) -> list[Sample]:
    return [] if value is None else [Sample(name, _shown(labels), float(value))]


def _shown(labels: Iterable[object]) -> tuple[str, ...]:
    return tuple("" if label is None else str(label)[:MOST_LETTERS] for label in labels)


def _interval(row: Any) -> tuple[float | None, float | None, float | None]:
    return row.value, row.ci_low, row.ci_high


def quality(project: str, rows: Iterable[MetricRow], window: str) -> list[Sample]:
    """Every metric of every version; how many labelled rows; whether labels still arrive."""
    found: list[Sample] = []
    seen: dict[str | None, tuple[int, bool]] = {}
    for row in rows:
        found += _number(
            "assay_quality", (project, row.version, row.metric, row.class_, window), _interval(row)
        )
        _, before = seen.get(row.version, (0, False))
        seen[row.version] = row.n_labelled, before or row.status == "immature"
    for version, (n, immature) in seen.items():
        found += _one("assay_quality_labelled_rows", (project, version, window), n)
        found += _one("assay_quality_immature", (project, version, window), immature)
    return found


def service(project: str, rows: Iterable[ServiceRow], window: str) -> list[Sample]:
    """Load, errors and latency of every version; a version without a request counts 0 requests."""
    found: list[Sample] = []
    for row in rows:
        found += _one("assay_requests", (project, row.version, window), row.n)
        for metric in METRICS:
            ends = [getattr(row, f"{metric}{end}") for end in _ENDS]
            found += _number("assay_service", (project, row.version, metric, window), ends)
    return found


def drift(project: str, rows: Iterable[DriftRow], window: str) -> list[Sample]:
    """How far every feature moved, what is tolerated, and whether it counts as drift."""
    found: list[Sample] = []
    for row in rows:
        labels = (project, row.version, row.feature, row.role, window)
        found += _one("assay_drift", labels, row.total_variation)
        found += _one(
            "assay_drift_tolerance", labels, row.tolerance if row.total_variation is not None else None
        )
        found += _one("assay_drift_detected", labels, row.drifted)
    return found


def outcomes(project: str, rows: Iterable[OutcomeRow], window: str) -> list[Sample]:
    """Metrics of the product."""
    return [
        sample
        for row in rows
        for sample in _number("assay_outcome", (project, row.metric, row.version, window), _interval(row))
    ]


def labels(project: str, rows: Iterable[LabelRow], window: str) -> list[Sample]:
    """Coverage of labels."""
    return [
        sample
        for row in rows
        for sample in _one("assay_label_coverage", (project, row.version, window), row.coverage)
    ]


def objectives(project: str, rows: Iterable[ObjectiveRow]) -> list[Sample]:
    """Budgets and burn rates."""
    found: list[Sample] = []
    for row in rows:
        labels = (project, row.objective, row.version)
        if not row.n:
            continue
        if row.pair == "period":
            ends = (row.good_share, row.good_share_ci_low, row.good_share_ci_high)
            found += _number("assay_objective_good_share", labels, ends)
            left = (row.budget_left, row.budget_left_ci_low, row.budget_left_ci_high)
            found += _number("assay_objective_budget_left", labels, left)
            found += _one("assay_objective_target", labels, row.target)
            continue
        found += _number("assay_objective_burn_rate", (*labels, row.pair), _interval(row))
        found += _one("assay_objective_burn_limit", (*labels, row.pair), row.factor)
        burning = None if row.verdict is None else row.verdict == "breach"
        found += _one("assay_objective_burning", (*labels, row.pair), burning)
    return found


def assertions(project: str, rows: Iterable[AssertionRow], window: str) -> list[Sample]:
    """Rows that break what is always expected."""
    found: list[Sample] = []
    for row in rows:
        labels = (project, row.assertion, row.version, window)
        found += _number("assay_assertion_broken_share", labels, _interval(row))
        found += _one("assay_assertion_broken_rows", labels, row.n_broken if row.n else None)
    return found


def alerts(project: str, rows: Iterable[AlertRow]) -> list[Sample]:
    """The state of every alert, with what it looks at and its limit."""
    found: list[Sample] = []
    for row in rows:
        labels = (project, row.alert, row.version, row.segment, row.segment_value, row.severity)
        found += [
            Sample("assay_alert_state", _shown((*labels, state)), float(row.state == state))
            for state in STATES
        ]
        found += _one("assay_alert_value", labels, row.value)
        found += _one("assay_alert_threshold", labels, row.threshold)
    return found


def freshness(project: str, newest: dict[str, datetime | None], now: datetime) -> list[Sample]:
    """How old the newest row of each feed is; a row from a clock that goes ahead is as old as now."""
    return [
        Sample(
            "assay_freshness_seconds",
            _shown((project, feed)),
            max((now - moment) / timedelta(seconds=1), 0.0),
        )
        for feed, moment in newest.items()
        if moment is not None
    ]


def bounded(project: str, samples: Sequence[Sample]) -> list[Sample]:
    """At most `MOST_SERIES` of them, and how many were left out; of two alike the first."""
    once: dict[tuple[str, tuple[str, ...]], Sample] = {}
    for sample in samples:
        once.setdefault((sample.name, sample.labels), sample)
    kept = list(once.values())
    left = max(len(kept) - MOST_SERIES, 0)
    return [*kept[:MOST_SERIES], Sample("assay_series_left_out", _shown((project,)), float(left))]


def as_metrics(samples: Iterable[Sample]) -> list[Metric]:
    """Samples as the client library writes them: one family a name, in the order of `NAMES`."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    found: list[Metric] = []
    for name, (text, labels) in NAMES.items():
        if name not in by_name:
            continue
        family = GaugeMetricFamily(name, f"{text[:1].upper()}{text[1:]}.", labels=labels)
        for sample in by_name[name]:
            family.add_metric(sample.labels, sample.value)
        found.append(family)
    return found
