"""What other sizes of logs take, worked out from a measured build: ``python -m benchmarks.scaling [SMALL LARGE]``.

Builds everything that is stored for two project folders of `make_daily_project`, counts processor seconds, and prints
the seconds that each further million rows takes, then the table of docs/scaling.md. One folder is enough for a first
look; its fixed costs then count as if they grew with the rows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROWS_OF_A_GIGABYTE = 13_000_000
DAYS_OF_A_YEAR = 365
CORE_HOUR = 0.05
"""Dollars; about what clouds take for a core with 4 GB of memory."""
_BUILD = """
import json, sys, time
from pathlib import Path
from analytics.building.build import bring_up_to_date
from analytics.project import read_project

found = bring_up_to_date(read_project(Path(sys.argv[1])))
print(json.dumps({"seconds": time.process_time(), "bytes": found.n_bytes, "days": found.days}))
"""


@dataclass(frozen=True)
class Measured:
    """One build: rows, processor seconds of all threads, bytes stored, and days."""

    rows: int
    seconds: float
    stored: int
    days: int


def main(folders: list[Path]) -> None:
    """Measure and print."""
    found = sorted((_measured(folder) for folder in folders), key=lambda one: one.rows)
    first, last = found[0], found[-1]
    for one in found:
        print(
            f"{one.rows:,} rows: {one.seconds:,.0f} processor s, {one.stored / 1e6:,.0f} MB stored for {one.days} days"
        )
    more = last.rows - first.rows
    rate = (last.seconds - first.seconds) / more if more else last.seconds / last.rows
    by_day = last.stored / last.days
    print(f"{rate * 1e6:.2f} processor s a million rows; {by_day / 1e6:.2f} MB a day stored\n")
    print(
        "| logs | rows | first build | cores for a build within an hour | new rows of a day (a 365th) | dollars |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, gigabytes in (("1 GB", 1), ("100 GB", 100), ("10 TB", 10_000)):
        rows = gigabytes * ROWS_OF_A_GIGABYTE
        hours = rows * rate / 3600
        daily = rows / DAYS_OF_A_YEAR * rate
        print(
            f"| {name} | {rows / 1e6:,.0f} million | {hours:,.1f} core hours | {max(1, round(hours)):,} | "
            f"{daily / 60:,.1f} core minutes | {hours * CORE_HOUR:,.2f}, then {daily / 3600 * CORE_HOUR:,.3f} a day |"
        )
    print(f"\na year of days stored: {by_day * DAYS_OF_A_YEAR / 1e6:,.0f} MB, whatever the number of rows")


def _measured(folder: Path) -> Measured:
    place = tempfile.mkdtemp(prefix="assay-scaling-")
    environment = os.environ | {"ASSAY_AGGREGATES": place, "XDG_CACHE_HOME": place}
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _BUILD, str(folder)], env=environment, capture_output=True, check=True
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    found = json.loads(ended.stdout)
    counted = duckdb.sql(f"SELECT count(*) FROM '{folder}/predictions/*.parquet'").fetchall()
    return Measured(counted[0][0], found["seconds"], found["bytes"], found["days"])


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]] or [Path("/tmp/big/daily-1000000-90")])  # noqa: S108
