"""Two other intervals of a lift beside Fieller's: by the delta method, and by the logarithm of the ratio.

Both tell a ratio apart from 1 by a standard error of its own, so that their p-value is not that of the difference: of
two arms each may call what the other does not. Fieller's never does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .intervals import Interval, normal_quantile
from .means import TTest, t_test


class Means(NamedTuple):
    """Means of an arm and of the control, with the variances of these means and their covariance."""

    mean: float
    mean_control: float
    variance: float
    variance_control: float
    covariance: float = 0.0


def delta_test(means: Means, df: float) -> TTest[float]:
    """Test the lift (arm - control) / |control| by its error to the first order; nan where the control's mean is 0.

    >>> test = delta_test(Means(12.0, 10.0, 0.4, 0.45), math.inf)
    >>> round(test.difference, 3), round(test.standard_error, 5), round(test.p_value, 4)
    (0.2, 0.10237, 0.0507)
    """
    arm, control, v, v_control, shared = means
    if control == 0:
        return TTest(math.nan, math.nan, math.nan, df, math.nan)
    ratio = arm / control
    variance = (v + ratio**2 * v_control - 2 * ratio * shared) / control**2
    return t_test((arm - control) / abs(control), math.sqrt(max(variance, 0.0)), df)


def delta_interval(means: Means, df: float, confidence: float) -> Interval:
    """Return the lift -/+ quantile x its error."""
    test = delta_test(means, df)
    half = normal_quantile(confidence, df) * test.standard_error
    return Interval(test.difference - half, test.difference + half)


def log_ratio_test(means: Means, df: float) -> TTest[float]:
    """Test the logarithm of arm / control against 0; nan unless both means are above 0.

    >>> test = log_ratio_test(Means(12.0, 10.0, 0.4, 0.45), math.inf)
    >>> round(test.difference, 4), round(test.standard_error, 5), round(test.p_value, 4)
    (0.1823, 0.08531, 0.0326)
    """
    arm, control, v, v_control, shared = means
    if min(arm, control) <= 0:
        return TTest(math.nan, math.nan, math.nan, df, math.nan)
    variance = v / arm**2 + v_control / control**2 - 2 * shared / (arm * control)
    return t_test(math.log(arm / control), math.sqrt(max(variance, 0.0)), df)


def log_ratio_interval(means: Means, df: float, confidence: float) -> Interval:
    """Return the lifts whose logarithm of the ratio lies within quantile x its error."""
    test = log_ratio_test(means, df)
    half = normal_quantile(confidence, df) * test.standard_error
    return Interval(math.expm1(test.difference - half), math.expm1(test.difference + half))
