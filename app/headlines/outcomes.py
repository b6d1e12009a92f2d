"""First line of the Metrics page: which metric left its target, else which one moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.changes.rows import ChangeRow
from analytics.outcomes.rows import OutcomeRow, served
from analytics.project import SHARES, Release
from app.formats import day, in_window, interval, listed, local, number, percent, plural
from app.headlines.verdict import Verdict

_MOVED = ("sudden", "gradual", "changed")
_NAMES = 4


def outcomes_verdict(
    rows: Sequence[OutcomeRow],
    changes: Sequence[ChangeRow],
    releases: Sequence[Release] = (),
    *,
    zone: ZoneInfo,
) -> Verdict:
    """What is the case with the metrics: off target first, then moved for the worse, then any other move.

    Args:
        rows: of windows, of one population.
        changes: one a metric.
        releases: named where one falls on the day of a change.
        zone: of days.
    """
    judged = {row.field: row for row in changes if row.kind is not None}
    newest = {
        name: row for name in dict.fromkeys(row.metric for row in rows) if (row := newest_of(rows, name))
    }
    if not newest:
        reason = next((row.reason for row in rows if row.reason), "there are no windows to look at")
        return Verdict("unknown", f"How the metrics do cannot be told: {reason}.")
    missed = [name for name, row in newest.items() if row.reached == "missed"]
    worse = sorted((row for row in judged.values() if row.worse), key=_p)
    moved = sorted((row for row in judged.values() if row.kind in _MOVED), key=_p)
    if missed:
        fell = {row.field for row in worse}
        first = min(missed, key=lambda name: (name not in fell, list(newest).index(name)))
        return Verdict("worse", _missed(rows, first, missed, worse, releases, zone))
    if worse:
        return Verdict("worse", _all_moved(worse, newest, releases, zone, "also moved for the worse"))
    if moved:
        said = _all_moved(moved, newest, releases, zone, "moved as well")
        return Verdict("better" if moved[0].worse is False else "changed", said)
    if judged:
        return Verdict("same", f"No metric moved beyond chance.{_targets(newest)}")
    why = next((row.reason for row in changes if row.reason), "it takes 28 days with a value")
    return Verdict("unknown", f"Whether a metric moved cannot be told: {why}.{_targets(newest)}")


def _all_moved(
    moved: Sequence[ChangeRow],
    newest: dict[str, OutcomeRow],
    releases: Sequence[Release],
    zone: ZoneInfo,
    also: str,
) -> str:
    said = _moved(moved[0], newest.get(moved[0].field), releases, zone)
    return f"{said}.{_others([row.field for row in moved[1:]], also)}{_targets(newest)}"


def newest_of(rows: Sequence[OutcomeRow], metric: str) -> OutcomeRow | None:
    """The last window of a metric that is whole and has a value."""
    known = [row for row in served([row for row in rows if row.metric == metric]) if row.status == "ok"]
    return known[-1] if known else None


def shown(row: OutcomeRow, value: float | None) -> str:
    """A value as people read it."""
    return percent(value) if row.kind in SHARES else number(value)


def with_interval(row: OutcomeRow) -> str:
    """Value and interval.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 1, tzinfo=UTC)
    >>> known = (None, None, None, 0.25, 0.2, 0.3, 400, 900, 0, None, None, "units", "ok", None)
    >>> with_interval(OutcomeRow(day, day, "buyers", "proportion", "events", "up", *known))
    '25% (20% to 30%)'
    """
    return f"{shown(row, row.value)} ({interval(row.ci_low, row.ci_high, share=row.kind in SHARES)})"


def _missed(
    rows: Sequence[OutcomeRow],
    first: str,
    missed: Sequence[str],
    worse: Sequence[ChangeRow],
    releases: Sequence[Release],
    zone: ZoneInfo,
) -> str:
    row = newest_of(rows, first)
    if row is None:
        return ""
    when = in_window(row.window_start, row.window_end, zone)
    text = f"{first} misses its target of {shown(row, row.target)}: {with_interval(row)} {when}"
    since = _since(rows, first)
    if since is not None and since < row.window_start:
        text += f", and has since {day(local(since, zone))}"
    change = next((found for found in worse if found.field == first), None)
    if change is not None and change.kind == "sudden":
        text += f"; it {_went(change, row)} {_about(change, releases, zone)}"
    also = _others(
        [name for name in missed if name != first], "miss their targets too", one="misses its target too"
    )
    others = _others(
        [found.field for found in worse if found.field not in missed],
        "moved for the worse",
        one="moved for the worse",
    )
    return f"{text}.{also}{others}"


def _since(rows: Sequence[OutcomeRow], metric: str) -> datetime | None:
    """The start of the windows in a row, up to the newest, that miss the target."""
    known = [row for row in served([row for row in rows if row.metric == metric]) if row.status == "ok"]
    since = None
    for row in reversed(known):
        if row.reached != "missed":
            break
        since = row.window_start
    return since


def _moved(change: ChangeRow, row: OutcomeRow | None, releases: Sequence[Release], zone: ZoneInfo) -> str:
    if row is None:
        return f"{change.field} moved"
    if change.kind == "gradual":
        move = change.trend_per_month or 0.0
        return f"{change.field} {'falls' if move < 0 else 'rises'} by {shown(row, abs(move))} a month"
    return f"{change.field} {_went(change, row)} {_about(change, releases, zone)}"


def _went(change: ChangeRow, row: OutcomeRow) -> str:
    fell = (change.difference or 0.0) < 0
    return (
        f"{'fell' if fell else 'rose'} from {shown(row, change.before)} to {shown(row, change.after)} a day"
    )


def _about(change: ChangeRow, releases: Sequence[Release], zone: ZoneInfo) -> str:
    if change.change_at is None:
        return "on no single day"
    date = local(change.change_at, zone)
    live = [release.version for release in releases if local(release.timestamp, zone).date() == date.date()]
    if live:
        return f"on {day(date)}, the day {listed(live)} went live"
    if (
        change.change_low is not None
        and change.change_high is not None
        and change.change_low < change.change_high
    ):
        low, high = (day(local(moment, zone)) for moment in (change.change_low, change.change_high))
        return f"about {day(date)} ({low} to {high})"
    return f"on {day(date)}"


def _others(names: Sequence[str], many: str, one: str | None = None) -> str:
    if not names:
        return ""
    shown_names = (
        listed(list(names[:_NAMES]))
        if len(names) <= _NAMES
        else (f"{', '.join(names[:_NAMES])} and {plural(len(names) - _NAMES, 'other')}")
    )
    return f" {shown_names} {one if one is not None and len(names) == 1 else many}."


def _targets(newest: dict[str, OutcomeRow]) -> str:
    with_target = [row for row in newest.values() if row.target is not None]
    if not with_target:
        return ""
    met = sum(row.reached == "met" for row in with_target)
    if met == len(with_target):
        return f" {'The target is' if met == 1 else f'All {met} targets are'} met."
    return f" {met} of {plural(len(with_target), 'target')} surely met; of the others it cannot be told."


def _p(row: ChangeRow) -> float:
    return row.p_adjusted if row.p_adjusted is not None else 1.0
