"""Power to show that a difference stays within a margin, and power of tests of the relative lift.

All of it by the normal approximation, with each arm's own deviation where the truth lies: ``deviation`` is that of one
unit of the arm, ``deviation_control`` of one of the control, so the standard error is sqrt(deviation^2 / n +
deviation_control^2 / n_control). A two-sided ``alpha`` is the level of the interval that must lie inside the margin:
each of its ends is passed with alpha / 2.

Every function takes scalars or arrays that broadcast, and returns an array (0-dimensional for scalars). ``ratio`` is
the control's units per unit of the arm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import elementwise

from .arrays import FloatArray, as_floats


def critical(alpha: npt.ArrayLike, *, one_sided: bool) -> FloatArray:
    """The normal quantile that a test of this level must pass."""
    level = as_floats(alpha)
    return as_floats(-special.ndtri(level if one_sided else level / 2))


def _error(
    deviation: npt.ArrayLike, deviation_control: npt.ArrayLike, n: npt.ArrayLike, n_control: npt.ArrayLike
) -> FloatArray:
    arm, control = as_floats(deviation), as_floats(deviation_control)
    with np.errstate(over="ignore"):
        return as_floats(np.hypot(arm / np.sqrt(as_floats(n)), control / np.sqrt(as_floats(n_control))))


def _standardised(size: npt.ArrayLike, error: FloatArray) -> FloatArray:
    size = as_floats(size)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at_once = np.where(size > 0, np.inf, np.where(size < 0, -np.inf, 0.0))
        return as_floats(np.where(error > 0, size / error, at_once))


def room_power(
    room: npt.ArrayLike,
    deviation: npt.ArrayLike,
    deviation_control: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    one_sided: bool = False,
) -> FloatArray:
    """Chance that one end of the interval stays on the safe side of a bound.

    With ``room`` = margin + true difference (counted in the good direction) this is the power of a non-inferiority
    test; with the true difference itself, of a test of no difference.

    Args:
        room: distance of the true difference from the bound; negative beyond it.
        deviation, deviation_control: of one unit of each arm.
        n, n_control: units of each arm.
        alpha: level of the interval, or of the test where ``one_sided``.
        one_sided: whether alpha belongs to this end alone.

    Chow, Shao, Wang and Lokhnygina, Sample Size Calculations in Clinical Research (2017), chapters 3 and 4.

    >>> round(float(room_power(0.05, 0.1, 0.1, 50, 50, one_sided=True)), 3)
    0.804
    """
    error = _error(deviation, deviation_control, n, n_control)
    return as_floats(special.ndtr(_standardised(room, error) - critical(alpha, one_sided=one_sided)))


def room_sample_size(
    room: npt.ArrayLike,
    deviation: npt.ArrayLike,
    deviation_control: npt.ArrayLike,
    *,
    ratio: npt.ArrayLike = 1.0,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
) -> FloatArray:
    """Units of the arm, not rounded, at which `room_power` reaches ``power``; infinite without room.

    >>> round(float(room_sample_size(0.3, (0.85 * 0.15) ** 0.5, (0.65 * 0.35) ** 0.5, one_sided=True)), 1)
    24.4
    """
    error = _error(deviation, deviation_control, 1.0, ratio)
    quantiles = np.maximum(critical(alpha, one_sided=one_sided) + special.ndtri(as_floats(power)), 0.0)
    room = as_floats(room)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return as_floats(np.where(room > 0, np.square(quantiles * error / room), np.inf))


def equivalence_power(
    difference: npt.ArrayLike,
    margin: npt.ArrayLike,
    deviation: npt.ArrayLike,
    deviation_control: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    one_sided: bool = False,
) -> FloatArray:
    """Chance that the whole interval lies within (-margin, margin): two one-sided tests.

    ``one_sided`` takes each of the two tests at alpha, as papers on equivalence do; else at alpha / 2, so that it is
    the interval with confidence 1 - alpha that must fit.

    Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987).

    >>> round(float(equivalence_power(0.0, 0.05, 0.1, 0.1, 69, 69, one_sided=True)), 3)
    0.804
    """
    error = _error(deviation, deviation_control, n, n_control)
    z, difference, margin = critical(alpha, one_sided=one_sided), as_floats(difference), as_floats(margin)
    above = special.ndtr(_standardised(margin + difference, error) - z)
    below = special.ndtr(_standardised(margin - difference, error) - z)
    return as_floats(np.maximum(above + below - 1.0, 0.0))


def equivalence_sample_size(
    difference: npt.ArrayLike,
    margin: npt.ArrayLike,
    deviation: npt.ArrayLike,
    deviation_control: npt.ArrayLike,
    *,
    ratio: npt.ArrayLike = 1.0,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
) -> FloatArray:
    """Units of the arm, not rounded, at which `equivalence_power` reaches ``power``; infinite beyond the margin."""
    size, margin, arm, control, ratio, alpha, power = np.broadcast_arrays(
        *map(
            as_floats,
            (np.abs(as_floats(difference)), margin, deviation, deviation_control, ratio, alpha, power),
        )
    )

    def needed(wanted: FloatArray) -> FloatArray:
        return room_sample_size(
            margin - size, arm, control, ratio=ratio, alpha=alpha, power=wanted, one_sided=one_sided
        )

    def excess(n: FloatArray, *case: FloatArray) -> FloatArray:
        size, margin, arm, control, ratio, alpha, power = case
        found = equivalence_power(size, margin, arm, control, n, n * ratio, alpha=alpha, one_sided=one_sided)
        return as_floats(found - power)

    # the nearer bound alone needs fewer units than both, and half the wrong for each bound is enough
    fewest, most = needed(power), needed((1 + power) / 2)
    possible = np.isfinite(most)
    low, high = np.where(possible, fewest * 0.999, 1.0), np.where(possible, most * 1.001, 2.0)
    found = elementwise.find_root(excess, (low, high), args=(size, margin, arm, control, ratio, alpha, power))
    return as_floats(np.where(possible, np.where(found.success, found.x, high), np.inf))


def relative_deviations(
    deviation: npt.ArrayLike, deviation_control: npt.ArrayLike, baseline: npt.ArrayLike, lift: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Deviations per unit of the estimated lift arm / control - 1, by the delta method.

    The control's weighs (1 + lift): the larger the lift, the more the noise of the denominator counts.
    """
    size = np.abs(as_floats(baseline))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (
            as_floats(as_floats(deviation) / size),
            as_floats(as_floats(deviation_control) * np.abs(1 + as_floats(lift)) / size),
        )


