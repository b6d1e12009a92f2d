"""Questions about experiments: what was declared, read and analysed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates
from analytics.aggregates.experiments import read_everybody, read_experiment
from analytics.aggregates.readings import TIMED, Reading, Wanted
from analytics.ask.kept import kept
from analytics.ask.metric_words import definition
from analytics.errors import ProjectError, ScopeError
from analytics.experiments.analyse import scorecard
from analytics.experiments.design import Design, MetricDesign, RampPhase
from analytics.experiments.rows import ArmRow, History, Role, Scorecard
from analytics.experiments.single_arms import arm_rows
from analytics.project import Experiment, Project
from analytics.scope import Scope, format_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import last_event

BASELINE = timedelta(days=28)
"""The stretch a plan's baseline is taken from where none is asked for: four whole weeks."""
ALIKE_BEFORE = timedelta(days=14)
"""How far back it is looked whether arms were alike before, where no covariate tells."""
EVERYONE = "everyone"


def scorecard_of(
    catalog: Catalog,
    scope: Scope,
    name: str,
    confidence: float | None = None,
    methods: tuple[str, ...] = (),
) -> Scorecard:
    """Everything about one experiment, from one reading of its logs.

    Args:
        catalog: the project's logs.
        scope: ``start`` and ``end`` narrow the experiment's own, ``as_of`` replays what was known then.
        name: of the experiment.
        confidence: of the intervals; 1 - alpha as declared where None.
        methods: other methods whose comparisons stand beside the usual ones.

    Raises:
        ProjectError: there is no such experiment, or its metrics mean nothing over the logs.
        TelemetryError: its logs cannot be read.
    """
    if confidence == 1.0 - catalog.project.require_experiment(name).alpha:
        confidence = None  # as declared, so the same scorecard
    key = ("experiment", name, scope.start, scope.end, scope.as_of, confidence, methods)
    return kept(catalog, key, Scorecard, lambda: _analysed(catalog, scope, name, confidence, methods))


