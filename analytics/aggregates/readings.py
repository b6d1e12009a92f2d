"""What is read for an experiment: which metrics, over which units, in which stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.engines.text import Sql, all_of
from analytics.project import Metric, MetricSource

TIMED: tuple[MetricSource, ...] = ("events", "predictions")
SOURCES: tuple[MetricSource, ...] = (*TIMED, "units")


@dataclass(frozen=True)
class Wanted:
    """One metric to be read.

    Attributes:
        name: in the project file.
        metric: as declared.
        source: of its rows.
        lookback: of the covariate, before each unit's first exposure; None without.
    """

    name: str
    metric: Metric
    source: MetricSource
    lookback: timedelta | None = None

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
        return self.of_units or self.looked_back

    @property
    def of_units(self) -> tuple[str, ...]:
        """The columns of covariates from the table of units: ``covariate``, then ``covariate_2`` and so on."""
        return tuple(
            "covariate" if not i else f"covariate_{i + 1}" for i in range(len(self.metric.covariate))
        )

    @property
    def looked_back(self) -> tuple[str, ...]:
        """The columns of a covariate that is summed from before each unit's first exposure."""
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
    """

    name: str
    variants: tuple[str, ...]
    metrics: tuple[Wanted, ...]
    start: datetime | None = None
    end: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None

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
