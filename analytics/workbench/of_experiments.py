"""Questions about experiments: scorecards, plans, trust, and decisions that were kept."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.ask import experiment_arms as ask_experiment_arms
from analytics.ask import experiment_kinds as ask_experiment_kinds
from analytics.ask import experiment_segments as ask_experiment_segments
from analytics.ask import experiment_time as ask_experiment_time
from analytics.ask import experiments as ask_experiments
from analytics.ask import ledger as ask_ledger
from analytics.ask import methods as ask_methods
from analytics.ask import plans as ask_plans
from analytics.ask import trust as ask_trust
from analytics.ask.trust import Trust
from analytics.experiments.arm_days import ArmDayRow
from analytics.experiments.chances import ChanceRow, prior_of
from analytics.experiments.checks.ages import AgeRow
from analytics.experiments.distribution import Distribution
from analytics.experiments.funnels import FunnelRow
from analytics.experiments.ledger import DecisionRow, SinceRow
from analytics.experiments.look_rows import LookRow
from analytics.experiments.method_rows import MethodRow
from analytics.experiments.plan_rows import (
    PlanAsk,
    PlanDayRow,
    PlanHorizonRow,
    Planned,
    PlanRow,
    PlanTrafficRow,
)
from analytics.experiments.rows import Check, DayRow, ExperimentRow, History, Scorecard
from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.states import StateRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench.open_logs import OpenLogs


class OfExperiments(OpenLogs):
    """Whether a variant won."""

    @property
    def experiments(self) -> tuple[str, ...]:
        """The declared experiments, by name."""
        return tuple(self.project.experiments)

    def experiment(
        self,
        name: str,
        scope: Scope | None = None,
        *,
        confidence: float | None = None,
        methods: Iterable[str] = (),
    ) -> Results[ExperimentRow]:
        """Every metric of every arm of an experiment against its control, and the check of the split.

        After them the comparisons by other methods, where some are named; none of these is corrected.
        """
        return self._ask(
            lambda catalog: ask_methods.others_of(catalog, scope or Scope(), name, methods, confidence)
        )

    def experiment_methods(
        self,
        name: str,
        scope: Scope | None = None,
        *,
        metric: str | None = None,
        confidence: float | None = None,
    ) -> Results[MethodRow]:
        """Every method that suits each metric of an experiment, for every arm; the default first."""
        return self._ask(
            lambda catalog: ask_methods.methods_of(catalog, scope or Scope(), name, metric, confidence)
        )

    def experiment_distribution(
        self,
        name: str,
        scope: Scope | None = None,
        *,
        metric: str | None = None,
        confidence: float | None = None,
    ) -> Distribution:
        """How the values of one metric of an experiment are distributed in every arm, and where arms differ."""
        return self._ask(
            lambda catalog: ask_methods.distribution_of(catalog, scope or Scope(), name, metric, confidence)
        )

    def scorecard(
        self, scope: Scope | None = None, *, name: str, confidence: float | None = None
    ) -> Scorecard:
        """The same with all that the Scorecard page shows."""
        return self._ask(
            lambda catalog: ask_experiments.scorecard_of(catalog, scope or Scope(), name, confidence)
        )

    def experiment_days(
        self, name: str, scope: Scope | None = None, *, confidence: float | None = None
    ) -> Results[DayRow]:
        """Every metric of every arm by day: by the declared rule, looked at once, and always-valid."""
        return self._ask(
            lambda catalog: ask_experiment_time.days_of(catalog, scope or Scope(), name, confidence)
        )

    def experiment_looks(
        self, name: str, scope: Scope | None = None, *, confidence: float | None = None
    ) -> Results[LookRow]:
        """Every planned look of a group-sequential experiment, with its boundary and what it showed."""
        return self._ask(
            lambda catalog: ask_experiment_time.looks_of(catalog, scope or Scope(), name, confidence)
        )

    def experiment_chances(
        self,
        name: str,
        scope: Scope | None = None,
        *,
        confidence: float | None = None,
        prior_lift: float | None = None,
        prior_successes: float | None = None,
        prior_failures: float | None = None,
    ) -> Results[ChanceRow]:
        """What is believed of every arm of an experiment, by the declared prior or the one that is named."""
        prior = prior_of(prior_lift, prior_successes, prior_failures)
        return self._ask(
            lambda catalog: ask_experiment_time.chances_of(catalog, scope or Scope(), name, confidence, prior)
        )

    def experiment_arms(
        self, name: str, scope: Scope | None = None, *, confidence: float | None = None
    ) -> Results[ArmDayRow]:
        """Every metric in every arm by itself, over all days and on each day of first exposure."""
        return self._ask(
            lambda catalog: ask_experiment_arms.arms_of(catalog, scope or Scope(), name, confidence)
        )

    def decide(  # noqa: PLR0913  # what a decision is made of
        self,
        name: str,
        scope: Scope | None = None,
        *,
        decision: str,
        decided_by: str,
        note: str = "",
        variant: str | None = None,
        corrects: int | None = None,
        confidence: float | None = None,
        token: str | None = None,
    ) -> DecisionRow:
        """Keep a decision on an experiment beside the numbers it is taken on."""
        return self._ask(
            lambda catalog: ask_ledger.decide(
                catalog, self.store, scope or Scope(), name, decision=decision, decided_by=decided_by, note=note,
                variant=variant, corrects=corrects, confidence=confidence, token=token,
            )
        )  # fmt: skip

    def decisions(self, name: str | None = None) -> Results[DecisionRow]:
        """The decisions on one experiment, or on all of the project, the oldest first."""
        return self._ask(lambda catalog: ask_ledger.decisions_of(catalog, self.store, name))

    def since(
        self, name: str, decision_id: int | None = None, known: ask_ledger.Known = "now"
    ) -> Results[SinceRow]:
        """Every number of the decisions on an experiment, as it was frozen and computed anew."""
        return self._ask(lambda catalog: ask_ledger.since_of(catalog, self.store, name, decision_id, known))

    def history(self, scope: Scope | None = None, *, metric: str, name: str | None = None) -> History:
        """What the logs say about a metric before an experiment on it is planned."""
        return self._ask(lambda catalog: ask_experiments.history_of(catalog, scope or Scope(), metric, name))

    def planned(
        self, scope: Scope | None = None, *, name: str | None = None, asked: PlanAsk | None = None
    ) -> Planned:
        """What the logs say about how long an experiment will take: on a metric, an experiment, or every metric."""
        return self._ask(lambda catalog: ask_plans.planned_of(catalog, scope or Scope(), name, asked))

    def plan(
        self, name: str | None = None, scope: Scope | None = None, *, asked: PlanAsk | None = None
    ) -> Results[PlanRow]:
        """The same as designs: one a metric and way of stopping, the soonest first."""
        found = self.planned(scope, name=name, asked=asked)
        return Results(found.rows, self.project.zone, (), (found.sentence, *found.notes))

    def plan_days(
        self, name: str | None = None, scope: Scope | None = None, *, asked: PlanAsk | None = None
    ) -> Results[PlanDayRow]:
        """The same day by day: units, power and the effect that is seen."""
        found = self.planned(scope, name=name, asked=asked)
        return Results(found.days, self.project.zone, (), found.notes)

    def plan_horizons(
        self, name: str | None = None, scope: Scope | None = None, *, asked: PlanAsk | None = None
    ) -> Results[PlanHorizonRow]:
        """Baseline and spread of the metrics rolled up over one to four weeks."""
        found = self.planned(scope, name=name, asked=asked)
        return Results(found.horizons, self.project.zone, (), found.notes)

    def plan_traffic(
        self, name: str | None = None, scope: Scope | None = None, *, asked: PlanAsk | None = None
    ) -> Results[PlanTrafficRow]:
        """Units a day by weekday."""
        found = self.planned(scope, name=name, asked=asked)
        return Results(found.traffic, self.project.zone, (), found.notes)

    def funnel(
        self, name: str, scope: Scope | None = None, *, confidence: float | None = None
    ) -> Results[FunnelRow]:
        """Every step of every funnel of an experiment, in every arm."""
        return self._ask(
            lambda catalog: ask_experiment_kinds.funnels_of(catalog, scope or Scope(), name, confidence)
        )

    def segment_effects(
        self,
        name: str,
        scope: Scope | None = None,
        *,
        metric: str | None = None,
        confidence: float | None = None,
    ) -> Results[SegmentEffectRow]:
        """The effects of an experiment among the units of every value of every declared segment."""
        return self._ask(
            lambda catalog: ask_experiment_segments.segment_effects_of(
                catalog, scope or Scope(), name, metric, confidence
            )
        )

    def exposure_states(self, name: str, scope: Scope | None = None) -> Results[StateRow]:
        """Who of an experiment's logs counts, who does not, and why."""
        return self._ask(lambda catalog: ask_experiment_kinds.states_of(catalog, scope or Scope(), name))

    def trust(self, name: str, scope: Scope | None = None) -> Trust:
        """Whether an experiment can be trusted, with all that section Trust shows."""
        return self._ask(lambda catalog: ask_trust.trust_of(catalog, scope or Scope(), name))

    def health(self, name: str, scope: Scope | None = None) -> Results[Check]:
        """Every check of an experiment, the blocking ones first."""
        return self._ask(lambda catalog: ask_trust.health_of(catalog, scope or Scope(), name))

    def ages(
        self, name: str, scope: Scope | None = None, *, confidence: float | None = None
    ) -> Results[AgeRow]:
        """The effect by day since first exposure of every metric and arm."""
        return self._ask(lambda catalog: ask_trust.ages_of(catalog, scope or Scope(), name, confidence))
