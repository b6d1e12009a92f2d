"""Large logs are listed and opened aside: nobody waits, and nobody sees half of them."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from analytics.errors import ProjectError
from analytics.telemetry import facts
from analytics.workbench import Workbench, open_logs
from tests.telemetry.logs import write_project
from tests.telemetry.test_facts import SECTIONS, _labels, _predictions


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setattr(open_logs, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))
    _predictions(tmp_path / "p/1.parquet", ["a", "b"], 1)
    _labels(tmp_path / "l/1.parquet", ["a"], 2, 1)
    return Workbench(write_project(tmp_path, **SECTIONS))


def _n(bench: Workbench) -> int:
    return int(bench.catalog.engine.query("SELECT count(*) AS n FROM predictions").to_pylist()[0]["n"])


def _until(condition: Any, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_listing_that_takes_long_is_not_waited_for(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _n(bench) == 2
    listed, goes_on = threading.Event(), threading.Event()
    before = open_logs.list_feeds

    def slow(project: Any) -> Any:
        listed.set()
        goes_on.wait(20)
        return before(project)

    monkeypatch.setattr(open_logs, "list_feeds", slow)
    _predictions(tmp_path / "p/2.parquet", ["c"], 2)
    assert _n(bench) == 2
    assert listed.wait(20)
    assert _n(bench) == 2
    goes_on.set()
    assert _until(lambda: _n(bench) == 3)


def test_a_project_file_that_breaks_is_said_at_the_next_question(bench: Workbench, tmp_path: Path) -> None:
    assert _n(bench) == 2
    (tmp_path / "assay.toml").write_text("name = 1", encoding="utf-8")

    def told() -> bool:
        try:
            _n(bench)
        except ProjectError:
            return True
        return False

    assert _until(told)


def test_logs_that_were_closed_meanwhile_are_not_put_back(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _n(bench) == 2
    goes_on = threading.Event()
    before = open_logs.open_catalog

    def slow(project: Any, left_out: Any = None) -> Any:
        goes_on.wait(20)
        return before(project, left_out)

    _predictions(tmp_path / "p/2.parquet", ["c"], 2)
    with monkeypatch.context() as patch:
        patch.setattr(open_logs, "open_catalog", slow)
        assert _n(bench) == 2
        bench.close()
        goes_on.set()
        assert bench._looking is not None
        bench._looking.join(20)
        assert bench._catalog is None
    assert _n(bench) == 3
