"""Group-sequential designs: boundaries for a few planned looks, by recursive numerical integration.

Under no effect the statistics of successive looks are those of a Brownian motion at the information fractions of the
looks. Its density inside the boundaries of all looks so far is carried from look to look by Gaussian quadrature
(Armitage, McPherson and Rowe, JRSS A 132, 1969), for many levels alpha at once.

Every boundary is stated by what it spends: the probability of having crossed by each look. Lan and DeMets' functions
say so directly; O'Brien and Fleming's and Pocock's constants are found for the planned looks, and what they spend is
read off and interpolated where looks are taken at other fractions. So all five allow unequal and late looks, and what
is left is spent at the last one, whatever its fraction.

Sources: Jennison and Turnbull, Group Sequential Methods (2000), chapters 2, 7, 9 and 19; Lan and DeMets, Biometrika 70
(1983); Kim and DeMets, Biometrika 74 (1987); O'Brien and Fleming, Biometrics 35 (1979); Pocock, Biometrika 64 (1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq, elementwise

from .arrays import FloatArray, as_floats

Boundary = Literal["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"]
_FARTHEST = 37.0
"""Standard errors beyond which no probability is left that a number could hold."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_RANGE = 8.5
"""Standard deviations of the density that are carried on."""
_USUAL = -special.ndtri(np.array([0.005, 0.025, 0.05]))
_SCORES = np.union1d(np.linspace(0.02, 8.2, 48), _USUAL)
_SCORES_ONE_SIDED = np.union1d(np.linspace(-4.0, 8.2, 64), _USUAL)
"""Levels of the tables, as normal quantiles; the usual ones exactly."""


@dataclass(frozen=True)
class Looks:
    """A group-sequential plan.

    Attributes:
        boundary: which family.
        fractions: of the planned information at which it is looked, ascending, the last one 1.
        exponent: of the power family: alpha x fraction ^ exponent.
        one_sided: whether only one side is tested; alpha is then all spent there.
    """

    boundary: Boundary
    fractions: tuple[float, ...]
    exponent: float = 3.0
    one_sided: bool = False

    def __post_init__(self) -> None:
        rising = np.diff([0.0, *self.fractions])
        if not self.fractions or np.any(rising <= 0) or self.fractions[-1] != 1:
            raise ValueError(f"fractions must ascend from above 0 to 1, found {self.fractions!r}")


# --- the recursion -------------------------------------------------------------------------------------------------


