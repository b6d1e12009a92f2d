"""Result rows of one example looked at closely: its features, its neighbours, and sets of pinned rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.results import Status
from analytics.stats.usual import Finding


@dataclass(frozen=True)
class UnusualRow:
    """One feature of one row, as it lies among the reference.

    Attributes:
        feature: its name.
        value: as it was logged; None where missing.
        finding: in a word (see `analytics.stats.usual`).
        unusual: whether at most 1 % of the known rows are as extreme or as rare.
        quantile: of a number, the share of known numbers below it, ties half.
        share: of a text, and of a missing value, the share of known rows with the same.
        low, high: the smallest and largest known number.
        reason: in words, where it is unusual.
        n_known: sampled rows it is compared with.
        known: what these are: the reference, or the window.
    """

    feature: str
    value: str | float | None
    finding: Finding
    unusual: bool
    quantile: float | None
    share: float | None
    low: float | None
    high: float | None
    n_known: int
    known: str
    reason: str | None


@dataclass(frozen=True)
class NeighbourRow:
    """One of the rows most like a row.

    Attributes:
        rank: 1 is the nearest.
        distance: Gower's, 0 to 1 (beyond where numbers lie outside of what is sampled): the mean over the features.
        differs: where the two are least alike, in words.
        loss: as in `ExampleRow`.
    """

    rank: int
    distance: float
    differs: str
    id: str | None
    timestamp: datetime
    version: str | None
    label: str | None
    decision: str | None
    score: float | None
    loss: float | None
    file: str
    row: int
    columns: dict[str, Any]


@dataclass(frozen=True)
class PinnedExampleRow:
    """One pinned row as one version answered it.

    Attributes:
        set: the name of the set.
        pinned_id: its number in the store.
        passed: whether the decision is the label (a regression: within the tolerance); None where that is not known.
        reason: why it passed or not, or why that is not known.
    """

    set: str
    pinned_id: int
    version: str | None
    id: str | None
    timestamp: datetime | None
    label: str | None
    decision: str | None
    score: float | None
    loss: float | None
    passed: bool | None
    reason: str
    pinned_by: str
    pinned_at: datetime
    note: str
    file: str | None
    row: int | None


@dataclass(frozen=True)
class RegressionRow:
    """How one version does on one set.

    Attributes:
        set: the name of the set.
        n_pinned: rows in the set.
        n: of these, rows that the version answered and that have a label.
        n_passed: of those, rows it got right.
        value: the share passed.
        ci_low, ci_high: Wilson's interval: for rows such as these, were they independent; none are drawn at random.
    """

    set: str
    version: str | None
    n_pinned: int
    n: int
    n_passed: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    status: Status
    reason: str | None
