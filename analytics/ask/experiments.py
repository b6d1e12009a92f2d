"""Questions about experiments: what was declared, read and analysed."""

from __future__ import annotations

from dataclasses import replace

from analytics.aggregates.experiments import read_experiment
from analytics.aggregates.unit_sums import TIMED, Reading, Wanted
from analytics.durations import format_duration
from analytics.errors import ScopeError
from analytics.experiments.analyse import scorecard
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.rows import ExperimentRow, Role, Scorecard
from analytics.project import Experiment, Metric, Project
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

KEPT = 20
"""Scorecards kept with the open logs."""


def scorecard_of(catalog: Catalog, scope: Scope, name: str, confidence: float | None = None) -> Scorecard:
    """Everything about one experiment, from one reading of its logs.

    Args:
        catalog: the project's logs.
        scope: ``start`` and ``end`` narrow the experiment's own, ``as_of`` replays what was known then.
        name: of the experiment.
        confidence: of the intervals; 1 - alpha as declared where None.

    Raises:
        ProjectError: there is no such experiment, or its metrics mean nothing over the logs.
        TelemetryError: its logs cannot be read.
    """
    key = ("experiment", name, scope.start, scope.end, scope.as_of, confidence)
    if key not in catalog.answered:
        if len(catalog.answered) >= KEPT:
            catalog.answered.pop(next(iter(catalog.answered)), None)
        catalog.answered[key] = _analysed(catalog, scope, name, confidence)
    answer = catalog.answered[key]
    if not isinstance(answer, Scorecard):
        raise TypeError(f"{key} was answered with {type(answer).__name__}")
    return answer


def experiment_of(
    catalog: Catalog, scope: Scope, name: str, confidence: float | None = None
) -> Results[ExperimentRow]:
    """Every metric of every arm against the control, and the check of the split.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    card = scorecard_of(catalog, scope, name, confidence)
    return Results(
        card.rows, card.zone, card.sql, (card.decision.sentence, card.correction, *card.health.notes)
    )


def design_of(project: Project, name: str) -> Design:
    """What one experiment planned, as its analysis needs it."""
    experiment = project.require_experiment(name)
    metrics = tuple(
        _metric_design(project, experiment, metric, role)
        for metric, role in roles_of(project, experiment).items()
    )
    return Design(name, experiment.control, experiment.shares, experiment.alpha, metrics)


def roles_of(project: Project, experiment: Experiment) -> dict[str, Role]:
    """Metric -> what it is for; without any named, every declared metric is a primary one."""
    roles: dict[str, Role] = dict.fromkeys(experiment.primary, "primary")
    roles |= dict.fromkeys(experiment.guardrails, "guardrail")
    roles |= dict.fromkeys(experiment.secondary, "secondary")
    return roles or dict.fromkeys(project.metrics, "primary")


def _analysed(catalog: Catalog, scope: Scope, name: str, confidence: float | None) -> Scorecard:
    project = catalog.project
    experiment = project.require_experiment(name)
    start = project.instant(experiment.start) if experiment.start is not None else None
    end = project.instant(experiment.end) if experiment.end is not None else None
    start = max(filter(None, (start, scope.start)), default=None)
    end = min(filter(None, (end, scope.end)), default=None)
    if start is not None and end is not None and start >= end:
        raise ScopeError(f'the window asked for lies outside the experiment "{name}"')
    design = design_of(project, name)
    wanted = tuple(_wanted(project, experiment, metric.name) for metric in design.ordered_metrics)
    aggregates = read_experiment(catalog, Reading(name, experiment, wanted, start, end, scope.as_of))
    card = scorecard(design, aggregates, project.zone, confidence)
    return replace(card, sql=aggregates.sql)


def _wanted(project: Project, experiment: Experiment, name: str) -> Wanted:
    metric = project.metrics[name]
    source = project.source_of(metric)
    return Wanted(name, metric, source, experiment.covariate if source in TIMED else None)


def _metric_design(project: Project, experiment: Experiment, name: str, role: Role) -> MetricDesign:
    metric = project.metrics[name]
    guardrail = experiment.guardrails.get(name)
    return MetricDesign(
        name,
        metric.kind,
        metric.direction,
        role,
        _definition(project, experiment, metric),
        metric.means,
        metric.logged_as,
        guardrail.margin if guardrail is not None else None,
        guardrail.margin_absolute if guardrail is not None else None,
        has_covariate=bool(_wanted(project, experiment, name).covariates),
    )


def _definition(project: Project, experiment: Experiment, metric: Metric) -> str:
    source = project.source_of(metric)
    if metric.kind == "ratio":
        what = f"sum of {metric.numerator} / sum of {metric.denominator}"
    elif source == "units":
        what = f"{'share' if metric.kind == 'proportion' else 'mean'} of {metric.value}"
    elif metric.kind == "proportion":
        what = f"share of units with {metric.value}"
    else:
        what = f"mean over units of the sum of {metric.value}"
    parts = [f"{what}, over {source}"]
    if source in TIMED:
        until = format_duration(metric.window) if metric.window is not None else None
        parts.append(
            f"within {until} of each unit's first exposure" if until else "from each unit's first exposure on"
        )
    if metric.winsorize is not None:
        both = metric.winsorize if isinstance(metric.winsorize, tuple) else (None, metric.winsorize)
        cuts = " and ".join(f"the {share:g} quantile" for share in both if share is not None)
        parts.append(f"winsorised at {cuts} of all arms")
    if metric.covariate is not None:
        parts.append(f"adjusted by {metric.covariate}")
    elif experiment.covariate is not None and source in TIMED:
        parts.append(f"adjusted by the same over the {format_duration(experiment.covariate)} before it")
    return "; ".join(parts)