def relative_detectable(  # noqa: PLR0913  # both arms and the test
    deviation: npt.ArrayLike,
    deviation_control: npt.ArrayLike,
    baseline: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
    fall: bool = False,
) -> FloatArray:
    """Smallest lift that a test of the lift itself shows with ``power``; nan where no lift is large enough.

    The root of ``lift^2 = k^2 (a + b (1 + lift)^2)`` with ``a`` and ``b`` the arms' squared relative standard errors:
    its standard error grows with the lift, and with ``k^2 b >= 1`` faster than the lift itself.

    >>> round(float(relative_detectable(1.0, 1.0, 1.0, 100, 100)), 4)
    0.5066
    >>> bool(np.isnan(relative_detectable(1.0, 1.0, 1.0, 7, 7)))
    True
    """
    k = critical(alpha, one_sided=one_sided) + special.ndtri(as_floats(power))
    arm, control = relative_deviations(deviation, deviation_control, baseline, 0.0)
    a, b = np.square(k * arm) / as_floats(n), np.square(k * control) / as_floats(n_control)
    curvature = 1 - b
    squared = np.square(b) + curvature * (a + b)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(squared)
        if fall:
            lift = -(a + b) / (b + root)
            return as_floats(np.where((squared >= 0) & (lift >= -1), lift, np.nan))
        return as_floats(np.where(curvature > 0, (b + root) / curvature, np.nan))
