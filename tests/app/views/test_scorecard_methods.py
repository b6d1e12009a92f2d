"""One metric on the Scorecard page: where the values differ, and what other methods say."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.workbench import open_workbench
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop

QUANTILE = """
[metrics.large]
kind = "quantile"
quantile = 0.9
value = "amount"
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A shop with a quantile beside its share and its mean."""
    project = shop(tmp_path / "work" / "shop")
    text = (project / "assay.toml").read_text()
    text = text.replace('secondary = ["spent"]', 'secondary = ["spent", "large"]')
    (project / "assay.toml").write_text(text + QUANTILE)
    return project


def test_a_quantile_has_its_curves_and_its_differences(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="large")
    assert_fine(page)
    bench = open_workbench(folder)
    found = bench.experiment_distribution("new_shop", metric="large")
    bench.close()
    assert found.sentence in texts(page)
    assert "Quantile differences" in texts(page)
    assert "Compared by **quantile**" in texts(page)
    # effect by day, differences, cumulative shares; no histogram of unit means
    assert len(charts(page)) == 3


def test_a_mean_has_a_distribution_and_says_why_its_default_is_welch(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="spent")
    assert_fine(page)
    assert "Compared by **welch**" in texts(page)
    assert len(charts(page)) == 4


def test_a_share_has_no_distribution_but_methods(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="bought")
    assert_fine(page)
    assert "Compared by **score**" in texts(page)
    assert "Quantile differences" not in texts(page)


def test_the_other_methods_are_one_click_away(open_page, folder):
    page = open_page("scorecard", folder, section="metric", metric="spent")
    before = len(page.dataframe)
    page.session_state["methods_open"] = True
    page.run()
    assert_fine(page)
    tables = [frame.value for frame in page.dataframe if "Method" in frame.value.columns]
    assert len(page.dataframe) > before
    methods = list(tables[0]["Method"])
    assert methods[0] == "welch (default)"
    assert {"student", "mann-whitney", "permutation", "log-lift"} <= set(methods)
    bench = open_workbench(folder)
    usual = next(r for r in bench.experiment_methods("new_shop", metric="spent") if r.is_default)
    bench.close()
    assert usual.p_value is not None
    assert tables[0]["p"][0].strip()
    assert tables[0]["When to use it"][0] == usual.when
