"""Comparisons by a method that was asked for by name; they stand beside the usual ones and decide nothing.

Where an interval does not invert the test there is none, so that no p-value stands beside an interval that says
something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import MetricAggregates, UnitValues
from analytics.experiments.compare import compare
from analytics.experiments.design import MetricDesign
from analytics.experiments.method_words import Method
from analytics.experiments.methods import Comparison, NotTested, ScoreComparison, TComparison
from analytics.experiments.pairs import PairMoments
from analytics.experiments.quantiles import compare_quantiles
from analytics.experiments.rows import Kind
from analytics.experiments.sides import own_estimate, weighted_variance
from analytics.experiments.structure import compare_pairs
from analytics.stats import lift, poisson, two_by_two
from analytics.stats.intervals import Interval, newcombe_difference
from analytics.stats.means import TTest, welch_df
from analytics.stats.permutation import studentised_permutation
from analytics.stats.rank_tests import Shift, mann_whitney

MOST_PERMUTED = 5_000
"""Units of both arms whose reassignments are drawn in a second or two."""
Floats = NDArray[np.float64]
Limits = Callable[[float], Interval | None]
Lift = Callable[[float], tuple[float, Interval] | None]


@dataclass(frozen=True)
class Other:
    """An arm against the control by a method that need not have an interval.

    Attributes:
        p_value: two-sided.
        difference: that the interval is of; None where the method estimates none.
        interval, lift: as functions of the confidence; None where none inverts the test.
        warnings: what speaks against reading it.
    """

    mean: float
    mean_control: float
    p_value: float
    difference: float | None = None
    standard_error: float | None = None
    statistic: float | None = None
    df: float | None = None
    interval: Limits | None = None
    lift: Lift | None = None
    no_lift: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Given:
    """What a method is given: an arm and the control of one metric."""

    metric: MetricDesign
    two: PairMoments
    found: MetricAggregates
    arms: tuple[str, str]

    @property
    def kind(self) -> Kind:
        """Of the metric."""
        return self.metric.kind

    @property
    def independent(self) -> PairMoments:
        """As if units came in no clusters."""
        return PairMoments(self.two.arm, self.two.control)

    @property
    def counts(self) -> two_by_two.Counts:
        """Of shares."""
        sides = [
            (round(side.n * float(side.means[0])), round(side.n)) for side in (self.two.arm, self.two.control)
        ]
        return two_by_two.Counts(*sides[0], *sides[1])


def compare_by(method: Method, given: Given) -> Other | NotTested:
    """Compare by a method that is for metrics of this kind."""
    arm, control = given.two.arm, given.two.control
    if min(arm.n, control.n) == 0:
        return NotTested("no_data", "an arm has no units")
    return _BY_NAME[method.name](given)


def _usual(kind: Kind, two: PairMoments) -> Other | NotTested:
    found = compare(two, kind)
    return found if isinstance(found, NotTested) else _of(found)


def _of(found: Comparison) -> Other:
    df = found.df if found.df is None or math.isfinite(found.df) else None
    return Other(
        found.mean, found.mean_control, found.p_value, found.difference, found.standard_error, found.statistic,
        df, found.interval, found.lift, found.no_lift,
    )  # fmt: skip


def _welch(given: Given) -> Other | NotTested:
    # a share's variance as that of a mean of zeros and ones
    return _usual("mean" if given.kind != "ratio" else "ratio", given.independent)


def _cluster_robust(given: Given) -> Other | NotTested:
    if given.two.clusters is None:
        return NotTested("undefined", "units come in no clusters: [units].cluster declares them")
    return _usual(given.kind, given.two)


def _paired(given: Given) -> Other | NotTested:
    if given.found.pairs is None:
        return NotTested("undefined", "units come in no pairs: [units].pair declares them")
    found = compare_pairs(given.found.pairs, given.arms[0], given.kind)
    return found if isinstance(found, NotTested) else _of(found)


def _quantile(given: Given) -> Other | NotTested:
    found = compare_quantiles(given.metric, given.found, given.arms, given.two)
    return found if isinstance(found, NotTested) else _of(found)


def _score(given: Given) -> Other | NotTested:
    return _usual("proportion", given.independent)


def _two_means(given: Given) -> tuple[lift.Means, tuple[float, float], tuple[float, float]] | NotTested:
    """Means with their variances, variances of units, and units of arm and control."""
    sides = (given.two.arm, given.two.control)
    kind: Kind = "ratio" if given.kind == "ratio" else "mean"
    estimates = [own_estimate(kind, side.means) for side in sides]
    if estimates[0] is None or estimates[1] is None:
        return NotTested("undefined", "the denominators of an arm add up to 0")
    (value, weights), (value_control, weights_control) = estimates[0], estimates[1]
    if min(side.n for side in sides) < 2:
        return NotTested("too_few", "an arm has one unit only", value, value_control)
    spread = weighted_variance(sides[0], weights), weighted_variance(sides[1], weights_control)
    if sum(spread) == 0:
        return NotTested("undefined", "nothing varies: there is nothing to test", value, value_control)
    n = sides[0].n, sides[1].n
    return lift.Means(value, value_control, spread[0] / n[0], spread[1] / n[1]), spread, n


def _student(given: Given) -> Other | NotTested:
    found = _two_means(given)
    if isinstance(found, NotTested):
        return found
    means, spread, n = found
    df = n[0] + n[1] - 2
    pooled = ((n[0] - 1) * spread[0] + (n[1] - 1) * spread[1]) / df
    return _of(TComparison(means.mean, means.mean_control, pooled / n[0], pooled / n[1], 0.0, df, "pooled t"))


def _z(given: Given) -> Other | NotTested:
    counts = given.counts
    v, v_control = counts.variances
    if v + v_control == 0:
        return _nobody(counts)
    return _of(TComparison(counts.share, counts.share_control, v, v_control, 0.0, math.inf, "z, unpooled"))


def _nobody(counts: two_by_two.Counts) -> NotTested:
    reason = "nobody, or everybody, has it in both arms: there is nothing to test"
    if counts.share != counts.share_control:
        reason = "everybody has it in one arm and nobody in the other, so z has no error"
    return NotTested("undefined", reason, counts.share, counts.share_control)


def _pooled_z(given: Given) -> Other | NotTested:
    counts = given.counts
    error, z, p = two_by_two.pooled_z(counts)
    if math.isnan(p):
        return _nobody(counts)
    ratio = _ratio_as_lift(counts, lambda level: two_by_two.pooled_ratio(counts, level))
    return Other(
        counts.share, counts.share_control, p, counts.difference, error, z, None,
        lambda level: two_by_two.pooled_interval(counts, level), ratio, ScoreComparison.no_lift,
    )  # fmt: skip


def _newcombe(given: Given) -> Other | NotTested:
    counts = given.counts
    p = two_by_two.newcombe_p(counts)
    if math.isnan(p):
        return _nobody(counts)

    def interval(level: float) -> Interval:
        return newcombe_difference(counts.share, counts.n, counts.share_control, counts.n_control, level)

    ratio = _ratio_as_lift(counts, lambda level: two_by_two.newcombe_ratio(counts, level))
    no_lift = "the control's own interval reaches too near 0, so there is no interval of the lift"
    return Other(
        counts.share,
        counts.share_control,
        p,
        counts.difference,
        interval=interval,
        lift=ratio,
        no_lift=no_lift,
    )


def _ratio_as_lift(counts: two_by_two.Counts, ratio: Limits) -> Lift:
    def found(level: float) -> tuple[float, Interval] | None:
        limits = ratio(level) if counts.successes_control else None
        if limits is None or not all(map(math.isfinite, limits)):
            return None
        value = counts.difference / counts.share_control
        return value, Interval(min(limits.low - 1, value), max(limits.high - 1, value))

    return found


def _exact(
    given: Given, p_of: Callable[[two_by_two.Counts], float], *, most: int | None = None
) -> Other | NotTested:
    counts = given.counts
    if counts.successes + counts.successes_control in {0, counts.n + counts.n_control}:
        return _nobody(counts)
    units = counts.n + counts.n_control
    if most is not None and units > most:
        reason = f"this exact test is for up to {most:,} units, and these are {units:,}: ask for score"
        return NotTested("undefined", reason, counts.share, counts.share_control)
    return Other(counts.share, counts.share_control, p_of(counts), counts.difference)


def _fisher(given: Given) -> Other | NotTested:
    return _exact(given, two_by_two.fisher_p)


def _boschloo(given: Given) -> Other | NotTested:
    return _exact(given, two_by_two.boschloo_p, most=two_by_two.MOST_UNITS)


def _barnard(given: Given) -> Other | NotTested:
    return _exact(given, two_by_two.barnard_p, most=two_by_two.MOST_UNITS)


def _rates(given: Given) -> poisson.Rates | NotTested:
    """Events of units, each unit one of exposure."""
    arm, control = given.two.arm, given.two.control
    events = [float(side.n * side.means[0]) for side in (arm, control)]
    means = float(arm.means[0]), float(control.means[0])
    if min(events) < 0 or any(abs(x - round(x)) > 1e-6 * max(1.0, x) for x in events):
        return NotTested("undefined", "these totals are no whole numbers of events", *means)
    if sum(events) == 0:
        return NotTested("undefined", "there is no event in either arm", *means)
    return poisson.Rates(round(events[0]), arm.n, round(events[1]), control.n)


def overdispersed(given: Given) -> tuple[str, ...]:
    """What speaks against taking counts of units as Poisson counts."""
    sides = [side for side in (given.two.arm, given.two.control) if side.n >= 2]
    variances = [float(side.comoments[0, 0]) / (side.n - 1) for side in sides]
    found = poisson.dispersion(
        [float(side.means[0]) for side in sides], variances, [side.n for side in sides]
    )
    if math.isnan(found.p_value) or found.p_value >= 0.05:
        return ()
    told = (
        f"events of a unit hang together (variance / mean {found.ratio:.2f}, where Poisson counts have 1), so this "
        "p-value is too small; welch on the totals of units is not"
    )
    return (told,)


def of_rates(rates: poisson.Rates, method: str, warnings: tuple[str, ...] = ()) -> Other | NotTested:
    """Two rates by one of the methods for events that do not hang together."""
    rate, control = rates.rate, rates.rate_control
    difference = rate - control
    value = difference / control if control else None

    def as_lift(ratio: Callable[[poisson.Rates, float], Interval]) -> Lift:
        def found(level: float) -> tuple[float, Interval] | None:
            low, high = ratio(rates, level)
            return None if value is None else (value, Interval(min(low - 1, value), max(high - 1, value)))

        return found

    no_lift = "the control has no event, so there is no lift; see the difference"
    if method == "poisson":
        test = poisson.score_test(rates)
        return Other(
            rate, control, test.p_value, difference, test.standard_error, test.statistic, None,
            lambda level: poisson.score_difference(rates, level), as_lift(poisson.score_ratio), no_lift, warnings,
        )  # fmt: skip
    if method == "poisson-exact":
        p = poisson.conditional_test(rates)
        return Other(
            rate,
            control,
            p,
            difference,
            lift=as_lift(poisson.conditional_ratio),
            no_lift=no_lift,
            warnings=warnings,
        )
    if rates.total > poisson.MOST_EVENTS:
        found = f"these are {rates.total:,.0f}: ask for poisson"
        reason = f"the E-test is for up to {poisson.MOST_EVENTS:,} events, and {found}"
        return NotTested("undefined", reason, rate, control)
    return Other(rate, control, poisson.e_test(rates), difference, warnings=warnings)


def _by_rates(name: str) -> Callable[[Given], Other | NotTested]:
    def found(given: Given) -> Other | NotTested:
        rates = _rates(given)
        return rates if isinstance(rates, NotTested) else of_rates(rates, name, overdispersed(given))

    return found


def _values(given: Given) -> tuple[Floats, Floats, tuple[str, ...]] | NotTested:
    """Values of the two arms' units; of a ratio, linearised at the ratio of both arms together."""
    values = given.found.values
    if values is None:
        return NotTested("undefined", "this method needs the values of single units, and there are none")
    arm, control = unit_values(values, given.kind, given.arms)
    if min(len(arm), len(control)) < 2:
        return NotTested("too_few", "an arm has one unit only")
    left = round(given.two.arm.n + given.two.control.n) - len(arm) - len(control)
    return arm, control, (f"a seeded sample: {left:,} units are left out",) if left > 0 else ()


