from __future__ import annotations

import pandas as pd
import pytest

from app import locations
from app.charts.export import to_csv
from tests.app.conftest import assert_fine, texts

FLIGHTS = locations.sample_logs() / "flights"


def test_worst_rows_with_their_reasons(open_page):
    page = open_page("examples", FLIGHTS, range="90d")
    assert_fine(page)
    assert "20 worst predictions" in texts(page)
    frame = page.dataframe[0].value
    assert len(frame) == 20
    assert frame["Loss"].is_monotonic_decreasing
    assert {"Rank", "Label", "Decision", "Score", "Reason", "Time", "temp", "carrier"} <= set(frame.columns)
    assert page.dataframe[1].value["Column"].tolist()[:4] == ["label", "decision", "score", "loss"]


def test_a_link_opens_on_its_kind_number_and_row(open_page):
    page = open_page("examples", FLIGHTS, kind="uncertain", k="5", row="3", range="90d")
    assert_fine(page)
    frame = page.dataframe[0].value
    assert len(frame) == 5
    reason = frame["Reason"].iloc[2]
    assert reason[1:] in texts(page).replace("\\", "")


def test_a_chosen_row_is_opened(open_page):
    page = open_page("examples", FLIGHTS, range="90d")
    page.session_state["row"] = 4
    page.run()
    assert_fine(page)
    assert page.dataframe[0].value["Reason"].iloc[3][1:] in texts(page).replace("\\", "")


def test_of_each_class(open_page, known_project):
    page = open_page("examples", known_project(task="multiclass"), range="all", per_class="true", k="2")
    assert_fine(page)
    assert page.dataframe[0].value["Label"].value_counts().to_dict() == {"x": 2, "y": 2, "z": 2}


def test_a_regression_has_no_uncertain_rows(open_page, known_project):
    page = open_page("examples", known_project(task="regression"), range="all", kind="uncertain")
    assert_fine(page)
    assert "worst" in texts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_without_labels_uncertain_and_random_still_work(open_page, known_project, task):
    folder = known_project(task=task, labels="none")
    page = open_page("examples", folder, range="all")
    assert_fine(page)
    assert "No row here has a label" in texts(page)
    page.button(key="no_labels_0").click().run()
    assert_fine(page)
    assert page.session_state["kind"] == "uncertain"
    assert len(page.dataframe[0].value) == 20


@pytest.mark.parametrize("kind", ["worst", "uncertain", "best", "random"])
@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_rows(open_page, known_project, kind, rows):
    page = open_page("examples", known_project(rows=rows), range="all", kind=kind)
    assert_fine(page)
    assert bool(page.dataframe) == bool(rows)


def test_one_class(open_page, known_project):
    assert_fine(open_page("examples", known_project(labels="one"), range="all", per_class="true"))


def test_an_empty_window_offers_the_newest_data(open_page):
    page = open_page("examples", FLIGHTS, range="custom", start="2019-01-01", end="2019-02-01")
    assert_fine(page)
    assert "Nothing in this window" in texts(page)


def test_private_columns_stay_masked_and_hostile_text_is_shown_as_it_is(open_page, tmp_path):
    folder = hostile(tmp_path)
    page = open_page("examples", folder, range="all", kind="random", k="3")
    assert_fine(page)
    frame = page.dataframe[0].value
    assert set(frame["secret"]) == {"•••"}
    assert "4242" not in str(page.dataframe[0].value) + str(page.dataframe[1].value)
    csv = to_csv(frame).decode("utf-8-sig")
    assert "'=cmd()" in csv
    for element in (*page.markdown, *page.caption):
        assert "[click](" not in str(element.value)
        assert "<script>" not in str(element.value)


@pytest.mark.parametrize("name", ["drift", "segments", "telemetry"])
def test_hostile_names_do_no_harm_on_other_pages(open_page, tmp_path, name):
    page = open_page(name, hostile(tmp_path), range="all")
    assert_fine(page)
    for element in (*page.markdown, *page.caption, *page.metric):
        said = f"{element.value}{getattr(element, 'label', '')}"
        assert "[click](" not in said
        assert ":material/home" not in said
        assert "$x$" not in said


def hostile(folder):
    """A project whose column names, values, versions and files look like Markdown and formulas."""
    n = 400
    column = "*a* [click](http://e.example) $x$ :material/home: <script>"
    frame = pd.DataFrame({
        "id": [f"=cmd(){i}" for i in range(n)],
        "at": pd.date_range("2024-01-01", periods=n, freq="30min", tz="UTC"),
        "v": "[click](http://e.example) :material/home: $x$",
        "score": [(i * 37 % 100) / 100 for i in range(n)],
        "decision": [int(i * 37 % 100 >= 50) for i in range(n)],
        "label": [int(i * 53 % 100 >= 50) for i in range(n)],
        column: ["<script>", "[click](http://e.example)", "=cmd()", "$x$ :material/home:"] * (n // 4),
        "secret": [f"4242-{i}" for i in range(n)],
    })  # fmt: skip
    frame.to_parquet(folder / "p $x$ (click) :material home.parquet", index=False)
    (folder / "assay.toml").write_text(
        'name = "*b* [click](http://e.example) $x$"\n[predictions]\npath = "p*.parquet"\ntask = "binary"\nid = "id"\n'
        'timestamp = "at"\nscore = "score"\ndecision = "decision"\nlabel = "label"\nversion = "v"\n'
        'private = ["secret"]\n'
        f"features = ['{column}']\nsegments = ['{column}']\n"
        "[reference]\nstart = 2024-01-01\nend = 2024-01-04\n"
    )
    return folder
