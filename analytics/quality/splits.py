"""Train, validation, test and production side by side: which gaps there are, and what each of them means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from analytics.directions import direction, worse_by
from analytics.results import Status
from analytics.stats.blocks import Independence
from analytics.stats.multiplicity import benjamini_hochberg

ORDER = ("train", "validation", "test", "production")
EARLY, LATE = "production:early", "production:late"
ALARM = 0.05
Finding = Literal["overfitting", "unrepresentative test set", "drift since", "worse in production"]


@dataclass(frozen=True)
class SplitRow:
    """One metric of one split, and its gap to the split before it.

    Attributes:
        split: train, validation, test, production, or production cut in two: ``production:early`` and
            ``production:late``.
        compared_with: the split the gap is to: the nearest one before that has rows; ``production:late`` is compared
            with ``production:early``, which is compared as production is.
        gap: value minus the value of that split, with its own interval.
        worse: whether the gap is in the bad direction and p_adjusted is below 0.05; None without an answer.
        p_adjusted: Benjamini-Hochberg over the gaps of this metric and version: the metrics all see the same rows.
        finding: what a worse gap means, on the metric asked for only.
    """

    version: str | None
    split: str
    class_: str | None
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_labelled: int
    compared_with: str | None
    gap: float | None
    gap_ci_low: float | None
    gap_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    worse: bool | None
    independence: Independence | None
    status: Status
    reason: str | None
    finding: Finding | None = None


def before(split: str, there: Sequence[str]) -> str | None:
    """The split that a split is compared with.

    >>> before("production", ["train", "test", "production"]), before("train", ["train"])
    ('test', None)
    >>> before("production:late", ["train", "production:early", "production:late"])
    'production:early'
    """
    if split == LATE:
        return EARLY if EARLY in there else None
    place = ORDER.index(split.partition(":")[0]) if split.partition(":")[0] in ORDER else 0
    return next((name for name in reversed(ORDER[:place]) if name in there), None)


def judged(rows: Sequence[SplitRow], metric: str) -> tuple[SplitRow, ...]:
    """Correct the p-values of the gaps of each version and metric together, and say what they mean.

    Args:
        rows: all splits and metrics; gaps with their own p-values.
        metric: the one whose gaps are put into words.
    """
    answers: list[SplitRow] = list(rows)
    families = dict.fromkeys((row.version, row.metric, row.class_) for row in rows)
    for family in families:
        mine = [place for place, row in enumerate(rows) if (row.version, row.metric, row.class_) == family]
        adjusted = np.asarray(benjamini_hochberg([rows[place].p_value for place in mine])).tolist()
        for place, p_adjusted in zip(mine, adjusted, strict=True):
            answers[place] = _one(rows[place], p_adjusted)
    findings = {
        version: _findings({row.split: row for row in answers if row.version == version and _is(row, metric)})
        for version in dict.fromkeys(row.version for row in rows)
    }
    return tuple(
        replace(row, finding=findings[row.version].get(row.split)) if _is(row, metric) else row
        for row in answers
    )


def _is(row: SplitRow, metric: str) -> bool:
    return row.metric == metric and row.class_ is None


def _one(row: SplitRow, p_adjusted: float) -> SplitRow:
    if row.p_value is None or row.value is None or row.gap is None:
        return row
    worse = None if direction(row.metric) == "none" else worse_by(row.metric, row.value, row.value - row.gap)
    verdict = None if worse is None else bool(worse > 0 and p_adjusted < ALARM)
    return replace(row, p_adjusted=p_adjusted, worse=verdict)


def _findings(rows: Mapping[str, SplitRow]) -> dict[str, Finding]:
    """What the gaps of one version and metric mean.

    A model that does worse on held-out rows than on those it was fitted to is overfitted. A test set on which it does
    better than on validation rows, or than in its first time in production, is not what production is like. What is
    lost later than that is drift since.
    """
    found: dict[str, Finding] = {}
    held_out = next((name for name in ("validation", "test") if name in rows), None)
    if held_out is not None and rows[held_out].worse and rows[held_out].compared_with == "train":
        found[held_out] = "overfitting"
    test = rows.get("test")
    if test is not None and test.compared_with == "validation" and test.p_adjusted is not None:
        # worse than validation: the model was chosen by it; better: an easier set; neither is like the other
        found |= {"test": "unrepresentative test set"} if test.p_adjusted < ALARM else {}
    early, late, whole = (rows.get(name) for name in (EARLY, LATE, "production"))
    from_test = whole is not None and whole.compared_with in {"validation", "test"}
    if early is not None and early.worse and from_test:
        found[EARLY] = "unrepresentative test set"
    if late is not None and late.worse:
        found[LATE] = "drift since"
    if whole is not None and whole.worse and not {EARLY, LATE} & set(found):
        found["production"] = "worse in production"
    return found
