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


def make_daily_project(folder: Path, rows: int, *, days: int = 90) -> Path:
    """Write a project whose logs come as a team's do: a file a day of predictions, and of labels hours to days late.

    Args:
        folder: the project gets a folder of its own below it.
        rows: predictions; the reference has a tenth of that, at most a million.
        days: how long the predictions took, whatever their number: ten times the rows are ten times as dense.
    """
    target = folder / f"daily-{rows}-{days}"
    if (target / "assay.toml").exists():
        return target
    for name in ("predictions", "labels", "reference"):
        (target / name).mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SELECT setseed(0.42)")
        a_day = rows // days
        for day in range(days):
            start = f"(TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL {day} DAY)"
            _write(
                connection,
                target / "predictions" / f"day-{day:03d}.parquet",
                a_day,
                start,
                1,
                day * a_day,
                units=0,
            )
        for day in range(days + 3):
            _write_labels(connection, target, day, days)
        reference = min(max(rows // 10, 20_000), 1_000_000)
        start = "TIMESTAMPTZ '2025-12-01 00:00:00+00'"
        _write(connection, target / "reference" / "r.parquet", reference, start, 30, rows, units=0)
        connection.execute(
            f"COPY (SELECT id, CAST(random() < score AS INTEGER) AS label, ts + INTERVAL 6 HOUR AS label_ts "
            f"FROM read_parquet('{target}/reference/r.parquet') WHERE random() < 0.9) "
            f"TO '{target}/labels/reference.parquet' (COMPRESSION zstd)"
        )
    features = ", ".join(f'"{name}"' for name in (*NUMERIC, *CATEGORICAL))
    (target / "assay.toml").write_text(PROJECT.format(features=features, unit=""), encoding="utf-8")
    return target


def _write_labels(connection: duckdb.DuckDBPyConnection, target: Path, day: int, days: int) -> None:
    """The reports that arrive on one day, of predictions of that day and of the three before."""
    files = [
        f"{target}/predictions/day-{of:03d}.parquet" for of in range(max(day - 3, 0), min(day, days - 1) + 1)
    ]
    # from the id, so that whether and when a row is labelled does not depend on the order of reading
    chance = "(hash(id || '{}') % 1000003 + 0.5) / 1000003"
    late = f"to_milliseconds(CAST(least(-ln({chance.format('late')}) * 6, 60) * 3600000 AS BIGINT))"
    connection.execute(
        "COPY (SELECT id, label, label_ts FROM "
        f"(SELECT id, CAST({chance.format('label')} < score AS INTEGER) AS label, "
        f"ts + {late} AS label_ts FROM read_parquet({files}) WHERE {chance.format('there')} < 0.9) "
        f"WHERE floor(epoch(label_ts - TIMESTAMPTZ '2026-01-01 00:00:00+00') / 86400) = {day}) "
        f"TO '{target}/labels/day-{day:03d}.parquet' (COMPRESSION zstd)"
    )


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
