"""Pages of large logs find their first answers known: a process of its own asked for them."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

import pytest

from analytics.telemetry import facts
from analytics.workbench import Workbench
from app.parts import ahead, building
from app.parts import ask as asking
from app.parts.ahead import Ahead, looks
from app.parts.answers import Answers
from tests.app.conftest import assert_fine
from tests.telemetry.logs import write_project
from tests.telemetry.test_facts import SECTIONS, _labels, _predictions


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setattr(ahead, "is_large", lambda _: True)
    monkeypatch.setattr(building, "LARGE_ROWS", 3)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))
    for day in range(3):
        _predictions(tmp_path / f"p/{day}.parquet", [f"{day}-{i}" for i in range(4)], day)
    _labels(tmp_path / "l/1.parquet", ["0-0"], 2, 1)
    return Workbench(write_project(tmp_path, **SECTIONS))


class Process:
    """Stands in for the process that runs pages: every look has one answer of its own."""

    def __init__(self, bench: Workbench, ends_after: int = 1000) -> None:
        self.bench, self.left, self.said, self.killed = bench, ends_after, [], False
        self.stdin, self.stdout = self, io.BytesIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.killed

    def kill(self) -> None:
        self.killed = True

    def write(self, line: bytes) -> None:
        asked = json.loads(line)
        self.said.append((asked["page"], asked["words"].get("range"), asked["words"].get("by")))
        key = (str(self.bench.project.file), self.bench.digest, *self.said[-1])
        self.left -= 1
        told = pickle.dumps([(key, pickle.dumps(self.said[-1]), 1000)]) if self.left >= 0 else b""
        self.stdout = io.BytesIO(told)

    def flush(self) -> None:
        """All of it was said."""


def test_the_first_click_asks_nothing_that_was_asked_ahead(
    bench: Workbench, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.aggregate()
    known = asking.answers()
    monkeypatch.setattr(ahead, "_RANGES", (None,))
    monkeypatch.setattr(
        ahead, "looks", lambda _: [look for look in looks() if look.page in {"quality", "labels"}]
    )
    building.leave_alone()
    aside, yields = building.aside, []
    # it yields to everybody, but a test waits for it while another process of tests has the machine
    monkeypatch.setattr(
        building, "aside", lambda *words, niceness: yields.append(niceness) or aside(*words, niceness=0)
    )
    try:
        assert Ahead(list, known, ahead._process).ask(bench) > 5
        assert yields == [19]
        asked: list[str] = []
        answer = asking._answer

        def answered(*arguments: Any, **words: Any) -> Any:
            found = answer(*arguments, **words)  # what cannot be answered is nobody's to keep
            asked.append(str(arguments))
            return found

        monkeypatch.setattr(asking, "_answer", answered)
        for page in ("quality", "labels"):
            assert_fine(open_page(page, bench.project.file.parent))
        assert asked == []
        assert_fine(open_page("service", bench.project.file.parent))
        assert asked
    finally:
        building._builds().left_alone = False
        known.clear()


def test_pages_as_they_open_come_first_and_memory_is_bounded(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, known = Process(bench), Answers()
    segments = bench.project.require_predictions().segments
    every = list(looks(segments))
    assert Ahead(list, known, lambda: process).ask(bench) == len(every) == len(set(process.said))
    first = process.said[: [range_ for _, range_, _ in process.said].index("30d")]
    assert {"overview", "quality", "drift", "service", "features", "labels"} < {page for page, _, _ in first}
    assert {by for _, _, by in process.said} == {None, *segments}
    monkeypatch.setattr(ahead, "MOST_BYTES", 3_000)
    process = Process(bench)
    assert Ahead(list, Answers(), lambda: process).ask(bench) == 3


def test_it_waits_while_somebody_waits_for_an_answer(bench: Workbench) -> None:
    process, known, goes_on, asked = Process(bench), Answers(), threading.Event(), threading.Event()

    def question() -> str:
        asked.set()
        goes_on.wait(20)
        return "answer"

    person = threading.Thread(target=known.get, args=("key", question))
    person.start()
    assert asked.wait(10)
    thread = threading.Thread(target=Ahead(list, known, lambda: process).ask, args=(bench,))
    thread.start()
    time.sleep(0.3)
    assert process.said == []
    goes_on.set()
    thread.join(20)
    person.join(20)
    assert process.said


def test_a_process_that_ends_stops_nothing(bench: Workbench) -> None:
    process = Process(bench, ends_after=2)
    assert Ahead(list, Answers(), lambda: process).ask(bench) == 2

    def no_process() -> Process:
        raise BlockingIOError("too many processes")

    assert Ahead(list, Answers(), no_process).ask(bench) == 0


def test_asked_once_anew_after_a_build_and_not_of_what_is_not_built(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "keep_up", lambda _: False)
    monkeypatch.setattr(ahead, "RESTS", 1e9)  # a build does not wait for the rest
    started: list[Process] = []
    one = Ahead(lambda: [bench], Answers(), lambda: started.append(Process(bench)) or started[-1])
    one.look()
    assert not started  # the rows would be read
    bench.aggregate()  # another process may have done so: nobody tells
    one.look()
    one.look()
    assert len(started) == 1
    one.again()
    one.look()
    assert len(started) == 2
    monkeypatch.setattr(building, "LARGE_ROWS", 12)
    one.again()
    one.look()
    assert len(started) == 2  # of small logs nothing is gained


def test_the_process_ends_with_the_server_also_in_the_middle_of_a_page() -> None:
    page = (
        "import sys, time; from app import aside\n"
        "aside.show = lambda _: (print('page', file=sys.stderr, flush=True), time.sleep(100))\n"
        "aside.main()"
    )
    server = (
        "import subprocess, sys, time\n"
        f"page = subprocess.Popen([sys.executable, '-c', {page!r}], stdin=subprocess.PIPE)\n"
        "page.stdin.write(b'{}\\n')\n"
        "page.stdin.flush()\n"
        "time.sleep(100)"
    )
    root = Path(ahead.__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", server], cwd=root, stderr=subprocess.PIPE) as found:
        assert found.stderr is not None
        while found.stderr.readline() not in {b"page\n", b""}:
            pass
        found.kill()
        killed = time.monotonic()
        found.stderr.read()  # to the end, which is when nobody holds the other end any more
        assert time.monotonic() - killed < 50


def test_an_error_nobody_thought_of_ends_a_look_and_is_told(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda said: told.append(said.exc_type))
    bench.aggregate()
    process = Process(bench)
    monkeypatch.setattr(building, "keep_up", lambda _: False)
    looked: list[str] = []

    def benches() -> list[Any]:
        looked.append("at all")
        return [None, bench] if len(looked) == 2 else 1 / 0

    def wait(_: float) -> None:
        if len(looked) == 2:
            raise SystemExit

    one = Ahead(benches, Answers(), lambda: process)
    monkeypatch.setattr(one._wake, "wait", wait)
    one.begin()
    one._thread.join(60)
    assert told == [ZeroDivisionError, AttributeError, SystemExit]
    assert process.said


def test_an_answer_that_is_none_is_passed_over(bench: Workbench, tmp_path: Path) -> None:
    class Odd(Process):
        """Sends something else at its second answer."""

        def write(self, line: bytes) -> None:
            super().write(line)
            if len(self.said) == 2:
                ((key, _, size),) = pickle.loads(self.stdout.getvalue())
                odd = pickle.dumps(Path(tmp_path))
                self.stdout = io.BytesIO(pickle.dumps([(key, odd, size)]))

    process, known = Odd(bench), Answers()
    assert Ahead(list, known, lambda: process).ask(bench) == len(process.said) - 1
    assert not any(isinstance(answer, Path) for _, answer in known.items())
