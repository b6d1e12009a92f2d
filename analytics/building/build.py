"""Bring stored aggregates up to date: only days whose files changed, only aggregates whose definition did.

Days are taken in batches of some million rows. The rows of a batch are joined with their labels once, into a narrow
table in memory that every aggregate of labels reads; aggregates without labels read the log files themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.additive import Standard, definition_of
from analytics.aggregates.batch_rows import only_days, reference_rows, rows_of_days
from analytics.aggregates.batches import answers
from analytics.aggregates.day_facts import Facts, midnight
from analytics.aggregates.store import Part
from analytics.aggregates.stored_days import ProjectParts, attached, store_of
from analytics.building.standard import KEPT, standard
from analytics.engines.duckdb import DuckDBEngine
from analytics.project import Project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.cluster import reading
from analytics.telemetry.parts import WHOLE, Definition

BATCH_ROWS = 2_500_000
"""A batch with labels and what is prepared of them takes some 250 bytes a row in memory."""
MOST_MEMORY = "1200MB"
"""Of the engine in a build, which spills beyond; the process takes some 400 MB more (1.5 GB at 20 million rows)."""
FINE_DAYS = 7
"""Aggregates in stretches of five minutes are kept of so many days at the end of the log."""
QUERY_SECONDS = 3600.0
LOCK = "building.lock"


@dataclass(frozen=True)
class Progress:
    """How far a build is.

    Attributes:
        rows: rows read so far, once for aggregates with labels and once for those without.
        all_rows: how many there are to read.
        stage: what is being done, for people.
    """

    rows: int
    all_rows: int
    stage: str


@dataclass(frozen=True)
class Build:
    """What a build did.

    Attributes:
        days: days of which something was made anew.
        parts: parts made.
        rows: rows of these days.
        kept: parts that were still right.
        aggregates: how many aggregates are kept up to date.
        n_bytes: size of everything stored.
        damaged: stored files that could not be read and were made anew.
        seconds: how long it took.
    """

    days: int
    parts: int
    rows: int
    kept: int
    aggregates: int
    n_bytes: int
    damaged: int
    seconds: float


@dataclass
class _Work:
    """The aggregates of one kind (with labels, or without) and the days that each lacks."""

    labelled: bool
    lacking: list[tuple[Standard, Definition, frozenset[date]]] = field(default_factory=list)

    @property
    def days(self) -> list[date]:
        """Days that some aggregate lacks, the newest first."""
        return sorted({day for _, _, days in self.lacking for day in days}, reverse=True)


def build(catalog: Catalog, parts: ProjectParts, tell: Callable[[Progress], None] = lambda _: None) -> Build:
    """Make every part that is missing or outdated, the newest days first.

    Several processes may do so at once: whoever comes second begins with the oldest days, and before every batch both
    see what the other has done. A process that is killed leaves what it finished.

    Args:
        catalog: the project's views.
        parts: what is stored of it (`analytics.aggregates.stored_days.attach`).
        tell: called with the progress, from this thread.

    Raises:
        StoreError: the store cannot be written to.
        FileVanishedError: a log file was deleted meanwhile; what was finished stays.
    """
    start = time.monotonic()
    store = parts.store
    with _patient(catalog), store.shelf.lock(LOCK) as first:
        tell(Progress(0, 0, "looking at new files"))
        facts = parts.refresh()
        wanted = list(kept_up_to_date(catalog).items())
        made = _build_reference(catalog, parts, wanted)
        works = _plan(parts, facts, wanted)
        lacking = sum(len(days) for work in works for _, _, days in work.lacking)
        more, done = _work_off(catalog, parts, works, tell, reverse=not first)
        made += more
        if isinstance(catalog.engine, DuckDBEngine):
            # these are the questions of pages, not in the portable subset: where a cluster builds, a page asks first
            for keep in KEPT:
                keep(catalog, facts)
        tell(Progress(1, 1, "tidying up"))
        if first:
            store.tidy([definition.key for _, definition in wanted])
    everything = sum(len(days_of(definition, facts)) for _, definition in wanted)
    return Build(
        len(done),
        made,
        sum(facts.rows(day) for day in done),
        everything - lacking,
        len(wanted),
        store.n_bytes,
        len(store.damaged),
        time.monotonic() - start,
    )


def _work_off(
    catalog: Catalog,
    parts: ProjectParts,
    works: Sequence[_Work],
    tell: Callable[[Progress], None],
    *,
    reverse: bool = False,
) -> tuple[int, set[date]]:
    """Make what is lacking, a batch of days after the other: how many parts were made, and of which days."""
    facts = parts.refresh()
    all_rows = sum(facts.rows(day) for work in works for day in work.days)
    rows = made = 0
    done: set[date] = set()
    for work in works:
        for days in _batches(facts, work.days, reverse=reverse, most=_most(catalog)):
            stage = f"{min(days)} to {max(days)}{', with labels' if work.labelled else ''}"
            tell(Progress(rows, all_rows, stage))
            made += _build_batch(catalog, parts, work, days)
            rows += sum(facts.rows(day) for day in days)
            done |= set(days)
    return made, done


def bring_up_to_date(
    project: Project, tell: Callable[[Progress], None] = lambda _: None, *, anew: bool = False
) -> Build:
    """Open the logs of a project by themselves, so that no page waits, and build what is missing.

    Args:
        project: the project.
        tell: called with the progress.
        anew: forget everything that is stored first.

    Raises:
        ProjectError: there are no predictions to aggregate.
        StoreError, FileVanishedError: as `build`.
    """
    project.require_predictions()
    store = store_of(project)
    if anew:
        store.forget()
    catalog = Catalog(project, memory=store, most_memory=MOST_MEMORY)
    try:
        with reading(catalog) as answered:
            return build(answered, attached(answered), tell)
    finally:
        catalog.close()


def kept_standards(catalog: Catalog) -> tuple[Standard, ...]:
    """The aggregates that are kept up to date."""
    return tuple(kept_up_to_date(catalog))


def kept_up_to_date(catalog: Catalog) -> dict[Standard, Definition]:
    """Every standard aggregate and what its parts are kept under; one that two families name is there once."""
    parts = catalog.parts
    states = () if parts is None else tuple(parts.reference_state(labelled=one) for one in (False, True))
    key = ("kept up to date", states)
    known: dict[Standard, Definition] | None = catalog.answered.get(key)
    if known is None:
        found = {definition_of(catalog, one).key: one for one in standard(catalog)}
        known = {one: definition_of(catalog, one) for one in found.values()}
        catalog.answered[key] = known
    return dict(known)


def day_batches(
    catalog: Catalog, facts: Facts, standards: Sequence[Standard], days: Iterable[date], *, labelled: bool
) -> Iterator[tuple[list[date], Iterator[tuple[Standard, pa.Table]]]]:
    """Answer aggregates over days, some million rows at a time: batches of days, and in each every aggregate's answer.

    Args:
        catalog: the project's views.
        facts: which files the days are in.
        standards: aggregates of predictions, all with labels or all without.
        days: those wanted.
        labelled: whether the aggregates read labels.
    """
    for batch in _batches(facts, sorted(days), reverse=False, most=_most(catalog)):
        with rows_of_days(catalog, facts, batch, standards, labelled=labelled) as base:
            yield batch, answers(catalog, base, standards)


def split_by_day(
    table: pa.Table, definition: Definition, zone: ZoneInfo, keys: Sequence[str] = ()
) -> dict[datetime, pa.Table]:
    """An answer cut by the local day of its windows, the rows of each day in the order of some columns.

    In the order of what they are grouped by, rows take a fifth less on disk.
    """
    moments = table.column("window_key").cast(pa.timestamp("us"))
    if definition.grain != "day":
        instants = pc.assume_timezone(moments, "UTC").cast(pa.timestamp("us", str(zone)))
        moments = pc.local_timestamp(instants)
    days = pc.floor_temporal(moments, unit="day").combine_chunks().cast(pa.int64())
    sorted_by = pa.table({str(place): table.column(name) for place, name in enumerate(keys)} | {"day": days})
    names = ["day", *sorted_by.column_names[:-1]]
    order = pc.sort_indices(sorted_by, sort_keys=[(name, "ascending") for name in names])
    table, ordered = table.take(order), days.take(order)
    lengths = pc.run_end_encode(ordered)
    starts = [0, *lengths.run_ends.to_pylist()[:-1]] if len(ordered) else []
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001  # a local day
    return {
        epoch + timedelta(microseconds=value): table.slice(begin, end - begin)
        for value, begin, end in zip(
            lengths.values.to_pylist(), starts, lengths.run_ends.to_pylist(), strict=True
        )
    }


# ------------------------------------------------------------------ the plan


def _plan(
    parts: ProjectParts, facts: Facts, wanted: Sequence[tuple[Standard, Definition]]
) -> tuple[_Work, ...]:
    works = (_Work(labelled=False), _Work(labelled=True))
    for one, definition in wanted:
        days = days_of(definition, facts)
        missing = parts.missing(definition, days)
        if missing:
            works[definition.labelled].lacking.append((one, definition, frozenset(missing)))
    return works


def days_of(definition: Definition, facts: Facts) -> list[date]:
    """The days of which parts of a definition are kept."""
    if definition.source == "reference":
        return []
    return facts.days if definition.grain == "day" else facts.days[-FINE_DAYS:]


def _most(catalog: Catalog) -> int:
    """Rows that the engine takes at a time."""
    most: int = getattr(catalog.engine, "batch_rows", BATCH_ROWS)
    return most


def _batches(facts: Facts, days: Sequence[date], *, reverse: bool, most: int) -> Iterator[list[date]]:
    """Days that lie together in time, of so many rows at most (or one day)."""
    batch: list[date] = []
    size = 0
    for day in reversed(days) if reverse else days:
        rows = facts.rows(day)
        if batch and size + rows > most:
            yield sorted(batch)
            batch, size = [], 0
        batch.append(day)
        size += rows
    if batch:
        yield sorted(batch)


# ------------------------------------------------------------------ the work


def _build_reference(
    catalog: Catalog, parts: ProjectParts, wanted: Sequence[tuple[Standard, Definition]]
) -> int:
    lacking: dict[Standard, tuple[Definition, str]] = {}
    for one, definition in wanted:
        if definition.source == "reference":
            state = parts.reference_state(labelled=definition.labelled)
            if state not in parts.store.states(definition.key).get(WHOLE, frozenset()):
                lacking[one] = (definition, state)
    found: dict[Definition, dict[datetime, Part]] = {}
    for labelled in (False, True):
        mine = [one for one in lacking if one.additive.labelled is labelled]
        if mine:
            for one, table in reference_answers(catalog, parts.refresh(), mine, labelled=labelled):
                definition, state = lacking[one]
                found[definition] = {WHOLE: Part(state, table if table.num_rows else None)}
    parts.store.write(found)
    return len(found)


def _build_batch(catalog: Catalog, parts: ProjectParts, work: _Work, days: list[date]) -> int:
    """Make what is missing of some days, unless another process did meanwhile."""
    facts = parts.refresh()
    lacking: dict[Standard, tuple[Definition, list[date]]] = {}
    for one, definition, mine in work.lacking:
        missing = parts.missing(definition, [day for day in days if day in mine])
        if missing:
            lacking[one] = (definition, missing)
    if not lacking:
        return 0
    needed = sorted({day for _, missing in lacking.values() for day in missing})
    found: dict[Definition, dict[datetime, Part]] = {}
    with rows_of_days(catalog, facts, needed, list(lacking), labelled=work.labelled) as base:
        for some, alike in _by_days(lacking):
            rows = base if list(some) == needed else only_days(base, some, catalog.project.zone)
            for one, table in answers(catalog, rows, alike):
                definition = lacking[one][0]
                keys = [name for name in table.column_names if name not in one.additive.added]
                tables = split_by_day(table, definition, catalog.project.zone, keys)
                found[definition] = {
                    midnight(day): Part(
                        facts.state(day, labelled=definition.labelled), tables.get(midnight(day))
                    )
                    for day in some
                }
    parts.store.write(found)
    return sum(len(made) for made in found.values())


def _by_days(
    lacking: Mapping[Standard, tuple[Definition, list[date]]],
) -> list[tuple[tuple[date, ...], list[Standard]]]:
    """Aggregates that lack the same days, together."""
    found: dict[tuple[date, ...], list[Standard]] = {}
    for one, (_, days) in lacking.items():
        found.setdefault(tuple(days), []).append(one)
    return list(found.items())


@contextmanager
def _patient(catalog: Catalog) -> Iterator[None]:
    """No page waits for what a build asks."""
    before = catalog.engine.query_seconds
    catalog.engine.query_seconds = QUERY_SECONDS
    try:
        yield
    finally:
        catalog.engine.query_seconds = before


def reference_answers(
    catalog: Catalog, facts: Facts, standards: Sequence[Standard], *, labelled: bool
) -> Iterator[tuple[Standard, pa.Table]]:
    """Answer aggregates of the reference, all with labels or all without."""
    with reference_rows(catalog, facts, standards, labelled=labelled) as rows:
        yield from answers(catalog, rows, standards)
