"""Questions about the product's metrics and about service: requests, objectives, assertions."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.aggregates.series_cells import series_names
from analytics.ask import assertions as ask_assertions
from analytics.ask import objectives as ask_objectives
from analytics.ask import outcome_changes as ask_outcome_changes
from analytics.ask import outcomes as ask_outcomes
from analytics.ask import service as ask_service
from analytics.changes.rows import ChangeRow
from analytics.outcomes.rows import OutcomeRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.service.assertions import AssertionRow, BrokenExampleRow
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ErrorRow, ServiceRow, TailRow
from analytics.workbench.open_logs import OpenLogs


class OfOutcomes(OpenLogs):
    """What the product and its service do."""

    def metrics(self, scope: Scope | None = None, *, names: tuple[str, ...] = ()) -> Results[OutcomeRow]:
        """Every metric of [metrics] by window, outside experiments; only ``names`` where given."""
        return self._ask(lambda catalog: ask_outcomes.outcomes_of(catalog, scope or Scope(), names))

    def metric_changes(
        self, scope: Scope | None = None, *, names: tuple[str, ...] = ()
    ) -> Results[ChangeRow]:
        """Whether the days of each metric of [metrics] changed, since when, and where they go."""
        return self._ask(
            lambda catalog: ask_outcome_changes.metric_changes_of(catalog, scope or Scope(), names)
        )

    def service(self, scope: Scope | None = None) -> Results[ServiceRow]:
        """Load, errors and latency of every window, version and segment value."""
        return self._ask(lambda catalog: ask_service.service_of(catalog, scope or Scope(), self.now()).rows)

    def service_errors(self, scope: Scope | None = None) -> Results[ErrorRow]:
        """Every kind of failure of every window, version and segment value."""
        return self._ask(lambda catalog: ask_service.service_of(catalog, scope or Scope(), self.now()).errors)

    def series(self, scope: Scope | None = None, names: Iterable[str] = ()) -> Results[OutcomeRow]:
        """Logged series (CPU, memory and the like) by window."""
        return self._ask(lambda catalog: ask_outcomes.series_of(catalog, scope or Scope(), names))

    def series_names(self, scope: Scope | None = None) -> tuple[str, ...]:
        """The names of the logged series, whatever the scope."""
        del scope
        return self._ask(series_names)

    def tail(self, scope: Scope | None = None, k: int = 10) -> Results[TailRow]:
        """The units behind the slowest one percent of the requests of each version."""
        return self._ask(lambda catalog: ask_service.tail_of(catalog, scope or Scope(), k))

    def objectives(self, scope: Scope | None = None, names: Iterable[str] = ()) -> Results[ObjectiveRow]:
        """Every objective as it stands at the scope's end: budget left, and how fast it burns."""
        return self._ask(
            lambda catalog: ask_objectives.objectives_of(catalog, scope or Scope(), self.now(), names)
        )

    def assertions(self, scope: Scope | None = None, names: Iterable[str] = ()) -> Results[AssertionRow]:
        """Rows that break what is always expected, by window."""
        return self._ask(lambda catalog: ask_assertions.assertions_of(catalog, scope or Scope(), names))

    def broken(
        self, scope: Scope | None = None, names: Iterable[str] = (), k: int = 10
    ) -> Results[BrokenExampleRow]:
        """The first rows that break each assertion."""
        return self._ask(lambda catalog: ask_assertions.broken_of(catalog, scope or Scope(), names, k))
