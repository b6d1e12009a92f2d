"""A project whose Parquet logs hold what engines may disagree on; the same files for DuckDB, Sail and Spark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.aggregates.latency_bins import latency_edges

FIRST = datetime(2026, 10, 23, 20, 0, tzinfo=UTC)
"""Berlin leaves summer time on the third day."""
DAYS = 4
ROWS = 4_000

_PROJECT = """
name = "Contract"
time_zone = "Europe/Berlin"

[predictions]
path = "predictions/*.parquet"
task = "{task}"
{roles}
id = "id"
timestamp = "ts"
version = "version"
unit = "who"
weight = "weight"
latency = "latency"
status = "status"
features = ["amount", "visits", "country", "new"]
segments = ["country", "amount"]

[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "reported"

[reference]
path = "reference/*.parquet"

[aggregates]
pairs = [["country", "amount"]]
"""
_ROLES = {
    "binary": 'score = "score"\nthreshold = 0.5',
    "regression": 'score = "score"',
    "multiclass": 'score = { a = "score", b = "other" }',
}


def write(folder: Path, task: str = "binary", seed: int = 7) -> Path:
    """A small project of a task, or a binary one ``unweighted``; returns its file."""
    rng = np.random.default_rng(seed)
    for name in ("predictions", "labels", "reference"):
        (folder / name).mkdir(parents=True)
    rows = _rows(rng, ROWS)
    day = np.minimum(np.arange(ROWS) * DAYS // ROWS, DAYS - 1)
    for i in range(DAYS):
        part = rows.filter(pa.array(day == i))
        if i == 2:  # an older program wrote local times, narrower numbers and no truth value
            naive = pa.compute.local_timestamp(part.column("ts").cast(pa.timestamp("us", "Europe/Berlin")))
            part = part.set_column(part.column_names.index("ts"), "ts", naive)
            part = part.set_column(
                part.column_names.index("visits"), "visits", part.column("visits").cast(pa.int16())
            ).drop_columns(["new"])
        pq.write_table(part, folder / "predictions" / f"day-{i}.parquet")
    again = rows.slice(10, 30)  # logged twice, the second time an hour later and with another score
    later = pa.compute.add(again.column("ts"), pa.scalar(timedelta(hours=1)))
    again = again.set_column(again.column_names.index("ts"), "ts", later)
    pq.write_table(again, folder / "predictions" / "again.parquet")
    _write_labels(folder, rng, rows, task)
    pq.write_table(_rows(rng, 1_500, start=FIRST - timedelta(days=30)), folder / "reference" / "r.parquet")
    file = folder / "assay.toml"
    text = _PROJECT
    if task == "unweighted":
        task, text = "binary", text.replace('weight = "weight"\n', "")
    file.write_text(text.format(task=task, roles=_ROLES[task]))
    return file


def _rows(rng: np.random.Generator, n: int, start: datetime = FIRST) -> pa.Table:
    seconds = np.sort(rng.integers(0, DAYS * 86_400 * 1_000_000, n))
    amount = rng.lognormal(3, 1, n).round(2)
    amount[::97], amount[::101], amount[::211] = np.nan, np.inf, -np.inf
    score = rng.beta(1, 6, n)
    score[::150], score[::170] = 1.0, 0.0
    score[::333] = np.nan
    score[::160] = 0.5  # on the threshold, and on an edge of a bin
    latency = rng.lognormal(3, 1, n)
    latency[::500] = -1
    latency[::90] = latency_edges()[200]
    country = rng.choice(np.array(["DE", "FR", "IT", "", "it's"]), n, p=[0.5, 0.3, 0.1, 0.05, 0.05])
    start_us = int(start.timestamp() * 1e6)
    return pa.table({
        "id": [f"{start:%m}-{i}" for i in range(n)],
        "ts": pa.array(start_us + seconds, pa.timestamp("us", "UTC")),
        "version": np.where(np.arange(n) % 5 == 0, "v2", "v1"),
        "weight": rng.choice([0.5, 1.0, 3.0, 0.0], n),
        "latency": latency,
        "status": rng.choice(["ok", "timeout", "500"], n, p=[0.9, 0.06, 0.04]),
        "score": score,
        "other": 1 - score,
        "amount": pa.array(amount, mask=rng.random(n) < 0.05),
        "visits": pa.array(rng.integers(0, 12, n), pa.int64(), mask=rng.random(n) < 0.02),
        "who": pa.array([f"w{i * i % 701} \u00e9" for i in range(n)], mask=np.arange(n) % 50 == 0),
        "country": pa.array(country, mask=rng.random(n) < 0.03),
        "new": pa.array(rng.random(n) < 0.3, mask=rng.random(n) < 0.03),
    })  # fmt: skip


def _write_labels(folder: Path, rng: np.random.Generator, rows: pa.Table, task: str) -> None:
    n = rows.num_rows
    score = np.nan_to_num(rows.column("score").to_numpy(), nan=0.5)
    if task == "regression":
        label = pa.array(score + rng.normal(0, 0.1, n))
    elif task == "multiclass":
        label = pa.array(np.where(rng.random(n) < score, "a", "b"))
    else:
        label = pa.array((rng.random(n) < score).astype(np.int64))
    delay = rng.integers(60, 40 * 3_600, n) * 1_000_000
    reported = rows.column("ts").to_numpy().astype("datetime64[us]").astype(np.int64) + delay
    table = pa.table(
        {"id": rows.column("id"), "label": label, "reported": pa.array(reported, pa.timestamp("us", "UTC"))}
    )
    known = table.filter(pa.array(rng.random(n) < 0.8))
    half = known.num_rows // 2
    pq.write_table(known.slice(0, half), folder / "labels" / "first.parquet")
    pq.write_table(known.slice(half), folder / "labels" / "second.parquet")
    changed = known.slice(5, 40)  # reported again a week later
    week = pa.compute.add(changed.column("reported"), pa.scalar(timedelta(days=7)))
    pq.write_table(changed.set_column(2, "reported", week), folder / "labels" / "third.parquet")
