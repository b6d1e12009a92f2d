"""What people said, laid over what the rules say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analytics.alerts.people import acknowledge, add_note, silence
from analytics.alerts.said import Said, notes_on, read_said, with_said
from analytics.errors import ProjectError
from analytics.project import read_project
from analytics.store import Store, find_place
from analytics.store.alerts import Acknowledgement, Note, Silence
from tests.alerts.made import T0, minutes, row, small_project


def hush(alert=None, value=None, start=0, end=60):
    return Silence(1, "P", alert, value, minutes(start), minutes(end), "Ana", T0, "", None, None)


def known(since=T0, value=None):
    return Acknowledgement(1, "P", "floor", value, since, "Ana", minutes(1), "")


def state(at, *silences, given="firing"):
    (found,) = with_said([row(given, value="UA")], Said(silences=silences), minutes(at))
    return found.state, found.silenced_until


def test_silenced_while_it_would_fire():
    assert state(30, hush()) == ("silenced", minutes(60))
    assert state(30, hush("floor", "UA")) == ("silenced", minutes(60))
    assert state(30, hush("floor", "DL")) == ("firing", None)
    assert state(60, hush()) == ("firing", None)
    assert state(30, hush(), given="recovering")[0] == "silenced"
    # what is well stays well, and says that it would be quiet
    assert state(30, hush(), given="ok") == ("ok", minutes(60))
    assert state(30, hush(), hush(end=90)) == ("silenced", minutes(90))


def test_an_acknowledgement_is_about_one_firing():
    said = Said((known(),))
    assert with_said([row(since=T0)], said)[0].acknowledged_by == "Ana"
    assert with_said([row(since=minutes(1))], said)[0].acknowledged_by is None
    # late rows moved its beginning back: it is the same firing
    assert with_said([row(since=minutes(-60))], said)[0].acknowledged_by == "Ana"
    assert with_said([row("ok", since=T0)], said)[0].acknowledged_by is None
    assert with_said([row(value="DL")], Said((known(value="UA"),)))[0].acknowledged_by is None
    assert with_said([row(value="UA")], Said((known(),)))[0].acknowledged_by == "Ana"


def test_laid_over_twice_is_the_same():
    said = Said((known(),), (hush(),))
    once = with_said([row()], said, minutes(5))
    assert with_said(once, said, minutes(5)) == once


def test_notes_that_belong_beside_an_alert():
    note = Note(1, "P", None, None, "Ana", T0, "all")
    mine, other = replace(note, alert="floor"), replace(note, alert="delay")
    one = replace(note, alert="floor", segment_value="UA")
    said = Said(notes=(note, mine, other, one))
    assert notes_on(said, row(value="UA")) == [note, mine, one]
    assert notes_on(said, row()) == [note, mine]


@pytest.fixture
def project(tmp_path):
    return read_project(small_project(tmp_path / "p"))


@pytest.fixture
def store(tmp_path):
    return Store(find_place(str(tmp_path / "s.sqlite3")))


def test_said_is_checked_against_the_rules(project, store):
    rows = [row(alert="accuracy_floor", since=T0), row("ok", "accuracy_floor", "B")]
    kept = acknowledge(project, store, lambda: rows, "accuracy_floor", by="Ana")
    assert kept.firing_since == T0
    with pytest.raises(ProjectError, match="does not fire for B"):
        acknowledge(project, store, lambda: rows, "accuracy_floor", by="Ana", segment_value="B")
    for keep in (
        lambda: silence(project, store, "flor", by="Ana", ends_at=T0 + timedelta(days=1)),
        lambda: add_note(project, store, "accuracy_flor", by="Ana", note="x"),
    ):
        with pytest.raises(ProjectError, match="there is no alert"):
            keep()
    assert len(read_said(store, "Small").acknowledgements) == 1


def test_a_project_without_rules_says_so(tmp_path, store):
    bare = read_project(small_project(tmp_path / "q", rules=""))
    with pytest.raises(ProjectError, match=r"needs an \[alerts.NAME\] section"):
        add_note(bare, store, "x", by="Ana", note="x")
    assert add_note(bare, store, None, by="Ana", note="x").alert is None
