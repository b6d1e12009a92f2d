"""What computations return: frozen rows, the SQL they came from, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, overload
from zoneinfo import ZoneInfo

import pandas as pd

Status = Literal["ok", "immature", "too_few", "no_data", "undefined"]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Results(Sequence[Row], Generic[Row]):
    """An immutable sequence of result rows.

    Attributes:
        rows: frozen dataclasses, one type a family.
        zone: the zone instants are shown in.
        sql: the texts that scanned, for the reader who wants to check.
        notes: what was left out and why, one sentence each.
    """

    rows: tuple[Row, ...]
    zone: ZoneInfo
    sql: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        """One row, or some."""
        return self.rows[index]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """The rows in order."""
        return iter(self.rows)

    def to_records(self) -> list[dict[str, Any]]:
        """Flat JSON-ready records; instants as ISO 8601 in the project's zone."""
        return [record(row, self.zone) for row in self.rows]

    def to_frame(self) -> pd.DataFrame:
        """A DataFrame with one row a record; instants stay typed, in the project's zone."""
        names = [_public(field.name) for field in fields(self.rows[0])] if self.rows else []  # type: ignore[arg-type]
        frame = pd.DataFrame(
            [[getattr(row, field.name) for field in fields(row)] for row in self.rows],  # type: ignore[arg-type]
            columns=names,
        )
        for name in frame.columns:
            if len(frame) and isinstance(frame[name].iloc[0], datetime):
                frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(self.zone)
        return frame


def record(row: Any, zone: ZoneInfo) -> dict[str, Any]:
    """One row as a flat dictionary that JSON can hold.

    Raises:
        ValueError: a number is NaN or infinite; a result must say its status instead.
    """
    return {_public(field.name): _plain(getattr(row, field.name), zone, field.name) for field in fields(row)}


def _public(name: str) -> str:
    # ``class`` and ``where`` style names that Python reserves carry a trailing underscore in code only
    return name.removesuffix("_")


def _plain(value: Any, zone: ZoneInfo, name: str) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; a result must carry None and a reason instead")
    return value
