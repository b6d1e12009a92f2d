"""Result rows of the service family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.results import Status
from analytics.stats.blocks import Independence


@dataclass(frozen=True)
class ServiceRow:
    """Load, errors and latency of one window, version and segment value.

    A limit of an interval that so few rows cannot know is null, and ``reason`` says so.

    Attributes:
        n: requests (rows whose sampling weight can be used).
        request_rate: requests a second, sampling weights counted; of a window that is not over yet, of what has passed.
        n_failed: requests with another status than ``ok_status``.
        error_rate: share of failed requests; null where no ``ok_status`` is declared.
        n_timed: requests with a latency.
        latency_p50, latency_p95, latency_p99: the latency that so many percent of them do not exceed.
        independence: what the interval of the error rate took as independent.
        latency_independence: and that of the 95th percentile.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    n: int
    request_rate: float | None
    request_rate_ci_low: float | None
    request_rate_ci_high: float | None
    n_failed: int
    error_rate: float | None
    error_rate_ci_low: float | None
    error_rate_ci_high: float | None
    n_timed: int
    latency_p50: float | None
    latency_p50_ci_low: float | None
    latency_p50_ci_high: float | None
    latency_p95: float | None
    latency_p95_ci_low: float | None
    latency_p95_ci_high: float | None
    latency_p99: float | None
    latency_p99_ci_low: float | None
    latency_p99_ci_high: float | None
    independence: Independence | None
    latency_independence: Independence | None
    status: Status
    reason: str | None


METRICS = ("request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99")
"""The contract's words for metrics of the service; fields of `ServiceRow`."""


@dataclass(frozen=True)
class ErrorRow:
    """One kind of failure in one window, version and segment value.

    Attributes:
        kind: the logged status; ``(other)`` for all but the most frequent.
        n: requests.
        n_failed: of this kind.
        value: share of all requests.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    kind: str
    n: int
    n_failed: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class TailRow:
    """One unit among the slowest requests of one window and version.

    Attributes:
        slower_than: the latency that one request in a hundred exceeds.
        rank: 1 for the unit with most slow requests.
        unit: whose; ``(private)`` where units are private.
        n: its requests.
        n_slow: of these, slower than that.
        slow_share: share of its own requests, with its interval; those of one minute are not independent.
        share_of_slow: its share of all slow requests.
        n_units: units with any request.
        n_units_slow: units with any slow request.
        n_all_slow: slow requests of all units.
        few_share: share of the slow minutes (of any unit) that the ten units with most of them carry.
        few_expected: what these ten would carry on average if slow minutes fell on minutes with requests at random.
        p_value: chance of so much, or more, if they did; null with too many units to draw for.
        carried: whether few units carry the tail: p under .05, and at least half as much again as expected.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    slower_than: float
    rank: int
    unit: str
    n: int
    n_slow: int
    slow_share: float
    ci_low: float
    ci_high: float
    share_of_slow: float
    n_units: int
    n_units_slow: int
    n_all_slow: int
    few_share: float
    few_expected: float | None
    p_value: float | None
    carried: bool | None
    status: Status
    reason: str | None
