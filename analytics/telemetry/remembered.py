"""Answers that do not add over days, kept until a file they were read from changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.engines.text import Sql
from analytics.errors import StoreError
from analytics.telemetry.files import digest

if TYPE_CHECKING:
    from analytics.telemetry.catalog import Catalog

_MEANING = ("predictions", "labels", "reference", "events", "units", "series", "time_zone")


def remembered(catalog: Catalog, name: str, sql: Sql | str, feeds: Iterable[str]) -> pa.Table:
    """Answer a query that depends on whole feeds, from what is kept on disk where nothing has changed since.

    Args:
        catalog: the project's views; `Catalog.memory` is where answers are kept. Without one the query is run.
        name: what is asked; part of the key, so that two questions never share an answer.
        sql: the query.
        feeds: sections of the project file whose files it reads.
    """
    memory = catalog.memory
    if memory is None:
        return catalog.engine.query(sql)
    asked = sql if isinstance(sql, Sql) else Sql(sql)
    project = catalog.project
    meaning = project.model_dump(mode="json", include=set(_MEANING))
    read = [(feed, digest(catalog.listed.get(feed, ()))) for feed in sorted(set(feeds))]
    damaged = sorted(str(path) for path in catalog.left_out)
    parts = [
        name,
        asked.text,
        sorted((key, str(value)) for key, value in asked.parameters.items()),
        meaning,
        read,
    ]
    key = hashlib.sha256(json.dumps([*parts, damaged], sort_keys=True, default=str).encode()).hexdigest()[:24]
    known = memory.recall(key)
    if known is not None:
        return known
    answer = catalog.engine.query(asked)
    try:
        memory.keep(key, answer)
    except StoreError:  # a place that can only be read; the answer is right all the same
        return answer
    return answer
