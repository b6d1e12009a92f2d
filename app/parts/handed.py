"""Answers on their way from one process of ours to another: as pickles, of which reading runs no code but ours.

A pickle may name any function of any module and have it called. Here only names of what answers are made of are taken:
frozen results of `analytics`, times, and arrays of numbers. Whatever else stands in one is refused before it is built.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from typing import IO, Any
from zoneinfo import ZoneInfo

_OURS = "analytics."
_OF_OTHERS = frozenset(
    {
        ("collections", "OrderedDict"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("zoneinfo", "ZoneInfo"),
    }
)


class _Packer(pickle.Pickler):
    """Pickles a time zone by its name: as it does so itself, reading needs `getattr`, which reaches everything."""

    def reducer_override(self, value: Any) -> Any:
        return (ZoneInfo, (value.key,)) if isinstance(value, ZoneInfo) else NotImplemented


class _Unpacker(pickle.Unpickler):
    """Takes only names that answers need."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _OF_OTHERS:
            return getattr(import_module(module), name)
        if module.startswith(_OURS):
            found = getattr(import_module(module), name, None)
            if _is_result(found, module):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not what answers are made of")


def packed(value: Any) -> bytes:
    """Bytes of an answer, of its key, or of a list of such.

    Args:
        value: made of results, times, arrays and plain values.

    Raises:
        pickle.PicklingError, TypeError, AttributeError: part of it lives in this process only.
    """
    file = io.BytesIO()
    _Packer(file, pickle.HIGHEST_PROTOCOL).dump(value)
    return file.getvalue()


def unpacked(file: IO[bytes]) -> Any:
    """The next value of a file of such bytes.

    Args:
        file: they are read from.

    Raises:
        pickle.UnpicklingError: it holds something else; nothing of it was run.
        EOFError: it ended.

    >>> unpacked(io.BytesIO(packed([("key", 1)])))
    [('key', 1)]
    >>> unpacked(io.BytesIO(pickle.dumps(print)))
    Traceback (most recent call last):
    ...
    _pickle.UnpicklingError: builtins.print is not what answers are made of
    """
    return _Unpacker(file).load()


def _is_result(found: Any, module: str) -> bool:
    if not isinstance(found, type) or found.__module__ != module:
        return False
    return issubclass(found, Enum) or (is_dataclass(found) and vars(found)["__dataclass_params__"].frozen)
