"""Rows behind a number, with stored aggregates, against one scan of the columns they need.

``python -m benchmarks.examples 1000000 10000000``. Processor seconds, medians of several turns. The scan reads of all
rows what examples are chosen by (id, time, version, score, decision) and the label feed. Beside it stands what it takes
to read every logged column of the files that the rows shown lie in, which examples do on top.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from analytics.building.build import bring_up_to_date
from analytics.engines.text import literal
from analytics.examples.rows import ExampleKind
from analytics.project import read_project
from analytics.workbench import open_workbench
from benchmarks.data import make_daily_project

KINDS: tuple[ExampleKind, ...] = ("worst", "best", "uncertain", "random")
NEEDED = {
    "predictions": "max(id), max(epoch_us(ts)), max(version), sum(score), sum(decision)",
    "labels": "max(id), sum(label), max(epoch_us(label_ts))",
}
Answer = TypeVar("Answer")


def main(
    sizes: Sequence[int] = (1_000_000, 10_000_000),
    runs: int = 3,
    place: Path | None = None,
) -> None:
    """Print a table a size."""
    for size in sizes:
        project = make_daily_project(place or Path(tempfile.gettempdir()) / "assay-bench", size)
        bring_up_to_date(read_project(project))
        print(f"\n{size:,} rows, processor seconds\n")
        print("| rows | asked | scan | ratio | all columns of their files |\n| --- | --- | --- | --- | --- |")
        for kind in KINDS:
            found = [turn(project, kind) for _ in range(runs)]
            asked, scan, shown = map(statistics.median, zip(*found, strict=True))
            print(f"| {kind} | {asked:.2f} | {scan:.2f} | {asked / scan:.1f} | {shown:.2f} |", flush=True)


def turn(project: Path, kind: ExampleKind) -> tuple[float, float, float]:
    """The question of a workbench whose logs are open, the scan, and that of the files of the rows shown."""
    with closing(open_workbench(project)) as bench:
        bench.catalog  # noqa: B018 - opens the logs
        answer, asked = taken(partial(bench.examples, kind=kind))
    files = ", ".join(literal(str(project / file)) for file in sorted({row.file for row in answer.rows}))
    duckdb.execute("SET enable_progress_bar = false")
    _, scan = taken(lambda: [duckdb.sql(f"SELECT {items} FROM '{project / name}/*.parquet'").fetchall()
                             for name, items in NEEDED.items()])  # fmt: skip
    _, shown = taken(
        lambda: duckdb.sql(f"SELECT max(COLUMNS(* EXCLUDE ts)) FROM read_parquet([{files}])").fetchall()
    )
    return asked, scan, shown


def taken(work: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer, and the processor seconds of all threads."""
    busy = time.process_time()
    answer = work()
    return answer, time.process_time() - busy


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or (1_000_000, 10_000_000))
