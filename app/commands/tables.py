"""Readable tables: records as text that fits a terminal and cannot steer it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.formats import NONE, STATUS_WORDS, count, interval, number, window_name

Record = Mapping[str, Any]
GAP = "  "
READABLE = 20
MOST_NAMES = 6
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: its heading.
        cell: the text of a record's cell.
        right: numbers stand to the right.
        context: said once above the table where it is the same in every row.
        drop: what goes first where the terminal is narrow: the highest; 0 stays.
        extra: shown only where all else has the room it wants.
    """

    title: str
    cell: Callable[[Record, ZoneInfo], str]
    right: bool = False
    context: bool = False
    drop: int = 0
    extra: bool = False


def text(name: str, title: str = "", *, context: bool = False, drop: int = 0, extra: bool = False) -> Column:
    """A column of text."""
    heading = title or name.replace("_", " ")
    return Column(heading, lambda record, _: plain(record.get(name)), False, context, drop, extra)


def figures(name: str, title: str = "", *, drop: int = 0) -> Column:
    """A column of numbers: counts whole, the rest with three significant digits."""
    return Column(title or name.replace("_", " "), lambda record, _: plain(record.get(name)), True, drop=drop)


def between(low: str, high: str, title: str, *, drop: int = 0) -> Column:
    """A column of intervals."""
    return Column(title, lambda record, _: interval(record.get(low), record.get(high)), False, drop=drop)


def window(*, drop: int = 0) -> Column:
    """The window of a record, in words."""

    def cell(record: Record, zone: ZoneInfo) -> str:
        start, end = (datetime.fromisoformat(record[name]) for name in ("window_start", "window_end"))
        return window_name(start, end, zone)

    return Column("window", cell, False, True, drop)


def moment(name: str) -> Column:
    """An instant to the second, in the zone named above the table."""

    def cell(record: Record, zone: ZoneInfo) -> str:
        if record[name] is None:
            return NONE
        return f"{datetime.fromisoformat(record[name]).astimezone(zone):%Y-%m-%d %H:%M:%S}"

    return Column(name, cell)


def day(name: str, title: str = "", *, drop: int = 0) -> Column:
    """An instant as its local day."""

    def cell(record: Record, zone: ZoneInfo) -> str:
        return _day(record.get(name), zone)

    return Column(title or name.replace("_", " "), cell, False, False, drop)


def days(low: str, high: str, title: str, *, drop: int = 0) -> Column:
    """A stretch of local days."""

    def cell(record: Record, zone: ZoneInfo) -> str:
        if record.get(low) is None and record.get(high) is None:
            return NONE
        return f"{_day(record.get(low), zone)} to {_day(record.get(high), zone)}"

    return Column(title, cell, False, False, drop)


def _day(moment: Any, zone: ZoneInfo) -> str:
    return NONE if moment is None else f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d}"


def segment() -> Column:
    """The slice of a record as ``segment=value``."""

    def cell(record: Record, _: ZoneInfo) -> str:
        return (
            NONE if record.get("segment") is None else plain(f"{record['segment']}={record['segment_value']}")
        )

    return Column("segment", cell, False, True)


def remark(*, drop: int = 0) -> Column:
    """Why there is no plain answer; nothing where all is well."""

    def cell(record: Record, _: ZoneInfo) -> str:
        if record.get("status") in {"ok", None}:
            return NONE
        return plain(record.get("reason") or STATUS_WORDS[record["status"]])

    return Column("remark", cell, False, False, drop)


def plain(value: object) -> str:
    r"""A value as one line that holds nothing but printable characters.

    >>> plain(0.71234), plain(1234), plain(None), plain(True), plain("a\x1b[31m\nb")
    ('0.712', '1,234', '–', 'yes', 'a�[31m�b')
    """
    match value:
        case None | "":
            return NONE
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value)
        case float():
            return number(value)
    letters = (" " if unicodedata.category(letter) == "Zs" else letter for letter in str(value))
    return "".join(letter if letter.isprintable() else "�" for letter in letters)


