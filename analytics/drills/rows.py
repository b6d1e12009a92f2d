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
        limit_key: key of the rule that a suggested limit is for.
        threshold: the limit; of part ``limit`` the suggested one (of ``no_data`` in hours).
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
    limit_key: str | None = None
    threshold: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    wanted: float | None = None
    value_chosen: float | None = None
    n_chosen: int | None = None
    status: Status = "ok"
    reason: str | None = None
    sentence: str = ""


FaultOutcome = Literal["told", "silent", "already firing"]


@dataclass(frozen=True)
class DrillRow:
    """One rule in one run of a drill.

    Attributes:
        run: number of the run; 0 is the untouched replay.
        kind, severity, seed, feature, version, where: the fault; severity 0 of the untouched replay.
        start, end: of the fault; of the untouched replay the whole stretch.
        state: what became of the rule: ``told`` somebody, stayed ``silent``, or was ``already firing`` without the
            fault, so that nobody would have been told anew.
        pages: messages it sent within the stretch; of the untouched replay these are false alarms.
        told_at: the first of them that there is not without the fault.
        delay_hours: from the beginning of the fault.
        value, ci_low, ci_high, n, threshold: of the look that made it tell.
    """

    run: int
    kind: str
    severity: float
    seed: int
    feature: str | None
    version: str | None
    where: str
    start: datetime
    end: datetime
    alert: str
    state: FaultOutcome
    pages: int
    told_at: datetime | None
    delay_hours: float | None
    target_version: str | None
    segment: str | None
    segment_value: str | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    threshold: float | None
    status: Status
    reason: str | None
    sentence: str


@dataclass(frozen=True)
class DrillRun:
    """One run: a fault of one severity, planted once.

    Attributes:
        n_hit: predictions that are altered, lost, copied, or whose labels are.
        n_told: rules that told somebody.
        n_silent: rules that did not.
        first: the rule that told first.
        wrong_before: wrong decisions of the version in the fault's place until then (to the end of the fault where
            nobody was told), by the true labels.
        wrong_without: decisions of the same requests that were wrong without the fault.
        explained: share of the variance of scores that the stand-in for the model explains.
    """

    run: int
    kind: str
    severity: float
    seed: int
    feature: str | None
    where: str
    start: datetime
    end: datetime
    n_hit: int
    n_told: int
    n_silent: int
    first: str | None
    told_at: datetime | None
    delay_hours: float | None
    wrong_before: int | None
    wrong_without: int | None
    n_before: int | None
    version: str | None
    explained: float | None
    notes: tuple[str, ...]
    status: Status
    reason: str | None


@dataclass(frozen=True)
class SeverityRow:
    """All runs of one severity.

    Attributes:
        runs: how many.
        told: how many of them were told by any rule; the interval is of the share of such faults that are.
        delay_hours: the median of those that were told, with the shortest and the longest.
        rules: the most rules that told in a run.
        extra_wrong: wrong decisions until somebody was told beyond those without the fault: the mean of the runs.
    """

    kind: str
    severity: float
    runs: int
    told: int
    share: float | None
    ci_low: float | None
    ci_high: float | None
    delay_hours: float | None
    delay_shortest: float | None
    delay_longest: float | None
    rules: int
    first: str | None
    n_hit: float
    extra_wrong: float | None
    status: Status
    reason: str | None


ChaosPart = Literal["hypothesis", "radius", "recovery"]
ChaosOutcome = Literal["confirmed", "refuted", "unclear"]


@dataclass(frozen=True)
class ChaosRow:
    """One number of one real, declared fault, as an experiment.

    Attributes:
        chaos: name of the window.
        part: ``hypothesis``: the declared expectation against what came; ``radius``: one metric of one target within
            the window; ``recovery``: how long after its end the metric was what it usually is.
        inside: whether the target lies in the window's ``where``; None where the window names no place.
        value: of the window.
        usual: the mean of the same hours before, `windows` of them.
        difference: value less usual, with the interval of a new window against those; of ``recovery`` hours, and the
            earliest and latest they may be.
        harm: the same difference in the direction that is worse; None where neither is.
        p_adjusted: Benjamini-Hochberg over all metrics and targets of one window.
        moved: whether it differs, corrected.
        outcome: of a hypothesis.
        censored: of ``recovery``: not over when the logs, or the watch, ended; ``ci_high`` is None.
    """

    chaos: str
    part: ChaosPart
    start: datetime
    end: datetime
    metric: str
    version: str | None
    segment: str | None
    segment_value: str | None
    inside: bool | None
    value: float | None
    usual: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    harm: bool | None
    p_value: float | None
    p_adjusted: float | None
    moved: bool | None
    windows: int
    n: int
    expect: str | None
    tolerance: float | None
    outcome: ChaosOutcome | None
    censored: bool | None
    status: Status
    reason: str | None
    sentence: str
