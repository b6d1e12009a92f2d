"""Result row of who was first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class FirstRow:
    """One of the first rows, or of the first units, that show a change.

    Attributes:
        part: row or unit.
        rank: 1 came first.
        timestamp: of the row; of a unit, of its first row in the scope.
        unit: private ones masked.
        n: of a unit, its rows in the scope.
        shows: which rows are meant, in words.
        file, row: where it was logged; None for a unit.
    """

    part: Literal["row", "unit"]
    rank: int
    timestamp: datetime
    unit: str | None
    n: int | None
    id: str | None
    version: str | None
    label: str | None
    decision: str | None
    score: float | None
    shows: str
    file: str | None
    row: int | None
