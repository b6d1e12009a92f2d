"""The windows an estimate is made for, and the earlier ones of the same length that it is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analytics.aggregates.estimated import Span
from analytics.aggregates.estimated_parts import settled
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import resolve
from analytics.errors import ScopeError
from analytics.scope import Scope, Window, cut
from analytics.telemetry.catalog import Catalog

HISTORY = 100
"""Earlier windows looked at, at most: 20 that are judged, each on a band from up to 60 before it, and some more."""
_LONGEST = {"5min": 1 / 288, "15min": 1 / 96, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 31.0}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a key is wall-clock time without a zone


@dataclass(frozen=True)
class Planned:
    """One window.

    Attributes:
        window: its ends and the key of its rows.
        asked: whether it belongs to the scope.
        in_reference: whether it overlaps the stretch of these logs that is the reference.
        mature: whether its labels have had time to arrive.
    """

    window: Window
    asked: bool
    in_reference: bool
    mature: bool


@dataclass(frozen=True)
class Plan:
    """All windows in the order of time, and how to read them.

    Attributes:
        scope: resolved; as asked.
        reading: the scope of all windows together.
        span: how rows are cut.
        windows: earlier ones first.
        maturity: of labels.
    """

    scope: Scope
    reading: Scope
    span: Span
    windows: tuple[Planned, ...]
    maturity: Maturity

    @property
    def delay(self) -> timedelta:
        """How long after its end a window's labels count as complete."""
        return self.maturity.delay or timedelta()

    def origin(self, planned: Planned) -> datetime:
        """Up to when earlier labels may be used: the window's end once it is a back-test, else now."""
        return planned.window.end if planned.mature else self.maturity.known_at


def plan_of(catalog: Catalog, scope: Scope) -> Plan:
    """Resolve a scope and add the windows before it.

    Raises:
        ScopeError: the scope asks for rows by their label, which is what is not known.
    """
    for condition in scope.filters:
        if condition.kind in {"label", "outcome"}:
            raise ScopeError(
                f"{condition.name}: an estimate before labels arrive cannot be cut by the label; leave that filter out"
            )
    scope, asked = resolve(catalog, replace(scope, by=None))
    maturity = maturity_of(catalog, scope)
    if scope.start is None or scope.end is None:
        span = Span(scope.grain, catalog.project.time_zone, _EPOCH, timedelta(days=1), timedelta())
        return Plan(scope, scope, span, (), maturity)
    earlier, gap = _before(catalog, scope, scope.start, scope.end)
    span = Span(
        scope.grain, catalog.project.time_zone, scope.start, scope.end - scope.start,
        settled(scope.grain, maturity.delay or timedelta()), gap,
    )  # fmt: skip
    reading = replace(scope, start=earlier[0].start if earlier else scope.start, grain="all")
    inside = _reference_stretch(catalog)
    windows = tuple(
        Planned(
            window,
            is_asked,
            inside is not None and window.start < inside[1] and window.end > inside[0],
            maturity.reason(window.end) is None,
        )
        for is_asked, group in ((False, earlier), (True, asked))
        for window in group
    )
    return Plan(scope, reading, span, windows, maturity)


def _before(
    catalog: Catalog, scope: Scope, start: datetime, end: datetime
) -> tuple[tuple[Window, ...], tuple[datetime, datetime] | None]:
    first = catalog.extent[0] if catalog.extent is not None else start
    if scope.grain == "all":
        length = end - start
        count = min(HISTORY, int((start - first) / length))
        back = (
            Window(start - k * length, start - (k - 1) * length, _EPOCH - timedelta(seconds=k))
            for k in range(count, 0, -1)
        )
        return tuple(back), None
    reach = timedelta(days=HISTORY * _LONGEST[scope.grain])
    since = max(start - reach, first)
    if since >= start:
        return (), None
    zone = catalog.project.zone
    split = cut(start, end, scope.grain, zone)[0].key
    before = cut(since, start, scope.grain, zone)
    cut_short = before[-1].key == split
    gap = (before[-1].start, start) if cut_short else None
    kept = before[:-1] if cut_short else before
    return tuple(kept[-HISTORY:]), gap


def _reference_stretch(catalog: Catalog) -> tuple[datetime, datetime] | None:
    section = catalog.project.reference
    if section is None or section.path is not None or section.start is None or section.end is None:
        return None
    return catalog.project.instant(section.start), catalog.project.instant(section.end)
