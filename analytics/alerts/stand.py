"""Every rule of a project at one instant, and the incidents that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from analytics.alerts.check import Stood, in_order, names_of, stood_at, with_incidents
from analytics.alerts.incidents import incident_rows
from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.ask.kept import kept
from analytics.results import Results
from analytics.telemetry.catalog import Catalog


@dataclass(frozen=True)
class Standing:
    """Alerts, what fires first, and incidents, the most urgent first."""

    alerts: Results[AlertRow]
    incidents: Results[IncidentRow]


def standing_at(
    catalog: Catalog, at: datetime, names: tuple[str, ...] = (), *, replayed: bool = False
) -> Standing:
    """The same from memory where it was asked before, of the same logs."""
    key = ("standing of alerts", at, names, replayed)
    return kept(catalog, key, Standing, lambda: standing_of(catalog, at, names, replayed=replayed))


def standing_of(
    catalog: Catalog, at: datetime, names: Iterable[str] = (), *, replayed: bool = False
) -> Standing:
    """How all rules (or those named) stand at an instant.

    Args:
        catalog: the project's views.
        at: nothing later is known.
        names: only these rules.
        replayed: whether the instant lies in the past, so that evidence has to be shown as it was known.

    Raises:
        ProjectError: no rule is declared, one that is named is not, or one asks for what the logs do not hold.
    """
    stood = [stood_at(catalog, name, at, replayed=replayed) for name in names_of(catalog, names)]
    rows = [row for one in stood for row in one.rows]
    episodes = [episode for one in stood for episode in one.episodes]
    incidents, numbers = incident_rows(rows, episodes, {one.asked.name: one.asked for one in stood})
    zone = catalog.project.zone
    return Standing(
        Results(in_order(with_incidents(rows, numbers)), zone, notes=_silent(stood)), Results(incidents, zone)
    )


def _silent(stood: Iterable[Stood]) -> tuple[str, ...]:
    names = [one.asked.name for one in stood if not one.rows]
    return tuple(f"{name}: the logs hold no window to look at yet" for name in names)
