"""Aggregates that add: the same grouped query is answered from the rows, or from parts that were stored by day.

The text of a query over the whole log, cut by local day, is the definition of an aggregate; its answer for one day is
a part. Parts add over days by summing (or taking the least, the greatest of) the columns that are no keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from analytics.aggregates.part_sums import Key, coarser, sums_of_parts
from analytics.engines.text import Sql
from analytics.scope import FINER, Filter, Grain, Scope, is_interval
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.live import Live
from analytics.telemetry.parts import WHOLE, Definition, PartGrain
from analytics.telemetry.rows import BETWEEN, ScopedRows, labelled_rows, segmented_rows, unlabelled_rows

EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""An instant at which every label that is still missing is called absent."""
MOST_GAPS = 6
"""Stretches of days without a part that are read one by one; with more, everything is read from the rows."""
_LONG: tuple[Grain, ...] = ("day", "week", "month", "all")
_ORDER: tuple[Grain, ...] = (*FINER, *_LONG)


@dataclass(frozen=True)
class Steps:
    """A query taken apart, so that a build takes once what several share: ``finish(condense(prepare(rows)))``.

    Attributes:
        prepare: rows -> the same rows with more columns, made row by row, whatever they are split by.
        condense: prepared rows -> groups as fine as any query of the family needs.
        finish: those groups -> the query's answer.
    """

    prepare: Callable[[Sql], Sql]
    condense: Callable[[Sql], Sql]
    finish: Callable[[Sql], Sql]

    def __call__(self, rows: Sql) -> Sql:
        """The whole query over rows."""
        return self.finish(self.condense(self.prepare(rows)))


@dataclass(frozen=True)
class Additive:
    """A grouped query whose answers over disjoint rows add.

    Attributes:
        name: for people and for folders.
        query: scoped rows -> one SELECT with GROUP BY; its columns are keys (window_key among them) but for those
            named below. It reads nothing but these rows, and the view ``reference`` where ``reference`` says so.
            As `Steps` it shares work with others in a build (see `analytics.aggregates.batches`).
        sums: columns that are summed.
        lows, highs: columns of which the least, the greatest counts.
        grain: how finely parts are cut.
        labelled: whether it reads labels; one that does not is not touched by late ones.
        reference: whether it reads the reference besides the rows.
    """

    name: str
    query: Callable[[Sql], Sql]
    sums: tuple[str, ...]
    lows: tuple[str, ...] = ()
    highs: tuple[str, ...] = ()
    grain: PartGrain = "day"
    labelled: bool = True
    reference: bool = False

    @cached_property
    def added(self) -> frozenset[str]:
        """The columns that are no keys."""
        return frozenset((*self.sums, *self.lows, *self.highs))


class Standard(NamedTuple):
    """An aggregate that is kept up to date: pages read it at their defaults."""

    additive: Additive
    segments: tuple[str, ...] = ()
    source: Source = "predictions"


def read_added(catalog: Catalog, rows: Sql, additive: Additive) -> tuple[pa.Table, str]:
    """Answer an additive query over scoped rows: from stored parts as far as there are any, else from the rows.

    Args:
        catalog: the project's views; `Catalog.parts` is what is stored.
        rows: scoped rows. Those that do not know their question (a plain `Sql`) are always read.
        additive: the query.

    Returns:
        The groups, in no order, and the SQL text that says what they are.
    """
    if isinstance(rows, ScopedRows):
        found = _from_parts(catalog, rows, additive)
        if found is not None:
            return found, additive.query(_asked(rows)).text
        if catalog.live is not None:
            asked = _asked(rows)
            return _live(catalog.live, asked, additive), additive.query(asked).text
    sql = additive.query(rows)
    return catalog.engine.query(sql), sql.text


def read_stored(catalog: Catalog, rows: Sql, additive: Additive) -> tuple[pa.Table, str] | None:
    """The answer from stored parts alone (and the rows at their edges); None where there are none for this question.

    For readers whose plain answer is not what parts hold: finer, or cheaper to ask for than the parts' own text.
    """
    if not isinstance(rows, ScopedRows):
        return None
    found = _from_parts(catalog, rows, additive)
    return None if found is None else (found, additive.query(_asked(rows)).text)


def _live(live: Live, rows: ScopedRows, additive: Additive) -> pa.Table:
    """Answer over rows on a cluster, which finds them in its own way."""
    now = rows.now or datetime.now(UTC)
    return live.query(
        lambda there: additive.query(segmented_rows(there, rows.scope, rows.source, rows.segments, now))
    )


