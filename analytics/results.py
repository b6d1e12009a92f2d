"""What computations return: frozen rows, the SQL they came from, and what was left out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar, overload
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

Status = Literal["ok", "immature", "too_few", "no_data", "undefined"]
Row = TypeVar("Row")


def changed(row: Row, /, **values: Any) -> Row:
    """A frozen row with other values: `dataclasses.replace` for rows that check nothing when they are made.

    That one reads every field and makes the row anew: 60 microseconds for the 47 fields of a comparison, of which a
    scorecard changes ten times as many as it has rows; this takes 6.

    >>> changed(Results((), ZoneInfo("UTC")), notes=("none",)).notes
    ('none',)
    >>> changed(Results((), ZoneInfo("UTC")), note=1)
    Traceback (most recent call last):
    TypeError: Results has no field note
    """
    kind = type(row)
    if unknown := values.keys() - kind.__dataclass_fields__.keys():  # type: ignore[attr-defined]
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    new = object.__new__(kind)
    new.__dict__.update(row.__dict__, **values)
    return new


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
        cells = [_cells(row) for row in self.rows]
        frame = pd.DataFrame(
            [[value for _, value, _ in row] for row in cells],
            columns=[name for name, _, _ in cells[0]] if cells else [],
        )
        for name in frame.columns:
            if any(isinstance(value, datetime) and value.tzinfo is not None for value in frame[name]):
                frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(self.zone)
        return frame


def record(row: Any, zone: ZoneInfo) -> dict[str, Any]:
    """One row as a flat dictionary that JSON can hold.

    Raises:
        ValueError: a number is NaN or infinite; a result must say its status instead.
    """
    return {
        name: json_ready(value, zone) if logged else _plain(value, zone, name)
        for name, value, logged in _cells(row)
    }


def json_ready(value: Any, zone: ZoneInfo) -> Any:
    """A logged value, of whatever type, as JSON can hold it: NaN as null, infinity and the like as text.

    >>> json_ready([1.5, float("nan"), float("-inf"), b"ab"], ZoneInfo("UTC"))
    '[1.5, null, "-inf", "<2 bytes>"]'
    """
    simple = _json_value(value, zone)
    return json.dumps(simple, ensure_ascii=False) if isinstance(simple, list | dict) else simple


def _json_value(value: Any, zone: ZoneInfo) -> Any:  # noqa: PLR0911  # one line a type
    match value:
        case None | bool() | str():
            return value
        case int():
            # a whole number beyond 64 bits is exact only as text
            return value if -(2**63) <= value < 2**64 else str(value)
        case float() | Decimal():
            number = float(value)
            return number if math.isfinite(number) else (None if math.isnan(number) else str(number))
        case datetime():
            return (value.astimezone(zone) if value.tzinfo is not None else value).isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return f"<{len(value):,} bytes>"
        case Mapping():
            return {str(name): _json_value(item, zone) for name, item in value.items()}
        case list() | tuple():
            return [_json_value(item, zone) for item in value]
    return str(value)


def _cells(row: Any) -> list[tuple[str, Any, bool]]:
    """Name, value and whether it was logged, of every field; a mapping holds logged columns."""
    flat = [(_public(field.name), getattr(row, field.name), False) for field in fields(row)]
    cells = [cell for cell in flat if not isinstance(cell[1], Mapping)]
    taken = {"project", *(name for name, _, _ in cells)}
    for _, columns, _ in flat:
        for column, value in columns.items() if isinstance(columns, Mapping) else ():
            name = str(column)
            # a logged column never hides a field; "project" is the field the command line adds
            while name in taken:
                name = f"column.{name}"
            taken.add(name)
            cells.append((name, value, True))
    return cells


def _public(name: str) -> str:
    # ``class`` and ``where`` style names that Python reserves carry a trailing underscore in code only
    return name.removesuffix("_")


def _plain(value: Any, zone: ZoneInfo, name: str) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; a result must carry None and a reason instead")
    return value
