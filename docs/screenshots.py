"""Make the README's pictures: ``python docs/screenshots.py`` starts the app on the sample logs and photographs it."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

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


def main(folder: Path, width: int = 1440, scheme: str = "light", height: int = 1200) -> None:
    """Photograph every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([sys.executable, "-m", "app", "serve", "--port", str(PORT)], cwd=ROOT)
    try:
        _await_health()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find()), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            for name, words in PAGES.items():
                _photograph(page, name, words, folder / f"{name}.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


def _photograph(page: Page, name: str, words: dict[str, str], target: Path) -> None:
    path = "" if name == "overview" else name
    page.goto(f"http://127.0.0.1:{PORT}/{path}?{urlencode(words)}")
    page.get_by_test_id("stApp").wait_for()
    with suppress(PlaywrightTimeout):
        page.get_by_test_id("stPlotlyChart").first.wait_for(timeout=60_000)
    page.wait_for_timeout(8_000)
    page.screenshot(path=str(target))


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
    )
