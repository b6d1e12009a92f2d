"""Durations as people write them: ``7 days``, ``90 minutes``, ``2h``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "seconds": ("s", "sec", "secs", "second", "seconds"),
    "minutes": ("m", "min", "mins", "minute", "minutes"),
    "hours": ("h", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "week", "weeks"),
}
_NAMES = {written: unit for unit, names in _UNITS.items() for written in names}
_PATTERN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    >>> parse_duration("7 days"), parse_duration("90min")
    (datetime.timedelta(days=7), datetime.timedelta(seconds=5400))

    Raises:
        ValueError: the text is not a number with a unit, or too long to count.
    """
    match = _PATTERN.fullmatch(text)
    unit = _NAMES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(
            f'"{text}" is not a duration; write a number and seconds, minutes, hours, days or weeks'
        )
    try:
        return timedelta(**{unit: float(match[1])})
    except OverflowError:
        raise ValueError(f'"{text}" is longer than time can be counted') from None


def format_duration(duration: timedelta) -> str:
    """A duration in the largest unit it is a whole number of.

    >>> format_duration(timedelta(days=14)), format_duration(timedelta(hours=1)), format_duration(timedelta(minutes=90))
    ('14 days', '1 hour', '90 minutes')
    """
    for unit in ("days", "hours", "minutes"):
        count, rest = divmod(duration, timedelta(**{unit: 1}))
        if not rest:
            return f"{count} {unit if count != 1 else unit[:-1]}"
    return f"{duration.total_seconds():g} seconds"
