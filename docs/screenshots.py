"""Make the pictures of the docs: ``python docs/screenshots.py`` starts the app on the sample logs and photographs it.

``python docs/screenshots.py FOLDER WIDTH light|dark HEIGHT NAME…`` makes some of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.tab import SETTLED
from tests.chromium import ARGUMENTS, find

PORT = 8695
PAGES: dict[str, dict[str, str]] = {
    "overview": {"range": "all"},
    "quality": {"project": "flights", "range": "all"},
    "drift": {"project": "flights", "range": "all", "version": "gbm-2013.03"},
    "segments": {"project": "flights", "range": "all"},
    "examples": {"project": "flights", "range": "all"},
    "scorecard": {"project": "NYC flight delays"},
    "plan": {"project": "NYC flight delays", "daily_units": "2000"},
    "telemetry": {"project": "flights", "range": "all"},
}
LINK = {
    "project": "NYC flight delays", "range": "custom", "start": "2013-12-30", "end": "2014-01-01",
    "version": "gbm-2013.03", "alert": "weather_lost",
}  # fmt: skip
"""Where a message of `assay watch` on the sample logs leads."""
FLIGHTS = {"project": "NYC flight delays"}
ON_CALL: dict[str, tuple[str, dict[str, str]]] = {
    "oncall-changed": ("changed", LINK),
    "oncall-rows": ("changed", LINK),
    "oncall-first": ("changed", {**LINK, "section": "first", "where": "temp=(missing)"}),
    "oncall-alerts": ("alerts", FLIGHTS),
    "oncall-acknowledged": ("alerts", FLIGHTS),
    "oncall-service": ("service", {**FLIGHTS, "range": "7d"}),
    "oncall-segments": ("segments", {**FLIGHTS, "range": "90d", "section": "found"}),
    "oncall-drill": ("drills", {**FLIGHTS, "fault": "feature_null", "fault_feature": "temp"}),
}
"""The walk of docs/on-call.md: page and words of each picture."""


def _rows(page: Page) -> None:
    page.get_by_role("button", name="Ten rows of this").click()
    page.get_by_role("heading", name="drawn at random").first.wait_for(timeout=60_000)


def _acknowledge(page: Page) -> None:
    known = page.get_by_role("button", name="I know about it")
    known.scroll_into_view_if_needed(timeout=60_000)
    known.click()
    page.get_by_role("textbox", name="Your name").fill("Ana")
    page.get_by_role("textbox", name="Note", exact=True).fill("the weather feed is down, called them")
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("Ana knows about it").scroll_into_view_if_needed(timeout=60_000)


def _drill(page: Page) -> None:
    page.get_by_role("button", name="Run the drill").click()
    page.get_by_role("button", name="Run it again").wait_for(timeout=300_000)


CLICKS: dict[str, Callable[[Page], None]] = {
    "oncall-rows": _rows,
    "oncall-acknowledged": _acknowledge,
    "oncall-drill": _drill,
}
HEIGHTS = {"oncall-service": 1540}
"""Of pages whose chart is what the picture is about."""
COLOURS = 256
"""Of a picture: enough for a page of flat colours, at a third of the bytes."""


def main(
    folder: Path, width: int = 1440, scheme: str = "light", height: int = 1200, only: Collection[str] = ()
) -> None:
    """Photograph the pages into a folder: all, or those named; what is said on them is kept nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {name: ("" if name == "overview" else name, words) for name, words in PAGES.items()} | ON_CALL
    store = tempfile.TemporaryDirectory()
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(PORT)],
        cwd=ROOT,
        env={**os.environ, "ASSAY_STORE": str(Path(store.name) / "store.db")},
    )
    try:
        _await_health()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find()), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            for name, (path, words) in pages.items():
                if not only or name in only:
                    page.set_viewport_size({"width": width, "height": HEIGHTS.get(name, height)})
                    _photograph(page, path, words, folder / f"{name}.png", CLICKS.get(name))
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)
        store.cleanup()


def _photograph(
    page: Page, path: str, words: dict[str, str], target: Path, clicks: Callable[[Page], None] | None
) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/{path}?{urlencode(words)}")
    page.get_by_test_id("stApp").wait_for()
    _settle(page)
    if clicks is not None:
        clicks(page)
        _settle(page)
    page.screenshot(path=str(target))
    Image.open(target).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(
        target, optimize=True
    )


def _settle(page: Page) -> None:
    with suppress(PlaywrightTimeout):
        page.wait_for_function(SETTLED, timeout=120_000)
    page.wait_for_timeout(2_000)


def _await_health() -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2)
            return
        time.sleep(0.1)
    raise TimeoutError("the server did not come up within two minutes")


if __name__ == "__main__":
    options = sys.argv[1:]
    main(
        Path(options[0]) if options else ROOT / "docs" / "images",
        int(options[1]) if len(options) > 1 else 1440,
        options[2] if len(options) > 2 else "light",
        int(options[3]) if len(options) > 3 else 1200,
        options[4:],
    )
