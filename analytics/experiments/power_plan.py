"""The plan of an experiment before it has a size: who is compared, at which level, with which formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

from analytics.errors import ExperimentError
from analytics.experiments.power_terms import Case, Terms, check_terms
from analytics.experiments.words import number, plural
from analytics.stats import power as formulas
from analytics.stats.power_sequential import StoppingRule, always_valid_looks, group_sequential_rule

PlanKind = Literal["proportion", "mean", "ratio", "count", "quantile"]
Correction = Literal["holm", "none"]
MOST_UNITS = 10**12
MOST_VARIANTS = 100
FEWEST_A_DAY = 0.01
FEWEST_UNITS = 2
"""In every arm: with one unit nothing varies."""
SMALLEST_SHARE = 1e-6
_ROUNDING = 1e-9


class _Formulas(NamedTuple):
    """`analytics.stats.power` for one kind of metric, with all but sizes and effects filled in."""

    power: Callable[..., Any]
    sample_size: Callable[..., Any]
    detectable: Callable[..., Any]


_FORMULAS = {
    "proportion": _Formulas(
        formulas.proportion_power, formulas.proportion_sample_size, formulas.proportion_detectable
    ),
    "mean": _Formulas(formulas.mean_power, formulas.mean_sample_size, formulas.mean_detectable),
    "count": _Formulas(formulas.count_power, formulas.count_sample_size, formulas.count_detectable),
}


@dataclass(frozen=True)
class Plan:
    """What stays the same whichever of units, effect and power is asked for."""

    kind: PlanKind
    baseline: float
    deviation: float
    alpha: float
    power: float
    one_sided: bool
    fall: bool
    shares: tuple[float, ...]
    correction: Correction
    daily_units: float | None
    terms: Terms = Terms()  # noqa: RUF009  # frozen

    @property
    def comparisons(self) -> int:
        """Arms but the control, times metrics."""
        return (len(self.shares) - 1) * self.terms.metrics

    @property
    def level(self) -> float:
        """What one comparison is tested at."""
        return self.alpha / self.comparisons if self.correction == "holm" else self.alpha

    @property
    def wanted(self) -> float:
        """Power of one comparison; where all together must have it, whatever their correlation."""
        if self.terms.power_for == "each":
            return self.power
        return 1 - (1 - self.power) / self.comparisons

    @property
    def rule(self) -> StoppingRule | None:
        """When a comparison stops; None where it is read once."""
        looks = self.terms.n_looks
        if self.terms.stopping == "group-sequential":
            return group_sequential_rule(self.terms.boundary, looks, self.level, one_sided=self.one_sided)
        if self.terms.stopping == "always-valid":
            return always_valid_looks(looks, self.level, one_sided=self.one_sided)
        return None

    @property
    def wanted_fixed(self) -> float:
        """Power that one look with the units of the last look must have."""
        return self.wanted if self.rule is None else self.rule.fixed_power(self.wanted)

    @property
    def smallest(self) -> int:
        """The place of the arm whose comparison has the least power."""
        return min(range(1, len(self.shares)), key=self.shares.__getitem__)

    @property
    def is_poisson(self) -> bool:
        """Whether a count's variance follows its mean, in the arm as in the control."""
        return self.kind == "count" and self.deviation == math.sqrt(self.baseline)

    @property
    def formulas(self) -> _Formulas:
        """Power, sample size and detectable effect of one look, of this kind of metric at this level."""
        first: float
        if self.kind == "proportion":
            name, first = "proportion", self.baseline
        elif self.is_poisson:
            name, first = "count", self.baseline
        else:
            name, first = "mean", self.deviation
        if not self.terms.is_plain:
            case = Case(
                "count" if name == "count" else "proportion" if name == "proportion" else "mean",
                self.baseline,
                self.deviation,
                self.terms,
                self.level,
                self.one_sided,
            )
            return _Formulas(case.power, case.sample_size, case.detectable)
        test = {"alpha": self.level, "one_sided": self.one_sided}
        return _Formulas(*(partial(formula, first, **test) for formula in _FORMULAS[name]))

    def fixed_power_at(self, difference: float, arms: Sequence[float], place: int | None = None) -> float:
        """Power of one look at the comparison of an arm with the control; of the deciding one where none is named."""
        factor = self.terms.variance_factor
        place = self.smallest if place is None else place
        return float(self.formulas.power(difference, arms[place] / factor, arms[0] / factor))

    def power_at(self, difference: float, arms: Sequence[float], place: int | None = None) -> float:
        """Power of a comparison, at whichever look it stops."""
        fixed = self.fixed_power_at(difference, arms, place)
        return fixed if self.rule is None else self.rule.power(fixed)

    def total_for(self, difference: float) -> float:
        """Units over all arms, not rounded; infinite where the effect is too small for any number."""
        share = self.shares[self.smallest]
        units = self.formulas.sample_size(difference, ratio=self.shares[0] / share, power=self.wanted_fixed)
        return float(units) * self.terms.variance_factor / share

    def detectable(self, arms: Sequence[float]) -> float | None:
        """The smallest effect shown, or ruled out; None where there is none."""
        factor = self.terms.variance_factor
        n, n_control = arms[self.smallest] / factor, arms[0] / factor
        found = float(self.formulas.detectable(n, n_control, power=self.wanted_fixed, fall=self.fall))
        return found if math.isfinite(found) else None

    def arms_for(self, total: int) -> tuple[int, ...]:
        """Every arm's units where each gets its share of the total, rounded up."""
        return tuple(math.ceil(share * total - _ROUNDING) for share in self.shares)

    def arms_of(self, n_per_variant: int) -> tuple[int, ...]:
        """Every arm's units where they must add up: the largest remainders are rounded up."""
        total = n_per_variant * len(self.shares)
        exact = [share * total for share in self.shares]
        arms = [math.floor(units + _ROUNDING) for units in exact]
        for place in sorted(range(len(arms)), key=lambda i: arms[i] - exact[i])[: total - sum(arms)]:
            arms[place] += 1
        if min(arms) < FEWEST_UNITS:
            raise ExperimentError(
                f"{n_per_variant} units an arm on average leave an arm with fewer than {FEWEST_UNITS}; "
                "ask for more units or a larger share"
            )
        return tuple(arms)

    def smallest_arms(self, difference: float) -> tuple[int, ...] | None:
        """Every arm's units in the smallest experiment with the wanted power; None where it is out of reach.

        With one unit less to share out, the power is below the wanted one (unless an arm would be left with
        a single unit).
        """
        total = self.total_for(difference)
        if not total <= MOST_UNITS:
            return None
        wanted = self.wanted_fixed

        def enough(total: int) -> bool:
            return self.fixed_power_at(difference, self.arms_for(total)) >= wanted

        low = math.floor(1 / min(self.shares) + _ROUNDING)
        high = max(math.ceil(total), low + 1)
        while not enough(high):
            low, high = high, high + 1
        if enough(low + 1):
            return self.arms_for(low + 1)
        low += 1
        while high - low > 1:
            middle = (low + high) // 2
            if enough(middle):
                high = middle
            else:
                low = middle
        return self.arms_for(high)


