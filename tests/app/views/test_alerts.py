"""The Alerts page: what fires first, the ways on, what people say, states over time, messages; saved views."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from analytics.alerts.said import read_said
from analytics.store import Store, find_place
from analytics.store.outbox import Draft, claim_next, settle
from analytics.store.seen import Change, KeptState, Plan, Who, keep_look
from analytics.store.views import saved_views
from app.glossary import explain
from app.parts import alert_words as words
from app.parts.alerts import words_of
from tests.alerts.made import T0, small_project
from tests.app.conftest import assert_fine, charts, texts

RULES = """
[alerts.accuracy_floor]
metric = "accuracy"
below = 0.7
window = "1 day"
by = ["carrier"]
suggest = "retrain"
note = "The *floor* of the contract."
runbook = "https://wiki.example/floor"

[alerts.too_good]
metric = "accuracy"
above = 0.999
window = "1 day"
severity = "ticket"
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return small_project(tmp_path_factory.mktemp("watched") / "small", rules=RULES)


@pytest.fixture
def store(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "store.sqlite3"
    monkeypatch.setenv("ASSAY_STORE", str(path))
    return Store(find_place(str(path)))


def opened(open_page, logs, **said):
    page = open_page("alerts", logs, range="all", **said)
    assert_fine(page)
    return page


def key(page, start):
    widgets = [*page.text_input, *page.text_area, *page.selectbox]
    return next(widget.key for widget in widgets if (widget.key or "").startswith(start))


def test_what_fires_stands_first(open_page, logs, store):
    page = opened(open_page, logs)
    said = texts(page)
    assert "Firing since 5 Mar 2026 00:00 (2 alerts): Accuracy of carrier" in said
    assert "Likely cause." in said
    assert "What to do. Retrain." in said.replace("*", "")
    assert "Looked at 6 Mar 2026 19:41 (UTC)" in said
    assert [metric.value for metric in page.metric] == ["2", "0", "0"]
    frame = page.dataframe[0].value
    assert list(frame["State"]) == ["◆ firing", "◆ firing", "● ok"]
    assert {"Open the evidence", "Ten real rows"} <= {button.label for button in page.button}
    assert not store.place.address or not store.version()  # looking keeps nothing


def test_one_alert_in_full(open_page, logs, store):
    page = opened(open_page, logs, alert="accuracy_floor (B)")
    said = texts(page)
    assert "accuracy_floor (B) · ◆ firing · carrier = B" in said.replace("**", "")
    assert "The rule suggests to **retrain**." in said
    assert "The *floor* of the contract." in said
    assert "[Runbook](https://wiki.example/floor)" in said
    assert words.UNKNOWN in said
    # a link names the rule alone: its first target is shown
    assert "accuracy_floor (A)" in texts(opened(open_page, logs, alert="accuracy_floor"))


def test_who_knows_is_kept_once_and_shown(open_page, logs, store):
    page = opened(open_page, logs, alert="accuracy_floor (B)")
    turn = page.session_state["alert_acknowledge_token"]
    send(page, turn, "Ana", "on it")
    assert "Ana knows about it: on it." in texts(page)
    (kept,) = read_said(store, "Small").acknowledgements
    assert (kept.alert, kept.segment_value, kept.acknowledged_by) == ("accuracy_floor", "B", "Ana")
    frame = page.dataframe[0].value
    assert list(frame["Who knows"].fillna("")) in (["", "Ana", ""], ["Ana", "", ""])
    # another form has another token, and remembers the name
    assert page.session_state["alert_acknowledge_token"] != turn
    assert page.text_input(key=f"who_{page.session_state['alert_silence_token']}").value == "Ana"


def send(page, turn, who, note=""):
    page.text_input(key=f"who_{turn}").set_value(who)
    page.text_area(key=f"note_text_{turn}").set_value(note)
    form = next(button for button in page.button if button.form_id and button.form_id.endswith(turn))
    form.click().run()
    assert_fine(page)


def test_nobody_is_no_name(open_page, logs, store):
    page = opened(open_page, logs)
    send(page, page.session_state["alert_note_token"], " ", "x")
    assert words.NO_NAME in [warning.value for warning in page.warning]
    send(page, page.session_state["alert_note_token"], "Ana", " ")
    assert words.NO_NOTE in [warning.value for warning in page.warning]
    assert read_said(store, "Small").notes == ()


def test_silenced_for_a_while(open_page, logs, store):
    page = opened(open_page, logs)
    turn = page.session_state["alert_silence_token"]
    page.selectbox(key=f"what_{turn}").set_value(2)
    page.selectbox(key=f"for_{turn}").set_value("4 hours")
    send(page, turn, "Ana", "deploy")
    (kept,) = read_said(store, "Small").silences
    assert kept.alert is None
    assert 3.9 < (kept.ends_at - kept.silenced_at).total_seconds() / 3600 <= 4
    said = texts(page)
    assert "Nothing fires: 2 rules looked at 3 targets. 2 alerts would fire and are silenced." in said
    assert "Silenced by Ana until" in said
    page = opened(open_page, logs, section="said")
    next(button for button in page.button if button.label == "End silence 1").click().run()
    assert_fine(page)
    assert read_said(store, "Small").silences[0].ended_by
    assert "Firing since" in texts(page)


def test_states_over_time(open_page, logs, store):
    page = opened(open_page, logs, section="history")
    (figure,) = charts(page)
    named = [trace["name"] for trace in figure["data"] if trace.get("name")]
    assert "firing" in named
    frame = page.dataframe[0].value
    assert set(frame["State"]) >= {"◆ firing"}
    assert page.get("plotly_chart")[0].proto.alt.startswith(
        "2 firings of 2 targets; the longest, accuracy_floor ("
    )


def test_messages_and_how_far_they_came(open_page, logs, store):
    assert "Nothing was told yet" in texts(opened(open_page, logs, section="messages"))
    draft = Draft("t", "firing", "page", "Firing: *x*", "B", ("slack-1", "mail-2"))
    keep_look(store, "Small", T0, lambda _: Plan(drafts=(draft,)))
    settle(store, claim_next(store, {"slack-1"}), "it answered with status 500")
    page = opened(open_page, logs, section="messages")
    said = texts(page)
    assert "2 deliveries on the way; slack-1 did not take it. The last one," in said
    assert [metric.value for metric in page.metric] == ["2", "0", "2"]
    frame = page.dataframe[0].value
    assert set(frame["To"]) == {"slack-1", "mail-2"}


def test_as_of_an_instant(open_page, logs, store):
    page = opened(open_page, logs, as_of="2026-03-05T12:00")
    said = texts(page)
    assert "Nothing fires" in said
    assert "As it was on 5 Mar 2026 12:00" in said


def test_without_rules_the_page_teaches(open_page, tmp_path, store):
    page = open_page("alerts", small_project(tmp_path / "quiet", rules=""))
    assert_fine(page)
    assert words.UNDECLARED in texts(page)
    assert "[alerts.auc_drop]" in texts(page)


def test_the_overview_says_what_a_watcher_saw(open_page, tmp_path, store):
    logs = small_project(tmp_path / "other", name="Other", rules=RULES)
    page = open_page("overview", logs)
    assert_fine(page)
    assert "2 rules, and nobody has looked at them yet." in texts(page)
    change = Change(Who("accuracy_floor"), KeptState(), KeptState("firing", T0, "firing", "t"))
    keep_look(store, "Other", T0, lambda _: Plan((change,)))
    page = open_page("overview", logs)
    assert "Firing: accuracy_floor, looked at 5 Jul 2026 18:00." in texts(page)


def test_the_overview_says_what_fires(open_page, logs, store):
    opened(open_page, logs)
    page = open_page("overview", logs)
    assert_fine(page)
    assert "Firing since 5 Mar 2026 00:00 (2 alerts)" in texts(page)
    assert any((button.key or "").endswith("_to_alerts") for button in page.button)


def test_every_word_is_explained():
    for word in ("alerts", "alerts_timeline", "alert_messages", "alert_people"):
        assert explain(word).caveat


def test_evidence_becomes_words_of_a_page():
    found = words_of("/changed?project=P&start=2026-03-05&where=a%3D1&where=b%3D&version=v1&evil=1&alert=x")
    assert found == {
        "project": "P", "start": "2026-03-05", "where": ["a=1", "b="], "version": ["v1"], "alert": "x",
    }  # fmt: skip


def test_a_view_is_saved_opened_and_deleted(open_page, logs, store):
    page = opened(open_page, logs, section="history", saved_views="true")
    page.session_state["saved_views"] = True
    page.run()
    turn = page.session_state["view_token"]
    page.text_input(key=f"view_name_{turn}").set_value("Night *shift*")
    next(button for button in page.button if button.form_id and button.form_id.endswith(turn)).click().run()
    assert_fine(page)
    (view,) = saved_views(store)
    assert (view.name, view.page) == ("Night *shift*", "alerts")
    assert parse_qs(view.query)["section"] == ["history"]
    assert parse_qs(view.query)["range"] == ["all"]
    other = open_page("quality", logs)
    other.session_state["saved_views"] = True
    other.run()
    next(button for button in other.button if button.key == f"view_{view.id}").click().run()
    assert_fine(other)
    assert other.session_state["range"] == "all"
    assert "States over time" in texts(other)
    other.session_state["saved_views"] = True
    other.run()
    next(button for button in other.button if button.key == f"view_{view.id}_delete").click().run()
    assert_fine(other)
    assert saved_views(store) == ()
