"""The commands that compute: options, records, tables, workspaces and errors, on made-up answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from app import cli
from tests.app import stub_workbench as stub

COMMANDS = ["quality", "confusion", "roc", "calibration", "drift", "segments", "examples"]
PROJECT = """
name = "{name}"
time_zone = "America/New_York"
[predictions]
path = "*.parquet"
task = "{task}"
timestamp = "ts"
score = "score"
segments = ["carrier"]
"""


@dataclass
class Outcome:
    """What a command line did."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line on the stub, on a terminal of a given width."""
    monkeypatch.setitem(sys.modules, "analytics.workbench", stub.module())

    def run(*words: object, width: int = 120) -> Outcome:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        read = capsys.readouterr()
        return Outcome(ended.value.code, read.out, read.err)

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "one", "flights")


def write_project(folder: Path, name: str, task: str = "binary") -> Path:
    folder.mkdir(parents=True)
    (folder / "assay.toml").write_text(PROJECT.format(name=name, task=task))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_one_array_of_flat_records_and_nothing_else(run, project, command):
    outcome = run(command, project, "--json")
    assert outcome.status == 0
    records = orjson.loads(outcome.out)
    assert outcome.out.count("\n") == 1
    for record in records:
        assert next(iter(record)) == "project"
        assert record["project"] == "flights"
        assert not any(isinstance(value, dict | list) for value in record.values())
    if command != "examples":
        assert records[0]["window_start"] == "2013-07-01T00:00:00-04:00"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_tables_fit_the_terminal_and_name_the_zone(run, project, command, width):
    outcome = run(command, project, width=width)
    assert outcome.status == 0
    first, *lines = outcome.out.splitlines()
    assert first.startswith("flights")
    assert first.endswith("(America/New_York)")
    assert max(map(len, lines[:-1])) <= width
    assert len(lines) >= 3


def test_a_table_says_what_rows_share_once_and_why_a_value_is_missing(run, project):
    outcome = run("quality", project)
    assert outcome.out.splitlines()[0] == "flights · week of 1 Jul 2013 · version v1 (America/New_York)"
    assert "roc_auc  0.712  0.700 to 0.720" in outcome.out
    assert "12,345" in outcome.out
    assert "only 2 labels" in outcome.out
    assert "–" in outcome.out
    narrow = run("quality", project, width=40)
    assert "not shown: " in narrow.out
    assert "0.712" in narrow.out


def test_notes_and_messages_go_to_standard_error_in_one_line(run, project):
    outcome = run("quality", project, "--json")
    assert outcome.err == "assay: flights: two files were left out\n"


def test_a_log_cannot_steer_the_terminal_or_break_the_table(run, project):
    outcome = run("examples", project)
    assert "\x1b" not in outcome.out
    assert len(outcome.out.splitlines()) <= 5
    assert "�[31mred�long" in run("examples", project, width=400).out
    record = orjson.loads(run("examples", project, "--json").out)[0]
    assert record["note"].startswith("\x1b[31mred\n")
    assert (record["temp"], record["project"], record["column.project"]) == (None, "flights", "logged")


def test_options_become_the_scope(run, project):
    words = ["--start", "2013-07-01", "--end", "2013-08-01T12:00", "--as-of", "2013-09-01", "--version", "v1"]
    words += [
        "--version",
        "v2",
        "--where",
        "carrier=UA",
        "--where",
        "carrier=",
        "--by",
        "carrier",
        "--grain",
        "week",
    ]
    assert run("quality", project, *words, "--confidence", "0.9").status == 0
    name, scope = stub.ASKED[-1]
    assert name == "quality"
    assert (scope.start, scope.end) == (
        datetime(2013, 7, 1, 4, tzinfo=UTC),
        datetime(2013, 8, 1, 16, tzinfo=UTC),
    )
    assert scope.as_of == datetime(2013, 9, 1, 4, tzinfo=UTC)
    assert (scope.versions, scope.by, scope.grain, scope.confidence) == (("v1", "v2"), "carrier", "week", 0.9)
    assert [condition.text for condition in scope.filters] == ["carrier=UA", "carrier=(missing)"]


