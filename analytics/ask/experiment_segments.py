"""Questions about the effects of an experiment by segment."""

from __future__ import annotations

from analytics.ask.experiments import aggregates_of, design_of, scorecard_of
from analytics.errors import ExperimentError, ProjectError
from analytics.experiments.rows import headline
from analytics.experiments.segment_effects import segment_effects
from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.segment_words import segments_sentence
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog


def segment_effects_of(
    catalog: Catalog,
    scope: Scope,
    name: str,
    metric: str | None = None,
    confidence: float | None = None,
) -> Results[SegmentEffectRow]:
    """The effect of every arm among the units of every value of every declared segment.

    Args:
        catalog: the project's logs.
        scope: as of `analytics.ask.experiments.scorecard_of`.
        name: of the experiment.
        metric: one of its metrics; all of them, each corrected by itself, where None.
        confidence: of every interval; 1 - alpha as declared where None.

    Raises:
        ExperimentError: no segment is declared, or the experiment does not look at the metric.
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    project, design = catalog.project, design_of(catalog.project, name)
    sections = [section for section in (project.exposures, project.units) if section is not None]
    if not any(section.segments or section.stratum for section in sections):
        raise ExperimentError(
            f"{project.file}: no segment of units is declared; name columns that were known before the exposure: "
            'segments = ["country", …] in [exposures] or [units]'
        )
    metrics = [one for one in design.ordered_metrics if metric is None or one.name == metric]
    if not metrics:
        raise ProjectError(f'{project.file}: experiments.{name}: does not look at the metric "{metric}"')
    found = aggregates_of(catalog, scope, name, segmented=True)
    card = scorecard_of(catalog, scope, name, confidence)
    read = {one.name: one for one in found.metrics}
    rows: list[SegmentEffectRow] = []
    notes = []
    for one in metrics:
        overall = {row.variant or "": row.difference for row in headline(card.rows) if row.metric == one.name}
        mine = segment_effects(design, one, read[one.name], overall, card.confidence)
        notes.append(segments_sentence(mine))
        rows += mine
    return Results(tuple(rows), project.zone, found.sql, tuple(notes))
