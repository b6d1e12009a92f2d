"""Confidence sequences: intervals and p-values that hold however often and whenever they are looked at.

The estimate's z is compared with a boundary that a mixture of likelihood ratios crosses, under no effect, at any time
whatever with a probability of at most alpha. The mixture's width rho² makes the boundary tightest, relative to a fixed
interval, about one planned size; it is chosen once, before the data, and never again.

Interval and p-value at every level come from one boundary: with the same rho², p < a exactly where the interval of
confidence 1 - a leaves 0 out, so the interval of a corrected level is one more reading of the same sequence.

Sources: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52 (2024), theorem 2.2 (asymptotic
sequences), with the choice of rho² of its appendix B.2 and the one-sided boundary of B.1; Robbins, Annals of
Mathematical Statistics 41 (1970).
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats

Number = TypeVar("Number", float, FloatArray)


def _plain(value: npt.ArrayLike) -> Any:
    array = as_floats(value)
    return float(array) if array.ndim == 0 else array


def mixture_width(planned: float, alpha: float, *, one_sided: bool = False) -> float:
    """Return rho², the mixture's width that makes the sequence tightest where ``planned`` units are reached.

    Args:
        planned: units of both arms together, known before the data.
        alpha: of the interval the experiment is planned with.
        one_sided: whether one limit is wanted only.

    >>> round(mixture_width(5000, 0.05) * 5000, 4)
    7.9362
    """
    if not planned > 0:
        raise ValueError(f"planned must be above 0, found {planned!r}")
    level = 2 * alpha if one_sided else alpha
    if not 0 < level < 1:
        raise ValueError(f"alpha must leave something to be sure of, found {alpha!r}")
    return float((-2 * np.log(level) + np.log1p(-2 * np.log(level))) / planned)


def sequence_multiplier(n: Number, alpha: Number, width: float, *, one_sided: bool = False) -> Number:
    """Return how many standard errors the sequence reaches to either side (to one side, where one-sided).

    Args:
        n: units of both arms together, so far.
        alpha: 1 - confidence; any, whatever level the width was chosen for.
        width: as `mixture_width` returns it.
        one_sided: whether alpha is spent on one side.

    >>> width = mixture_width(5000, 0.05)
    >>> [round(sequence_multiplier(n, 0.05, width), 3) for n in (100.0, 5000.0, 1e6)]
    [6.694, 3.035, 3.657]
    """
    v = as_floats(n) * width
    level = as_floats(alpha)
    with np.errstate(divide="ignore"):
        reach = np.log1p(np.sqrt(v + 1) / (2 * level)) if one_sided else np.log(np.sqrt(v + 1) / level)
        answer: Number = _plain(np.sqrt(2 * (v + 1) / v * reach))
    return answer


def sequence_p_value(z: Number, n: Number, width: float, *, one_sided: bool = False) -> Number:
    """Return the smallest alpha at which the sequence, as it stands at ``n``, leaves 0 out; at most 1.

    Args:
        z: estimate / standard error; where one-sided, positive in the direction that is looked for.
        n, width, one_sided: as in `sequence_multiplier`.

    >>> width = mixture_width(5000, 0.05)
    >>> round(sequence_p_value(3.0352, 5000.0, width), 4), round(sequence_p_value(1.96, 5000.0, width), 3)
    (0.05, 0.543)
    """
    v, score = as_floats(n) * width, as_floats(z)
    exponent = np.square(score) * v / (2 * (v + 1))
    if not one_sided:
        return _plain(np.minimum(1.0, np.exp(0.5 * np.log1p(v) - exponent)))  # type: ignore[no-any-return]
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.where(score > 0, np.sqrt(v + 1) / (2 * np.expm1(exponent)), 1.0)
    return _plain(np.minimum(1.0, ratio))  # type: ignore[no-any-return]


def first_crossing(p_values: npt.ArrayLike, alpha: float) -> int | None:
    """Return the first look at which p fell under alpha; None where none did.

    >>> first_crossing([0.3, 0.04, 0.2], 0.05)
    1
    """
    with np.errstate(invalid="ignore"):
        crossed = np.flatnonzero(as_floats(p_values) < alpha)
    return int(crossed[0]) if crossed.size else None
