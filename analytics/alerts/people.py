"""What people say about alerts, checked against the project's rules and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from analytics.alerts.rows import AlertRow
from analytics.alerts.said import OPEN
from analytics.errors import ProjectError
from analytics.project import Project
from analytics.store import alerts as kept
from analytics.store.alerts import Acknowledgement, Note, Silence
from analytics.store.store import Store


def acknowledge(  # noqa: PLR0913  # one a column
    project: Project,
    store: Store,
    rows: Callable[[], Iterable[AlertRow]],
    alert: str,
    *,
    by: str,
    segment_value: str | None = None,
    note: str = "",
    firing_since: datetime | None = None,
    token: str | None = None,
) -> Acknowledgement:
    """Keep that somebody knows about what fires now; the next firing is news again.

    Args:
        project: whose rule.
        store: where it is kept.
        rows: gives its alerts as they stand; asked only where it is not known since when it fires.
        alert: the rule.
        by: who knows.
        segment_value: only this one; all of the rule where None.
        note: what they say.
        firing_since: since when it fires; as it stands where None.
        token: the same one again keeps nothing twice.

    Raises:
        ProjectError: there is no such rule, or it does not fire.
        StoreError: a text is missing or too long, or the store cannot be written.
    """
    project.declared("alerts", [alert])
    fires = [firing_since] if firing_since is not None else _since(rows(), alert, segment_value)
    if not fires:
        where = "" if segment_value is None else f" for {segment_value}"
        raise ProjectError(
            f'{project.file}: alerts: "{alert}" does not fire{where}, so there is nothing to acknowledge'
        )
    return kept.acknowledge(
        store, project=project.name, alert=alert, segment_value=segment_value, firing_since=max(fires), by=by,
        note=note, token=token,
    )  # fmt: skip


def _since(rows: Iterable[AlertRow], alert: str, segment_value: str | None) -> list[datetime]:
    return [
        row.since or row.looked_at
        for row in rows
        if row.alert == alert
        and segment_value in {None, row.segment_value}
        and row.state in {*OPEN, "silenced", "no_data"}
    ]


def silence(
    project: Project,
    store: Store,
    alert: str | None,
    *,
    by: str,
    ends_at: datetime,
    segment_value: str | None = None,
    note: str = "",
    token: str | None = None,
) -> Silence:
    """Keep that nothing is told of a rule, or of the whole project, until an instant by the wall clock.

    Raises:
        ProjectError: there is no such rule.
        StoreError: as `analytics.store.alerts.silence`.
    """
    if alert is not None:
        project.declared("alerts", [alert])
    return kept.silence(
        store, project=project.name, alert=alert, segment_value=segment_value, ends_at=ends_at, by=by, note=note,
        token=token,
    )  # fmt: skip


def add_note(
    project: Project,
    store: Store,
    alert: str | None,
    *,
    by: str,
    note: str,
    segment_value: str | None = None,
    token: str | None = None,
) -> Note:
    """Keep a note on a rule or on the whole project.

    Raises:
        ProjectError: there is no such rule.
        StoreError: as `analytics.store.alerts.add_note`.
    """
    if alert is not None:
        project.declared("alerts", [alert])
    return kept.add_note(
        store, project=project.name, alert=alert, segment_value=segment_value, note=note, by=by, token=token
    )
