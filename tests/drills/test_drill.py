from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from analytics.drills.drill import Drill, DrillPlan, Progress, run_drill
from analytics.drills.faults import inject
from analytics.errors import ProjectError, ScopeError
from app.cli import cli

RULES = """
[alerts.accuracy_low]
metric = "accuracy"
below = 0.55
[alerts.silence]
no_data = "6 hours"
every = "1 hour"
"""
START = datetime(2024, 1, 9, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(small, tmp_path_factory):
    file = inject(small, [], tmp_path_factory.mktemp("drilled"))
    file.write_text(file.read_text() + RULES)
    return file


def drilled(project, kind, **more):
    plan = DrillPlan(kind, START, timedelta(days=2), **{"severities": (1.0,), "seeds": 1, **more})
    steps = list(run_drill(project, plan))
    assert all(isinstance(step, Progress) for step in steps[:-1])
    assert [step.done for step in steps[:-1]] == list(range(plan.runs + 1))
    assert isinstance(steps[-1], Drill)
    return steps[-1]


def states(drill, run=1):
    return {row.alert: row.state for row in drill.rows if row.run == run}


def test_flipped_labels_are_told_by_quality_and_by_nothing_else(project):
    found = drilled(project, "labels_flipped", rules=("accuracy_low", "silence"))
    assert states(found) == {"accuracy_low": "told", "silence": "silent"}
    run = found.runs[0]
    # a day, and five hours until its labels are there
    assert 24 <= run.delay_hours <= 24 + 7
    assert run.first == "accuracy_low"
    # decisions are as right as ever
    assert run.wrong_before == run.wrong_without > 0
    assert ": told after" in found.sentence
    assert "sent 0 pages" in found.sentence
    row = next(row for row in found.rows if row.state == "told")
    assert row.ci_high < row.threshold == 0.55


def test_lost_traffic_is_told_within_hours(project):
    found = drilled(project, "traffic_lost", rules=("silence",))
    assert 6 <= found.runs[0].delay_hours <= 7


def test_what_is_told_at_a_large_severity_and_missed_at_a_small_one(project):
    found = drilled(project, "traffic_lost", severities=(0.05, 1.0), rules=("silence",))
    assert [(row.severity, row.told) for row in found.severities] == [(1.0, 1), (0.05, 0)]
    assert "at 0.05 nobody notices" in found.sentence
    large = found.severities[0]
    assert large.ci_low <= large.share <= large.ci_high


def test_a_fault_costs_what_the_model_makes_of_it(project):
    # no score depends on y
    harmless = drilled(project, "feature_null", feature="y", rules=("silence",))
    assert abs(harmless.severities[0].extra_wrong) <= 2
    assert ": noticed by no rule" in harmless.sentence
    wrong = drilled(project, "scores_biased", rules=("silence",)).runs[0]
    assert wrong.told_at is None
    assert wrong.wrong_before > wrong.wrong_without


def test_where_nothing_is_logged_nothing_is_broken(project):
    found = drilled(project, "labels_flipped", where=("place=east",), rules=("silence",))
    assert found.runs[0].status == "no_data"
    assert found.severities[0].share is None
    assert "nothing was broken" in found.sentence


def test_a_rule_that_fires_all_the_same_tells_nothing(small, tmp_path):
    file = inject(small, [], tmp_path)
    file.write_text(file.read_text() + '[alerts.always]\nmetric = "accuracy"\nbelow = 0.99\n')
    found = drilled(file, "labels_flipped")
    assert states(found) == {"always": "already firing"}
    assert found.severities[0].told == 0


def test_what_cannot_be_drilled_is_refused(project, small):
    with pytest.raises(ProjectError, match=r"needs an \[alerts.NAME\] section"):
        drilled(small, "labels_flipped")
    with pytest.raises(ProjectError, match='there is no alert "x"'):
        drilled(project, "labels_flipped", rules=("x",))
    with pytest.raises(ScopeError, match="runs"):
        drilled(project, "labels_flipped", severities=(0.1, 0.2, 0.3, 0.4), seeds=10)
    with pytest.raises(ScopeError, match="no prediction is logged"):
        list(run_drill(project, DrillPlan("labels_flipped", START + timedelta(days=99), timedelta(days=1))))


def test_a_stopped_drill_leaves_nothing_behind(project, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    steps = run_drill(project, DrillPlan("labels_flipped", START, timedelta(days=1), rules=("silence",)))
    next(steps)
    next(steps)
    assert list(tmp_path.glob("assay-drill-*"))
    steps.close()
    assert not list(tmp_path.glob("assay-drill-*"))


def test_commands_answer(project):
    runner = CliRunner()
    drill = runner.invoke(
        cli,
        ["drill", str(project), "--kind", "traffic_lost", "--start", "2024-01-10", "--end", "2024-01-12", "--severity",
         "1", "--seeds", "1", "--rule", "silence", "--json"],
    )  # fmt: skip
    assert drill.exit_code == 0, drill.output
    records = json.loads(drill.stdout)
    assert [(record["run"], record["state"]) for record in records] == [(0, "silent"), (1, "told")]
    assert records[1]["n_hit"] > 0
    assert "1 of 2: the untouched logs" in drill.stderr
    back = runner.invoke(cli, ["backtest", str(project), "accuracy_low", "--pages-per-month", "1"])
    assert back.exit_code == 0, back.output
    assert back.stdout.startswith("accuracy_low would never have fired in 3 weeks: at most")
    none = runner.invoke(cli, ["chaos", str(project)])
    assert none.exit_code != 0
    assert "[[chaos]]" in str(none.exception or none.output)
