"""Questions about features, scores, decisions and labels: what they are like, and what drifted."""

from __future__ import annotations

from analytics.ask import damage as ask_damage
from analytics.ask import drift as ask_drift
from analytics.ask import drift_against as ask_drift_against
from analytics.ask import false_alarms as ask_false_alarms
from analytics.ask import features as ask_features
from analytics.ask import multivariate as ask_multivariate
from analytics.drift.damage_rows import DamageRow
from analytics.drift.false_alarms import FalseAlarmRow
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Source
from analytics.workbench.open_logs import OpenLogs


class OfFeatures(OpenLogs):
    """What goes into the model, and what drifted."""

    def drift(self, scope: Scope | None = None, against: str = "reference") -> Results[DriftRow]:
        """Every feature, the score, the decision and the label against the reference.

        Or against ``previous``, ``last-week``, ``version=NAME`` or ``segment=COLUMN=VALUE``.
        """
        other = ask_drift_against.Against.parse(against, self.project)
        if other.kind == "reference":
            return self._ask(lambda catalog: ask_drift.drift_of(catalog, scope or Scope()))
        return self._ask(lambda catalog: ask_drift_against.drift_against(catalog, scope or Scope(), other))

    def false_alarms(
        self, scope: Scope | None = None, *, runs: int = 0, segments: int = 0
    ) -> Results[FalseAlarmRow]:
        """How many false alarms of drift to expect a week; with runs, how many come where nothing has drifted."""
        return self._ask(
            lambda catalog: ask_false_alarms.false_alarms_of(
                catalog, scope or Scope(), runs=runs, segments=segments
            )
        )

    def histogram(
        self, feature: str, scope: Scope | None = None, against: str = "reference"
    ) -> Results[HistogramRow]:
        """One feature's bins in the reference (or what else is compared with) and in the window."""
        other = ask_drift_against.Against.parse(against, self.project)
        if other.kind == "reference":
            return self._ask(lambda catalog: ask_drift.histogram_of(catalog, scope or Scope(), feature))
        return self._ask(
            lambda catalog: ask_drift_against.histogram_against(catalog, scope or Scope(), feature, other)
        )

    def features(
        self,
        scope: Scope | None = None,
        split: str | None = None,
        source: Source = "predictions",
        *,
        feature: str | None = None,
    ) -> Results[FeatureRow]:
        """What every feature, score, decision and label is like; whole, or by label, decision or outcome."""
        return self._ask(
            lambda catalog: ask_features.features_of(
                catalog, scope or Scope(), split, source, feature=feature
            )
        )

    def multivariate(self, scope: Scope | None = None, *, rich: bool = True) -> Results[MultivariateRow]:
        """All features together and, if ``rich``, each text and embedding column, against the reference."""
        return self._ask(
            lambda catalog: ask_multivariate.multivariate_of(catalog, scope or Scope(), rich=rich)
        )

    def carriers(self, scope: Scope | None = None) -> Results[CarrierRow]:
        """Which features carry the classifier that tells the window from the reference."""
        return self._ask(lambda catalog: ask_multivariate.carriers_of(catalog, scope or Scope()))

    def newest(self, scope: Scope | None = None, k: int = 20) -> Results[NewRow]:
        """The rows that look least like the reference."""
        return self._ask(lambda catalog: ask_multivariate.newest_of(catalog, scope or Scope(), k))

    def profile(self, scope: Scope | None = None) -> Results[ProfileRow]:
        """Plain measures of texts and embeddings, in the window and in the reference."""
        return self._ask(lambda catalog: ask_multivariate.profile_of(catalog, scope or Scope()))

    def damage(self, scope: Scope | None = None) -> Results[DamageRow]:
        """How far each feature moved, beside how much quality depends on it."""
        return self._ask(lambda catalog: ask_damage.damage_of(catalog, scope or Scope()))

    def distribution(
        self, feature: str, scope: Scope | None = None, split: str | None = None
    ) -> Results[GroupBinRow]:
        """The shares of every bin of one feature, whole or by label, decision or outcome."""
        return self._ask(
            lambda catalog: ask_features.distribution_of(catalog, scope or Scope(), feature, split)
        )
