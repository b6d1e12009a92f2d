"""Numbers typed on the command line: shares also in percent, whole numbers also with separators."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import click

MOST_UNITS = 10**12
_WHOLE = re.compile(r"\d{1,3}(?:[,_]\d{3})+|\d+")
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(%?)", re.IGNORECASE)


def number(text: str) -> float:
    """A finite number, also in percent.

    >>> number("0.1"), number("10.3 %"), number("-5%"), number("1e3")
    (0.1, 0.103, -0.05, 1000.0)

    Raises:
        ValueError: it is none; the message says what was found.
    """
    match = _NUMBER.fullmatch(text.strip().replace("−", "-"))
    if match is None:
        raise ValueError(f'"{text}" is not a finite number')
    value = float(match[1])
    if not math.isfinite(value):
        raise ValueError(f'"{text}" is too large')
    # 10.3 / 100 is 0.10300000000000001, and that would be read
    return float(f"{value / 100:.12g}") if match[2] else value


def whole(text: str) -> int:
    """A whole number, at most a million million.

    >>> whole("3568"), whole("3,568")
    (3568, 3568)

    Raises:
        ValueError: it is none; the message says what was found.
    """
    if _WHOLE.fullmatch(text.strip()) is None:
        raise ValueError(f'"{text}" is not a whole number')
    digits = re.sub("[,_]", "", text.strip())
    # a text of a million digits is not turned into a number first
    if len(digits.lstrip("0")) > len(str(MOST_UNITS)) or int(digits) > MOST_UNITS:
        raise ValueError(f"{digits[:20]}{'…' if digits[20:] else ''} is more than {MOST_UNITS:,}")
    return int(digits)


def shares(text: str) -> tuple[float, ...]:
    """Planned shares between commas, colons or slashes; they need not add up to 1.

    >>> shares("0.5,0.3,0.2"), shares("90:10"), shares("50% / 50%")
    ((0.5, 0.3, 0.2), (90.0, 10.0), (0.5, 0.5))

    Raises:
        ValueError: one of them is no number above 0.
    """
    found = tuple(number(part) for part in re.split(r"[,:/]", text))
    if min(found) <= 0:
        raise ValueError(f'"{text}" holds a share that is not above 0')
    return found


class Typed(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """An option's value, read by one of the functions above."""

    def __init__(self, name: str, read: Callable[[str], Any], example: str) -> None:
        self.name = name
        self._read = read
        self._example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; what is no text has been read already."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(f"{error}; write one such as {self._example}", param, ctx)


NUMBER = Typed("number", number, "0.1 or 10%")
WHOLE = Typed("whole number", whole, "5000")
SHARES = Typed("shares", shares, "0.5,0.3,0.2")
