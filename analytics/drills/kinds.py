"""The kinds of faults: what each does, what its severity means, and what a project must log for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

FaultKind = Literal[
    "labels_flipped", "feature_null", "feature_scaled", "feature_shifted", "feature_stale", "feature_swapped",
    "scores_biased", "scores_frozen", "labels_delayed", "requests_delayed", "traffic_lost", "traffic_doubled",
    "version_swapped", "burst",
]  # fmt: skip
SMALL, MIDDLE, LARGE = 0.25, 0.5, 1.0
SEVERITIES = (SMALL, MIDDLE, LARGE)
TENFOLD = 10.0
SHIFT_SPREADS = 2.0
SCORE_LOGITS = 2.0
LABEL_DAYS = 8.0
LATENCY_MEDIANS = 10.0
RECEIVED_HOURS = 6.0
BURST_COPIES = 2.0


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        title: as a person would name it.
        does: what happens to the rows that are hit.
        severity: what a severity between 0 and 1 means.
        of_feature: whether it needs a feature.
        share: whether severity is the share of rows that are hit; otherwise all are, and it is the size.
    """

    title: str
    does: str
    severity: str
    of_feature: bool = False
    share: bool = False


_ROWS = "the share of the requests there that are hit: .25, .5, all"
KINDS: dict[FaultKind, Kind] = {
    "labels_flipped": Kind(
        "Labels flipped",
        "labels say the opposite (several classes: the next class; a regression: mirrored at the median)",
        "the share of the labels of predictions made there that are flipped: .25, .5, all",
        share=True,
    ),
    "feature_null": Kind("A feature null", "the feature is missing", _ROWS, of_feature=True, share=True),
    "feature_scaled": Kind(
        "A feature scaled",
        "the feature is in another unit",
        "times 10 to its power: 1.8, 3.2, 10 times",
        of_feature=True,
    ),
    "feature_shifted": Kind(
        "A feature shifted",
        "the feature is too large",
        "plus so many times two standard deviations of the reference: half a one, one, two",
        of_feature=True,
    ),
    "feature_stale": Kind(
        "A feature stale",
        "the feature keeps the last value its unit had before the fault (without a unit: the last one of all)",
        _ROWS,
        of_feature=True,
        share=True,
    ),
    "feature_swapped": Kind(
        "Two features swapped",
        "the feature and another one change places",
        _ROWS,
        of_feature=True,
        share=True,
    ),
    "scores_biased": Kind(
        "Scores biased",
        "scores are too high (several classes: that of the first class), and decisions follow",
        "plus so many times 2 on the logit scale (a regression: standard deviations of the predictions): .5, 1, 2",
    ),
    "scores_frozen": Kind(
        "Scores frozen", "every request gets the last score and decision before the fault", _ROWS, share=True
    ),
    "labels_delayed": Kind(
        "Labels delayed",
        "labels of predictions made there come later",
        "so many times 8 days later: 2, 4, 8 days",
    ),
    "requests_delayed": Kind(
        "Requests delayed",
        "answers take longer, and arrive in the log later where that is logged",
        "plus so many times 10 median latencies: 2.5, 5, 10; and so many times 6 hours until the log has them",
    ),
    "traffic_lost": Kind("Traffic lost", "requests are not logged", _ROWS, share=True),
    "traffic_doubled": Kind(
        "Traffic doubled",
        "requests come a second time, with an id of their own and the same label",
        _ROWS,
        share=True,
    ),
    "version_swapped": Kind(
        "A version swapped",
        "another version answers under the name of this one (where versions do not share requests: the other name "
        "is logged)",
        _ROWS,
        share=True,
    ),
    "burst": Kind(
        "A burst of near-identical requests",
        "one request comes over and over, with ids and times of its own",
        "so many times twice the traffic there on top: half, as much again, twice as much again",
    ),
}


@dataclass(frozen=True)
class Fault:
    """A fault to plant.

    Attributes:
        kind: what happens.
        severity: from 0 (nothing) to 1; small is .25, middle .5 and large 1, and `KINDS` says what that means.
        start, end: the predictions it touches by their time, the end excluded; a fault of labels touches the labels
            of these predictions.
        where: of these only, ``NAME=VALUE`` as on the command line.
        feature: of a fault in a feature; for swapped ones ``other`` is the second.
        version: of this one only; all where left out.
        other: the feature it is swapped with, or the version that answers instead; chosen where left out.
        seed: another one hits other rows.
    """

    kind: FaultKind
    severity: float
    start: datetime
    end: datetime
    where: tuple[str, ...] = ()
    feature: str | None = None
    version: str | None = None
    seed: int = 0
    other: str | None = None


@dataclass(frozen=True)
class Planted:
    """A fault that was planted.

    Attributes:
        fault: what was asked.
        n_hit: predictions that are altered, lost, copied, or whose labels are.
        explained: share of the variance of scores that the stand-in for the model explains, the least of the versions;
            None where none was needed.
        notes: what a reader should know about it.
    """

    fault: Fault
    n_hit: int
    explained: float | None = None
    notes: tuple[str, ...] = field(default=())
