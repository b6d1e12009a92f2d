"""Parts in memory: every part of every aggregate there is, made from the rows when it is first asked for.

`MemoryParts.on(catalog)` stands in for a store; `counting` says which queries read rows all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.additive import Standard, canonical_rows, definition_of
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import WHOLE, Definition, Stored

Answer = TypeVar("Answer")
DAY_COLUMN = "window_key"


class MemoryParts:
    """A store that has everything it was told of.

    Args:
        catalog: whose rows.
        standards: which aggregates are stored; any other has no part.
        without: days that have no part.
    """

    def __init__(
        self, catalog: Catalog, standards: Sequence[Standard], without: Sequence[datetime] = ()
    ) -> None:
        self.catalog, self.without = catalog, frozenset(without)
        self.asked: list[Definition] = []
        catalog.parts = self
        self.tables: dict[str, pa.Table] = {}
        for standard in standards:
            sql = standard.additive.query(canonical_rows(catalog, standard))
            self.tables[definition_of(catalog, standard).key] = catalog.engine.query(sql)

    def read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None = None) -> Stored:
        """Everything of the days asked for."""
        self.asked.append(definition)
        if definition.key not in self.tables or as_of is not None:
            return Stored(None, frozenset())
        table = self.tables[definition.key]
        if definition.source == "reference":
            return Stored(table, frozenset({WHOLE}))
        wanted = [day for day in days if day not in self.without]
        day = pc.floor_temporal(_local(table, definition, self.catalog), unit="day")
        return Stored(table.filter(pc.is_in(day, pa.array(wanted, pa.timestamp("us")))), frozenset(wanted))

    def reference_labels(self) -> list[str] | None:
        """Files are not looked at."""
        return None

    def orphans(self, known_at: datetime) -> int | None:
        """Files are not looked at."""
        del known_at
        return None

    def orphans_by_file(self) -> Mapping[str, int] | None:
        """Files are not looked at."""
        return None

    def reference_state(self, *, labelled: bool) -> str:
        """The files of the reference never change here."""
        return f"reference {labelled}"


def _local(table: pa.Table, definition: Definition, catalog: Catalog) -> pa.ChunkedArray:
    keys = table.column(DAY_COLUMN).cast(pa.timestamp("us"))
    if definition.grain == "day":
        return keys
    return pc.local_timestamp(
        pc.assume_timezone(keys, "UTC").cast(pa.timestamp("us", catalog.project.time_zone))
    )


class Known(MemoryParts):
    """Everything was known at the instants that are asked for."""

    def read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None = None) -> Stored:
        """All the same."""
        del as_of
        return super().read(definition, days)


def plain_and_stored(
    catalog: Catalog,
    standards: Callable[[Catalog], Iterable[Standard]],
    ask: Callable[[Catalog], Answer],
    parts: type[MemoryParts] = MemoryParts,
) -> tuple[Answer, Answer, list[str]]:
    """The answer from the rows, that from parts, and the texts of the queries that read rows for it."""
    catalog.parts = None
    catalog.answered.clear()
    plain = ask(catalog)
    parts(catalog, list(standards(catalog)))
    catalog.answered.clear()
    try:
        with counting(catalog, kept=True) as read:
            return plain, ask(catalog), read
    finally:
        catalog.parts = None


@contextmanager
def counting(catalog: Catalog, *, kept: bool = False) -> Iterator[list[str]]:
    """The texts of the queries that read the views of the logs meanwhile; of all whose answer is kept, if asked for."""
    texts: list[str] = []
    plain, plain_kept = catalog.engine.query, catalog.engine.kept

    def query(sql: Any, *arguments: Any, **words: Any) -> pa.Table:
        text = sql if isinstance(sql, str) else sql.text
        if any(f"FROM {view}" in text for view in ("predictions", "labels", "reference", "all_")):
            texts.append(text)
        return plain(sql, *arguments, **words)

    def held(sql: Any) -> Any:
        texts.append(sql.text)
        return plain_kept(sql)

    catalog.engine.query = query  # type: ignore[method-assign]
    if kept:
        catalog.engine.kept = held  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        del catalog.engine.query
        if kept:
            del catalog.engine.kept
