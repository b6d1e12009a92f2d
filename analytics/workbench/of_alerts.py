"""Questions about alert rules: how they stand, what people said of them, and drills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from analytics.alerts import people as alert_people
from analytics.alerts.check import history_of, names_of
from analytics.alerts.claims import claims_of, with_claims
from analytics.alerts.rows import AlertRow, IncidentRow, Transition
from analytics.alerts.stand import Standing, standing_at
from analytics.drills import backtest as drills_backtest
from analytics.drills import chaos as drills_chaos
from analytics.drills.drill import Drill, DrillPlan, Progress, run_drill, segment_texts
from analytics.drills.rows import BacktestRow, ChaosRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.store.alerts import Acknowledgement, Note, Silence, end_silence
from analytics.workbench.open_logs import OpenLogs

HISTORY = timedelta(days=92)


class OfAlerts(OpenLogs):
    """What fires, and what was made of it."""

    def check(self, names: Iterable[str] = (), *, at: datetime | None = None) -> Results[AlertRow]:
        """How every target of the alert rules (or of those named) stands now, or stood at an instant."""
        return self.standing(names, at=at).alerts

    def incidents(self, names: Iterable[str] = (), *, at: datetime | None = None) -> Results[IncidentRow]:
        """What fires, by what belongs together, the most urgent first, with the likeliest cause of each."""
        moment, replayed = self._look_at(at)
        wanted = tuple(names)
        return self._ask(lambda catalog: claims_of(catalog, moment, wanted, replayed=replayed))

    def standing(self, names: Iterable[str] = (), *, at: datetime | None = None) -> Standing:
        """Alerts and incidents of one look."""
        moment, replayed = self._look_at(at)
        return self._ask(lambda catalog: standing_at(catalog, moment, tuple(names), replayed=replayed))

    def _look_at(self, at: datetime | None) -> tuple[datetime, bool]:
        """The instant of a look, and whether it is one of the past; the end of finished logs is no limit."""
        now = self.now()
        moment = now if at is None else min(at, datetime.now(UTC))
        return moment, moment < now

    def claims(self, standing: Standing, *, at: datetime | None = None) -> Results[IncidentRow]:
        """The incidents of a look with the likeliest cause of each, as the logs tell it: a search for each of them."""
        moment, replayed = self._look_at(at)
        return self._ask(lambda catalog: with_claims(catalog, standing, moment, replayed=replayed))

    def acknowledge(
        self,
        alert: str,
        *,
        by: str,
        segment_value: str | None = None,
        note: str = "",
        firing_since: datetime | None = None,
        token: str | None = None,
    ) -> Acknowledgement:
        """Keep that somebody knows about an alert that fires now, or has fired since the instant that is given."""
        return alert_people.acknowledge(
            self.project, self.store, lambda: self.check((alert,)), alert, by=by, segment_value=segment_value,
            note=note, firing_since=firing_since, token=token,
        )  # fmt: skip

    def silence(
        self,
        alert: str | None = None,
        *,
        by: str,
        ends_at: datetime,
        segment_value: str | None = None,
        note: str = "",
        token: str | None = None,
    ) -> Silence:
        """Keep that nothing is told of an alert, or of the whole project, until an instant by the wall clock."""
        return alert_people.silence(
            self.project, self.store, alert, by=by, ends_at=ends_at, segment_value=segment_value, note=note,
            token=token,
        )  # fmt: skip

    def end_silence(self, silence_id: int, *, by: str) -> Silence:
        """End a silence now."""
        return end_silence(self.store, project=self.project.name, silence_id=silence_id, by=by)

    def add_note(
        self,
        alert: str | None = None,
        *,
        by: str,
        note: str,
        segment_value: str | None = None,
        token: str | None = None,
    ) -> Note:
        """Keep a note on an alert or on the whole project."""
        return alert_people.add_note(
            self.project, self.store, alert, by=by, note=note, segment_value=segment_value, token=token
        )

    def alert_history(
        self, names: Iterable[str] = (), *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[Transition, ...]:
        """Every change of state between two instants, as rules that were always looked at would have made it.

        To now, and from `HISTORY` before the end, where left out: a rule that looks every few minutes would be
        replayed over years.
        """
        until = self.now() if end is None else end
        begin = until - HISTORY if start is None else start
        wanted = tuple(names)
        found = self._ask(
            lambda catalog: [history_of(catalog, name, begin, until) for name in names_of(catalog, wanted)]
        )
        return tuple(sorted((one for each in found for one in each), key=lambda one: one.at))

    def backtest(
        self, scope: Scope | None = None, *, name: str, pages_per_month: float | None = None
    ) -> Results[BacktestRow]:
        """Would this rule have fired: from the scope's start to its end or as-of, else over all the logs."""
        asked = scope or Scope()
        end = min(filter(None, (asked.end, asked.as_of, self.now())))
        return self._ask(
            lambda catalog: drills_backtest.backtest_of(
                catalog, name, end, asked.start, pages_per_month=pages_per_month
            )
        )

    def chaos(self, scope: Scope | None = None, *, names: Iterable[str] = ()) -> Results[ChaosRow]:
        """The declared chaos windows as experiments: hypothesis, blast radius, recovery."""
        at = (scope.as_of if scope is not None else None) or self.now()
        return self._ask(lambda catalog: drills_chaos.chaos_of(catalog, at, tuple(names)))

    def segment_values(self, most: int = 12) -> tuple[str, ...]:
        """``SEGMENT=VALUE`` of the declared segments, as a filter takes them; at most so many of each."""
        return self._ask(lambda catalog: segment_texts(catalog, most))

    def drill(self, plan: DrillPlan) -> Iterator[Progress | Drill]:
        """Plant faults in copies of the logs and replay the rules on them, step by step."""
        return run_drill(self.project.file, plan)
