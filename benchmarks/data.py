"""A seeded synthetic project with realistic types: 15 numeric and 5 categorical features, score, labels, 4 segments."""

from __future__ import annotations

from pathlib import Path

import duckdb

NUMERIC = [f"n{i:02d}" for i in range(15)]
CATEGORICAL = [f"c{i}" for i in range(5)]

PROJECT = """name = "Synthetic"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
decision = "decision"
version = "version"
{unit}features = [{features}]
segments = ["c0", "c1", "c2", "n00"]
[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
[reference]
path = "reference/*.parquet"
"""


def make_project(folder: Path, rows: int, *, days: int = 90, units: int = 0) -> Path:
    """Write the project below a folder, unless it is there already; the same rows give the same logs.

    Args:
        folder: the project gets a folder of its own below it.
        rows: predictions; the reference has a tenth of that.
        days: how long the predictions took.
        units: customers whom the rows belong to, declared as the unit; 0 declares none.
    """
    target = folder / (f"synthetic-{rows}-{units}-units" if units else f"synthetic-{rows}")
    if (target / "assay.toml").exists():
        return target
    for name in ("predictions", "labels", "reference"):
        (target / name).mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SELECT setseed(0.42)")
        _write(
            connection,
            target / "predictions" / "p.parquet",
            rows,
            "TIMESTAMPTZ '2026-01-01 00:00:00+00'",
            days,
            0,
            units=units,
        )
        reference = max(rows // 10, 20_000)
        start = "TIMESTAMPTZ '2025-12-01 00:00:00+00'"
        _write(connection, target / "reference" / "r.parquet", reference, start, 30, rows, units=units)
        connection.execute(
            f"COPY (SELECT id, CAST(random() < score AS INTEGER) AS label, ts + INTERVAL 6 HOUR AS label_ts "
            f"FROM read_parquet(['{target}/predictions/p.parquet', '{target}/reference/r.parquet']) "
            "WHERE random() < 0.9) "
            f"TO '{target}/labels/l.parquet' (COMPRESSION zstd)"
        )
    features = ", ".join(f'"{name}"' for name in (*NUMERIC, *CATEGORICAL))
    unit = 'unit = "customer"\n' if units else ""
    (target / "assay.toml").write_text(PROJECT.format(features=features, unit=unit), encoding="utf-8")
    return target


def _write(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    rows: int,
    start: str,
    days: int,
    first_id: int,
    *,
    units: int,
) -> None:
    numeric = ", ".join(
        "CASE WHEN random() < 0.02 THEN NULL ELSE "
        f"round(sqrt(-2 * ln(1 - random())) * cos(6.283185 * random()) * {i + 1}, 4) END AS {name}"
        for i, name in enumerate(NUMERIC)
    )
    categorical = ", ".join(
        f"'{name}_' || CAST(floor(pow(random(), 2) * {4 * (i + 1)}) AS INTEGER) AS {name}"
        for i, name in enumerate(CATEGORICAL)
    )
    seconds = days * 86_400 / rows
    # hashed, so that it takes nothing from the stream of random numbers: the rest is the same with units and without
    customer = f"'u' || CAST(hash(i) % {units} AS VARCHAR) AS customer, " if units else ""
    connection.execute(
        f"COPY (SELECT 'p' || (i + {first_id}) AS id, "
        f"{start} + to_milliseconds(CAST(i * {seconds * 1000} AS BIGINT)) AS ts, "
        f"'v' || (1 + i % 2) AS version, score, CAST(score > 0.3 AS INTEGER) AS decision, {customer}"
        f"{numeric}, {categorical} "
        f"FROM (SELECT i, round(pow(random(), 3), 5) AS score FROM range({rows}) AS t(i))) "
        f"TO '{path}' (COMPRESSION zstd)"
    )
