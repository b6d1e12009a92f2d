"""Do other experiments or other people reach into this one: carry-over, interactions, interference within clusters?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from analytics.aggregates.arms import ArmMoments
from analytics.aggregates.overlaps import ALONE, MIXED, Mates, Overlap
from analytics.experiments.checks.mix import means_kind
from analytics.experiments.compare import compare
from analytics.experiments.design import Design
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import pair
from analytics.experiments.rows import Check, Kind
from analytics.experiments.words import count, listed, number, p_value, percent, signed
from analytics.stats.association import Association, association
from analytics.stats.equal_effects import EqualEffects, equal_effects
from analytics.stats.multiplicity import holm

DEPENDENCE_ALARM = 0.001
LEAST_EFFECT_SIZE = 0.05
"""Cohen's w from which a dependence is worth a warning; 0.1 is called small."""
INTERACTION_ALARM = 0.01
"""Over all metrics, arms and other experiments."""
LEAST_UNITS = 20
_SHOWN = 3


@dataclass(frozen=True)
class Interaction:
    """The effect on one metric of one arm in each arm of another experiment."""

    other: str
    metric: str
    variant: str
    effects: Mapping[str, Comparison]
    test: EqualEffects


def overlap_checks(design: Design, overlaps: Sequence[Overlap], earlier: frozenset[str]) -> tuple[Check, ...]:
    """Whether assignment depends on other experiments, and whether effects differ by their arms.

    Args:
        design: of the experiment.
        overlaps: with other experiments.
        earlier: those that were over before this one began.
    """
    if not overlaps:
        text = "No other experiment shares units with this one, as far as these logs tell."
        return (Check("carry_over", "fine", text), Check("interaction", "fine", text))
    return (*_dependences(design, overlaps, earlier), *_interactions(design, overlaps, earlier))


def some(names: Sequence[str]) -> str:
    """The first names, and how many more.

    >>> some(["a", "b"]), some(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 others')
    """
    if len(names) <= _SHOWN + 1:
        return listed(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} others"


def _dependences(design: Design, overlaps: Sequence[Overlap], earlier: frozenset[str]) -> Iterator[Check]:
    tested = [(overlap, association(overlap.counts)) for overlap in overlaps]
    adjusted = holm([found.p_value for _, found in tested])
    told = [
        (overlap, found, float(p))
        for (overlap, found), p in zip(tested, adjusted, strict=True)
        if p < DEPENDENCE_ALARM and found.effect_size >= LEAST_EFFECT_SIZE
    ]
    for overlap, found, p in told:
        yield _dependence(design, overlap, (found, p), is_earlier=overlap.other in earlier)
    if not told:
        known = [(overlap, found) for overlap, found in tested if np.isfinite(found.p_value)]
        largest = max((found.effect_size for _, found in known), default=None)
        names = some([overlap.other for overlap, _ in known])
        if largest is None:
            text = "Too few units are in other experiments to tell whether assignments depend on each other."
            yield Check("carry_over", "unknown", text, threshold=LEAST_EFFECT_SIZE)
            return
        yield Check(
            "carry_over",
            "fine",
            f"Who gets which arm does not depend on the arms of {names} (largest effect size w {number(largest)}).",
            value=largest,
            unit="w",
            threshold=LEAST_EFFECT_SIZE,
            n=int(max(found.n for _, found in known)),
        )


def _dependence(
    design: Design, overlap: Overlap, tested: tuple[Association, float], *, is_earlier: bool
) -> Check:
    found, p = tested
    shares = overlap.counts / np.maximum(overlap.counts.sum(axis=0, keepdims=True), 1.0)
    arm = int(np.argmax(shares.max(axis=1) - shares.min(axis=1)))
    told = listed(
        [
            f"{percent(float(shares[arm, i]))} of the units in {name}"
            for i, name in enumerate(overlap.other_arms)
            if overlap.counts[:, i].sum()
        ]
    )
    return Check(
        "carry_over",
        "warns",
        f"Assignment depends on {overlap.other}{', which was before' if is_earlier else ''}: {overlap.arms[arm]} got "
        f"{told} ({p_value(p)}, effect size w {number(found.effect_size)}).",
        value=found.effect_size,
        unit="w",
        threshold=LEAST_EFFECT_SIZE,
        p_value=p,
        n=int(found.n),
        segment=overlap.other,
        cause="both are split by the same hash" if not is_earlier else "who stayed depends on the arm before",
        query=f"assay experiment-health {design.name} --json",
    )


def interactions(design: Design, overlaps: Sequence[Overlap]) -> tuple[Interaction, ...]:
    """Effects by arm of every other experiment, of every metric that is compared by means."""
    metrics = {metric.name: metric for metric in design.metrics}
    return tuple(
        found
        for overlap in overlaps
        for name, moments in overlap.moments.items()
        if (metric := metrics.get(name)) is not None and (kind := means_kind(metric)) is not None
        for variant in design.variants
        if (found := _interaction(design, overlap, (name, kind, moments), variant)) is not None
    )


def _interaction(
    design: Design, overlap: Overlap, what: tuple[str, Kind, ArmMoments], variant: str
) -> Interaction | None:
    name, kind, moments = what
    effects = {}
    for other_arm in overlap.other_arms:
        part = moments.of_stratum(other_arm)
        if min(part.count(variant), part.count(design.control)) < LEAST_UNITS:
            continue
        tested = compare(pair(part, variant, design.control), kind)
        if not isinstance(tested, NotTested) and tested.standard_error > 0:
            effects[other_arm] = tested
    if len(effects) < 2:
        return None
    given = list(effects.values())
    test = equal_effects(
        [one.difference for one in given],
        [one.standard_error**2 for one in given],
        [one.df or 1e9 for one in given],
    )
    return Interaction(overlap.other, name, variant, effects, test)


