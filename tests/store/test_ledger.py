"""What is kept comes back the same, in order, and cannot be changed; on either engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.errors import StoreError
from analytics.store import Store, add_decision, decisions
from analytics.store.ledger import clean

HOSTILE = "'); DROP TABLE assay_decisions; -- %s %(x)s :name {} \\ \" ` $$ \u202e 🚀 <script>"


def test_nothing_was_kept(store):
    assert decisions(store, "Shop") == ()
    assert store.version() == 0


def test_a_decision_comes_back(store, decide):
    before = datetime.now(UTC)
    kept = decide(note="Worth it.\nReally.", content='{"rows": [1, 2.5, null]}')
    assert decisions(store, "Shop") == (kept,)
    assert (kept.decided_by, kept.decision, kept.note) == ("Ana", "ship", "Worth it.\nReally.")
    assert kept.content == '{"rows": [1, 2.5, null]}'
    assert timedelta(0) <= kept.decided_at - before < timedelta(minutes=1)
    # another process sees the same
    assert decisions(Store(store.place), "Shop", "button") == (kept,)


def test_order_and_choice(store, decide):
    first, second = decide(), decide(experiment="colour", decision="hold")
    third = decide(decision="stop")
    decide(project="Other")
    assert [entry.id for entry in decisions(store, "Shop")] == [first.id, second.id, third.id]
    assert decisions(store, "Shop", "button") == (first, third)
    assert first.id < second.id < third.id


def test_text_of_any_kind_is_bound(store, decide):
    kept = decide(project=HOSTILE, experiment=HOSTILE, decided_by=HOSTILE, note=HOSTILE, content=HOSTILE)
    assert decisions(store, HOSTILE, HOSTILE) == (kept,)
    assert (kept.decided_by, kept.note, kept.content) == (HOSTILE, HOSTILE, HOSTILE)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=st.text(max_size=60), who=st.text(min_size=1, max_size=20))
def test_any_text_is_kept_or_refused(store, decide, note, who):
    if not clean(who, "who", 200, may_be_empty=True):
        with pytest.raises(StoreError, match="is missing"):
            decide(note=note, decided_by=who)
        return
    kept = decide(note=note, decided_by=who)
    assert decisions(store, "Shop")[-1] == kept
    assert "\0" not in kept.note + kept.decided_by


def test_the_same_token_is_kept_once(store, decide):
    first = decide(token="t1", note="first")
    again = decide(token="t1", note="sent twice")
    assert again == first
    assert len(decisions(store, "Shop")) == 1


def test_a_correction_is_a_new_entry(store, decide):
    wrong = decide(decision="ship")
    right = decide(decision="hold", corrects=wrong.id)
    assert [entry.decision for entry in decisions(store, "Shop")] == ["ship", "hold"]
    assert right.corrects == wrong.id


@pytest.mark.parametrize("other", [{"experiment": "colour"}, {"project": "Other"}])
def test_only_a_decision_of_the_same_experiment_is_corrected(store, decide, other):
    wrong = decide()
    with pytest.raises(StoreError, match=r"no decision \d+ .* to correct"):
        decide(corrects=wrong.id, **other)
    with pytest.raises(StoreError, match="to correct"):
        decide(corrects=wrong.id + 999)
    assert len(decisions(store, "Shop")) == 1


@pytest.mark.parametrize(
    "said,problem",
    [
        ({"decision": "launch"}, "no decision; say one of: ship, hold, stop"),
        ({"decided_by": "  \x00 "}, "who decided is missing"),
        ({"decided_by": "x" * 201}, "too long"),
        ({"note": "x" * 10_001}, "the note is too long"),
    ],
)
def test_what_is_no_decision_is_refused(store, decide, said, problem):
    with pytest.raises(StoreError, match=problem):
        decide(**said)
    assert decisions(store, "Shop") == ()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE assay_decisions SET note = 'other'", "DELETE FROM assay_decisions"],
)
def test_the_database_itself_refuses_changes(store, decide, statement):
    kept = decide(note="as it was")
    with pytest.raises(StoreError, match="never changed or removed"):
        store.write(lambda session: session.execute(statement))
    assert decisions(store, "Shop") == (kept,)


def test_a_failure_undoes_everything(store, decide):
    kept = decide()

    def half(session):
        session.execute(
            "INSERT INTO assay_decisions (token, project, experiment, decided_at, decided_by, decision, note, content) "
            "VALUES ('half', 'Shop', 'button', '', 'x', 'ship', '', '')"
        )
        raise ValueError("the program fails here")

    with pytest.raises(ValueError, match="fails here"):
        store.write(half)
    assert decisions(store, "Shop") == (kept,)


def test_a_reader_cannot_write(store, decide):
    decide()
    if store.place.engine == "postgresql":
        with pytest.raises(StoreError, match="read-only"):
            store.read(lambda session: session.execute("DELETE FROM assay_migrations"), None)


def test_the_content_may_be_large(store):
    large = '{"x": "' + "é" * 400_000 + '"}'
    kept = add_decision(store, project="P", experiment="e", decided_by="Ana", decision="hold", content=large)
    assert decisions(store, "P")[0].content == large == kept.content
