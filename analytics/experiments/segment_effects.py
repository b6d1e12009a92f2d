"""The effect by segment: one comparison a value, pulled together by what chance explains, and tested for being alike.

Every value is compared as the whole experiment is (adjusted, within strata, by cluster). Whether the effect is the same
in all values of a segment is tested by Welch's F on the values' effects; whether one value differs from the others, by
the difference of its effect and theirs. Both are corrected for everything that is looked at.

Sources: Welch, Biometrika 38 (1951); Morris, JASA 78 (1983) for the shrunken effects; Holm, Scandinavian Journal of
Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.choose import choose
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import Comparison, NotTested, limits
from analytics.experiments.rows import Method
from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.stopping import fixed_of, moments_of_estimates
from analytics.results import changed
from analytics.stats.equal_effects import equal_effects
from analytics.stats.intervals import normal_quantile
from analytics.stats.means import t_test
from analytics.stats.multiplicity import holm
from analytics.stats.shrinkage import shrink, variance_between
from analytics.stats.stratified import satterthwaite

OTHER = "(other)"
LEAST_UNITS = 20
"""Units of an arm below which a value is compared together with other small ones."""
_ADJUSTED: Method = "cuped"
_LEAST_SHRUNKEN = 4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Value:
    """One value of a segment in one arm against the control."""

    name: str
    n_values: int
    n: int
    n_control: int
    outcome: Comparison | NotTested

    @property
    def comparison(self) -> Comparison | None:
        return None if isinstance(self.outcome, NotTested) else self.outcome

    @property
    def spread(self) -> tuple[float, float] | None:
        """Variance of the difference without any assumption of no effect, and its degrees of freedom."""
        if self.comparison is None:
            return None
        fixed = fixed_of(self.comparison)
        found = moments_of_estimates(fixed)
        if found is None or not found.standard_error > 0:
            return None
        df = fixed.df if fixed.df is not None else self.n + self.n_control - 2.0
        return found.standard_error**2, max(df, 1.0)


def segment_effects(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    overall: Mapping[str, float | None],
    confidence: float,
) -> tuple[SegmentEffectRow, ...]:
    """The effects of one metric by every value of every segment, corrected together.

    Args:
        design: of the experiment.
        metric: what is compared.
        found: what was read of it, with moments by segment.
        overall: arm -> difference over all units.
        confidence: of every interval; 1 - confidence is the level of the corrected tests.
    """
    rows: list[SegmentEffectRow] = []
    for variant in design.variants:
        for segment, moments in found.segments.items():
            values = _values(design, metric, found, moments, variant)
            drawn = _rows(design, metric, (variant, segment), values, confidence)
            rows += [changed(row, overall=overall.get(variant)) for row in drawn]
    return _corrected(rows, 1.0 - confidence)


def _values(
    design: Design, metric: MetricDesign, found: MetricAggregates, moments: ArmMoments, variant: str
) -> list[_Value]:
    """The comparison among the units of each value, the largest first and the small ones together last."""
    both = moments.of(variant, design.control)
    if both.strata is None:
        return []
    names, place = np.unique(both.strata, return_inverse=True)
    sizes = np.array(
        [np.bincount(place, both.n * (both.variants == arm), len(names)) for arm in (variant, design.control)]
    )
    small = (sizes < LEAST_UNITS).any(axis=0) | (names == OTHER)
    order = names[np.argsort(-sizes.sum(axis=0), kind="stable")].tolist()
    kept = [name for name in order if not small[np.searchsorted(names, name)]]
    answer = [
        _value(design, metric, found, both.only(both.strata == name), (variant, name, 1)) for name in kept
    ]
    if small.any():
        cells = both.only(np.isin(both.strata, names[small]))
        answer.append(_value(design, metric, found, cells, (variant, OTHER, int(small.sum()))))
    return answer


def _value(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    cells: ArmMoments,
    what: tuple[str, str, int],
) -> _Value:
    variant, name, n_values = what
    own = replace(cells, strata=None)
    adjusted = metric.has_covariate and found.with_covariate is not None
    alone = replace(found, moments=own, with_covariate=own if adjusted else None, pairs=None, segments={})
    # looks are planned for the whole experiment, so a segment is looked at once unless looking is always safe
    asked = design if design.stopping == "always-valid" else replace(design, stopping="fixed")
    methods: list[Method] = [_ADJUSTED] if adjusted else []
    methods.append("stratified" if own.phases is not None else "unadjusted")
    outcome: Comparison | NotTested = NotTested("undefined", "quantiles are not compared by segment")
    if metric.kind == "quantile":
        methods = []
    for method in methods:
        outcome = choose(asked, metric, alone, (variant, method))
        if not isinstance(outcome, NotTested):
            break
    return _Value(name, n_values, cells.count(variant), cells.count(design.control), outcome)


def _rows(
    design: Design,
    metric: MetricDesign,
    where: tuple[str, str],
    values: Sequence[_Value],
    confidence: float,
) -> list[SegmentEffectRow]:
    """The rows of one arm and segment, not corrected yet."""
    variant, segment = where
    drawn = iter(limits([one.comparison for one in values if one.comparison is not None], confidence))
    rows = []
    for one in values:
        comparison = one.comparison
        limit = next(drawn) if comparison is not None else None
        lift = None if limit is None else limit.lift
        refused = one.outcome if isinstance(one.outcome, NotTested) else None
        rows.append(
            SegmentEffectRow(
                experiment=design.name or "",
                metric=metric.name,
                kind=metric.kind,
                role=metric.role,
                direction=metric.direction,
                variant=variant,
                control=design.control,
                segment=segment,
                segment_value=one.name,
                n_values=one.n_values,
                n=one.n,
                n_control=one.n_control,
                mean=one.outcome.mean,
                mean_control=one.outcome.mean_control,
                difference=None if comparison is None else comparison.difference,
                ci_low=None if limit is None else limit.interval.low,
                ci_high=None if limit is None else limit.interval.high,
                lift=None if lift is None else lift[0],
                lift_ci_low=None if lift is None else lift[1].low,
                lift_ci_high=None if lift is None else lift[1].high,
                p_value=None if comparison is None else comparison.p_value,
                test=None if comparison is None else comparison.test,
                shrunken=None,
                shrunken_ci_low=None,
                shrunken_ci_high=None,
                elsewhere=None,
                different_p_value=None,
                different_p_adjusted=None,
                differs=None,
                segment_p_value=None,
                segment_p_adjusted=None,
                spread=None,
                overall=None,
                confidence=confidence,
                status="ok" if refused is None else refused.status,
                reason=None if refused is None else refused.reason,
            )
        )
    return _together(rows, values, confidence)


def _together(
    rows: list[SegmentEffectRow], values: Sequence[_Value], confidence: float
) -> list[SegmentEffectRow]:
    """What the values of one segment say about one another."""
    known = {i: one.spread for i, one in enumerate(values)}
    spreads = {i: spread for i, spread in known.items() if spread is not None}
    places = list(spreads)
    if len(places) < 2:
        return rows
    effects = np.array([rows[i].difference or 0.0 for i in places])
    variances, freedoms = np.array(list(spreads.values())).T
    alike = equal_effects(effects, variances, freedoms)
    shrunken = pulled(effects, variances, confidence)
    units = np.array([values[i].n + values[i].n_control for i in places], dtype=np.float64)
    for k, i in enumerate(places):
        elsewhere, p = _against_others(effects, variances, freedoms, units, k)
        middle, half = float(shrunken.value[k]), float(shrunken.half[k])
        rows[i] = changed(
            rows[i],
            shrunken=middle,
            shrunken_ci_low=middle - half,
            shrunken_ci_high=middle + half,
            elsewhere=elsewhere,
            different_p_value=p,
            segment_p_value=None if math.isnan(alike.p_value) else alike.p_value,
            spread=shrunken.spread,
        )
    return rows


@dataclass(frozen=True, eq=False)
class Pulled:
    """Effects pulled towards what they share.

    Attributes:
        value, half: of each, shape (K,): the interval reaches ``half`` to either side.
        common: what they share.
        spread: standard deviation of the true effects.
    """

    value: Floats
    half: Floats
    common: float
    spread: float


def pulled(effects: Floats, variances: Floats, confidence: float) -> Pulled:
    """Pull effects towards their common mean by as much as their errors explain (left alone under four of them).

    >>> found = pulled(np.array([1.0, 1.2, 0.8, 1.1]), np.full(4, 0.25), 0.95)
    >>> round(found.common, 3), found.spread, round(float(found.value[1]), 3)
    (1.025, 0.0, 1.142)
    """
    weights = 1.0 / variances
    fixed = float(np.average(effects, weights=weights))
    between = variance_between(effects - fixed, variances)
    weights = 1.0 / (variances + between)
    common, count = float(np.average(effects, weights=weights)), len(effects)
    found = shrink(effects - common, variances)
    squared = found.deviation**2
    if count >= _LEAST_SHRUNKEN:
        # where a value is pulled to is itself only an estimate
        squared = squared + ((count - 3) / (count - 1) * variances * weights) ** 2 / weights.sum()
    return Pulled(
        common + found.value, normal_quantile(confidence) * np.sqrt(squared), common, math.sqrt(between)
    )


def _against_others(
    effects: Floats, variances: Floats, freedoms: Floats, units: Floats, k: int
) -> tuple[float, float]:
    """The effect among the other values, weighted by units, and the p-value of its being the same as here."""
    rest = np.arange(len(effects)) != k
    weights = units[rest] / units[rest].sum()
    elsewhere = float(weights @ effects[rest])
    parts = np.concatenate([[variances[k]], weights**2 * variances[rest]])
    df = satterthwaite(parts, np.concatenate([[freedoms[k]], freedoms[rest]]))
    return elsewhere, float(t_test(float(effects[k]) - elsewhere, math.sqrt(parts.sum()), df).p_value)


def _corrected(rows: Sequence[SegmentEffectRow], alpha: float) -> tuple[SegmentEffectRow, ...]:
    """Correct over everything that is looked at of one metric."""
    groups: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row.different_p_value is not None:
            groups.setdefault((row.variant, row.segment), []).append(i)
    # with two values the one differs from the other just as the other from the one
    asked = [i for members in groups.values() for i in (members if len(members) > 2 else members[:1])]
    by_value = _holm(asked, [rows[i].different_p_value for i in asked])
    firsts = [members[0] for members in groups.values()]
    by_segment = _holm(firsts, [rows[i].segment_p_value for i in firsts])
    answer = list(rows)
    for members in groups.values():
        for i in members:
            p = by_value.get(i, by_value.get(members[0]))
            answer[i] = changed(
                rows[i],
                different_p_adjusted=p,
                differs=None if p is None else p < alpha,
                segment_p_adjusted=by_segment.get(members[0]),
            )
    return tuple(answer)


def _holm(places: Sequence[int], p_values: Sequence[float | None]) -> dict[int, float]:
    kept = [(place, p) for place, p in zip(places, p_values, strict=True) if p is not None]
    adjusted = np.asarray(holm([p for _, p in kept])).tolist()
    return {place: float(p) for (place, _), p in zip(kept, adjusted, strict=True)}
