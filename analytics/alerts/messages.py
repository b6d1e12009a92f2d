"""What is told when an alert fires or is over: plain text that says what, since when, how much, where, why, what to do.

Values out of the logs stand in these texts, and a log may hold anything: whatever would mention people, hide, look like
a link or begin a line of its own is made harmless. The only links are the app's own and the rule's runbook.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.experiments.words import listed, number
from analytics.store.outbox import Kind, Message

LONGEST_TITLE = 120
LONGEST_LINE = 500
LONGEST_ALERT = 320
MOST_ALERTS = 10
ACTIONS: dict[str, str] = {
    "wait": "wait: it is likely to pass by itself",
    "roll_back": "roll back the release",
    "retrain": "retrain",
    "relabel": "have the labels looked at",
    "fix_upstream": "have it fixed where the data come from",
    "look": "look at the evidence",
}
_APART = "\u200b"
_LINK = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*)://")
_MARKED = re.compile(r"(?<=\])(?=\()")
_HEADS: dict[Kind, str] = {
    "firing": "Firing",
    "more": "More is firing",
    "still": "Still firing, its silence is over",
    "missed": "Fired and is over",
    "over": "Over",
}


@dataclass(frozen=True)
class Place:
    """Whose alerts these are.

    Attributes:
        project: its name.
        zone: its time zone.
        base: address of the app, as people reach it; "" where it is not known.
    """

    project: str
    zone: ZoneInfo
    base: str = ""


@dataclass(frozen=True)
class Text:
    """Title and body of a message."""

    title: str
    body: str


def firing(
    place: Place, kind: Kind, incident: IncidentRow, rows: Sequence[AlertRow], new: Sequence[AlertRow]
) -> Text:
    """What is told when something fires.

    Args:
        place: whose.
        kind: firing, more of an incident that was told, or still after a silence.
        incident: what belongs together.
        rows: its alerts.
        new: those of them that were not told yet.
    """
    first = new[0] if new else rows[0]
    lines = [
        incident.sentence,
        f"Likely cause: {incident.cause or 'none found; the link shows what changed'}",
        f"What to do: {ACTIONS.get(incident.action, incident.action)}",
        f"Since {_when(incident.since, place.zone)}, last seen in the window {_window(incident, place.zone)}.",
        f"Where: {_where(incident.version, incident.segment, incident.segment_value)}",
        *_alerts(rows, new, incident.sentence),
        *_suggestions(rows),
        *_from_rule(rows),
    ]
    head = (
        f"{_HEADS[kind]} ({incident.severity}): {place.project}: {_named(incident.alerts or (first.alert,))}"
    )
    return Text(_title(head), _body(lines, (*_runbooks(rows), *_link(place, incident.evidence))))


def over(place: Place, rows: Sequence[AlertRow], gone: Sequence[str], since: datetime | None) -> Text:
    """What is told when the last alert of an incident is over.

    Args:
        place: whose.
        rows: its alerts, as they are now.
        gone: names of alerts that are not looked at any more: the rule was taken out, or what it looked at is no more.
        since: when the incident began.
    """
    names = tuple(dict.fromkeys((*(row.alert for row in rows), *gone)))
    lines = [f"{_named(names)} {'is' if len(names) == 1 else 'are'} over."]
    if since is not None:
        lines.append(f"It began {_when(since, place.zone)}.")
    lines += _alerts(rows, ())
    if gone:
        lines.append(f"Not looked at any more: {_named(tuple(dict.fromkeys(gone)))}")
    link = _link(place, rows[0].evidence) if rows else ()
    return Text(_title(f"{_HEADS['over']}: {place.project}: {_named(names)}"), _body(lines, link))


def missed(place: Place, names: Sequence[str], sentences: Sequence[str], start: datetime) -> Text:
    """What is told of alerts that fired and were over before anybody looked.

    Args:
        place: whose.
        names: of the alerts.
        sentences: what was the case when they fired.
        start: when the first of them began.
    """
    known = tuple(dict.fromkeys(names))
    lines = [
        f"{_named(known)} fired while no watcher looked, and {'is' if len(known) == 1 else 'are'} over.",
        f"It began {_when(start, place.zone)}.",
        *(f"- {sentence}" for sentence in sentences[:MOST_ALERTS]),
    ]
    page = f"Alerts: {place.base.rstrip('/')}/alerts?{urlencode({'project': place.project})}"
    return Text(_title(f"{_HEADS['missed']}: {place.project}: {_named(known)}"), _body(lines, (page,)))


def as_sent(message: Message, *, repeat: bool) -> Text:
    """A message with its number, and with a word where it may have been sent before."""
    foot = [f"Message {message.number}"]
    if repeat:
        foot.append("This may reach you twice: a sender was stopped while it was sending it.")
    return Text(message.title, "\n".join([message.body, *foot]))


def harmless(text: str, longest: int = LONGEST_LINE) -> str:
    r"""One line of text that mentions nobody, links nowhere and hides nothing, in whatever it is shown.

    >>> harmless("<!channel> @here see [x](http://evil.example)\n# now")
    '‹!channel› ＠here see [x]\u200b(http:\u200b//evil.example) # now'
    """
    plain = "".join(" " if sign in "\t\n\r" else sign for sign in text if sign in "\t\n\r" or _shown(sign))
    plain = plain.replace("<", "‹").replace(">", "›").replace("@", "＠").replace("`", "'")
    plain = _MARKED.sub(_APART, _LINK.sub(rf"\1:{_APART}//", plain))
    line = " ".join(part for part in plain.split(" ") if part)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _shown(sign: str) -> bool:
    """Whether a sign can be seen: neither a control, nor one that turns the direction, nor half of one."""
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _title(text: str) -> str:
    return harmless(text, LONGEST_TITLE)


def _body(lines: Sequence[str], links: Sequence[str]) -> str:
    return "\n".join([*map(harmless, lines), *links])


def _alerts(rows: Sequence[AlertRow], new: Sequence[AlertRow], head: str = "") -> list[str]:
    """A line an alert, what is new first; the one that the incident's own sentence is about only says its number.

    Versions of which a rule says the same, to the digits that are shown, are one line.
    """
    ordered = [*new, *(row for row in rows if row not in new)]
    several = len(new) < len(rows)
    alike: dict[object, list[AlertRow]] = {}
    for row in ordered:
        # one without a number speaks for itself
        said = (row.alert, row.segment, row.segment_value, _figures(row) or row.version, row in new)
        alike.setdefault(said, []).append(row)
    groups = list(alike.values())
    lines = [
        _alert(group, head, " (new)" if several and group[0] in new else "") for group in groups[:MOST_ALERTS]
    ]
    left = sum(map(len, groups[MOST_ALERTS:]))
    return [*lines, f"- and {left} more"] if left > 0 else lines


def _alert(group: Sequence[AlertRow], head: str, mark: str) -> str:
    """The line of an alert, or of several versions alike."""
    row = group[0]
    whole = len(group) > 1 or (row.sentence and head.startswith(row.sentence))
    said = "" if whole else row.sentence
    newest = f"{'Newest look' if said else 'newest look'}: {_figures(row)}." if _figures(row) else ""
    where = _where(row.version, row.segment, row.segment_value)
    if len(group) > 1:
        versions = listed([str(one.version) for one in group])
        where = ", ".join(filter(None, (_segment(row), f"versions {versions}")))
    text = f"- {row.alert}, {where}{mark}: "
    return harmless(text + (" ".join(filter(None, (said, newest))) or row.sentence), LONGEST_ALERT)


def _segment(row: AlertRow) -> str:
    return "" if row.segment is None else f"{row.segment} = {row.segment_value}"


def _figures(row: AlertRow) -> str:
    """The number with its interval and limit; empty where there is none."""
    if row.value is None:
        return ""
    about = row.metric if row.feature is None else f"{row.metric} of {row.feature}"
    words = f"{about} {number(row.value)}"
    if row.ci_low is not None and row.ci_high is not None:
        words += f" ({number(row.ci_low)} to {number(row.ci_high)})"
    limit = "" if row.threshold is None else f", limit {number(row.threshold)}"
    return f"{words}{limit}, n = {row.n:,}"


def _where(version: str | None, segment: str | None, value: str | None) -> str:
    parts = [] if segment is None else [f"{segment} = {value}"]
    if version is not None:
        parts.append(f"version {version}")
    return ", ".join(parts) or "everywhere"


def _suggestions(rows: Sequence[AlertRow]) -> list[str]:
    words = {"retrain": "the rule suggests to retrain", "roll_back": "the rule suggests to roll back"}
    found = dict.fromkeys(f"{row.alert}: {words[row.suggest]}" for row in rows if row.suggest is not None)
    return [f"Suggested: {listed(list(found))}"] if found else []


def _from_rule(rows: Sequence[AlertRow]) -> list[str]:
    notes = dict.fromkeys(row.note for row in rows if row.note)
    return [f"Note of the rule: {note}" for note in notes]


def _runbooks(rows: Sequence[AlertRow]) -> tuple[str, ...]:
    return tuple(f"Runbook: {book}" for book in dict.fromkeys(row.runbook for row in rows if row.runbook))


def _link(place: Place, path: str) -> tuple[str, ...]:
    """The link with the whole scope; without the app's address, the path alone."""
    return (f"Evidence: {place.base.rstrip('/')}{path}",)


def _named(names: Sequence[str]) -> str:
    return listed(list(names)) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _window(incident: IncidentRow, zone: ZoneInfo) -> str:
    start, end = incident.window_start.astimezone(zone), incident.window_end.astimezone(zone)
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
