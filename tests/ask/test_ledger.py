"""Decisions beside their numbers: frozen whole, compared with today's, and never a traceback."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import ExperimentError, ProjectError, StoreError
from analytics.experiments.ledger import (
    decision_sentence,
    reproduced_sentence,
    since_rows,
    since_sentence,
    thaw,
    word_of,
)
from analytics.results import record
from analytics.store import Entry, Store, decisions, find_place
from analytics.workbench import Workbench
from tests.app.charts import experiment_samples as samples
from tests.app.views.experiment_projects import shop

NAME = "new_shop"


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(find_place(str(tmp_path / "kept" / "store.sqlite3")))


@pytest.fixture
def project(tmp_path) -> Path:
    return shop(tmp_path / "shop")


@pytest.fixture
def bench(project, store):
    opened = Workbench(project, store)
    yield opened
    opened.close()


def again(bench, project, store):
    """The project as another process opens it later."""
    bench.close()
    return Workbench(project, store)


def test_a_decision_keeps_every_number(bench, store):
    card = bench.scorecard(name=NAME)
    row = bench.decide(NAME, decision="ship", decided_by="Ana", note="Good.")
    (entry,) = decisions(store, "shop", NAME)
    frozen = thaw(entry.content)
    assert list(frozen.rows) == [record(found, card.zone) for found in card.rows]
    assert frozen.facts["sentence"] == card.decision.sentence == row.sentence
    assert frozen.facts["arms"] == {"old": 300, "new": 300}
    assert (row.decision, row.decided_by, row.note, row.variant) == ("ship", "Ana", "Good.", "new")
    assert (row.word, row.against, row.n_units) == (card.decision.word, card.decision.word != "ship", 600)
    assert (row.logs_changed, row.project_changed, row.corrected_by) == (False, False, None)
    assert bench.decisions(NAME).rows == (row,)


def test_the_scope_is_kept(bench):
    scope = bench.scope(start="2024-03-02", end="2024-03-08", as_of="2024-03-07")
    row = bench.decide(NAME, scope, decision="hold", decided_by="Ana", confidence=0.9)
    assert (row.start, row.end) == ("2024-03-02T00:00:00+00:00", "2024-03-08T00:00:00+00:00")
    assert (row.as_of, row.confidence) == ("2024-03-07T00:00:00+00:00", 0.9)
    # what was known then gives the same; all that is known now is more
    then, now = (bench.since(NAME, row.decision_id, known) for known in ("then", "now"))
    assert {found.changed for found in then} == {"same"}
    assert all(found.n_now == found.n_then for found in then)
    assert now[0].n_now > now[0].n_then
    assert (
        now[0].difference_now
        == bench.scorecard(bench.scope(start="2024-03-02", end="2024-03-08"), name=NAME, confidence=0.9)
        .rows[0]
        .difference
    )


def test_nothing_has_changed(bench):
    row = bench.decide(NAME, decision="ship", decided_by="Ana")
    rows = bench.since(NAME, row.decision_id)
    assert {found.changed for found in rows} == {"same"}
    assert since_sentence(row, rows) == "With all that is known now, every number is as it was."
    assert reproduced_sentence(row, rows) == "What was known then still gives the same numbers."


def test_rows_that_come_later_are_named(bench, project, store):
    row = bench.decide(NAME, decision="ship", decided_by="Ana")
    events = pd.read_parquet(project / "events.parquet")
    old = pd.read_parquet(project / "exposures.parquet").query("variant == 'old'")
    more = old.assign(event="purchase", amount=30.0).drop(columns="variant")
    more["at"] += pd.Timedelta(hours=2)
    pd.concat([events, more]).to_parquet(project / "events.parquet", index=False)
    later = again(bench, project, store)
    (now,) = later.decisions(NAME)
    rows = later.since(NAME, row.decision_id)
    bought = next(found for found in rows if found.metric == "bought")
    assert (now.logs_changed, now.project_changed) == (True, False)
    assert (bought.changed, bought.badge_then, bought.badge_now) == ("badge", "better", "worse")
    assert 'bought of new said "better" and says "worse" now (lift ' in since_sentence(now, rows)
    # written with times of the past: what was known then cannot be reproduced
    anew = later.since(NAME, row.decision_id, "then")
    assert "gives other numbers today in 2 of 2 comparisons: since then log files" in reproduced_sentence(
        now, anew
    )
    later.close()


def test_a_project_file_that_changed_is_named(bench, project, store):
    bench.decide(NAME, decision="ship", decided_by="Ana")
    file = project / "assay.toml"
    file.write_text(file.read_text().replace('secondary = ["spent"]', "alpha = 0.01"))
    later = again(bench, project, store)
    (row,) = later.decisions(NAME)
    rows = later.since(NAME)
    assert (row.project_changed, row.logs_changed) == (True, False)
    assert [(found.metric, found.changed) for found in rows] == [
        ("bought", "numbers"),
        ("spent", "gone"),
    ]  # of one comparison, not of two
    assert rows[1].status == "no_data"
    said = since_sentence(row, rows)
    assert "spent of new is not compared any more." in said
    assert said.endswith("The project file is another one than it was.")
    later.close()


def test_an_experiment_that_is_not_declared_any_more_keeps_its_decisions(bench, project, store):
    bench.decide(NAME, decision="stop", decided_by="Ana")
    file = project / "assay.toml"
    file.write_text(file.read_text().replace("experiments.new_shop", "experiments.newer_shop"))
    later = again(bench, project, store)
    assert [row.decision for row in later.decisions(NAME)] == ["stop"]
    with pytest.raises(ProjectError, match="newer_shop"):
        later.since(NAME)
    with pytest.raises(ProjectError, match="newer_shop"):
        later.decisions("never_there")
    later.close()


def test_corrections_name_each_other(bench):
    wrong = bench.decide(NAME, decision="ship", decided_by="Ana")
    right = bench.decide(NAME, decision="hold", decided_by="Ben", corrects=wrong.decision_id)
    rows = bench.decisions(NAME)
    assert [(row.corrects, row.corrected_by) for row in rows] == [
        (None, right.decision_id),
        (wrong.decision_id, None),
    ]


def test_what_cannot_be_decided(bench, store):
    with pytest.raises(ExperimentError, match='"old" is no arm beside the control; there is new'):
        bench.decide(NAME, decision="ship", decided_by="Ana", variant="old")
    with pytest.raises(StoreError, match="no decision"):
        bench.decide(NAME, decision="launch", decided_by="Ana")
    with pytest.raises(ProjectError, match="new_shop"):
        bench.decide("new_shp", decision="ship", decided_by="Ana")
    with pytest.raises(ExperimentError, match="no decision 7"):
        bench.since(NAME, 7)
    assert decisions(store, "shop") == ()


def test_of_several_arms_one_is_shipped(project, store):
    file = project / "assay.toml"
    text = file.read_text().replace("{ old = 0.5, new = 0.5 }", "{ old = 0.5, new = 0.3, other = 0.2 }")
    file.write_text(text)
    bench = Workbench(project, store)
    with pytest.raises(ExperimentError, match="say which arm is shipped: new, other"):
        bench.decide(NAME, decision="ship", decided_by="Ana")
    row = bench.decide(NAME, decision="ship", decided_by="Ana", variant="other")
    assert (row.variant, row.word) == ("other", None)
    assert bench.decide(NAME, decision="hold", decided_by="Ana").variant is None
    bench.close()


def test_against_the_word():
    card = replace(
        samples.scorecard(), decision=replace(samples.scorecard().decision, word="ship", variant="B")
    )
    assert word_of(card, "B") == "ship"
    assert word_of(card, None) == "ship"
    mine = [row for row in card.headline_rows() if row.variant == "C" and row.role == "primary"]
    assert word_of(card, "C") == (mine[0].verdict if mine else None)


@pytest.mark.parametrize(
    "decision,word,said",
    [
        ("ship", "ship", "Ana decided to ship new; its word was ship"),
        ("ship", "hold", "Ana decided to ship new, against the scorecard: its word was hold"),
        ("stop", "harm", "Ana decided to stop; its word was harm"),
        ("hold", "ship", "Ana decided to hold, against the scorecard: its word was ship"),
    ],
)
def test_the_sentence_of_a_decision(bench, decision, word, said):
    row = bench.decide(NAME, decision=decision, decided_by="Ana")
    row = replace(row, word=word, against=(word == "ship") != (decision == "ship"))
    assert decision_sentence(row) == said.replace("; its word", "; the scorecard's word")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(deadline=None)
@given(
    content=st.text(max_size=30)
    | JUNK.map(json.dumps)
    | st.fixed_dictionaries({"rows": st.lists(st.dictionaries(
        st.sampled_from(["metric", "variant", "role", "method", "n", "lift", "badge", "difference"]), JUNK
    ), max_size=3), "headline": st.lists(st.integers(0, 3)) | JUNK, "word": JUNK, "start": JUNK}).map(json.dumps)
)  # fmt: skip
def test_whatever_is_kept_can_be_looked_at(content):
    entry = Entry(1, "shop", NAME, datetime(2024, 1, 1, tzinfo=UTC), "Ana", "ship", "", None, content)
    from analytics.experiments.ledger import decision_rows

    (row,) = decision_rows([entry], "a", "b")
    rows = since_rows(entry, samples.scorecard())
    assert decision_sentence(row).startswith("Ana decided to ship")
    assert since_sentence(row, rows)
    assert [record(found, samples.scorecard().zone) for found in rows]
