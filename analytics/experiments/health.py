"""What speaks for or against trusting a comparison: the split, what was left out, and where methods are stretched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.aggregates.arms import ArmMoments, ExperimentAggregates, MetricAggregates, Split
from analytics.experiments.checks.split import SRM_ALARM, PlainTest, plain_test
from analytics.experiments.crossed import crossed_problem
from analytics.experiments.design import Design
from analytics.experiments.drafts import SMALL_ARM, untested
from analytics.experiments.rows import ArmCount, ExperimentRow, Health
from analytics.experiments.silence import shares_differ, silent_arms
from analytics.experiments.skew import SKEWED, skewness_of_difference
from analytics.experiments.states import (
    empty_arms,
    exposed_late,
    keeps_growing,
    outside,
    too_young,
    unlabelled,
)
from analytics.experiments.words import count, listed, number, p_value, percent, plural
from analytics.results import Status

_LEAST_EXPECTED = 5.0
_FEW_CLUSTERS = 30


def health(
    design: Design, found: ExperimentAggregates, confidence: float, *, test_split: bool = True
) -> Health:
    """Judge the split and gather what was left out."""
    split = found.split
    tested = plain_test(design, split)
    total = sum(tested.expected.values())
    arms = tuple(
        ArmCount(
            arm, tested.expected[arm] / total if total else share, tested.counts[arm], tested.expected[arm]
        )
        for arm, share in design.planned.items()
    )
    doubts = tuple(silent_arms(found.metrics, split))
    problems = [*doubts, *split_problems(design, split), *exposed_late(found.metrics, split)]
    return Health(
        arms=arms,
        srm=_srm_row(design, arms, tested, problems, confidence) if test_split else None,
        counted="units" if split.clusters is None else "clusters",
        n_units=sum(split.n.values()) + (split.n_multiple if split.leaves_crossed_out else 0),
        n_multiple=split.n_multiple,
        n_unknown=split.n_unknown,
        unknown=split.unknown,
        n_outside=split.n_outside,
        n_rows_left_out=split.n_rows_left_out,
        n_open_window=max(
            (metric.n_open_window for metric in found.metrics if not metric.leaves_open_out), default=0
        ),
        n_clusters=split.n_clusters,
        notes=(*problems, *found.damage, *_left_out(split, found.metrics), *keeps_growing(design)),
        n_future=split.n_future,
        doubts=doubts,
        early=design.early,
        leaves_crossed_out=split.leaves_crossed_out,
        n_before_start=split.n_before_start,
    )


def broken(srm: ExperimentRow | None) -> bool:
    """Whether the split is so far from the planned one that nothing may be concluded, with daily looks."""
    p = split_p(srm)
    return p is not None and p < SRM_ALARM


def split_p(srm: ExperimentRow | None) -> float | None:
    """The p-value the split is judged by: the one that holds with daily looks where there is one."""
    return None if srm is None else srm.p_value if srm.p_adjusted is None else srm.p_adjusted


def _srm_row(
    design: Design,
    arms: Sequence[ArmCount],
    tested: PlainTest,
    problems: Sequence[str],
    confidence: float,
) -> ExperimentRow:
    status, reason = _srm_state(arms)
    if status == "ok" and math.isnan(tested.p_value):
        status, reason = "too_few", "every stratum or phase has too few units for the test"
    ok = status == "ok"
    warnings = list(problems)
    p = tested.p_value if tested.p_daily is None else tested.p_daily
    if ok and p < SRM_ALARM:
        warnings.insert(0, split_sentence(arms, p))
    return replace(
        untested(design.name, "srm", "chi-squared", "chi-squared"),
        n=sum(arm.n for arm in arms),
        statistic=float(tested.statistic) if ok else None,
        df=float(tested.df) if ok else None,
        p_value=float(tested.p_value) if ok else None,
        p_adjusted=tested.p_daily if ok else None,
        warnings="; ".join(warnings) or None,
        confidence=confidence,
        status=status,
        reason=reason,
    )


def _srm_state(arms: Sequence[ArmCount]) -> tuple[Status, str | None]:
    planned = [arm for arm in arms if arm.planned_share > 0]
    if len(planned) < 2:
        return "undefined", "a split needs two arms with a planned share"
    if not any(arm.n for arm in planned):
        return "no_data", "no unit was exposed"
    least = min(arm.expected for arm in planned)
    if least < _LEAST_EXPECTED:
        return (
            "too_few",
            f"an arm is expected to get {number(least)} only; the test needs {_LEAST_EXPECTED:g}",
        )
    return "ok", None


def split_sentence(arms: Sequence[ArmCount], p: float) -> str:
    """How far the split is from the planned one."""
    worst = max(arms, key=lambda arm: (arm.n - arm.expected) ** 2 / arm.expected if arm.expected else 0.0)
    return (
        f"the split is not as planned: {worst.variant} has {count(worst.n)} where {count(worst.expected)} "
        f"were expected ({p_value(p)})"
    )


def split_problems(design: Design, split: Split) -> list[str]:
    """What is wrong with the exposures, one sentence each."""
    problems = []
    crossed = crossed_problem(design, split)
    if crossed is not None:
        problems.append(crossed)
    problems += empty_arms(design, split)
    if split.n_unknown:
        problems.append(f"{unknown_arms(split)} are left out")
    strays = [arm for arm, share in design.shares.items() if share == 0 and split.n.get(arm)]
    if strays:
        problems.append(f"{listed(strays)} should get no units but got some")
    return problems


def unknown_arms(found: Split | Health) -> str:
    """Units whose first arm is not declared, with the arms' names."""
    names = ", ".join(f"{name} ({count(n)})" for name, n in found.unknown)
    return f"{plural(found.n_unknown, 'unit')} of arms that are not declared" + (
        f" ({names})" if names else ""
    )