def test_options_of_one_command(run, project):
    drawn = orjson.loads(run("examples", project, "--kind", "random", "-k", 3, "--per-class", "--json").out)
    assert drawn[0]["reason"] == "random 3 True"
    assert orjson.loads(run("examples", project, "--json").out)[0]["reason"] == "worst 20 False"
    found = orjson.loads(run("segments", project, "--metric", "f1", "--json").out)
    assert found[0]["metric"] == "f1"


def test_an_option_without_effect_is_named(run, project):
    outcome = run("examples", project, "--by", "carrier", "--grain", "day", "--json")
    assert outcome.status == 0
    assert outcome.err == "assay: --by has no effect here\nassay: --grain has no effect here\n"
    assert (stub.ASKED[-1][1].by, stub.ASKED[-1][1].grain) == (None, "all")


def test_a_workspace_answers_with_all_projects_that_can(run, tmp_path):
    write_project(tmp_path / "a", "first")
    write_project(tmp_path / "b", "minutes", "regression")
    write_project(tmp_path / "c", "third")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "assay.toml").write_text("name = 3")
    outcome = run("quality", tmp_path, "--json")
    assert outcome.status == 0
    assert [record["project"] for record in orjson.loads(outcome.out)] == ["first", "first", "third", "third"]
    assert "assay: skipped b: a regression has no such thing\n" in outcome.err
    assert "assay: skipped d: " in outcome.err
    table = run("quality", tmp_path)
    assert [line.split()[0] for line in table.out.splitlines() if "(America/New_York)" in line] == [
        "first",
        "third",
    ]


def test_nobody_can_answer(run, tmp_path):
    write_project(tmp_path / "a", "minutes", "regression")
    write_project(tmp_path / "b", "more minutes", "regression")
    for outcome in (run("quality", tmp_path), run("quality", tmp_path / "a", "--json")):
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err.count("\n") == 1
        assert "a regression has no such thing" in outcome.err


@pytest.mark.parametrize(
    "words, message",
    [
        (["--start", "yesterday"], '"yesterday" is not a time'),
        (["--grain", "year"], 'grain "year" is not one of: all, 5min'),
        (["--where", "carrier"], "write SEGMENT=VALUE"),
        (["--where", "carier=UA"], 'did you mean "carrier"?'),
        (["--by", "origin"], '"origin" is not a segment'),
        (["--confidence", "95"], "confidence 95 must be"),
        (["--confidence", "much"], "'much' is not a valid float"),
        (["--nonsense"], "No such option"),
        (["--start", "2013-02-01", "--end", "2013-01-01"], "must be before end"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run, project, words, message):
    outcome = run("quality", project, *words)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert message in outcome.err


def test_a_missing_project_is_one_line_and_status_2(run, tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        outcome = run("drift", path)
        assert (outcome.status, outcome.err.count("\n")) == (2, 1)
        assert str(path) in outcome.err


def test_no_records_are_an_empty_array_and_a_table_that_says_so(run, project, monkeypatch):
    monkeypatch.setattr(stub.StubWorkbench, "roc", lambda self, scope: self._results("roc", scope))
    assert run("roc", project, "--json").out == "[]\n"
    assert run("roc", project).out == "flights (America/New_York)\n  no rows\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_scope_option(run, command):
    outcome = run(command, "--help")
    assert outcome.status == 0
    for option in (
        "--start",
        "--end",
        "--as-of",
        "--version",
        "--where",
        "--by",
        "--grain",
        "--confidence",
        "--json",
    ):
        assert option in outcome.out


def test_a_terminal_without_the_characters_gets_question_marks(run, project, monkeypatch):
    class Latin:
        encoding = "latin-1"

        def write(self, text: str) -> int:
            written.append(text.encode("latin-1"))
            return len(text)

        def flush(self) -> None: ...

    written: list[bytes] = []
    monkeypatch.setattr(sys, "stdout", Latin())
    assert run("quality", project).status == 0
    assert b"?" in b"".join(written)
