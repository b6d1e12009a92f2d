"""One rule on the logs of one project: its scope, its looks, and answers of other questions as numbers of targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from analytics.alerts.families import Family
from analytics.alerts.looks import DAY
from analytics.alerts.numbers import Number
from analytics.alerts.rows import Target
from analytics.project import Alert
from analytics.scope import Grain, Scope, parse_filter
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.looked_rows import Look

MOST_TOGETHER = 1_500
"""Windows of one scan: a list of windows is part of its text."""
Found = dict[tuple[datetime, Target], Number]
_GRAINS: dict[timedelta, Grain] = {
    timedelta(minutes=5): "5min",
    timedelta(minutes=15): "15min",
    timedelta(hours=1): "hour",
    DAY: "day",
    7 * DAY: "week",
}


@dataclass(frozen=True)
class Asked:
    """A rule and what it is asked of.

    Attributes:
        catalog: the project's views.
        name: of the rule.
        rule: as the project file has it.
        family: where its number comes from.
    """

    catalog: Catalog
    name: str
    rule: Alert
    family: Family

    @cached_property
    def scope(self) -> Scope:
        """Versions, filters, segment and confidence; no times."""
        project, rule = self.catalog.project, self.rule
        known = self.catalog.features if rule.where and self.catalog.has_predictions else ()
        features = [feature.name for feature in known]
        return Scope(
            versions=rule.version,
            by=rule.by[0] if rule.by else None,
            filters=tuple(parse_filter(text, project, features) for text in rule.where),
            confidence=rule.confidence,
        )

    @property
    def grain(self) -> Grain | None:
        """The grain that cuts time as this rule does; None where none does."""
        return _GRAINS.get(self.rule.window) if self.rule.cadence == self.rule.window else None

    def target(self, version: str | None, value: str | None = None) -> Target:
        """A version and a value of the segment that the rule splits by."""
        by = self.scope.by
        return Target(version, by, value) if by is not None and value is not None else Target(version)

    @property
    def key(self) -> tuple[object, ...]:
        """What the numbers of a window depend on, beside the window."""
        rule = self.rule
        return (
            self.catalog.digest, self.family, rule.metric, rule.feature, rule.class_, rule.version, rule.where, rule.by,
            rule.confidence, self.grain,
        )  # fmt: skip


def stretches(looks: Sequence[Look], longest: int = 400) -> list[tuple[datetime, datetime]]:
    """Stretches of adjoining windows, ascending: what one question by grain may answer together."""
    found: list[tuple[datetime, datetime]] = []
    count = 0
    for look in sorted(looks, key=lambda one: one.end):
        if found and found[-1][1] == look.start and count < longest:
            found[-1] = (found[-1][0], look.end)
            count += 1
        else:
            found.append((look.start, look.end))
            count = 1
    return found


def parts(looks: Sequence[Look]) -> list[Sequence[Look]]:
    """The looks by the end of their windows, so many at once as one scan takes."""
    ordered = sorted(set(looks), key=lambda look: look.end)
    return [ordered[at : at + MOST_TOGETHER] for at in range(0, len(ordered), MOST_TOGETHER)]
