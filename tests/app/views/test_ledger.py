"""The decisions of the Scorecard page: kept once, on the numbers that were seen, and compared with today's."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.store import Store, decisions, find_place
from app.glossary import explain
from tests.app.conftest import assert_fine, texts
from tests.app.views.experiment_projects import shop


@pytest.fixture
def place(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "store.sqlite3"
    monkeypatch.setenv("ASSAY_STORE", str(path))
    return path


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path / "work" / "shop")


def open_ledger(open_page, project, **words):
    page = open_page("scorecard", project, section="ledger", **words)
    assert_fine(page)
    return page


def send(page, *, who="Ana", call="ship", note="It sells."):
    page.text_input(key=key(page, "who")).set_value(who)
    page.segmented_control(key=key(page, "call")).set_value(call)
    page.text_area(key=key(page, "note")).set_value(note)
    button = next(found for found in page.button if found.label == "Keep this decision")
    button.click().run()
    assert_fine(page)


def key(page, word):
    widgets = [*page.text_input, *page.segmented_control, *page.text_area, *page.selectbox]
    return next(widget.key for widget in widgets if (widget.key or "").startswith(f"{word}_"))


def kept(place):
    return decisions(Store(find_place(str(place))), "shop")


def test_nothing_is_decided_and_nothing_is_made(open_page, project, place):
    page = open_ledger(open_page, project)
    assert "Nothing is decided yet. The scorecard's word is ship." in texts(page)
    assert f"in {place}" in texts(page)
    assert not place.exists()
    assert not page.dataframe


def test_a_decision_is_kept_and_shown(open_page, project, place):
    page = open_ledger(open_page, project)
    send(page)
    (entry,) = kept(place)
    assert (entry.decided_by, entry.decision, entry.note) == ("Ana", "ship", "It sells.")
    said = texts(page)
    assert "Ana decided to ship new; the scorecard's word was ship" in said
    assert "With all that is known now, every number is as it was." in said
    assert "What was known then still gives the same numbers." in said
    history, since = (frame.value for frame in page.dataframe)
    assert list(history["Why"]) == ["It sells."]
    assert set(since["Changed"]) == {"same"}
    # the form is empty again, but for the name
    assert page.text_area(key=key(page, "note")).value == ""
    assert page.text_input(key=key(page, "who")).value == "Ana"


def test_the_next_one_may_take_its_place(open_page, project, place):
    page = open_ledger(open_page, project)
    send(page)
    corrects = page.selectbox(key=key(page, "corrects"))
    assert len(corrects.options) == 1
    corrects.select(corrects.options[0])
    send(page, who="Ben", call="hold", note="Too early.")
    first, second = kept(place)
    assert second.corrects == first.id
    assert "Ben decided to hold, against the scorecard: its word was ship" in texts(page)
    assert list(page.dataframe[0].value["State"]) == ["stands", f"replaced by {first.id + 1}"]


def test_without_a_name_nothing_is_kept(open_page, project, place):
    page = open_ledger(open_page, project)
    send(page, who="  ")
    assert page.warning[0].value.startswith("Say who decides")
    assert not place.exists()


def test_numbers_nobody_saw_are_not_decided_on(open_page, project, place, monkeypatch):
    page = open_ledger(open_page, project)
    events = pd.read_parquet(project / "events.parquet")
    events.head(40).to_parquet(project / "events.parquet", index=False)
    monkeypatch.setattr("analytics.workbench.open_logs.LOOK_EVERY_SECONDS", -1.0)
    send(page)
    assert "The logs or the project file changed since this page was drawn" in page.warning[0].value
    assert not place.exists()
    # now they have been seen
    send(page, note="Seen.")
    assert [entry.note for entry in kept(place)] == ["Seen."]


def test_a_link_leads_to_one_decision(open_page, project, place):
    page = open_ledger(open_page, project)
    send(page)
    send(page, who="Ben", call="stop", note="")
    first = kept(place)[0].id
    again = open_ledger(open_page, project, decision=str(first))
    assert again.selectbox(key="decision").value == str(first)


def test_hostile_text_shows_as_it_is(open_page, project, place):
    page = open_ledger(open_page, project)
    send(page, who="<b>Eve</b> :red[x]", note="=HYPERLINK('x')")
    assert "<b>Eve</b> :red[x] decided to ship new" in texts(page)
    assert not any(element.allow_html for element in page.markdown)


def test_a_store_that_cannot_be_used_is_a_card(open_page, project, monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STORE", "mysql://db/assay")
    page = open_ledger(open_page, project)
    assert "mysql:// is not understood" in texts(page)


@pytest.mark.parametrize("word", ["decisions", "decision_changes", "side_by_side"])
def test_it_is_explained(word):
    found = explain(word)
    assert found.definition
    assert found.caveat
