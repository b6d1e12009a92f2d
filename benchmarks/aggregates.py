"""Building stored aggregates against a bare scan that sums the same columns: time, memory, size, and how both grow.

``python -m benchmarks aggregates``; other sizes: ``python -m benchmarks.aggregates 10000000 20000000 40000000``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import duckdb

from benchmarks.data import CATEGORICAL, NUMERIC, make_daily_project
from benchmarks.timing import line

DAYS = 90
_BUILD = """
import json, resource, sys, time
from pathlib import Path
from analytics.building.build import bring_up_to_date
from analytics.project import read_project

project = read_project(Path(sys.argv[1]))
taken = {}
for name, anew in (("first", False), ("anew", True), ("again", False)):
    start = time.perf_counter()
    found = bring_up_to_date(project, anew=anew)
    taken[name] = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps(taken | {"bytes": found.n_bytes, "memory": memory}))
"""


def main(sizes: Sequence[int] = (1_000_000, 10_000_000), *, runs: int = 3) -> None:
    """Print, for each number of rows, seconds, ratios, memory and size; the slope between the last two."""
    folder = Path(tempfile.gettempdir()) / "assay-bench"
    taken: dict[int, float] = {}
    for rows in sizes:
        project = make_daily_project(folder, rows, days=DAYS)
        scans, builds = [], []
        for _ in range(runs):
            scans.append(_bare_scan(project))
            builds.append(_built(project))
        scan = statistics.median(scans)
        found = {name: statistics.median(one[name] for one in builds) for name in builds[0]}
        logs = sum(file.stat().st_size for file in project.rglob("*.parquet"))
        taken[rows] = found["anew"]
        print(
            f"{rows:,} rows in {DAYS} daily files, {logs / 1e6:,.0f} MB with labels and reference; {runs} runs in turns"
        )
        print(line("bare scan: sums of the same columns", scan))
        print(line("everything built; files and reference edges are known", found["anew"], scan))
        print(line("the first time, with looking at all files and edges", found["first"], scan))
        print(line("again, with nothing new", found["again"], scan))
        print(f"{'most memory':<58}{found['memory'] / 2**20:10,.0f} MB")
        print(f"{'stored':<58}{found['bytes'] / 1e6:10.1f} MB   {found['bytes'] / logs:6.1%} of the logs")
    for small, large in pairwise(sizes):
        print(f"{large / small:g} times the rows: {taken[large] / taken[small]:.2f} times as long")


def _bare_scan(project: Path) -> float:
    """Seconds to read and sum every column that aggregates read, reports of labels among them."""
    sums = ", ".join(
        [
            *(f"sum({name})" for name in NUMERIC),
            *(f"max({name})" for name in CATEGORICAL),
            "sum(score), sum(decision)",
        ]
    )
    start = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"SELECT {sums}, max(epoch_us(ts)), max(version), max(id) "
            f"FROM read_parquet('{project}/predictions/*.parquet')"
        ).fetchall()
        connection.execute(
            f"SELECT sum(label), max(epoch_us(label_ts)), max(id) FROM read_parquet('{project}/labels/*.parquet')"
        ).fetchall()
    return time.perf_counter() - start


def _built(project: Path) -> dict[str, float]:
    """Seconds, memory and size of three builds in a process and a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, str(project / "assay.toml")],
            env={**os.environ, "ASSAY_AGGREGATES": folder},
            cwd=Path(__file__).resolve().parent.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or (1_000_000, 10_000_000))
