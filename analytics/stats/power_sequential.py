"""Power of designs that are looked at more than once, from the power that one look at the end would have.

The statistic of successive looks is a Brownian motion whose drift is what the statistic is expected to be at the last
look. One look with level alpha has power Phi(drift - z); a sequential design crosses its own boundary, in the right
direction, at one look or another. So a sequential design is planned as a fixed one with another power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import special
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from .arrays import FloatArray, as_floats
from .confidence_sequences import mixture_width, sequence_multiplier
from .group_sequential import Boundary, Looks, boundaries, crossing_probabilities

_MOST_DRIFT = 60.0
_LEAST_DRIFT = 1e-3
_CERTAIN_DRIFT = 12.0
"""Expected statistic at which every boundary has been crossed."""


@dataclass(frozen=True)
class StoppingRule:
    """When a design stops, as a boundary at each look.

    Attributes:
        fractions: of the units of the last look, ascending, the last one 1.
        bounds: in standard errors, one a look.
        alpha: of the whole test.
        one_sided: whether only one direction is looked for.
    """

    fractions: tuple[float, ...]
    bounds: tuple[float, ...]
    alpha: float
    one_sided: bool = False

    @property
    def critical(self) -> float:
        """The quantile of one look at the end."""
        return float(-special.ndtri(self.alpha if self.one_sided else self.alpha / 2))

    def crossing(self, drift: float) -> FloatArray:
        """Probability of crossing first at each look, in the drift's direction, shape (K,)."""
        found, _ = crossing_probabilities(self.fractions, self.bounds, drift=drift, one_sided=self.one_sided)
        return found

    def power(self, fixed: float) -> float:
        """Power of the design where one look with all its units has the power ``fixed``."""
        if fixed <= 0:
            return 0.0
        drift = self.critical + float(special.ndtri(fixed))
        return 1.0 if drift > _MOST_DRIFT else float(min(self.crossing(drift).sum(), 1.0))

    def fixed_power(self, power: float) -> float:
        """The power that one look with as many units must have for the design to have ``power``."""
        return float(special.ndtr(self.drift(power) - self.critical))

    @cached_property
    def _table(self) -> PchipInterpolator:
        drifts = np.linspace(0.0, _CERTAIN_DRIFT, 61)
        return PchipInterpolator(drifts, [self.crossing(float(drift)).sum() for drift in drifts])

    def powers(self, drifts: FloatArray) -> FloatArray:
        """Power at many drifts, interpolated (within .0002)."""
        found = self._table(np.clip(drifts, 0.0, _CERTAIN_DRIFT))
        return as_floats(np.where(drifts >= _CERTAIN_DRIFT, 1.0, np.clip(found, 0.0, 1.0)))

    @lru_cache(maxsize=64)  # noqa: B019  # rules are small, frozen and few
    def drift(self, power: float) -> float:
        """What the statistic must be expected to be at the last look for this power."""
        return float(brentq(lambda drift: self.crossing(drift).sum() - power, 0.0, _MOST_DRIFT, xtol=1e-10))

    def inflation(self, power: float) -> float:
        """How many times the units of a fixed design the last look takes."""
        fixed = self.critical + float(special.ndtri(power))
        return (self.drift(power) / fixed) ** 2 if fixed > 0 else 1.0

    def expected_fraction(self, fixed: float) -> float:
        """Share of the units of the last look that are used on average, where one look has the power ``fixed``."""
        drift = min(self.critical + float(special.ndtri(fixed)), _MOST_DRIFT) if fixed > 0 else 0.0
        up, down = crossing_probabilities(self.fractions, self.bounds, drift=drift, one_sided=self.one_sided)
        stopped = up + down
        times = as_floats(self.fractions)
        # who has not crossed by the last look has used all the units
        return float((stopped[:-1] * times[:-1]).sum() + (1 - stopped[:-1].sum()) * times[-1])

    @cached_property
    def false_alarm(self) -> float:
        """The chance to cross in either direction where there is no effect."""
        up, down = crossing_probabilities(self.fractions, self.bounds, one_sided=self.one_sided)
        return float((up + down).sum())


@lru_cache(maxsize=128)
def group_sequential_rule(
    boundary: Boundary, looks: int, alpha: float, *, one_sided: bool = False
) -> StoppingRule:
    """Return the boundaries of equally spaced looks.

    >>> rule = group_sequential_rule("pocock", 5, 0.05)
    >>> round(rule.inflation(0.8), 3), round(rule.false_alarm, 4)
    (1.229, 0.05)
    """
    fractions = tuple((np.arange(1, looks + 1) / looks).tolist())
    plan = Looks(boundary, fractions, one_sided=one_sided)
    return StoppingRule(
        fractions, tuple(boundaries(plan, alpha, fractions, final=True).tolist()), alpha, one_sided
    )


def always_valid_rule(
    fractions: Sequence[float], alpha: float, *, planned: float = 1.0, one_sided: bool = False
) -> StoppingRule:
    """Return the boundary of a confidence sequence at some looks.

    Args:
        fractions: of the units of the last look, ascending, the last one 1.
        alpha: of the sequence.
        planned: size the sequence is tuned to, as a multiple of the units of the last look.
        one_sided: whether only one direction is looked for.

    >>> rule = always_valid_rule([k / 28 for k in range(1, 29)], 0.05)
    >>> round(rule.bounds[-1], 3), rule.false_alarm < 0.05, round(rule.inflation(0.8), 2)
    (3.035, True, 1.72)
    """
    times = tuple(float(t) for t in fractions)
    width = mixture_width(planned, alpha, one_sided=one_sided)
    bounds = sequence_multiplier(as_floats(times), as_floats(alpha), width, one_sided=one_sided)
    return StoppingRule(times, tuple(as_floats(bounds).tolist()), alpha, one_sided)


@lru_cache(maxsize=128)
def always_valid_looks(looks: int, alpha: float, *, one_sided: bool = False) -> StoppingRule:
    """Return the sequence looked at ``looks`` times at equal distances and tuned to the last."""
    return always_valid_rule([k / looks for k in range(1, looks + 1)], alpha, one_sided=one_sided)


def crossed_by(drifts: FloatArray, alpha: float, *, planned: float, one_sided: bool = False) -> FloatArray:
    """Return the chance that a confidence sequence, looked at each time, has crossed by then.

    Args:
        drifts: what the statistic is expected to be at each look, in the direction looked for, not falling, shape (K,).
        alpha: of the sequence.
        planned: what it is expected to be at the size the sequence is tuned to.
        one_sided: whether only one direction is looked for.

    >>> crossed_by(np.array([1.0, 2.0, 3.0, 20.0]), 0.05, planned=3.0).round(3).tolist()
    [0.003, 0.136, 0.499, 1.0]
    """
    known = np.flatnonzero(drifts > _LEAST_DRIFT)
    found = np.zeros(len(drifts))
    if not len(known):
        return found
    # a look without a new unit shows nothing new
    rising = [int(k) for k in known if drifts[k] > drifts[:k].max(initial=0.0) * (1 + 1e-9)]
    certain = [k for k in rising if drifts[k] > _CERTAIN_DRIFT]
    looks = [k for k in rising if drifts[k] <= _CERTAIN_DRIFT]
    if looks:
        last = float(drifts[looks[-1]])
        times = np.square(drifts[looks] / last)
        rule = always_valid_rule(times.tolist(), alpha, planned=(planned / last) ** 2, one_sided=one_sided)
        found[looks] = np.cumsum(rule.crossing(last))
    if certain:
        found[certain[0] :] = 1.0
    return as_floats(np.minimum(np.maximum.accumulate(found), 1.0))
