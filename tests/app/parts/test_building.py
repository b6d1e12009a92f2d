"""Large logs are aggregated aside, once, and the page says how far that is."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.telemetry import facts
from analytics.workbench import Workbench
from app.parts import building
from app.parts.building import Builds, is_worth_it, run_aside
from tests.telemetry.logs import write_project
from tests.telemetry.test_facts import SECTIONS, START, _labels, _predictions


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setattr(building, "LARGE_ROWS", 3)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))
    for day in range(3):
        _predictions(tmp_path / f"p/{day}.parquet", [f"{day}-{i}" for i in range(4)], day)
    _labels(tmp_path / "l/1.parquet", ["0-0"], 2, 1)
    return Workbench(write_project(tmp_path, **SECTIONS))


def _wait(builds: Builds, bench: Workbench) -> None:
    thread = builds.states[bench.project.file].thread
    assert thread is not None
    thread.join(60)


def test_a_build_runs_once_and_its_answers_are_used_from_then_on(bench: Workbench) -> None:
    goes_on, ran, told = threading.Event(), [], []

    def run(file: Path) -> None:
        ran.append(file)
        goes_on.wait(20)
        Workbench(file).aggregate()

    builds = Builds(run)
    assert bench.built() is None
    assert all(builds.keep_up(bench, lambda: told.append(1)) for _ in range(5))
    assert builds.built(bench) is None
    goes_on.set()
    _wait(builds, bench)
    assert ran == [bench.project.file]
    assert told == [1]
    found = builds.built(bench)
    assert found is not None
    assert (found.rows, found.days, found.missing) == (12, 3, 0)
    assert not builds.keep_up(bench, lambda: None)
    assert bench.catalog.parts is not None


def test_a_build_that_fails_is_tried_again_but_not_at_once(bench: Workbench) -> None:
    ran: list[int] = []
    told = iter(["no space left", None])

    def run(_: Path) -> str | None:
        ran.append(1)
        return next(told)

    builds = Builds(run)
    assert builds.keep_up(bench, lambda: pytest.fail("nothing was built"))
    _wait(builds, bench)
    found = builds.problem(bench)
    assert found is not None
    assert found[0] == "no space left"
    assert 0 < found[1] <= building.PAUSE_SECONDS
    assert not builds.keep_up(bench, lambda: None)
    builds.states[bench.project.file].next = float("-inf")
    assert builds.keep_up(bench, lambda: None)
    _wait(builds, bench)
    assert ran == [1, 1]
    assert builds.problem(bench) is None


def test_a_page_says_why_a_build_failed_and_when_it_is_tried_again(
    bench: Workbench, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = Builds(lambda _: "no space left in /kept.")
    monkeypatch.setattr(building, "_builds", lambda: builds)
    assert builds.keep_up(bench, lambda: None)
    _wait(builds, bench)
    said = building.built_sentence(bench)
    assert said is not None
    assert said.startswith("aggregates could not be built: no space left in /kept; tried again after")
    bench.aggregate()
    monkeypatch.setattr(building, "_SAID_SECONDS", 0.0)
    page = open_page("quality", bench.project.file.parent, range="all")
    captions = " ".join(item.value for item in page.caption).replace("\\", "").replace("\u2060", "")
    assert "aggregates of 12 rows, built" in captions
    assert "no space left in /kept; tried again" in captions


def test_small_logs_and_those_a_cluster_aggregates_are_left_alone(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_worth_it(bench)
    monkeypatch.setenv("ASSAY_ENGINE", "sc://cluster:15002")
    assert not is_worth_it(bench)
    monkeypatch.delenv("ASSAY_ENGINE")
    monkeypatch.setattr(building, "LARGE_ROWS", 12)
    assert not is_worth_it(bench)


def test_the_process_aside_builds_and_says_when_it_cannot(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, yields = building.aside, []
    assert aside("app", niceness=10)[0][1:3] == ["-n", "10"] or shutil.which("nice") is None
    # it yields to the others, but a test waits for it while another process of tests has the machine
    monkeypatch.setattr(
        building, "aside", lambda *words, niceness: yields.append(niceness) or aside(*words, niceness=0)
    )
    assert run_aside(bench.project.file) is None
    assert yields == [10]
    found = Workbench(bench.project.file).built()
    assert found is not None
    assert found.rows == 12
    told = run_aside(bench.project.file.parent / "nothing")
    assert told is not None
    assert "nothing" in told
    assert "\n" not in told


def test_the_caption_of_a_page_says_rows_and_time_of_the_build(
    bench: Workbench, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "run_aside", lambda _: None)
    bench.aggregate()
    folder = bench.project.file.parent
    page = open_page("quality", folder, range="all")
    captions = " ".join(item.value for item in page.caption).replace("\\", "")
    assert "aggregates of 12 rows, built" in captions
    monkeypatch.setattr(building, "_SAID_SECONDS", 0.0)
    _predictions(folder / "p/9.parquet", ["9-0"], 9)
    again = Workbench(bench.project.file)
    found = again.built()
    assert found is not None
    assert found.missing == 1
    assert found.at >= START - timedelta(days=1)


def test_thirty_pages_look_at_what_is_stored_once(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = Workbench.built
    monkeypatch.setattr(Workbench, "built", lambda self: looked.append(1) or look(self))
    builds = Builds(lambda _: None)
    assert [builds.built(bench) for _ in range(30)] == [None] * 30
    assert len(looked) == 1
    bench.aggregate()
    monkeypatch.setattr(building, "_SAID_SECONDS", 0.0)
    # all of it is stored: nobody looks again while no file changes
    assert {builds.built(bench).missing for _ in range(30)} == {0}  # type: ignore[union-attr]
    assert len(looked) == 2