# ------------------------------------------------------------------ rows that are held in memory only when read


class HeldRows(ScopedRows):
    """Scoped rows that are put into memory when somebody first reads them, and not where parts answer everything."""

    def __init__(self, asked: ScopedRows, hold: Callable[[], Sql]) -> None:
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "_hold", hold)
        object.__setattr__(self, "_held", None)
        for name in ("scope", "source", "segments", "now"):
            object.__setattr__(self, name, getattr(asked, name))

    asked: ScopedRows

    @property
    def is_held(self) -> bool:
        """Whether somebody has read them yet."""
        return self.__dict__["_held"] is not None

    @property
    def text(self) -> str:
        """The SELECT of what is held."""
        held: Sql | None = self.__dict__["_held"]
        if held is None:
            held = self.__dict__["_hold"]()
            object.__setattr__(self, "_held", held)
        return held.text

    @property
    def parameters(self) -> dict[str, Any]:
        """None: what is held needs no values."""
        return {}

    def shown(self, text: str) -> str:
        """A text over these rows as one over the logs."""
        held: Sql | None = self.__dict__["_held"]
        return text if held is None else text.replace(held.text, self.asked.text)


@contextmanager
def held_rows(catalog: Catalog, rows: Sql, columns: Callable[[Sql], Sql]) -> Iterator[Sql]:
    """Rows for several readers: put into memory once, and not before one of them reads rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        columns: the SELECT of what readers need of them.

    Yields:
        Rows for `read_added` and for any other reader.
    """
    with ExitStack() as stack:
        if isinstance(rows, ScopedRows) and (catalog.parts is not None or catalog.live is not None):
            asked = rows
            yield HeldRows(asked, lambda: stack.enter_context(catalog.engine.kept(columns(asked))))
        else:
            yield stack.enter_context(catalog.engine.kept(columns(rows)))


def shown(rows: Sql, held: Sql, text: str) -> str:
    """A text over held rows as one over the rows asked for."""
    return held.shown(text) if isinstance(held, HeldRows) else text.replace(held.text, rows.text)


def _asked(rows: ScopedRows) -> ScopedRows:
    return rows.asked if isinstance(rows, HeldRows) else rows


# ------------------------------------------------------------------ definitions


def canonical_rows(catalog: Catalog, standard: Standard, base: Sql | None = None) -> ScopedRows:
    """The rows whose groups are the parts of an aggregate: the whole log, cut as finely as parts are.

    Args:
        catalog: the project's views.
        standard: the aggregate.
        base: rows to read instead of the views' (a batch of days in memory); the definition is that of the views.
    """
    scope = Scope(grain=standard.additive.grain)
    return _rows(catalog, scope, standard.source, standard.segments, standard.additive, EVER, base)


def definition_of(catalog: Catalog, standard: Standard) -> Definition:
    """What the parts of an aggregate are kept under."""
    additive = standard.additive
    # of rows by any way of finding them: what makes rows and labels what they are is part of their meaning, and
    # neither a first label that comes a second time nor a cluster makes other parts of them
    base = Sql("SELECT * FROM labelled_rows" if additive.labelled else f"SELECT * FROM {standard.source}")
    sql = additive.query(canonical_rows(catalog, standard, base))
    parts = [sql.text, sorted((name, str(value)) for name, value in sql.parameters.items())]
    parts += [_meaning(catalog, sql.text), additive.sums, additive.lows, additive.highs]
    if additive.reference and catalog.parts is not None:
        parts.append(catalog.parts.reference_state(labelled=additive.labelled))
    key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:20]
    return Definition(additive.name, key, additive.labelled, standard.source, additive.grain)


def _meaning(catalog: Catalog, text: str) -> list[Any]:
    """What the columns of the views are made of, as far as a text reads them; which files they come from is no part."""
    project = catalog.project
    section = catalog.predictions.model_dump(mode="json", exclude={"path", "features", "segments", "private"})
    labels = project.labels.model_dump(mode="json", exclude={"path"}) if project.labels is not None else None
    roles = set(catalog.predictions.roles().values())
    types = [
        (name, kind) for name, kind in catalog.types.items() if name in roles or typed.column(name) in text
    ]
    return [section, labels, sorted(types), project.time_zone]


def _rows(  # noqa: PLR0917  # a question has so many parts
    catalog: Catalog,
    scope: Scope,
    source: Source,
    segments: tuple[str, ...],
    additive: Additive,
    now: datetime,
    base: Sql | None = None,
) -> ScopedRows:
    if base is None:
        base = (
            labelled_rows(catalog, scope, source, now)
            if additive.labelled
            else unlabelled_rows(scope, source)
        )
    return segmented_rows(catalog, scope, source, segments, now, base)


