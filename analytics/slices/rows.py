"""Result rows of slice search, error map, error tree, and of one slice beside all other rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status


@dataclass(frozen=True)
class SliceRow:
    """One slice that stood out on one part of the rows, measured on another.

    All estimates are of the rows that confirm, which took no part in the search.

    Attributes:
        rank: 1 costs most; confirmed slices first. None where no search was possible (``reason`` says why).
        slice: the conditions in words.
        where: the same as ``--where`` takes them.
        sql: the same as a WHERE clause over the logged columns.
        n_conditions: how many.
        n: rows of the slice that have the metric, of all rows asked about.
        share: of the rows.
        n_confirming: rows of the slice on which everything below is measured.
        value: of the metric in the slice, with its interval; ``value_elsewhere``: in all other rows.
        difference: of the two, with its own interval.
        share_of_loss: of all that the metric counts as loss (of all wrong decisions, for accuracy), with its interval;
            None where gains and losses mix.
        impact: how much the whole would gain if the slice did as well as the rest.
        p_value: the largest of those against all other rows, against what is left of each parent (the slice with one
            condition less), and, without the rows of better slices, against all other rows.
        p_adjusted: Benjamini-Hochberg over the slices that were tested.
        confirmed: worse than the rest, and p_adjusted below 0.05; None where it could not be tested.
        value_shrunken: the value with luck taken out, as the slices tested differ, with its interval.
        independence: what the value's interval takes as independent.
        score: standard errors above the rest where it was found: how it was chosen, no evidence.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    rank: int | None
    slice: str
    where: tuple[str, ...]
    sql: str
    n_conditions: int
    n: int
    share: float | None
    n_confirming: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_elsewhere: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    share_of_loss: float | None
    share_of_loss_ci_low: float | None
    share_of_loss_ci_high: float | None
    impact: float | None
    p_value: float | None
    p_adjusted: float | None
    confirmed: bool | None
    value_whole: float | None
    value_shrunken: float | None
    shrunken_ci_low: float | None
    shrunken_ci_high: float | None
    independence: str | None
    score: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class SliceTrendRow:
    """One slice in one window, beside all other rows of that window."""

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    where: tuple[str, ...]
    n: int
    share: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_elsewhere: float | None
    elsewhere_ci_low: float | None
    elsewhere_ci_high: float | None
    independence: str | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class MapCellRow:
    """One cell of a map of two fields.

    Attributes:
        x, y: the fields; ``x_value`` and ``y_value`` as ``--where`` takes them after the field's name.
        x_place, y_place: order of the values.
        value_shrunken: pulled towards all rows by as much as luck explains how cells differ.
        p_adjusted: that the cell is like the rest, corrected over the cells.
        worse: worse than the rest beyond chance; None without an answer.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    x: str
    x_value: str
    x_place: int
    y: str
    y_value: str
    y_place: int
    where: tuple[str, ...]
    n: int
    share: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_elsewhere: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    value_whole: float | None
    value_shrunken: float | None
    shrunken_ci_low: float | None
    shrunken_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    worse: bool | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class TreeRow:
    """One node of an error tree: grown on one part of the rows, measured on another.

    Attributes:
        node: 1 is the root; the children of node i are 2 i and 2 i + 1.
        depth: of the root 0.
        leaf: whether it is not split further.
        condition: what sets it apart from its sibling, in words; of the root empty.
        where: all conditions on the way to it, as ``--where`` takes them; None where a value cannot be named.
        n: rows that confirm.
        share_of_loss: of all that the metric counts as loss.
        gap: value minus its sibling's, with its interval: whether the split is more than luck.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    node: int
    parent: int | None
    depth: int
    leaf: bool
    field: str | None
    condition: str
    where: tuple[str, ...] | None
    sql: str
    n: int
    share: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    share_of_loss: float | None
    share_of_loss_ci_low: float | None
    share_of_loss_ci_high: float | None
    gap: float | None
    gap_ci_low: float | None
    gap_ci_high: float | None
    gap_p_value: float | None
    independence: str | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class SliceCompareRow:
    """One number of a slice beside the same of all other rows.

    Attributes:
        kind: quality, feature, labels or service.
        name: the metric, or the feature; ``class_`` of a one-vs-rest metric.
        value, value_elsewhere: with their intervals; of a feature None.
        difference: value minus value_elsewhere with its interval; of a feature the share of rows that would have to
            move (total variation), of which ``by_chance`` comes from luck.
        p_adjusted: Benjamini-Hochberg over all numbers of the kind.
        differs: beyond chance (and, of a feature, beyond the tolerance); None without an answer.
        worse: whether that is bad; None where neither side is.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    where: tuple[str, ...]
    kind: Literal["quality", "feature", "labels", "service"]
    name: str
    class_: str | None
    n: int
    n_elsewhere: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_elsewhere: float | None
    elsewhere_ci_low: float | None
    elsewhere_ci_high: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    by_chance: float | None
    p_value: float | None
    p_adjusted: float | None
    differs: bool | None
    worse: bool | None
    status: Status
    reason: str | None
