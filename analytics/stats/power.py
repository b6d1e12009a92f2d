"""Power, sample size and detectable effect of comparing two arms, by the normal approximation.

Power is the chance that the test rejects **in the direction of the effect**: of a two-sided test only the one
tail counts, as in R's ``power.prop.test`` and ``power.t.test`` with their default ``strict = FALSE``. A
rejection in the wrong direction shows nothing; what it would add (``normal_power_het`` of statsmodels counts
it) is under 2e-6 at a power of .8. There is no continuity correction.

Every function takes scalars or arrays that broadcast, and returns an array (0-dimensional for scalars).
``difference`` is arm minus control; ``ratio`` is the control's units per unit of the arm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import elementwise

from .arrays import FloatArray, as_floats

_STEPS = 1000


def _critical(alpha: npt.ArrayLike, *, one_sided: bool) -> FloatArray:
    level = as_floats(alpha)
    return as_floats(-special.ndtri(level if one_sided else level / 2))


def _rejects(size: npt.ArrayLike, null: FloatArray, alternative: FloatArray, z: FloatArray) -> FloatArray:
    """Chance that an estimate around ``size`` exceeds z standard errors, these taken under the null."""
    margin = as_floats(size) - z * null
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(alternative > 0, margin / alternative, np.where(margin > 0, np.inf, -np.inf))
    return as_floats(special.ndtr(distance))


def _units(
    size: npt.ArrayLike, null: FloatArray, alternative: FloatArray, z: FloatArray, power: npt.ArrayLike
) -> FloatArray:
    """Units of the arm, from deviations per unit of it; infinite where the effect is 0."""
    deviation = np.maximum(z * null + special.ndtri(as_floats(power)) * alternative, 0.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # dividing before squaring keeps effects and deviations of any magnitude in range
        return as_floats(np.square(deviation / np.abs(as_floats(size))))


def _proportion_deviations(
    baseline: npt.ArrayLike, difference: npt.ArrayLike, n: npt.ArrayLike, n_control: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Standard errors of the difference: pooled over both arms, and each arm with its own share."""
    control, n, n_control = as_floats(baseline), as_floats(n), as_floats(n_control)
    share = control + as_floats(difference)
    pooled = (n * share + n_control * control) / (n + n_control)
    null = np.sqrt(np.maximum(pooled * (1 - pooled), 0.0) * (1 / n + 1 / n_control))
    own = np.maximum(share * (1 - share), 0.0) / n + np.maximum(control * (1 - control), 0.0) / n_control
    return null, np.sqrt(own)


def proportion_power(
    baseline: npt.ArrayLike,
    difference: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    one_sided: bool = False,
) -> FloatArray:
    """Power of the score test of two shares.

    The variance is pooled, with the arms' sizes as weights, where the test takes it (under the null), and
    unpooled for where the estimate falls: Fleiss, Tytun and Ury, Biometrics 36 (1980), the formula of
    ``statsmodels.stats.proportion.power_proportions_2indep`` and, for arms of one size, of R's
    ``power.prop.test``.

    >>> round(float(proportion_power(0.5, 0.25, 50, 50)), 4)
    0.7402
    """
    null, alternative = _proportion_deviations(baseline, difference, n, n_control)
    return _rejects(np.abs(as_floats(difference)), null, alternative, _critical(alpha, one_sided=one_sided))


def proportion_sample_size(
    baseline: npt.ArrayLike,
    difference: npt.ArrayLike,
    *,
    ratio: npt.ArrayLike = 1.0,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
) -> FloatArray:
    """Units of the arm, not rounded, at which `proportion_power` reaches ``power``; infinite for no effect.

    >>> round(float(proportion_sample_size(0.10, 0.01)), 2)
    14750.79
    """
    null, alternative = _proportion_deviations(baseline, difference, 1.0, ratio)
    return _units(difference, null, alternative, _critical(alpha, one_sided=one_sided), power)


def proportion_detectable(
    baseline: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
    fall: bool = False,
) -> FloatArray:
    """Smallest difference that `proportion_power` shows with ``power``; nan where none inside 0 to 1 is.

    Args:
        baseline: share of the control.
        n: units of the arm.
        n_control: units of the control.
        alpha: level of the test.
        power: wanted.
        one_sided: whether the test looks in this direction only.
        fall: look for a fall, which is returned as a negative number.
    """
    control, n, n_control, alpha, power = np.broadcast_arrays(
        *map(as_floats, (baseline, n, n_control, alpha, power))
    )
    sign = -1.0 if fall else 1.0
    room = control if fall else 1 - control

    def excess(part: FloatArray, *case: FloatArray) -> FloatArray:
        share, room, units, units_control, level, wanted = case
        found = proportion_power(
            share, sign * part * room, units, units_control, alpha=level, one_sided=one_sided
        )
        return as_floats(found - wanted)

    case = (control, room, n, n_control, alpha, power)
    # power need not grow all the way to the edge of 0 to 1 in tiny samples, so the first crossing is sought
    grid = np.linspace(0.0, 1.0, _STEPS + 1).reshape(-1, *(1,) * control.ndim)
    reached = excess(grid, *case) >= 0
    first = np.argmax(reached, axis=0)
    high = np.maximum(first, 1) / _STEPS
    found = elementwise.find_root(excess, (high - 1 / _STEPS, high), args=case)
    exact = np.where(found.success, found.x, high)
    return as_floats(np.where(reached.any(axis=0) & (room > 0), sign * exact * room, np.nan))


