"""Time calls side by side: medians of several runs, in turns, so that a busy machine is busy for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def medians(calls: dict[str, Callable[[], object]], *, runs: int = 5) -> dict[str, float]:
    """Seconds per call, the median of ``runs`` turns after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(runs + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def line(name: str, seconds: float, against: float | None = None) -> str:
    """One line of a report, with the ratio to something measured beside it."""
    ratio = "" if against is None else f"   {seconds / against:6.2f} x"
    return f"{name:<58}{seconds * 1000:10.1f} ms{ratio}"