def unit_values(values: UnitValues, kind: Kind, arms: tuple[str, str]) -> tuple[Floats, Floats]:
    """The values of an arm's and of the control's units, one number a unit."""
    chosen = np.isin(values.variants, arms)
    table, of = values.values[chosen], values.variants[chosen]
    estimate = (
        own_estimate("ratio" if kind == "ratio" else "mean", table.mean(axis=0)) if len(table) else None
    )
    flat = table[:, 0] if estimate is None else table @ estimate[1]
    return flat[of == arms[0]], flat[of == arms[1]]


def _permutation(given: Given) -> Other | NotTested:
    usual, values = _welch(given), _values(given)
    if isinstance(usual, NotTested) or isinstance(values, NotTested):
        return usual if isinstance(usual, NotTested) else values  # type: ignore[return-value]
    arm, control, warnings = values
    if len(arm) + len(control) > MOST_PERMUTED:
        reason = (
            f"with more than {MOST_PERMUTED:,} units welch says the same, and reassigning them takes long"
        )
        return NotTested("undefined", reason, usual.mean, usual.mean_control)
    p = studentised_permutation(arm, control)
    if math.isnan(p):
        return NotTested(
            "undefined", "nothing varies: there is nothing to test", usual.mean, usual.mean_control
        )
    return Other(
        usual.mean, usual.mean_control, p, usual.difference, statistic=usual.statistic, warnings=warnings
    )