def render(
    title: str, records: Sequence[Record], columns: Sequence[Column], zone: ZoneInfo | None, width: int
) -> str:
    """A table with its heading, no line of it wider than ``width`` where that can be done.

    Args:
        title: what the table is about; the zone and whatever all rows share is added.
        records: as `analytics.results.Results.to_records` gives them.
        columns: in the order shown.
        zone: the zone times are in; None where there are none.
        width: of the terminal.
    """
    heading = [plain(title)]
    filled = []
    for column in columns:
        cells = [column.cell(record, zone or _UTC) for record in records]
        same = len(set(cells)) == 1
        if column.context and same and cells[0] != NONE:
            heading.append(cells[0] if column.title == "window" else f"{column.title} {cells[0]}")
        elif not (same and cells[0] == NONE):
            filled.append((column, cells))
    lines = [" · ".join(heading) + (f" ({zone.key})" if zone is not None else "")]
    if not records:
        return f"{lines[0]}\n  no rows\n"
    kept = _narrowed(filled, width)
    widths = _widths(kept, width)
    lines.append(_line([column.title for column, _ in kept], kept, widths))
    lines.append(GAP.join("─" * size for size in widths))
    lines += [_line([cells[row] for _, cells in kept], kept, widths) for row in range(len(records))]
    missing = [column.title for column, _ in filled if all(column is not other for other, _ in kept)]
    if missing:
        more = f" and {len(missing) - MOST_NAMES} more" if len(missing) > MOST_NAMES else ""
        lines.append(
            f"not shown: {', '.join(missing[:MOST_NAMES])}{more}; a wider terminal or --json has them"
        )
    return "\n".join(lines) + "\n"


Filled = tuple[Column, list[str]]


def _natural(filled: Filled) -> int:
    column, cells = filled
    return max(map(columns_of, (column.title, *cells)))


def _narrowed(filled: list[Filled], width: int) -> list[Filled]:
    kept = list(filled)
    while kept[-1][0].extra and sum(map(_natural, kept)) + len(GAP) * (len(kept) - 1) > width:
        del kept[-1]
    while sum(map(_least, kept)) + len(GAP) * (len(kept) - 1) > width:
        # of equals the last goes first
        worst = max(range(len(kept)), key=lambda index: (kept[index][0].drop, index))
        if kept[worst][0].drop == 0:
            break
        del kept[worst]
    return kept


def _least(filled: Filled) -> int:
    # numbers are never cut, and text not so far that it says nothing
    natural = _natural(filled)
    return natural if filled[0].right else min(natural, max(READABLE, columns_of(filled[0].title)))


def _widths(kept: list[Filled], width: int) -> list[int]:
    widths = [_natural(filled) for filled in kept]
    while (over := sum(widths) + len(GAP) * (len(widths) - 1) - width) > 0:
        room = [size - _least(filled) for size, filled in zip(widths, kept, strict=True)]
        widest = max(range(len(room)), key=lambda index: room[index])
        if room[widest] <= 0:
            break
        widths[widest] -= min(over, max(1, room[widest] // 2))
    return widths


def _line(cells: Sequence[str], kept: list[Filled], widths: list[int]) -> str:
    shown = []
    for cell, (column, _), size in zip(cells, kept, widths, strict=True):
        fitted = cut(cell, size)
        space = " " * (size - columns_of(fitted))
        shown.append(space + fitted if column.right else fitted + space)
    return GAP.join(shown).rstrip()


def cut(line: str, size: int) -> str:
    """The beginning of a line that is too long, with a mark.

    >>> cut("Bratislava", 6), cut("日本語", 5)
    ('Brati…', '日本…')
    """
    if columns_of(line) <= size:
        return line
    while line and columns_of(line) > size - 1:
        line = line[:-1]
    return f"{line}…"


def columns_of(line: str) -> int:
    r"""How many columns of a terminal a line takes.

    >>> columns_of("ab"), columns_of("日本"), columns_of("e\u0301")
    (2, 4, 1)
    """
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in {"W", "F"})
        for letter in line
    )
