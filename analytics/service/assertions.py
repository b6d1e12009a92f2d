"""Assertions: how many rows break what is always expected, with the interval of their share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from analytics.aggregates.assertion_rows import BrokenCell, Over
from analytics.results import Status
from analytics.stats.burn_rate import Outcomes, bad_share


@dataclass(frozen=True)
class AssertionRow:
    """One assertion in one window, version (of predictions) and segment value.

    Attributes:
        source: whose rows.
        over: what was checked: rows, consecutive rows of a unit, or groups.
        expect: the condition, as written.
        n: rows or groups of which it could be said.
        n_broken: that break it.
        n_unknown: of which nothing could be said, because something in the condition is missing.
        value: share broken, with its interval.
        first, last: instants of the first and the last broken row.
        independence: what the interval takes as independent.
    """

    window_start: datetime
    window_end: datetime
    assertion: str
    source: str
    over: Over
    expect: str
    version: str | None
    segment: str | None
    segment_value: str | None
    n: int
    n_broken: int
    n_unknown: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    first: datetime | None
    last: datetime | None
    independence: Literal["rows", "blocks"] | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class BrokenExampleRow:
    """A row that breaks an assertion; of a group, its first row.

    Attributes:
        file, row: where it stands in the logs, rows counted from 0.
        columns: what the condition names (of a group, what makes it one).
    """

    assertion: str
    rank: int
    timestamp: datetime | None
    version: str | None
    unit: str | None
    file: str
    row: int
    columns: Mapping[str, Any]


@dataclass(frozen=True)
class Broken:
    """Share broken and its interval, or why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    independence: Literal["rows", "blocks"] | None = None
    status: Status = "no_data"
    reason: str | None = "no rows in this window"


def broken_share(cell: BrokenCell | None, over: Over, confidence: float) -> Broken:
    """The share of checked rows that break an assertion.

    >>> import numpy as np
    >>> found = broken_share(BrokenCell(200, 1, 0, None, None, np.array([[200.0, 1.0]])), "rows", 0.95)
    >>> found.value, round(found.low, 6), round(found.high, 4), found.independence
    (0.005, 0.000125, 0.0276, 'rows')
    """
    if cell is None or not cell.n + cell.n_unknown:
        return Broken()
    if not cell.n:
        what = "group" if over == "groups" else "row"
        return Broken(
            status="undefined",
            reason=f"of no {what} could anything be said: something in the condition is missing in all of them",
        )
    n, bad = float(cell.n), float(cell.n_broken)
    found = bad_share(Outcomes(n, bad, n, bad, bad, cell.n), confidence, cell.blocks)
    return Broken(found.share, *found.limits, "blocks" if found.by_block else "rows", "ok", None)
