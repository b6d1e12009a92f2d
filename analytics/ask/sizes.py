"""How much memory an answer takes, near enough to keep only so much of it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

LOOKED_AT = 32
"""Of a long list so many are measured, spread over it, and stand for the others."""
_DEEPEST = 12


def bytes_of(value: Any, depth: int = 0) -> int:
    """Bytes of a value and of what it holds.

    Texts that several rows share are counted once a row, so that this is rather too much than too little.

    >>> bytes_of(np.zeros(1000)) >= 8000
    True
    """
    size = sys.getsizeof(value, 64)
    if depth > _DEEPEST or isinstance(value, (str, bytes, int, float, bool, type(None), type)):
        return size
    if isinstance(value, np.ndarray):
        return size + (0 if value.base is None else int(value.nbytes))
    if isinstance(value, (pa.Table, pa.Array, pa.ChunkedArray)):
        return size + int(value.nbytes)
    if isinstance(value, Mapping):
        return size + _all(value, depth) + _all(value.values(), depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + _all(value, depth) + _held(value, depth)
    return size + _held(value, depth)


def _held(value: Any, depth: int) -> int:
    if is_dataclass(value) and not isinstance(value, type):
        return sum(bytes_of(getattr(value, field.name, None), depth + 1) for field in fields(value))
    return sum(bytes_of(one, depth + 1) for one in getattr(value, "__dict__", {}).values())


def _all(values: Collection[Any], depth: int) -> int:
    if len(values) <= LOOKED_AT:
        return sum(bytes_of(one, depth + 1) for one in values)
    step = len(values) // LOOKED_AT
    some = [bytes_of(one, depth + 1) for one in islice(values, 0, None, step)]
    return sum(some) * len(values) // len(some)
