"""Parts on disk: what was written is read, whoever else writes, whoever is killed, whatever else lies there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates import store as stores
from analytics.aggregates.shelf import UNFINISHED, FolderShelf
from analytics.aggregates.store import Part, PartStore
from analytics.errors import StoreError
from analytics.telemetry.parts import Definition

ONE = Definition("one", "aaaa", labelled=True, source="predictions", grain="day")
OTHER = Definition("other", "bbbb", labelled=False, source="predictions", grain="day")
DAYS = [datetime(2026, 1, 1) + timedelta(days=i) for i in range(70)]  # noqa: DTZ001  # local days


def _table(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


def _store(folder) -> PartStore:
    return PartStore(FolderShelf(folder))


def _values(store, definition, wanted):
    found = store.read(definition.key, wanted)
    return sorted(found.table.column("n").to_pylist() if found.table is not None else []), sorted(found.days)


def test_parts_are_read_by_the_state_they_were_made_from(tmp_path):
    store = _store(tmp_path)
    store.write({ONE: {DAYS[0]: Part("s0", _table(1, 2)), DAYS[40]: Part("s1", _table(3))}})
    assert _values(store, ONE, {DAYS[0]: "s0", DAYS[40]: "s1"}) == ([1, 2, 3], [DAYS[0], DAYS[40]])
    assert _values(store, ONE, {DAYS[0]: "other", DAYS[40]: "s1"}) == ([3], [DAYS[40]])
    assert _values(store, OTHER, {DAYS[0]: "s0"}) == ([], [])


def test_a_day_without_rows_is_known_to_have_none(tmp_path):
    store = _store(tmp_path)
    store.write({ONE: {DAYS[0]: Part("s", None)}})
    assert _values(_store(tmp_path), ONE, {DAYS[0]: "s"}) == ([], [DAYS[0]])


def test_another_store_sees_what_was_written_since(tmp_path):
    reader, writer = _store(tmp_path), _store(tmp_path)
    assert not reader.exists
    writer.write({ONE: {DAYS[0]: Part("s", _table(1))}})
    time.sleep(reader.shelf.patience + 0.1)
    assert _values(reader, ONE, {DAYS[0]: "s"}) == ([1], [DAYS[0]])


writes = st.lists(
    st.tuples(
        st.booleans(),
        st.dictionaries(
            st.integers(0, 4), st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9))), min_size=1
        ),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(writes, st.sampled_from([2, 6]), st.booleans())
def test_any_writes_by_two_stores_leave_the_last_part_of_every_day(tmp_path_factory, done, most_files, tidy):
    folder = tmp_path_factory.mktemp("parts")
    both = _store(folder), _store(folder)
    expected: dict[datetime, tuple[str, list[int]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "MOST_FILES", most_files)
        for which, parts in done:
            days = {DAYS[i]: (f"s{state}", values) for i, (state, values) in parts.items()}
            both[which].write(
                {
                    ONE: {
                        day: Part(state, _table(*values) if values else None)
                        for day, (state, values) in days.items()
                    }
                }
            )
            expected |= days
        if tidy:
            both[0].tidy([ONE.key], now=time.time() + 2 * stores.GRACE_SECONDS)
    fresh = _store(folder)
    wanted = {day: state for day, (state, _) in expected.items()}
    assert _values(fresh, ONE, wanted) == (
        sorted(n for _, values in expected.values() for n in values),
        sorted(expected),
    )
    assert not fresh.damaged


def test_tidying_joins_manifests_and_removes_what_nobody_names(tmp_path):
    store = _store(tmp_path)
    for i in range(30):
        store.write({ONE: {DAYS[i % 5]: Part(f"s{i}", _table(i))}})
    (tmp_path / "parts" / ONE.key / "2026-01-orphan.parquet").write_bytes(b"left by a kill")
    (tmp_path / "parts" / ONE.key / f"{UNFINISHED}abc").write_bytes(b"half")
    store.tidy([ONE.key])
    assert (
        tmp_path / "parts" / ONE.key / "2026-01-orphan.parquet"
    ).exists()  # somebody may be about to name it
    later = time.time() + 2 * stores.GRACE_SECONDS
    store.tidy([ONE.key], now=later)
    assert len(list((tmp_path / "manifests").iterdir())) == 1
    assert len(list((tmp_path / "parts" / ONE.key).iterdir())) <= stores.MOST_FILES
    assert _values(_store(tmp_path), ONE, {DAYS[i]: f"s{25 + i}" for i in range(5)})[0] == list(range(25, 30))
    # and a second time there is nothing to do
    names = sorted(tmp_path.rglob("*"))
    store.tidy([ONE.key], now=later)
    assert sorted(tmp_path.rglob("*")) == names


def test_parts_of_definitions_that_are_used_no_longer_go_after_two_weeks(tmp_path):
    store = _store(tmp_path)
    store.write({ONE: {DAYS[0]: Part("s", _table(1))}, OTHER: {DAYS[0]: Part("s", _table(2))}})
    store.tidy([ONE.key], now=time.time() + stores.UNUSED_SECONDS - 60)
    assert _values(store, OTHER, {DAYS[0]: "s"})[0] == [2]
    store.tidy([ONE.key], now=time.time() + stores.UNUSED_SECONDS + 60)
    assert _values(store, OTHER, {DAYS[0]: "s"}) == ([], [])
    assert not list((tmp_path / "parts" / OTHER.key).iterdir())
    assert _values(_store(tmp_path), ONE, {DAYS[0]: "s"})[0] == [1]


def _damage(how: str, file) -> None:
    data = file.read_bytes()
    middle = len(data) // 3
    changed = {
        "cut": data[:middle],
        "foreign": b"not ours",
        "flipped": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "empty": b"",
    }
    file.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["cut", "foreign", "flipped", "empty", "gone"])
@pytest.mark.parametrize("what", ["parts/aaaa", "manifests"])
def test_a_damaged_file_is_left_out_and_counted_and_the_rest_is_read(tmp_path, what, how):
    store = _store(tmp_path)
    # many values, so that a flipped byte is one of a page and not of the footer
    store.write({ONE: {DAYS[0]: Part("s", _table(*range(5000)))}})
    store.write({OTHER: {DAYS[0]: Part("s", _table(7))}})
    file = min((tmp_path / what).iterdir())
    file.unlink() if how == "gone" else _damage(how, file)
    fresh = _store(tmp_path)
    assert _values(fresh, ONE, {DAYS[0]: "s"}) == ([], [])
    assert _values(fresh, OTHER, {DAYS[0]: "s"})[0] == [7]
    assert len(fresh.damaged) == (how != "gone")
    fresh.write({ONE: {DAYS[0]: Part("s", _table(1))}})
    assert _values(fresh, ONE, {DAYS[0]: "s"})[0] == [1]
    fresh.tidy([ONE.key, OTHER.key])
    assert _values(_store(tmp_path), ONE, {DAYS[0]: "s"})[0] == [1]


def test_a_file_that_another_process_joined_meanwhile_is_looked_for_again(tmp_path):
    reader, writer = _store(tmp_path), _store(tmp_path)
    writer.write({ONE: {DAYS[0]: Part("s", _table(1))}})
    assert reader.exists
    for i in range(1, 10):
        writer.write({ONE: {DAYS[i]: Part("s", _table(i))}})
    writer.tidy([ONE.key], now=time.time() + 2 * stores.GRACE_SECONDS)
    assert _values(reader, ONE, {DAYS[0]: "s"}) == ([1], [DAYS[0]])


def _write_for_ever(folder, which):
    store = _store(folder)
    i = 0
    while True:
        store.write({ONE: {DAYS[(i * 2 + which) % 60]: Part("s", _table((i * 2 + which) % 60))}})
        if i % 7 == 0:
            store.tidy([ONE.key], now=time.time() + 2 * stores.GRACE_SECONDS)
        i += 1


def test_killed_at_any_moment_two_writers_leave_only_whole_parts(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(4):
        writers = [context.Process(target=_write_for_ever, args=(tmp_path, which)) for which in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(0.15 + 0.07 * attempt)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        store = _store(tmp_path)
        values, days = _values(store, ONE, dict.fromkeys(DAYS, "s"))
        assert [DAYS[n] for n in values] == days
        assert not store.damaged


def test_a_place_that_cannot_be_written_to_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="ASSAY_AGGREGATES"):
        _store(tmp_path / "file").write({ONE: {DAYS[0]: Part("s", _table(1))}})


def test_only_one_holds_a_lock(tmp_path):
    shelf = FolderShelf(tmp_path)
    with shelf.lock("build") as first, shelf.lock("build") as second:
        assert (first, second) == (True, False)
    with shelf.lock("build") as again:
        assert again


def test_an_answer_is_kept_under_its_key(tmp_path):
    store = _store(tmp_path)
    assert store.recall("abc") is None
    store.keep("abc", _table(4))
    assert _store(tmp_path).recall("abc").equals(_table(4))
    (tmp_path / "kept" / "abc.parquet").write_bytes(b"PAR1")
    assert _store(tmp_path).recall("abc") is None


def test_parts_that_somebody_deleted_are_lacking_again(tmp_path):
    wanted = {DAYS[0]: "s", DAYS[40]: "s"}
    writer = _store(tmp_path)
    writer.write({ONE: {day: Part("s", _table(1)) for day in wanted}})
    for file in (tmp_path / "parts" / ONE.key).glob("2026-01-*.parquet"):
        file.unlink()
    fresh = _store(tmp_path)
    assert fresh.lacking(ONE.key, wanted) == [DAYS[0]]
    assert _values(fresh, ONE, wanted) == ([1], [DAYS[40]])
    fresh.write({ONE: {DAYS[0]: Part("s", _table(2))}})
    assert _values(_store(tmp_path), ONE, wanted) == ([1, 2], sorted(wanted))


def test_what_is_forgotten_is_forgotten_whole(tmp_path):
    store = _store(tmp_path)
    store.write({ONE: {DAYS[0]: Part("s", _table(1))}})
    store.keep("answer", _table(3))
    store.shelf.write("facts/abc/1.parquet", b"facts")
    store.forget()
    assert store.recall("answer") is None
    assert [file for file in tmp_path.rglob("*") if file.is_file() and file.suffix == ".parquet"] == []
