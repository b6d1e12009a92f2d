"""A page with two filters over large logs: from the rows, from a sample, and from the rows that pass, held in memory.

``python -m benchmarks.filtered 1000000 10000000``. Processor seconds; what is expected of the exact answers is printed
beside what they took by the clock.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analytics.scope import Scope
from analytics.workbench import Workbench
from benchmarks.data import make_daily_project

WHERE = ("c0=c0_1", "c1=c1_1")
PAGE = ("quality", "calibration", "roc", "confusion", "segments", "drift")
"""What the Quality, Segments and Drift pages ask first."""


def main(sizes: Sequence[int] = (1_000_000, 10_000_000)) -> None:
    """Print a table a size."""
    folder = Path(tempfile.gettempdir()) / "assay-bench"
    for rows in sizes:
        project = make_daily_project(folder, rows, days=90)
        bench = Workbench(project)
        scope = bench.scope(where=WHERE)
        subsets = bench.subsets
        print(f"\n{rows:,} rows, {' and '.join(WHERE)}; processor seconds")
        bench.catalog.engine.query_seconds = 1800.0  # a busy machine is no reason to stop
        bench.drift(bench.scope(start="2026-01-02", end="2026-01-03"))  # bins of the reference are found once
        _, drawing, _ = taken(subsets.sample)
        n = subsets.rows(scope)
        print(f"drawing {subsets.share:.3g} of the rows: {drawing:.2f}; {n:,} of them pass")
        print(f"{'':<13}{'rows':>8}{'sample':>8}{'held':>8}   expected, took by the clock")
        sums = [0.0, 0.0, 0.0]
        for question in PAGE:
            sums = [a + b for a, b in zip(sums, compared(bench, question, scope), strict=True)]
        print(f"{'all':<13}" + "".join(f"{one:>8.2f}" for one in sums), flush=True)
        bench.close()


def compared(bench: Workbench, question: str, scope: Scope) -> tuple[float, float, float]:
    """Processor seconds from the rows, from the sample and from the rows that pass; a line is printed."""
    subsets = bench.subsets
    _, sampled, clock = taken(partial(ask, bench.over(subsets.sample()), question, scope))
    expected = subsets.outlook(question, scope, clock).seconds
    _, held, took = taken(lambda: ask(bench.over(subsets.exact(scope)), question, scope))
    subsets.took(expected, took)
    _, plain, _ = taken(partial(ask, bench, question, scope))
    print(
        f"{question:<13}{plain:>8.2f}{sampled:>8.2f}{held:>8.2f}   {expected:.1f} s, {took:.1f} s", flush=True
    )
    return plain, sampled, held


def ask(bench: Workbench, question: str, scope: Scope) -> Any:
    """One question."""
    return getattr(bench, question)(scope=scope)


def taken(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """The answer, the processor seconds of all threads, and the seconds by the clock."""
    processor, clock = time.process_time(), time.monotonic()
    answer = work()
    return answer, time.process_time() - processor, time.monotonic() - clock


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or (1_000_000, 10_000_000))
