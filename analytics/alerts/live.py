"""Which versions a rule is about at each look: those that serve, not those that have not begun or have been retired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.aggregates.heard import Heard, first_seen, heard_predictions
from analytics.alerts.asked import Asked
from analytics.alerts.looks import DAY
from analytics.alerts.numbers import Number
from analytics.alerts.rows import Target
from analytics.ask.kept import kept
from analytics.scope import Scope
from analytics.telemetry.looked_rows import Look


@dataclass(frozen=True)
class Live:
    """The versions of every look.

    Attributes:
        versions: by the end of the look's window; a version that is not there at a window in which others are has been
            retired, and one that the rule names is always there.
        with_rows: windows and versions that have rows.
    """

    versions: Mapping[datetime, tuple[str | None, ...]]
    with_rows: frozenset[tuple[datetime, str | None]]

    def at(self, look: Look) -> tuple[str | None, ...]:
        """The versions of a look."""
        return self.versions.get(look.end, ())

    def has_rows(self, look: Look, version: str | None) -> bool:
        """Whether a version served in the window."""
        return (look.end, version) in self.with_rows


def live_versions(
    asked: Asked, looks: Sequence[Look], numbers: Mapping[tuple[datetime, Target], Number]
) -> Live:
    """Judge by the rows of the windows themselves."""
    with_rows = frozenset((end, target.version) for (end, target), number in numbers.items() if number.n)
    if asked.rule.version or (looks and not with_rows):
        return Live({look.end: _born(asked, look) for look in looks}, with_rows)
    order = {version: place for place, version in enumerate(_known(asked))}
    serving: tuple[str | None, ...] = ()
    found: dict[datetime, tuple[str | None, ...]] = {}
    # windows before the first look tell who served until then
    for end in sorted({end for end, _ in with_rows} | {look.end for look in looks}):
        now = [version for each, version in with_rows if each == end]
        serving = tuple(sorted(now, key=lambda version: order.get(version, len(order)))) if now else serving
        found[end] = serving
    return Live(found, with_rows)


def quiet_hours(asked: Asked) -> Callable[[Look], bool]:
    """Whether an empty window is one of the hours in which nothing comes: something came within the day before.

    Only windows shorter than a day have such hours. That nothing comes at all is what ``no_data`` rules look for.
    """
    if asked.rule.window >= DAY or not asked.catalog.has_predictions:
        return lambda _: False
    key = ("heard of alerts", asked.scope.filters)
    heard = kept(
        asked.catalog,
        key,
        dict,
        lambda: heard_predictions(asked.catalog, Scope(filters=asked.scope.filters), by_version=False),
    ).get((None, None))

    def quiet(look: Look) -> bool:
        newest = heard.newest(look.end) if isinstance(heard, Heard) else None
        return newest is not None and look.end.timestamp() - newest < DAY.total_seconds()

    return quiet


def _born(asked: Asked, look: Look) -> tuple[str | None, ...]:
    """The versions of the rule that had begun by the end of a window."""
    versions = _known(asked)
    if versions == (None,) or not asked.catalog.has_predictions:
        return versions
    first = kept(asked.catalog, "first seen of alerts", dict, lambda: first_seen(asked.catalog))
    return tuple(version for version in versions if version in first and first[version] < look.end)


def _known(asked: Asked) -> tuple[str | None, ...]:
    if asked.rule.version:
        return asked.rule.version
    if asked.family == "outcome":
        source = asked.catalog.project.source_of(asked.catalog.project.metrics[asked.rule.metric or ""])
        if source != "predictions":
            return (None,)
    return asked.catalog.versions if asked.catalog.has_predictions else (None,)
