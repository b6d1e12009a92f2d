"""The windows a question is about: open ends filled from the logs, cut by the grain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from analytics.errors import ScopeError
from analytics.scope import Interval, Scope, Window, cut, is_interval
from analytics.telemetry.catalog import Catalog, Source

MOST_WINDOWS = 5_000


def resolve(catalog: Catalog, scope: Scope) -> tuple[Scope, tuple[Window, ...]]:
    """Fill open ends with the first and last local day with data, and cut the stretch into windows.

    Returns:
        The scope with both ends set, and its windows; no windows where the logs hold no row at all.

    Raises:
        ScopeError: the window is empty, or there are more windows than anybody can read.
    """
    if scope.start is not None and scope.end is not None:
        return _cut(catalog, scope)
    if catalog.extent is None:
        return scope, ()
    zone = catalog.project.zone
    first, last = (moment.astimezone(zone).date() for moment in catalog.extent)
    start = scope.start or datetime.combine(first, time(), zone).astimezone(UTC)
    end = scope.end or datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    if start >= end:
        raise ScopeError(
            f"no data in the window: the logs run from {first.isoformat()} to {last.isoformat()} ({zone.key})"
        )
    return _cut(catalog, replace(scope, start=start, end=end))


def _cut(catalog: Catalog, scope: Scope) -> tuple[Scope, tuple[Window, ...]]:
    if scope.start is None or scope.end is None:
        raise ValueError("the scope's ends must be filled first")
    shortest = {"5min": 300, "15min": 900, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_419_200}
    count = (scope.end - scope.start).total_seconds() / shortest.get(scope.grain, float("inf"))
    if count > MOST_WINDOWS:
        raise ScopeError(
            f"{count:,.0f} windows are too many to read; choose a coarser grain or a shorter window"
        )
    return scope, cut(scope.start, scope.end, scope.grain, catalog.project.zone)


def reference_inside(catalog: Catalog, scope: Scope) -> tuple[str, ...]:
    """A note where the rows asked for hold the reference's own: they are then compared with themselves, too."""
    reference = catalog.project.reference
    if reference is None or reference.start is None or reference.end is None:
        return ()
    scope, windows = resolve(catalog, scope)
    start, end = (catalog.project.instant(moment) for moment in (reference.start, reference.end))
    if not any(window.start < end and start < window.end for window in windows):
        return ()
    day = end.astimezone(catalog.project.zone).date().isoformat()
    return (
        f"some windows hold days of the reference itself and look more alike for it; --start {day} leaves these out",
    )


def versions_of(catalog: Catalog, scope: Scope, source: Source = "predictions") -> tuple[str | None, ...]:
    """The versions a scope asks for, each kept apart from the others."""
    known = catalog.versions if source == "predictions" else catalog.reference_versions
    if source == "reference" or not scope.versions:
        return known
    unknown = [name for name in scope.versions if name not in known]
    if unknown:
        raise ScopeError(
            f'version "{unknown[0]}" is not in the logs; known: {", ".join(str(name) for name in known) or "none"}'
        )
    return scope.versions


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """Distinct segment values: intervals by their lower end, then everything else by name.

    >>> in_order(["[10, 20)", "b", "[9, 10)", "(missing)", "b"])
    ('[9, 10)', '[10, 20)', '(missing)', 'b')
    """
    return tuple(sorted(set(values), key=_natural))


def _natural(value: str) -> tuple[float, str]:
    return (Interval.parse(value).low, value) if is_interval(value) else (float("inf"), value)
