"""Parts in memory: every part of every aggregate there is, made from the rows when it is first asked for.

`MemoryParts.on(catalog)` stands in for a store; `counting` says which queries read rows all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.additive import Standard, canonical_rows, definition_of
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import WHOLE, Definition, Stored

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

    def orphans(self, known_at: datetime) -> int | None:
        """Files are not looked at."""
        del known_at
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


@contextmanager
def counting(catalog: Catalog) -> Iterator[list[str]]:
    """The texts of the queries that read the views of the logs meanwhile."""
    texts: list[str] = []
    plain = catalog.engine.query

    def query(sql: Any, *arguments: Any, **words: Any) -> pa.Table:
        text = sql if isinstance(sql, str) else sql.text
        if any(f"FROM {view}" in text for view in ("predictions", "labels", "reference", "all_")):
            texts.append(text)
        return plain(sql, *arguments, **words)

    catalog.engine.query = query  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        del catalog.engine.query
