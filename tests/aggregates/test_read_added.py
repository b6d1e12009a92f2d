"""Answers from parts equal answers from the rows, for every way a question is cut; what parts cannot answer is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.aggregates.additive import Additive, Standard, held_rows, read_added, shown
from analytics.engines.text import Sql
from analytics.project import read_project
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import Stored
from analytics.telemetry.rows import scoped_rows
from tests.aggregates.memory_parts import MemoryParts, counting
from tests.conftest import ROOT

NEW_YORK = ZoneInfo("America/New_York")
KEYS = "window_key, block_key, version, segment, label"


def _query(rows: Sql) -> Sql:
    return Sql(
        f"SELECT {KEYS}, count(*) AS n, sum(weight * score) AS s, min(score) AS low, max(score) AS high "
        f"FROM ({rows.text}) GROUP BY {KEYS}",
        rows.parameters,
    )


COUNTS = Additive("counts", _query, ("n", "s"), ("low",), ("high",))
FINE = Additive("fine", _query, ("n", "s"), ("low",), ("high",), grain="5min")


@pytest.fixture(scope="module")
def catalog():
    opened = Catalog(read_project(ROOT / "sample_logs" / "flights"))
    yield opened
    opened.close()


@pytest.fixture
def flights(catalog):
    yield catalog
    catalog.parts = None


def _local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=NEW_YORK).astimezone(UTC)


START, END = _local(2013, 7, 1), _local(2013, 9, 1)
CARRIER, ORIGIN = Filter("segment", "carrier", "UA"), Filter("segment", "origin", "JFK")


def _rows(table):
    names = KEYS.split(", ")
    return sorted(table.to_pylist(), key=lambda row: [str(row[name]) for name in names])


def _same(catalog, scope, additive, *, reads: int, segment=None, source="predictions", now=None):
    rows = scoped_rows(catalog, scope, source, segment=segment, now=now)
    with counting(catalog) as read:
        table, text = read_added(catalog, rows, additive)
    assert len(read) == reads, read
    parts, catalog.parts = catalog.parts, None
    expected, expected_text = read_added(catalog, rows, additive)
    catalog.parts = parts
    assert text == expected_text
    assert _rows(table) == [
        pytest.approx(row, rel=1e-12) if isinstance(row, float) else _approximately(row)
        for row in _rows(expected)
    ]
    assert table.column_names == expected.column_names
    return table


def _approximately(row):
    return {name: pytest.approx(value, rel=1e-12) if name == "s" else value for name, value in row.items()}


@pytest.mark.parametrize("grain", ["day", "week", "month", "all"])
@pytest.mark.parametrize("by", [None, "carrier"])
def test_whole_days_are_answered_without_reading_a_row(flights, grain, by):
    stored = MemoryParts(flights, [Standard(COUNTS), Standard(COUNTS, ("carrier",))])
    _same(flights, Scope(START, END, grain=grain, by=by), COUNTS, reads=0)
    assert stored.asked


@pytest.mark.parametrize("grain", ["5min", "15min", "hour", "day", "week", "all"])
def test_finer_parts_answer_finer_windows(flights, grain):
    MemoryParts(flights, [Standard(FINE)])
    _same(flights, Scope(_local(2013, 7, 1), _local(2013, 7, 4), grain=grain), FINE, reads=0)


def test_only_the_days_at_the_edges_are_read(flights):
    MemoryParts(flights, [Standard(COUNTS)])
    _same(flights, Scope(_local(2013, 7, 1, 15, 30), _local(2013, 7, 9, 8), grain="all"), COUNTS, reads=2)


def test_a_day_without_a_part_is_read(flights):
    days = (datetime.fromisoformat(day) for day in ("2013-07-09", "2013-07-10", "2013-08-02"))
    MemoryParts(flights, [Standard(COUNTS)], [*days])
    _same(flights, Scope(START, END, grain="week"), COUNTS, reads=2)


def test_filters_on_one_segment_choose_among_its_parts(flights):
    MemoryParts(flights, [Standard(COUNTS, ("carrier",))])
    _same(flights, Scope(START, END, grain="week", filters=(CARRIER,)), COUNTS, reads=0)
    both = (CARRIER, Filter("segment", "carrier", "AA"))
    _same(flights, Scope(START, END, grain="all", filters=both, by="carrier"), COUNTS, reads=0)


def test_a_pair_answers_one_segment_inside_another(flights):
    pairs = flights.project.aggregates.model_copy(update={"pairs": (("origin", "carrier"),)})
    flights.project = flights.project.model_copy(update={"aggregates": pairs})
    MemoryParts(flights, [Standard(COUNTS, ("origin", "carrier"))])
    _same(flights, Scope(START, END, grain="month", filters=(ORIGIN,), by="carrier"), COUNTS, reads=0)
    _same(flights, Scope(START, END, grain="month", filters=(CARRIER,), by="origin"), COUNTS, reads=0)


@pytest.mark.parametrize(
    "scope",
    [
        Scope(START, END, filters=(CARRIER, ORIGIN)),
        Scope(START, END, filters=(Filter("outcome", "outcome", "fp"),)),
        Scope(START, END, grain="hour"),
        Scope(None, END),
        Scope(START, END, as_of=_local(2013, 8, 20)),
    ],
)
def test_what_parts_cannot_answer_is_read(flights, scope):
    MemoryParts(flights, [Standard(COUNTS), Standard(COUNTS, ("carrier",))])
    _same(flights, scope, COUNTS, reads=1)


class _OnlyEmptyDays(MemoryParts):
    """Knows of days before the logs that they are empty, and has no part."""

    def read(self, definition, days, as_of=None):
        del definition, as_of
        return Stored(None, frozenset(day for day in days if day.year < 2013))


def test_known_empty_days_alone_cut_no_question_into_pieces(flights):
    _OnlyEmptyDays(flights, [])
    rows = scoped_rows(flights, Scope(start=_local(2012, 12, 1), end=END))
    with counting(flights) as read:
        table, _ = read_added(flights, rows, COUNTS)
    assert read == [COUNTS.query(rows).text]
    assert sum(table.column("n").to_pylist()) > 0


def test_versions_are_chosen(flights):
    MemoryParts(flights, [Standard(COUNTS)])
    some = tuple(name for name in flights.versions if name is not None)[:1]
    _same(flights, Scope(START, END, grain="week", versions=some), COUNTS, reads=0)


def test_the_reference_is_one_part(flights):
    MemoryParts(flights, [Standard(COUNTS, (), "reference")])
    _same(flights, Scope(), COUNTS, reads=0, source="reference")


def test_held_rows_are_held_when_somebody_reads_them(flights):
    MemoryParts(flights, [Standard(COUNTS)])
    rows = scoped_rows(flights, Scope(START, END, grain="week"))
    with counting(flights) as read, held_rows(flights, rows, lambda asked: asked) as held:
        table, text = read_added(flights, held, COUNTS)
        assert not read
        assert shown(rows, held, text) == COUNTS.query(rows).text
        n = flights.engine.query(f"SELECT count(*) AS n FROM ({held.text})").column("n")[0].as_py()
        assert n == sum(table.column("n").to_pylist())
        assert shown(rows, held, _query(held).text) == _query(rows).text


def test_a_reference_whose_missing_labels_may_still_turn_absent_is_read(flights):
    """Its part says that they are absent, which becomes true of the last of them only when its time is over."""
    project, late = flights.project, timedelta(days=30)
    waits = project.labels.model_copy(update={"absent_after": late, "absent_means": 0})
    flights.project = project.model_copy(update={"labels": waits})
    try:
        MemoryParts(flights, [Standard(COUNTS, (), "reference")])
        ripe = flights.reference_extent[1] + late
        _same(flights, Scope(), COUNTS, reads=1, source="reference", now=ripe - timedelta(seconds=1))
        _same(flights, Scope(), COUNTS, reads=0, source="reference", now=ripe)
    finally:
        flights.project = project
