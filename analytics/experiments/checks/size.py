"""Is the effect too good to be true, or the work of a few units? Twyman's law and the leverage of outliers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from analytics.aggregates.arms import ArmMoments, ExperimentAggregates
from analytics.experiments.checks.cells import compare_cells
from analytics.experiments.checks.mix import means_kind
from analytics.experiments.design import Design
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.rows import Check, ExperimentRow
from analytics.experiments.words import number, p_value, percent, plural, signed
from analytics.project import SHARES
from analytics.stats.sample_ratio import sample_ratio_test

TOP = 0.999
"""Values above this quantile of all arms together are set to it."""
LARGE_LIFT = 0.5
"""A lift beyond it is doubted where there is no history."""
LEAST_HISTORY = 10
BROKEN = 0.001


def leverage_checks(
    design: Design, found: ExperimentAggregates, cut: Mapping[str, ArmMoments]
) -> tuple[Check, ...]:
    """Whether a finding stands on the top 0.1 % of units.

    Args:
        design: of the experiment.
        found: what was read.
        cut: metric -> moments with the top cut, of metrics that are not cut anyway.
    """
    metrics = {metric.name: metric for metric in design.metrics}
    pairs = [(one.name, one.moments, cut[one.name]) for one in found.metrics if one.name in cut]
    pairs += [(one.name, one.uncapped, one.moments) for one in found.metrics if one.uncapped is not None]
    tested = [
        (name, variant, *both)
        for name, whole, less in pairs
        if name in metrics and metrics[name].kind not in SHARES
        for variant in design.variants
        if (both := _both(design, name, variant, (whole, less))) is not None
    ]
    if not tested:
        return (Check("leverage", "fine", "No metric has values that a few units could dominate."),)
    level = design.alpha / len(tested)
    told = list(_told(design, tested, level, already=frozenset(cut)))
    if told:
        return tuple(told)
    largest = max(tested, key=lambda one: _share(one[2], one[3]))
    share = _share(largest[2], largest[3])
    text = (
        f"No finding stands on the top 0.1% of units: without them {largest[0]} of {largest[1]} differs by "
        f"{number(largest[3].difference)} instead of {number(largest[2].difference)}."
    )
    return (
        Check(
            "leverage",
            "fine",
            text,
            value=share,
            unit="share of the difference",
            metric=largest[0],
            variant=largest[1],
        ),
    )


def _both(
    design: Design, name: str, variant: str, moments: tuple[ArmMoments, ArmMoments]
) -> tuple[Comparison, Comparison] | None:
    kind = means_kind(next(metric for metric in design.metrics if metric.name == name))
    if kind is None:
        return None
    whole, less = (compare_cells(design, one, variant, kind) for one in moments)
    return None if isinstance(whole, NotTested) or isinstance(less, NotTested) else (whole, less)


def _share(whole: Comparison, less: Comparison) -> float:
    """Of the difference that is gone with the top units; at most 1 where it turned around."""
    gone = abs(whole.difference - less.difference)
    return min(1.0, gone / abs(whole.difference)) if whole.difference else 0.0


def _told(
    design: Design,
    tested: Sequence[tuple[str, str, Comparison, Comparison]],
    level: float,
    *,
    already: frozenset[str],
) -> Iterator[Check]:
    for name, variant, whole, less in tested:
        turned = whole.difference * less.difference < 0 and less.p_value < level
        if not (whole.p_value < level and (less.p_value >= level or turned)):
            continue
        kept = "" if name in already else "; the analysis cuts them"
        yield Check(
            "leverage",
            "warns" if name in already else "fine",
            f"The difference on {name} of {variant} stands on the top 0.1% of units: {number(whole.difference)} "
            f"({p_value(whole.p_value)}) with them, {number(less.difference)} ({p_value(less.p_value)}) with their "
            f"values cut{kept}{'; declare winsorize = 0.999' if name in already else ''}.",
            value=_share(whole, less),
            unit="share of the difference",
            p_value=less.p_value,
            metric=name,
            variant=variant,
            cause="a few units with very large values",
            query=f"assay experiment-distribution {design.name} --json",
        )


def twyman_check(rows: Sequence[ExperimentRow], past: Sequence[float]) -> tuple[Check, ...]:
    """Whether a lift is larger than any this team has seen: then it is more often an error than a discovery.

    Args:
        rows: the comparisons the verdict stands on.
        past: absolute lifts of other experiments, as they were reported.
    """
    limit = max(past) if len(past) >= LEAST_HISTORY else LARGE_LIFT
    seen = (
        f"the largest of {plural(len(past), 'lift')} in other experiments"
        if len(past) >= LEAST_HISTORY
        else "what is usual"
    )
    told = [row for row in rows if _near_end(row) > limit]
    if told:
        return tuple(
            Check(
                "twyman",
                "warns",
                f"The lift of {signed(percent(row.lift or 0.0))} on {row.metric} of {row.variant} lies beyond {seen} "
                f"({percent(limit)}): look for an error before believing it (logging, bots, denominators, outliers).",
                value=abs(row.lift or 0.0),
                unit="lift",
                threshold=limit,
                p_value=row.p_adjusted,
                n=(row.n or 0) + (row.n_control or 0),
                metric=row.metric,
                variant=row.variant,
                cause="Twyman's law: what looks interesting is usually wrong",
            )
            for row in told
        )
    largest = max((abs(row.lift) for row in rows if row.lift is not None), default=None)
    if largest is None:
        return (
            Check(
                "twyman",
                "unknown",
                "There is no lift to compare with those of other experiments.",
                threshold=limit,
            ),
        )
    text = f"No lift lies beyond {seen} ({percent(limit)}); the largest here is {percent(largest)}."
    return (Check("twyman", "fine", text, value=largest, unit="lift", threshold=limit),)


def _near_end(row: ExperimentRow) -> float:
    """The end of the corrected interval of the lift that is nearer to 0; 0 where it holds 0."""
    low, high = row.lift_ci_adjusted_low, row.lift_ci_adjusted_high
    if row.status != "ok" or low is None or high is None or low <= 0 <= high:
        return 0.0
    return float(min(abs(low), abs(high)))


def past_lifts(
    design: Design, n: Mapping[str, int], means: Mapping[str, Mapping[str, tuple[float, ...]]]
) -> list[float]:
    """Absolute lifts of an experiment's primary and secondary metrics, for those of others to be held against.

    Args:
        design: of that experiment.
        n: arm -> units; nothing is taken from an experiment whose split is broken.
        means: metric -> arm -> means of its columns.
    """
    tested = sample_ratio_test([n.get(arm, 0) for arm in design.shares], list(design.shares.values()))
    if not design.phases and not design.strata and tested.p_value < BROKEN:
        return []
    lifts = []
    for metric in design.metrics:
        if metric.role == "guardrail" or means_kind(metric) is None:
            continue
        found = {arm: _value(given) for arm, given in means.get(metric.name, {}).items()}
        control = found.get(design.control)
        if control:
            lifts += [abs(found[arm] / control - 1.0) for arm in design.variants if arm in found]
    return [lift for lift in lifts if math.isfinite(lift)]


def _value(means: tuple[float, ...]) -> float:
    """A mean, or a ratio of two."""
    if len(means) == 1:
        return means[0]
    return means[0] / means[1] if means[1] else math.nan
