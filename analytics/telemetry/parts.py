"""What a store of aggregates answers: parts by definition and day; `analytics.aggregates.store` keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol

import pyarrow as pa

PartGrain = Literal["day", "5min"]
WHOLE: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a local day, as all days of parts are
"""The one "day" of the reference."""


@dataclass(frozen=True)
class Definition:
    """An aggregate of one source, split by certain segments: what parts are kept under.

    Attributes:
        name: for people and for folders.
        key: changes with the text of the query, its values, and what the views mean.
        labelled: whether its parts depend on labels.
        source: which view it is of; parts of the reference have the one day `WHOLE`.
        grain: how finely parts are cut.
    """

    name: str
    key: str
    labelled: bool
    source: Literal["predictions", "reference"]
    grain: PartGrain


class Stored(NamedTuple):
    """What a store has of some days.

    Attributes:
        table: the rows of all parts found, under one another; None where there are none.
        days: the days that need not be read from the logs: their part was found, or they are known to have no rows.
    """

    table: pa.Table | None
    days: frozenset[datetime]


class Parts(Protocol):
    """Stored parts of one project, as they stand for the files that its catalog lists."""

    def read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None = None) -> Stored:
        """The parts of some local days (naive midnights) that were made from the files as they are now.

        Args:
            definition: the aggregate.
            days: those wanted.
            as_of: leave out days of whose rows or labels something became known only after then.
        """
        ...

    def reference_state(self, *, labelled: bool) -> str:
        """Changes with the files that the reference is made of (and with those of its labels)."""
        ...

    def reference_labels(self) -> list[str] | None:
        """The label files with reports about rows of the reference; None where that is not known file by file."""
        ...

    def orphans(self, known_at: datetime) -> int | None:
        """Label reports up to an instant about no row that there is; None where that is not known file by file."""
        ...

    def orphans_by_file(self) -> Mapping[str, int] | None:
        """The same of all reports, by the path of their file."""
        ...


class Memory(Protocol):
    """Where answers are kept that do not add over days; see `analytics.telemetry.remembered`."""

    def recall(self, key: str) -> pa.Table | None:
        """What was kept under a key; None where nothing was, or it is damaged."""
        ...

    def keep(self, key: str, table: pa.Table) -> None:
        """Keep an answer under a key that says all it depends on.

        Raises:
            StoreError: the place cannot be written to.
        """
        ...
