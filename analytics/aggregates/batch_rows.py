"""The rows that a build reads: those of some days, or of the reference, beside their labels, read and joined once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.aggregates.additive import EVER, Standard, canonical_rows, local_midnight
from analytics.aggregates.batches import with_columns
from analytics.aggregates.day_facts import Facts, keyed_files, labels_in, listed
from analytics.engines.text import Sql, identifier, literal
from analytics.scope import Grain, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import KeyedRows, block_grain, key_column, labelled_rows, window_key


@contextmanager
def reference_rows(
    catalog: Catalog, facts: Facts, standards: Sequence[Standard], *, labelled: bool
) -> Iterator[Sql]:
    """The rows of the reference, with their labels or without: joined once for all aggregates."""
    if not labelled:
        yield Sql("SELECT * FROM reference")
        return
    rows = with_its_labels(catalog, facts, labelled_rows(catalog, Scope(), "reference", EVER))
    text = f"SELECT {', '.join(_columns(catalog, rows, standards))} FROM ({rows.text})"
    with catalog.engine.kept(Sql(text, rows.parameters)) as kept:
        yield kept


def with_its_labels(catalog: Catalog, facts: Facts, rows: Sql) -> Sql:
    """Rows of the reference for which only those label files are read that are about it: of long logs, few."""
    if "reference" not in catalog.feeds or not catalog.has_label_feed:
        return rows
    about = [key for key, file in facts.labels.items() if file.reference]
    return Sql(f"WITH {_labels_in(catalog, about)} {rows.text}", rows.parameters)


def only_days(base: Sql, days: Sequence[date], zone: ZoneInfo) -> Sql:
    """Rows of some of the days: those in five minutes are of the last few only."""
    return replace(base, text=f"SELECT * FROM ({base.text}) WHERE {_within(days, zone)}")


@contextmanager
def rows_of_days(
    catalog: Catalog,
    facts: Facts,
    days: Sequence[date],
    standards: Sequence[Standard],
    *,
    labelled: bool,
) -> Iterator[Sql]:
    """The rows of some days with what aggregates need, their windows' keys among it.

    Args:
        catalog: the project's views.
        facts: which files the days are in.
        days: those wanted, in order.
        standards: aggregates of predictions, all with labels or all without.
        labelled: whether they read labels.
    """
    zone = catalog.project.zone
    first, last = local_midnight(days[0], zone), local_midnight(days[-1] + timedelta(days=1), zone)
    files = keyed_files(catalog, "predictions")
    paths = sorted(str(files[key].path) for key in {key for day in days for key in facts.files(day)})
    cut = f"SELECT * FROM main.predictions WHERE file IN ({listed(paths)}) AND {_within(days, zone)}"
    grains: dict[Grain, None] = {}
    for one in standards:
        grain: Grain = one.additive.grain
        grains |= {grain: None, block_grain(catalog.predictions.block, grain): None}
    keys = ", ".join(f"{_quick_key(grain, catalog, first, last)} AS {key_column(grain)}" for grain in grains)
    if not labelled:
        yield KeyedRows(f"SELECT *, {keys} FROM ({cut})")
        return
    rows = labelled_rows(catalog, Scope(), "predictions", EVER)
    views = [f"predictions AS ({cut})"]
    columns = _columns(catalog, rows, standards)
    if catalog.has_label_feed:
        views.append(_labels_in(catalog, {key for day in days for key in facts.label_files(day)}))
    text = f"WITH {', '.join(views)} SELECT {', '.join(columns)}, {keys} FROM ({rows.text})"
    prepared = with_columns(KeyedRows(text, rows.parameters), standards)
    with catalog.engine.kept(prepared) as kept:
        yield type(prepared)(kept.text)


def _labels_in(catalog: Catalog, keys: Iterable[str]) -> str:
    files = keyed_files(catalog, "labels")
    return labels_in(str(files[key].path) for key in keys)


def _columns(catalog: Catalog, rows: Sql, standards: Sequence[Standard]) -> list[str]:
    """The columns that some aggregate's text names."""
    texts = "\n".join(
        one.additive.query(canonical_rows(catalog, one, Sql("SELECT * FROM batch"))).text for one in standards
    )
    names = (
        catalog.engine.query(Sql(f"DESCRIBE {rows.text}", rows.parameters)).column("column_name").to_pylist()
    )
    return [identifier(name) for name in names if _named(name, texts)]


def _named(name: str, text: str) -> bool:
    if re.fullmatch(r"\w+", name):
        return re.search(rf"\b{re.escape(name)}\b", text) is not None
    return name.replace('"', '""') in text


def _quick_key(grain: Grain, catalog: Catalog, first: datetime, last: datetime) -> str:
    """`window_key` for rows between two instants: by whole numbers where the zone's clocks do not change meanwhile."""
    plain = window_key(grain, catalog.project.time_zone)
    if grain not in {"5min", "hour", "day"} or first.year < 1970:
        return plain
    zone = catalog.project.zone if grain == "day" else UTC
    hours = int((last - first).total_seconds() // 3600) + 1
    offsets = {(first + timedelta(hours=n)).astimezone(zone).utcoffset() for n in range(hours + 1)}
    if len(offsets) > 1:
        return plain
    offset = offsets.pop()
    ahead = 0 if offset is None else round(offset.total_seconds() * 1_000_000)
    step = {"5min": 300, "hour": 3600, "day": 86_400}[grain] * 1_000_000
    return f"make_timestamp((epoch_us(ts) + {ahead}) // {step} * {step})"


def _stretches(days: Sequence[date]) -> list[tuple[date, date]]:
    """First and last day of days that follow one another."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and found[-1][1] + timedelta(days=1) == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _within(days: Sequence[date], zone: ZoneInfo) -> str:
    """The condition that rows are of certain days; the outermost instants first, which prune files and row groups."""
    bounds = [
        (local_midnight(begin, zone), local_midnight(end + timedelta(days=1), zone))
        for begin, end in _stretches(days)
    ]
    outer = _between(bounds[0][0], bounds[-1][1])
    if len(bounds) == 1:
        return outer
    return f"{outer} AND ({' OR '.join(f'({_between(*one)})' for one in bounds)})"


def _between(first: datetime, last: datetime) -> str:
    return f"ts >= {_literal(first)} AND ts < {_literal(last)}"


def _literal(moment: datetime) -> str:
    return f"CAST({literal(moment.isoformat())} AS TIMESTAMP WITH TIME ZONE)"
