"""Questions about other methods of comparison: what each says of a metric, and which suit it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import get_args

from analytics.aggregates.arms import ExperimentAggregates
from analytics.aggregates.experiments import read_experiment
from analytics.ask.experiments import aggregates_of, design_of, reading_of, scorecard_of
from analytics.ask.kept import kept
from analytics.errors import ExperimentError
from analytics.experiments.choose import no_quantiles
from analytics.experiments.design import Design
from analytics.experiments.distribution import Distribution, distribution
from analytics.experiments.method_rows import (
    KindRow,
    MethodRow,
    kind_rows,
    method_rows,
    needs_values,
    other_rows,
)
from analytics.experiments.rows import ExperimentRow, Kind
from analytics.project import SHARES
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

NOT_CORRECTED = (
    "Comparisons by other methods ({methods}) are not part of the corrected family; badges and the verdict do not "
    "stand on them."
)


def others_of(
    catalog: Catalog, scope: Scope, name: str, methods: Iterable[str], confidence: float | None = None
) -> Results[ExperimentRow]:
    """What the usual comparisons are, and after them every metric of every arm by other methods.

    Raises:
        ExperimentError: there is no such method; with the nearest name.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    asked = tuple(dict.fromkeys(methods))
    reads_values = needs_values(asked)
    card = scorecard_of(catalog, scope, name, confidence)
    found = _with_values(catalog, scope, name, None) if reads_values else aggregates_of(catalog, scope, name)
    design = replace(design_of(catalog.project, name), methods=asked)
    rows = other_rows(design, found, card.confidence)
    notes = (card.decision.sentence, card.correction, *card.health.notes)
    if rows:
        notes = (*notes, NOT_CORRECTED.format(methods=", ".join(asked)))
    return Results((*card.records, *rows), card.zone, card.sql, notes)


def methods_of(
    catalog: Catalog, scope: Scope, name: str, metric: str | None = None, confidence: float | None = None
) -> Results[MethodRow]:
    """Every method that suits each metric of an experiment, for every arm; the default first.

    Args:
        catalog: the project's logs.
        scope: as of `scorecard_of`.
        name: of the experiment.
        metric: only this one.
        confidence: of the intervals; 1 - alpha as declared where None.

    Raises:
        ExperimentError: the experiment does not look at that metric.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    design = design_of(catalog.project, name)
    _known(design, name, metric)
    level = 1.0 - design.alpha if confidence is None else confidence
    read = _with_values(catalog, scope, name, metric)
    found = {one.name: one for one in read.metrics}
    rows = tuple(
        row
        for one in design.ordered_metrics
        if one.name in found
        for row in method_rows(design, one, found[one.name], level)
    )
    return Results(rows, catalog.project.zone, read.sql)


def distribution_of(
    catalog: Catalog, scope: Scope, name: str, metric: str | None = None, confidence: float | None = None
) -> Distribution:
    """How the values of one metric are distributed in every arm, and where arms differ.

    Args:
        catalog: the project's logs.
        scope: as of `scorecard_of`.
        name: of the experiment.
        metric: the first that is no share where None.
        confidence: of the intervals; 1 - alpha as declared where None.

    Raises:
        ExperimentError: the experiment does not look at that metric, or it is a share.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    design = design_of(catalog.project, name)
    _known(design, name, metric)
    of = [one for one in design.ordered_metrics if metric in {None, one.name} and one.kind not in SHARES]
    if not of or of[0].of_totals:
        raise ExperimentError(
            f'"{metric or name}" says yes or no of a unit: two numbers are all of its distribution'
        )
    chosen, level = of[0], 1.0 - design.alpha if confidence is None else confidence
    read = _with_values(catalog, scope, name, chosen.name)
    seen = read.metrics[0].observations
    if seen is None:
        raise ExperimentError(f'the values of "{chosen.name}" are not logged one by one')
    arms = (design.control, *design.variants)
    refused = no_quantiles(design, read.metrics[0])
    return replace(distribution((chosen.name, chosen.kind), seen, arms, level, refused), sql=read.sql)


def kinds_of(kind: str) -> tuple[KindRow, ...]:
    """The methods for a kind of metric, the default first.

    Raises:
        ExperimentError: there is no such kind.
    """
    kinds: tuple[Kind, ...] = get_args(Kind)
    for known in kinds:
        if known == kind:
            return kind_rows(known)
    raise ExperimentError(f'there is no kind of metric "{kind}"; known: {", ".join(kinds)}')


def _known(design: Design, name: str, metric: str | None) -> None:
    """Refuse a metric that the experiment does not look at, with the nearest name."""
    known = [one.name for one in design.ordered_metrics]
    if metric is not None and metric not in known:
        near = get_close_matches(metric, known, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"it looks at {', '.join(known)}"
        raise ExperimentError(f'"{name}" does not look at the metric "{metric}"; {hint}')


def _with_values(catalog: Catalog, scope: Scope, name: str, metric: str | None) -> ExperimentAggregates:
    """What is read of an experiment together with the values of single units; kept while the logs are open."""
    key = ("experiment values", name, metric, scope.start, scope.end, scope.as_of)
    return kept(catalog, key, ExperimentAggregates, lambda: _read_values(catalog, scope, name, metric))


def _read_values(catalog: Catalog, scope: Scope, name: str, metric: str | None) -> ExperimentAggregates:
    reading = reading_of(catalog, scope, name)
    wanted = tuple(
        replace(one, reads_values=True) for one in reading.metrics if metric is None or one.name == metric
    )
    return read_experiment(catalog, replace(reading, metrics=wanted))
