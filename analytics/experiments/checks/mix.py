"""What a changing mix of units can do to a comparison: a split changed midway (Simpson), weekdays unevenly covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import ArmMoments, ExperimentAggregates, MetricAggregates, Split
from analytics.experiments.checks.cells import compare_cells
from analytics.experiments.compare import compare
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import pair
from analytics.experiments.rows import Check, Kind
from analytics.experiments.words import listed, number, p_value, percent
from analytics.project import SHARES
from analytics.stats.equal_effects import equal_effects
from analytics.stats.split_changes import SplitChange, split_change

CHANGE_ALARM = 0.001
WEEKDAY_ALARM = 0.01
WEEK = 7
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST_UNITS = 20
"""Units of an arm on a weekday from which its effect is looked at."""


def means_kind(metric: MetricDesign) -> Kind | None:
    """How means of cells are compared where the metric's own method needs more than its moments."""
    if metric.kind == "ratio" or metric.kind in SHARES:
        return metric.kind
    return None if metric.kind == "quantile" else "mean"


def change_of(split: Split) -> tuple[tuple[date, ...], SplitChange] | None:
    """The days, and the one change of the split that fits best; None without two days."""
    daily = split.daily
    days, place = np.unique(daily.days, return_inverse=True)
    counts = np.zeros((len(days), len(daily.arms)))
    np.add.at(counts, place, daily.n)
    found = split_change(counts)
    return None if found is None else (tuple(days.astype(object)), found)


def change_check(design: Design, found: ExperimentAggregates) -> Check:
    """Whether the split changed midway, and what that does to the first primary metric.

    Where phases are declared the analysis weights by them already.
    """
    if design.phases:
        return Check(
            "split_change",
            "fine",
            f"The split changes as planned in {len(design.phases)} phases; effects are weighted by phase.",
        )
    changed = change_of(found.split)
    if changed is None:
        return Check(
            "split_change", "unknown", "Exposures carry no days, so a split that changed cannot be seen."
        )
    days, change = changed
    n = int(found.split.daily.n.sum())
    if change.p_value > CHANGE_ALARM:
        return Check(
            "split_change",
            "fine",
            f"The split is the same on all {len(days)} days ({p_value(change.p_value)}).",
            threshold=CHANGE_ALARM,
            p_value=change.p_value,
            n=n,
        )
    used = [
        arm
        for arm, total in zip(found.split.daily.arms, found.split.daily.n.sum(axis=0), strict=True)
        if total
    ]
    worst = int(np.argmax(np.abs(change.after - change.before)))
    arm = found.split.daily.arms[worst]
    when = days[change.at]
    moved = f"{arm} gets {percent(change.before[worst])} of the units before and {percent(change.after[worst])} after"
    return Check(
        "split_change",
        "warns",
        f"The split changed on {when:%-d %b %Y}: {moved}{_weighted(design, found, when)}.",
        value=float(change.after[worst] - change.before[worst]),
        unit="share of units",
        threshold=CHANGE_ALARM,
        p_value=change.p_value,
        n=n,
        variant=arm if len(used) > 2 else None,
        day=when,
    )


def _weighted(design: Design, found: ExperimentAggregates, when: date) -> str:
    """The effect weighted by period beside the pooled one, of the first primary metric."""
    for metric in design.ordered_metrics:
        kind = means_kind(metric)
        given = next((one for one in found.metrics if one.name == metric.name), None)
        if kind is None or given is None:
            continue
        for variant in design.variants:
            told = _two_estimates(design, kind, given, (variant, when))
            if told is not None:
                pooled, weighted = told
                return (
                    f"; {metric.name} of {variant} differs by {number(pooled)} over all units together, and by "
                    f"{number(weighted)} where each period is compared by itself"
                )
    return ""


def _two_estimates(
    design: Design, kind: Kind, given: MetricAggregates, about: tuple[str, date]
) -> tuple[float, float] | None:
    variant, when = about
    later = given.moments.days >= np.datetime64(when)
    whole = compare(pair(given.moments, variant, design.control), kind)
    parts = [given.moments.only(~later), given.moments.only(later)]
    found = [compare(pair(part, variant, design.control), kind) for part in parts]
    if isinstance(whole, NotTested):
        return None
    tested = [one for one in found if not isinstance(one, NotTested)]
    if len(tested) < len(found):
        return None
    sizes = [float(part.of(variant, design.control).n.sum()) for part in parts]
    return whole.difference, float(np.average([one.difference for one in tested], weights=sizes))


