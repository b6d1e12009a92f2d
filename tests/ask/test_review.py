"""Label next on small projects: draw, label, estimate, agree, and bring the labels back as a feed."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analytics.ask.review import Ask, accepted_label
from analytics.errors import ProjectError, ScopeError, StoreError
from analytics.store import Store, find_place
from analytics.store.queues import next_row, queues
from analytics.store.review import add_label
from analytics.workbench import Workbench
from tests.ask.projects import times, write_project

N = 1_500
COLUMNS = """task = "binary"
id = "id"
score = "score"
decision = "decision"
features = ["temp", "carrier"]
"""


def frame_of(n=N):
    generator = np.random.default_rng(4)
    score = generator.uniform(0.02, 0.98, n)
    carrier = generator.choice(["AA", "UA", "B6"], n)
    # the model is wrong where it is unsure, and for one carrier
    chance = np.where(carrier == "UA", 1 - score, score)
    return pd.DataFrame({
        "id": [f"p{i}" for i in range(n)], "ts": times(n), "score": score, "carrier": carrier,
        "temp": generator.normal(size=n), "decision": (score > 0.5).astype(int),
        "truth": (generator.random(n) < chance).astype(int),
    })  # fmt: skip


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The last third waits for labels."""
    frame = frame_of()
    known = frame[: N * 2 // 3]
    feed = pd.DataFrame(
        {"id": known["id"], "label": known["truth"], "ts": known["ts"] + pd.Timedelta(hours=1)}
    )
    bench = write_project(tmp_path_factory.mktemp("review"), frame.drop(columns="truth"), COLUMNS, feed=feed)
    return bench, frame


@pytest.fixture
def bench(logged, tmp_path) -> Workbench:
    bench, _ = logged
    bench._store = Store(find_place(str(tmp_path / "store.sqlite3")))
    return bench


def label_all(bench, frame, name, who, share=1.0, wrong=0.0):
    truth = dict(zip(frame["id"], frame["truth"], strict=True))
    generator = np.random.default_rng(len(who))
    (queue,) = queues(bench.store, bench.project.name, name)
    for _ in range(round(share * len(queue.rows))):
        row = next_row(bench.store, queue, who)
        if row is None:
            break
        said = int(truth[row.prediction_id]) ^ int(generator.random() < wrong)
        add_label(
            bench.store, project=bench.project.name, prediction_id=row.prediction_id, label=str(said), by=who
        )


def test_a_queue_holds_unlabelled_rows_with_reasons_and_chances(bench, logged):
    rows = bench.draw_queue(asked=Ask("first", k=80))
    assert len(rows) == 80
    assert [row.place for row in rows] == list(range(1, 81))
    waiting = set(logged[1]["id"][N * 2 // 3 :])
    assert {row.prediction_id for row in rows} <= waiting
    assert {row.reason for row in rows} == {"uncertain", "error_model", "unlike", "random"}
    # half the chance of an even draw and more: .3 of 80 in 500
    assert min(row.inclusion_probability for row in rows) >= 0.3 * 80 / 500 - 1e-9
    assert sum(row.double for row in rows) == 8
    assert bench.queued("first").rows == rows.rows


def test_rows_the_error_model_doubts_are_those_it_should(bench, logged):
    rows = bench.draw_queue(asked=Ask("wrong", k=60, by=("error_model",), even=0.1))
    carrier = logged[1].set_index("id")["carrier"]
    picked = [carrier[row.prediction_id] for row in rows if row.reason == "error_model"]
    assert len(picked) > 30
    assert picked.count("UA") / len(picked) > 0.6


def test_what_the_labels_say_of_all_rows(bench, logged):
    frame = logged[1]
    bench.draw_queue(asked=Ask("metrics", k=150, drawn_by="Ana"))
    label_all(bench, frame, "metrics", "Ana")
    truth = frame[N * 2 // 3 :]
    right = (truth["decision"] == truth["truth"]).mean()
    found = {row.metric: row for row in bench.reviewed(name="metrics")}
    accuracy = found["accuracy"]
    assert (accuracy.n_labelled, accuracy.n_queued, accuracy.n_total) == (150, 150, 500)
    assert accuracy.ci_low < right < accuracy.ci_high
    # rows that stand out are wrong more often: the plain mean would say so of all
    assert accuracy.unweighted < accuracy.value
    assert abs(accuracy.value - right) < abs(accuracy.unweighted - right)
    assert set(found) == {"accuracy", "precision", "recall", "log_loss", "brier_score", "prevalence"}


def test_agreement_and_the_feed_that_comes_back(bench, logged, tmp_path):
    frame = logged[1]
    bench.draw_queue(asked=Ask("two", k=120, twice=0.5))
    label_all(bench, frame, "two", "Ana", share=0.5)
    label_all(bench, frame, "two", "Bo", share=1.0, wrong=0.1)
    whole = bench.agreement(name="two")[0]
    assert whole.n >= 20
    assert whole.kappa is not None
    assert 0.4 < whole.kappa < 1
    records = bench.review_records("two")
    assert set(records[0]) >= {"id", "label", "ts", "inclusion_probability", "weight", "labelled_by"}
    assert {type(record["label"]) for record in records} == {int}
    # the feed is read beside the one there is, and its rows are labelled
    folder = bench.project.folder
    other = tmp_path / "again"
    other.mkdir()
    (other / "review.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    text = (
        (folder / "assay.toml")
        .read_text()
        .replace('"predictions.parquet"', f'"{folder / "predictions.parquet"}"')
    )
    text = text.replace('path = "labels.parquet"', f'path = ["{folder / "labels.parquet"}", "review.jsonl"]')
    (other / "assay.toml").write_text(text)
    again = Workbench(other)
    assert sum(row.n_labelled for row in again.labels()) == N * 2 // 3 + len(records)
    again.close()


def test_an_audit_draws_labelled_rows_too(bench):
    rows = bench.draw_queue(asked=Ask("audit", k=100, audit=True))
    assert sum(int(row.prediction_id[1:]) < N * 2 // 3 for row in rows) > 30


def test_labels_as_of_then(bench, logged):
    bench.draw_queue(asked=Ask("late", k=40))
    label_all(bench, logged[1], "late", "Ana")
    before = bench.reviewed(bench.scope(as_of="2020-01-01"), name="late")
    assert {row.status for row in before} == {"no_data"}


def test_what_cannot_be_asked(bench, tmp_path):
    with pytest.raises(ScopeError, match="must be from 1"):
        Ask("x", k=0)
    with pytest.raises(ScopeError, match="even 0 must be above 0"):
        Ask("x", even=0)
    with pytest.raises(ScopeError, match='no queue "none"'):
        bench.queued("none")
    bench.draw_queue(asked=Ask("same", k=5))
    with pytest.raises(StoreError, match="there is a queue"):
        bench.draw_queue(asked=Ask("same", k=5))
    with pytest.raises(ScopeError, match="no row of this window is without a label"):
        bench.draw_queue(bench.scope(end="2024-01-05"), asked=Ask("old"))
    with pytest.raises(ScopeError, match='label "2" is not one of: 0, 1'):
        accepted_label(bench.catalog, "2")
    frame = frame_of(60).drop(columns="id").rename(columns={"truth": "label"})
    plain = write_project(tmp_path / "noid", frame, COLUMNS.replace('id = "id"\n', 'label = "label"\n'))
    with pytest.raises(ProjectError, match=r"predictions\.id"):
        plain.draw_queue(asked=Ask("x"))
    plain.close()
    hidden = write_project(
        tmp_path / "private", frame_of(60).drop(columns="truth"), f'{COLUMNS}private = ["id"]\n'
    )
    with pytest.raises(ProjectError, match='"id" is never shown'):
        hidden.draw_queue(asked=Ask("x"))
    hidden.close()


def test_the_error_model_of_the_logs(bench):
    found = bench.error_model()
    (row,) = found.models
    assert row.auc_ci_low > 0.6
    assert row.n == N * 2 // 3
    assert {one.feature for one in found.carriers[:2]} <= {"carrier", "score", "decision"}
    assert len(found.filters) == 14
    assert found.models.to_records()[0]["status"] == "ok"


def test_too_few_labels_for_an_error_model(bench):
    (row,) = bench.error_model(bench.scope(end="2024-01-02")).models
    assert (row.status, row.auc) == ("too_few", None)
    assert row.reason is not None
    assert "200 are needed" in row.reason