def _mean_deviation(deviation: npt.ArrayLike, n: npt.ArrayLike, n_control: npt.ArrayLike) -> FloatArray:
    with np.errstate(over="ignore"):
        return as_floats(as_floats(deviation) * np.sqrt(1 / as_floats(n) + 1 / as_floats(n_control)))


def mean_power(
    standard_deviation: npt.ArrayLike,
    difference: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    one_sided: bool = False,
) -> FloatArray:
    """Power of comparing two means whose standard deviation is known, and the same in both arms.

    >>> round(float(mean_power(1.0, 0.5, 63, 63)), 4)
    0.8013
    """
    error = _mean_deviation(standard_deviation, n, n_control)
    return _rejects(np.abs(as_floats(difference)), error, error, _critical(alpha, one_sided=one_sided))


def mean_sample_size(
    standard_deviation: npt.ArrayLike,
    difference: npt.ArrayLike,
    *,
    ratio: npt.ArrayLike = 1.0,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
) -> FloatArray:
    """Units of the arm, not rounded, at which `mean_power` reaches ``power``; infinite for no effect.

    >>> round(float(mean_sample_size(1.0, 0.5)), 2)
    62.79
    """
    error = _mean_deviation(standard_deviation, 1.0, ratio)
    return _units(difference, error, error, _critical(alpha, one_sided=one_sided), power)


def mean_detectable(
    standard_deviation: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
    fall: bool = False,
) -> FloatArray:
    """Smallest difference that `mean_power` shows with ``power``; negative for a fall.

    >>> round(float(mean_detectable(1.0, 63, 63)), 4)
    0.4991
    """
    quantiles = _critical(alpha, one_sided=one_sided) + special.ndtri(as_floats(power))
    with np.errstate(over="ignore"):
        return as_floats((-1 if fall else 1) * quantiles * _mean_deviation(standard_deviation, n, n_control))


def _count_deviation(
    baseline: npt.ArrayLike, difference: npt.ArrayLike, n: npt.ArrayLike, n_control: npt.ArrayLike
) -> FloatArray:
    control = as_floats(baseline)
    arm = np.maximum(control + as_floats(difference), 0.0)
    return np.sqrt(arm / as_floats(n) + control / as_floats(n_control))


def count_power(
    baseline: npt.ArrayLike,
    difference: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    one_sided: bool = False,
) -> FloatArray:
    """Power of comparing the means of Poisson counts, each arm's variance being its own mean.

    >>> round(float(count_power(1.0, 0.1, 1649, 1649)), 4)
    0.8001
    """
    error = _count_deviation(baseline, difference, n, n_control)
    return _rejects(np.abs(as_floats(difference)), error, error, _critical(alpha, one_sided=one_sided))


def count_sample_size(
    baseline: npt.ArrayLike,
    difference: npt.ArrayLike,
    *,
    ratio: npt.ArrayLike = 1.0,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
) -> FloatArray:
    """Units of the arm, not rounded, at which `count_power` reaches ``power``; infinite for no effect."""
    error = _count_deviation(baseline, difference, 1.0, ratio)
    return _units(difference, error, error, _critical(alpha, one_sided=one_sided), power)


def count_detectable(
    baseline: npt.ArrayLike,
    n: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    alpha: npt.ArrayLike = 0.05,
    power: npt.ArrayLike = 0.8,
    one_sided: bool = False,
    fall: bool = False,
) -> FloatArray:
    """Smallest difference that `count_power` shows with ``power``; nan where a fall would pass 0.

    The root of ``difference^2 = k^2 ((baseline + difference) / n + baseline / n_control)``.

    >>> round(float(count_detectable(1.0, 1649, 1649)), 4)
    0.1
    """
    control, n, n_control = as_floats(baseline), as_floats(n), as_floats(n_control)
    squared = np.square(_critical(alpha, one_sided=one_sided) + special.ndtri(as_floats(power)))
    half, still = squared / n / 2, squared * control * (1 / n + 1 / n_control)
    root = np.sqrt(np.square(half) + still)
    difference = half - root if fall else half + root
    return as_floats(np.where(control + difference >= 0, difference, np.nan))