def _mann_whitney(given: Given) -> Other | NotTested:
    values = _values(given)
    if isinstance(values, NotTested):
        return values
    arm, control, warnings = values
    test, means = mann_whitney(arm, control), (float(arm.mean()), float(control.mean()))
    if math.isnan(test.p_value):
        return NotTested("undefined", "all units have one value: there is nothing to test", *means)
    shift = Shift(arm, control)
    told = f"a unit of {given.arms[0]} has more than one of {given.arms[1]} in {test.share:.1%} of pairs, ties half"
    if shift.interval(0.95) is None:
        told += "; with so many ties no shift says what the test says"
        return Other(*means, test.p_value, statistic=test.statistic, warnings=(told, *warnings))
    return Other(
        *means, test.p_value, shift.value, statistic=test.statistic, interval=shift.interval,
        no_lift="a shift is relative to nothing", warnings=(told, *warnings),
    )  # fmt: skip


def _delta_lift(given: Given) -> Other | NotTested:
    return _own_lift(
        given, lift.delta_test, lift.delta_interval, "the control's mean is 0, so there is no lift"
    )


def _log_lift(given: Given) -> Other | NotTested:
    return _own_lift(given, lift.log_ratio_test, lift.log_ratio_interval, "a logarithm needs means above 0")


def _own_lift(
    given: Given,
    test_of: Callable[[lift.Means, float], TTest[float]],
    interval_of: Callable[[lift.Means, float, float], Interval],
    refusal: str,
) -> Other | NotTested:
    found = _two_means(given)
    if isinstance(found, NotTested):
        return found
    means, _, n = found
    df = float(welch_df(means.variance, n[0], means.variance_control, n[1]))
    test = test_of(means, df)
    if math.isnan(test.p_value):
        return NotTested("undefined", refusal, means.mean, means.mean_control)
    difference = means.mean - means.mean_control
    value = difference / abs(means.mean_control)
    return Other(
        means.mean, means.mean_control, test.p_value, difference, statistic=test.statistic, df=df,
        lift=lambda level: (value, interval_of(means, df, level)),
        warnings=("tests the lift by an error of its own, so it can contradict the test of the difference",),
    )  # fmt: skip


_BY_NAME: dict[str, Callable[[Given], Other | NotTested]] = {
    "welch": _welch,
    "cluster-robust": _cluster_robust,
    "paired": _paired,
    "student": _student,
    "score": _score,
    "z": _z,
    "pooled-z": _pooled_z,
    "newcombe": _newcombe,
    "fisher": _fisher,
    "boschloo": _boschloo,
    "barnard": _barnard,
    "poisson": _by_rates("poisson"),
    "poisson-exact": _by_rates("poisson-exact"),
    "e-test": _by_rates("e-test"),
    "mann-whitney": _mann_whitney,
    "permutation": _permutation,
    "delta-lift": _delta_lift,
    "log-lift": _log_lift,
    "quantile": _quantile,
}
