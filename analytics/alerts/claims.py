"""The likeliest cause of an incident, from what changed in the logs: the first row of ``causes``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.alerts.stand import Standing, standing_at
from analytics.ask.causes import causes_of
from analytics.ask.kept import kept
from analytics.errors import AssayError
from analytics.results import Results
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog

MOST = 3
"""Incidents whose cause is looked for, the most urgent first: each one is a search through the logs."""
LONGEST = timedelta(days=7)


def claims_of(
    catalog: Catalog, at: datetime, names: tuple[str, ...] = (), *, replayed: bool = False
) -> Results[IncidentRow]:
    """What fires at an instant, by what belongs together, each with its likeliest cause; kept.

    Args:
        catalog: the project's views.
        at: nothing later is known.
        names: only these rules.
        replayed: whether the instant lies in the past.
    """

    def ask() -> Results[IncidentRow]:
        return with_claims(catalog, standing_at(catalog, at, names, replayed=replayed), at, replayed=replayed)

    return kept(catalog, ("incidents of alerts", at, names, replayed), Results, ask)


def with_claims(
    catalog: Catalog, standing: Standing, at: datetime, *, replayed: bool
) -> Results[IncidentRow]:
    """Incidents with the likeliest cause, where one is found; else as the rules themselves say it."""
    found = [
        _claimed(catalog, one, standing.alerts, at, replayed=replayed) if place < MOST else one
        for place, one in enumerate(standing.incidents)
    ]
    return replace(standing.incidents, rows=tuple(found))


def _claimed(
    catalog: Catalog, incident: IncidentRow, alerts: Results[AlertRow], at: datetime, *, replayed: bool
) -> IncidentRow:
    head = next(
        (row for row in alerts if row.incident == incident.incident and row.alert == incident.alerts[0]), None
    )
    if head is None or not catalog.has_predictions:
        return incident
    scope = Scope(
        start=max(incident.since, incident.window_end - LONGEST),
        end=incident.window_end,
        as_of=at if replayed else None,
        versions=() if head.version is None else (head.version,),
        filters=_filters(incident),
    )
    try:
        causes = causes_of(catalog, scope, None, None, 1, at)
        if not causes and scope.versions:
            # a version that has just begun has no days before it: all versions together tell what changed with it
            causes = causes_of(catalog, replace(scope, versions=()), None, None, 1, at)
    except AssayError:
        # a scope that causes cannot be asked of (too young a log, no such version): the rules' own words stand
        return incident
    if not causes:
        return incident
    first = causes[0]
    action = incident.action if incident.action in {"retrain", "roll_back"} else first.action
    return replace(incident, cause=first.sentence, action=action)


def _filters(incident: IncidentRow) -> tuple[Filter, ...]:
    if incident.segment is None or incident.segment_value is None:
        return ()
    return (Filter("segment", incident.segment, incident.segment_value),)
