"""Rows that are computed when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TypeVar, overload

Row = TypeVar("Row")


class Later(Sequence[Row]):
    """Rows of a tuple that most readers of what holds it never ask for.

    >>> rows = Later(lambda: range(3))
    >>> len(rows), rows[-1], rows == (0, 1, 2)
    (3, 2, True)
    """

    def __init__(self, compute: Callable[[], Iterable[Row]]) -> None:
        self._compute = compute

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(self._compute())

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