def weekday_check(design: Design, found: ExperimentAggregates, *, ends_later: bool) -> Check:
    """Whether every weekday is covered alike; where not, whether the effect differs between weekdays.

    Args:
        design: of the experiment.
        found: what was read.
        ends_later: whether the planned end is still to come.
    """
    days = np.unique(found.split.daily.days)
    if not len(days):
        return Check("weekdays", "unknown", "Exposures carry no days, so weekdays cannot be told apart.")
    span = int((days[-1] - days[0]).astype(int)) + 1
    if span < WEEK:
        missing = [name for i, name in enumerate(_NAMES) if i not in set(_weekdays(days).tolist())]
        level, more = ("fine", "; the planned end is still to come") if ends_later else ("warns", "")
        return Check(
            "weekdays",
            "fine" if level == "fine" else "warns",
            f"Units were exposed on {span} days, which leaves out {listed(missing)}{more}.",
            value=float(span),
            unit="days",
            threshold=float(WEEK),
            n=int(found.split.daily.n.sum()),
        )
    return _uneven(design, found, span)


def _weekdays(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """0 for Monday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % WEEK


def _uneven(design: Design, found: ExperimentAggregates, span: int) -> Check:
    weeks, rest = divmod(span, WEEK)
    n = int(found.split.daily.n.sum())
    if not rest:
        text = f"Units were exposed over {weeks} whole week{'s' if weeks > 1 else ''}: every weekday counts alike."
        return Check("weekdays", "fine", text, value=float(span), unit="days", threshold=float(WEEK), n=n)
    twice = f"{span} days are no whole weeks, so some weekdays count once more"
    tested = list(_by_weekday(design, found))
    if not tested:
        return Check("weekdays", "fine", f"{twice}.", value=float(span), unit="days", n=n)
    metric, variant, p, spread = min(tested, key=lambda one: one[2])
    p = min(1.0, p * len(tested))
    if p < WEEKDAY_ALARM:
        text = (
            f"{twice}, and the effect on {metric} of {variant} differs between weekdays "
            f"(from {number(spread[0])} to {number(spread[1])}, {p_value(p)})."
        )
    else:
        text = f"{twice}; the effect does not differ between weekdays ({p_value(p)})."
    return Check(
        "weekdays",
        "warns" if p < WEEKDAY_ALARM else "fine",
        text,
        value=float(span),
        unit="days",
        threshold=WEEKDAY_ALARM,
        p_value=p,
        n=n,
        metric=metric,
        variant=variant,
    )


def _by_weekday(
    design: Design, found: ExperimentAggregates
) -> Iterator[tuple[str, str, float, tuple[float, float]]]:
    """Metric, arm, p-value of equal effects on all weekdays of first exposure, and the smallest and largest one."""
    metrics = {metric.name: metric for metric in design.metrics}
    for given in found.metrics:
        kind = means_kind(metrics[given.name]) if given.name in metrics else None
        if kind is None or given.moments.clustered:  # members of one cluster come on several weekdays
            continue
        weekday = np.where(np.isnat(given.moments.days), -1, _weekdays(given.moments.days))
        for variant in design.variants:
            parts = [given.moments.only(weekday == i) for i in range(WEEK)]
            effects = [one for part in parts if (one := _effect(design, kind, part, variant)) is not None]
            if len(effects) == WEEK:
                values = [one.difference for one in effects]
                dfs = [one.df or 1e9 for one in effects]
                errors = [one.standard_error**2 for one in effects]
                yield (
                    given.name,
                    variant,
                    equal_effects(values, errors, dfs).p_value,
                    (min(values), max(values)),
                )


def _effect(design: Design, kind: Kind, part: ArmMoments, variant: str) -> Comparison | None:
    if min(part.count(variant), part.count(design.control)) < LEAST_UNITS:
        return None
    tested = compare_cells(design, part, variant, kind)
    return None if isinstance(tested, NotTested) or not tested.standard_error > 0 else tested
