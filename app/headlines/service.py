"""First line of the Service page: what burns, what fails or waits more than before, or that all is as it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.durations import format_duration
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ServiceRow
from app.formats import count, in_window, interval, number, percent, plural
from app.headlines.verdict import Verdict

CLEAR = 0.1
"""A change below this share of what was before is not worth a sentence."""
SMALLEST_SHARE = 0.001
_WIDENING = 1.2214
"""Three comparisons are made, each at 1 - .05 / 3: the ratio of the normal quantiles."""
_MINUTE, _HOUR = 60.0, 3600.0


class Moved(NamedTuple):
    """A difference of two windows with its interval."""

    value: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether its interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def moved(now: ServiceRow | None, before: ServiceRow | None, metric: str) -> Moved | None:
    """The change of a metric of the service against the window before; None where one has no interval.

    Each end adds the squared distances of both to the limits that lie that way (MOVER, Zou and Donner 2008), wide
    enough for three comparisons at once.
    """
    if now is None or before is None:
        return None
    ends = [getattr(row, f"{metric}{end}") for row in (now, before) for end in ("", "_ci_low", "_ci_high")]
    if any(end is None for end in ends):
        return None
    value, low, high, base, base_low, base_high = ends
    down = _WIDENING * math.hypot(value - low, base_high - base)
    up = _WIDENING * math.hypot(high - value, base - base_low)
    return Moved(value - base, value - base - down, value - base + up)


def service_verdict(
    now: ServiceRow | None,
    before: ServiceRow | None,
    objectives: Sequence[ObjectiveRow] = (),
    *,
    zone: ZoneInfo,
) -> Verdict:
    """What is the case with one version.

    Args:
        now: the window.
        before: the window of equal length before it.
        objectives: as they stand at the window's end.
        zone: of times.
    """
    if now is None or not now.n:
        return _silence(now, before, zone)
    burning = sorted(
        (row for row in objectives if row.verdict == "breach"),
        key=lambda row: (row.severity != "page", row.pair),
    )
    if burning:
        return Verdict("worse", _burns(burning))
    for metric, say in (("error_rate", _errors), ("latency_p95", _latency)):
        change = moved(now, before, metric)
        if change is not None and before is not None and change.sure and _clear(change, before, metric):
            return Verdict(
                "worse" if change.value > 0 else "better", f"{say(now, before)} {_all_in_all(now)}"
            )
    load = moved(now, before, "request_rate")
    if load is not None and before is not None and load.sure and _clear(load, before, "request_rate"):
        share = abs(load.value) / (before.request_rate or 1.0)
        word = "more" if load.value > 0 else "fewer"
        said = f"{percent(share)} {word} requests than in the window before: {rate_words(now.request_rate or 0.0)}."
        return Verdict("changed", f"{said} {_all_in_all(now)}")
    if before is None or not before.n:
        return Verdict("unknown", f"{_all_in_all(now)} There is no window before it to compare with.")
    return Verdict("same", f"{_all_in_all(now)} Nothing moved against the window before.")


def _silence(now: ServiceRow | None, before: ServiceRow | None, zone: ZoneInfo) -> Verdict:
    if now is None:
        return Verdict("unknown", "There are no windows to look at.")
    said = f"No request came {in_window(now.window_start, now.window_end, zone)}"
    if before is not None and before.n:
        return Verdict("worse", f"{said}; {plural(before.n, 'request')} came in the window before.")
    return Verdict("unknown", f"{said}, nor in the window before.")


def _burns(burning: Sequence[ObjectiveRow]) -> str:
    row = burning[0]
    length = format_duration(row.window_end - row.window_start)
    said = (
        f"“{row.objective}” burns: {percent(row.n_bad / row.n)} of {plural(row.n, 'request')} were bad in the last "
        f"{length}, {number(row.value)} times what its target of {percent(row.target)} allows "
        f"({interval(row.ci_low, row.ci_high)}; the limit is {number(row.factor)})."
    )
    others = sorted({other.objective for other in burning} - {row.objective})
    return f"{said} So {'do' if len(others) > 1 else 'does'} {_named(others)}." if others else said


def _named(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names[:4]]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(quoted)}{more}"


def _clear(change: Moved, before: ServiceRow, metric: str) -> bool:
    base = getattr(before, metric) or 0.0
    least = SMALLEST_SHARE if metric == "error_rate" else 0.0
    return abs(change.value) >= max(CLEAR * base, least)


def _errors(now: ServiceRow, before: ServiceRow) -> str:
    limits = interval(now.error_rate_ci_low, now.error_rate_ci_high, share=True)
    word = "More" if (now.error_rate or 0.0) > (before.error_rate or 0.0) else "Fewer"
    return (
        f"{word} requests fail: {percent(now.error_rate)} ({limits}), against {percent(before.error_rate)} in the "
        "window before."
    )


def _latency(now: ServiceRow, before: ServiceRow) -> str:
    limits = interval(now.latency_p95_ci_low, now.latency_p95_ci_high)
    word = "Slower" if (now.latency_p95 or 0.0) > (before.latency_p95 or 0.0) else "Faster"
    return (
        f"{word}: 95% of the answers took up to {number(now.latency_p95)} ({limits}), against "
        f"{number(before.latency_p95)} in the window before."
    )


def _all_in_all(now: ServiceRow) -> str:
    parts = [f"{count(now.n)} requests" if now.n != 1 else "1 request"]
    if now.error_rate is not None:
        parts.append(f"{percent(now.error_rate)} failed" if now.error_rate else "none failed")
    if now.latency_p50 is not None:
        parts.append(f"half were answered within {number(now.latency_p50)}")
    return f"{', '.join(parts)}."


def rate_words(rate: float) -> str:
    """A rate a second as people say it.

    >>> rate_words(12.3), rate_words(0.2), rate_words(0.0033)
    ('12.3 a second', '12.0 a minute', '11.9 an hour')
    """
    if rate >= 1:
        return f"{number(rate)} a second"
    if rate * _MINUTE >= 1:
        return f"{number(rate * _MINUTE)} a minute"
    return f"{number(rate * _HOUR)} an hour"


def rate_short(rate: float) -> str:
    """The same where there is little room.

    >>> rate_short(12.3), rate_short(0.2), rate_short(0.0033)
    ('12.3/s', '12.0/min', '11.9/h')
    """
    said = rate_words(rate)
    for long, unit in ((" a second", "/s"), (" a minute", "/min"), (" an hour", "/h")):
        said = said.replace(long, unit)
    return said


def period_words(row: ObjectiveRow, length: timedelta) -> str:
    """What was promised and what was kept.

    Args:
        row: of the period.
        length: of the period.
    """
    limits = interval(row.good_share_ci_low, row.good_share_ci_high, share=True)
    kept = f"{percent(row.good_share)} good ({limits}) of {count(row.n)} in {format_duration(length)}"
    return f"{kept}; {percent(row.target)} promised"
