"""Tabs on servers: one server on the sample logs a test process, a session a tab, a picture of what failed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from analytics.workbench import Workbench
from tests.browser.tab import DESKTOP, Tab
from tests.conftest import ROOT, ServerStarter

PICTURES = Path(tempfile.gettempdir()) / "assay-browser"
OUTCOME = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    item.stash[OUTCOME] = item.stash.get(OUTCOME, False) or report.failed
    return report


@pytest.fixture(scope="session")
def samples(start_server: ServerStarter) -> str:
    """The address of a server on the sample logs."""
    return start_server().url


@pytest.fixture(scope="session")
def benches() -> dict[str, Workbench]:
    """The sample projects by their folders, open beside the server: what pages must agree with."""
    return {file.parent.name: Workbench(file) for file in sorted((ROOT / "sample_logs").glob("*/assay.toml"))}


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """Where all tabs of a process open, so that each server's scripts are fetched and compiled once."""
    context = browser.new_context(reduced_motion="reduce")
    context.new_page()  # with its last tab the process would go, and all that it has compiled
    yield context
    context.close()


Opener = Callable[..., Tab]


@pytest.fixture
def open_tab(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """`open_tab(url, scheme="dark", size=PHONE)`: an empty tab; what went wrong in it fails the test at its end."""
    tabs: list[Tab] = []

    def opened(base: str, scheme: str = "light", size: dict[str, int] = DESKTOP) -> Tab:
        tabs.append(Tab(window.new_page(), base))
        tabs[-1].page.set_viewport_size(size)
        tabs[-1].page.emulate_media(color_scheme=scheme)
        return tabs[-1]

    yield opened
    wrong = [trouble for tab in tabs for trouble in tab.wrong]
    for number, tab in enumerate(tabs):
        if wrong or request.node.stash.get(OUTCOME, False):
            PICTURES.mkdir(exist_ok=True)
            name = re.sub(r"[^\w-]+", "-", request.node.name)
            tab.page.screenshot(path=PICTURES / f"{name}-{number}.png")
        tab.page.close()
    assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.fixture
def tab(open_tab: Opener, samples: str) -> Tab:
    """An empty tab on the sample logs."""
    return open_tab(samples)
