"""Typed experiments as text: arms, shares and numbers, as people write them and as links carry them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable

from analytics.errors import AssayError
from analytics.experiments.rows import TypedArm
from app.formats import plural

MOST_ARMS = 20
MOST_UNITS = 10**12
MOST_LETTERS = 5000
"""Of a text of arms."""

_WHOLE = r"\d{1,3}(?:[,_']\d{3})+|\d{1,15}"
_COUNTS = re.compile(rf"(?P<name>.*?)\s*(?P<x>{_WHOLE})\s*(?:/|\bof\b|\t)\s*(?P<n>{_WHOLE})\s*")
_NUMBER = r"[-+\u2212]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_MEANS = re.compile(rf"(?P<name>.*?)\s*(?P<mean>{_NUMBER})[,\s]+(?P<sd>{_NUMBER})[,\s]+(?P<n>\d{{1,15}})\s*")
_ENDS_IN_NUMBER = re.compile(r".*[\d.][,\s]*")
_SHARE = re.compile(rf"({_NUMBER})\s*(%)?")


class TypedTextError(AssayError):
    """What was typed cannot be understood; the text says which part, and how it is written."""


def read_counts(text: str) -> tuple[TypedArm, ...]:
    """Arms from lines of name, conversions and visitors; a semicolon ends a line, too.

    >>> read_counts("A: 378/3662; B: 462/3,568")[1]
    TypedArm(name='B', n=3568, successes=462, mean=None, standard_deviation=None)

    Raises:
        TypedTextError: a line is no arm, or the arms cannot be compared.
    """
    return _arms(text, _count_arm)


def read_means(text: str) -> tuple[TypedArm, ...]:
    """Arms from lines of name, mean, standard deviation and n; a semicolon ends a line, too.

    >>> read_means("A 10.9, 2.8, 10; 11.2 3.1 2158")[1]
    TypedArm(name='B', n=2158, successes=None, mean=11.2, standard_deviation=3.1)

    Raises:
        TypedTextError: a line is no arm, or the arms cannot be compared.
    """
    return _arms(text, _mean_arm)


def read_shares(text: str) -> tuple[float, ...] | None:
    """Planned shares in the order of the arms, normalised; None where nothing is written.

    >>> read_shares("9:1"), read_shares("50%, 50%"), read_shares("")
    ((0.9, 0.1), (0.5, 0.5), None)

    Raises:
        TypedTextError: they are no shares.
    """
    if not text.strip():
        return None
    parts = [part for part in re.split(r"[:/,;\s]+", text.strip().replace("%", "")) if part]
    shares = [_finite(part) for part in parts]
    if any(share is None or share < 0 for share in shares) or len(shares) > MOST_ARMS:
        raise TypedTextError(
            f'the split "{_cut(text)}" is not understood; write shares such as 50:50 or 2:1:1'
        )
    known = [share for share in shares if share is not None]
    total = sum(known)
    if total <= 0:
        raise TypedTextError(f'the split "{_cut(text)}" gives no arm anything; write shares such as 50:50')
    return tuple(share / total for share in known)


def read_number(text: str, name: str, *, share: bool = False) -> float | None:
    """A number, in percent where it carries the sign; None where nothing is written.

    >>> read_number("10.3 %", "baseline"), read_number("1,200", "n"), read_number(" ", "n")
    (0.103, 1200.0, None)

    Args:
        text: as typed.
        name: what it is, for the message.
        share: whether it is a share, so that the message can show one.

    Raises:
        TypedTextError: it is no number.
    """
    if not text.strip():
        return None
    plain = text.strip().replace("\u2212", "-")
    plain = re.sub(r"(?<=\d)[,_'](?=\d{3}(?!\d))", "", plain)
    match = _SHARE.fullmatch(plain)
    value = _finite(match[1]) if match else None
    if value is None or match is None:
        example = "10% or 0.1" if share else "12.5"
        raise TypedTextError(f'{name}: "{_cut(text)}" is not a number; write one such as {example}')
    # 10.3 / 100 is 0.10300000000000001, and that would be read on the page
    return float(f"{value / 100:.12g}") if match[2] else value


def letter(place: int) -> str:
    """The name of an arm that was given none.

    >>> letter(0), letter(1)
    ('A', 'B')
    """
    return chr(ord("A") + place)


def _arms(text: str, read: Callable[[str, int], TypedArm]) -> tuple[TypedArm, ...]:
    if len(text) > MOST_LETTERS:
        raise TypedTextError(f"this text is too long for {MOST_ARMS} arms")
    lines = [line.strip() for line in re.split(r"[;\n\r]+", text) if line.strip()]
    if any(len(line) > MOST_LETTERS // MOST_ARMS for line in lines):
        raise TypedTextError("a line is too long for one arm; write each arm on a line of its own")
    if len(lines) > MOST_ARMS:
        raise TypedTextError(f"{plural(len(lines), 'arm')} are too many; at most {MOST_ARMS} can be compared")
    arms = tuple(read(line, place) for place, line in enumerate(lines))
    if len(arms) == 1:
        raise TypedTextError("one arm alone cannot be compared; write the other one on a line of its own")
    twice = [name for name, times in Counter(arm.name for arm in arms).items() if times > 1]
    if twice:
        raise TypedTextError(f'two arms are called "{twice[0]}"; give each its own name')
    return arms


def _count_arm(line: str, place: int) -> TypedArm:
    match = _COUNTS.fullmatch(line)
    if match is None:
        raise TypedTextError(
            f'line {place + 1}, "{_cut(line)}", is not understood; write conversions/visitors, such as B 462/3568'
        )
    successes, n = _whole(match["x"], place), _whole(match["n"], place)
    if successes > n:
        raise TypedTextError(
            f"line {place + 1} has more conversions than visitors; write conversions/visitors, in this order"
        )
    return TypedArm(_name(match["name"], place), n, successes=successes)


def _mean_arm(line: str, place: int) -> TypedArm:
    match = _MEANS.fullmatch(line)
    if match is None or _ENDS_IN_NUMBER.fullmatch(match["name"]):
        raise TypedTextError(
            f'line {place + 1}, "{_cut(line)}", is not understood; write mean, standard deviation, n, '
            "such as B 11.2, 3.1, 2158"
        )
    mean, deviation = _finite(match["mean"]), _finite(match["sd"])
    if mean is None or deviation is None or deviation < 0:
        raise TypedTextError(
            f"line {place + 1}: mean and standard deviation must be finite, and the latter not below 0"
        )
    return TypedArm(
        _name(match["name"], place), _whole(match["n"], place), mean=mean, standard_deviation=deviation
    )


def _name(text: str, place: int) -> str:
    name = " ".join(text.split()).rstrip(" :=,").strip()
    return name[:60] or letter(place)


def _whole(text: str, place: int) -> int:
    n = int(re.sub(r"[,_']", "", text))
    if n > MOST_UNITS:
        raise TypedTextError(f"line {place + 1}: more than {MOST_UNITS:,} units are not understood")
    return n


def _finite(text: str) -> float | None:
    try:
        value = float(text.replace("\u2212", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
