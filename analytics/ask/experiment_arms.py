"""Questions about the arms of an experiment by themselves, day by day."""

from __future__ import annotations

from analytics.ask.experiments import aggregates_of, design_of
from analytics.experiments.arm_days import ArmDayRow, arm_day_rows
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

EACH = "Each interval is for its own number; whether arms differ, the scorecard says."


def arms_of(catalog: Catalog, scope: Scope, name: str, confidence: float | None = None) -> Results[ArmDayRow]:
    """Every metric in every arm, over all days and on each day of first exposure.

    Args:
        catalog: the project's logs.
        scope: as of `analytics.ask.experiments.scorecard_of`.
        name: of the experiment.
        confidence: of every interval; 1 - alpha as declared where None.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    found = aggregates_of(catalog, scope, name)
    design = design_of(catalog.project, name)
    level = 1.0 - design.alpha if confidence is None else confidence
    metrics = {metric.name: metric for metric in found.metrics}
    rows = tuple(
        row
        for metric in design.ordered_metrics
        for row in arm_day_rows(design, metric, metrics[metric.name], level)
    )
    return Results(rows, catalog.project.zone, found.sql, (EACH,))
