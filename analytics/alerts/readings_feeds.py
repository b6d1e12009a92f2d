"""Looks at what comes, not at what it says: no prediction for so long, labels that stopped, a budget that burns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from analytics.aggregates.heard import Heard, heard_labels, heard_predictions
from analytics.alerts.asked import Asked
from analytics.alerts.conditions import Judged
from analytics.alerts.numbers import NOTHING, Number
from analytics.alerts.rows import Target
from analytics.ask.label_feed import label_feed_of
from analytics.ask.objectives import burns_of
from analytics.labels.feed import LONGER, usual_silence
from analytics.service.burn import ObjectiveRow
from analytics.telemetry.looked_rows import Look


@dataclass(frozen=True)
class Seen:
    """A look that is judged already.

    Attributes:
        look: the window that is shown, and when it was looked at.
    """

    look: Look
    target: Target
    number: Number
    judged: Judged


def silences(asked: Asked, looks: Sequence[Look]) -> Iterator[Seen]:
    """How long no prediction has come, at every look: of the whole feed, or of each version the rule names."""
    limit = asked.rule.no_data or timedelta()
    heard = heard_predictions(asked.catalog, asked.scope, by_version=bool(asked.rule.version))
    for (version, value), one in heard.items():
        for look in looks:
            if look.known_at.timestamp() <= one.first[0]:
                continue  # it had not begun
            silent = _silent(one, look.known_at)
            seen = look._replace(start=look.end - limit)
            over = silent >= limit
            yield Seen(
                seen,
                asked.target(version, value),
                _hours(silent, 0 if over else 1),
                Judged(
                    "breach" if over else "fine", limit / timedelta(hours=1), side="high" if over else None
                ),
            )


def _silent(one: Heard, at: datetime) -> timedelta:
    newest = one.newest(at)
    return at - datetime.fromtimestamp(newest if newest is not None else one.first[0], UTC)


def _hours(silent: timedelta, n: int) -> Number:
    hours = max(silent / timedelta(hours=1), 0.0)
    return Number(hours, hours, hours, n, n)


def label_silences(asked: Asked, looks: Sequence[Look]) -> Iterator[Seen]:
    """Whether each version's labels have stopped, at every look.

    The question of whether labels were to be expected is asked only where the silence is longer than usual, and not
    again while the same silence goes on.
    """
    catalog = asked.catalog
    labels = heard_labels(catalog, asked.scope)
    rows = heard_predictions(catalog, asked.scope, by_version=True)
    for (version, value), one in labels.items():
        stopped_at: float | None = None
        known: dict[datetime, float | None] = {}
        for look in sorted(looks, key=lambda each: each.known_at):
            at = look.known_at
            newest = one.newest(at)
            if newest is None:
                continue
            usual = _usual(one, at, asked.catalog.project.zone, known)
            silent = at - datetime.fromtimestamp(newest, UTC)
            number = _hours(silent, 1)
            shown = look._replace(start=min(datetime.fromtimestamp(newest, UTC), look.start), end=look.end)
            limit = LONGER * usual if usual is not None else None
            if limit is None:
                judged = Judged(
                    "unsure", reason="labels came on too few days to know how long they are usually silent"
                )
            elif silent.total_seconds() <= limit or not _came_since(rows.get((version, value)), newest, at):
                judged, stopped_at = Judged("fine", limit / 3600), None
            elif stopped_at == newest:
                judged = Judged("breach", limit / 3600, side="high")
            else:
                judged = _asked_about(asked, version, look, limit)
                stopped_at = newest if judged.seen == "breach" else None
            yield Seen(shown, asked.target(version, value), number, judged)


def _usual(one: Heard, at: datetime, zone: ZoneInfo, known: dict[datetime, float | None]) -> float | None:
    """How long labels are usually silent, by the days before this one."""
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)
    if midnight not in known:
        known[midnight] = usual_silence(one.longest_by_day(midnight))
    return known[midnight]


def _came_since(rows: Heard | None, newest: float, at: datetime) -> bool:
    """Whether predictions went on after the newest label: else no label is to be expected."""
    last = rows.newest(at) if rows is not None else None
    return last is not None and last > newest


def _asked_about(asked: Asked, version: str | None, look: Look, limit: float) -> Judged:
    scope = replace(asked.scope, by=None, as_of=look.known_at, versions=() if version is None else (version,))
    row = next((one for one in label_feed_of(asked.catalog, scope) if one.version == version), None)
    if row is None or row.silent is None:
        reason = row.reason if row is not None else None
        return Judged(
            "unsure", limit / 3600, reason=reason or "nothing tells whether labels were to be expected"
        )
    if row.silent:
        return Judged("breach", limit / 3600, side="high")
    return Judged("fine", limit / 3600, reason=row.reason)


def burns(asked: Asked, looks: Sequence[Look]) -> Iterator[Seen]:
    """The pairs of windows of an objective that belong to the rule's severity, the worst of them, at every look."""
    name = asked.rule.burn or ""
    found: dict[tuple[datetime, Target], list[ObjectiveRow]] = {}
    known_at = [look.known_at for look in looks]
    for row in burns_of(asked.catalog, asked.scope, name, known_at, asked.rule.severity):
        target = Target(row.version, row.segment, row.segment_value)
        found.setdefault((row.looked_at, target), []).append(row)
    busy = {at for (at, _), rows in found.items() if any(row.n for row in rows)}
    for (at, target), rows in found.items():
        if at in busy and not asked.rule.version and not any(row.n for row in rows):
            continue  # the others serve: this version, or value, has gone or not begun
        worst = min(rows, key=lambda row: (_ORDER.get(row.verdict or row.status, 3), -(row.value or 0.0)))
        number = Number(
            worst.value, worst.ci_low, worst.ci_high, worst.n, worst.n_bad, worst.status, worst.reason
        )
        look = Look(worst.window_start, worst.window_end, at)
        yield Seen(
            look, target, number if worst.n else replace(NOTHING, reason=worst.reason), _burning(worst)
        )


_ORDER = {"breach": 0, "unsure": 1, "fine": 2}


def _burning(row: ObjectiveRow) -> Judged:
    if row.verdict is None:
        # nobody asked: the budget neither burns nor is it safe; that nothing comes is what no_data rules are for
        return Judged("unsure", row.factor, reason=row.reason)
    side = "high" if row.verdict == "breach" else None
    return Judged(row.verdict, row.factor, side=side, reason=row.reason)


def duration_words(hours: float) -> str:
    """A silence in words.

    >>> duration_words(0.5), duration_words(3.26), duration_words(80.0)
    ('30 minutes', '3.3 hours', '3.3 days')
    """
    if hours < 1:
        return f"{round(hours * 60)} minutes"
    return f"{hours:.2g} hours" if hours < 48 else f"{hours / 24:.2g} days"
