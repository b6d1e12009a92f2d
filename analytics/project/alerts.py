"""The tables of a project file that say when somebody is to be told: alerts, objectives, assertions, chaos windows."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from analytics.project.base import Duration, Moment, Name, Names, Number, Section

Severity = Literal["page", "ticket"]
Suggestion = Literal["retrain", "roll_back"]
ObjectiveKind = Literal["availability", "latency", "right_decision"]
AssertionSource = Literal["predictions", "labels", "events", "units"]
Expected = Literal["unharmed", "harmed"]

_Count = Annotated[int, Field(strict=True, ge=1)]
_Flag = Annotated[bool, Field(strict=True)]
_Level = Annotated[Number, Field(gt=0.5, lt=1)]
CONDITIONS = (
    "below", "above", "worse_than_reference_by", "changed_from_previous", "changed_from_last_week", "anomaly",
    "no_data", "labels_stopped", "burn",
)  # fmt: skip
"""What a rule may look for; ``below`` and ``above`` go together, the others stand alone."""
WITHOUT_METRIC = ("no_data", "labels_stopped", "burn")
LONGEST_WINDOW = timedelta(days=366)
SHORTEST_WINDOW = timedelta(minutes=1)
SHORTEST_SEASONAL = timedelta(minutes=5)


class Alert(Section):
    """A rule: which number, how it is cut, and when somebody is told.

    Attributes:
        metric: of quality, drift, service, labels, [metrics], or the name of an assertion.
        feature: whose drift, where the metric is one of drift.
        class_: of a one-vs-rest metric.
        version: only these; every version that is live where left out.
        where: only rows of these segment values, as on the command line.
        by: a target for every value of this segment (one segment).
        window: how long a stretch of time is looked at.
        every: how often; windows end at whole multiples of it in the project's zone. As long as the window where left
            out, so that windows do not overlap.
        below, above: limits of the number itself.
        worse_than_reference_by: how much worse than in the reference, in the metric's unit.
        changed_from_previous, changed_from_last_week: against the window before, or the same window a week earlier.
        anomaly: outside what the season makes likely.
        no_data: no prediction for this long.
        labels_stopped: the feed of labels says nothing longer than it ever did.
        burn: the objective whose budget burns.
        tolerance: how much change is tolerated by ``changed_*`` and ``anomaly``, in the metric's unit.
        confidence: of the interval that has to lie wholly beyond the limit.
        minimum: rows under which nothing is decided.
        for_: looks in a row that must be beyond before it fires.
        recover_for: looks in a row that must be within before it is over.
        suggest: what to do about it, told with the alert.
    """

    metric: Name | None = None
    feature: Name | None = None
    class_: Annotated[Name | None, Field(alias="class")] = None
    version: Names = ()
    where: Names = ()
    by: Names = ()
    window: Duration = timedelta(days=1)
    every: Duration | None = None
    below: Number | None = None
    above: Number | None = None
    worse_than_reference_by: Annotated[Number, Field(ge=0)] | None = None
    changed_from_previous: _Flag = False
    changed_from_last_week: _Flag = False
    anomaly: _Flag = False
    no_data: Duration | None = None
    labels_stopped: _Flag = False
    burn: Name | None = None
    tolerance: Annotated[Number, Field(ge=0)] = 0.0
    confidence: _Level = 0.95
    minimum: _Count = 1
    for_: Annotated[_Count, Field(alias="for", le=100)] = 1
    recover_for: Annotated[_Count, Field(le=100)] = 1
    severity: Severity = "page"
    suggest: Suggestion | None = None
    note: str | None = None
    runbook: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        said = self.conditions
        if not said:
            raise ValueError(f"metric: says no condition; one of: {', '.join(CONDITIONS)}")
        if len(said) > 1 and set(said) != {"below", "above"}:
            raise ValueError(f"{said[1]}: one rule has one condition; {said[0]} is another one")
        if self.below is not None and self.above is not None and self.below >= self.above:
            raise ValueError("below: must be less than above; a number between them is fine")
        if said[0] in WITHOUT_METRIC and self.metric is not None:
            raise ValueError(f"metric: {said[0]} looks at no metric; leave it out")
        if said[0] not in WITHOUT_METRIC and self.metric is None:
            raise ValueError(f"metric: {said[0]} needs to know which metric")
        return self

    @model_validator(mode="after")
    def _times_make_sense(self) -> Self:
        if len(self.by) > 1:
            raise ValueError("by: one segment; write a rule for each")
        for name, length in (("window", self.window), ("every", self.cadence)):
            if not SHORTEST_WINDOW <= length <= LONGEST_WINDOW:
                raise ValueError(f"{name}: must be from 1 minute to 366 days")
        if self.cadence > self.window:
            raise ValueError("every: must not be longer than the window, else stretches are never looked at")
        if self.anomaly and self.window < SHORTEST_SEASONAL:
            raise ValueError(
                "window: anomaly compares with the same time of other weeks; 5 minutes or longer"
            )
        return self

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that are said, in the order of `CONDITIONS`."""
        return tuple(
            name for name in CONDITIONS if (said := getattr(self, name)) is not None and said is not False
        )

    @property
    def cadence(self) -> timedelta:
        """How often the rule is looked at."""
        return self.window if self.every is None else self.every


class Objective(Section):
    """What share of requests is to be good, over which period.

    Attributes:
        good: one SQL condition over one row of the predictions; or a ``kind``.
        kind: answered (``ok_status``), fast enough (``below`` milliseconds), or decided right.
        share: of requests that is to be good.
        period: over which the budget is counted.
        minimum_events: bad ones under which no burn rate is judged.
    """

    good: Name | None = None
    kind: ObjectiveKind | None = None
    below: Annotated[Number, Field(gt=0)] | None = None
    share: Annotated[Number, Field(gt=0, lt=1)]
    period: Duration = timedelta(days=30)
    minimum_events: _Count = 10
    means: str | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if (self.good is None) == (self.kind is None):
            raise ValueError("good: give either good (a condition) or kind")
        if (self.kind == "latency") != (self.below is not None):
            raise ValueError('below: goes with kind = "latency", and kind = "latency" with it')
        return self


class Assertion(Section):
    """One SQL condition that must hold: over one row, over consecutive rows of a unit, or over groups.

    Attributes:
        expect: the condition; ``previous.COLUMN`` is the row before of the same unit.
        within: the columns that make a group; then ``expect`` is over a group's rows.
        source: whose rows.
    """

    expect: Name
    within: Names = ()
    source: AssertionSource = "predictions"
    means: str | None = None


class Chaos(Section):
    """A fault that was real and meant: a window in which something was broken on purpose.

    Attributes:
        where: only these segment values were touched.
        fault: what was done.
        hypothesis: what was expected, in words; ``metric`` and ``expect`` say it so that it can be checked.
    """

    name: Name
    start: Moment
    end: Moment
    where: Names = ()
    fault: str | None = None
    hypothesis: str | None = None
    metric: Name | None = None
    expect: Expected = "unharmed"
    tolerance: Annotated[Number, Field(ge=0)] = 0.0
