"""Chromium for the browser tests: find it, or (as a script) install it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# run as a script from any folder
sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from tests import debian  # noqa: E402

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# As few calls home as Chromium lets itself be talked into; no sandbox for root, which containers run as.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
ONE_PROCESS = ["--process-per-site", "--renderer-process-limit=1"]
"""All tabs in one process, which has compiled our scripts before: opening a page takes half the processor time.

For tests only: a reader's first page is opened by a process that knows nothing."""


def find() -> Path | None:
    """The browser to test with: $CHROMIUM, one on the path, or the one Playwright has downloaded."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named) if Path(named).is_file() else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return _downloaded()


def _downloaded() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() else None


def install() -> None:
    """Debian's own package where we may install it, else Playwright's download; and the other way round."""
    steps = [_install_with_playwright, _install_with_apt]
    if debian.is_debian_root():
        steps.reverse()
    for step in steps:
        step()
        if find():
            return


def _install_with_apt() -> None:
    if debian.is_root():
        debian.install("chromium")


def _install_with_playwright() -> None:
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    """Make sure that there is a browser; 1 and one line where there cannot be."""
    if not find() and not os.environ.get("CHROMIUM"):
        install()
    browser = find()
    if browser:
        print(f"Browser: {browser}")
        return 0
    print("No Chromium: install one, or set CHROMIUM=/path/to/chromium.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
