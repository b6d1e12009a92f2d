"""Script time of every Monitor page over large logs whose aggregates are stored, and first paint in a browser.

``python -m benchmarks open-pages``; other sizes: ``python -m benchmarks.open_pages 1000000 10000000``. "Cold" is the
first time anybody asks: no answer is in memory, only the opened logs. "Warm" is the first time a person asks, after
the server has asked ahead (`app.parts.ahead`), as it does of logs of this size. "Again" is a rerun. Pages are those of
the default view.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import sync_playwright
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from analytics.workbench import Workbench
from app.locations import main_script
from app.parts import building
from app.parts.ahead import ahead
from app.parts.ask import answers
from app.parts.workspace import workspace
from benchmarks.data import make_daily_project
from tests.chromium import ARGUMENTS, find

PAGES = ("overview", "quality", "outcomes", "drift", "service", "features", "labels")
KINDS = ("cold", "warm", "again")
DAYS = 90
RUNS = 5
PORT = 8691
_MILLI = 1000.0
_SHOWN = ", ".join(f'[data-testid="{name}"]' for name in ("stMetric", "stPlotlyChart", "stDataFrame"))
_DRAWN = f'[data-stale="false"] :is({_SHOWN})'


def main(sizes: Sequence[int] = (1_000_000, 10_000_000), *, runs: int = RUNS) -> None:
    """Print milliseconds a page, cold, warm and again: medians and the worst of several runs; then all pages."""
    folder = Path(tempfile.gettempdir()) / "assay-bench"
    before: dict[str, float] | None = None
    for rows in sizes:
        project = make_daily_project(folder, rows, days=DAYS)
        aggregated(project)
        command = [sys.executable, "-m", "benchmarks.open_pages", "--script", str(project), str(runs)]
        found = json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        )
        print(
            f"{rows:,} rows; the first page of a process {found['start']:,.0f} ms; script time in ms, {runs} runs"
        )
        print(f"{'page':<12}" + "".join(f"{f'{kind} p50':>11}{f'{kind} max':>11}" for kind in KINDS))
        for page, taken in found["pages"].items():
            said = [one for kind in KINDS for one in (median(taken[kind]), max(taken[kind]))]
            print(f"{page:<12}" + "".join(f"{one:>11,.0f}" for one in said))
        every = {kind: [one for taken in found["pages"].values() for one in taken[kind]] for kind in KINDS}
        now = {
            f"{kind} {name}": of(every[kind])
            for kind in every
            for name, of in (("p50", median), ("p95", p95))
        }
        for name, value in now.items():
            ratio = "" if before is None else f"   {value / before[name]:.2f} x that of the size before"
            print(f"all pages, {name}: {value:,.0f} ms{ratio}")
        before = now
        print(f"first paint in Chromium, with the start of the server: {painted(project)}", flush=True)
        print(f"first paint in Chromium, after it asked ahead: {painted(project, wait=True)}", flush=True)


def aggregated(project: Path) -> None:
    """Bring the stored aggregates of a project up to date."""
    subprocess.run([sys.executable, "-m", "app", "aggregate", str(project)], check=True, capture_output=True)


def median(values: Sequence[float]) -> float:
    """The middle."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """What 95 of 100 do not exceed."""
    return sorted(values)[min(int(0.95 * len(values)), len(values) - 1)]


def script_times(project: Path, runs: int) -> dict[str, Any]:
    """Milliseconds of the script of each page, cold, warm and again, in this process."""
    os.environ["ASSAY_PROJECT"] = str(project)
    building.leave_alone()
    # what every installed package says of itself is read once a server, but anew for each AppTest: 130 ms
    components = manifest_scanner.scan_component_manifests()
    manifest_scanner.scan_component_manifests = lambda *_: list(components)
    start = _timed(_page("overview"))
    _forget()
    for bench in _benches():
        ahead().ask(bench)
    known = answers().items()
    pages: dict[str, dict[str, list[float]]] = {page: {kind: [] for kind in KINDS} for page in PAGES}
    for _ in range(runs + 1):
        for page, taken in pages.items():
            for kind in ("cold", "warm"):
                test = _page(page)
                _forget()
                for key, answer in known if kind == "warm" else ():
                    answers().put(key, answer)
                taken[kind].append(_timed(test))
            taken["again"].append(_timed(test))
    for taken in pages.values():
        for kind in KINDS:
            del taken[kind][0]  # the first turn imports what a page needs
    return {"start": start, "pages": pages}


def _page(page: str) -> AppTest:
    test = AppTest.from_file(str(main_script()), default_timeout=600)
    return test if page == "overview" else test.switch_page(f"views/{page}.py")


def _timed(test: AppTest) -> float:
    start = time.perf_counter()
    shown = test.run()
    taken = (time.perf_counter() - start) * _MILLI
    if shown.exception:
        raise RuntimeError(shown.exception[0].value)
    return taken


def _benches() -> list[Workbench]:
    return [entry.bench for entry in workspace().entries() if entry.bench is not None]


def _forget() -> None:
    answers().clear()
    for bench in _benches():
        bench.catalog.answered.clear()


def painted(project: Path, *, wait: bool = False) -> str:
    """Seconds from a click in the navigation to the first tile or chart of the page, in a new process.

    Args:
        project: what is served.
        wait: until the server has asked ahead.
    """
    chromium = find()
    if chromium is None:
        return "no Chromium here"
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", str(project), "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    said = []
    try:
        wait_until_healthy(PORT)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.get_by_test_id("stMetric").first.wait_for(timeout=120_000)
            if wait:
                wait_until_asked_ahead(server.pid)
            for name in PAGES[1:]:
                # what belongs to the page, and is not left over from the one before
                link = page.locator(f'[data-testid="stSidebarNav"] a[href$="/{name}"]')
                start = time.perf_counter()
                link.click()
                page.wait_for_url(f"**/{name}*", timeout=60_000)
                drawn = page.locator(_DRAWN).first
                with suppress(PlaywrightTimeoutError):
                    drawn.wait_for(timeout=20_000)
                shown = f"{time.perf_counter() - start:.1f} s" if drawn.count() else "draws nothing"
                said.append(f"{name} {shown}")
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
    return ", ".join(said)


def wait_until_asked_ahead(server: int, most_seconds: float = 300.0) -> float:
    """Wait until the process that asks first answers ahead has come and gone; after how many seconds that was.

    Args:
        server: the process id of the server.
        most_seconds: not longer, as nothing is asked ahead of small logs.
    """
    start, came = time.monotonic(), False
    while time.monotonic() - start < most_seconds:
        there = "app.aside" in (children := _children(server))
        if came and not there and "aggregate" not in children:
            break
        came = came or there
        time.sleep(0.2)
    return time.monotonic() - start


def _children(server: int) -> str:
    """The commands of the processes that a server started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone since it was listed
            if int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1]) == server:
                found.append(process.joinpath("cmdline").read_text().replace("\0", " "))
    return " ".join(found)


def processor_seconds(process: int) -> float:
    """What a process has used so far, without those that it started."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(int(one) for one in ticks) / os.sysconf("SC_CLK_TCK")


def wait_until_healthy(port: int) -> None:
    """Return when a server answers.

    Raises:
        TimeoutError: it did not within two minutes.
    """
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
            return
        time.sleep(0.05)
    raise TimeoutError("the server did not come up within two minutes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--script"]:
        print(json.dumps(script_times(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main([int(size) for size in sys.argv[1:]] or (1_000_000, 10_000_000))