# ------------------------------------------------------------------ answers from parts


@dataclass(frozen=True)
class _Plan:
    """How a question is answered from parts: which are read, what else is read from the rows, and how all is cut.

    ``within``: of parts in stretches of five minutes only those in it count.
    """

    standard: Standard
    days: tuple[datetime, ...]
    edges: tuple[tuple[datetime, datetime], ...]
    chosen: frozenset[str] = frozenset()
    by: int | None = None
    only: int | None = None
    within: tuple[datetime, datetime] | None = None


def _from_parts(catalog: Catalog, rows: ScopedRows, additive: Additive) -> pa.Table | None:
    if catalog.parts is None:
        return None
    plan = _planned(catalog, rows, additive)
    if plan is None:
        return None
    definition = definition_of(catalog, plan.standard)
    settled = _settled(catalog, rows, plan.days, additive)
    stored = catalog.parts.read(definition, settled, rows.scope.as_of)
    if stored.table is None:
        # no part of it: that some days are known to be empty makes reading the others in pieces no cheaper
        return None
    if rows.source == "reference":
        gaps: list[tuple[datetime, datetime]] = []
    else:
        gaps = [*plan.edges, *_gaps(catalog, plan, stored.days)]
        if len(gaps) > MOST_GAPS:
            return None
    tables = [stored.table]
    for start, end in gaps:
        piece = replace(rows.scope, start=start, end=end, grain=additive.grain)
        read = _rows(
            catalog, piece, rows.source, plan.standard.segments, additive, rows.now or datetime.now(UTC)
        )
        live = catalog.live
        tables.append(
            catalog.engine.query(additive.query(read)) if live is None else _live(live, read, additive)
        )
    return _together(catalog, rows.scope, plan, tables)


def _planned(catalog: Catalog, rows: ScopedRows, additive: Additive) -> _Plan | None:
    scope = rows.scope
    split = split_of_parts(catalog, rows.segments, scope.filters)
    if split is None:
        return None
    segments, by, only, chosen = split
    standard = Standard(additive, segments, rows.source)
    if rows.source == "reference":
        ripe = not additive.labelled or _reference_is_ripe(catalog, rows.now or datetime.now(UTC))
        return _Plan(standard, (WHOLE,), (), chosen, by, only) if ripe else None
    finer = scope.grain in FINER
    if scope.start is None or scope.end is None or (finer and additive.grain != "5min"):
        return None
    if additive.grain == "5min" and _on_five_minutes(scope.start) and _on_five_minutes(scope.end):
        within = (scope.start, scope.end)
        return _Plan(standard, _touched(*within, catalog.project.zone), (), chosen, by, only, within)
    days, edges = _days(scope.start, scope.end, catalog)
    if not days:
        return None
    return _Plan(standard, days, edges, chosen, by, only)


def _reference_is_ripe(catalog: Catalog, now: datetime) -> bool:
    """Whether no missing label of the reference can still turn into an absent one."""
    labels = catalog.project.labels
    if labels is None or labels.absent_after is None or catalog.reference_extent is None:
        return True
    return catalog.reference_extent[1] + labels.absent_after <= now


def _on_five_minutes(moment: datetime) -> bool:
    return moment.timestamp() % 300 == 0