def read_plan(  # noqa: PLR0913  # the options of the command
    kind: PlanKind,
    baseline: float,
    *,
    standard_deviation: float | None,
    alpha: float,
    power: float,
    one_sided: bool,
    fall: bool,
    variants: int | None,
    shares: Sequence[float] | None,
    correction: Correction,
    daily_units: float | None,
    terms: Terms = Terms(),  # noqa: B008  # frozen
) -> Plan:
    """A plan, if these options make one; their meaning stands in `analytics.experiments.power.power_of`.

    Raises:
        ExperimentError: the question makes no sense.
    """
    if kind not in get_args(PlanKind):
        raise ExperimentError(f"kind {kind!r} is not one of: {', '.join(get_args(PlanKind))}")
    if correction not in get_args(Correction):
        raise ExperimentError(f"correction {correction!r} is not one of: {', '.join(get_args(Correction))}")
    if not 0 < alpha < 0.5:
        raise ExperimentError(f"alpha {alpha:g} must lie between 0 and .5, such as .05")
    if not alpha < power < 1:
        raise ExperimentError(f"power {power:g} must lie between alpha ({alpha:g}) and 1, such as .8")
    if daily_units is not None and not FEWEST_A_DAY <= daily_units < math.inf:
        raise ExperimentError(f"{daily_units:g} units a day must be a number of at least {FEWEST_A_DAY}")
    known = _baseline(kind, baseline)
    check_terms(terms, baseline, kind)
    return Plan(
        kind,
        known,
        _deviation(kind, baseline, standard_deviation),
        alpha,
        power,
        one_sided,
        fall,
        _shares(variants if variants is not None else 2 if shares is None else len(shares), shares),
        correction,
        daily_units,
        terms,
    )


