"""An open project: ask it questions, get typed results.

>>> from analytics.workbench import open_workbench
>>> bench = open_workbench("sample_logs/flights_delay_class")
>>> bench.quality(bench.scope(grain="all"))[0].metric
'roc_auc'
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock, Thread
from typing import Any, TypeVar, cast

from analytics.aggregates.series_cells import series_names
from analytics.aggregates.stored_days import Built, ProjectParts, attach, attached, open_catalog
from analytics.alerts import people as alert_people
from analytics.alerts.check import history_of, names_of
from analytics.alerts.claims import claims_of, with_claims
from analytics.alerts.rows import AlertRow, IncidentRow, Transition
from analytics.alerts.stand import Standing, standing_at
from analytics.ask import ageing as ask_ageing
from analytics.ask import assertions as ask_assertions
from analytics.ask import baselines as ask_baselines
from analytics.ask import calibration as ask_calibration
from analytics.ask import causes as ask_causes
from analytics.ask import changes as ask_changes
from analytics.ask import coverage as ask_coverage
from analytics.ask import curves, label_counts, label_feed, label_weights
from analytics.ask import damage as ask_damage
from analytics.ask import deciles as ask_deciles
from analytics.ask import drift as ask_drift
from analytics.ask import drift_against as ask_drift_against
from analytics.ask import error_map as ask_error_map
from analytics.ask import error_model as ask_error_model
from analytics.ask import error_points as ask_error_points
from analytics.ask import error_tree as ask_error_tree
from analytics.ask import estimate as ask_estimate
from analytics.ask import examples as ask_examples
from analytics.ask import experiment_arms as ask_experiment_arms
from analytics.ask import experiment_kinds as ask_experiment_kinds
from analytics.ask import experiment_segments as ask_experiment_segments
from analytics.ask import experiment_time as ask_experiment_time
from analytics.ask import experiments as ask_experiments
from analytics.ask import explain as ask_explain
from analytics.ask import explain_sides as ask_explain_sides
from analytics.ask import false_alarms as ask_false_alarms
from analytics.ask import features as ask_features
from analytics.ask import first as ask_first
from analytics.ask import gain as ask_gain
from analytics.ask import gaps as ask_gaps
from analytics.ask import ledger as ask_ledger
from analytics.ask import methods as ask_methods
from analytics.ask import mix as ask_mix
from analytics.ask import moved as ask_moved
from analytics.ask import multivariate as ask_multivariate
from analytics.ask import objectives as ask_objectives
from analytics.ask import outcome_changes as ask_outcome_changes
from analytics.ask import outcomes as ask_outcomes
from analytics.ask import plans as ask_plans
from analytics.ask import quality as ask_quality
from analytics.ask import recalibration as ask_recalibration
from analytics.ask import regression_sets as ask_regression_sets
from analytics.ask import releases as ask_releases
from analytics.ask import review as ask_review
from analytics.ask import row_card as ask_row_card
from analytics.ask import segments as ask_segments
from analytics.ask import service as ask_service
from analytics.ask import slice_compare as ask_slice_compare
from analytics.ask import slices as ask_slices
from analytics.ask import splits as ask_splits
from analytics.ask import telemetry as ask_telemetry
from analytics.ask import thresholds as ask_thresholds
from analytics.ask import trust as ask_trust
from analytics.ask import unlike as ask_unlike
from analytics.ask.error_model import ErrorModel
from analytics.ask.error_points import ErrorMap
from analytics.ask.estimate import Estimates
from analytics.ask.explain import Explained
from analytics.ask.row_card import RowCard
from analytics.ask.subsets import Subsets
from analytics.ask.trust import Trust
from analytics.building.build import Build, bring_up_to_date, kept_up_to_date
from analytics.building.build import Progress as BuildProgress
from analytics.building.verify import Verified, verify
from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from analytics.drift.damage_rows import DamageRow
from analytics.drift.false_alarms import FalseAlarmRow
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow
from analytics.drift.rows import DriftRow, HistogramRow
from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from analytics.drills import backtest as drills_backtest
from analytics.drills import chaos as drills_chaos
from analytics.drills.drill import Drill, DrillPlan, Progress, run_drill, segment_texts
from analytics.drills.rows import BacktestRow, ChaosRow
from analytics.errors import (
    AssayError,
    FileVanishedError,
    ProjectError,
    RemoteError,
    StoreError,
    TelemetryError,
)
from analytics.examples.card_rows import NeighbourRow, PinnedExampleRow, RegressionRow
from analytics.examples.first_row import FirstRow
from analytics.examples.points import Method
from analytics.examples.rows import ExampleKind, ExampleRow
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
from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow, ExplainRow
from analytics.labels.rows import (
    LabelChangeRow,
    LabelCoverageRow,
    LabelDelayRow,
    LabelFeedRow,
    LabelRow,
    LabelSourceRow,
    LateMetricRow,
)
from analytics.outcomes.rows import OutcomeRow
from analytics.project import Project, find_projects, read_project
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
from analytics.review.rows import AgreementRow, QueuedRow, ReviewedRow
from analytics.scope import Scope
from analytics.segments.rows import GapRow, SegmentRow
from analytics.service.assertions import AssertionRow, BrokenExampleRow
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ErrorRow, ServiceRow, TailRow
from analytics.slices.rows import MapCellRow, SliceCompareRow, SliceRow, SliceTrendRow, TreeRow
from analytics.store import Store, open_store
from analytics.store.alerts import Acknowledgement, Note, Silence, end_silence
from analytics.telemetry.broken import broken_files
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.files import digest
from analytics.telemetry.listing import list_feeds
from analytics.telemetry.report import FileRow

LOOK_EVERY_SECONDS = 10.0
HISTORY = timedelta(days=92)
Answer = TypeVar("Answer")


class Workbench:
    """One project with its logs open.

    The logs are listed anew at most every ten seconds; when a file was added, changed or removed, the views are rebuilt
    before the next answer. Large logs are listed and opened by a thread, and answers meanwhile are those of the listing
    before. Safe to share between threads.

    Args:
        file: the project file, or its folder.
        store: where decisions are kept, instead of what the environment says.
    """

    def __init__(self, file: Path | str, store: Store | None = None) -> None:
        self._file = Path(file)
        self._store = store
        self._lock = RLock()
        self._catalog: Catalog | None = None
        self._looked = 0.0
        self._looking: Thread | None = None
        self._subsets: Subsets | None = None
        self.project: Project = read_project(self._file)

    @property
    def catalog(self) -> Catalog:
        """The views over the files as they are now."""
        known = self._catalog
        # a page asks dozens of times: nobody queues for the lock while there is nothing to look at
        if known is not None and time.monotonic() - self._looked <= LOOK_EVERY_SECONDS:
            return known
        with self._lock:
            due = time.monotonic() - self._looked > LOOK_EVERY_SECONDS
            if self._catalog is not None and due and self._catalog.is_large:
                self._look_aside(self._catalog)
            elif self._catalog is None or (due and self._changed()):
                self._open()
            if self._catalog is None:
                raise ProjectError(f"{self._file}: cannot be opened")
            return self._catalog

    @property
    def digest(self) -> str:
        """Changes when the project file or a log file does: the part of a cache key that stands for the data."""
        return self.catalog.digest

    def scope(self, *, where: Iterable[str] = (), versions: Iterable[str] = (), **words: Any) -> Scope:
        """A scope from the words of a URL or a command line: start, end, grain, as_of, by, confidence."""
        known = self.catalog.features if where and self.catalog.has_predictions else ()
        features = [feature.name for feature in known]
        words.setdefault("now", self.now())
        return Scope.parse(self.project, where=where, versions=versions, features=features, **words)

    def now(self) -> datetime:
        """The present, to the minute; of finished logs (``clock = "logs"``) the minute after their last instant."""
        last = self.catalog.last_logged if self.project.clock == "logs" else None
        if last is None:
            return datetime.now(UTC).replace(second=0, microsecond=0)
        return last.replace(second=0, microsecond=0) + timedelta(minutes=1)

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

    def segments(self, scope: Scope | None = None, metric: str | None = None) -> Results[SegmentRow]:
        """Every value of every segment against the rest, corrected."""
        return self._ask(lambda catalog: ask_segments.segments_of(catalog, scope or Scope(), metric))

    def slices(
        self,
        scope: Scope | None = None,
        metric: str | None = None,
        *,
        depth: int = 3,
        support: float = 0.01,
        k: int = 10,
    ) -> Results[SliceRow]:
        """Slices of up to three conditions that are worse: found on one part of the rows, confirmed on another."""
        return self._ask(
            lambda catalog: ask_slices.slices_of(
                catalog, scope or Scope(), metric, depth=depth, support=support, k=k
            )
        )

    def slice_trend(
        self, scope: Scope | None = None, where: Iterable[str] = (), metric: str | None = None
    ) -> Results[SliceTrendRow]:
        """The metric of the rows that meet some conditions and of all others, window by window."""
        slice_ = self.scope(where=where).filters
        return self._ask(
            lambda catalog: ask_slice_compare.slice_trend_of(catalog, scope or Scope(), slice_, metric)
        )

    def slice_compare(
        self, scope: Scope | None = None, where: Iterable[str] = ()
    ) -> Results[SliceCompareRow]:
        """Everything about the rows that meet some conditions, beside the same of all others."""
        slice_ = self.scope(where=where).filters
        return self._ask(
            lambda catalog: ask_slice_compare.slice_compare_of(catalog, scope or Scope(), slice_)
        )

    def error_map(
        self,
        scope: Scope | None = None,
        metric: str | None = None,
        x: str | None = None,
        y: str | None = None,
    ) -> Results[MapCellRow]:
        """A metric for every pair of values of two fields, luck taken out."""
        return self._ask(lambda catalog: ask_error_map.error_map_of(catalog, scope or Scope(), metric, x, y))

    def error_tree(
        self, scope: Scope | None = None, metric: str | None = None, *, depth: int = 3
    ) -> Results[TreeRow]:
        """Where a metric differs most, as a tree: grown on one part of the rows, measured on another."""
        return self._ask(
            lambda catalog: ask_error_tree.error_tree_of(catalog, scope or Scope(), metric, depth=depth)
        )

    def gaps(self, scope: Scope | None = None) -> Results[GapRow]:
        """How far apart the values of every segment truly are, by every notion of being treated alike."""
        return self._ask(lambda catalog: ask_gaps.gaps_of(catalog, scope or Scope()))

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

    def examples(
        self,
        scope: Scope | None = None,
        kind: ExampleKind = "worst",
        k: int = 20,
        *,
        per_class: bool = False,
        diverse: bool = False,
    ) -> Results[ExampleRow]:
        """The rows behind a number; with ``diverse`` k rows for as many problems as there are."""
        return self._ask(
            lambda catalog: ask_examples.examples_of(
                catalog, scope or Scope(), kind, k, per_class=per_class, diverse=diverse
            )
        )

    def row(self, scope: Scope | None = None, *, key: str) -> RowCard:
        """One row with all that is known about it: by its id, or as ``FILE:ROW``."""
        return self._ask(lambda catalog: ask_row_card.card_of(catalog, scope or Scope(), key))

    def rows(self, scope: Scope | None = None, *, keys: tuple[tuple[str, int], ...]) -> Results[ExampleRow]:
        """Rows known by file and row, those of the highest loss first."""
        return self._ask(lambda catalog: ask_row_card.rows_of(catalog, scope or Scope(), keys))

    def neighbours(self, scope: Scope | None = None, *, key: str, k: int = 10) -> Results[NeighbourRow]:
        """The sampled rows that are most like one row."""
        return self._ask(lambda catalog: ask_row_card.neighbours_of(catalog, scope or Scope(), key, k))

    def error_points(
        self, scope: Scope | None = None, *, of: str = ask_error_points.FEATURES, method: Method = "pca"
    ) -> ErrorMap:
        """A map of sampled rows in two dimensions with their losses, and clusters of the costliest."""
        return self._ask(lambda catalog: ask_error_points.map_of(catalog, scope or Scope(), of, method))

    def pin(
        self, name: str, key: str, *, by: str, note: str = "", scope: Scope | None = None
    ) -> Results[PinnedExampleRow]:
        """Pin a row into a regression set; what each version made of it."""
        return self._ask(
            lambda catalog: ask_regression_sets.pin_row(
                catalog, self.store, scope or Scope(), name, key, by=by, note=note
            )
        )

    def unpin(self, pinned_id: int, *, by: str) -> None:
        """Take a row out of its regression set."""
        self._ask(lambda catalog: ask_regression_sets.unpin_row(catalog, self.store, pinned_id, by=by))

    def pinned(self, scope: Scope | None = None, *, name: str | None = None) -> Results[PinnedExampleRow]:
        """Every pinned row of one set, or of all, as every version answered it."""
        return self._ask(
            lambda catalog: ask_regression_sets.pinned_of(catalog, self.store, scope or Scope(), name)
        )

    def regression(self, scope: Scope | None = None, *, name: str | None = None) -> Results[RegressionRow]:
        """The share of each regression set that each version gets right."""
        return self._ask(
            lambda catalog: ask_regression_sets.regression_of(catalog, self.store, scope or Scope(), name)
        )

    def labels(self, scope: Scope | None = None) -> Results[LabelRow]:
        """How many labels there are, how many to expect by now, and how late they come."""
        return self._ask(lambda catalog: label_counts.labels_of(catalog, scope or Scope()))

    def label_delay(self, scope: Scope | None = None) -> Results[LabelDelayRow]:
        """The curve by which labels arrive, predictions that are still without one taken into account."""
        return self._ask(lambda catalog: label_counts.label_delay_of(catalog, scope or Scope()))

    def label_coverage(self, scope: Scope | None = None) -> Results[LabelCoverageRow]:
        """Which predictions get a label: coverage by decision and by score."""
        return self._ask(lambda catalog: label_feed.label_coverage_of(catalog, scope or Scope()))

    def label_sources(self, scope: Scope | None = None) -> Results[LabelSourceRow]:
        """Every source of labels against the most trusted one."""
        return self._ask(lambda catalog: label_feed.label_sources_of(catalog, scope or Scope()))

    def label_changes(self, scope: Scope | None = None) -> Results[LabelChangeRow]:
        """Reports that contradict an earlier one of the same prediction, over time."""
        return self._ask(lambda catalog: label_feed.label_changes_of(catalog, scope or Scope()))

    def label_feed(self, scope: Scope | None = None) -> Results[LabelFeedRow]:
        """Whether the feed of labels has stopped, contradicts itself or takes longer than it did."""
        return self._ask(lambda catalog: label_feed.label_feed_of(catalog, scope or Scope()))

    def label_weighted(self, scope: Scope | None = None) -> Results[LateMetricRow]:
        """Metrics as the labels that came say it, weighted for those still to come, and at worst and best."""
        return self._ask(lambda catalog: label_weights.late_metrics_of(catalog, scope or Scope()))

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

    @property
    def store(self) -> Store:
        """Where decisions are kept: what ``ASSAY_STORE`` names, else the user's own file."""
        return open_store() if self._store is None else self._store

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

    def error_model(self, scope: Scope | None = None) -> ErrorModel:
        """Where the model will be wrong: a second model of its mistakes, and what a filter by it would catch."""
        return self._ask(lambda catalog: ask_error_model.error_model_of(catalog, scope or Scope()))

    def draw_queue(self, scope: Scope | None = None, *, asked: ask_review.Ask) -> Results[QueuedRow]:
        """Draw rows that people should label next, with chances that are kept."""
        return self._ask(lambda catalog: ask_review.draw_queue(catalog, self.store, scope or Scope(), asked))

    def queued(self, name: str | None = None) -> Results[QueuedRow]:
        """The rows of one queue, or of all, with how many labels each has."""
        return self._ask(lambda catalog: ask_review.queue_of(catalog, self.store, name))

    def reviewed(self, scope: Scope | None = None, *, name: str | None = None) -> Results[ReviewedRow]:
        """Metrics of all rows that queues were drawn from, by the labels people gave."""
        return self._ask(lambda catalog: ask_review.reviewed_of(catalog, self.store, scope or Scope(), name))

    def agreement(self, scope: Scope | None = None, *, name: str | None = None) -> Results[AgreementRow]:
        """How far people agree on the rows that two of them labelled."""
        return self._ask(lambda catalog: ask_review.agreement_of(catalog, self.store, scope or Scope(), name))

    def review_records(self, name: str | None = None) -> list[dict[str, Any]]:
        """The labels people gave, one record a row, by the column names of the project's label feed."""
        return self._ask(lambda catalog: ask_review.export_records(catalog, self.store, name))

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

    def telemetry(self) -> Results[FileRow]:
        """What every log file holds, and what of it was left out."""
        return self._ask(ask_telemetry.telemetry_of)

    def built(self) -> Built | None:
        """When stored aggregates were last built, and of how many rows; None where there are none."""
        catalog = self.catalog
        if not isinstance(catalog.parts, ProjectParts):
            return None
        return catalog.parts.built(kept_up_to_date(catalog).values())

    def aggregate(
        self, tell: Callable[[BuildProgress], None] = lambda _: None, *, anew: bool = False
    ) -> Build:
        """Bring stored aggregates up to date; answers that are asked for meanwhile do not wait.

        Args:
            tell: called with the progress, from this thread.
            anew: forget everything that is stored first.
        """
        found = bring_up_to_date(self.project, tell, anew=anew)
        with self._lock:
            if self._catalog is not None and self._catalog.parts is None:
                attach(self._catalog)
        return found

    def attach(self) -> None:
        """Answer from what was stored meanwhile, by whomever."""
        before = self._catalog
        if before is None:
            return
        opened = open_catalog(read_project(self._file))
        with self._lock:
            if self._catalog is before:
                self._catalog, self.project, self._looked = opened, opened.project, time.monotonic()

    def verify_aggregates(self, tell: Callable[[BuildProgress], None] = lambda _: None) -> Verified:
        """Compare stored aggregates with a rebuild from scratch."""
        catalog = self.catalog
        return verify(catalog, attached(catalog), tell)

    @property
    def subsets(self) -> Subsets:
        """A sample of the logs as they are now, and the rows that pass filters, held in memory once asked for."""
        catalog = self.catalog
        with self._lock:
            if self._subsets is None or self._subsets.whole is not catalog:
                self._subsets = Subsets(catalog)
            return self._subsets

    def over(self, catalog: Catalog) -> Workbench:
        """The same questions, asked of some of the rows (see `subsets`)."""
        part = copy.copy(self)
        part._catalog, part._looked = catalog, math.inf  # noqa: SLF001  # a copy of this one
        return part

    def close(self) -> None:
        """Close the engine."""
        with self._lock:
            self._subsets = None
            if self._catalog is not None:
                self._catalog.close()
                self._catalog = None

    def _ask(self, question: Callable[[Catalog], Answer]) -> Answer:
        try:
            catalog = self.catalog
        except FileVanishedError:
            self._reopen({})
            catalog = self.catalog
        try:
            return _with_cluster(catalog, question(catalog))
        except FileVanishedError:
            # a file was rotated away while it was read: look again, once
            self._reopen({})
        except TelemetryError:
            # a page inside a file may be damaged although its head was fine: go on without that file, and say so
            broken = broken_files(catalog.engine, catalog.feeds)
            if not broken:
                raise
            self._reopen(broken)
        return question(self.catalog)

    def _reopen(self, left_out: Mapping[Path, str]) -> None:
        with self._lock:
            self._open(left_out)

    def _open(self, left_out: Mapping[Path, str] | None = None) -> None:
        self.project = read_project(self._file)
        # the catalog before may still be answering another thread; it is closed when nobody holds it any more
        self._catalog = open_catalog(self.project, left_out)
        self._looked = time.monotonic()

    def _changed(self) -> bool:
        self._looked = time.monotonic()
        try:
            return self._catalog is None or self._differs(self._catalog)
        except RemoteError:
            return False  # a bucket that does not answer now: the listing before still does

    def _differs(self, catalog: Catalog) -> bool:
        """Whether the files are no longer those that a catalog listed."""
        if catalog.parts is None:
            with suppress(StoreError):  # a place that does not answer now is asked again later
                attach(catalog)  # another process, or a thread, may have built some since
        project = read_project(self._file)
        listed = list_feeds(project)
        return "-".join((project.digest, *(digest(files) for files in listed.values()))) != catalog.digest

    def _look_aside(self, catalog: Catalog) -> None:
        """Let a thread list the files and open them if they changed; one at a time."""
        if self._looking is not None and self._looking.is_alive():
            return
        self._looking = Thread(target=self._renew, args=(catalog,), name="assay-look", daemon=True)
        self._looking.start()

    def _renew(self, catalog: Catalog) -> None:
        try:
            opened = open_catalog(read_project(self._file)) if self._differs(catalog) else catalog
        except RemoteError:
            opened = catalog  # a bucket that does not answer says nothing about its logs: ask again later
        except AssayError:
            opened = None  # the next question opens them itself, and says what is wrong
        with self._lock:
            # what was opened or closed by others meanwhile is newer
            if self._catalog is not catalog:
                return
            self._looked = time.monotonic()
            if opened is not catalog:
                self._catalog = opened
                self.project = self.project if opened is None else opened.project


def _with_cluster(catalog: Catalog, answer: Answer) -> Answer:
    """An answer that says so where a cluster was asked for it, and how long that took."""
    said = catalog.live.said() if catalog.live is not None else None
    if said is None or not isinstance(answer, Results):
        return answer
    return cast("Answer", replace(answer, notes=(*answer.notes, said)))


def open_workbench(path: Path | str) -> Workbench:
    """Open one project: its file, its folder, or a workspace that holds just one.

    Raises:
        ProjectError: there is no project, or there are several.
    """
    files = find_projects(Path(path))
    if len(files) > 1:
        names = ", ".join(file.parent.name for file in files)
        raise ProjectError(f"{path}: holds several projects ({names}); name one of them")
    return Workbench(files[0])


def open_workspace(path: Path | str) -> tuple[Workbench, ...]:
    """Open every project of a file, a project folder or a workspace."""
    return tuple(Workbench(file) for file in find_projects(Path(path)))
