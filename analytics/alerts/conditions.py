"""What a look says: whether the whole interval lies beyond the limit, within it, or astride of it.

Pure functions of numbers. `Judged.ci_low` and `ci_high` belong to `value`; of rules that compare, `value` is the number
itself and what is judged is the difference, with its own interval, against what is tolerated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.alerts.numbers import Better, Number
from analytics.alerts.rows import Seen
from analytics.stats.differences import Difference, magnitude, recovered
from analytics.stats.intervals import Interval, normal_quantile
from analytics.stats.seasonal_forecast import forecast

_ASTRIDE = "the interval holds the limit: neither beyond it nor within it"


@dataclass(frozen=True)
class Judged:
    """What a look says and why.

    Attributes:
        threshold: the limit of the number that was judged.
        baseline: what it was compared with.
        difference: that was judged, where the rule compares.
        side: ``low`` or ``high``, the side on which it lies beyond; None where it does not.
        expected: the interval of what was expected, of an anomaly.
    """

    seen: Seen
    threshold: float | None = None
    baseline: float | None = None
    difference: Difference | None = None
    side: str | None = None
    expected: tuple[float, float] | None = None
    reason: str | None = None


def unknown(number: Number, minimum: int) -> Judged | None:
    """What a number that is not there, or stands on too few rows, says; None where it can be judged."""
    if number.status == "no_data":
        return Judged("no_data", reason=number.reason)
    if number.status == "immature":
        return Judged("waiting", reason=number.reason)
    if number.known is None:
        return Judged("unsure", reason=number.reason or "has no value")
    if number.n_used < minimum:
        return Judged("unsure", reason=f"{number.n_used:,} rows; at least {minimum:,} are asked for")
    return None


def outside_limits(number: Number, below: float | None, above: float | None) -> Judged:
    """A number against fixed limits.

    >>> outside_limits(Number(0.6, 0.55, 0.64, 100, 100), 0.65, None).seen
    'breach'
    >>> outside_limits(Number(0.6, 0.55, 0.66, 100, 100), 0.65, None).seen
    'unsure'
    """
    known = number.known
    if known is None:
        raise ValueError("only a number can be judged")
    _, low, high = known
    if below is not None and high < below:
        return Judged("breach", below, side="low")
    if above is not None and low > above:
        return Judged("breach", above, side="high")
    within = (below is None or low >= below) and (above is None or high <= above)
    nearest = _nearest(known[0], below, above)
    return Judged("fine", nearest) if within else Judged("unsure", nearest, reason=_ASTRIDE)


def _nearest(value: float, below: float | None, above: float | None) -> float | None:
    limits = [limit for limit in (below, above) if limit is not None]
    return min(limits, key=lambda limit: abs(limit - value)) if limits else None


def moved(number: Number, other: Number, better: Better, tolerance: float) -> Judged:
    """A number against another one: for the worse by more than is tolerated; either way where neither is worse.

    >>> moved(Number(0.6, 0.55, 0.65, 100, 100), Number(0.8, 0.79, 0.81, 1000, 1000), "higher", 0.05).seen
    'breach'
    """
    one, two = number.known, other.known
    if one is None:
        raise ValueError("only a number can be judged")
    if two is None:
        reason = other.reason or "nothing to compare with"
        return Judged("unsure", reason=f"nothing to compare with: {reason}")
    value, limits = one[0], Interval(*one[1:])
    base, bases = two[0], Interval(*two[1:])
    if better == "zero":
        size, sizes = magnitude(value, limits)
        other_size, other_sizes = magnitude(base, bases)
        found = recovered(size, sizes, other_size, other_sizes)
    else:
        found = recovered(value, limits, base, bases)
    return _beyond(found, better, tolerance, base, two)


def _beyond(
    found: Difference, better: Better, tolerance: float, base: float, known: tuple[float, ...]
) -> Judged:
    up_counts, down_counts = better != "higher", better in {"higher", "none"}
    threshold = _limit(found, better, tolerance, base)
    if up_counts and found.low > tolerance:
        return Judged("breach", threshold, base, found, "high", known[1:3])  # type: ignore[arg-type]
    if down_counts and found.high < -tolerance:
        return Judged("breach", threshold, base, found, "low", known[1:3])  # type: ignore[arg-type]
    fine = (not up_counts or found.high <= tolerance) and (not down_counts or found.low >= -tolerance)
    # where no change at all is tolerated, no interval can show that none is there: one that holds 0 must do, or what
    # fired once would fire for good
    if fine or (tolerance == 0 and found.low <= 0 <= found.high):
        return Judged("fine", threshold, base, found)
    return Judged(
        "unsure", threshold, base, found, reason="the interval of the change holds what is tolerated"
    )


def _limit(found: Difference, better: Better, tolerance: float, base: float) -> float | None:
    """The number beyond which more than the tolerated change lies."""
    match better:
        case "higher":
            return base - tolerance
        case "lower":
            return base + tolerance
        case "zero":
            return abs(base) + tolerance
        case "none":
            return base + tolerance if found.value >= 0 else base - tolerance


@dataclass(frozen=True)
class Likely:
    """How an anomaly is judged.

    Attributes:
        better: which side counts; both where neither is worse.
        confidence: of the interval that holds the next window.
        tolerance: how far beyond it is tolerated.
        least: the least the number can be; None where it may be anything.
    """

    better: Better
    confidence: float
    tolerance: float = 0.0
    least: float | None = None


def unlikely(number: Number, earlier: Sequence[tuple[int, Number]], place: int, how: Likely) -> Judged:
    """A number against what the season makes likely.

    Args:
        number: of the window that is looked at.
        earlier: place in the season and number of earlier windows.
        place: of the window.
        how: it is judged.
    """
    known = number.known
    if known is None:
        raise ValueError("only a number can be judged")
    z = normal_quantile(how.confidence)
    told = [(k, one.known) for k, one in earlier if one.known is not None]
    expected = forecast(
        [one[0] for _, one in told],
        [k for k, _ in told],
        [_variance(one, z) for _, one in told],
        place,
        _variance(known, z),
        how.confidence,
    )
    if expected is None:
        same = sum(k == place for k, _ in told)
        reason = (
            f"{len(told)} earlier windows, {same} of them like this one, are too few to know what is usual"
        )
        return Judged("unsure", reason=reason)
    value = known[0]
    least = expected.low if how.least is None else max(expected.low, how.least)
    low, high = least - how.tolerance, expected.high + how.tolerance
    off = Difference(value - expected.value, value - expected.high, value - least)
    up_counts, down_counts = how.better != "higher", how.better in {"higher", "none", "zero"}
    limit = high if value >= expected.value else low
    between = (least, expected.high)
    if up_counts and value > high:
        return Judged("breach", high, expected.value, off, "high", between)
    if down_counts and value < low:
        return Judged("breach", low, expected.value, off, "low", between)
    return Judged("fine", limit, expected.value, off, None, between)


def _variance(known: tuple[float, float, float], z: float) -> float:
    """Of the sampling error, from an interval; 0 where an end is not known."""
    half = (known[2] - known[1]) / 2 / z
    return half**2 if math.isfinite(half) else 0.0
