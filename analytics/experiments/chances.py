"""Chances: what is believed of every arm after the data, who is best, and what a wrong choice is expected to cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from analytics.aggregates.arms import MetricAggregates
from analytics.errors import ExperimentError
from analytics.experiments.beliefs import FAILURES, SUCCESSES, PosteriorComparison, believed
from analytics.experiments.choose import choose, methods_of, moments_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.looks import at_last_look
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import PairMoments, pair
from analytics.experiments.rows import Method, headline_method
from analytics.experiments.stopping import WaldComparison, moments_of_estimates
from analytics.experiments.words import number, percent
from analytics.project import LEAST_BELIEVED, MOST_BELIEVED, Prior
from analytics.results import Status
from analytics.stats.bayes import Posterior, chances_best, choice_against_control, expected_losses
from analytics.stats.intervals import Interval


@dataclass(frozen=True)
class ChanceRow:
    """What is believed of one arm.

    Attributes:
        experiment, metric, variant, method: as in the scorecard.
        is_control: whether it is the control.
        model: ``beta-binomial``, ``gamma-Poisson`` or ``normal``.
        prior: in words.
        n: units.
        mean, ci_low, ci_high: expected value of the arm with its equal-tailed credible interval.
        chance_to_beat: that the arm is better than the control; None for the control.
        chance_best: that it is the best of all arms.
        expected_loss: by how much it is expected to fall short of the best, if it is chosen, in the metric's units.
        expected_loss_relative: the same relative to the size of the control's expected value.
        difference, difference_ci_low, difference_ci_high: arm minus control; None for the control.
        lift, lift_ci_low, lift_ci_high: the same relative to the control.
        confidence: of the credible intervals.
        status, reason: ``ok``, or why nothing is believed.
    """

    experiment: str | None
    metric: str
    variant: str
    method: Method
    is_control: bool
    model: str | None
    prior: str | None
    n: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    chance_to_beat: float | None
    chance_best: float | None
    expected_loss: float | None
    expected_loss_relative: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    confidence: float
    status: Status
    reason: str | None


@dataclass(frozen=True)
class _Arm:
    variant: str
    two: PairMoments
    outcome: Comparison | NotTested


def chance_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[ChanceRow]:
    """The control and every arm by the method that the verdict stands on.

    Args:
        design: of the experiment, with the prior that is believed in.
        metric: which.
        found: its aggregates, up to now.
        confidence: of the credible intervals.
    """
    seen = at_last_look(design, found)
    method = _method(design, metric, seen)
    arms = [_arm(design, metric, seen, (variant, method)) for variant in design.variants]
    tested = [arm for arm in arms if not isinstance(arm.outcome, NotTested)]
    best, losses = _choice(design, metric, tested)
    blank = _blank(design, metric, method, confidence)
    yield _control(design, blank, tested, (best, losses), moments_of(seen, method).count(design.control))
    places = {arm.variant: i + 1 for i, arm in enumerate(tested)}
    for arm in arms:
        row = replace(blank, variant=arm.variant, n=round(arm.two.arm.n))
        if isinstance(arm.outcome, NotTested):
            yield replace(row, status=arm.outcome.status, reason=arm.outcome.reason)
        else:
            i = places[arm.variant]
            yield _of_arm(row, metric, design.prior, arm.outcome, (float(best[i]), float(losses[i])))


def _method(design: Design, metric: MetricDesign, found: MetricAggregates) -> Method:
    states = {}
    for method in methods_of(design, metric, found):
        outcome = choose(_fixed(design), metric, found, (design.variants[0], method))
        states[method] = outcome.status if isinstance(outcome, NotTested) else "ok"
    return headline_method(states) or "unadjusted"


def _fixed(design: Design) -> Design:
    return replace(design, stopping="fixed", one_sided=False)


def _arm(design: Design, metric: MetricDesign, found: MetricAggregates, arm: tuple[str, Method]) -> _Arm:
    two = pair(moments_of(found, arm[1]), arm[0], design.control)
    fixed = choose(_fixed(design), metric, found, arm, two=two)
    if isinstance(fixed, NotTested):
        return _Arm(arm[0], two, fixed)
    outcome = believed(fixed, design.prior, two, metric.kind)
    return _Arm(
        arm[0], two, outcome or NotTested("undefined", "the method has no standard error to believe in")
    )


def _choice(design: Design, metric: MetricDesign, arms: Sequence[_Arm]) -> tuple[np.ndarray, np.ndarray]:
    """Chances to be best and expected losses, the control first."""
    smallest = metric.direction == "down"
    conjugate = [arm.outcome for arm in arms if isinstance(arm.outcome, PosteriorComparison)]
    if conjugate and len(conjugate) == len(arms):
        everyone: list[Posterior] = [conjugate[0].control, *(one.arm for one in conjugate)]
        return chances_best(everyone, smallest=smallest), expected_losses(everyone, smallest=smallest)
    moments = [moments_of_estimates(_fixed_of(arm)) for arm in arms]
    known = [one for one in moments if one is not None]
    if not known:
        return np.zeros(len(arms) + 1), np.zeros(len(arms) + 1)
    differences = np.array([one.difference for one in known])
    squares = np.array([one.standard_error**2 for one in known])
    # clusters over arms make differences surer than two means apart: what arms share is the less
    shared = min(float(known[0].variance_control), 0.5 * float(squares.min()))
    prior = None if design.prior.lift is None else design.prior.lift * abs(known[0].mean_control)
    found = choice_against_control(differences, squares - shared, shared, prior, smallest=smallest)
    return found.best, found.losses


def _fixed_of(arm: _Arm) -> Comparison:
    outcome = arm.outcome
    if isinstance(outcome, (WaldComparison, PosteriorComparison)):
        return outcome.fixed
    raise TypeError(f"{arm.variant} has no posterior")


def _blank(design: Design, metric: MetricDesign, method: Method, confidence: float) -> ChanceRow:
    return ChanceRow(
        experiment=design.name,
        metric=metric.name,
        variant=design.control,
        method=method,
        is_control=False,
        model=None,
        prior=None,
        n=0,
        mean=None,
        ci_low=None,
        ci_high=None,
        chance_to_beat=None,
        chance_best=None,
        expected_loss=None,
        expected_loss_relative=None,
        difference=None,
        difference_ci_low=None,
        difference_ci_high=None,
        lift=None,
        lift_ci_low=None,
        lift_ci_high=None,
        confidence=confidence,
        status="ok",
        reason=None,
    )


def _control(
    design: Design,
    blank: ChanceRow,
    tested: Sequence[_Arm],
    choice: tuple[np.ndarray, np.ndarray],
    n: int,
) -> ChanceRow:
    row = replace(blank, is_control=True, n=n)
    if not tested:
        return replace(row, status="undefined", reason="there is no arm to compare it with")
    outcome = tested[0].outcome
    if isinstance(outcome, NotTested):
        raise TypeError("only tested arms are compared")
    mean, own = _own(outcome, blank.confidence, control=True)
    loss = float(choice[1][0])
    return replace(
        row,
        model=_model(outcome),
        prior=prior_words(design.prior, _model(outcome)),
        mean=mean,
        ci_low=own.low,
        ci_high=own.high,
        chance_best=float(choice[0][0]),
        expected_loss=loss,
        expected_loss_relative=loss / abs(mean) if mean else None,
    )


def _of_arm(
    row: ChanceRow, metric: MetricDesign, prior: Prior, outcome: Comparison, choice: tuple[float, float]
) -> ChanceRow:
    mean, own = _own(outcome, row.confidence, control=False)
    interval, lift = outcome.interval(row.confidence), outcome.lift(row.confidence)
    above = outcome.chance_above
    size = abs(outcome.mean_control)
    return replace(
        row,
        model=_model(outcome),
        prior=prior_words(prior, _model(outcome)),
        mean=mean,
        ci_low=own.low,
        ci_high=own.high,
        chance_to_beat=above if metric.direction == "up" else 1.0 - above,
        chance_best=choice[0],
        expected_loss=choice[1],
        expected_loss_relative=choice[1] / size if size else None,
        difference=outcome.difference,
        difference_ci_low=interval.low,
        difference_ci_high=interval.high,
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None else lift[1].low,
        lift_ci_high=None if lift is None else lift[1].high,
        reason=outcome.no_lift if lift is None else None,
    )


def _own(outcome: Comparison, confidence: float, *, control: bool) -> tuple[float, Interval]:
    """Expected value of one arm with its equal-tailed interval."""
    reach = float(-ndtri((1.0 - confidence) / 2.0))
    mean = outcome.mean_control if control else outcome.mean
    if isinstance(outcome, PosteriorComparison):
        low, high = (outcome.control if control else outcome.arm).at(np.array([-reach, reach]))
        return mean, Interval(min(float(low), mean), max(float(high), mean))
    if isinstance(outcome, WaldComparison):
        variance = outcome.moments.variance_control if control else outcome.moments.variance
        half = reach * max(variance, 0.0) ** 0.5
        return mean, Interval(mean - half, mean + half)
    raise TypeError(f"{outcome.test} is no posterior")


def _model(outcome: Comparison) -> str:
    return outcome.test.removesuffix(" posterior")


def prior_words(prior: Prior, model: str) -> str:
    """What was believed beforehand.

    >>> prior_words(Prior(), "normal"), prior_words(Prior(lift=0.1), "normal")
    ('every difference as likely', 'lifts about 0, two in three within 10%')
    """
    if prior.lift is not None and model == "normal":
        return f"lifts about 0, two in three within {percent(prior.lift)}"
    if model == "beta-binomial":
        seen = prior.successes or SUCCESSES, prior.failures or FAILURES
        if seen == (SUCCESSES, FAILURES):
            return "every share as likely"
        return f"as if {number(seen[0])} successes and {number(seen[1])} failures had been seen in every arm"
    if model == "gamma-Poisson":
        return "Jeffreys: as if half an event had been seen in every arm"
    return "every difference as likely"


def prior_of(
    lift: float | None = None, successes: float | None = None, failures: float | None = None
) -> Prior | None:
    """A prior from typed numbers; None where none is typed, so that the declared one holds.

    Raises:
        ExperimentError: a number that is not above 0.
    """
    given = {"lift": lift, "successes": successes, "failures": failures}
    typed = {name: value for name, value in given.items() if value is not None}
    for name, value in typed.items():
        if not LEAST_BELIEVED <= value <= MOST_BELIEVED:
            raise ExperimentError(
                f"prior {name}: must be above 0 (from {LEAST_BELIEVED:g} to {MOST_BELIEVED:g}), found {value:g}"
            )
    return Prior(**typed) if typed else None
