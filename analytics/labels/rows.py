"""Result rows about labels: how many there are, how late they come, from whom, and what that does to metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.results import Status
from analytics.stats.blocks import Independence


@dataclass(frozen=True)
class LabelRow:
    """The labels of one window and version.

    Attributes:
        n: predictions.
        n_labelled: those with a label.
        coverage: weighted share of them.
        expected_coverage: share expected to have one by now, from how long the labels of earlier predictions took.
        arrived_share: of the labels that will ever come, the share expected to be there by now.
        n_learned: earlier predictions that this was learned from.
        learned_from: ``version`` (its own) or ``all versions`` (where its own are too few).
        delay_p50_seconds: median delay of the labels that came (to the first report).
        delay_p95_seconds: by when 95 % of the labels that came had come.
        p_adjusted: of "as many labels came as expected", one-sided, corrected over the windows of the version.
        short: whether labels are missing beyond chance and by more than 2 points.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    n: int
    n_labelled: int
    coverage: float | None
    ci_low: float | None
    ci_high: float | None
    independence: Independence | None
    expected_coverage: float | None
    expected_ci_low: float | None
    expected_ci_high: float | None
    arrived_share: float | None
    n_learned: int
    learned_from: str | None
    delay_p50_seconds: float | None
    delay_p50_ci_low: float | None
    delay_p50_ci_high: float | None
    delay_p95_seconds: float | None
    delay_p95_ci_low: float | None
    delay_p95_ci_high: float | None
    p_adjusted: float | None
    short: bool | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LabelDelayRow:
    """One point of a version's curve of arrivals.

    Attributes:
        seconds: since the prediction.
        arrived: the share of predictions with a label by then, those without one so far taken into account.
        arrived_of_ever: the same among those that ever get one.
        later: the share of predictions that get a label only after this time: were a missing label taken for the
            absent one then, so many would flip.
        n_at_risk: predictions that were followed so far and had no label just before.
    """

    version: str | None
    seconds: float
    arrived: float
    ci_low: float
    ci_high: float
    arrived_of_ever: float | None
    later: float
    later_ci_low: float
    later_ci_high: float
    n: int
    n_at_risk: int
    independence: Independence
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LabelCoverageRow:
    """The share of predictions with a label, by decision or by score.

    Attributes:
        by: ``decision`` or ``score``.
        difference: coverage here minus coverage of all others.
        selected: whether it differs beyond chance (corrected) and by more than 5 points.
    """

    version: str | None
    by: str
    group: str
    n: int
    n_labelled: int
    coverage: float | None
    ci_low: float | None
    ci_high: float | None
    difference: float | None
    p_adjusted: float | None
    selected: bool | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LabelSourceRow:
    """One source of labels against the most trusted one.

    Attributes:
        n: predictions it labelled.
        n_both: those the trusted source labelled as well.
        agreement: the share of these with the same label (classes), with its interval.
        kappa: agreement beyond chance, 1 is perfect (Cohen).
        mean_difference: its label minus the trusted one's (regression: in the label's unit; binary: of the share).
        delay_p50_seconds: its median delay.
    """

    version: str | None
    source: str
    trusted_source: str | None
    n: int
    n_both: int
    agreement: float | None
    agreement_ci_low: float | None
    agreement_ci_high: float | None
    kappa: float | None
    kappa_ci_low: float | None
    kappa_ci_high: float | None
    mean_difference: float | None
    mean_difference_ci_low: float | None
    mean_difference_ci_high: float | None
    delay_p50_seconds: float | None
    delay_p95_seconds: float | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LabelChangeRow:
    """What the reports that came within a window said against earlier ones of the same predictions.

    Attributes:
        n_reports: reports that came in the window.
        n_repeats: those about a prediction that had one before.
        n_contradictions: those that say something else than the one before.
        share: contradictions among all reports.
        mean_change: the new label minus the old, over contradictions; None for classes without an order.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    n_reports: int
    n_repeats: int
    n_contradictions: int
    share: float | None
    ci_low: float | None
    ci_high: float | None
    mean_change: float | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LabelFeedRow:
    """Is the feed alive, and does it behave as before?

    Attributes:
        n_reports: label reports (labels, where they are a column).
        n_orphans: reports without a prediction.
        n_early: labels stamped before their prediction.
        n_future: labels stamped after now (a wrong clock).
        n_contradictions: reports that say something else than the one before.
        first: the first label's time, and ``last`` the newest.
        silent_seconds: since the newest.
        usual_silence_seconds: 95 % of days have no longer silence that ends on them.
        expected_since: labels expected since the newest one, had nothing changed.
        p_value: of none coming although nothing has changed.
        silent: whether the feed has stopped.
        delay_p50_seconds: median delay of the labels that ever come; ``share_before`` and ``share_recent`` of the
            predictions had a label by then in the first and in the second half of the days.
        change_p_value: of no change between both halves.
        delay_changed: whether it did, beyond chance and by more than 5 points.
        mean_label_early: mean label (binary: share of positives) of labels that came sooner than the median delay,
            and ``mean_label_late`` of the others.
    """

    version: str | None
    n_reports: int
    n_orphans: int
    n_early: int
    n_future: int
    n_contradictions: int
    first: datetime | None
    last: datetime | None
    silent_seconds: float | None
    usual_silence_seconds: float | None
    expected_since: float | None
    p_value: float | None
    silent: bool | None
    delay_p50_seconds: float | None
    share_before: float | None
    share_recent: float | None
    share_difference_ci_low: float | None
    share_difference_ci_high: float | None
    change_p_value: float | None
    delay_changed: bool | None
    mean_label_early: float | None
    mean_label_late: float | None
    mean_label_difference_ci_low: float | None
    mean_label_difference_ci_high: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class LateMetricRow:
    """One metric as the labels that came say it, and corrected for those that are still to come.

    Attributes:
        value: from the labels that came, as they are.
        weighted_value: each divided by the probability that it had arrived by now.
        by_label: whether those probabilities were learned for each label apart (else only by decision).
        lowest: were all missing labels the ones that make it smallest; ``highest`` likewise.
        n_left_out: labelled rows whose probability is below .2: left out of the weighted value.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    class_: str | None
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    weighted_value: float | None
    weighted_ci_low: float | None
    weighted_ci_high: float | None
    lowest: float | None
    highest: float | None
    by_label: bool
    n: int
    n_labelled: int
    n_left_out: int
    independence: Independence | None
    status: Status
    reason: str | None