def check_effect(plan: Plan, difference: float) -> None:
    """Refuse an effect that cannot be.

    Raises:
        ExperimentError: it is no number, or leads out of what the kind of metric can be.
    """
    reached = plan.baseline + difference
    if not math.isfinite(reached):
        raise ExperimentError(f"the difference {difference:g} must be a finite number")
    below = plan.kind in {"proportion", "count"} and reached < -_ROUNDING
    above = plan.kind == "proportion" and reached > 1 + _ROUNDING
    if below or above:
        bounds = "0 and 1" if plan.kind == "proportion" else "0 and infinity"
        raise ExperimentError(
            f"baseline {number(plan.baseline)} and difference {number(difference)} make {number(reached)}, "
            f"but a {plan.kind} lies between {bounds}"
        )


def read_effect(plan: Plan, difference: float | None, lift: float | None) -> float | None:
    """The difference that is to be seen; None where none is named.

    Raises:
        ExperimentError: it cannot be, or is 0.
    """
    if difference is not None and lift is not None:
        raise ExperimentError("give either a difference or a lift, not both")
    if lift is not None:
        if plan.baseline == 0:
            raise ExperimentError("a lift is relative to the baseline, which is 0; give a difference")
        difference = lift * abs(plan.baseline)
    if difference is None:
        return None
    check_effect(plan, difference)
    if difference == 0:
        raise ExperimentError(
            "a difference of 0 cannot be seen with any number of units; name the one to be seen"
        )
    return float(difference)


def read_units(n_per_variant: int, variants: int) -> int:
    """The units an arm.

    Raises:
        ExperimentError: these are too few or too many.
    """
    if not FEWEST_UNITS <= n_per_variant <= MOST_UNITS // variants:
        raise ExperimentError(
            f"{plural(n_per_variant, 'unit')} an arm: there must be at least {FEWEST_UNITS}, "
            f"and at most {MOST_UNITS:,} over all arms"
        )
    return n_per_variant


def _baseline(kind: PlanKind, baseline: float) -> float:
    if not math.isfinite(baseline):
        raise ExperimentError(f"the baseline {baseline:g} must be a finite number")
    if kind == "proportion" and not 0 <= baseline <= 1:
        hint = f"; write {baseline / 100:g} for {baseline:g} %" if 1 < baseline <= 100 else ""
        raise ExperimentError(f"the baseline {baseline:g} of a proportion must lie between 0 and 1{hint}")
    if kind == "count" and baseline < 0:
        raise ExperimentError(f"the baseline {baseline:g} of a count must not be negative")
    return float(baseline)


def _deviation(kind: PlanKind, baseline: float, deviation: float | None) -> float:
    if kind == "proportion":
        if deviation is not None:
            raise ExperimentError("a proportion takes no standard deviation: its baseline gives it")
        return 0.0
    if deviation is None:
        if kind != "count":
            of = {"mean": "the units' values", "quantile": "the units' values around the quantile"}.get(
                kind, "the units' linearised values"
            )
            raise ExperimentError(f"a {kind} needs the standard deviation of {of}")
        deviation = math.sqrt(max(baseline, 0.0))
        if deviation == 0:
            raise ExperimentError(
                "counts with a baseline of 0 do not vary; give a baseline or a standard deviation"
            )
    if not 0 < deviation < math.inf:
        raise ExperimentError(f"the standard deviation {deviation:g} must be a finite number above 0")
    return float(deviation)


def _shares(variants: int, shares: Sequence[float] | None) -> tuple[float, ...]:
    if not 2 <= variants <= MOST_VARIANTS:
        raise ExperimentError(
            f"{plural(variants, 'variant')}: there must be 2 to {MOST_VARIANTS}, the control among them"
        )
    if shares is None:
        return (1 / variants,) * variants
    if len(shares) != variants:
        raise ExperimentError(
            f"{len(shares)} shares for {variants} variants; name one for each, the control first"
        )
    if not all(0 < share < math.inf for share in shares):
        raise ExperimentError("shares must be numbers above 0, the control first, such as .5, .25, .25")
    total = math.fsum(shares)
    normalised = tuple(share / total for share in shares)
    if min(normalised) < SMALLEST_SHARE:
        raise ExperimentError(f"a share must be at least a millionth of all, found {min(normalised):g}")
    return normalised
