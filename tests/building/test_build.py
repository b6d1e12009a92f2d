"""Stored aggregates brought up to date in any steps are those of one pass over the logs; and pages read them."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates import batch_rows, day_facts
from analytics.aggregates.additive import Additive, Standard, definition_of, read_added
from analytics.aggregates.store import Part
from analytics.aggregates.stored_days import attach, attached
from analytics.building import build as builds
from analytics.building import standard as standards
from analytics.building.build import build
from analytics.building.verify import verify
from analytics.engines.text import Sql
from analytics.project import read_project
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows
from tests.aggregates.memory_parts import counting

KEYS = "window_key, block_key, version, segment"
START = datetime(2026, 3, 27, tzinfo=UTC)  # two days before the clocks change in Berlin
PROJECT = """
name = "Small"
time_zone = "Europe/Berlin"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
version = "version"
segments = ["carrier"]
[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
"""


def _labelled(rows: Sql) -> Sql:
    return Sql(
        f"SELECT {KEYS}, label, count(*) AS n, sum(score) AS s, min(score) AS low, max(score) AS high "
        f"FROM ({rows.text}) GROUP BY {KEYS}, label",
        rows.parameters,
    )


def _unlabelled(rows: Sql) -> Sql:
    return Sql(f"SELECT {KEYS}, count(*) AS n FROM ({rows.text}) GROUP BY {KEYS}", rows.parameters)


LABELLED = Additive("labelled", _labelled, ("n", "s"), ("low",), ("high",))
UNLABELLED = Additive("unlabelled", _unlabelled, ("n",), labelled=False)
FINE = Additive("fine", _unlabelled, ("n",), grain="5min", labelled=False)
DAILY = Additive("fine", _unlabelled, ("n",), labelled=False)


def _family(catalog):
    return (
        Standard(LABELLED),
        Standard(LABELLED, ("carrier",)),
        Standard(UNLABELLED, ("carrier",)),
        Standard(DAILY),
        Standard(FINE),
    )


FAMILIES = list(standards.FAMILIES)


@pytest.fixture(autouse=True)
def _own_family(monkeypatch):
    monkeypatch.setattr(standards, "FAMILIES", [_family])


@pytest.fixture(autouse=True)
def _few_rows_a_batch(monkeypatch):
    monkeypatch.setattr(builds, "BATCH_ROWS", 40)
    monkeypatch.setattr(day_facts, "BATCH_REPORTS", 25)
    monkeypatch.setattr(day_facts, "LATENESS", timedelta(days=1))


class Logs:
    """A project folder whose logs come in pieces; ``rows`` and ``reports`` are all there will ever be."""

    def __init__(self, folder, seed: int, *, repeats: bool = False, days: int = 4) -> None:
        self.folder = folder
        for name in ("predictions", "labels"):
            (folder / name).mkdir(parents=True)
        (folder / "assay.toml").write_text(PROJECT)
        chance = random.Random(seed)
        self.rows = [
            (
                f"r{chance.randrange(120) if repeats else i}",
                START + timedelta(seconds=chance.randrange(days * 86_400)),
                chance.random(),
                chance.choice(["a", "b"]),
                chance.choice(["UA", "AA", None]),
            )
            for i in range(120)
        ]
        self.reports = [
            (row[0], chance.randrange(2), row[1] + timedelta(hours=chance.choice([0, 1, 30, 200])))
            for row in chance.choices(self.rows, k=90)
        ] + [("nobody", 1, START)]
        self.n = 0

    def add(self, rows, reports) -> list:
        """Files of these rows and reports."""
        self.n += 1
        made = []
        for folder, names, values in (
            ("predictions", ("id", "ts", "score", "version", "carrier"), rows),
            ("labels", ("id", "label", "label_ts"), reports),
        ):
            if values:
                columns = dict(zip(names, map(list, zip(*values, strict=True)), strict=True))
                if folder == "predictions":
                    columns["carrier"] = pa.array(columns["carrier"], pa.string())
                made.append(self.folder / folder / f"f{self.n:03d}.parquet")
                pq.write_table(pa.table(columns), made[-1])
        return made


@contextmanager
def _opened(folder):
    catalog = Catalog(read_project(folder / "assay.toml"))
    try:
        yield catalog, attached(catalog)
    finally:
        catalog.close()


def _build(folder):
    with _opened(folder) as (catalog, parts):
        return build(catalog, parts)


def _sorted(table, additive):
    keys = [name for name in table.column_names if name not in additive.added]
    return sorted(table.to_pylist(), key=lambda row: [str(row[name]) for name in keys])


def _check(folder, *, reads: int = 0, days: int = 5) -> None:
    """Answers from parts are those from the rows, for whole days, whichever way they are cut."""
    with _opened(folder) as (catalog, parts):
        for additive, segment, grain in (
            (LABELLED, None, "all"),
            (LABELLED, "carrier", "day"),
            (UNLABELLED, "carrier", "week"),
            (FINE, None, "5min"),
            (DAILY, None, "day"),
        ):
            zone = catalog.project.zone
            start = datetime(2026, 3, 27, tzinfo=zone).astimezone(UTC)
            end = (datetime(2026, 3, 27, tzinfo=zone) + timedelta(days=days)).astimezone(UTC)
            rows = scoped_rows(catalog, Scope(start=start, end=end, grain=grain), segment=segment)
            catalog.parts = parts
            with counting(catalog) as texts:
                stored, _ = read_added(catalog, rows, additive)
            assert len(texts) == reads, texts
            catalog.parts = None
            expected, _ = read_added(catalog, rows, additive)
            assert _sorted(stored, additive) == [
                pytest.approx(row, rel=1e-12) if isinstance(row, float) else _near(row)
                for row in _sorted(expected, additive)
            ]


def _near(row):
    return {name: pytest.approx(value, rel=1e-12) if name == "s" else value for name, value in row.items()}


def _pieces(logs, n_files, chance):
    """All rows and reports, in any order, cut into files of any size."""
    rows, reports = list(logs.rows), list(logs.reports)
    chance.shuffle(rows)
    chance.shuffle(reports)
    cuts = [sorted(chance.choices(range(len(all_) + 1), k=n_files - 1)) for all_ in (rows, reports)]
    bounds = [
        list(zip([0, *cut], [*cut, len(all_)], strict=True))
        for cut, all_ in zip(cuts, (rows, reports), strict=True)
    ]
    return [(rows[a:b], reports[c:d]) for (a, b), (c, d) in zip(*bounds, strict=True)]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), n_files=st.integers(1, 4), repeats=st.booleans(), removed=st.booleans())
def test_any_order_and_split_of_files_and_any_lateness_of_labels_is_as_one_pass(
    tmp_path_factory, seed, n_files, repeats, removed
):
    logs = Logs(tmp_path_factory.mktemp("logs"), seed, repeats=repeats)
    chance = random.Random(seed)
    files = []
    pieces = _pieces(logs, n_files, chance)
    logs.add([("first", START, 0.5, "a", None)], [("first", 1, START)])
    for rows, reports in pieces:
        files += logs.add(rows, reports)
        if chance.random() < 0.7:
            _build(logs.folder)
    if removed and files:
        gone = chance.choice(files)
        content = gone.read_bytes()
        gone.unlink()
        _build(logs.folder)
        _check(logs.folder)
        gone.with_name("back.parquet").write_bytes(content)
    _build(logs.folder)
    _check(logs.folder)


def _row(name: str, day: int):
    return (name, START + timedelta(days=day, hours=12), 0.5, "a", "UA")


def test_a_label_that_came_before_its_row_counts_when_the_row_comes(tmp_path):
    logs = Logs(tmp_path, 11)
    logs.add([_row("x", 0)], [("later", 1, START)])
    _build(tmp_path)
    logs.add([_row("y", 1)], [])
    _build(tmp_path)
    logs.add([_row("later", 3)], [])
    _build(tmp_path)
    _check(tmp_path)


def test_a_row_that_comes_back_on_another_day_takes_its_label_along(tmp_path):
    logs = Logs(tmp_path, 12)
    logs.add([_row("x", 0)], [])
    (file,) = logs.add([_row("moved", 1)], [])
    logs.add([], [("moved", 1, START + timedelta(days=2))])
    _build(tmp_path)
    file.unlink()
    _build(tmp_path)
    _check(tmp_path)
    logs.add([_row("moved", 3)], [])
    _build(tmp_path)
    _check(tmp_path)


def test_a_repeated_row_counts_again_when_the_first_goes(tmp_path):
    logs = Logs(tmp_path, 13)
    logs.add([_row("x", 0)], [("twice", 1, START)])
    (file,) = logs.add([_row("twice", 1)], [])
    logs.add([_row("twice", 3), _row("z", 3)], [])
    _build(tmp_path)
    _check(tmp_path)
    file.unlink()
    _build(tmp_path)
    _check(tmp_path)


def test_a_late_label_file_dirties_only_the_days_it_touches(tmp_path):
    logs = Logs(tmp_path, 1)
    logs.add(logs.rows, [])
    logs.add([], logs.reports[:1] + logs.reports[-1:])
    _build(tmp_path)
    again = _build(tmp_path)
    assert (again.parts, again.days) == (0, 0)
    day = logs.rows[0][1]
    logs.add([], [(logs.rows[0][0], 1, day + timedelta(days=40))])
    late = _build(tmp_path)
    assert late.days == 1
    assert late.parts == 2  # both aggregates of labels, and nothing of those without
    _check(tmp_path)


def test_a_new_file_of_predictions_is_all_that_is_read(tmp_path, monkeypatch):
    logs = Logs(tmp_path, 2)
    first = [row for row in logs.rows if row[1] < START + timedelta(days=2)]
    logs.add(first, logs.reports)
    _build(tmp_path)
    logs.add([(f"new{i}", START + timedelta(days=3, hours=12), 0.5, "a", "UA") for i in range(5)], [])
    read = []
    listed = batch_rows.listed
    monkeypatch.setattr(batch_rows, "listed", lambda paths: read.append(list(paths)) or listed(read[-1]))
    found = _build(tmp_path)
    assert (found.days, found.rows) == (1, 5)
    assert {path for paths in read for path in paths} == {str(tmp_path / "predictions" / "f002.parquet")}


def test_a_changed_definition_is_all_that_is_built(tmp_path, monkeypatch):
    logs = Logs(tmp_path, 3)
    logs.add(logs.rows, logs.reports)
    before = _build(tmp_path)

    def changed(rows: Sql) -> Sql:
        found = _unlabelled(rows)
        return Sql(found.text.replace("count(*)", "count(score)"), found.parameters)

    family = (*_family(None)[:2], Standard(Additive("other", changed, ("n",), labelled=False), ("carrier",)))
    monkeypatch.setattr(standards, "FAMILIES", [lambda _: family])
    again = _build(tmp_path)
    days = before.days
    assert again.parts == days
    assert again.kept == 2 * days


def test_a_build_that_is_killed_at_any_moment_goes_on_where_it_was(tmp_path):
    logs = Logs(tmp_path, 4)
    chance = random.Random(4)
    for rows, reports in _pieces(logs, 6, chance):
        logs.add(rows, reports)
    context = multiprocessing.get_context("fork")
    for attempt in range(4):
        # two at once, and both killed
        processes = [context.Process(target=_build, args=(tmp_path,)) for _ in range(2)]
        for process in processes:
            process.start()
        time.sleep(0.1 + 0.08 * attempt)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
    _build(tmp_path)
    _check(tmp_path)
    assert _build(tmp_path).parts == 0


def test_the_reference_is_built_again_only_when_its_rows_or_their_labels_change(tmp_path, monkeypatch):
    family = (Standard(LABELLED, (), "reference"), Standard(UNLABELLED, (), "reference"), Standard(LABELLED))
    monkeypatch.setattr(standards, "FAMILIES", [lambda _: family])
    logs = Logs(tmp_path, 9)
    logs.add(logs.rows, logs.reports)
    with (tmp_path / "assay.toml").open("a") as file:
        file.write('[reference]\npath = "reference"\n')
    (tmp_path / "reference").mkdir()
    known = [(f"known{i}", START - timedelta(days=30), i / 10, "a", "UA") for i in range(10)]
    (made,) = logs.add(known, [])
    made.rename(tmp_path / "reference" / "r.parquet")
    before = _build(tmp_path)
    logs.add([], [("known3", 1, START - timedelta(days=20))])
    late = _build(tmp_path)
    assert (late.parts, late.days) == (1, 0)
    assert before.parts == before.days + 2
    with _opened(tmp_path) as (catalog, parts):
        rows = scoped_rows(catalog, Scope(), "reference")
        with counting(catalog) as texts:
            stored = [read_added(catalog, rows, additive)[0] for additive in (LABELLED, UNLABELLED)]
        assert not texts
        catalog.parts = None
        expected = [read_added(catalog, rows, additive)[0] for additive in (LABELLED, UNLABELLED)]
        assert verify(catalog, parts).differences == ()
    # groups come in no order
    assert [sorted(table.to_pylist(), key=str) for table in stored] == [
        sorted(table.to_pylist(), key=str) for table in expected
    ]
    assert sorted(stored[0].column("n").to_pylist()) == [1, 9]


def test_verifying_finds_a_part_that_is_not_what_the_logs_say(tmp_path):
    logs = Logs(tmp_path, 10)
    logs.add(logs.rows, logs.reports)
    _build(tmp_path)
    with _opened(tmp_path) as (catalog, parts):
        assert verify(catalog, parts).differences == ()
        one, definition = next(iter(builds.kept_up_to_date(catalog).items()))
        day = parts.refresh().days[1]
        moment = day_facts.midnight(day)
        right = parts.read(definition, [moment]).table
        state = parts.refresh().state(day, labelled=True)
        for wrong, problem in (
            (
                right.set_column(right.schema.get_field_index("n"), "n", pc.add(right.column("n"), 1)),
                "n is not",
            ),
            (right.slice(1), "groups"),
            (
                right.set_column(right.schema.get_field_index("s"), "s", pc.add(right.column("s"), 1e-6)),
                "s is not",
            ),
        ):
            parts.store.write({definition: {moment: Part(state, wrong)}})
            (found,) = verify(catalog, parts).differences
            assert (found.aggregate, found.segments, found.day) == (definition.name, one.segments, day)
            assert problem in found.problem


def test_the_engine_of_a_build_takes_less_memory(tmp_path, monkeypatch):
    limits = []

    class Watched(Catalog):
        def __post_init__(self):
            super().__post_init__()
            table = self.engine.query("SELECT current_setting('memory_limit') AS most")
            limits.append(table.column("most")[0].as_py())

    monkeypatch.setattr(builds, "Catalog", Watched)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "stored"))
    logs = Logs(tmp_path, 2)
    logs.add(logs.rows, logs.reports)
    builds.bring_up_to_date(read_project(tmp_path / "assay.toml"))
    assert limits == ["1.1 GiB"]


def test_stretches_of_five_minutes_are_kept_of_the_last_days_only(tmp_path, monkeypatch):
    monkeypatch.setattr(builds, "FINE_DAYS", 2)
    logs = Logs(tmp_path, 8)
    logs.add(logs.rows, logs.reports)
    _build(tmp_path)
    with _opened(tmp_path) as (catalog, parts):
        days = parts.refresh().days
        found = {
            one.grain: parts.read(one, list(map(day_facts.midnight, days))).days for one in _kept(catalog)
        }
        whole = scoped_rows(catalog, Scope(start=START - timedelta(days=1), end=START + timedelta(days=9)))
        n = {sum(read_added(catalog, whole, one)[0].column("n").to_pylist()) for one in (FINE, DAILY)}
    assert len(found["day"]) == len(days)
    assert found["5min"] == frozenset(map(day_facts.midnight, days[-2:]))
    assert n == {len(logs.rows)}


def _kept(catalog):
    return [one for one in builds.kept_up_to_date(catalog).values() if one.name == "fine"]


def test_parts_are_left_out_as_of_an_instant_before_all_was_known(tmp_path):
    logs = Logs(tmp_path, 5)
    logs.add(logs.rows, logs.reports)
    _build(tmp_path)
    with _opened(tmp_path) as (catalog, parts):
        last = max(report[2] for report in logs.reports)
        days = [datetime(2026, 3, 27 + i) for i in range(4)]  # noqa: DTZ001
        definition = definition_of(catalog, Standard(LABELLED))
        assert len(parts.read(definition, days, last).days) == 4
        assert parts.read(definition, days, START).days == frozenset()
        plain = definition_of(catalog, Standard(UNLABELLED, ("carrier",)))
        known = START + timedelta(days=2, hours=-1)  # a local midnight but for the summer time
        early = parts.read(plain, days, known).days
        assert early
        assert early < frozenset(days)


def test_pages_say_when_and_of_how_many_rows(tmp_path):
    logs = Logs(tmp_path, 6)
    logs.add(logs.rows, logs.reports)
    began = datetime.now(UTC) - timedelta(seconds=1)
    _build(tmp_path)
    logs.add([("new", START + timedelta(days=20), 0.5, "a", None)], [])
    with _opened(tmp_path) as (catalog, parts):
        built = parts.built(builds.kept_up_to_date(catalog).values())
    assert built.rows == len(logs.rows)
    assert built.missing == 1
    assert began <= built.at <= datetime.now(UTC)


def test_a_project_without_anything_stored_is_as_before(tmp_path):
    logs = Logs(tmp_path, 7)
    logs.add(logs.rows, logs.reports)
    catalog = Catalog(read_project(tmp_path / "assay.toml"))
    assert attach(catalog) is None
    assert catalog.parts is None
    catalog.close()


def test_classes_and_columns_of_any_name_are_built(tmp_path, monkeypatch):
    """A quotation mark in the name of a class stood unquoted in the batch's list of columns, and nothing was built."""
    monkeypatch.setattr(standards, "FAMILIES", FAMILIES)
    (tmp_path / "predictions").mkdir()
    rows = [(START + timedelta(hours=hour), 0.2, 0.5, 0.3, "A", 'an "odd" one') for hour in range(30)]
    names = ("ts", "p0", "p1", "p2", "label", "decision")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "predictions/one.parquet")
    (tmp_path / "assay.toml").write_text(
        'name = "Odd"\n[predictions]\npath = "predictions/*.parquet"\ntask = "multiclass"\ntimestamp = "ts"\n'
        'label = "label"\ndecision = "decision"\n'
        "score = {'A' = 'p0', 'an \"odd\" one' = 'p1', \"d'or\" = 'p2'}\n"
    )
    assert _build(tmp_path).parts > 0
    with _opened(tmp_path) as (catalog, parts):
        assert not verify(catalog, parts).differences
