"""Thirty people clicking at once on a workspace of 10 million rows: script time a click, errors, and memory.

``python -m benchmarks users``; other numbers: ``python -m benchmarks.users 10000000 30 20 0`` (rows, sessions, clicks
of each, and 0 where nobody waits until first answers were asked ahead). Sessions speak Streamlit's own protocol over
its websocket, as a browser does; a click asks for another page, range or segment, and the next follows 3 to 12 seconds
after the answer, as people do who read.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.data import make_daily_project
from benchmarks.open_pages import (
    DAYS,
    PAGES,
    aggregated,
    median,
    p95,
    processor_seconds,
    wait_until_asked_ahead,
    wait_until_healthy,
)

PORT = 8692
SECONDS_BETWEEN = (3.0, 12.0)
RANGES = ("7d", "30d", "90d", "all")
SEGMENTS = (None, "c0", "c1", "c2")


@dataclass
class Clicks:
    """What sessions saw.

    Attributes:
        seconds: of each click, from asking to the end of the script.
        errors: what failed.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main(rows: int = 10_000_000, sessions: int = 30, clicks: int = 12, wait: int = 1) -> None:
    """Print p50, p95, the longest click, errors, and the most memory the server took.

    Args:
        rows: of the logs.
        sessions: how many people.
        clicks: of each.
        wait: 1 where they come after first answers were asked ahead, 0 where they come with the start of the server.
    """
    project = make_daily_project(Path(tempfile.gettempdir()) / "assay-bench", rows, days=DAYS)
    aggregated(project)
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", str(project), "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(PORT)
        # watched from the start on: it may have come and gone while the logs are opened
        with ThreadPoolExecutor(1) as watching:
            asked = watching.submit(wait_until_asked_ahead, server.pid) if wait else None
            asyncio.run(_sessions(1, 3))  # opens the logs
            ahead = asked.result() if asked is not None else 0.0
        start, used = time.perf_counter(), processor_seconds(server.pid)
        seen = asyncio.run(_sessions(sessions, clicks))
        taken, used = time.perf_counter() - start, processor_seconds(server.pid) - used
        memory = _most_memory(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=20)
    print(f"{rows:,} rows, {sessions} sessions, {len(seen.seconds)} clicks in {taken:,.0f} s")
    print(
        f"first answers were asked ahead for {ahead:,.0f} s"
        if wait
        else "nothing was waited for at the start"
    )
    print(f"processor time of the server a click {1000 * used / len(seen.seconds):,.0f} ms")
    print(
        f"script time p50 {median(seen.seconds):.2f} s, p95 {p95(seen.seconds):.2f} s, most {max(seen.seconds):.2f} s"
    )
    print(f"{len(seen.errors)} errors{': ' + '; '.join(sorted(set(seen.errors))[:3]) if seen.errors else ''}")
    print(f"most memory of the server {memory / 2**20:,.0f} MB")


async def _sessions(sessions: int, clicks: int) -> Clicks:
    seen = Clicks()
    await asyncio.gather(*(_session(number, clicks, seen) for number in range(sessions)))
    return seen


async def _session(number: int, clicks: int, seen: Clicks) -> None:
    choose = random.Random(number)
    await asyncio.sleep(choose.uniform(0, SECONDS_BETWEEN[1]))
    address = f"ws://127.0.0.1:{PORT}/_stcore/stream"
    async with websockets.connect(address, max_size=None, subprotocols=["streamlit"]) as socket:  # type: ignore[list-item]
        for _ in range(clicks):
            page = choose.choice(PAGES)
            chosen = {"range": choose.choice(RANGES), "by": choose.choice(SEGMENTS)}
            start = time.perf_counter()
            await socket.send(_asked(page, urlencode({k: v for k, v in chosen.items() if v})))
            problem = await _finished(socket)
            seen.seconds.append(time.perf_counter() - start)
            if problem is not None:
                seen.errors.append(f"{page}: {problem}")
            await asyncio.sleep(choose.uniform(*SECONDS_BETWEEN))


def _asked(page: str, query: str) -> bytes:
    message = BackMsg()
    message.rerun_script.page_name = "" if page == "overview" else page
    message.rerun_script.query_string = query
    said: bytes = message.SerializeToString()
    return said


async def _finished(socket: websockets.ClientConnection) -> str | None:
    """Read until the script has run to its end; what it showed as an exception."""
    problem = None
    while True:
        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(socket.recv(decode=False), 120))
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.new_element.HasField("exception"):
            problem = message.delta.new_element.exception.message[:200]
        if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return problem


def _most_memory(pid: int) -> int:
    """Bytes the server took at most, what it started included."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:  # gone since it was listed
            continue
        if int(status.parent.name) == pid or said.get("PPid", "").strip() == str(pid):
            found += int(said.get("VmHWM", "0 kB").split()[0]) * 1024
    return found


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
