"""`assay aggregate` builds, says what it built, and verifies."""

from __future__ import annotations

import json
import shutil
from typing import NamedTuple

import pytest

from analytics.aggregates.stored_days import store_of
from analytics.project import read_project
from app import cli
from benchmarks.data import make_daily_project


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Small daily logs with a reference and a label feed."""
    return make_daily_project(tmp_path_factory.mktemp("aggregate"), 1_000, days=2)


class Outcome(NamedTuple):
    """What a command printed, and its exit status."""

    stdout: str
    stderr: str
    exit_code: int


@pytest.fixture
def run(capsys):
    """A command in this process."""

    def run(*words) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            cli.main(["aggregate", *map(str, words)])
        printed = capsys.readouterr()
        return Outcome(printed.out, printed.err, int(ended.value.code))

    return run


def test_a_second_build_has_nothing_to_do_and_verifying_finds_nothing(logs, run):
    first = json.loads(run(logs, "--json").stdout)[0]
    assert first["parts"] > first["days"] == 2
    again = json.loads(run(logs, "--json").stdout)[0]
    assert (again["parts"], again["days"]) == (0, 0)
    assert again["kept"] >= first["parts"] - first["aggregates"]
    assert "up to date" in run(logs).stdout
    found = run(logs, "--verify", "--json")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)[0]["problem"] is None


def test_a_damaged_file_is_found_and_mended(logs, run):
    run(logs)
    folder = store_of(read_project(logs / "assay.toml")).shelf.folder
    file = max((folder / "parts").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    file.write_bytes(file.read_bytes()[:-100])
    store_of(read_project(logs / "assay.toml"))._tables.clear()
    found = run(logs, "--verify")
    assert found.exit_code == 1
    assert "is missing or outdated" in found.stderr
    mended = json.loads(run(logs, "--json").stdout)[0]
    assert mended["damaged"] == 1
    assert run(logs, "--verify").exit_code == 0


def test_a_workspace_is_built_project_by_project(logs, run, tmp_path):
    shutil.copytree(logs, tmp_path / "logs" / "whole")
    (tmp_path / "logs" / "broken").mkdir()
    text = (logs / "assay.toml").read_text().replace("predictions/*.parquet", "nothing")
    (tmp_path / "logs" / "broken" / "assay.toml").write_text(text)
    found = run(tmp_path / "logs", "--json")
    assert found.exit_code == 0
    assert len(json.loads(found.stdout)) == 1
    assert "broken" in found.stderr
