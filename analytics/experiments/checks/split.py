"""Is the split as planned? Looked at daily, since when it is not, and which segments carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import Counts, Split
from analytics.aggregates.daily_split import DailySplit
from analytics.experiments.design import Design
from analytics.experiments.rows import Check
from analytics.experiments.words import count, listed, p_value, percent
from analytics.stats.multiplicity import holm
from analytics.stats.sample_ratio import sample_ratio_test
from analytics.stats.sequential_srm import sequential_split
from analytics.stats.split_changes import Onset, split_onset
from analytics.stats.split_parts import SplitParts, split_parts
from analytics.stats.stratified import split_within

SRM_ALARM = 0.001
"""p-value under which the split is called broken: it is looked at in every experiment, and nothing good excuses it."""
LEAST_EXPECTED = 5.0
EXPLAINED = 0.05
"""p-value from which the split without a segment counts as planned."""
COMMAND = "assay experiment-health"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SegmentPart:
    """One value of a segment, and its part in the deviation of the split.

    Attributes:
        segment, value: which.
        n: arm -> units.
        expected: arm -> units that were expected.
        contribution: to Pearson's statistic of the whole; those of a segment sum to it.
        p_value: of this value's own split; None where it expects too few units.
        p_adjusted: Holm over all values of all segments.
        p_without: of the split of all other units.
    """

    segment: str
    value: str
    n: dict[str, int]
    expected: dict[str, float]
    contribution: float
    p_value: float | None
    p_adjusted: float | None
    p_without: float


@dataclass(frozen=True)
class SplitDay:
    """What one arm got on one day.

    Attributes:
        day: local.
        variant: the arm.
        n: units (or clusters) first exposed on it.
        expected: what it should have got of that day's.
        p_value: of the split as it stood after the day, with daily looks; the same for every arm.
    """

    day: date
    variant: str
    n: int
    expected: float
    p_value: float


def split_days(design: Design, split: Split) -> tuple[SplitDay, ...]:
    """The split by day; empty where exposures carry no time."""
    if not len(split.daily.days):
        return ()
    days, counted, expected = by_day(design, split.daily)
    p = sequential_p(design, split.daily)[1]
    return tuple(
        SplitDay(day, arm, int(counted[i, k]), float(expected[i, k]), float(p[i]))
        for i, day in enumerate(days)
        for k, arm in enumerate(split.daily.arms)
    )


def planned_in(design: Design, stratum: str, phase: int) -> Mapping[str, float]:
    """Planned shares of a stratum, else of a phase, else of the experiment."""
    if stratum in design.strata:
        return design.strata[stratum]
    return design.phases[phase].shares if 0 <= phase < len(design.phases) else design.planned


def planned_cells(design: Design, daily: DailySplit) -> Floats:
    """Planned shares of every cell: those of its phase, of its stratum, or of the experiment; shape (C, arms)."""
    return np.array(
        [
            [planned_in(design, stratum, int(phase)).get(arm, 0.0) for arm in daily.arms]
            for stratum, phase in zip(daily.strata.tolist(), daily.phases.tolist(), strict=True)
        ]
    ).reshape(len(daily.days), len(daily.arms))


def sequential_p(design: Design, daily: DailySplit) -> tuple[tuple[date, ...], Floats]:
    """The days, and the p-value of the split after each: the least so far, which holds however often one looks.

    Strata are independent, so their Bayes factors multiply.
    """
    days = np.unique(daily.days)
    planned, total = planned_cells(design, daily), np.zeros(len(days))
    for stratum in np.unique(daily.strata):
        chosen = daily.strata == stratum
        found = sequential_split(daily.n[chosen], planned[chosen]).log_factors
        last = np.searchsorted(daily.days[chosen], days, side="right") - 1
        total += np.where(last >= 0, found[np.maximum(last, 0)], 0.0)
    return tuple(days.astype(object)), np.exp(-np.maximum(np.maximum.accumulate(total), 0.0))


def by_day(design: Design, daily: DailySplit) -> tuple[tuple[date, ...], Floats, Floats]:
    """Days, what every arm got, and what it should have got; shape (days, arms)."""
    days, place = np.unique(daily.days, return_inverse=True)
    counted, expected = (np.zeros((len(days), len(daily.arms))) for _ in range(2))
    np.add.at(counted, place, daily.n)
    np.add.at(expected, place, planned_cells(design, daily) * daily.n.sum(axis=1, keepdims=True))
    return tuple(days.astype(object)), counted, expected


@dataclass(frozen=True)
class PlainTest:
    """The split as it stands, tested once and as looked at daily.

    Attributes:
        counts: arm -> units, or clusters where these were randomised.
        expected: arm -> the same by plan, summed over strata and phases.
        statistic, df, p_value: Pearson's, summed over strata and phases; nan where nothing can be tested.
        p_daily: of the sequential test; None where exposures carry no time.
    """

    counts: Mapping[str, int]
    expected: Mapping[str, float]
    statistic: float
    df: int
    p_value: float
    p_daily: float | None = None


def plain_test(design: Design, split: Split) -> PlainTest:
    """Test the split, within strata and phases where the plan differs by them."""
    counts = {
        arm: int((split.n if split.clusters is None else split.clusters).get(arm, 0)) for arm in design.shares
    }
    daily = split.daily
    if not len(daily.days) and design.strata and split.by_stratum:
        return _within_strata(design, split, counts)
    if not len(daily.days):
        tested = sample_ratio_test(list(counts.values()), list(design.shares.values()))
        expected = dict(zip(design.shares, tested.expected.tolist(), strict=True))
        return PlainTest(counts, expected, tested.statistic, tested.df, tested.p_value)
    planned = planned_cells(design, daily)
    groups, place = np.unique(planned, axis=0, return_inverse=True)
    cells = np.zeros(groups.shape)
    np.add.at(cells, place.ravel(), daily.n)
    within = split_within(cells, groups)
    return PlainTest(
        dict(zip(daily.arms, daily.n.sum(axis=0).astype(int).tolist(), strict=True)),
        dict(zip(daily.arms, (groups * cells.sum(axis=1, keepdims=True)).sum(axis=0).tolist(), strict=True)),
        within.statistic,
        within.df,
        within.p_value,
        float(sequential_p(design, daily)[1][-1]),
    )


def _within_strata(design: Design, split: Split, counts: Mapping[str, int]) -> PlainTest:
    """Without times: every stratum against its own plan, strata with the same plan together."""
    planned = np.array(
        [[planned_in(design, name, -1).get(arm, 0.0) for arm in counts] for name in split.by_stratum]
    )
    found = np.array([[n.get(arm, 0) for arm in counts] for n in split.by_stratum.values()], dtype=np.float64)
    groups, place = np.unique(planned, axis=0, return_inverse=True)
    cells = np.zeros(groups.shape)
    np.add.at(cells, place.ravel(), found)
    within = split_within(cells, groups)
    expected = (groups * cells.sum(axis=1, keepdims=True)).sum(axis=0).tolist()
    return PlainTest(
        counts, dict(zip(counts, expected, strict=True)), within.statistic, within.df, within.p_value
    )


def split_check(design: Design, split: Split) -> Check:
    """The split against the plan; the p-value holds however often it was looked at.

    Where exposures carry no time there is one look, and the plain chi-squared test.
    """
    plain = plain_test(design, split)
    counts, expected = plain.counts, plain.expected
    n, used = sum(counts.values()), [arm for arm, planned in expected.items() if planned > 0]
    if len(used) < 2 or not n:
        why = "no unit was exposed" if not n else "a split needs two arms with a planned share"
        return Check("srm", "unknown", f"The split cannot be tested: {why}.", threshold=SRM_ALARM, n=n)
    if min(expected[arm] for arm in used) < LEAST_EXPECTED:
        return Check(
            "srm",
            "unknown",
            f"The split cannot be tested yet: an arm is expected to have {min(expected.values()):.3g} only.",
            threshold=SRM_ALARM,
            n=n,
        )
    p = plain.p_value if plain.p_daily is None else plain.p_daily
    worst = max(used, key=lambda arm: (counts[arm] - expected[arm]) ** 2 / expected[arm])
    return Check(
        "srm",
        "blocks" if p < SRM_ALARM else "fine",
        _sentence(counts, expected, worst, p),
        value=(counts[worst] - expected[worst]) / n,
        threshold=SRM_ALARM,
        p_value=p,
        n=n,
        query=f"{COMMAND} {design.name} --json",
    )


def _sentence(counts: Mapping[str, int], expected: Mapping[str, float], worst: str, p: float) -> str:
    total = sum(counts.values())
    if p < SRM_ALARM:
        return (
            f"The split is not as planned: {worst} has {count(counts[worst])} where {count(expected[worst])} "
            f"were expected ({p_value(p)}, looked at daily)."
        )
    arms = [
        f"{arm} {percent(n / total)} (planned {percent(expected[arm] / total)})" for arm, n in counts.items()
    ]
    return f"The split is as planned: {listed(arms)}; {p_value(p)} with daily looks."


def onset_of(design: Design, split: Split, confidence: float = 0.95) -> tuple[tuple[date, ...], Onset] | None:
    """The days, and since which of them the split deviates; None where exposures carry no time."""
    daily = split.daily
    if len(np.unique(daily.days)) < 2 or not daily.n.sum():
        return None
    days, counted, expected = by_day(design, daily)
    size = counted.sum(axis=1, keepdims=True)
    return days, split_onset(counted, np.where(size > 0, expected / np.maximum(size, 1.0), 1.0), confidence)


def onset_check(design: Design, split: Split) -> Check | None:
    """Since when a broken split is broken."""
    found = onset_of(design, split)
    if found is None:
        return None
    days, onset = found
    worst = int(np.argmax(np.abs(onset.shares - onset.planned)))
    arm = split.daily.arms[worst]
    between = (
        ""
        if onset.low == onset.high
        else f" (95% interval {days[onset.low]:%-d %b} to {days[onset.high]:%-d %b})"
    )
    since = (
        "from the first day on"
        if onset.at == 0
        else f"since {days[onset.at]:%-d %b %Y}, its day {onset.at + 1}"
    )
    until = "" if onset.until is None else f" until {days[onset.until]:%-d %b}, when it stops"
    return Check(
        "srm_onset",
        "warns",
        f"The split deviates {since}{between}{until}: {arm} gets {percent(onset.shares[worst])} of the units "
        f"where {percent(onset.planned[worst])} are planned.",
        value=float(onset.shares[worst] - onset.planned[worst]),
        n=int(split.daily.n.sum()),
        day=days[onset.at],
    )


def segment_parts(design: Design, split: Split) -> tuple[SegmentPart, ...]:
    """Every value of every segment with its part in the deviation, the largest part of each segment first."""
    rows: list[SegmentPart] = []
    for segment, counts in split.by_segment.items():
        arms = [arm for arm in design.shares if arm in counts.n]
        of_stratum = bool(design.strata) and set(design.strata) <= set(counts.groups)
        table = np.array([counts.n[arm] for arm in arms], dtype=np.float64).T.reshape(-1, len(arms))
        planned = np.array(
            [
                [
                    (planned_in(design, value, 0) if of_stratum else design.planned).get(arm, 0.0)
                    for arm in arms
                ]
                for value in counts.groups
            ]
        ).reshape(table.shape)
        if (planned > 0).all(axis=0).sum() < 2 or not table.sum():
            continue
        rows += _parts(segment, counts, arms, table, planned)
    adjusted = holm([row.p_value for row in rows]) if rows else np.zeros(0)
    return tuple(
        SegmentPart(**{**row.__dict__, "p_adjusted": None if np.isnan(p) else float(p)})
        for row, p in zip(rows, adjusted, strict=True)
    )


def _parts(
    segment: str, counts: Counts, arms: Sequence[str], table: Floats, planned: Floats
) -> list[SegmentPart]:
    parts: SplitParts = split_parts(table, planned)
    expected = planned / planned.sum(axis=1, keepdims=True) * table.sum(axis=1, keepdims=True)
    rows = [
        SegmentPart(
            segment,
            value,
            dict(zip(arms, table[i].astype(int).tolist(), strict=True)),
            dict(zip(arms, expected[i].tolist(), strict=True)),
            float(parts.contributions[i]),
            None if np.isnan(parts.own_p_values[i]) else float(parts.own_p_values[i]),
            None,
            float(parts.p_values_without[i]),
        )
        for i, value in enumerate(counts.groups)
    ]
    return sorted(rows, key=lambda row: -row.contribution)


def segment_checks(parts: Sequence[SegmentPart], *, broken: bool) -> list[Check]:
    """The values whose own split is broken, the one that carries most of it first."""
    total: dict[str, float] = {}
    for row in parts:
        total[row.segment] = total.get(row.segment, 0.0) + row.contribution
    guilty = [row for row in parts if row.p_adjusted is not None and row.p_adjusted < SRM_ALARM]
    # one that explains all of it makes others look broken that share its units
    guilty = [row for row in guilty if row.p_without >= EXPLAINED] or guilty
    ranked = sorted(guilty, key=lambda row: -abs(row.contribution) / max(total[row.segment], 1e-12))
    looked = len(parts)
    return [
        Check(
            "srm_segment",
            "warns",
            _segment_sentence(row, total[row.segment], looked, broken=broken),
            value=row.contribution,
            threshold=SRM_ALARM,
            p_value=row.p_adjusted,
            n=sum(row.n.values()),
            segment=row.segment,
            segment_value=row.value,
        )
        for row in ranked
    ]


def _segment_sentence(row: SegmentPart, total: float, looked: int, *, broken: bool) -> str:
    worst = max(
        row.n, key=lambda arm: abs(row.n[arm] - row.expected[arm]) / max(row.expected[arm], 1e-12) ** 0.5
    )
    text = (
        f"{row.segment} = {row.value}: {worst} has {count(row.n[worst])} where {count(row.expected[worst])} were "
        f"expected ({p_value(row.p_adjusted or 0.0)} after looking at {count(looked)} segments)"
    )
    if not broken:
        return f"{text}, while the whole split is as planned."
    carried = f"; it carries {percent(row.contribution / total)} of the deviation" if total > 0 else ""
    rest = (
        f", and without it the split is as planned ({p_value(row.p_without)})"
        if row.p_without >= EXPLAINED
        else f", and without it the split is still off ({p_value(row.p_without)})"
        if row.p_without < SRM_ALARM
        else ""
    )
    return f"{text}{carried}{rest}."
