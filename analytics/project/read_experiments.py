"""What the tables of experiments and metrics must agree on."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from analytics.errors import ProjectError
from analytics.project.experiments import RESERVED_METRICS, Experiment, Metric
from analytics.project.model import Project
from analytics.project.read_counts import check_counts


def check_experiments(project: Project, file: Path) -> None:
    """Refuse metrics, roles and sources that do not fit together."""
    for name, metric in project.metrics.items():
        _check_metric(project, name, metric, file)
    check_counts(project, file)
    for name, experiment in project.experiments.items():
        _check_experiment(project, name, experiment, file)


def _check_experiment(project: Project, name: str, experiment: Experiment, file: Path) -> None:
    for role in ("primary", "secondary", "guardrails"):
        for used in getattr(experiment, role):
            if used not in project.metrics:
                near = get_close_matches(used, project.metrics, n=1)
                hint = f'did you mean "{near[0]}"?' if near else "declare it as [metrics.…]"
                raise ProjectError(f'{file}: experiments.{name}.{role}: there is no metric "{used}"; {hint}')
            if project.metrics[used].source == "series":
                raise ProjectError(
                    f'{file}: experiments.{name}.{role}: "{used}" is a series, which belongs to no unit; '
                    "it is drawn on the Metrics page"
                )
    _check_structure(project, name, experiment, file)
    start, end = experiment.start, experiment.end
    if start is not None and end is not None and project.instant(start) >= project.instant(end):
        raise ProjectError(f"{file}: experiments.{name}.end: must be after start")


def _check_structure(project: Project, name: str, experiment: Experiment, file: Path) -> None:
    """Strata, phases and pairs need what tells them apart."""
    at = f"{file}: experiments.{name}"
    sections = [section for section in (project.exposures, project.units) if section is not None]
    if experiment.strata and not any(section.stratum for section in sections):
        raise ProjectError(
            f"{at}.strata: name the column that tells a unit's stratum, [exposures] stratum or [units] stratum"
        )
    if experiment.post_stratify and not any(section.stratum or section.segments for section in sections):
        raise ProjectError(
            f"{at}.post_stratify: needs strata from before the experiment: declare stratum or segments in [exposures] "
            "or [units]"
        )
    if experiment.phases and sections and sections[0].timestamp is None:
        raise ProjectError(f"{at}.phases: exposures carry no time; declare its timestamp")
    starts = [project.instant(phase.start) for phase in experiment.phases]
    for place, (earlier, later) in enumerate(pairwise(starts), start=1):
        if earlier >= later:
            raise ProjectError(f"{at}.phases[{place}].start: must be after that of the phase before it")
    if starts and experiment.end is not None and starts[-1] >= project.instant(experiment.end):
        raise ProjectError(f"{at}.phases[{len(starts) - 1}].start: must be before the end of the experiment")
    units = project.units
    if units is not None and units.pair is not None and units.cluster is not None:
        raise ProjectError(
            f"{file}: units.pair: a pair is a cluster of its own; keep one of pair and cluster"
        )


def _check_quantile(project: Project, name: str, metric: Metric, file: Path) -> None:
    source = project.source_of(metric)
    predictions = project.predictions
    if source == "predictions" and predictions is not None and predictions.weight is not None:
        raise ProjectError(
            f"{file}: metrics.{name}.kind: a quantile is not computed over sampled predictions (with a weight); "
            'declare kind = "mean", or a proportion such as "latency > 300"'
        )
    if metric.covariate:
        raise ProjectError(f"{file}: metrics.{name}.covariate: a quantile is not adjusted; remove it")


def _check_metric(project: Project, name: str, metric: Metric, file: Path) -> None:
    if name in RESERVED_METRICS:
        raise ProjectError(f'{file}: metrics.{name}: "{name}" is the name of a check; choose another')
    source = project.source_of(metric)
    if metric.kind == "quantile":
        _check_quantile(project, name, metric, file)
    if metric.covariate and project.units is None:
        raise ProjectError(
            f"{file}: metrics.{name}.covariate: names a column of [units], and there is no such section; "
            'for a look-back give the experiment one: covariate = "14 days"'
        )
    timed = next((key for key in ("after", "half_life") if getattr(metric, key) is not None), None)
    if metric.kind in {"retention", "funnel"}:
        timed = "kind"
    if timed is not None and source == "units":
        raise ProjectError(
            f"{file}: metrics.{name}.{timed}: follows units over time, and a table of units has no events; "
            "count events or predictions"
        )
    if metric.window is not None and source == "units":
        raise ProjectError(
            f"{file}: metrics.{name}.window: a table of units has no events to count; remove it"
        )
    if getattr(project, source, None) is None and metric.source is not None:
        raise ProjectError(
            f'{file}: metrics.{name}.source: "{source}" needs a [{source}] section, and there is none'
        )
