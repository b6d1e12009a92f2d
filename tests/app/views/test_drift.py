from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from app import locations
from app.parts import drift as parts
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"


def test_says_what_moved_and_how_many_alarms_may_be_false(open_page):
    page = open_page(
        "drift", FLIGHTS, version=["gbm-2013.03"], range="custom", start="2013-07-01", end="2013-08-01"
    )
    assert_fine(page)
    said = texts(page)
    assert "features drifted in July 2013" in said.replace("\\", "")
    assert re.search(r"(temp|dewp) most", said)
    assert "Benjamini-Hochberg" in said
    assert len(page.metric) == 4
    assert page.selectbox(key="one_version").value == "gbm-2013.03"
    assert page.selectbox(key="feature").value in {"temp", "dewp"}
    assert len(charts(page)) == 3


def test_a_link_opens_on_its_feature_and_window(open_page):
    page = open_page(
        "drift",
        FLIGHTS,
        version=["gbm-2013.03"],
        range="custom",
        start="2013-07-01",
        end="2013-08-01",
        feature="dewp",
        at="2013-07-04",
    )
    assert_fine(page)
    assert page.selectbox(key="feature").value == "dewp"
    assert page.selectbox(key="at").value == "2013-07-04"
    assert "dewp, 4 Jul 2013, against the reference" in texts(page).replace("\\", "")


def test_words_that_mean_nothing_here_fall_back(open_page):
    page = open_page("drift", FLIGHTS, feature="no such feature", at="yesterday", range="30d")
    assert_fine(page)
    assert page.selectbox(key="at").value == "all"


def test_the_table_has_every_statistic_of_every_field(open_page):
    page = open_page("drift", FLIGHTS, range="30d")
    frame = page.dataframe[-1].value
    assert len(frame) == 22
    wanted = [
        "Population stability index", "Noise floor", "Jensen-Shannon distance", "Largest gap", "Mean distance moved",
        "Share moved", "Adjusted p-value", "Missing", "Missing in reference", "Drifted", "Status",
        "Test takes as independent",
    ]  # fmt: skip
    assert set(wanted) <= set(frame.columns)


def test_another_version_becomes_the_scope(open_page):
    page = open_page("drift", FLIGHTS, range="30d")
    page.selectbox(key="one_version").select("logistic-2013.03").run()
    assert_fine(page)
    assert page.session_state["version"] == ["logistic-2013.03"]


def test_without_a_reference_it_teaches(open_page, known_project):
    page = open_page("drift", known_project(reference=False))
    assert_fine(page)
    assert "declares no reference" in texts(page)
    assert "[reference]" in texts(page)
    assert "start = 2024-01-01" in texts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["both", "one", "none"])
def test_every_task_and_any_labels(open_page, known_project, task, labels):
    assert_fine(open_page("drift", known_project(task=task, labels=labels), range="all"))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("drift", known_project(rows=rows), range="all"))


def test_an_empty_window_offers_the_newest_data(open_page):
    page = open_page("drift", FLIGHTS, range="custom", start="2019-01-01", end="2019-02-01")
    assert_fine(page)
    assert "Nothing in this window" in texts(page)


@pytest.mark.parametrize(
    "role, feature, kind, point, wanted",
    [
        ("feature", "temp", "numeric", ["[10, 20)", 10.0, 20.0], "temp=[10.0, 20.0)"),
        ("feature", "temp", "numeric", ["(-inf, 10)", None, 10.0], "temp=(-inf, 10.0)"),
        ("feature", "temp", "numeric", ["[90, inf)", 90.0, None], "temp=[90.0, inf)"),
        ("feature", "hour", "numeric", ["6", 6.0, 6.0], "hour=[6.0, 6.0]"),
        ("feature", "dest", "categorical", ["ATL", None, None], "dest=ATL"),
        ("feature", "dest", "categorical", ["(missing)", None, None], "dest="),
        ("feature", "dest", "categorical", ["(unseen)", None, None], None),
        ("feature", "dest", "categorical", ["(7 other values)", None, None], None),
        ("feature", "temp", "numeric", ["inf", None, None], None),
        ("label", "label", "categorical", ["1", None, None], "label=1"),
        ("score", "score:late", "numeric", ["[0, 1)", 0.0, 1.0], None),
        ("score", "score", "numeric", ["(missing)", None, None], None),
    ],
)  # fmt: skip
def test_a_bin_as_a_filter(role, feature, kind, point, wanted):
    assert parts.bin_filter(SimpleNamespace(role=role, feature=feature, kind=kind), point) == wanted


def test_false_alarms_are_counted_over_everything_on_screen():
    cells = [SimpleNamespace(drifted=i < 20, n_expected_by_chance=0.01) for i in range(100)]
    cells.append(SimpleNamespace(drifted=None, n_expected_by_chance=None))
    said = parts.false_alarms(cells, "week")
    assert "1.0 of the 20" in said
    assert "about 1.0 false alarms" in said
    assert "100 cells" in said


def test_cells_carry_what_a_click_needs(open_page):
    page = open_page("drift", FLIGHTS, range="30d")
    heat = charts(page)[0]
    custom = [trace["customdata"] for trace in heat["data"] if "customdata" in trace]
    assert json.dumps(custom[-1][0]).count(",") == 3
