"""Result rows of the examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

ExampleKind = Literal["worst", "uncertain", "best", "random", "disagreeing", "suspected-labels", "unlike"]


@dataclass(frozen=True)
class ExampleRow:
    """One prediction with the reason it is shown.

    Attributes:
        rank: 1 is the worst, most uncertain, best, or first drawn; per class where asked so.
        loss: log loss (natural) of the row, or absolute error for regression; None without a label.
        reason: why it is here, in words.
        columns: the logged columns, private ones masked.
        suggested_label: of a suspected wrong label: what the row looks like instead.
        problem: of a diversified choice: the slice that this row stands for; None where it stands for itself.
        problem_share: the share of the candidates that are in this slice.
        usual_share: the share of all rows that are.
    """

    rank: int
    reason: str
    id: str | None
    timestamp: datetime
    version: str | None
    label: str | None
    decision: str | None
    score: float | None
    loss: float | None
    file: str
    row: int
    columns: dict[str, Any]
    suggested_label: str | None = None
    problem: str | None = None
    problem_share: float | None = None
    usual_share: float | None = None
