"""Objectives at an instant, or at many: budget left, burn rates of the pairs of windows, availability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

from analytics.aggregates.event_cells import Cells, EventCells, GoodRow, good_row, read_event_cells
from analytics.ask.kept import kept
from analytics.ask.labels import maturity_of
from analytics.ask.windows import in_order, versions_of
from analytics.project import Objective
from analytics.results import Results
from analytics.scope import Scope
from analytics.service.burn import LONGEST, Looked, ObjectiveRow, objective_rows, pair_rows
from analytics.stats.burn_rate import Severity
from analytics.telemetry.catalog import Catalog

Ask = Callable[[EventCells | None, Looked], Iterable[ObjectiveRow]]


def objectives_of(
    catalog: Catalog, scope: Scope, at: datetime, names: Iterable[str] = ()
) -> Results[ObjectiveRow]:
    """Every objective as it stood at an instant: one row for the period and one for each pair of windows.

    Args:
        catalog: the project's views.
        scope: versions, filters, ``by`` and confidence; the end (or as-of) of the scope, where given, is the instant.
        at: the present.
        names: only these objectives.

    Raises:
        ProjectError: none is declared, or there is none of this name.
    """
    moment = min(moment for moment in (scope.as_of, scope.end, at) if moment is not None)
    rows: list[ObjectiveRow] = []
    texts: list[str] = []
    for name in catalog.project.declared("objectives", names):
        found = _answers(catalog, scope, name, [moment], objective_rows)
        rows += found
        texts += found.sql
    return Results(tuple(rows), catalog.project.zone, tuple(texts))


def burns_of(
    catalog: Catalog,
    scope: Scope,
    name: str,
    instants: Sequence[datetime],
    severity: Severity | None = None,
) -> Results[ObjectiveRow]:
    """The pairs of windows of one objective at many instants, each as it was known then, from one scan.

    Args:
        catalog: the project's views.
        scope: versions, filters, ``by`` and confidence; its times mean nothing here.
        name: of the objective.
        instants: whole minutes; others are rounded down.
        severity: only the pairs of windows that call for this.

    Raises:
        ProjectError: there is no objective of this name.
    """
    return _answers(catalog, scope, name, instants, partial(pair_rows, severity=severity))


def _answers(
    catalog: Catalog, scope: Scope, name: str, instants: Sequence[datetime], ask: Ask
) -> Results[ObjectiveRow]:
    (name,) = catalog.project.declared("objectives", [name])
    objective = catalog.project.objectives[name]
    good = good_row(catalog, name, objective)
    moments = [moment.astimezone(UTC).replace(second=0, microsecond=0) for moment in instants]
    asked = _Asked(catalog, replace(scope, start=None, end=None, grain="all"), name, objective, good)
    # a label that was changed later is known as it was only by asking for each instant
    together = not (good.needs_label and catalog.relabelled)
    groups = [moments] if together else [[moment] for moment in moments]
    rows: list[ObjectiveRow] = []
    text = ""
    for group in groups if moments else []:
        cells, text = asked.cells(group)
        rows += [row for moment in group for row in asked.rows(cells, moment, ask)]
    return Results(tuple(rows), catalog.project.zone, (text,) if text else ())


@dataclass(frozen=True)
class _Asked:
    """One objective over the rows of a scope."""

    catalog: Catalog
    scope: Scope
    name: str
    objective: Objective
    good: GoodRow

    def cells(self, moments: Sequence[datetime]) -> tuple[Cells, str]:
        """Sums by minute of all rows that a look at any of these instants may count."""
        longest = max(self.objective.period, LONGEST)
        start = min(self.until(moment) for moment in moments) - longest
        last = max(moments)
        scope = replace(self.scope, start=start, end=last, as_of=last)
        return read_event_cells(self.catalog, scope, self.good)

    def rows(self, cells: Cells, moment: datetime, ask: Ask) -> list[ObjectiveRow]:
        """Every version and segment value at one instant."""
        scope, catalog = self.scope, self.catalog
        values = in_order(value for _, value in cells if value is not None) if scope.by else (None,)
        looked = Looked(
            self.name, self.objective, moment, self.until(moment), scope.confidence,
            catalog.predictions.unit is not None, catalog.predictions.weight is not None,
        )  # fmt: skip
        return [
            row
            for version in versions_of(catalog, scope)
            for value in values or (None,)
            for row in ask(cells.get((version, value)), replace(looked, key=(version, scope.by, value)))
        ]

    def until(self, moment: datetime) -> datetime:
        """Where windows end: at the instant, or when the labels of what they hold have come."""
        if not self.good.needs_label:
            return moment
        delay = self._delay(moment)
        # to the minute above, so that windows stay on whole minutes
        return moment - timedelta(minutes=-(-delay // timedelta(minutes=1)))

    def _delay(self, moment: datetime) -> timedelta:
        """How long 95 % of the labels take, as known when the week began: the same for all looks of a week."""
        day = moment.date() - timedelta(days=moment.weekday())
        monday = datetime.combine(day, time(), UTC)
        for known_at in (monday, moment):
            found = kept(
                self.catalog,
                ("label delay of objectives", known_at),
                _Delay,
                lambda known_at=known_at: _Delay(  # type: ignore[misc]
                    maturity_of(self.catalog, Scope(as_of=known_at)).delay
                ),
            )
            if found.length is not None:
                return found.length
        return timedelta()


@dataclass(frozen=True)
class _Delay:
    length: timedelta | None
