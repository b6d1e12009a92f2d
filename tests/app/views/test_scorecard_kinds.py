"""The page of one metric: steps of a funnel, a winsorised metric without the cut, and who counts."""

from __future__ import annotations

from contextlib import closing

import pytest

from analytics.workbench import Workbench
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop

KINDS = """
[metrics.path]
kind = "funnel"
steps = ["amount > 0", "amount > 20"]

[metrics.cut]
kind = "mean"
value = "amount"
winsorize = 0.9
"""


@pytest.fixture
def folder(tmp_path):
    made = shop(tmp_path / "shop")
    file = made / "assay.toml"
    text = file.read_text().replace('secondary = ["spent"]', 'secondary = ["spent", "path", "cut"]')
    file.write_text(text.replace("[experiments.new_shop]", f"{KINDS}\n[experiments.new_shop]"))
    return made


def test_a_funnel_is_drawn_below_its_metric(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="path")
    assert_fine(page)
    with closing(Workbench(folder)) as bench:
        rows = bench.funnel("new_shop").rows
    assert [row.step for row in rows] == [1, 1, 2, 2]
    assert "How far units came" in texts(page)
    assert "All 2 steps were taken by" in texts(page)
    assert "share of units that took these steps in the order of time: amount > 0, then amount > 20" in texts(
        page
    )
    plain = open_page("scorecard", folder, section="metric", metric="spent")
    assert_fine(plain)
    assert "How far units came" not in texts(plain)
    assert ["share of all exposed units" in str(figure) for figure in charts(page)].count(True) == 1
    assert "share of all exposed units" not in str(charts(plain))


def test_a_winsorised_metric_says_what_it_says_without_the_cut(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="cut")
    assert_fine(page)
    with closing(Workbench(folder)) as bench:
        card = bench.scorecard(name="new_shop")
    (row,) = card.others
    assert (row.method, row.metric, row.badge, row.p_adjusted) == ("uncapped", "cut", None, None)
    spent = next(row for row in card.rows if row.metric == "spent")
    assert row.difference == pytest.approx(spent.difference)
    assert row.p_value == pytest.approx(spent.p_value)
    assert (row.ci_low, row.ci_high) == pytest.approx((spent.ci_low, spent.ci_high))
    assert "Without the cut" in texts(page)
    assert "Badge and verdict stand on the cut values." in texts(page)


def test_who_counts_is_a_table_behind_the_scorecard(open_page, folder):
    page = open_page("scorecard", folder)
    assert_fine(page)
    assert "Who counts, and who does not" in texts(page)
    assert any(expander.label == "Units, exposures and rows by state" for expander in page.expander)


@pytest.mark.parametrize("name", ["funnel", "uncapped", "states"])
def test_every_question_mark_opens_its_drawer(open_page, folder, name):
    words = {
        "funnel": {"section": "metric", "metric": "path"},
        "uncapped": {"section": "metric", "metric": "cut"},
    }
    page = open_page("scorecard", folder, **words.get(name, {}))
    keys = [button.key for button in page.button if button.key and name in button.key]
    assert keys
    page.button(key=keys[0]).click().run()
    assert_fine(page)
