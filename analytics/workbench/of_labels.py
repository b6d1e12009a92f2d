"""Questions about the feed of labels."""

from __future__ import annotations

from analytics.ask import label_counts, label_feed, label_weights
from analytics.labels.rows import (
    LabelChangeRow,
    LabelCoverageRow,
    LabelDelayRow,
    LabelFeedRow,
    LabelRow,
    LabelSourceRow,
    LateMetricRow,
)
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench.open_logs import OpenLogs


class OfLabels(OpenLogs):
    """How labels come."""

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
