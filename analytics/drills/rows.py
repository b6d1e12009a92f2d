"""Result rows of drills, of backtests and of faults that were real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.project import Severity
from analytics.results import Status

BacktestPart = Literal["whole", "firing", "incident", "limit"]


@dataclass(frozen=True)
class BacktestRow:
    """What one rule would have done over the past, as a whole or in part.

    Attributes:
        part: ``whole``: pages a month over the stretch; ``firing``: one time it fired; ``incident``: a declared one and
            whether it was noticed; ``limit``: the limit that sends a wanted number of pages, chosen on the first part
            of the stretch and shown on the second.
        start, end: the stretch; of a firing from the first window of its condition to the look that ended it.
        fired_at: when it told; of an incident when it was first told.
        delay_hours: from the beginning of the incident.
        false_alarm: whether a firing belongs to no declared incident; None where none is declared.
        incident: name of the declared one.
        value: pages a month, with the exact interval of a count; of a firing the number that was looked at.
        n: pages; of a firing the rows behind the number; of an incident the pages it brought.
        n_false: pages that belong to no declared incident.
        n_looks, n_undecided: windows looked at, and those of them that could not be judged.
        share_of_time: the time in which it fired.
        threshold: the limit; of part ``limit`` the suggested one.
        limit_low, limit_high: limits that would be suggested if the first part had brought as few, or as many, pages
            as a stretch with the wanted rate may bring by chance.
        wanted: pages a month that were asked for.
        value_chosen, n_chosen: pages a month, and pages, on the part the limit was chosen on: too good to be true.
    """

    alert: str
    part: BacktestPart
    severity: Severity
    start: datetime
    end: datetime | None
    version: str | None = None
    segment: str | None = None
    segment_value: str | None = None
    fired_at: datetime | None = None
    delay_hours: float | None = None
    false_alarm: bool | None = None
    incident: str | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = 0
    n_false: int | None = None
    n_looks: int | None = None
    n_undecided: int | None = None
    share_of_time: float | None = None
    threshold: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    wanted: float | None = None
    value_chosen: float | None = None
    n_chosen: int | None = None
    status: Status = "ok"
    reason: str | None = None
    sentence: str = ""
