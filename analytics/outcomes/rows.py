"""Result rows of metrics over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

Reached = Literal["met", "missed", "unclear"]
Independent = Literal["units", "clusters", "days", "windows"]


@dataclass(frozen=True)
class OutcomeRow:
    """One metric of one window, version (of predictions) and segment value.

    Attributes:
        source: what the metric is made of: events, predictions, units or series.
        value: of a metric per unit, the mean (or share, or quantile) over the units with any row in the window; of a
            ratio, sum over sum; of a series, the mean of its readings.
        n: units; of a series, readings.
        n_rows: rows of these units.
        n_left: rows without a usable value.
        target: from the project file.
        reached: whether the whole interval is on the good side of the target, on the bad one, or on both.
        independence: what the interval took as independent.
    """

    window_start: datetime
    window_end: datetime
    metric: str
    kind: str
    source: str
    direction: Literal["up", "down"]
    version: str | None
    segment: str | None
    segment_value: str | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_rows: int
    n_left: int
    target: float | None
    reached: Reached | None
    independence: Independent | None
    status: Status
    reason: str | None


def served(rows: Sequence[OutcomeRow]) -> tuple[OutcomeRow, ...]:
    """One row a window of one metric: of several versions the one that served most units."""
    best: dict[datetime, OutcomeRow] = {}
    for row in rows:
        known = best.get(row.window_start)
        if known is None or row.n > known.n:
            best[row.window_start] = row
    return tuple(best[start] for start in sorted(best))
