"""Where the store is, and what is said where it cannot be."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from analytics.errors import StoreError
from analytics.store import Place, Store, add_decision, decisions, find_place
from analytics.store.sqlite import SQLiteDatabase

SAID = {"project": "P", "experiment": "e", "decided_by": "Ana", "decision": "ship", "content": "{}"}


def test_the_users_own_file(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    assert find_place("", {"XDG_DATA_HOME": str(tmp_path)}).address == str(
        tmp_path / "assay" / "store.sqlite3"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_place(None, {}).address == str(tmp_path / ".local" / "share" / "assay" / "store.sqlite3")
    # a relative one is no place: it would be another one in every folder
    assert find_place(None, {"XDG_DATA_HOME": "here"}).address.startswith(str(tmp_path))


@pytest.mark.parametrize(
    "platform,environment,part",
    [
        ("win32", {"LOCALAPPDATA": "/users/ana/local"}, "/users/ana/local/assay/"),
        ("darwin", {}, "/Library/Application Support/assay/"),
    ],
)
def test_other_platforms(monkeypatch, platform, environment, part):
    monkeypatch.setattr("sys.platform", platform)
    assert part in find_place(None, environment).address


def test_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_place(None, {"ASSAY_STORE": "team.db"}) == Place("sqlite", str(tmp_path / "team.db"))
    monkeypatch.setenv("ASSAY_STORE", "postgresql://db/assay")
    assert find_place() == Place("postgresql", "postgresql://db/assay")


@pytest.mark.parametrize(
    "text", ["mysql://db/assay", ":memory:", "file:x?mode=memory", "postgresql://h:nan/x", "a\0b"]
)
def test_no_place(text):
    with pytest.raises(StoreError, match="ASSAY_STORE"):
        find_place(text)


def test_a_password_is_never_shown():
    place = find_place("postgresql://ana:hunter2@[::1]:5433/assay?password=x")
    assert place.shown == "postgresql://ana@[::1]:5433/assay"
    assert "hunter2" not in repr(place) + str(place)
    assert place.without_secrets(f"bad: {place.address}; hunter2") == f"bad: {place.shown}; …"


def test_an_unreachable_server_is_said_without_the_password():
    pytest.importorskip("psycopg")
    store = Store(find_place("postgresql://ana:hunter2@127.0.0.1:1/assay?connect_timeout=1"))
    with pytest.raises(StoreError, match="cannot be reached") as found:
        decisions(store, "P")
    assert "hunter2" not in str(found.value)
    assert "127.0.0.1" in str(found.value)


def test_reading_makes_no_file(tmp_path):
    store = Store(find_place(str(tmp_path / "not" / "there.db")))
    assert decisions(store, "P") == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="set ASSAY_STORE"):
        add_decision(Store(find_place(str(tmp_path / "x" / "store.db"))), **SAID)


def test_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(StoreError, match="set ASSAY_STORE"):
        add_decision(Store(find_place(str(tmp_path))), **SAID)


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set ASSAY_STORE"):
        add_decision(Store(find_place(str(tmp_path / "file" / "store.db"))), **SAID)


def test_a_file_that_is_something_else(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    store = Store(find_place(str(path)))
    with pytest.raises(StoreError, match="is no store"):
        decisions(store, "P")
    with pytest.raises(StoreError, match="is no store"):
        add_decision(store, **SAID)
    assert path.read_text().startswith("These are my notes.")


def test_an_empty_file_is_a_store_to_be(tmp_path):
    path = tmp_path / "store.db"
    path.touch()
    store = Store(find_place(str(path)))
    assert decisions(store, "P") == ()
    assert add_decision(store, **SAID).id == 1


def test_patience_ends_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr("analytics.store.store.TRIES", 2)
    place = find_place(str(tmp_path / "store.db"))
    add_decision(Store(place), **SAID)
    hog = sqlite3.connect(place.address, isolation_level=None)
    hog.execute("BEGIN IMMEDIATE")
    impatient = Store(place, SQLiteDatabase(place, patience=0.05))
    with pytest.raises(StoreError, match="busy; nothing was lost, try again"):
        add_decision(impatient, **SAID)
    # readers wait for nobody
    assert len(decisions(impatient, "P")) == 1
    hog.execute("ROLLBACK")
    hog.close()
    assert add_decision(impatient, **SAID).id == 2


def test_the_file_is_written_ahead_and_synchronous(tmp_path):
    place = find_place(str(tmp_path / "store.db"))
    store = Store(place)
    add_decision(store, **SAID)
    with sqlite3.connect(place.address) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.read(lambda session: session.execute("PRAGMA synchronous")[0]["synchronous"], None) == 2
    assert store.read(lambda session: session.execute("PRAGMA foreign_keys")[0]["foreign_keys"], None) == 1


def test_a_new_folder_is_the_users_alone(tmp_path):
    add_decision(Store(find_place(str(tmp_path / "own" / "store.db"))), **SAID)
    assert (tmp_path / "own").stat().st_mode & 0o077 == 0


def test_without_psycopg(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'assay-ml\[postgres\]'"):
        decisions(Store(find_place("postgresql://db/assay")), "P")


def test_a_home_that_is_not_there(monkeypatch):
    def nowhere():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(StoreError, match="no home folder"):
        find_place(None, {})
