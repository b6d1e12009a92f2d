"""Result rows of the alerts family; the fields of `AlertRow` are the contract's and more.

A rule looks at targets (a version, a segment value) at instants; every look is a `Reading`. The states of a target
follow from its readings alone (`analytics.alerts.states`), so whoever asks for the same instant gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.project import Severity, Suggestion

Seen = Literal["breach", "fine", "unsure", "waiting", "no_data"]
"""What one look says: the whole interval beyond the limit, the whole interval within, astride of it, labels still to
come, or nothing there. Only ``breach`` and ``fine`` move a state; a missing value obeys the pending period too."""
State = Literal["ok", "pending", "firing", "recovering", "no_data", "silenced"]


@dataclass(frozen=True)
class Target:
    """What of a rule is looked at: one version and one segment value, or the whole."""

    version: str | None = None
    segment: str | None = None
    segment_value: str | None = None


@dataclass(frozen=True)
class Reading:
    """One look of one rule at one target.

    Attributes:
        alert: name of the rule.
        looked_at: when; what was logged later is not known to it.
        window_start, window_end: the stretch of time, its end excluded.
        metric: whose number it is, in words of the contract; of a rule without a metric what it watches.
        value, ci_low, ci_high, n: the number with its interval, or of a difference where the rule compares.
        threshold: the limit that was not to be passed; None where there is none (no data).
        baseline: what it was compared with; None for a fixed limit.
        seen: what follows.
        reason: why, where it is not ``fine`` or ``breach``.
        sentence: what is the case, for a person.
        difference, difference_ci_low, difference_ci_high: the number minus the baseline (of a mean error how much
            farther from 0); what a rule that compares decides by.
    """

    alert: str
    looked_at: datetime
    window_start: datetime
    window_end: datetime
    target: Target
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    threshold: float | None
    baseline: float | None
    seen: Seen
    reason: str | None
    sentence: str
    difference: float | None = None
    difference_ci_low: float | None = None
    difference_ci_high: float | None = None


@dataclass(frozen=True)
class Transition:
    """A target of a rule going from one state to another.

    Attributes:
        at: the look that did it.
        since: when the condition began: the start of the first window of the run.
    """

    alert: str
    target: Target
    at: datetime
    before: State
    state: State
    since: datetime
    reading: Reading


@dataclass(frozen=True)
class AlertRow:
    """One target of one rule as it stands.

    Attributes:
        state: see `State`; ``silenced`` where it would fire and somebody has silenced it.
        since: when this state's condition began; of ``ok`` the end of the last incident, None where there was none.
        looked_at: the instant of the last look.
        evidence: path and words of the page that shows it, relative to the app's address.
        incident: number of the incident it belongs to; None where it is not in one.
        flaps: how many times it began to fire within the flapping span.
        difference, difference_ci_low, difference_ci_high: what a rule that compares decided by.
        acknowledged_by, silenced_until: what people said, from the store.
    """

    alert: str
    state: State
    severity: Severity
    metric: str
    feature: str | None
    version: str | None
    segment: str | None
    segment_value: str | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    threshold: float | None
    baseline: float | None
    since: datetime | None
    looked_at: datetime
    window_start: datetime | None
    window_end: datetime | None
    evidence: str
    incident: int | None
    flaps: int
    suggest: Suggestion | None
    sentence: str
    reason: str | None
    note: str | None = None
    runbook: str | None = None
    difference: float | None = None
    difference_ci_low: float | None = None
    difference_ci_high: float | None = None
    acknowledged_by: str | None = None
    silenced_until: datetime | None = None


@dataclass(frozen=True)
class IncidentRow:
    """Alerts that fire together, told once.

    Attributes:
        incident: its number among those there are now, the most urgent first.
        key: the same for as long as the incident goes on, whoever asks: part of what is sent only once.
        severity: ``page`` where any of its alerts is.
        since: the earliest beginning of its alerts.
        alerts: the names of its rules, the likeliest cause first.
        n_targets: how many alerts (rule and target) are in it.
        cause: the likeliest common cause as a sentence; None where none is claimed.
        action: what to do about it: wait, roll_back, retrain, relabel, fix_upstream, look.
    """

    incident: int
    key: str
    severity: Severity
    state: State
    since: datetime
    alerts: tuple[str, ...]
    n_targets: int
    version: str | None
    segment: str | None
    segment_value: str | None
    window_start: datetime
    window_end: datetime
    sentence: str
    cause: str | None
    action: str
    evidence: str
