"""Questions about the model's quality, its scores and its thresholds."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.ask import baselines as ask_baselines
from analytics.ask import calibration as ask_calibration
from analytics.ask import coverage as ask_coverage
from analytics.ask import curves
from analytics.ask import deciles as ask_deciles
from analytics.ask import estimate as ask_estimate
from analytics.ask import gain as ask_gain
from analytics.ask import mix as ask_mix
from analytics.ask import quality as ask_quality
from analytics.ask import recalibration as ask_recalibration
from analytics.ask import splits as ask_splits
from analytics.ask import thresholds as ask_thresholds
from analytics.ask import unlike as ask_unlike
from analytics.ask.estimate import Estimates
from analytics.quality.calibration import (
    BaselineRow,
    CalibrationTestRow,
    DecileRow,
    MapRow,
    MixRow,
    RecalibrationRow,
)
from analytics.quality.decision_rows import Certainty, CoverageRow, GainRow, ThresholdPointRow, ThresholdRow
from analytics.quality.estimated import EstimateRow
from analytics.quality.rows import CalibrationRow, ConfusionRow, MetricRow, PairBinRow, RocRow, ScoreBinRow
from analytics.quality.splits import SplitRow
from analytics.quality.unlike import UnlikeRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Source
from analytics.workbench.open_logs import OpenLogs


class OfQuality(OpenLogs):
    """How good the model is."""

    def quality(
        self,
        scope: Scope | None = None,
        source: Source = "predictions",
        metrics: frozenset[str] | None = None,
    ) -> Results[MetricRow]:
        """Every quality metric (or only some) of every window, version and segment value, with its interval."""
        return self._ask(lambda catalog: ask_quality.quality_of(catalog, scope or Scope(), source, metrics))

    def confusion(self, scope: Scope | None = None) -> Results[ConfusionRow]:
        """True class by decided class."""
        return self._ask(lambda catalog: curves.confusion_of(catalog, scope or Scope()))

    def roc(self, scope: Scope | None = None) -> Results[RocRow]:
        """What each threshold would have given."""
        return self._ask(lambda catalog: curves.roc_of(catalog, scope or Scope()))

    def calibration(self, scope: Scope | None = None) -> Results[CalibrationRow]:
        """Mean label by tenth of the score."""
        return self._ask(lambda catalog: curves.calibration_of(catalog, scope or Scope()))

    def calibration_tests(self, scope: Scope | None = None) -> Results[CalibrationTestRow]:
        """Are the scores right, by window, version, segment value and class."""
        return self._ask(lambda catalog: ask_calibration.calibration_tests_of(catalog, scope or Scope()))

    def deciles(self, scope: Scope | None = None) -> Results[DecileRow]:
        """A regression by tenth of its predictions."""
        return self._ask(lambda catalog: ask_deciles.deciles_of(catalog, scope or Scope()))

    def recalibration(self, scope: Scope | None = None) -> tuple[Results[RecalibrationRow], Results[MapRow]]:
        """What mapping the scores anew would bring, forward in time, and the maps."""
        return self._ask(lambda catalog: ask_recalibration.recalibration_of(catalog, scope or Scope()))

    def mix(self, scope: Scope | None = None) -> Results[MixRow]:
        """How often each class was predicted, expected and came."""
        return self._ask(lambda catalog: ask_mix.mix_of(catalog, scope or Scope()))

    def baselines(self, scope: Scope | None = None) -> Results[BaselineRow]:
        """The model beside rules that know nothing, on the same rows."""
        return self._ask(lambda catalog: ask_baselines.baselines_of(catalog, scope or Scope()))

    def score_histogram(self, scope: Scope | None = None) -> Results[ScoreBinRow]:
        """Rows by score and label."""
        return self._ask(lambda catalog: curves.score_histogram_of(catalog, scope or Scope()))

    def pairs(self, scope: Scope | None = None) -> tuple[Results[PairBinRow], Results[ScoreBinRow]]:
        """Predicted against true, and the errors, of a regression."""
        return self._ask(lambda catalog: curves.pairs_of(catalog, scope or Scope()))

    def splits(self, scope: Scope | None = None, metric: str | None = None) -> Results[SplitRow]:
        """Train, validation, test and production side by side, and what the gaps between them mean."""
        return self._ask(lambda catalog: ask_splits.splits_of(catalog, scope or Scope(), metric))

    def unlike(self, scope: Scope | None = None) -> Results[UnlikeRow]:
        """The share of rows unlike the reference, and the loss inside and outside of what it knows."""
        return self._ask(lambda catalog: ask_unlike.unlike_of(catalog, scope or Scope()))

    def estimate(
        self, scope: Scope | None = None, methods: Iterable[str] | None = None
    ) -> Results[EstimateRow]:
        """Quality estimated before labels arrive, with prediction intervals and what came of them."""
        return self.estimates(scope, methods=tuple(methods or ())).rows

    def estimates(self, scope: Scope | None = None, *, methods: tuple[str, ...] = ()) -> Estimates:
        """The same with how each estimator has fared."""
        return self._ask(lambda catalog: ask_estimate.estimates_of(catalog, scope or Scope(), methods))

    def thresholds(self, scope: Scope | None = None, goals: Iterable[str] = ()) -> Results[ThresholdRow]:
        """The best threshold for each goal, and what it would gain over the logged decisions."""
        return self._ask(lambda catalog: ask_thresholds.thresholds_of(catalog, scope or Scope(), goals))

    def threshold_curve(self, scope: Scope | None = None, goal: str = "cost") -> Results[ThresholdPointRow]:
        """What each threshold gives of a goal's metric, beside the logged decisions."""
        return self._ask(lambda catalog: ask_thresholds.threshold_curve_of(catalog, scope or Scope(), goal))

    def gain(self, scope: Scope | None = None, budget: float | None = None) -> Results[GainRow]:
        """What reviewing the highest scores finds, by share of the rows and at a budget a day."""
        return self._ask(lambda catalog: ask_gain.gain_of(catalog, scope or Scope(), budget))

    def coverage(self, scope: Scope | None = None, certain_by: Certainty = "top") -> Results[CoverageRow]:
        """Quality when only the surest share is answered."""
        return self._ask(lambda catalog: ask_coverage.coverage_of(catalog, scope or Scope(), certain_by))