def aggregates_of(
    catalog: Catalog, scope: Scope, name: str, *, segmented: bool = False
) -> ExperimentAggregates:
    """What is read of one experiment: everything else about it is computed from this.

    Args:
        catalog: the project's logs.
        scope: as of `scorecard_of`.
        name: of the experiment.
        segmented: whether moments by segment are read, too.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    if not segmented and isinstance(
        found := catalog.answered.get(_read_key(scope, name, True)), ExperimentAggregates
    ):
        return found
    key = _read_key(scope, name, segmented)
    return kept(
        catalog,
        key,
        ExperimentAggregates,
        lambda: read_experiment(catalog, reading_of(catalog, scope, name, segmented=segmented)),
    )


def _read_key(scope: Scope, name: str, segmented: bool) -> tuple[object, ...]:  # noqa: FBT001
    return ("experiment read", name, scope.start, scope.end, scope.as_of, segmented)


def reading_of(catalog: Catalog, scope: Scope, name: str, *, segmented: bool = False) -> Reading:
    """What of the logs belongs to one experiment.

    Raises:
        ProjectError: there is no such experiment.
        ScopeError: the window asked for lies outside it.
    """
    project = catalog.project
    experiment = project.require_experiment(name)
    start = project.instant(experiment.start) if experiment.start is not None else None
    end = project.instant(experiment.end) if experiment.end is not None else None
    first = max(filter(None, (start, scope.start)), default=None)
    last = min(filter(None, (end, scope.end)), default=None)
    if first is not None and last is not None and first >= last:
        raise ScopeError(f'the window asked for lies outside the experiment "{name}"')
    wanted = tuple(
        _wanted(project, experiment, metric.name) for metric in design_of(project, name).ordered_metrics
    )
    return Reading(
        name,
        tuple(experiment.variants),
        wanted,
        start,
        end,
        scope.start,
        scope.end,
        scope.as_of,
        phases=tuple(project.instant(phase.start) for phase in experiment.phases),
        segmented=segmented,
        leaves_crossed_out=experiment.crossed == "leave_out",
        leaves_open_out=experiment.leaves_open_windows_out,
        control=experiment.control,
        crosses_segments=experiment.post_stratify,
    )


def history_of(catalog: Catalog, scope: Scope, metric: str, name: str | None = None) -> History:
    """Baseline, spread and traffic of a metric, for a plan.

    Args:
        catalog: the project's logs.
        scope: the stretch of time; the last four weeks of the logs where it has no start.
        metric: its name in the project file.
        name: of an experiment, whose control arm is taken; where None, every unit that did anything.

    Raises:
        ProjectError: there is no such metric or experiment.
        TelemetryError: the logs cannot be read.
    """
    key = ("history", metric, name, scope.start, scope.end, scope.as_of)
    project = catalog.project
    if metric not in project.metrics:
        near = get_close_matches(metric, project.metrics, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(project.metrics) or 'none'}"
        raise ProjectError(f'{project.file}: metrics: there is no metric "{metric}"; {hint}')
    if name is not None:
        return _control_history(scorecard_of(catalog, scope, name), metric)
    return kept(catalog, key, History, lambda: _everybody(catalog, scope, metric))


def _control_history(card: Scorecard, metric: str) -> History:
    arm = next((row for row in card.arms if row.metric == metric and row.is_control), None)
    if arm is None:
        raise ProjectError(f'"{card.name}" does not look at the metric "{metric}"')
    known = [row.day for row in card.days_of(metric)]
    days = (max(known) - min(known)).days + 1 if known else None
    return _history(arm, days, card.health.n_units, f'arm "{card.control}" of {card.name}')


def _everybody(catalog: Catalog, scope: Scope, name: str) -> History:
    project = catalog.project
    metric = project.metrics[name]
    source = project.source_of(metric)
    if source == "counts":
        raise ProjectError(
            f"{project.file}: metrics.{name}: a table with one row an arm tells nothing of a time without the "
            "experiment; name one, whose control is then the baseline"
        )
    start, end = scope.start, scope.end
    if source in TIMED:
        newest = (
            catalog.extent[1]
            if source == "predictions" and catalog.extent is not None
            else last_event(catalog)
        )
        end = end or (newest + timedelta(microseconds=1) if newest is not None else None)
        # units first seen in a window that has not closed yet would lower the baseline
        latest = end - (metric.window or timedelta()) if end is not None else None
        start, end = start or (latest - BASELINE if latest is not None else None), latest
    reading = Reading("", (EVERYONE,), (Wanted(name, metric, source),), start, end, as_of=scope.as_of)
    moments = read_everybody(catalog, reading)
    design = MetricDesign(name, metric.kind)
    alone = Design(None, EVERYONE, {EVERYONE: 1.0}, metrics=(design,))
    arm = next(iter(arm_rows(alone, design, MetricAggregates(name, moments), scope.confidence)))
    known = moments.known_days
    stands_on = f"every unit of [{source}]"
    if known:
        stands_on += f" first seen from {known[0]:%Y-%m-%d} to {known[-1]:%Y-%m-%d}"
    days = (known[-1] - known[0]).days + 1 if known else None
    return _history(arm, days, arm.n + arm.n_missing, stands_on)


def _history(arm: ArmRow, days: int | None, units: int, stands_on: str) -> History:
    daily = units / days if days else None
    baseline, spread = (arm.mean, arm.standard_deviation) if arm.status == "ok" else (None, None)
    return History(
        arm.metric, arm.kind, baseline, spread, arm.n, days, daily, stands_on, arm.status, arm.reason
    )


def design_of(project: Project, name: str) -> Design:
    """What one experiment planned, as its analysis needs it."""
    experiment = project.require_experiment(name)
    metrics = tuple(
        _metric_design(project, experiment, metric, role)
        for metric, role in roles_of(project, experiment).items()
    )
    return Design(
        name,
        experiment.control,
        experiment.shares,
        experiment.alpha,
        metrics,
        stopping=experiment.stopping,
        planned_units=experiment.planned_units,
        looks=experiment.fractions if experiment.stopping == "group-sequential" else (),
        boundary=experiment.boundary,
        boundary_power=experiment.boundary_power,
        one_sided=experiment.one_sided,
        correction=experiment.correction,
        crossed=experiment.crossed,
        crossed_limit=experiment.crossed_limit,
        phases=tuple(RampPhase(project.instant(phase.start), phase.shares) for phase in experiment.phases),
        strata={stratum: _normalised(shares) for stratum, shares in experiment.strata.items()},
        post_stratify=experiment.post_stratify,
        prior=experiment.prior,
        power=experiment.power,
    )


def _normalised(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {arm: share / total for arm, share in shares.items()}


def roles_of(project: Project, experiment: Experiment) -> dict[str, Role]:
    """Metric -> what it is for; without any named, every declared metric is a primary one."""
    roles: dict[str, Role] = dict.fromkeys(experiment.primary, "primary")
    roles |= dict.fromkeys(experiment.guardrails, "guardrail")
    roles |= dict.fromkeys(experiment.secondary, "secondary")
    # a series belongs to nobody, so no arm has one
    return roles or {name: "primary" for name, metric in project.metrics.items() if metric.source != "series"}


def _analysed(
    catalog: Catalog, scope: Scope, name: str, confidence: float | None, methods: tuple[str, ...]
) -> Scorecard:
    aggregates = aggregates_of(catalog, scope, name)
    design = replace(
        design_at(catalog.project, scope, name, sum(aggregates.split.n.values())), methods=methods
    )
    card = scorecard(design, aggregates, catalog.project.zone, confidence)
    return replace(card, sql=aggregates.sql)


def design_at(project: Project, scope: Scope, name: str, units: int) -> Design:
    """What one experiment planned, with how far it is.

    Args:
        project: that declares it.
        scope: its as-of and end say when one looks.
        name: of the experiment.
        units: of all arms by then.
    """
    experiment = project.require_experiment(name)
    return replace(
        design_of(project, name),
        early=_early(project, experiment, scope, units),
        ended=_ended(project, experiment, scope),
    )


def _early(project: Project, experiment: Experiment, scope: Scope, units: int) -> str | None:
    """Why this is a look before the planned end, which a fixed-horizon interval does not allow."""
    reasons = []
    looks_early = experiment.stopping in {"group-sequential", "always-valid"}
    if experiment.planned_units is not None and units < experiment.planned_units:
        reasons.append(f"{units:,} of {experiment.planned_units:,} planned units")
    if experiment.end is not None:
        end = project.instant(experiment.end)
        # a window that ends earlier is a look back at a look of then
        looked = min(filter(None, (scope.as_of, scope.end, datetime.now(UTC))))
        if experiment.start is not None and looked < project.instant(experiment.start):
            begins = format_instant(project.instant(experiment.start), project.zone)
            return f"It has not started: it begins on {begins}."
        if looked < end:
            reasons.append(f"it ends on {format_instant(end, project.zone)}")
    if not reasons or looks_early:
        return None
    if experiment.stopping == "bayesian":
        return (
            f"This is a look before the planned end ({', and '.join(reasons)}): a posterior allows for looking no more "
            "than a p-value does, and stopping at the first good one raises false alarms."
        )
    return (
        f"This is a look before the planned end ({', and '.join(reasons)}): intervals and p-values hold for one look "
        "at the end, and looking earlier raises false alarms."
    )


def _ended(project: Project, experiment: Experiment, scope: Scope) -> bool | None:
    """Whether the declared end, and the windows of units exposed just before it, have passed; None without an end."""
    if experiment.end is None:
        return None
    windows = [project.metrics[name].window or timedelta() for name in roles_of(project, experiment)]
    open_for = max(windows, default=timedelta()) if experiment.leaves_open_windows_out else timedelta()
    looked = min(filter(None, (scope.as_of, scope.end, datetime.now(UTC))))
    return looked >= project.instant(experiment.end) + open_for


def _wanted(project: Project, experiment: Experiment, name: str) -> Wanted:
    metric = project.metrics[name]
    source = project.source_of(metric)
    if (
        source in TIMED
        and project.exposures is None
        and (project.units is None or project.units.timestamp is None)
    ):
        raise ProjectError(
            f"{project.file}: metrics.{name}: counts {source} from each unit's first exposure on, so it needs "
            "[exposures], or a timestamp in [units]"
        )
    lookback = (experiment.covariate or ALIKE_BEFORE) if source in TIMED else None
    weighted = source == "predictions" and project.require_predictions().weight is not None
    return Wanted(name, metric, source, lookback, weighted, only_compares=experiment.covariate is None)


def _metric_design(project: Project, experiment: Experiment, name: str, role: Role) -> MetricDesign:
    metric = project.metrics[name]
    guardrail = experiment.guardrails.get(name)
    return MetricDesign(
        name,
        metric.kind,
        metric.direction,
        role,
        definition(project, experiment, metric),
        metric.means,
        metric.logged_as,
        guardrail.margin if guardrail is not None else None,
        guardrail.margin_absolute if guardrail is not None else None,
        has_covariate=bool(_wanted(project, experiment, name).covariates),
        quantile=metric.quantile,
        smallest_lift=metric.smallest_lift,
        smallest_difference=metric.smallest_difference,
        keeps_growing=metric.window is None and project.source_of(metric) in TIMED,
        steps=metric.steps,
        of_totals=metric.kind == "count"
        and project.source_of(metric) == "counts"
        and metric.standard_deviation is None,
    )
