"""Kinds of examples, one row looked at closely, the map of errors and regression sets, on logs of a known world."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ScopeError
from analytics.store import open_store
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, times, write_project

N = 900
KEYS = BINARY + (
    'id = "id"\nversion = "version"\nrequest = "request"\nunit = "user"\ndecision = "decision"\n'
    'features = ["x", "kind"]\nsegments = ["kind"]\nembeddings = ["vector"]\nprivate = ["mail"]\n'
)
REFERENCE = "[reference]\nstart = 2024-01-01\nend = 2024-01-09\n"


@pytest.fixture(scope="module")
def frame():
    draw = np.random.default_rng(3)
    x = draw.normal(size=N)
    kind = draw.choice(["a", "b", "c", "d"], N)
    chance = 1 / (1 + np.exp(-3 * x))
    label = (draw.random(N) < chance).astype(int)
    label[kind == "d"] = 1 - label[kind == "d"]
    rows = pd.DataFrame({
        "id": [f"r{place}" for place in range(N)], "request": [f"q{place}" for place in range(N)], "ts": times(N),
        "x": x, "kind": kind, "user": [f"u{place % 30}" for place in range(N)], "score": chance, "label": label,
        "version": "v1", "mail": [f"secret{place}" for place in range(N)],
        "vector": [list(map(float, row)) for row in np.column_stack([x, x * 2, draw.normal(size=N)])],
    })  # fmt: skip
    shadow = rows.assign(
        id="s" + rows["id"], version="v2", score=1 - rows["score"].where(rows["kind"] == "a", 1 - chance)
    )
    both = pd.concat([rows, shadow], ignore_index=True)
    both.loc[both["request"] == f"q{N - 1}", ["x", "kind"]] = [99.0, "never"]
    return both.assign(decision=(both["score"] >= 0.5).astype(int))


@pytest.fixture(scope="module")
def bench(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    write_project(folder, frame, KEYS, REFERENCE).close()
    opened = Workbench(folder, open_store(str(folder / "store.sqlite3")))
    yield opened
    opened.close()


def test_disagreeing_rows_are_the_widest_gaps_once_a_request(bench, frame):
    found = bench.examples(bench.scope(), "disagreeing", 10)
    wide = frame.pivot(index="request", columns="version", values="score")
    split = frame.pivot(index="request", columns="version", values="decision")
    gap = (wide["v1"] - wide["v2"]).abs() + 10 * (split["v1"] != split["v2"])
    expected = gap.sort_values(ascending=False).index[:10]
    assert [row.columns["request"] for row in found] == list(expected)
    assert all("v1 scored" in row.reason and "v2 scored" in row.reason for row in found)
    # the row of the version that was most wrong stands for the request
    assert all(row.loss > np.log(2) for row in found)


def test_disagreeing_needs_two_versions(bench):
    found = bench.examples(bench.scope(versions=["v1"]), "disagreeing", 5)
    assert not found
    assert "only one version" in found.notes[-1]


def test_the_row_unlike_the_reference_is_found_with_what_makes_it_so(bench):
    found = bench.examples(bench.scope(), "unlike", 3)
    assert found[0].columns["request"] == f"q{N - 1}"
    assert "x 99 is above all" in found[0].reason
    assert "kind never was never seen" in found[0].reason
    assert len({row.columns["request"] for row in found}) == len(found)


def test_suspected_labels_by_class_and_with_what_they_look_like(bench):
    found = bench.examples(bench.scope(), "suspected-labels", 4, per_class=True)
    assert {row.label for row in found} == {"0", "1"}
    assert all(row.suggested_label == {"0": "1", "1": "0"}[row.label] for row in found)
    assert any("seeded sample" in note for note in found.notes)


def test_diverse_worst_rows_name_the_planted_slice(bench):
    found = bench.examples(bench.scope(versions=["v1"]), "worst", 8, diverse=True)
    assert len(found) == 8
    first = found[0]
    assert first.problem == "kind=d"
    assert first.columns["kind"] == "d"
    assert first.problem_share > 2 * first.usual_share
    assert [row.rank for row in found] == list(range(1, 9))


@pytest.mark.parametrize(
    "kind", ["worst", "uncertain", "best", "random", "disagreeing", "suspected-labels", "unlike"]
)
@pytest.mark.parametrize("per_class", [False, True])
def test_every_kind_can_be_diverse(bench, kind, per_class):
    found = bench.examples(bench.scope(), kind, 3, diverse=True, per_class=per_class)
    assert found
    assert len({(row.file, row.row) for row in found}) == len(found)
    json.dumps(found.to_records(), allow_nan=False)


def test_one_row_looked_at_closely(bench):
    card = bench.row(key=f"r{N - 1}")
    assert [row.version for row in card.versions] == ["v1", "v2"]
    assert {row.feature: row.finding for row in card.features} == {"x": "highest", "kind": "unseen"}
    assert all(
        row.columns["user"] == card.row[0].columns["user"] and row.version == "v1" for row in card.history
    )
    assert card.history[-1].id == f"r{N - 1}"
    assert card.row[0].columns["mail"] == "•••"
    same = bench.row(key=f"{card.row[0].file}:{card.row[0].row}")
    assert dataclasses.asdict(same.row[0]) == dataclasses.asdict(card.row[0])


def test_history_as_known_then_holds_nothing_later(bench):
    row = bench.row(key="r300")
    then = bench.row(bench.scope(as_of=row.row[0].timestamp.isoformat()), key="r300")
    assert then.history[-1].id == "r300"
    assert row.history[-1].id != "r300"


def test_a_row_that_is_not_there(bench):
    for key in ("nobody", "predictions.parquet:999999", "/etc/passwd:1", "x" * 5_000, "a:b:c", "\x00"):
        with pytest.raises(ScopeError, match="there is no row"):
            bench.row(key=key)


def test_neighbours_are_the_nearest_and_never_the_row_itself(bench, frame):
    found = bench.neighbours(bench.scope(), key="r10", k=5)
    own = frame[frame["id"] == "r10"].iloc[0]
    assert "r10" not in {row.id for row in found}
    assert {row.version for row in found} == {"v1"}
    assert [row.distance for row in found] == sorted(row.distance for row in found)
    sample = frame[frame["version"] == "v1"]
    apart = (sample["x"].rank() - sample["x"].rank()[own.name]).abs() / len(sample)
    distance = (apart + (sample["kind"] != own["kind"])) / 2
    nearest = distance.drop(own.name).sort_values()[:5]
    assert [row.distance for row in found] == pytest.approx(nearest.tolist(), abs=1e-6)
    assert {row.id for row in found} == set(sample.loc[nearest.index, "id"])


@pytest.mark.parametrize("of", ["features", "vector"])
def test_the_map(bench, of):
    found = bench.error_points(bench.scope(versions=["v1"]), of=of)
    assert len(found.points) == N
    assert found.version == "v1"
    assert sum(row.n_costly for row in found.clusters) == sum(bool(row.costly) for row in found.points)
    assert all(row.ci_low <= row.value <= row.ci_high for row in found.clusters)
    json.dumps(found.points.to_records() + found.clusters.to_records(), allow_nan=False)
    assert "kind=d" in " ".join(row.name for row in found.clusters)


def test_a_map_of_what_is_not_there(bench):
    with pytest.raises(ScopeError, match="vector"):
        bench.error_points(of="nothing")


def test_regression_sets(bench):
    wrong = bench.examples(bench.scope(versions=["v1"]), "worst", 3)
    for row in wrong:
        bench.pin("storms", row.id, by="ana", note="=cmd()")
    bench.pin("storms", wrong[0].id, by="someone else")
    found = {row.version: row for row in bench.regression()}
    assert (found["v1"].n_pinned, found["v1"].n, found["v1"].n_passed, found["v1"].value) == (3, 3, 0, 0.0)
    assert found["v1"].ci_low == 0.0 < found["v1"].ci_high < 1.0
    assert found["v2"].n == 3
    rows = bench.pinned(name="storms")
    assert {(row.version, row.pinned_by) for row in rows} == {("v1", "ana"), ("v2", "ana")}
    bench.unpin(rows[0].pinned_id, by="ana")
    assert bench.regression()[0].n_pinned == 2
    with pytest.raises(ScopeError, match="known: storms"):
        bench.regression(name="other")


def test_labels_unknown_then_judge_nothing(bench):
    scope = bench.scope(as_of="2023-01-01")
    assert all(row.status == "no_data" and row.value is None for row in bench.regression(scope))
