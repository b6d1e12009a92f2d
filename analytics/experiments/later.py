"""Rows that are computed when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

Row = TypeVar("Row")


class Later(Sequence[Row]):
    """Rows of a tuple, in parts by name, that most readers of what holds it never ask for.

    >>> rows = Later({"a": lambda: range(3), "b": lambda: range(1)})
    >>> len(rows), rows[-1], rows == (0, 1, 2, 0), rows.of("b")
    (4, 0, True, (0,))
    """

    def __init__(self, parts: Mapping[str, Callable[[], Iterable[Row]]]) -> None:
        self._parts = dict(parts)
        self._known: dict[str, tuple[Row, ...]] = {}

    def of(self, name: str) -> tuple[Row, ...]:
        """The rows of one part alone; none of a part that is not there."""
        if name not in self._known:
            self._known[name] = tuple(self._parts[name]()) if name in self._parts else ()
        return self._known[name]

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(row for name in self._parts for row in self.of(name))

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, place: int | slice) -> Row | tuple[Row, ...]:
        """A row, or several as a tuple."""
        return self._rows[place]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        """Whether the rows are the same, in a tuple or here."""
        if not isinstance(other, (Later, tuple)):
            return NotImplemented
        return self._rows == tuple(other)

    def __hash__(self) -> int:
        """As the tuple of its rows."""
        return hash(self._rows)

    def __repr__(self) -> str:
        """As the tuple of its rows."""
        return repr(self._rows)
