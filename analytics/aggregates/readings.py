"""What is read for an experiment: which metrics, over which units, in which stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from analytics.engines.text import Sql, all_of
from analytics.project import Metric, MetricSource, Project

TIMED: tuple[MetricSource, ...] = ("events", "predictions")
SOURCES: tuple[MetricSource, ...] = (*TIMED, "units")


@dataclass(frozen=True)
class SegmentColumn:
    """Where the value of a unit's segment is logged.

    Attributes:
        name: of the column, and of the segment.
        source: ``exposures`` (as of the first one) or ``units``.
        column: of the rows of that source.
    """

    name: str
    source: Literal["exposures", "units"]
    column: str


def segment_columns(project: Project) -> tuple[SegmentColumn, ...]:
    """The declared segments of an experiment's units; the stratum is one of them. Exposures go before units."""
    found: dict[str, SegmentColumn] = {}
    sources: tuple[Literal["exposures", "units"], ...] = ("exposures", "units")
    for source in sources:
        section = getattr(project, source)
        if section is None:
            continue
        if section.stratum is not None:
            found.setdefault(section.stratum, SegmentColumn(section.stratum, source, "stratum"))
        for i, name in enumerate(section.segments):
            found.setdefault(name, SegmentColumn(name, source, f"segment_{i}"))
    return tuple(found.values())


@dataclass(frozen=True)
class Wanted:
    """One metric to be read.

    Attributes:
        name: in the project file.
        metric: as declared.
        source: of its rows.
        lookback: of the covariate, before each unit's first exposure; None without.
        is_weighted: whether its rows stand for others that were not logged.
        only_compares: whether what is looked back to only tells if the arms were alike before, and adjusts nothing.
        reads_values: whether the values of single units are read, however many there are.
    """

    name: str
    metric: Metric
    source: MetricSource
    lookback: timedelta | None = None
    is_weighted: bool = False
    only_compares: bool = False
    reads_values: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its value."""
        return ("numerator", "denominator") if self.metric.kind == "ratio" else ("value",)

    @property
    def steps(self) -> tuple[str, ...]:
        """The columns of a funnel's steps; none for any other kind."""
        return tuple(f"step_{place}" for place in range(1, len(self.metric.steps) + 1))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns of its covariate; none without one."""
        return self.of_units or (() if self.only_compares else self.looked_back)

    @property
    def of_units(self) -> tuple[str, ...]:
        """The columns of covariates from the table of units: ``covariate``, then ``covariate_2`` and so on."""
        return tuple(
            "covariate" if not i else f"covariate_{i + 1}" for i in range(len(self.metric.covariate))
        )

    @property
    def looked_back(self) -> tuple[str, ...]:
        """The columns of a value that is summed from before each unit's first exposure."""
        if self.metric.covariate or self.lookback is None or self.source not in TIMED:
            return ()
        return tuple("covariate" if name == "value" else f"covariate_{name}" for name in self.columns)


@dataclass(frozen=True)
class Reading:
    """What is read: an experiment's units in a stretch of time, as known at an instant.

    Attributes:
        name: of the experiment.
        variants: its declared arms.
        metrics: in the order they are answered.
        start, end: of the experiment: exposures in ``[start, end)`` count; None where open.
        since, until: only units whose first exposure lies in ``[since, until)``; None where open.
        as_of: nothing later exists; None for everything.
        phases: starts of the phases of a ramp, ascending; a unit belongs to the last that began before its exposure.
        segmented: whether the moments are read by value of each segment besides.
        leaves_crossed_out: whether units seen in several arms count in none; otherwise in the one they saw first.
        leaves_open_out: whether units whose metric window has not closed yet do not enter.
        control: the arm that pairs are made with.
        crosses_segments: whether units without a declared stratum lie in strata of all their segments together.
    """

    name: str
    variants: tuple[str, ...]
    metrics: tuple[Wanted, ...]
    start: datetime | None = None
    end: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    phases: tuple[datetime, ...] = ()
    segmented: bool = False
    leaves_crossed_out: bool = False
    leaves_open_out: bool = False
    control: str | None = None
    crosses_segments: bool = False

    @property
    def of_counts(self) -> bool:
        """Whether nothing but one row an arm is read."""
        return any(wanted.source == "counts" for wanted in self.metrics)

    @property
    def closing(self) -> Sql:
        """Whether ``ts`` lies before the end."""
        if self.end is None:
            return Sql("TRUE")
        return Sql("ts < CAST($end AS TIMESTAMP WITH TIME ZONE)", {"end": self.end})

    @property
    def stretch(self) -> Sql:
        """Whether ``ts`` lies between start and end."""
        if self.start is None:
            return self.closing
        return all_of(
            [Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": self.start}), self.closing]
        )

    @property
    def asked(self) -> Sql:
        """Whether a unit first exposed at ``ts`` is asked about."""
        parts = []
        if self.since is not None:
            parts.append(Sql("ts >= CAST($since AS TIMESTAMP WITH TIME ZONE)", {"since": self.since}))
        if self.until is not None:
            parts.append(Sql("ts < CAST($until AS TIMESTAMP WITH TIME ZONE)", {"until": self.until}))
        return all_of(parts)

    @property
    def known(self) -> Sql:
        """Whether a row was there by then; of one without a time nobody can tell."""
        if self.as_of is None:
            return Sql("TRUE")
        return Sql("coalesce(ts <= CAST($as_of AS TIMESTAMP WITH TIME ZONE), TRUE)", {"as_of": self.as_of})