class _Walk:
    """The density of a Brownian motion inside the boundaries so far, one for each of A levels."""

    def __init__(self, levels: int, *, one_sided: bool = False, drift: float = 0.0) -> None:
        self._one_sided, self._drift = one_sided, drift
        self._t = 0.0
        self._at: FloatArray = np.zeros((levels, 1))
        self._mass: FloatArray = np.ones((levels, 1))

    def _steps(self, t: float) -> tuple[FloatArray, float]:
        return self._at + self._drift * (t - self._t), float(np.sqrt(t - self._t))

    def leaving(self, t: float, bound: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability of crossing at fraction ``t`` first: upwards and downwards, shapes (A,)."""
        centre, spread = self._steps(t)
        reach = (bound * np.sqrt(t))[:, None]
        up = (self._mass * special.ndtr((centre - reach) / spread)).sum(axis=1)
        if self._one_sided:
            return up, np.zeros_like(up)
        return up, (self._mass * special.ndtr((-reach - centre) / spread)).sum(axis=1)

    def bound_for(self, t: float, share: FloatArray) -> FloatArray:
        """The boundary at fraction ``t`` that is first crossed with these probabilities, shape (A,)."""
        sides = 1.0 if self._one_sided else 2.0
        if self._at.shape[1] == 1:
            with np.errstate(divide="ignore"):
                first = -special.ndtri_exp(np.log(np.minimum(share, 1.0) / sides))
            return as_floats(np.clip(first, -_FARTHEST if self._one_sided else 0.0, _FARTHEST))
        low = np.full(len(share), -_FARTHEST if self._one_sided else 0.0)
        high = np.full(len(share), _FARTHEST)

        def excess(bound: FloatArray) -> FloatArray:
            return as_floats(np.add(*self.leaving(t, bound)) - share)

        for _ in range(50):
            middle = (low + high) / 2
            above = excess(middle) > 0
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return as_floats((low + high) / 2)

    def move(self, t: float, bound: FloatArray) -> None:
        """Carry on what has not crossed at fraction ``t``."""
        centre, spread = self._steps(t)
        ends = _RANGE * np.sqrt(t) + abs(self._drift) * t
        high = np.clip(bound * np.sqrt(t), -ends, ends)
        low = np.full_like(high, -ends) if self._one_sided else -high
        half = ((high - low) / 2)[:, None]
        at = (low + high)[:, None] / 2 + half * _NODES
        gaps = (at[:, :, None] - centre[:, None, :]) / spread
        density = (np.exp(-0.5 * np.square(gaps)) * self._mass[:, None, :]).sum(axis=2)
        self._mass = half * _WEIGHTS * density / (spread * np.sqrt(2 * np.pi))
        self._at, self._t = at, t


def crossing_probabilities(
    fractions: Sequence[float],
    bounds: npt.ArrayLike,
    *,
    drift: float = 0.0,
    one_sided: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return the probability of crossing first at each look, upwards and downwards.

    Args:
        fractions: of the information, ascending, shape (K,).
        bounds: in standard errors, shape (K,).
        drift: expected statistic at fraction 1; 0 for no effect.
        one_sided: whether there is no lower boundary.

    >>> up, down = crossing_probabilities([0.2, 0.4, 0.6, 0.8, 1.0], [1.96] * 5)
    >>> round(float((up + down).sum()), 4)
    0.1417
    """
    walk = _Walk(1, one_sided=one_sided, drift=drift)
    found = []
    for t, bound in zip(fractions, as_floats(bounds).tolist(), strict=True):
        found.append(walk.leaving(t, np.array([bound])))
        walk.move(t, np.array([bound]))
    up, down = (np.array([float(one[side][0]) for one in found]) for side in (0, 1))
    return up, down


def naive_false_alarm(fractions: Sequence[float], alpha: float) -> float:
    """Return the chance, without any effect, that p < alpha at one look or more of a fixed-horizon test.

    Args:
        fractions: any numbers in proportion to the information at the looks, ascending.
        alpha: at every look.

    >>> [round(naive_false_alarm(range(1, looks + 1), 0.05), 3) for looks in (1, 5, 10, 20)]
    [0.05, 0.142, 0.193, 0.248]
    """
    times = as_floats(list(fractions))
    bound = float(-special.ndtri(alpha / 2))
    up, down = crossing_probabilities((times / times[-1]).tolist(), np.full(len(times), bound))
    return float((up + down).sum())


# --- what is spent by when -----------------------------------------------------------------------------------------


def spending(looks: Looks, alpha: npt.ArrayLike, fractions: Sequence[float]) -> FloatArray:
    """Return the probability of having crossed by each fraction, under no effect.

    Args:
        looks: the plan.
        alpha: of the whole test, shape () or (A,).
        fractions: shape (K,); those of the plan or others. From 1 on all of alpha is spent.

    Returns:
        Shape (K,) or (A, K).

    >>> plan = Looks("lan-demets-pocock", (0.5, 1.0))
    >>> spending(plan, 0.05, (0.5, 1.0)).round(4).tolist()
    [0.031, 0.05]
    """
    level, t = as_floats(alpha)[..., None], np.minimum(as_floats(fractions), 1.0)
    if looks.boundary == "power":
        return as_floats(level * t**looks.exponent)
    if looks.boundary == "lan-demets-pocock":
        return as_floats(level * np.log1p((np.e - 1) * t))
    if looks.boundary == "lan-demets-obrien-fleming":
        sides = 1.0 if looks.one_sided else 2.0
        # each side spends by itself, as the two one-sided tests that they are
        return as_floats(2 * sides * special.ndtr(special.ndtri(level / (2 * sides)) / np.sqrt(t)))
    planned = _classical_spending(looks, tuple(np.atleast_1d(as_floats(alpha)).tolist()))
    rows = [np.interp(t, [0.0, *looks.fractions], [0.0, *row]) for row in planned]
    return as_floats(rows[0] if np.ndim(alpha) == 0 else rows)


@lru_cache(maxsize=64)
def _classical_spending(looks: Looks, alphas: tuple[float, ...]) -> FloatArray:
    """What a constant (Pocock) or one over root of time (O'Brien and Fleming) spends by each planned look."""
    levels = as_floats(alphas)
    constants = _constants(looks, levels)
    spent = np.cumsum(_leaving_all(looks, constants), axis=1)
    # the search is exact to rounding; what is left of it belongs to the last look
    spent[:, -1] = levels
    return as_floats(np.minimum(spent, levels[:, None]))


def _shape(looks: Looks) -> FloatArray:
    t = as_floats(looks.fractions)
    return 1 / np.sqrt(t) if looks.boundary == "obrien-fleming" else np.ones_like(t)


def _leaving_all(looks: Looks, constants: FloatArray) -> FloatArray:
    walk = _Walk(len(constants), one_sided=looks.one_sided)
    found = []
    for t, factor in zip(looks.fractions, _shape(looks).tolist(), strict=True):
        found.append(np.add(*walk.leaving(t, constants * factor)))
        walk.move(t, constants * factor)
    return np.stack(found, axis=1)


def _constants(looks: Looks, levels: FloatArray) -> FloatArray:
    def excess(constant: FloatArray, level: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            total = np.log(np.maximum(_leaving_all(looks, constant).sum(axis=1), 1e-300))
        return as_floats(np.log(level) - total)

    lowest = special.ndtri(levels) * 0 + (-8.0 if looks.one_sided else 0.0)
    found = elementwise.find_root(excess, (lowest, np.full_like(levels, 30.0)), args=(levels,))
    return as_floats(found.x)


def classical_constant(looks: Looks, alpha: float) -> float:
    """Return Pocock's constant, or O'Brien and Fleming's boundary at fraction 1, for the planned looks.

    >>> equal = (0.2, 0.4, 0.6, 0.8, 1.0)
    >>> [round(classical_constant(Looks(name, equal), 0.05), 3) for name in ("pocock", "obrien-fleming")]
    [2.413, 2.04]
    """
    return float(_constants(looks, np.array([alpha]))[0])


# --- boundaries, and intervals and p-values from them ---------------------------------------------------------------


def boundaries(
    looks: Looks, alpha: npt.ArrayLike, fractions: Sequence[float], *, final: bool = False
) -> FloatArray:
    """Return the boundary at each look that was taken, in standard errors.

    Args:
        looks: the plan.
        alpha: of the whole test, shape () or (A,).
        fractions: of the planned information at the looks, ascending, shape (K,); above 1 after the planned end.
        final: whether the last of them is the last look there will be, so that it spends what is left.

    Returns:
        Shape (K,) or (A, K).

    >>> plan = Looks("lan-demets-obrien-fleming", (0.2, 0.4, 0.6, 0.8, 1.0))
    >>> boundaries(plan, 0.05, plan.fractions).round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    levels = np.atleast_1d(as_floats(alpha))
    spent = spending(looks, levels, fractions)
    if final:
        spent[:, -1] = levels
    walk = _Walk(len(levels), one_sided=looks.one_sided)
    bounds, before = [], np.zeros(len(levels))
    for k, t in enumerate(fractions):
        bounds.append(walk.bound_for(t, np.maximum(spent[:, k] - before, 0.0)))
        before = np.maximum(spent[:, k], before)
        if k + 1 < len(fractions):
            walk.move(t, bounds[-1])
    answer = np.stack(bounds, axis=1)
    return answer[0] if np.ndim(alpha) == 0 else answer


@dataclass(frozen=True)
class RepeatedLook:
    """The look that was taken last, at every level: repeated intervals and the p-values that match them.

    At each level a the boundary of this look is c(a); the repeated interval of confidence 1 - a reaches c(a) standard
    errors to either side, and the repeated p-value is the smallest a whose boundary the statistic crosses. Both read
    one table, so p < a exactly where the interval leaves 0 out.

    Attributes:
        looks: the plan.
        fractions: of the planned information at the looks so far.
        final: whether there will be no further look.
    """

    looks: Looks
    fractions: tuple[float, ...]
    final: bool = False

    @property
    def _scores(self) -> FloatArray:
        return _SCORES_ONE_SIDED if self.looks.one_sided else _SCORES

    @cached_property
    def _table(self) -> PchipInterpolator:
        at = self._scores
        bounds = boundaries(self.looks, self._alpha(at), self.fractions, final=self.final)[:, -1]
        # a stricter level never has the nearer boundary, or p would have no meaning
        return PchipInterpolator(at, np.maximum.accumulate(bounds) + 1e-12 * at, extrapolate=False)

    def _alpha(self, score: FloatArray) -> FloatArray:
        return as_floats((1.0 if self.looks.one_sided else 2.0) * special.ndtr(-as_floats(score)))

    def _score(self, alpha: float) -> float:
        return float(-special.ndtri(alpha / (1.0 if self.looks.one_sided else 2.0)))

    def multiplier(self, alpha: float) -> float:
        """How many standard errors the repeated interval of confidence 1 - alpha reaches."""
        return self._bound(self._score(alpha))

    def p_value(self, z: float) -> float:
        """The smallest alpha at which this look crosses; one-sided for the direction in which z is positive."""
        size = z if self.looks.one_sided else abs(z)
        first, last = float(self._scores[0]), float(self._scores[-1])
        if size <= self._bound(first):
            return 1.0
        if size >= self._bound(last):
            score = last + (size - self._bound(last))
        else:
            score = float(brentq(lambda at: self._bound(at) - size, first, last, xtol=1e-13))
        return float(self._alpha(np.array(score)))

    def _bound(self, score: float) -> float:
        """Beyond the table's ends a straight line of slope 1."""
        inside = float(np.clip(score, self._scores[0], self._scores[-1]))
        return float(self._table(inside)) + (score - inside)


@lru_cache(maxsize=256)
def repeated_look(looks: Looks, fractions: tuple[float, ...], *, final: bool = False) -> RepeatedLook:
    """Return the look with its table, kept for the next metric that is looked at at the same fractions."""
    return RepeatedLook(looks, fractions, final)


# --- planning ------------------------------------------------------------------------------------------------------


def drift_for_power(looks: Looks, alpha: float, power: float) -> float:
    """Return the expected statistic at fraction 1 that a plan detects with this power."""
    bounds = boundaries(looks, alpha, looks.fractions)

    def missing(drift: float) -> float:
        up, _ = crossing_probabilities(looks.fractions, bounds, drift=drift, one_sided=looks.one_sided)
        return float(up.sum()) - power

    return float(brentq(missing, 0.0, 12.0))


def sample_inflation(looks: Looks, alpha: float, power: float) -> float:
    """Return how many times the units of a fixed-horizon test a plan needs at most, for the same power.

    >>> equal = (0.2, 0.4, 0.6, 0.8, 1.0)
    >>> [round(sample_inflation(Looks(name, equal), 0.05, 0.8), 3) for name in ("pocock", "obrien-fleming")]
    [1.229, 1.028]
    """
    sides = 1.0 if looks.one_sided else 2.0
    fixed = special.ndtri(1 - alpha / sides) + special.ndtri(power)
    return float((drift_for_power(looks, alpha, power) / fixed) ** 2)


def conditional_power(
    z: float, fraction: float, last_bound: float, drift: float, *, one_sided: bool = False
) -> float:
    """Return the chance that the last look crosses, from what this look shows; for futility, which binds nobody.

    Args:
        z: statistic now.
        fraction: of the planned information now, under 1.
        last_bound: boundary of the look at fraction 1.
        drift: expected statistic at fraction 1 that is assumed for the rest.
        one_sided: whether only the upper boundary counts.

    >>> round(conditional_power(0.5, 0.5, 1.96, 2.8), 3)
    0.385
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, found {fraction!r}")
    left = 1 - fraction
    centre = z * np.sqrt(fraction) + drift * left
    up = special.ndtr((centre - last_bound) / np.sqrt(left))
    down = 0.0 if one_sided else special.ndtr((-last_bound - centre) / np.sqrt(left))
    return float(up + down)