def _interactions(design: Design, overlaps: Sequence[Overlap], earlier: frozenset[str]) -> Iterator[Check]:
    found = interactions(design, overlaps)
    if not found:
        text = "Too few units are in other experiments to tell whether effects depend on them."
        yield Check("interaction", "unknown", text, threshold=INTERACTION_ALARM)
        return
    adjusted = holm([one.test.p_value for one in found])
    told = [(one, float(p)) for one, p in zip(found, adjusted, strict=True) if p < INTERACTION_ALARM]
    for one, p in told:
        yield Check(
            "interaction",
            "warns",
            _interaction_sentence(one, p, is_earlier=one.other in earlier),
            value=_spread(one),
            unit="difference of differences",
            threshold=INTERACTION_ALARM,
            p_value=p,
            n=sum(int(overlap.counts.sum()) for overlap in overlaps if overlap.other == one.other),
            metric=one.metric,
            variant=one.variant,
            segment=one.other,
            cause=f"{one.other} changes what {one.variant} does",
            query=f"assay experiment-health {design.name} --json",
        )
    if not told:
        names = some(list(dict.fromkeys(one.other for one in found)))
        yield Check(
            "interaction",
            "fine",
            f"No effect depends on the arms of {names} ({count(len(found))} comparisons, "
            f"the least {p_value(float(np.min(adjusted)))}).",
            threshold=INTERACTION_ALARM,
            p_value=float(np.min(adjusted)),
        )


def _spread(one: Interaction) -> float:
    values = [effect.difference for effect in one.effects.values()]
    return max(values) - min(values)


def _interaction_sentence(one: Interaction, p: float, *, is_earlier: bool) -> str:
    told = []
    for arm, effect in one.effects.items():
        lift = effect.lift(0.95)
        size = signed(percent(lift[0])) if lift is not None else signed(number(effect.difference))
        told.append(f"{size} in its arm {arm}")
    what = "which was before" if is_earlier else "which ran at the same time"
    return (
        f"The effect on {one.metric} of {one.variant} depends on {one.other}, {what}: {listed(told)} ({p_value(p)}); "
        "the average over both holds for this mix only."
    )


def mates_check(design: Design, mates: Mates | None, *, randomised: bool) -> Check:
    """Whether units of the control do otherwise where somebody of their cluster is in another arm.

    Args:
        design: of the experiment.
        mates: None where units come in no clusters, or every cluster is in one arm.
        randomised: whether clusters are what was randomised.
    """
    if mates is None:
        text = (
            "Whole clusters were given one arm, so nobody lives with another one."
            if randomised
            else "Whether arms reach into each other cannot be told: no [units].cluster says who lives together."
        )
        return Check("interference", "fine" if randomised else "unknown", text)
    if design.phases or design.strata:
        text = (
            "Where shares differ by phase or stratum, who lives with whom depends on them: it cannot be told."
        )
        return Check("interference", "unknown", text)
    share = mates.n_mixed / mates.n
    metrics = {metric.name: metric for metric in design.metrics}
    tested = [
        (name, effect)
        for name, moments in mates.moments.items()
        if (metric := metrics.get(name)) is not None
        and (kind := means_kind(metric)) is not None
        and (effect := _mates_effect(moments, kind)) is not None
    ]
    lived = f"{percent(share)} of {count(mates.n)} clusters hold units of several arms"
    if not tested:
        return Check(
            "interference", "unknown", f"{lived}; too few to tell whether that changes anything.", value=share
        )
    adjusted = holm([effect[1] for _, effect in tested])
    i = int(np.argmin(adjusted))
    (name, (difference, _)), p = tested[i], float(adjusted[i])
    if p < INTERACTION_ALARM:
        text = (
            f"Signs of interference: {lived}, and units of the control with a mate in another arm differ on {name} by "
            f"{signed(number(difference))} from those without ({p_value(p)}); the arms are not apart."
        )
    else:
        text = f"{lived}; units of the control with a mate in another arm do as the others ({p_value(p)})."
    return Check(
        "interference",
        "warns" if p < INTERACTION_ALARM else "fine",
        text,
        value=share,
        unit="share of clusters",
        threshold=INTERACTION_ALARM,
        p_value=p,
        n=mates.n,
        metric=name,
        cause="what one does reaches who lives with them" if p < INTERACTION_ALARM else None,
    )


def _mates_effect(moments: ArmMoments, kind: Kind) -> tuple[float, float] | None:
    """Difference and p-value within clusters of one size, combined by 1 / variance: larger clusters differ anyway."""
    if moments.strata is None:
        return None
    values, variances = [], []
    for size in np.unique(moments.strata):
        part = moments.of_stratum(str(size))
        if min(part.count(MIXED), part.count(ALONE)) < LEAST_UNITS:
            continue
        tested = compare(pair(part, MIXED, ALONE), kind)
        if not isinstance(tested, NotTested) and tested.standard_error > 0:
            values.append(tested.difference)
            variances.append(tested.standard_error**2)
    if not values:
        return None
    weights = 1 / np.array(variances)
    difference = float(np.average(values, weights=weights))
    # two-sided, normal: every stratum has 20 units or more of both kinds
    return difference, float(2 * ndtr(-abs(difference) * np.sqrt(weights.sum())))