def _touched(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The local days of which a stretch holds anything (as naive midnights)."""
    first = start.astimezone(zone).date()
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    return tuple(datetime.combine(first + timedelta(days=n), time()) for n in range((last - first).days + 1))


def split_of_parts(  # noqa: PLR0911  # a reason each
    catalog: Catalog, by: tuple[str, ...], filters: Sequence[Filter]
) -> tuple[tuple[str, ...], int | None, int | None, frozenset[str]] | None:
    """Which segments parts must be split by, which of them is asked for, which is filtered on, and its values.

    None where no parts answer: of several filters, of one that is not on a segment, of a pair nobody declared.
    """
    if len(by) > 1:
        return None
    if not filters:
        return by, (0 if by else None), None, frozenset()
    names = {one.name for one in filters}
    if len(names) > 1 or any(one.kind != "segment" for one in filters):
        return None
    name = filters[0].name
    edges = catalog.segments[name].edges if name in catalog.segments else None
    values = frozenset(one.value for one in filters)
    if any(BETWEEN in value or (edges is not None and is_interval(value)) for value in values):
        return None  # an interval may be any, not one of those that parts are split by
    if not by or by == (name,):
        return (name,), (0 if by else None), 0, values
    for pair in catalog.project.aggregates.pairs:
        if set(pair) == {by[0], name}:
            return pair, pair.index(by[0]), pair.index(name), values
    return None


def _days(
    start: datetime, end: datetime, catalog: Catalog
) -> tuple[tuple[datetime, ...], tuple[tuple[datetime, datetime], ...]]:
    """The whole local days of a stretch (as naive midnights), and what sticks out at its ends."""
    zone = catalog.project.zone
    first, last = start.astimezone(zone), end.astimezone(zone)
    day = first.date()
    if local_midnight(first.date(), zone) < start:
        day += timedelta(days=1)
    until = last.date()
    days = []
    while day < until:
        days.append(datetime.combine(day, time()))
        day += timedelta(days=1)
    if not days:
        return (), ()
    opening, closing = local_midnight(days[0].date(), zone), local_midnight(until, zone)
    edges = [pair for pair in ((start, opening), (closing, end)) if pair[0] < pair[1]]
    return tuple(days), tuple(edges)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _settled(
    catalog: Catalog, rows: ScopedRows, days: Sequence[datetime], additive: Additive
) -> tuple[datetime, ...]:
    """Days whose missing labels do not turn into absent ones any more; all days where none ever do."""
    labels = catalog.project.labels
    if not additive.labelled or labels is None or labels.absent_after is None or rows.source == "reference":
        return tuple(days)
    until = min(moment for moment in (rows.now or datetime.now(UTC), rows.scope.as_of or EVER))
    zone = catalog.project.zone
    return tuple(
        day
        for day in days
        if local_midnight(day.date() + timedelta(days=1), zone) + labels.absent_after <= until
    )


def _gaps(catalog: Catalog, plan: _Plan, present: frozenset[datetime]) -> list[tuple[datetime, datetime]]:
    """Stretches of days of which no part is there."""
    zone = catalog.project.zone
    gaps: list[tuple[datetime, datetime]] = []
    for day in plan.days:
        if day in present:
            continue
        start, end = local_midnight(day.date(), zone), local_midnight(day.date() + timedelta(days=1), zone)
        if plan.within is not None:
            start, end = max(start, plan.within[0]), min(end, plan.within[1])
        if gaps and gaps[-1][1] == start:
            gaps[-1] = (gaps[-1][0], end)
        else:
            gaps.append((start, end))
    return gaps


def _together(catalog: Catalog, scope: Scope, plan: _Plan, tables: Sequence[pa.Table]) -> pa.Table:
    """Parts and pieces as the windows, versions and segment values that were asked for."""
    additive = plan.standard.additive
    whole = pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    keys = [_key(catalog, name, scope, plan) for name in whole.column_names if name not in additive.added]
    return sums_of_parts(whole, keys, lows=additive.lows, highs=additive.highs)


def _key(catalog: Catalog, name: str, scope: Scope, plan: _Plan) -> Key:
    """What a key of a part is called in the answer, and which of its values were asked for."""
    additive, of_log = plan.standard.additive, plan.standard.source == "predictions"
    grain: Grain = scope.grain if of_log else "all"
    counts: Callable[[Any], bool] | None = None
    match name:
        case "window_key":
            if plan.within is not None:
                first, last = (moment.astimezone(UTC).replace(tzinfo=None) for moment in plan.within)
                counts = lambda moment: first <= moment < last  # noqa: E731
            return Key(name, coarser(additive.grain, grain, catalog.project.zone), counts)
        case "block_key" if of_log and catalog.predictions.block != "none":
            block = catalog.predictions.block
            coarsest = grain if _ORDER.index(grain) < _ORDER.index(block) else block
            return Key(name, coarser(additive.grain, coarsest, catalog.project.zone))
        case "segment":
            by, only = (_value_of(plan, place) for place in (plan.by, plan.only))
            if plan.only is not None:
                counts = lambda value: only(value) in plan.chosen  # noqa: E731
            return Key(name, by, counts)
        case "version" if scope.versions and of_log:
            return Key(name, counts=lambda version: version is not None and version in scope.versions)
    return Key(name)


def _value_of(plan: _Plan, place: int | None) -> Callable[[str | None], str | None]:
    """The value of one segment in the text of those that parts are split by."""
    if place is None:
        return lambda _: None
    if len(plan.standard.segments) == 1:
        return lambda value: value
    return lambda value: None if value is None else value.split(BETWEEN)[place]
