"""Array types shared by the modules of this package."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


def as_floats(values: npt.ArrayLike) -> FloatArray:
    """Return ``values`` as a float64 array (without a copy where it is one already)."""
    return np.asarray(values, dtype=np.float64)


def divide(numerator: npt.ArrayLike, denominator: npt.ArrayLike, otherwise: float = 0.0) -> FloatArray:
    """Divide element by element; ``otherwise`` where the denominator is 0.

    >>> divide([1.0, 2.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    top, bottom = as_floats(numerator), as_floats(denominator)
    if bottom.all():  # as nearly always; what follows takes six times as long for a few hundred numbers
        return as_floats(top / bottom)
    top, bottom = np.broadcast_arrays(top, bottom)
    quotient = np.full(top.shape, otherwise, dtype=np.float64)
    np.divide(top, bottom, out=quotient, where=bottom != 0)
    return quotient
