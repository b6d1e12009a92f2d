"""Questions about an experiment's funnels, and about who of its logs counts."""

from __future__ import annotations

from analytics.ask.experiments import aggregates_of, design_at, design_of
from analytics.errors import ExperimentError
from analytics.experiments.funnels import FunnelRow, funnel_rows
from analytics.experiments.looks import at_last_look
from analytics.experiments.states import StateRow, state_rows
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

ALONE = "Each interval holds for itself, and is not corrected for how many there are."


def funnels_of(
    catalog: Catalog, scope: Scope, name: str, confidence: float | None = None
) -> Results[FunnelRow]:
    """Every step of every funnel in every arm.

    Args:
        catalog: the project's logs.
        scope: as of `analytics.ask.experiments.scorecard_of`.
        name: of the experiment.
        confidence: of every interval; 1 - alpha as declared where None.

    Raises:
        ExperimentError: the experiment looks at no funnel.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    design = design_of(catalog.project, name)
    if not any(metric.steps for metric in design.metrics):
        raise ExperimentError(
            f'{catalog.project.file}: "{name}" looks at no funnel; a metric of kind = "funnel" declares one'
        )
    found = aggregates_of(catalog, scope, name)
    design = design_at(catalog.project, scope, name, sum(found.split.n.values()))
    metrics = {metric.name: at_last_look(design, metric) for metric in found.metrics}
    level = 1.0 - design.alpha if confidence is None else confidence
    rows = tuple(
        row
        for metric in design.ordered_metrics
        for row in funnel_rows(design, metric, metrics[metric.name], level)
    )
    return Results(rows, catalog.project.zone, found.sql, (ALONE,))


def states_of(catalog: Catalog, scope: Scope, name: str) -> Results[StateRow]:
    """Every state a unit, an exposure or a row is in.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    found = aggregates_of(catalog, scope, name)
    rows = state_rows(design_of(catalog.project, name), found)
    return Results(rows, catalog.project.zone, found.sql, found.damage)
