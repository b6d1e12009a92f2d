"""The project file as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Discriminator, Field, Tag

from analytics.errors import ProjectError
from analytics.project.aggregates import LOCAL_ENGINE, Aggregates, Engine
from analytics.project.alerts import Alert, Assertion, Chaos, Objective
from analytics.project.base import Moment, Name, Section, table_or
from analytics.project.experiments import (
    Counts,
    Events,
    Experiment,
    Exposures,
    Metric,
    MetricSource,
    Series,
    Units,
)
from analytics.project.logs import Costs, Drift, Labels, Predictions, Quality, Reference, Release, ReleaseLog

Named = Literal["experiments", "alerts", "objectives", "assertions"]
"""Sections with one table a name."""


class Project(Section):
    """One monitored model.

    Attributes:
        file: the project file.
        digest: of the file's bytes; part of every cache key.
        clock: what "now" means: the present, or, for logs that are finished, their last instant.
        engine: what builds stored aggregates, as the file says; the environment may say otherwise.
    """

    name: Name
    description: str = ""
    time_zone: str = "UTC"
    clock: Literal["wall", "logs"] = "wall"
    predictions: Predictions | None = None
    labels: Labels | None = None
    reference: Reference | None = None
    costs: Costs | None = None
    releases: Annotated[
        Annotated[tuple[Release, ...], Tag("list")] | Annotated[ReleaseLog, Tag("table")],
        Discriminator(table_or("list")),
    ] = ()
    drift: Drift = Drift()
    quality: Quality = Quality()
    exposures: Exposures | None = None
    events: Events | None = None
    units: Units | None = None
    counts: Counts | None = None
    series: Series | None = None
    metrics: dict[Name, Metric] = Field(default_factory=dict)
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    alerts: dict[Name, Alert] = Field(default_factory=dict)
    objectives: dict[Name, Objective] = Field(default_factory=dict)
    assertions: dict[Name, Assertion] = Field(default_factory=dict)
    chaos: tuple[Chaos, ...] = ()
    aggregates: Aggregates = Aggregates()
    engine: Engine = LOCAL_ENGINE
    file: Path
    digest: str

    @property
    def folder(self) -> Path:
        """The folder that paths in the file are relative to."""
        return self.file.parent

    @property
    def zone(self) -> ZoneInfo:
        """The project's time zone."""
        return ZoneInfo(self.time_zone)

    def instant(self, moment: Moment) -> datetime:
        """An instant in UTC; a day or a naive time is read in the project's zone."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC)

    def require_predictions(self) -> Predictions:
        """The predictions section, or an error that says it is missing."""
        if self.predictions is None:
            raise ProjectError(
                f"{self.file}: predictions: this needs a [predictions] section, and there is none"
            )
        return self.predictions

    def require_experiment(self, name: str) -> Experiment:
        """One declared experiment, or an error that names those there are."""
        self.declared("experiments", [name])
        return self.experiments[name]

    def declared(self, section: Named, names: Iterable[str] = ()) -> tuple[str, ...]:
        """The names that are asked for in a section with one table a name; all of them where none is asked for.

        Raises:
            ProjectError: nothing is declared there, or not this name; with the nearest.
        """
        known: Mapping[str, object] = getattr(self, section)
        if not known:
            raise ProjectError(
                f"{self.file}: {section}: this needs an [{section}.NAME] section, and there is none"
            )
        wanted = tuple(dict.fromkeys(names))
        for name in wanted:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(known)}"
                one = section.removesuffix("s")
                raise ProjectError(f'{self.file}: {section}: there is no {one} "{name}"; {hint}')
        return wanted or tuple(known)

    def source_of(self, metric: Metric) -> MetricSource:
        """What a metric's expression is evaluated over: as declared, else the first of the logs there are."""
        if metric.source is not None:
            return metric.source
        if metric.model is not None:
            return "predictions"
        if self.events is not None:
            return "events"
        if self.units is None and self.predictions is None and self.counts is not None:
            return "counts"
        return "units" if self.units is not None else "predictions"
