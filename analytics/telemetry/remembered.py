"""Answers that do not add over days, kept until a file they were read from changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.engines.text import Sql
from analytics.errors import StoreError
from analytics.telemetry.files import digest

if TYPE_CHECKING:
    from analytics.telemetry.catalog import Catalog

LARGE = 20_000_000
"""Bytes of log files from which on it pays to keep what is asked of them by the way."""
_MEANING = ("predictions", "labels", "reference", "events", "units", "series", "time_zone")


def remembered(
    catalog: Catalog,
    name: str,
    sql: Sql | str,
    feeds: Iterable[str],
    quick: Callable[[], pa.Table] | None = None,
) -> pa.Table:
    """Answer a query that depends on whole feeds, from what is kept on disk where nothing has changed since.

    Args:
        catalog: the project's views; `Catalog.memory` is where answers are kept. Without one the query is run.
        name: what is asked; part of the key, so that two questions never share an answer.
        sql: the query.
        feeds: sections of the project file whose files it reads.
        quick: another way to the same answer, where somebody knows one that takes less.
    """
    run = quick or (lambda: catalog.engine.query(sql))
    if catalog.memory is None:
        return run()
    asked = sql if isinstance(sql, Sql) else Sql(sql)
    key = key_of(catalog, name, asked, feeds)
    known = catalog.memory.recall(key)
    return known if known is not None else keep(catalog, key, run())


def is_worth_keeping(catalog: Catalog, feeds: Iterable[str]) -> bool:
    """Whether there is a place for answers, and reading these feeds takes so long that one pays."""
    size = sum(file.size for feed in feeds for file in catalog.listed.get(feed, ()))
    return catalog.memory is not None and size >= LARGE


def key_of(catalog: Catalog, name: str, asked: Sql, feeds: Iterable[str]) -> str:
    """What an answer is kept under: it changes with the question, with what the project means, and with the files."""
    meaning = catalog.project.model_dump(mode="json", include=set(_MEANING))
    read = [(feed, digest(catalog.listed.get(feed, ()))) for feed in sorted(set(feeds))]
    damaged = sorted(str(path) for path in catalog.left_out)
    parts = [
        name,
        asked.text,
        sorted((key, str(value)) for key, value in asked.parameters.items()),
        meaning,
        read,
    ]
    return hashlib.sha256(json.dumps([*parts, damaged], sort_keys=True, default=str).encode()).hexdigest()[
        :24
    ]


def keep(catalog: Catalog, key: str, answer: pa.Table) -> pa.Table:
    """Keep an answer where there is a place for it, and give it back."""
    if catalog.memory is not None:
        # a place that can only be read; the answer is right all the same
        with contextlib.suppress(StoreError):
            catalog.memory.keep(key, answer)
    return answer
