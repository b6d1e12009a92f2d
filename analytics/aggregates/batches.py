"""Many additive queries over one batch of rows: steps that several share are taken once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from analytics.aggregates.additive import Standard, Steps, canonical_rows
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import KeyedRows


class PreparedRows(KeyedRows):
    """Rows that have the columns already that `Steps.prepare` of some aggregates adds (`with_columns`)."""


def with_columns(base: KeyedRows, standards: Sequence[Standard]) -> KeyedRows:
    """Rows with what the steps of some aggregates add to them, where these agree on that; else the rows as they are.

    Held in memory like this they are written once, not once before and once after.
    """
    texts = {_text(one, base, "prepare") for one in standards} - {None}
    if len(texts) != 1:
        return base
    return PreparedRows(texts.pop() or "", base.parameters)


def answers(
    catalog: Catalog, base: Sql, standards: Sequence[Standard]
) -> Iterator[tuple[Standard, pa.Table]]:
    """Answer every aggregate over a batch of rows, those that share steps one after another.

    Args:
        catalog: the project's views.
        base: the rows, held in memory; `PreparedRows` if they were made by `with_columns` of the same aggregates.
        standards: of the source these rows are of.
    """
    if isinstance(base, PreparedRows):
        yield from _split(catalog, base, standards)
        return
    for alike in _alike(standards, lambda one: _text(one, base, "prepare")):
        with _step(catalog, alike[0], base, "prepare") as prepared:
            keyed = isinstance(base, KeyedRows) and not isinstance(prepared, KeyedRows)
            yield from _split(
                catalog, KeyedRows(prepared.text, prepared.parameters) if keyed else prepared, alike
            )


def _split(catalog: Catalog, base: Sql, standards: Sequence[Standard]) -> Iterator[tuple[Standard, pa.Table]]:
    def rows(one: Standard) -> Sql:
        return canonical_rows(catalog, one, base)

    for alike in _alike(standards, lambda one: _text(one, rows(one), "condense")):
        with _step(catalog, alike[0], rows(alike[0]), "condense") as groups:
            for one in alike:
                query = one.additive.query
                sql = query.finish(groups) if isinstance(query, Steps) else query(rows(one))
                yield one, catalog.engine.query(sql)


def _text(standard: Standard, rows: Sql, step: str) -> str | None:
    query = standard.additive.query
    return getattr(query, step)(rows).text if isinstance(query, Steps) else None


def _alike(standards: Sequence[Standard], text: Callable[[Standard], str | None]) -> list[list[Standard]]:
    families: dict[str | None, list[Standard]] = {}
    for one in standards:
        families.setdefault(text(one), []).append(one)
    return list(families.values())


@contextmanager
def _step(catalog: Catalog, standard: Standard, rows: Sql, step: str) -> Iterator[Sql]:
    """The rows after a step, in memory; as they are for a query in one piece."""
    query = standard.additive.query
    if isinstance(query, Steps):
        with catalog.engine.kept(getattr(query, step)(rows)) as kept:
            yield kept
    else:
        yield rows
