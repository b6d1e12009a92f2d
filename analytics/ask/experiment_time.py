"""Questions about an experiment in time, and about what is believed of its arms."""

from __future__ import annotations

from dataclasses import replace

from analytics.ask.experiments import aggregates_of, design_of, scorecard_of
from analytics.experiments.chances import ChanceRow, chance_rows
from analytics.experiments.look_rows import LookRow, look_rows
from analytics.experiments.rows import DayRow, Scorecard, headline
from analytics.experiments.standing import Peeking, peeking
from analytics.project import Prior
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

NOT_SEQUENTIAL = '"{name}" is not group-sequential (stopping = "{stopping}"), so it has no planned looks.'
CONSTANT = "Stopping on a chance that is looked at daily misleads like a p-value. {sentence}"


def days_of(catalog: Catalog, scope: Scope, name: str, confidence: float | None = None) -> Results[DayRow]:
    """Every metric of every arm on every day, cumulated, by the declared rule, looked at once, and always-valid.

    Args:
        catalog: the project's logs.
        scope: as of `analytics.ask.experiments.scorecard_of`.
        name: of the experiment.
        confidence: of the intervals before correction; 1 - alpha as declared where None.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    card = scorecard_of(catalog, scope, name, confidence)
    cost = peeking_of(card)
    notes = () if cost is None else (cost.sentence,)
    return Results(tuple(card.days), card.zone, card.sql, (card.decision.sentence, card.correction, *notes))


def peeking_of(card: Scorecard) -> Peeking | None:
    """What looking daily at the first metric of the scorecard would have cost at a fixed horizon."""
    first = next(iter(headline(card.rows)), None)
    if first is None:
        return None
    own = (first.metric, first.variant, first.method)
    days = [day for day in card.days_of(first.metric) if (day.metric, day.variant, day.method) == own]
    return peeking(days, 1.0 - card.confidence)


def looks_of(catalog: Catalog, scope: Scope, name: str, confidence: float | None = None) -> Results[LookRow]:
    """Every planned look of a group-sequential design; no rows, and a note, for any other.

    Args:
        catalog, scope, name, confidence: as in `days_of`.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    card = scorecard_of(catalog, scope, name, confidence)
    if card.stopping != "group-sequential":
        note = NOT_SEQUENTIAL.format(name=name, stopping=card.stopping)
        return Results((), card.zone, card.sql, (note,))
    design = replace(design_of(catalog.project, name), ended=card.ended)
    found = {metric.name: metric for metric in aggregates_of(catalog, scope, name).metrics}
    levels = {
        (row.metric, row.variant, row.method): row.confidence_adjusted or card.confidence for row in card.rows
    }
    rows = tuple(
        row
        for metric in design.ordered_metrics
        for row in look_rows(design, metric, found[metric.name], levels)
    )
    return Results(rows, card.zone, card.sql, (card.decision.sentence, card.correction))


def chances_of(
    catalog: Catalog,
    scope: Scope,
    name: str,
    confidence: float | None = None,
    prior: Prior | None = None,
) -> Results[ChanceRow]:
    """What is believed of every arm, metric by metric.

    Args:
        catalog, scope, name, confidence: as in `days_of`.
        prior: in place of the declared one.

    Raises:
        ProjectError, TelemetryError: as `scorecard_of`.
    """
    card = scorecard_of(catalog, scope, name, confidence)
    declared = design_of(catalog.project, name)
    design = replace(declared, prior=prior or declared.prior, ended=card.ended)
    found = {metric.name: metric for metric in aggregates_of(catalog, scope, name).metrics}
    rows = tuple(
        row
        for metric in design.ordered_metrics
        for row in chance_rows(design, metric, found[metric.name], card.confidence)
    )
    cost = peeking_of(card)
    notes = () if cost is None else (CONSTANT.format(sentence=cost.sentence),)
    return Results(rows, card.zone, card.sql, notes)
