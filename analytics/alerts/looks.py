"""When a rule is looked at, and at which window: windows end at whole multiples of its cadence.

A window whose number needs labels is looked at when 95 % of the labels that ever come have had time to come, as that
was known then; until then it is waiting. So the instant at which a window is judged follows from the logs alone,
whoever asks, and a check that runs later, or twice, judges the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.telemetry.looked_rows import Look

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday."""
_FIRST_DAYS = (1, 2, 4, 7, 14, 28)
"""Days after the first row at which the delay of labels is learned; every four weeks from then on."""


class Window(NamedTuple):
    """A stretch of time that a rule looks at; its end excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Usual:
    """By when 95 % of labels have come, as known from an instant on.

    Attributes:
        learn: reads it; None where no label had come. Asked only where a window needs it.
    """

    known_from: datetime
    learn: Callable[[datetime], timedelta | None]

    @cached_property
    def delay(self) -> timedelta | None:
        """How long, as known then."""
        return self.learn(self.known_from)


def windows_until(window: timedelta, cadence: timedelta, zone: ZoneInfo, until: datetime) -> Iterator[Window]:
    """The windows that end at or before an instant, the newest first, without end.

    >>> first = next(windows_until(DAY, DAY, ZoneInfo("Europe/Berlin"), datetime(2026, 3, 1, 12, tzinfo=UTC)))
    >>> first.start.isoformat(), first.end.isoformat()
    ('2026-02-27T23:00:00+00:00', '2026-02-28T23:00:00+00:00')
    """
    for end in _ends(cadence, zone, until):
        yield Window(minus(end, window, zone), end)


def minus(moment: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """An instant so much earlier: whole days by the calendar of the zone, all else by the clock."""
    if length % DAY:
        return moment - length
    local = moment.astimezone(zone).replace(tzinfo=None) - length
    return local.replace(tzinfo=zone).astimezone(UTC)


def _ends(cadence: timedelta, zone: ZoneInfo, until: datetime) -> Iterator[datetime]:
    if cadence % DAY == timedelta(0):
        yield from _midnights(cadence // DAY, zone, until)
    elif cadence > HOUR and DAY % cadence == timedelta(0):
        yield from _parts_of_days(cadence, zone, until)
    else:
        end = until.astimezone(UTC) - (until - _EPOCH) % cadence
        while True:
            yield end
            end -= cadence


def _midnights(days: int, zone: ZoneInfo, until: datetime) -> Iterator[datetime]:
    day = until.astimezone(zone).date()
    # the first Monday of the calendar is day 1: weeks begin on Mondays
    day -= timedelta(days=(day.toordinal() - 1) % days)
    while True:
        yield datetime.combine(day, time(), zone).astimezone(UTC)
        day -= timedelta(days=days)


def _parts_of_days(cadence: timedelta, zone: ZoneInfo, until: datetime) -> Iterator[datetime]:
    local = until.astimezone(zone).replace(tzinfo=None)
    midnight = datetime.combine(local.date(), time())
    local = midnight + (local - midnight) // cadence * cadence
    before: datetime | None = None
    while True:
        end = local.replace(tzinfo=zone).astimezone(UTC)
        # where clocks change, an hour that is not there and the one after it are the same instant
        if end <= until and (before is None or end < before):
            yield end
            before = end
        local -= cadence


def learned_at(first: datetime, zone: ZoneInfo, until: datetime) -> tuple[datetime, ...]:
    """Instants at which the delay of labels is learned anew: often at the beginning, then every four weeks."""
    day = first.astimezone(zone).date()
    found = []
    for after in (*_FIRST_DAYS, *range(56, (until - first).days + 28, 28)):
        at = datetime.combine(day + timedelta(days=after), time(), zone).astimezone(UTC)
        if at <= until:
            found.append(at)
    return tuple(found)


def looked_at(window: Window, usual: Sequence[Usual], cadence: timedelta, until: datetime) -> datetime | None:
    """When a window whose number needs labels is judged; None where that is not yet the case at ``until``.

    The delay is the one known at that instant: where it becomes shorter, windows that wait are judged at once.
    """
    step = HOUR if cadence >= HOUR else timedelta(minutes=5)
    for place, one in enumerate(usual):
        ends = usual[place + 1].known_from if place + 1 < len(usual) else None
        if (ends is not None and ends <= window.end) or one.delay is None:
            continue
        at = max(_rounded_up(window.end + one.delay, step), one.known_from)
        if ends is None or at < ends:
            return at if at <= until else None
    return None


def _rounded_up(moment: datetime, step: timedelta) -> datetime:
    return moment + (_EPOCH - moment) % step


def look(window: Window, known_at: datetime) -> Look:
    """A window with the instant whose knowledge counts."""
    return Look(window.start, window.end, known_at)
