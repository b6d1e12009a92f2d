"""`assay experiment-funnel` and `assay experiment-exposures`: records, tables, and mistakes in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from app.cli import cli
from tests.app.views.experiment_projects import shop

FUNNEL = """
[metrics.path]
kind = "funnel"
steps = ["amount > 0", "amount > 20"]
"""


@pytest.fixture
def project(tmp_path):
    made = shop(tmp_path / "shop")
    file = made / "assay.toml"
    text = file.read_text().replace('secondary = ["spent"]', 'secondary = ["spent", "path"]')
    file.write_text(text.replace("[experiments.new_shop]", f"{FUNNEL}\n[experiments.new_shop]"))
    return made


def run(*words):
    found = CliRunner().invoke(cli, [str(word) for word in words])
    return found.exit_code, found.stdout, found.stderr


def test_a_record_a_step_and_arm(project):
    status, out, err = run("experiment-funnel", project, "new_shop", "--json")
    assert status == 0
    records = json.loads(out)
    assert [(record["step"], record["variant"]) for record in records] == [
        (1, "old"),
        (1, "new"),
        (2, "old"),
        (2, "new"),
    ]
    assert {record["project"] for record in records} == {"shop"}
    last = records[-1]
    whole = json.loads(run("experiment", project, "new_shop", "--json")[1])
    path = next(record for record in whole if record["metric"] == "path")
    assert last["share"] == pytest.approx(path["mean"])
    assert last["difference"] == pytest.approx(path["difference"])
    assert (last["difference_ci_low"], last["difference_ci_high"]) == pytest.approx(
        (path["ci_low"], path["ci_high"])
    )
    assert "not corrected" in err


def test_confidence_is_of_every_interval(project):
    wide, narrow = (
        json.loads(run("experiment-funnel", project, "new_shop", "--json", "--confidence", level)[1])[-1]
        for level in ("0.99", "0.5")
    )
    for low, high in (
        ("ci_low", "ci_high"),
        ("rate_ci_low", "rate_ci_high"),
        ("difference_ci_low", "difference_ci_high"),
    ):
        assert wide[low] < narrow[low] < narrow[high] < wide[high]


def test_tables_for_people(project):
    status, out, _ = run("experiment-funnel", project, "new_shop")
    assert status == 0
    assert "of the step before" in out
    status, out, _ = run("experiment-exposures", project, "new_shop")
    assert status == 0
    assert "first exposed to the arm" in out


def test_states_as_records(project):
    records = json.loads(run("experiment-exposures", project, "new_shop", "--json")[1])
    judged = {record["variant"]: record["n"] for record in records if record["state"] == "judged"}
    assert judged == {"old": 300, "new": 300}
    assert all(record["enters"] in {True, False} for record in records)


@pytest.mark.parametrize(
    "words, message",
    [
        (["experiment-funnel", "{project}", "other"], 'there is no experiment "other"'),
        (["experiment-exposures", "{project}", "new_shop", "more"], "name one project and one experiment"),
        (["experiment-funnel", "{project}", "new_shop", "--confidence", "2"], "confidence"),
    ],
)
def test_mistakes_are_one_line(project, words, message):
    found = CliRunner().invoke(cli, [word.format(project=project) for word in words])
    said = f"{found.stderr}{found.exception or ''}"
    assert found.exit_code != 0
    assert message in said
