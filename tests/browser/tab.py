"""A tab on a running server: it notices whatever must never happen, and does what a reader's hands do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Download, Locator, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PAGES = ("overview", "quality", "drift", "labels", "segments", "examples", "telemetry")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 1000}
SECONDS = 60
"""For any one wait: cold drift of a sample project takes a few seconds, and tests share two cores."""

expect.set_options(timeout=SECONDS * 1000)

# Idle long enough that nothing is still to come: every script run has ended, no card waits, every chart is drawn.
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const main = document.querySelector('[data-testid=stMain]');
  const idle = app && main
    && app.dataset.testScriptState === 'notRunning' && app.dataset.testConnectionState === 'CONNECTED'
    && main.querySelector('h1, h2, h3, h4, h5, strong, [data-testid=stException]')
    && !main.querySelector('[data-testid=stSkeleton], [data-testid=stSkeletonElement], [data-stale=true]')
    && [...main.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => chart.querySelector('.main-svg'));
  if (!idle) { window.idleSince = undefined; return false; }
  window.idleSince ??= performance.now();
  return performance.now() - window.idleSince > 250;
}"""

# Where Plotly has drawn every point that carries something to click for, in pixels of the window.
POINTS = """chart => {
  const plot = chart.querySelector('.js-plotly-plot'), box = plot.getBoundingClientRect(), found = [];
  for (const trace of plot._fullData) {
    if (!trace.customdata || trace.visible !== true || !trace.x || !trace.y) continue;
    const x = plot._fullLayout[trace.xaxis.replace('x', 'xaxis')];
    const y = plot._fullLayout[trace.yaxis.replace('y', 'yaxis')];
    for (let i = 0; i < trace.x.length; i++) {
      const custom = trace.customdata[i], bar = trace.type === 'bar' && plot.calcdata[trace.index][i];
      if (!custom) continue;
      found.push({custom: Array.from(custom),
                  x: box.x + x._offset + (bar ? x.c2p((bar.p0 + bar.p1) / 2) : x.d2p(trace.x[i])),
                  y: box.y + y._offset + (bar ? y.c2p((bar.s0 + bar.s1) / 2) : y.d2p(trace.y[i]))});
    }
  }
  return found;
}"""

# What stands in an element; icons are words in a font of their own.
WITHOUT_ICONS = """element => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll('[role=img][translate=no]').forEach(icon => icon.remove());
  return copy.textContent;
}"""


def has_ended(frame: str | bytes) -> bool:
    """Whether the server says that a run of the script has come to its end."""
    if isinstance(frame, str):
        return False
    message = ForwardMsg.FromString(frame)
    return message.WhichOneof("type") == "script_finished" and message.script_finished in {
        ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    }  # fmt: skip


