"""Limits to try in place of a rule's own, the most sensitive first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analytics.alerts.rows import Reading
from analytics.project import Alert

MOST_LIMITS = 400
_SILENCES = (0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 120, 168)
"""Hours without data."""


@dataclass(frozen=True)
class Ladder:
    """Limits and the rules that have them, from the most sensitive to the one that never fires.

    Attributes:
        key: which key of the rule it is.
        limits: in the key's unit; of no_data in hours.
    """

    key: str
    limits: tuple[float, ...]
    rules: tuple[Alert, ...]


def ladder_of(rule: Alert, readings: Sequence[Reading]) -> Ladder | str:
    """The limits at which the readings of a rule would be told otherwise; or why there are none."""
    kind = rule.conditions[0]
    if len(rule.conditions) > 1:
        return "it has two limits, and pages can be had by moving either; look back at a rule with one"
    if kind == "no_data":
        return _ladder(rule, kind, _SILENCES)
    if kind in {"labels_stopped", "burn"}:
        return f"{kind} has no limit that could be moved"
    if kind == "below":
        return _ladder(rule, kind, _steps((one.ci_high for one in readings), up=True))
    if kind == "above":
        return _ladder(rule, kind, _steps((one.ci_low for one in readings), up=False))
    key = kind if kind == "worse_than_reference_by" else "tolerance"
    moves = sorted({
        _rounded(abs(one.value - one.baseline))
        for one in readings
        if one.value is not None and one.baseline is not None
    })  # fmt: skip
    return (
        _ladder(rule, key, _thinned([0.0, *moves])) if moves else "no window could be compared with anything"
    )


def _ladder(rule: Alert, key: str, limits: Iterable[float]) -> Ladder | str:
    found = tuple(limits)
    if not found:
        return "no window of the first half has a number with an interval"
    wrap = (lambda hours: timedelta(hours=hours)) if key == "no_data" else float
    return Ladder(key, found, tuple(rule.model_copy(update={key: wrap(limit)}) for limit in found))


def _steps(bounds: Iterable[float | None], *, up: bool) -> list[float]:
    """Limits just beyond each bound and one beyond all, rounded so that a person could write them."""
    known = {bound for bound in bounds if bound is not None and math.isfinite(bound)}
    rounded = sorted({_rounded(bound) for bound in known}, reverse=up)
    return _thinned(rounded)


def _thinned(limits: Sequence[float]) -> list[float]:
    if len(limits) <= MOST_LIMITS:
        return list(limits)
    step = (len(limits) - 1) / (MOST_LIMITS - 1)
    return [limits[round(place * step)] for place in range(MOST_LIMITS)]


def _rounded(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")
