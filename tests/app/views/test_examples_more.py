"""Sections Map of errors and Regression sets of the Examples page, and one row looked at closely."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.parts.examples_map import brushed
from tests.app.conftest import assert_fine, charts, texts


@pytest.fixture
def shadow(tmp_path):
    """Two versions on the same requests of ten units, which see small and large ones differently."""
    n = 300
    draw = np.random.default_rng(4)
    size = draw.normal(size=n)
    chance = 1 / (1 + np.exp(-2 * size))
    rows = pd.DataFrame({
        "id": [f"a{place}" for place in range(n)], "request": [f"q{place}" for place in range(n)],
        "at": pd.date_range("2024-01-01", periods=n, freq="1h", tz="UTC"), "size": size, "version": "a",
        "kind": draw.choice(["<b>x</b>", "$y$"], n), "user": [f"u{place % 10}" for place in range(n)],
        "score": chance, "label": (draw.random(n) < chance).astype(int),
    })  # fmt: skip
    other = rows.assign(id="b" + rows["request"], version="b", score=np.where(size > 1, 0.1, chance))
    both = pd.concat([rows, other])
    both.assign(decision=(both["score"] >= 0.5).astype(int)).to_parquet(
        tmp_path / "rows.parquet", index=False
    )
    (tmp_path / "assay.toml").write_text(
        'name = "shadow"\n[predictions]\npath = "rows.parquet"\ntask = "binary"\nid = "id"\ntimestamp = "at"\n'
        'score = "score"\ndecision = "decision"\nlabel = "label"\nversion = "version"\nrequest = "request"\n'
        'unit = "user"\nfeatures = ["size", "kind"]\n[reference]\nstart = 2024-01-01\nend = 2024-01-06\n'
    )
    return tmp_path


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()


def fill(page, label, text):
    next(one for one in page.text_input if one.label == label).input(text)


def test_one_row_with_its_versions_history_neighbours_and_a_form_to_pin_it(open_page, shadow):
    page = open_page("examples", shadow, kind="disagreeing", k="10", diverse="true", range="all")
    assert_fine(page)
    said = texts(page)
    assert "10 predictions that versions disagree on most" in said
    assert "Versions disagree: a decided 1 and b decided 0." in said
    frames = [frame.value for frame in page.dataframe]
    assert len(frames[0]) == 10
    assert "Stands for" in frames[0]
    assert any("Differs in" in frame for frame in frames)
    assert any(set(frame.get("Version", [])) == {"a", "b"} for frame in frames[1:])
    assert len(charts(page)) == 1
    press(page, "Pin")
    assert "Say which set" in page.warning[0].value
    fill(page, "Regression set", "*storms* $x$")
    fill(page, "Who", "ana")
    press(page, "Pin")
    assert_fine(page)
    assert "Pinned into" in page.success[0].value
    sets = open_page("examples", shadow, section="regression", range="all")
    assert_fine(sets)
    assert "of 1 of *storms* $x$" in texts(sets)
    rows = next(frame.value for frame in sets.dataframe if "Pinned by" in frame.value)
    assert set(rows["Pinned by"]) == {"ana"}
    sets.selectbox[-1].select(int(rows["Number"].iloc[0]))
    fill(sets, "Who", "ana")
    press(sets, "Take out")
    assert_fine(sets)
    assert "No row is pinned yet" in texts(sets)


def test_the_map_and_its_clusters(open_page, shadow):
    page = open_page("examples", shadow, section="map", range="all")
    assert_fine(page)
    said = texts(page)
    assert "clusters" in said
    assert "seeded sample of" in said
    assert len(page.metric) == 4
    figure = charts(page)[0]
    assert figure["layout"]["dragmode"] == "select"
    marks = sum(len(trace["x"]) for trace in figure["data"])
    assert marks == int(page.metric[0].value.replace(",", ""))
    assert {"In common", "Costly share", "Low", "High"} <= set(page.dataframe[-1].value.columns)


@pytest.mark.parametrize(
    "task,labels,rows",
    [("binary", "none", 200), ("multiclass", "one", 200), ("regression", "both", 1), ("binary", "both", 0)],
)
def test_maps_of_hardly_anything(open_page, known_project, task, labels, rows):
    page = open_page(
        "examples", known_project(task=task, labels=labels, rows=rows), range="all", section="map"
    )
    assert_fine(page)


def test_kinds_that_the_logs_cannot_show_are_not_offered(open_page, known_project):
    page = open_page("examples", known_project(reference=False), range="all", kind="disagreeing")
    assert_fine(page)
    assert "worst" in texts(page)


def test_what_was_brushed():
    points = [{"customdata": ["a.parquet", 3]}, {"customdata": {"0": "b", "1": 4}}, {"x": 1}]
    assert brushed({"selection": {"points": points}}) == [("a.parquet", 3), ("b", 4)]
    assert brushed(None) == []