@dataclass
class Tab:
    """One page of one context, with everything it did wrong.

    Attributes:
        page: Playwright's.
        base: the address of the server, without a slash at the end.
        wrong: what must never happen, in words.
        requests: every address asked for, web sockets included.
        socket: the connection to the script.
    """

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    socket: WebSocket | None = None

    def __post_init__(self) -> None:
        """Listen before the first request."""
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("popup", lambda popup: self.wrong.append(f"window opened: {popup.url}"))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", self._connected)

    def _console(self, message: ConsoleMessage) -> None:
        # Streamlit finds out below which path it is served by asking, and Chromium calls every 404 an error.
        asked = re.search(r"/\w+/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not asked:
            self.wrong.append(f"console: {message.text} ({message.location.get('url')})")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _connected(self, socket: WebSocket) -> None:
        self.socket = socket
        self._asked(socket.url)

    def _asked(self, url: str) -> None:
        self.requests.append(url)
        asked = urlsplit(url)
        if asked.scheme not in {"data", "blob"} and asked.netloc != urlsplit(self.base).netloc:
            self.wrong.append(f"request to another host: {url}")

    def open(self, page: str = "overview", **words: Any) -> Tab:
        """Open a page as a link with these words does, and wait until it stands."""
        path = "" if page == "overview" else page
        self.page.goto(f"{self.base}/{path}?{urlencode(words, doseq=True)}")
        return self.settle()

    def settle(self) -> Tab:
        """Wait until nothing is still to come; any exception on the page is wrong."""
        self.page.wait_for_function(SETTLED, polling=100)  # more often would slow down what it waits for
        for trouble in self.main.get_by_test_id("stException").all_inner_texts():
            self.wrong.append(f"exception on {self.page.url}: {trouble}")
        self.check()
        return self

    @contextmanager
    def run(self, to: str | None = None) -> Iterator[None]:
        """Do something that makes the script run, then wait until it has: on this page, or on the one it leads to."""
        # a quick run comes and goes without a trace in the page; the server always says that one has ended
        assert self.socket
        with self.socket.expect_event("framereceived", has_ended, timeout=SECONDS * 1000):
            yield
        if to is not None:
            path = "" if to == "overview" else to
            self.page.wait_for_url(re.compile(rf"{re.escape(self.base)}/{path}(\?|$)"))
        self.settle()

    def check(self) -> None:
        """Nothing that must not happen has happened."""
        assert not self.wrong, "\n".join(dict.fromkeys(self.wrong))

    @property
    def main(self) -> Locator:
        """The page without its navigation."""
        return self.page.get_by_test_id("stMain")

    @property
    def headline(self) -> str:
        """The sentence on top, without its sign."""
        said: str = (
            self.main.get_by_role("heading").first.locator("[data-heading-text]").evaluate(WITHOUT_ICONS)
        )
        return " ".join(said.replace("\u2060", "").split())

    @property
    def scope(self) -> str:
        """The scope in words, as the bar says it."""
        return self.plain(self.main.get_by_test_id("stCaptionContainer").first.inner_text())

    @property
    def words(self) -> dict[str, list[str]]:
        """The words of the address."""
        return parse_qs(urlsplit(self.page.url).query)

    @property
    def charts(self) -> Locator:
        """Every chart, once drawn."""
        return self.main.get_by_test_id("stPlotlyChart")

    def card(self, text: str | re.Pattern[str]) -> Locator:
        """The chart below a heading: the first one after it."""
        heading = self.main.get_by_text(text, exact=isinstance(text, str)).first
        return heading.locator("xpath=following::*[@data-testid='stPlotlyChart'][1]")

    def tile(self, label: str) -> tuple[str, str]:
        """Value of a tile, and everything that stands in it."""
        metric = (
            self.main.get_by_test_id("stMetric").filter(has=self.page.get_by_text(label, exact=True)).first
        )
        around = metric.locator("xpath=ancestor::*[@data-testid='stVerticalBlock'][1]")
        return metric.get_by_test_id("stMetricValue").inner_text(), around.inner_text()

    def points(self, chart: Locator) -> list[dict[str, Any]]:
        """Every clickable point of a chart: what it carries, and where it is drawn."""
        found: list[dict[str, Any]] = chart.evaluate(POINTS)
        return found

    def click_point(self, chart: Locator, *carries: Any) -> list[Any]:
        """Click the first point whose burden begins with these (`...` fits anything); gives all that it carries."""

        def place() -> dict[str, Any]:
            found = self.points(chart)
            fits = [point for point in found if all(
                wanted in {..., part} for wanted, part in zip(carries, point["custom"], strict=False)
            )]  # fmt: skip
            assert fits, f"no point carries {carries}; there are {[point['custom'] for point in found][:20]}"
            return fits[0]

        self._scroll(place()["y"])
        point = place()
        self.page.mouse.move(point["x"] - 3, point["y"])
        self.page.mouse.click(point["x"], point["y"])
        carried: list[Any] = point["custom"]
        return carried

    def scroll_to(self, there: Locator) -> Locator:
        """Bring something to the middle of the window at once: a list that is open closes when the page scrolls."""
        box = there.bounding_box()
        assert box
        self._scroll(box["y"])
        return there

    def _scroll(self, y: float) -> None:
        distance = y - self.page.viewport_size["height"] / 2
        self.main.evaluate(
            "(main, distance) => main.scrollBy({top: distance, behavior: 'instant'})", distance
        )

    def press_in_table(self, table: Locator, row: int, nth: int = 0) -> None:
        """Press the n-th button of a row: tables are drawn on a canvas, and only the pointer tells buttons."""
        canvas = table.get_by_test_id("data-grid-canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box
        y = box["y"] + 35 * (row + 1) + 17
        shape, buttons, inside = "canvas => getComputedStyle(canvas).cursor", 0, False
        for x in range(int(box["x"]) + 4, int(box["x"] + box["width"]), 6):
            self.page.mouse.move(x, y)
            over = canvas.evaluate(shape) == "pointer"
            if over and not inside:
                if buttons == nth:
                    self.page.mouse.click(x + 6, y)
                    return
                buttons += 1
            inside = over
        raise AssertionError(f"row {row} has {buttons} buttons, not {nth + 1}")

    def cells(self, table: Locator) -> list[list[str]]:
        """The text of the lines of a table that are in view."""
        rows = table.locator("table[role=grid] tbody tr")
        expect(rows.first.locator("td").first).to_be_attached()
        return [row.locator("td").all_inner_texts() for row in rows.all()]

    def download(self, button: Locator) -> tuple[Download, bytes]:
        """Press a button that hands out a file."""
        with self.page.expect_download() as coming:
            button.click()
        path = coming.value.path()
        return coming.value, path.read_bytes()

    @staticmethod
    def plain(text: str) -> str:
        """Text without the signs that keep Markdown from reading logged text."""
        return text.replace("\u2060", "")
