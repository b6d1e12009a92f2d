"""Uncertain rows of a binary task: nearest to where the decisions of their version turn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.ask.examples import examples_of
from analytics.examples.boundaries import from_decisions
from analytics.scope import Filter, Scope

DECIDED = ('id = "id"', 'version = "version"', 'decision = "decision"')


def two_versions(thresholds: dict[str, float], n: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(6)
    rows = pd.DataFrame({
        "id": [f"r{i}" for i in range(n)],
        "score": draw.uniform(size=n),
        "version": draw.choice(["v1", "v2"], n),
    })  # fmt: skip
    rows["decision"] = (rows["score"] >= rows["version"].map(thresholds)).astype(int)
    return rows


def test_each_version_has_the_boundary_its_decisions_show(open_project):
    thresholds = {"v1": 0.2, "v2": 0.7}
    rows = two_versions(thresholds)
    found = examples_of(open_project(rows, "binary", *DECIDED), Scope(), "uncertain", 20)
    boundary = {}
    for version, group in rows.groupby("version"):
        highest = group.loc[group["decision"] == 0, "score"].max()
        boundary[version] = (highest + group.loc[group["decision"] == 1, "score"].min()) / 2
        assert boundary[version] == pytest.approx(thresholds[version], abs=0.01)
    distance = (rows["score"] - rows["version"].map(boundary)).abs()
    expected = rows["id"].iloc[np.argsort(distance, kind="stable")[:20]]
    assert [row.id for row in found] == list(expected)
    assert {row.version for row in found} == {"v1", "v2"}
    assert "halfway between" in found.notes[0]
    assert "decision boundary" in found[0].reason


def test_a_filter_does_not_move_the_boundary(open_project):
    rows = two_versions({"v1": 0.2, "v2": 0.7})
    catalog = open_project(rows, "binary", *DECIDED)
    only = Scope(filters=(Filter("decision", "decision", "1"),))
    assert (
        examples_of(catalog, only, "uncertain", 5).notes
        == examples_of(catalog, Scope(), "uncertain", 5).notes
    )


def test_decisions_that_overlap_fall_back_and_say_so(open_project):
    rows = two_versions({"v1": 0.2, "v2": 0.7})
    rows.loc[0, ["version", "score", "decision"]] = ["v1", 0.95, 0]
    found = examples_of(open_project(rows, "binary", *DECIDED), Scope(versions=("v1",)), "uncertain", 1)
    assert found.notes[0].startswith(
        "the decision boundary of v1 is taken as 0.5: its decisions overlap in score"
    )
    assert found[0].reason.endswith("from the decision boundary 0.500 (assumed)")
    nearest = (rows.loc[rows["version"] == "v1", "score"] - 0.5).abs().min()
    assert abs(found[0].score - 0.5) == nearest


def test_a_declared_threshold_where_no_decision_is_logged(open_project):
    rows = two_versions({"v1": 0.2, "v2": 0.7}).drop(columns="decision")
    keys = ('id = "id"', 'version = "version"', "threshold = {v1 = 0.9}")
    found = examples_of(open_project(rows, "binary", *keys), Scope(), "uncertain", 300)
    assert found.notes == (
        f"the decision boundary of {found_first(rows)} " + sentence(found_first(rows)),
        f"the decision boundary of {found_last(rows)} " + sentence(found_last(rows)),
    )
    distance = (rows["score"] - rows["version"].map({"v1": 0.9, "v2": 0.5})).abs()
    assert [row.id for row in found] == list(rows["id"].iloc[np.argsort(distance, kind="stable")])


def found_first(rows: pd.DataFrame) -> str:
    return str(rows["version"].iloc[0])


def found_last(rows: pd.DataFrame) -> str:
    return "v2" if found_first(rows) == "v1" else "v1"


def sentence(version: str) -> str:
    if version == "v1":
        return "is 0.9: declared in the project file"
    return "is taken as 0.5: no decision is logged and no threshold is declared for it"


def test_without_versions_and_decisions_the_middle_is_taken(open_project):
    rows = pd.DataFrame({"id": ["a", "b"], "score": [0.1, 0.6]})
    found = examples_of(open_project(rows, "binary", 'id = "id"'), Scope(), "uncertain", 1)
    assert found[0].id == "b"
    assert found.notes == (
        "the decision boundary is taken as 0.5: no decision is logged and no threshold is declared for it",
    )


@pytest.mark.parametrize(
    "highest, lowest, words",
    [
        (None, None, "no decision is logged in this window"),
        (0.4, None, "every decision in this window is 0"),
        (None, 0.4, "every decision in this window is 1"),
        (0.4, 0.4, "overlap"),
    ],
)
def test_no_boundary_without_two_sides(highest, lowest, words):
    found = from_decisions("v", highest, lowest)
    assert (found.value, found.assumed) == (0.5, True)
    assert words in found.source
