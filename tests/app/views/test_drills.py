"""The Drills page plants a fault and says who would notice; the Alerts page looks back at a rule."""

from __future__ import annotations

import pytest

from analytics.drills.faults import inject
from tests.app.conftest import assert_fine, charts, texts
from tests.drills.projects import write_small

RULES = """
[alerts.accuracy_low]
metric = "accuracy"
below = 0.6
window = "1 day"
[alerts.silence]
no_data = "6 hours"
every = "1 hour"
"""
CHAOS = """
[[chaos]]
name = "nothing much"
start = 2024-01-17T07:00:00
end = 2024-01-17T19:00:00
metric = "accuracy"
tolerance = 0.5
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def project(small, tmp_path_factory):
    file = inject(small, [], tmp_path_factory.mktemp("drilled"))
    file.write_text(file.read_text() + RULES + CHAOS)
    return file.parent


@pytest.fixture(scope="module")
def bare(small, tmp_path_factory):
    return inject(small, [], tmp_path_factory.mktemp("bare")).parent


def test_a_drill_runs_and_says_what_was_told(open_page, project):
    page = open_page(
        "drills", project, fault="labels_flipped", fault_start="2024-01-10", fault_days=2, fault_seeds=1
    )
    assert_fine(page)
    assert "planted in a copy of the logs" in texts(page)
    page.button(key="drill_run").click().run(timeout=120)
    assert_fine(page)
    said = texts(page)
    assert "Labels flipped: told after" in said
    assert "Without a fault the same 2 rules sent 0 pages" in said
    assert len(charts(page)) == 1


def test_a_real_fault_is_an_experiment(open_page, project):
    page = open_page("drills", project, section="chaos")
    assert_fine(page)
    assert "nothing much did what was expected" in texts(page)
    assert "in the same hours before" in texts(page)


@pytest.mark.parametrize(
    "section,says", [("drill", "No rule is declared"), ("chaos", "No fault that was real")]
)
def test_what_is_missing_is_taught(open_page, bare, section, says):
    page = open_page("drills", bare, section=section)
    assert_fine(page)
    assert says in texts(page)


def test_a_rule_over_its_past(open_page, project):
    page = open_page("alerts", project, section="backtest", rule="accuracy_low")
    assert_fine(page)
    said = texts(page)
    assert "accuracy_low would never have fired in 3 weeks" in said
    assert "No limit can be suggested for 2 pages a month" in said
