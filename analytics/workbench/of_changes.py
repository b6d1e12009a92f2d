"""Questions about changes: since when, why, and what a release did."""

from __future__ import annotations

from datetime import datetime

from analytics.ask import ageing as ask_ageing
from analytics.ask import causes as ask_causes
from analytics.ask import changes as ask_changes
from analytics.ask import explain as ask_explain
from analytics.ask import explain_sides as ask_explain_sides
from analytics.ask import first as ask_first
from analytics.ask import moved as ask_moved
from analytics.ask import releases as ask_releases
from analytics.ask.explain import Explained
from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from analytics.examples.first_row import FirstRow
from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow, ExplainRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench.open_logs import OpenLogs


class OfChanges(OpenLogs):
    """What changed, when and why."""

    def changes(self, scope: Scope | None = None) -> Results[ChangeRow]:
        """Every metric and watched field of every version: whether its days changed, since when, where it goes."""
        return self._ask(lambda catalog: ask_changes.changes_of(catalog, scope or Scope()))

    def explain(
        self, scope: Scope | None = None, *, before: Scope | None = None, metric: str | None = None
    ) -> Results[ExplainRow]:
        """Why a metric changed: the whole change, mix or model, since when, and where; parts that add up.

        ``before`` None: against the reference, or the window of equal length before where none is declared.
        """
        return self.explained(scope, before=before, metric=metric).rows

    def explained(
        self, scope: Scope | None = None, *, before: Scope | None = None, metric: str | None = None
    ) -> Explained:
        """The same with the metric over time that the moment was found in."""
        return self._ask(lambda catalog: ask_explain.explained_of(catalog, scope or Scope(), before, metric))

    def causes(
        self,
        scope: Scope | None = None,
        *,
        before: Scope | None = None,
        metric: str | None = None,
        k: int = 10,
    ) -> Results[CauseRow]:
        """What changed in a window and follows from nothing else, the likeliest first; empty where nothing did.

        ``before`` None: against the up to four weeks before the window.
        """
        return self._ask(
            lambda catalog: ask_causes.causes_of(catalog, scope or Scope(), before, metric, k, self.now())
        )

    def moved(self, scope: Scope | None = None, *, rest: Scope | None = None) -> Results[MovedRow]:
        """What is different about a selection of rows: every field by how much it tells of being in it.

        ``rest`` None: the same window without the selection; of a selection without a filter, the 28 days before it.
        """
        return self._ask(lambda catalog: ask_moved.moved_of(catalog, scope or Scope(), rest))

    def first(self, scope: Scope | None = None, k: int = 10) -> Results[FirstRow]:
        """The first rows and units of a window that pass its filters; without one, those of the likeliest cause."""
        return self._ask(lambda catalog: ask_first.first_of(catalog, scope or Scope(), k, self.now()))

    def before(
        self,
        scope: Scope,
        compare: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Scope | None:
        """The other side of a change from what is typed (see `analytics.ask.explain_sides`); None: the reference."""
        return self._ask(lambda catalog: ask_explain_sides.before_of(catalog, scope, compare, start, end))

    def ageing(self, scope: Scope | None = None, metric: str | None = None) -> Results[AgeingRow]:
        """Quality by days since training, and what younger versions bring on the same days."""
        return self._ask(lambda catalog: ask_ageing.ageing_of(catalog, scope or Scope(), metric))

    def releases(self, scope: Scope | None = None) -> Results[ReleaseRow]:
        """Every release against the version live before it, with what to do."""
        return self._ask(lambda catalog: ask_releases.releases_of(catalog, scope or Scope()))
