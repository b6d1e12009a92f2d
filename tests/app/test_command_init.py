"""`assay init` and `assay telemetry` on real files."""

import json
from pathlib import Path

import pytest

from analytics.project import read_project
from app import cli
from tests.telemetry.logs import csv, put


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = (f"{i},2024-01-{1 + i % 9:02},0.{i:03},x{i % 3}" for i in range(200))
    put(tmp_path, "logs/a.csv", csv(*lines, "bad", header="id,timestamp,score,city"))
    return tmp_path


def test_init_prints_a_project_file_and_nothing_else(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "logs") == 0
    (logs / "assay.toml").write_text(capsys.readouterr().out)
    assert read_project(logs).require_predictions().path == ("logs",)


def test_init_writes_paths_relative_to_the_file(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (logs / "logs" / "sub").mkdir()
    assert run("init", "logs/a.csv", "-o", logs / "assay.toml") == 0
    read = capsys.readouterr()
    assert read.out == ""
    assert "wrote" in read.err
    assert read_project(logs).require_predictions().path == ("logs/a.csv",)


def test_init_does_not_replace_a_file_unasked(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (logs / "assay.toml").write_text('name = "mine"')
    assert run("init", "logs", "-o", "assay.toml") == 2
    assert "exists already" in capsys.readouterr().err
    assert read_project(logs).name == "mine"
    assert run("init", "logs", "-o", "assay.toml", "--force") == 0
    assert read_project(logs).name != "mine"


def test_init_without_logs_is_wrong_input(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "nowhere") == 2
    read = capsys.readouterr()
    assert read.out == ""
    assert read.err.count("\n") == 1
    assert "no log file here" in read.err


def test_telemetry_tells_of_the_proposed_project(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "logs", "-o", "assay.toml")
    capsys.readouterr()
    assert run("telemetry", ".", "--json") == 0
    read = capsys.readouterr()
    (record,) = json.loads(read.out)
    assert (record["path"], record["rows"], record["rejected"], record["rejected_lines"]) == (
        "logs/a.csv",
        200,
        1,
        "202",
    )
    assert record["first"] == "2024-01-01T00:00:00+00:00"
    assert "1 line cannot be read" in read.err
    assert run("telemetry", ".") == 0
    assert "logs/a.csv" in capsys.readouterr().out
