"""Durations as people write them: ``7 days``, ``90 minutes``, ``2h``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "m": "minutes", "min": "minutes", "minute": "minutes",
    "h": "hours", "hour": "hours", "d": "days", "day": "days", "w": "weeks", "week": "weeks",
}  # fmt: skip
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    >>> parse_duration("7 days"), parse_duration("90min")
    (datetime.timedelta(days=7), datetime.timedelta(seconds=5400))

    Raises:
        ValueError: the text is not a number with a unit.
    """
    match = _PATTERN.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) or _UNITS.get(match[2].lower() + "s") if match else None
    if match is None or unit is None:
        raise ValueError(f'"{text}" is not a duration; write a number and seconds, minutes, hours, days or weeks')
    return timedelta(**{unit: float(match[1])})
