"""The only place where names and constants become SQL text.

Values are bound wherever the engine allows it; these two functions serve the places where it does not
(identifiers, file lists of views, literals inside a view definition).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

WILDCARDS = "*?["

Parameter = str | int | float | bool | datetime | None


def identifier(name: str) -> str:
    """Quote a column or view name.

    >>> print(identifier('an "odd" name'), "quoted")
    "an ""odd"" name" quoted
    """
    if "\x00" in name:
        raise ValueError("a name cannot hold a NUL character")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool) -> str:  # noqa: FBT001  # a constant, not a switch
    """Write a constant as SQL text; doubles in exponent form so that no engine reads a DECIMAL.

    >>> literal("it's"), literal(0.5), literal(3), literal(True)
    ("'it''s'", '0.5e0', '3', 'TRUE')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("infinity and NaN have no portable literal")
        text = repr(value)
        return text if "e" in text else text + "e0"
    if "\x00" in value:
        raise ValueError("a text constant cannot hold a NUL character")
    return "'" + value.replace("'", "''") + "'"


def reader_path(path: Path) -> str:
    """A path as DuckDB's readers take it, with its own wildcard characters escaped.

    >>> reader_path(Path("/logs/a[1].csv"))
    '/logs/a[[]1].csv'
    """
    text = str(path)
    if not any(sign in text for sign in WILDCARDS):
        return text
    return "".join(f"[{sign}]" if sign in WILDCARDS else sign for sign in text)


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with the values bound to its ``$names``.

    Attributes:
        text: SQL with ``$name`` placeholders.
        parameters: exactly the values the text needs, by name.
    """

    text: str
    parameters: dict[str, Any] = field(default_factory=dict)


def any_of(parts: list[Sql]) -> Sql:
    """Join conditions with OR."""
    return _join(parts, " OR ", "FALSE")


def all_of(parts: list[Sql]) -> Sql:
    """Join conditions with AND; no condition is TRUE."""
    return _join(parts, " AND ", "TRUE")


def _join(parts: list[Sql], word: str, empty: str) -> Sql:
    parameters: dict[str, Any] = {}
    for part in parts:
        parameters |= part.parameters
    return Sql(word.join(f"({part.text})" for part in parts) or empty, parameters)
