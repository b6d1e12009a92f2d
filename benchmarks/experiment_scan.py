"""One experiment from its logs against the bare scan of the same columns, and the same in pandas."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

from analytics.workbench import open_workbench
from benchmarks.timing import line, medians

TOML = """name = "benchmark"
[exposures]
path = "exposures.parquet"
unit = "user_id"
variant = "variant"
timestamp = "timestamp"
[events]
path = "events.parquet"
unit = "user_id"
timestamp = "timestamp"
[metrics.conversion]
kind = "proportion"
value = "event = 'purchase'"
window = "7 days"
[metrics.revenue]
kind = "mean"
value = "CASE WHEN event = 'purchase' THEN amount ELSE 0 END"
winsorize = 0.999
[metrics.amount_per_event]
kind = "ratio"
numerator = "amount"
denominator = "1"
[experiments.test]
control = "A"
variants = { A = 0.5, B = 0.5 }
primary = ["conversion"]
secondary = ["revenue", "amount_per_event"]
covariate = "14 days"
"""


def main(units: int = 1_000_000, events_per_unit: int = 5) -> None:
    """Print the ratios."""
    folder = Path(tempfile.gettempdir()) / "assay-bench" / f"experiment-{units}"
    write_shop(folder, units, events_per_unit)
    bench = open_workbench(folder)
    scan = duckdb.connect()
    exposures, events = str(folder / "exposures.parquet"), str(folder / "events.parquet")

    def bare() -> None:
        scan.execute(
            "SELECT count(user_id), count(variant), count(timestamp) FROM read_parquet(?)", [exposures]
        )
        scan.execute(
            "SELECT sum(user_id), count(event), sum(amount), max(timestamp) FROM read_parquet(?)", [events]
        )

    def ours() -> object:
        bench.catalog.answered.clear()
        return bench.scorecard(name="test")

    taken = medians(
        {"bare scan": bare, "experiment": ours, "pandas, one metric": lambda: _pandas(folder)}, runs=3
    )
    print(
        f"{units:,} units, {units * events_per_unit:,} events, 3 metrics, look-back, by day; ratios to the bare scan"
    )
    for name, seconds in taken.items():
        print(line(name, seconds, taken["bare scan"]))


def _pandas(folder: Path) -> float:
    """What a notebook does for one metric: join, sum by user, Welch."""
    exposures, events = (
        pd.read_parquet(folder / "exposures.parquet"),
        pd.read_parquet(folder / "events.parquet"),
    )
    first = exposures.sort_values("timestamp").drop_duplicates("user_id").set_index("user_id")
    joined = events.join(first, on="user_id", rsuffix="_exposed")
    after = joined[joined["timestamp"] >= joined["timestamp_exposed"]]
    revenue = after["amount"].where(after["event"] == "purchase", 0).groupby(after["user_id"]).sum()
    first["revenue"] = revenue.reindex(first.index, fill_value=0)
    arms = [first.loc[first["variant"] == arm, "revenue"] for arm in ("B", "A")]
    return float(stats.ttest_ind(*arms, equal_var=False).pvalue)


def write_shop(folder: Path, units: int, events_per_unit: int) -> None:
    """Exposures and events, unless they are there already; the same numbers give the same logs."""
    if (folder / "assay.toml").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    start, seconds = datetime(2026, 1, 15), 28 * 86400  # noqa: DTZ001  # read in the project's zone
    exposed = generator.integers(0, seconds, units)
    times = np.datetime64(start) + exposed.astype("timedelta64[s]")
    variant = np.where(generator.random(units) < 0.5, "A", "B")
    table = pa.table(
        {"user_id": np.arange(units), "variant": variant, "timestamp": times.astype("datetime64[us]")}
    )
    pq.write_table(table.sort_by("timestamp"), folder / "exposures.parquet")
    n = units * events_per_unit
    happened = np.datetime64(start - timedelta(days=14)) + generator.integers(0, 42 * 86400, n).astype(
        "timedelta64[s]"
    )
    table = pa.table(
        {
            "user_id": generator.integers(0, units, n),
            "event": np.array(["view", "click", "purchase"])[generator.choice(3, n, p=[0.7, 0.2, 0.1])],
            "amount": generator.lognormal(2, 1, n),
            "timestamp": happened.astype("datetime64[us]"),
        }
    )
    pq.write_table(table.sort_by("timestamp"), folder / "events.parquet")
    (folder / "assay.toml").write_text(TOML)


if __name__ == "__main__":
    main()
