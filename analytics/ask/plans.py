"""Questions before an experiment: what the logs say about how long it will take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches

from analytics.aggregates.planning import Traffic, UnitDays, gives_whole_clusters, read_arrivals, read_horizon
from analytics.aggregates.readings import TIMED, Reading, Wanted
from analytics.ask.experiments import EVERYONE, roles_of
from analytics.ask.kept import kept
from analytics.errors import ExperimentError, ProjectError
from analytics.experiments.plan import (
    days_of,
    horizon_rows,
    ranked,
    rows_of,
    traffic_rows,
    unplanned,
)
from analytics.experiments.plan_baseline import KINDS, Baseline, baseline_of
from analytics.experiments.plan_days import DEFAULT_LIFT, HORIZON, MetricCase
from analytics.experiments.plan_rows import (
    PlanAsk,
    PlanDayRow,
    PlanHorizonRow,
    Planned,
    PlanRow,
)
from analytics.experiments.plan_words import plan_sentence, week_sentence
from analytics.experiments.power_plan import Correction
from analytics.experiments.power_terms import Goal
from analytics.experiments.rows import Role
from analytics.project import Experiment, Metric, MetricSource, Project
from analytics.scope import Scope
from analytics.stats.arrival_curve import ArrivalCurve, arrival_curve
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import last_event

WEEKS = (1, 2, 3, 4)
"""Horizons of the roll-ups."""
LOOKED_BACK = timedelta(days=84)
"""The stretch of logs that arrivals are taken from."""
MOST_WITHIN = HORIZON


def planned_of(
    catalog: Catalog, scope: Scope, name: str | None = None, ask: PlanAsk | None = None
) -> Planned:
    """Everything a plan from the logs says.

    Args:
        catalog: the project's logs.
        scope: its end closes the logs that are read (the last whole day where it has none), ``as_of`` replays what was
            known then.
        name: of a metric, or of an experiment, whose arms, metrics, margins and covariates are taken; every declared
            metric where None.
        ask: what is asked.

    Raises:
        ProjectError: there is no such metric or experiment, or it is both.
        ExperimentError: what is asked makes no sense.
        TelemetryError: the logs cannot be read.
    """
    asked = ask or PlanAsk()
    _check(asked)
    key = ("plan", name, asked, scope.end, scope.as_of, scope.confidence)
    return kept(catalog, key, Planned, lambda: _planned(catalog, scope, name, asked))


def _check(ask: PlanAsk) -> None:
    if ask.lift is not None and ask.difference is not None:
        raise ExperimentError("give either a difference or a lift, not both")
    if not 1 <= ask.within <= MOST_WITHIN:
        raise ExperimentError(f"{ask.within} days: a decision is planned within 1 to {MOST_WITHIN} days")
    if not 0 < ask.traffic <= 1:
        raise ExperimentError(f"a share of the traffic lies above 0 and up to 1, found {ask.traffic:g}")
    if ask.covariate_days is not None and not 0 <= ask.covariate_days <= 365:
        raise ExperimentError(f"a covariate looks back 0 to 365 days, found {ask.covariate_days}")


@dataclass(frozen=True)
class _Subject:
    """What is planned: metrics, and the experiment they belong to.

    Attributes:
        name: of the experiment; None for metrics by themselves.
        metrics: name -> role.
        experiment: as declared.
    """

    name: str | None
    metrics: Mapping[str, Role]
    experiment: Experiment | None = None


def _subject(project: Project, name: str | None) -> _Subject:
    known = {
        metric: declared
        for metric, declared in project.metrics.items()
        if project.source_of(declared) in {*TIMED, "units"} and declared.kind in KINDS
    }
    if name is None:
        if not known:
            raise ProjectError(f"{project.file}: metrics: none is declared that a plan could be made for")
        return _Subject(None, dict.fromkeys(known, "primary"))
    if name in project.metrics and name in project.experiments:
        raise ProjectError(f'{project.file}: "{name}" is a metric and an experiment; rename one of them')
    if name in project.experiments:
        experiment = project.require_experiment(name)
        roles = {metric: role for metric, role in roles_of(project, experiment).items() if metric in known}
        if not roles:
            raise ProjectError(f"{project.file}: experiments.{name}: none of its metrics is counted by units")
        return _Subject(name, roles, experiment)
    if name in known:
        return _Subject(None, {name: "primary"})
    if name in project.metrics:
        raise ProjectError(f"{project.file}: metrics.{name}: a metric over a series has no units to plan for")
    names = [*project.metrics, *project.experiments]
    near = get_close_matches(name, names, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(names) or 'none'}"
    raise ProjectError(f'{project.file}: there is no metric and no experiment "{name}"; {hint}')


def _planned(catalog: Catalog, scope: Scope, name: str | None, ask: PlanAsk) -> Planned:
    project = catalog.project
    subject = _subject(project, name)
    windows = {
        source: _window(catalog, scope, subject, source)
        for source in dict.fromkeys(project.source_of(project.metrics[name]) for name in subject.metrics)
    }
    asked = _filled(
        _clustered(catalog, scope, subject, ask, next(iter(windows.values()))), subject.experiment
    )
    notes = list(dict.fromkeys(note for window in windows.values() for note in window.notes))
    question = _Question(project, scope, subject, asked, windows)
    read = _baselines(catalog, question)
    arrivals: dict[Traffic, ArrivalCurve | None] = {}
    rows: list[PlanRow] = []
    days: list[PlanDayRow] = []
    horizons: list[PlanHorizonRow] = []
    for metric, role in subject.metrics.items():
        baselines = read[metric]
        window = question.window_of(metric)
        known = tuple(baseline for baseline in baselines if baseline.status == "ok")
        goal: Goal = "non-inferiority" if role == "guardrail" else "difference"
        if not known:
            rows += unplanned(baselines[-1], subject.name, asked, role, goal)
            horizons += horizon_rows(baselines, None, window.last)
            continue
        traffic = _traffic(project, project.metrics[metric], subject)
        if traffic is not None and traffic not in arrivals:
            arrivals[traffic] = _arrivals(catalog, scope, traffic, window, subject)
        case = _case(question, metric, known, arrivals.get(traffic) if traffic else None)
        rows += rows_of(case, subject.name)
        days += days_of(case)
        horizons += horizon_rows(baselines, case, window.last)
    by_day = tuple(
        row
        for traffic, curve in arrivals.items()
        if curve is not None
        for row in traffic_rows(traffic, curve)
    )
    first = next(iter(arrivals), None)
    week = week_sentence([row for row in by_day if row.source == first])
    notes += [week] if week is not None else []
    answer = ranked(rows)
    return Planned(answer, tuple(days), tuple(horizons), by_day, plan_sentence(answer), tuple(notes))


def _clustered(catalog: Catalog, scope: Scope, subject: _Subject, ask: PlanAsk, window: _Window) -> PlanAsk:
    """Whether clusters get one arm as a whole: as asked, else as the experiment did it."""
    section, experiment = catalog.project.units, subject.experiment
    if ask.whole_clusters is not None or experiment is None or section is None or section.cluster is None:
        return ask
    reading = Reading(
        subject.name or "", tuple(experiment.variants), (), window.start, window.end, as_of=scope.as_of
    )
    return replace(ask, whole_clusters=gives_whole_clusters(catalog, reading))


def _filled(ask: PlanAsk, experiment: Experiment | None) -> PlanAsk:
    """What is asked, with what an experiment declares where nothing is said."""
    if ask.shares is not None:
        if len(ask.shares) < 2 or not all(0 < share < math.inf for share in ask.shares):
            raise ExperimentError(
                "shares must be two numbers above 0 or more, the control first, such as 9:1"
            )
        total = math.fsum(ask.shares)
        ask = replace(ask, shares=tuple(share / total for share in ask.shares))
    if experiment is None:
        return replace(
            ask,
            alpha=ask.alpha or 0.05,
            power=ask.power or 0.8,
            shares=ask.shares or (0.5, 0.5),
            one_sided=bool(ask.one_sided),
        )
    own = experiment.shares
    control = own.pop(experiment.control)
    looks = experiment.looks if isinstance(experiment.looks, int) else len(experiment.looks)
    return replace(
        ask,
        alpha=ask.alpha or experiment.alpha,
        power=ask.power or experiment.power,
        shares=ask.shares or (control, *(share for share in own.values() if share > 0)),
        one_sided=experiment.one_sided if ask.one_sided is None else ask.one_sided,
        looks=ask.looks or looks,
        boundary=ask.boundary or experiment.boundary,
    )


@dataclass(frozen=True)
class _Window:
    """The stretch of logs that is read.

    Attributes:
        start: where arrivals begin; None where open.
        end: where everything ends; None where rows carry no time.
        last: its local day, excluded.
        newest: when the newest row was logged; None where rows carry no time.
        notes: what was left out.
    """

    start: datetime | None
    end: datetime | None
    last: date | None
    newest: datetime | None = None
    notes: tuple[str, ...] = ()


def _window(catalog: Catalog, scope: Scope, subject: _Subject, source: MetricSource) -> _Window:
    project = catalog.project
    newest = min(filter(None, (_newest(catalog, source), scope.as_of)), default=None)
    if subject.experiment is not None:
        start = subject.experiment.start
        begin = project.instant(start) if start is not None else _began(catalog, scope, subject)
        end = project.instant(subject.experiment.end) if subject.experiment.end is not None else None
        end = min(filter(None, (end, scope.end)), default=None)
        return _Window(begin, end, None, newest)
    if newest is None:
        return _Window(None, None, None)
    if scope.end is not None:
        end = scope.end
        notes: tuple[str, ...] = ()
    else:
        day = newest.astimezone(project.zone).date()
        end = project.instant(day)
        notes = (f"The last day of the logs, {day:%Y-%m-%d}, may be unfinished and is left out.",)
    last = end.astimezone(project.zone).date()
    return _Window(project.instant(last - LOOKED_BACK), end, last, newest, notes)


def _began(catalog: Catalog, scope: Scope, subject: _Subject) -> datetime | None:
    """The first local day on which a unit entered an experiment that declares no start."""
    traffic = _assigning(catalog.project)
    if traffic is None:
        return None
    found = read_arrivals(catalog, traffic, None, None, as_of=scope.as_of, experiment=subject.name)
    return None if found is None else catalog.project.instant(found.first)


def _assigning(project: Project) -> Traffic | None:
    """Whose rows tell when a unit entered an experiment."""
    if project.exposures is not None:
        return "exposures"
    return "units" if project.units is not None and project.units.timestamp is not None else None


def _newest(catalog: Catalog, source: MetricSource) -> datetime | None:
    """When the newest row of a source was logged; of a table of units, that of its events or predictions."""
    if catalog.project.events is not None and source != "predictions":
        return last_event(catalog)
    if catalog.project.predictions is not None and catalog.extent is not None:
        return catalog.extent[1]
    return None


def _traffic(project: Project, metric: Metric, subject: _Subject) -> Traffic | None:
    """Whose rows show that a unit was there; None where none carry a time."""
    if subject.experiment is not None:
        return _assigning(project)
    source = project.source_of(metric)
    if source == "events" or (source == "units" and project.events is not None):
        return "events"
    if source == "predictions":
        return "predictions"
    return "units" if project.units is not None and project.units.timestamp is not None else None


def _arrivals(
    catalog: Catalog, scope: Scope, traffic: Traffic, window: _Window, subject: _Subject
) -> ArrivalCurve | None:
    found = read_arrivals(
        catalog, traffic, window.start, window.end, as_of=scope.as_of, experiment=subject.name
    )
    if found is None:
        return None
    if subject.experiment is not None:
        # an experiment's log of exposures tells who entered since it began, and only since then
        found = _first_days(found, finished=window.end is not None)
    return arrival_curve(
        found.days,
        found.gaps,
        found.counts,
        HORIZON,
        first_weekday=found.first.weekday(),
        only_first_start=subject.experiment is not None,
    )


def _first_days(found: UnitDays, *, finished: bool) -> UnitDays:
    """Only when units came for the first time; the last day may be unfinished where no end is known."""
    new = found.gaps < 0
    last = int(found.days.max())
    if not finished and last > 0:
        new &= found.days < last
    return UnitDays(found.first, found.days[new], found.gaps[new], found.counts[new])


@dataclass(frozen=True)
class _Question:
    """Everything one plan is made of, but the logs."""

    project: Project
    scope: Scope
    subject: _Subject
    ask: PlanAsk
    windows: Mapping[MetricSource, _Window]

    def window_of(self, metric: str) -> _Window:
        """The stretch of logs a metric is read in."""
        return self.windows[self.project.source_of(self.project.metrics[metric])]


def _baselines(catalog: Catalog, question: _Question) -> dict[str, tuple[Baseline, ...]]:
    """Metric -> its baselines by ascending horizon."""
    project, subject = question.project, question.subject
    groups: dict[tuple[MetricSource, timedelta | None], list[str]] = {}
    for name in subject.metrics:
        metric = project.metrics[name]
        source = project.source_of(metric)
        # all metrics of an experiment are read over the units of its arms, whatever their source
        at = ("events" if subject.experiment is not None else source, metric.window)
        groups.setdefault(at, []).append(name)
    found: dict[str, list[Baseline]] = {name: [] for name in subject.metrics}
    for (source, wait), names in groups.items():
        for weeks in WEEKS if source in TIMED else WEEKS[-1:]:
            reading = _reading(question, names, wait, weeks)
            if reading is None:
                continue
            for moments in read_horizon(catalog, reading, source):
                kind = project.metrics[moments.name].kind
                found[moments.name].append(baseline_of(kind, weeks * 7, moments, question.scope.confidence))
    return {name: _usable(project, name, of_name) for name, of_name in found.items()}


def _usable(project: Project, name: str, found: list[Baseline]) -> tuple[Baseline, ...]:
    if found:
        return tuple(found)
    kind = KINDS[project.metrics[name].kind]
    return (Baseline(name, kind, WEEKS[-1] * 7, 0, status="no_data", reason="no rows carry a time"),)


def _reading(question: _Question, names: list[str], wait: timedelta | None, weeks: int) -> Reading | None:
    """The units of one horizon: of the control since the experiment began, or everybody before the end of the logs."""
    subject, as_of = question.subject, question.scope.as_of
    window = min(
        (question.window_of(name) for name in names),
        key=lambda one: one.newest.timestamp() if one.newest is not None else math.inf,
    )
    wanted = tuple(_wanted(question.project, name, question.ask, subject) for name in names)
    length = timedelta(weeks=weeks)
    if subject.experiment is not None:
        arms = (subject.experiment.control,)
        end = window.end
        if window.newest is not None:
            # units whose window has not closed yet would lower the baseline
            end = min(filter(None, (end, window.newest - (wait or timedelta()))))
        if window.start is not None:
            end = min(filter(None, (window.start + length, end)))
            if end <= window.start or (end < window.start + length and weeks > 1):
                return None
        crossed_out = subject.experiment.crossed == "leave_out"
        return Reading(
            subject.name or "", arms, wanted, window.start, end, as_of=as_of, leaves_crossed_out=crossed_out
        )
    if window.end is None or not any(one.source in TIMED for one in wanted):
        return Reading("", (EVERYONE,), wanted, as_of=as_of)
    end = window.end - (wait or timedelta())
    return Reading("", (EVERYONE,), wanted, end - length, end, as_of=as_of)


def _wanted(project: Project, name: str, ask: PlanAsk, subject: _Subject) -> Wanted:
    metric = project.metrics[name]
    source = project.source_of(metric)
    lookback = subject.experiment.covariate if subject.experiment is not None else None
    if ask.covariate_days is not None:
        lookback = timedelta(days=ask.covariate_days) if ask.covariate_days else None
    weighted = source == "predictions" and project.require_predictions().weight is not None
    return Wanted(name, metric, source, lookback if source in TIMED else None, weighted)


def _case(
    question: _Question, name: str, known: tuple[Baseline, ...], arrivals: ArrivalCurve | None
) -> MetricCase:
    project, subject, ask = question.project, question.subject, question.ask
    role = subject.metrics[name]
    family = sum(role != "guardrail" for role in subject.metrics.values())
    metric = project.metrics[name]
    lift, difference, relative = _effect(metric, name, role, ask, subject)
    corrected: Correction = "holm"
    if role == "guardrail" or (subject.experiment is not None and subject.experiment.correction == "none"):
        corrected = "none"
    one_sided = bool(ask.one_sided) and role != "guardrail"
    return MetricCase(
        known,
        arrivals,
        replace(ask, one_sided=one_sided),
        role,
        "non-inferiority" if role == "guardrail" else "difference",
        lift,
        difference,
        relative,
        max(family, 1) if corrected == "holm" and subject.experiment is not None else 1,
        corrected,
        metric.window.total_seconds() / 86400 if metric.window is not None else 0.0,
        metric.window is None and project.source_of(metric) in TIMED,
    )


def _effect(
    metric: Metric, name: str, role: Role, ask: PlanAsk, subject: _Subject
) -> tuple[float | None, float | None, bool]:
    """Lift or difference, and whether it is a margin relative to the control's mean."""
    if role == "guardrail" and subject.experiment is not None:
        # harm is what is ruled out: a fall of what should be high, a rise of what should be low
        sign = -1.0 if metric.direction == "up" else 1.0
        margin = subject.experiment.guardrails[name]
        if margin.margin_absolute is not None:
            return None, sign * margin.margin_absolute, False
        return sign * (margin.margin or 0.0), None, True
    if ask.lift is not None or ask.difference is not None:
        return ask.lift, ask.difference, False
    if metric.smallest_difference is not None:
        return None, (-1.0 if metric.direction == "down" else 1.0) * metric.smallest_difference, False
    better = -1.0 if metric.direction == "down" else 1.0
    return better * (metric.smallest_lift or DEFAULT_LIFT), None, False