def _left_out(split: Split, metrics: Sequence[MetricAggregates]) -> list[str]:
    notes = outside(split)
    if split.n_rows_left_out:
        rows = plural(split.n_rows_left_out, "row")
        notes.append(
            f"{rows} that {_has(split.n_rows_left_out)} no unit or no time, or repeat a unit, do not count"
        )
    for metric in metrics:
        missing = sum(metric.moments.missing.values())
        if missing:
            notes.append(f"{metric.name}: {plural(missing, 'unit')} without a value are left out")
        if metric.n_rows_left_out:
            notes.append(
                f"{metric.name}: {plural(metric.n_rows_left_out, 'row')} whose value is no finite number "
                "are left out"
            )
        notes += [_cap(metric.name, *cap) for cap in metric.caps.items() if cap[1] != (None, None)]
    return [*notes, *too_young(metrics), *unlabelled(metrics)]


def _has(n: int) -> str:
    return "has" if n == 1 else "have"


def _cap(metric: str, column: str, limits: tuple[float | None, float | None]) -> str:
    named = zip(("below", "above"), limits, strict=True)
    ends = [f"{word} {number(limit)}" for word, limit in named if limit is not None]
    what = metric if column == "value" else f"{metric} ({column})"
    return f"{what}: values {' and '.join(ends)} are set to that (winsorised)"


def row_warnings(
    row: ExperimentRow, found: MetricAggregates, doubts: Sequence[str], *, split_broken: bool
) -> str | None:
    """What to bear in mind with one comparison, as sentences joined by semicolons."""
    if row.variant is None or row.control is None:
        return None
    warnings = []
    if split_broken:
        warnings.append("the split is not as planned, so no difference can be trusted")
    warnings += doubts
    if row.status == "ok":
        warnings += _stretched(row, found)
        warnings += _uneven_missing(row, found.moments)
    if found.n_open_window and not found.leaves_open_out:
        warnings.append(
            f"the window of {plural(found.n_open_window, 'unit')} had not closed at the end of the logs"
        )
    if row.method == "cuped" and found.n_imputed:
        warnings.append(
            f"{plural(found.n_imputed, 'unit')} without a value from before got the mean of the others"
        )
    return "; ".join(warnings) or None


def _stretched(row: ExperimentRow, found: MetricAggregates) -> list[str]:
    """Where the method is at its limits: few units or clusters, skewed values."""
    warnings = []
    small = [
        f"{plural(n or 0, 'unit')} in {arm}"
        for arm, n in ((row.variant, row.n), (row.control, row.n_control))
        if (n or 0) < SMALL_ARM
    ]
    if small:
        warnings.append(
            f"only {listed(small)}: the interval holds its {percent(row.confidence)} only roughly"
        )
    if abs(skewness_of_difference(row, found) or 0.0) >= SKEWED:
        text = "values are so skewed that the interval misses more often than it says, mostly on one side"
        if row.permutation_p_value is not None:
            text += f"; a permutation test gives {p_value(row.permutation_p_value)}"
        warnings.append(text)
    clusters = found.moments.of(row.variant or "", row.control or "").clusters
    if clusters is not None:
        n = len(np.unique(clusters))
        if n < _FEW_CLUSTERS:
            warnings.append(
                f"only {plural(n, 'cluster')}: the interval allows for so few if they are of like size, and holds its "
                f"{percent(row.confidence)} only roughly if not"
            )
    return warnings


def _uneven_missing(row: ExperimentRow, moments: ArmMoments) -> list[str]:
    """Values that are missing more often in one arm leave arms that no longer compare."""
    arms = row.variant or "", row.control or ""
    missing = [moments.missing.get(arm, 0) for arm in arms]
    table = np.array([missing, [row.n or 0, row.n_control or 0]], dtype=np.float64)
    if not shares_differ(table):
        return []
    shares = table[0] / table.sum(axis=0)
    texts = [f"{percent(share)} in {arm}" for arm, share in zip(arms, shares.tolist(), strict=True)]
    return [f"values are missing in unequal shares ({' and '.join(texts)}), so the arms may not compare"]
