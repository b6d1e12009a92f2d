"""What metrics over a table with one row an arm must agree on: such a table knows no units, and no times."""

from __future__ import annotations

from pathlib import Path

from analytics.errors import ProjectError
from analytics.project.experiments import Metric
from analytics.project.model import Project

_KINDS = ("proportion", "mean", "count")
_OF_UNITS = ("after", "window", "half_life", "winsorize", "covariate")


def check_counts(project: Project, file: Path) -> None:
    """Refuse what a table of counts cannot tell, and experiments that mix it with logs of units."""
    for name, metric in project.metrics.items():
        problem = _problem(metric, of_counts=project.source_of(metric) == "counts")
        if problem is not None:
            raise ProjectError(f"{file}: metrics.{name}.{problem}")
    for name, experiment in project.experiments.items():
        used = (*experiment.primary, *experiment.secondary, *experiment.guardrails) or tuple(project.metrics)
        sources = {
            metric: project.source_of(project.metrics[metric]) for metric in used if metric in project.metrics
        }
        of_counts = [metric for metric, source in sources.items() if source == "counts"]
        others = [metric for metric in sources if metric not in of_counts]
        if of_counts and others:
            raise ProjectError(
                f'{file}: experiments.{name}: "{of_counts[0]}" comes from a table with one row an arm and '
                f'"{others[0]}" from logs of units; the units of the one cannot be told from those of the other'
            )
        if of_counts and (experiment.phases or experiment.strata or experiment.covariate is not None):
            raise ProjectError(
                f"{file}: experiments.{name}: a table with one row an arm knows no phases, strata or look-back"
            )


def _problem(metric: Metric, *, of_counts: bool) -> str | None:
    if not of_counts:
        only = 'standard_deviation: belongs to source = "counts" only'
        return only if metric.standard_deviation is not None else None
    if metric.kind not in _KINDS:
        return f'kind: over a table with one row an arm it can be {", ".join(_KINDS)}; found "{metric.kind}"'
    unknown = next((key for key in _OF_UNITS if getattr(metric, key)), None)
    if unknown is not None:
        return f"{unknown}: a table with one row an arm knows neither units nor times; remove it"
    if metric.kind == "mean" and metric.standard_deviation is None:
        return "standard_deviation: a mean needs it, since a table with one row an arm has no units to compute it from"
    if metric.kind == "proportion" and metric.standard_deviation is not None:
        return "standard_deviation: follows from a share and its units; remove it"
    return None
