"""Start to first page in a real browser, and the script time of a rerun of every page on the sample logs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import sync_playwright
from streamlit.testing.v1 import AppTest

from app.locations import main_script
from tests.chromium import ARGUMENTS, find

PORT = 8690
RERUNS = 15


def main() -> None:
    """Print the times."""
    _first_page()
    _reruns()


def _first_page() -> None:
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_healthy()
        healthy = time.perf_counter() - started
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find()), args=ARGUMENTS)
            page = browser.new_page()
            opened = time.perf_counter()
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.get_by_test_id("stMetric").first.wait_for(timeout=120_000)
            first = time.perf_counter() - opened
            again = time.perf_counter()
            page.goto(f"http://127.0.0.1:{PORT}/quality")
            page.get_by_test_id("stPlotlyChart").first.wait_for(timeout=120_000)
            quality = time.perf_counter() - again
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
    print(
        f"start to /healthz {healthy:.1f} s; then Overview {first:.1f} s; then Quality with its chart {quality:.1f} s"
    )


def _wait_until_healthy() -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2)
            return
        time.sleep(0.05)
    raise TimeoutError("the server did not come up within two minutes")


def _reruns() -> None:
    os.environ.pop("ASSAY_PROJECT", None)
    views = sorted(Path(main_script()).parent.glob("views/*.py"))
    print(f"{'page':<14}{'first run':>12}{'rerun p50':>12}{'rerun p95':>12}   (script time, sample logs)")
    for view in views:
        if view.stem == "__init__":
            continue
        test = AppTest.from_file(str(main_script()), default_timeout=120).run()
        started = time.perf_counter()
        test.switch_page(f"views/{view.name}").run()
        first = time.perf_counter() - started
        taken = []
        for _ in range(RERUNS):
            again = time.perf_counter()
            test.run()
            taken.append(time.perf_counter() - again)
        taken.sort()
        p50, p95 = statistics.median(taken), taken[int(0.95 * (len(taken) - 1))]
        print(f"{view.stem:<14}{first * 1000:>9.0f} ms{p50 * 1000:>9.0f} ms{p95 * 1000:>9.0f} ms")


if __name__ == "__main__":
    main()
