"""Fixtures for all tests: the checkout, a running server, a browser, and errors shown whole in pages."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import settings

from tests import chromium, order

# Two test processes, and every server they start, share two cores. BLAS starts a thread a core in each of them and
# lets it spin between small products: a simulation of 700 short series took 90 processor seconds, and takes 8 alone.
# Set before numpy is loaded, which reads it once; whoever sets another number keeps it.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# By the clock a test may take any time beside others on two cores: how long it took says nothing about what it shows.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
"""Generous: two test processes and a server share two cores."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One of several test processes: the longest first, the same in each."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: order.turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> order.Together:
    """Tests that share something costly go to one process, whatever `--dist` says."""
    config.option.loadscopereorder = False  # it would go by the number of tests
    return order.Together(config, log)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: to walk it again and again for garbage takes several percent of a run."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Extensions look whether all that is theirs goes with the interpreter."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def own_store(tmp_path_factory) -> Iterator[Path]:
    """No test, and no server or command that a test starts, keeps anything in the user's own store."""
    path = tmp_path_factory.mktemp("store") / "store.sqlite3"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_STORE", str(path))
        patch.setenv("ASSAY_AGGREGATES", str(path.parent / "aggregates"))
        patch.delenv("ASSAY_ENGINE", raising=False)
        yield path


@pytest.fixture(scope="session", autouse=True)
def whole_errors() -> None:
    """Pages hide the text of an error from their users; a failing test must show it."""
    if "streamlit" in sys.modules:
        from streamlit import config

        config.set_option("client.showErrorDetails", "full")


@dataclass
class RunningServer:
    """A server in a process of its own, on a free port of loopback."""

    process: subprocess.Popen[str]
    messages: list[str] = field(default_factory=list)
    url: str = ""

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=START_SECONDS) as answer:
            return answer.read()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; exit status, and seconds until the process was gone."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=START_SECONDS)
        return status, time.monotonic() - started

    def await_url(self) -> None:
        """Read messages until the address is printed, and a first request is answered."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.messages.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                self.url = found[0]
                break
        else:
            pytest.fail(f"the server ended with {self.process.wait()}:\n{''.join(self.messages)}")
        Thread(target=self.messages.extend, args=(self.process.stderr,), daemon=True).start()
        self.get("/healthz")


ServerStarter = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def start_server() -> Iterator[ServerStarter]:
    """Start `python -m app serve ARGUMENTS --port 0`, or another command line; all are ended afterwards."""
    running: list[RunningServer] = []

    def start(*arguments: str | Path, command: list[str] | None = None, **options: object) -> RunningServer:
        words = command or [sys.executable, "-m", "app", "serve", *map(str, arguments), "--port", "0"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | dict(options.get("environment") or {})
        process = subprocess.Popen(
            words,
            cwd=options.get("cwd") or ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        server = RunningServer(process)
        running.append(server)
        server.await_url()
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def browser():
    """Chromium through Playwright; `make browser` gets one."""
    from playwright.sync_api import sync_playwright

    executable = chromium.find()
    if executable is None:
        pytest.fail("no Chromium: run `make browser`, or set CHROMIUM=/path/to/chromium")
    with sync_playwright() as playwright:
        arguments = [*chromium.ARGUMENTS, *chromium.ONE_PROCESS]
        opened = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield opened
        opened.close()
