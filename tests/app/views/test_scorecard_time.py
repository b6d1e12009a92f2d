"""The sections In time and Chances: what each stopping rule says, on the page and on the command line."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from analytics.workbench import Workbench
from app.cli import cli
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop

RULES = {
    "fixed": "",
    "always-valid": 'stopping = "always-valid"\nplanned_units = 600\n',
    "group-sequential": 'stopping = "group-sequential"\nplanned_units = 600\nlooks = 3\n',
    "bayesian": 'stopping = "bayesian"\nprior = { lift = 0.2 }\n',
}


@pytest.fixture
def project(tmp_path):
    def made(rule):
        folder = shop(tmp_path / "shop")
        file = folder / "assay.toml"
        text = file.read_text().replace("[metrics.spent]\n", '[metrics.spent]\nwindow = "1 day"\n')
        text = text.replace("[metrics.bought]\n", '[metrics.bought]\nwindow = "1 day"\n')
        file.write_text(text.replace("[experiments.new_shop]\n", f"[experiments.new_shop]\n{RULES[rule]}"))
        return folder

    return made


@pytest.mark.parametrize("rule", RULES)
def test_in_time_says_what_the_rule_allows_and_what_looking_costs(open_page, project, rule):
    page = open_page("scorecard", project(rule), section="time")
    assert_fine(page)
    said = {
        "fixed": "looked at once, at the end",
        "always-valid": "may be looked at every day",
        "group-sequential": "at planned looks only",
        "bayesian": "allows for looking no more than a p-value does",
    }[rule]
    assert said in texts(page)
    assert "would be wrong in" in texts(page)
    assert len(page.metric) == 4
    assert len(charts(page)) == (2 if rule == "group-sequential" else 1)


@pytest.mark.parametrize("rule", ["fixed", "group-sequential", "bayesian"])
def test_chances_say_who_is_best_and_what_a_choice_loses(open_page, project, rule):
    folder = project(rule)
    page = open_page("scorecard", folder, section="chances")
    assert_fine(page)
    with closing(Workbench(folder)) as bench:
        rows = bench.experiment_chances("new_shop").rows
    assert "new is the best on bought" in texts(page)
    assert next(row for row in rows if row.variant == "new").prior in texts(page)
    assert len(charts(page)) == 1
    page.selectbox(key="prior").select("1").run()
    assert_fine(page)
    assert "lifts about 0, two in three within 1%" in texts(page)


def asked(*words):
    found = CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_commands_answer_with_flat_records(project):
    folder = str(project("group-sequential"))
    days = asked("experiment-days", folder, "new_shop")
    looks = asked("experiment-looks", folder, "new_shop")
    chances = asked("experiment-chances", folder, "new_shop", "--prior-lift", "0.1")
    (bought,) = [row for row in asked("experiment", folder, "new_shop") if row["metric"] == "bought"]
    assert {row["look"] for row in looks} == {1, 2, 3}
    stands_on = [row for row in looks if row["metric"] == "bought" and row["state"] == "taken"][-1]
    for field in ("p_value", "n", "n_control"):
        assert stands_on[field] == bought[field]
    assert stands_on["ci_low"] == pytest.approx(bought["ci_adjusted_low"])
    on_look = [row for row in days if row["metric"] == "bought" and row["ci_low"] is not None]
    assert on_look[-1]["day"] == stands_on["day"]
    assert {row["prior"] for row in chances} == {"lifts about 0, two in three within 10%"}
    assert asked("experiment-looks", str(folder), "new_shop", "--as-of", "2024-03-01T12:00") != looks


def test_a_design_without_looks_says_so(project):
    folder = str(project("fixed"))
    found = CliRunner().invoke(
        cli, ["experiment-looks", folder, "new_shop", "--json"], catch_exceptions=False
    )
    assert json.loads(found.stdout) == []
    assert "is not group-sequential" in found.stderr


def test_always_valid_records_are_the_sequence_and_keep_the_day_of_crossing(project):
    folder = str(project("always-valid"))
    rows = {row["metric"]: row for row in asked("experiment", folder, "new_shop")}
    bought = rows["bought"]
    assert bought["test"] == "normal-mixture confidence sequence"
    assert bought["first_crossing"] is not None
    assert (bought["p_value"] < 0.05) == (bought["ci_low"] > 0)
    days = [row for row in asked("experiment-days", folder, "new_shop") if row["metric"] == "bought"]
    assert days[-1]["always_valid_p_value"] == pytest.approx(bought["p_value"])
    assert next(row["day"] for row in days if row["crossed"]) == bought["first_crossing"]
