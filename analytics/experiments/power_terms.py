"""What a plan asks beyond effect, level and split: what is shown, of how many metrics, adjusted and stopped how."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from analytics.errors import ExperimentError
from analytics.stats import power_margins as margins
from analytics.stats.arrays import FloatArray, as_floats

Goal = Literal["difference", "non-inferiority", "equivalence"]
Stopping = Literal["fixed", "group-sequential", "always-valid"]
Boundary = Literal["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"]
PowerFor = Literal["each", "all"]
MOST_METRICS = 1000
MOST_LOOKS = 200
MOST_DESIGN_EFFECT = 1e6
LOOKS = {"fixed": 1, "group-sequential": 5, "always-valid": 28}
"""Looks where none are named."""
_GRID = 2000


@dataclass(frozen=True)
class Terms:
    """What else a plan asks.

    Attributes:
        goal: ``difference`` shows an effect; ``non-inferiority`` rules out that the arm differs from the control by the
            named effect or more in its direction; ``equivalence`` rules out that in either direction.
        true_difference: arm minus control as it truly is, where the goal is to rule an effect out.
        relative: the lift itself is tested, by the delta method (or the margin is relative to the control's mean), so
            that the noise of the control's mean counts too.
        metrics: that are corrected for together, each alike.
        power_for: whether each comparison has the power, or all together.
        r2: share of the variance that a covariate from before the experiment explains (its squared correlation).
        design_effect: of clusters: how many times as many units they cost.
        stopping: ``fixed`` is read once.
        looks: how often it is looked at, evenly in units.
        boundary: of a group-sequential design.
    """

    goal: Goal = "difference"
    true_difference: float = 0.0
    relative: bool = False
    metrics: int = 1
    power_for: PowerFor = "each"
    r2: float = 0.0
    design_effect: float = 1.0
    stopping: Stopping = "fixed"
    looks: int | None = None
    boundary: Boundary = "lan-demets-obrien-fleming"

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ExperimentError: with what would.
        """
        named = (("goal", Goal), ("stopping", Stopping), ("boundary", Boundary), ("power_for", PowerFor))
        for name, known in named:
            if getattr(self, name) not in get_args(known):
                raise ExperimentError(
                    f"{name.replace('_', ' ')} {getattr(self, name)!r} is not one of: {', '.join(get_args(known))}"
                )
        if not 1 <= self.metrics <= MOST_METRICS:
            raise ExperimentError(f"{self.metrics} metrics: there must be 1 to {MOST_METRICS:,}")
        if not 0 <= self.r2 < 1:
            raise ExperimentError(
                f"a covariate explains a share of the variance from 0 to below 1, found {self.r2:g}"
            )
        if not 0 < self.design_effect <= MOST_DESIGN_EFFECT:
            raise ExperimentError(
                f"the design effect {self.design_effect:g} must be a number above 0; 1 where units are independent"
            )
        if not math.isfinite(self.true_difference):
            raise ExperimentError(f"the true difference {self.true_difference:g} must be a finite number")
        if self.true_difference and self.goal == "difference":
            raise ExperimentError("a true difference goes with a margin; else it is the effect itself")
        self._check_looks()

    def _check_looks(self) -> None:
        if self.looks is not None and self.stopping == "fixed":
            raise ExperimentError("several looks need sequential stopping: group-sequential or always-valid")
        if not 1 <= self.n_looks <= MOST_LOOKS:
            raise ExperimentError(f"{self.n_looks} looks: there must be 1 to {MOST_LOOKS}")
        if self.stopping != "fixed" and self.goal == "equivalence":
            raise ExperimentError("equivalence is planned for one look at the end; leave the stopping fixed")

    @property
    def n_looks(self) -> int:
        """How often it is looked at."""
        return self.looks if self.looks is not None else LOOKS[self.stopping]

    @property
    def variance_factor(self) -> float:
        """How many units stand for one independent unit without a covariate."""
        return (1 - self.r2) * self.design_effect

    @property
    def is_plain(self) -> bool:
        """Whether the difference itself is to be shown, by the test of the difference."""
        return self.goal == "difference" and not self.relative


@dataclass(frozen=True)
class Case:
    """Power, sample size and detectable effect of one comparison under some terms; effects are signed.

    Attributes:
        kind: ``proportion``, ``count`` (Poisson) or ``mean``: how the deviation follows from the mean.
        baseline, deviation: of one unit of the control; the deviation matters for ``mean`` only.
        terms: what is to be shown.
        alpha, one_sided: of the test.
    """

    kind: Literal["proportion", "count", "mean"]
    baseline: float
    deviation: float
    terms: Terms
    alpha: float
    one_sided: bool

    def power(self, effect: Any, n: Any, n_control: Any) -> FloatArray:
        """Chance to show the difference, or to rule out the effect."""
        test: dict[str, Any] = {"alpha": self.alpha, "one_sided": self.one_sided}
        effect = as_floats(effect)
        arm, control = self._deviations(effect)
        if self.terms.goal == "equivalence":
            true = abs(self.terms.true_difference)
            return margins.equivalence_power(true, np.abs(effect), arm, control, n, n_control, **test)
        return margins.room_power(self._room(effect), arm, control, n, n_control, **test)

    def sample_size(self, effect: float, *, ratio: float, power: float) -> FloatArray:
        """Units of the arm; infinite where none are enough."""
        test: dict[str, Any] = {
            "ratio": ratio,
            "alpha": self.alpha,
            "power": power,
            "one_sided": self.one_sided,
        }
        arm, control = self._deviations(as_floats(effect))
        if self.terms.goal == "equivalence":
            true = abs(self.terms.true_difference)
            return margins.equivalence_sample_size(true, abs(effect), arm, control, **test)
        return margins.room_sample_size(self._room(as_floats(effect)), arm, control, **test)

    def detectable(self, n: float, n_control: float, *, power: float, fall: bool) -> FloatArray:
        """The smallest effect that so many units show, or rule out; nan where there is none."""
        sign = -1.0 if fall else 1.0
        if self.kind == "mean" and self.terms.goal == "difference":
            lift = margins.relative_detectable(
                self.deviation, self.deviation, self.baseline, n, n_control, alpha=self.alpha, power=power,
                one_sided=self.one_sided, fall=(self.baseline < 0) != fall,
            )  # fmt: skip
            return as_floats(self.baseline * lift)

        def excess(size: FloatArray) -> FloatArray:
            return as_floats(self.power(sign * size, n, n_control) - power)

        return as_floats(sign * _first_crossing(excess, self._reach(n, n_control, fall=fall)))

    def _reach(self, n: float, n_control: float, *, fall: bool) -> float:
        """The largest effect there can be."""
        if self.kind == "proportion":
            return self.baseline if fall else 1 - self.baseline
        if self.kind == "count" and fall:
            return self.baseline
        arm, control = self._deviations(as_floats(0.0))
        error = float(np.hypot(arm / math.sqrt(n), control / math.sqrt(n_control)))
        return 1e3 * (abs(self.terms.true_difference) + error + error**2)

    def _room(self, effect: FloatArray) -> FloatArray:
        """How far the true difference lies from what is to be ruled out (no difference, or the margin)."""
        if self.terms.goal == "difference":
            return as_floats(np.abs(effect))
        true = self.terms.true_difference
        return as_floats(np.where(effect < 0, true - effect, effect - true))

    def _deviations(self, effect: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of one unit of the arm and of the control, where the truth lies; a lift in units of the difference."""
        true = effect if self.terms.goal == "difference" else as_floats(self.terms.true_difference)
        arm, control = self._of_mean(self.baseline + true), self._of_mean(as_floats(self.baseline))
        if self.terms.relative:
            control = as_floats(control * np.abs(1 + effect / self.baseline))
        return arm, control

    def _of_mean(self, mean: FloatArray) -> FloatArray:
        if self.kind == "mean":
            return as_floats(np.full(np.shape(mean), self.deviation))
        other = 1 - mean if self.kind == "proportion" else 1.0
        return as_floats(np.sqrt(np.maximum(mean * other, 0.0)))


def _first_crossing(excess: Callable[[FloatArray], FloatArray], reach: float) -> float:
    """The smallest size up to ``reach`` at which ``excess`` is not negative; nan where it always is."""
    if not 0 < reach < math.inf:
        return math.nan
    low, high = 0.0, reach
    # each round looks closer: power need not grow all the way in tiny samples, so the first crossing is sought
    for _ in range(6):
        sizes = np.linspace(low, high, _GRID + 1)
        reached = excess(sizes) >= 0
        if not reached.any():
            return math.nan
        first = int(np.argmax(reached))
        if first == 0:
            return float(sizes[0])
        low, high = float(sizes[first - 1]), float(sizes[first])
    return high


def check_terms(terms: Terms, baseline: float, kind: str) -> None:
    """Refuse terms that do not fit what is measured.

    Raises:
        ExperimentError: with what would.
    """
    if terms.relative and baseline == 0:
        raise ExperimentError("a lift is relative to the baseline, which is 0; plan for the difference")
    reached = baseline + terms.true_difference
    if kind == "proportion" and not 0 <= reached <= 1:
        raise ExperimentError(f"the true difference {terms.true_difference:g} leads out of the shares 0 to 1")
    if kind == "count" and reached < 0:
        raise ExperimentError(f"the true difference {terms.true_difference:g} makes a negative count")
