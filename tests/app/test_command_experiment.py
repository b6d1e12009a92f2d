"""`assay experiment`: from a small table of units, and from the sample logs, to records and a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from scipy import stats

from analytics.experiments.rows import ExperimentRow
from analytics.workbench import open_workbench
from app import cli

Run = Callable[..., tuple[int, str, str]]
PROJECT = """
name = "{name}"
time_zone = "America/New_York"
[units]
path = "units.csv"
unit = "user"
variant = "arm"
[metrics.spent]
kind = "mean"
source = "units"
value = "spent"
covariate = "before"
[metrics.bought]
kind = "proportion"
source = "units"
value = "bought"
[experiments.{experiment}]
control = "old"
variants = {{ old = 0.5, new = 0.5 }}
primary = ["spent"]
secondary = ["bought"]
alpha = 0.1
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object, width: int = 120) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            cli.main(["experiment", *map(str, words)])
        read = capsys.readouterr()
        return ended.value.code, read.out, read.err

    return run


def units(seed: int = 1, n: int = 400) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    before = draw.normal(20, 5, n)
    arm = np.where(np.arange(n) % 2, "new", "old")
    return pd.DataFrame({
        "user": [f"u{i}" for i in range(n)],
        "arm": arm,
        "before": before.round(3),
        "spent": (before + draw.normal(0, 3, n) + 1.5 * (arm == "new")).round(3),
        "bought": draw.binomial(1, np.where(arm == "new", 0.35, 0.3)),
    })  # fmt: skip


def write_project(folder: Path, name: str = "shop", experiment: str = "new_price") -> Path:
    folder.mkdir(parents=True)
    (folder / "assay.toml").write_text(PROJECT.format(name=name, experiment=experiment))
    units().to_csv(folder / "units.csv", index=False)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop")


def records(run: Run, *words: object) -> list[dict[str, object]]:
    status, out, _ = run(*words, "--json")
    assert (status, out.count("\n")) == (0, 1)
    found: list[dict[str, object]] = orjson.loads(out)
    return found


def test_records_are_scipys_and_pythons_numbers(run, project):
    found = records(run, project, "new_price")
    assert all(list(row) == ["project", *(field.name for field in fields(ExperimentRow))] for row in found)
    assert [(row["metric"], row["method"]) for row in found] == [
        ("spent", "unadjusted"),
        ("spent", "cuped"),
        ("bought", "unadjusted"),
        ("srm", "chi-squared"),
    ]
    frame = units()
    new, old = (frame.spent[frame.arm == arm] for arm in ("new", "old"))
    expected = stats.ttest_ind(new, old, equal_var=False)
    assert found[0]["statistic"] == pytest.approx(expected.statistic)
    assert found[0]["p_value"] == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.9)
    assert (found[0]["ci_low"], found[0]["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert found[1]["standard_error"] < found[0]["standard_error"] / 1.5
    bench = open_workbench(project)
    rows = bench.experiment("new_price").to_records()
    bench.close()
    # threads add up in any order, so the last digits may differ from reading to reading
    for row, same in zip(found, rows, strict=True):
        for field, value in {"project": "shop", **same}.items():
            assert row[field] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)


def test_the_verdict_stands_above_the_table(run, project):
    status, out, err = run(project, "new_price")
    lines = out.splitlines()
    assert status == 0
    assert "wins on spent: " in lines[0]
    assert lines[2] == "shop · new_price · control old · variant new (America/New_York)"
    assert {"spent", "bought"} <= {line.split(" ")[0] for line in lines[4:]}
    assert "srm" not in out
    assert "split: 400 in all, chi-squared 0, p = 1 against the planned shares" in out
    assert err.startswith("assay: shop: Holm over 2 comparisons")


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_table_fits_the_terminal(run, project, width):
    _, out, _ = run(project, "new_price", width=width)
    table = out.split("\n\n")[1].splitlines()
    assert max(len(line) for line in table if not line.startswith("not shown")) <= width
    assert "cuped" in out


def test_with_json_the_verdict_goes_to_standard_error(run, project):
    _, _, err = run(project, "new_price", "--json")
    assert "wins on spent" in err.splitlines()[0]


def test_confidence_is_the_experiments_unless_told_otherwise(run, project):
    own, told = records(run, project, "new_price"), records(run, project, "new_price", "--confidence", "99%")
    assert (own[0]["confidence"], told[0]["confidence"]) == (0.9, 0.99)
    assert told[0]["ci_low"] < own[0]["ci_low"] < own[0]["ci_high"] < told[0]["ci_high"]


def test_a_workspace_answers_with_the_project_that_declares_it(run, tmp_path):
    write_project(tmp_path / "a", "first", "one")
    write_project(tmp_path / "b", "second", "two")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "assay.toml").write_text("name = 3")
    status, out, err = run(tmp_path, "two", "--json")
    assert status == 0
    assert {row["project"] for row in orjson.loads(out)} == {"second"}
    assert "assay: skipped c: " in err
    (tmp_path / "b" / "assay.toml").write_text(PROJECT.format(name="second", experiment="one"))
    assert {row["project"] for row in records(run, tmp_path, "one")} == {"first", "second"}
    _, out, _ = run(tmp_path, "one")
    assert "first · one" in out
    assert "second · one" in out


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "Missing argument"),
        (["{project}", "new_prize"], 'there is no experiment "new_prize"; did you mean "new_price"?'),
        (["{project}", "xyz"], "declared: new_price"),
        (["{project}"], "is a path; name the experiment after it"),
        (["{project}", "new_price", "more"], "found 3 words"),
        (["{project}/nowhere", "new_price"], "there is no such file or folder"),
        (["xyz"], 'there is no experiment "xyz"; declared: badges, express_checkout'),
        (["{project}", "new_price", "--confidence", "95"], "confidence 95 must be"),
        (["{project}", "new_price", "--confidence", "nan"], '"nan" is not a finite number'),
        (["{project}", "new_price", "--start", "yesterday"], '"yesterday" is not a time'),
        (["{project}", "new_price", "--grain", "day"], "No such option"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_wrong_input_is_one_line_and_status_2(run, project, words, message, more):
    status, out, err = run(*(word.format(project=project) for word in words), *more)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_project_without_experiments_says_so(run, tmp_path):
    (tmp_path / "assay.toml").write_text('name = "bare"')
    status, out, err = run(tmp_path, "any")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "no experiment is declared; an [experiments.NAME] section declares one" in err


def test_a_broken_split_has_no_winner(run, project):
    frame = units()
    frame[(frame.arm == "new") | (frame.index % 3 > 0)].to_csv(project / "units.csv", index=False)
    status, out, _ = run(project, "new_price")
    assert status == 0
    assert out.startswith("No verdict")
    srm = records(run, project, "new_price")[-1]
    assert srm["p_value"] < 0.001


def test_the_sample_experiment_is_found_by_its_name_alone_and_replays(run):
    whole = records(run, "gbm_against_logistic")
    assert {row["project"] for row in whole} == {"NYC flight delays"}
    assert whole[0]["metric"] == "earned"
    assert whole[0]["badge"] == "better"
    early = records(run, "gbm_against_logistic", "--as-of", "2013-05-01")
    assert early[0]["n"] < whole[0]["n"]
    assert early[0]["standard_error"] > whole[0]["standard_error"]
    narrow = records(run, "gbm_against_logistic", "--start", "2013-04-01", "--end", "2013-05-01")
    assert narrow[0]["n"] < whole[0]["n"]
