"""Script time of every Monitor page over large logs whose aggregates are stored, and first paint in a browser.

``python -m benchmarks open-pages``; other sizes: ``python -m benchmarks.open_pages 1000000 10000000``. "First" is the
first time anybody asks: no answer is in memory, only the opened logs. "Again" is a rerun. Pages are those of the
default view.
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
from streamlit.testing.v1 import AppTest

from app.locations import main_script
from app.parts.ask import answers
from app.parts.workspace import workspace
from benchmarks.data import make_daily_project
from tests.chromium import ARGUMENTS, find

PAGES = ("overview", "quality", "outcomes", "drift", "service", "features", "labels")
DAYS = 90
RUNS = 5
PORT = 8691
_MILLI = 1000.0
_SHOWN = ", ".join(f'[data-testid="{name}"]' for name in ("stMetric", "stPlotlyChart", "stDataFrame"))
_DRAWN = f'[data-stale="false"] :is({_SHOWN})'


def main(sizes: Sequence[int] = (1_000_000, 10_000_000), *, runs: int = RUNS) -> None:
    """Print milliseconds a page, first and again, medians of several runs and the worst; then all pages together."""
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
        print(f"{'page':<12}{'first p50':>11}{'first max':>11}{'again p50':>11}{'again max':>11}")
        for page, taken in found["pages"].items():
            said = (median(taken["first"]), max(taken["first"]), median(taken["again"]), max(taken["again"]))
            print(f"{page:<12}" + "".join(f"{one:>11,.0f}" for one in said))
        every = {
            kind: [one for taken in found["pages"].values() for one in taken[kind]]
            for kind in ("first", "again")
        }
        now = {
            f"{kind} {name}": of(every[kind])
            for kind in every
            for name, of in (("p50", median), ("p95", p95))
        }
        for name, value in now.items():
            ratio = "" if before is None else f"   {value / before[name]:.2f} x that of the size before"
            print(f"all pages, {name}: {value:,.0f} ms{ratio}")
        before = now
        print(f"first paint in Chromium: {painted(project)}", flush=True)


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
    """Milliseconds of the script of each page, first and again, in this process."""
    os.environ["ASSAY_PROJECT"] = str(project)

    def session() -> AppTest:
        return AppTest.from_file(str(main_script()), default_timeout=600)

    def timed(call: Any) -> float:
        start = time.perf_counter()
        shown = call()
        taken = (time.perf_counter() - start) * _MILLI
        if shown.exception:
            raise RuntimeError(shown.exception[0].value)
        return taken

    start = timed(session().run)
    pages: dict[str, dict[str, list[float]]] = {page: {"first": [], "again": []} for page in PAGES}
    for _ in range(runs + 1):
        for page, taken in pages.items():
            test = session()
            if page != "overview":
                test.run()
                test = test.switch_page(f"views/{page}.py")
            answers().clear()
            for entry in workspace().entries():
                if entry.bench is not None:
                    entry.bench.catalog.answered.clear()
            taken["first"].append(timed(test.run))
            taken["again"].append(timed(test.run))
    for taken in pages.values():
        # the first turn imports what a page needs
        del taken["first"][0], taken["again"][0]
    return {"start": start, "pages": pages}


def painted(project: Path) -> str:
    """Seconds from a click in the navigation to the first tile or chart of the page, in a new process."""
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
