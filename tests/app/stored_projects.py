"""Projects of a few thousand rows that a page takes for large ones: logs by the day, late labels, stored aggregates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analytics.aggregates import error_bins, scores, unit_groups
from analytics.ask import features
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql
from analytics.telemetry import facts, remembered
from analytics.workbench import Workbench
from app.parts import building
from app.parts import features as feature_parts

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 20
A_DAY = 300
REFERENCE = 1500
CLASSES = ("A", "D", "O")
_COMMON = """name = "Stored {task}"
[predictions]
path = "predictions/*.parquet"
task = "{task}"
id = "id"
timestamp = "ts"
version = "version"
latency = "latency"
status = "status"
ok_status = ["ok"]
features = ["n0", "n1", "c0"]
segments = ["c0", "c1", "n1"]
block = "day"
{roles}
[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
[reference]
path = "reference/*.parquet"
"""
_ROLES = {
    "binary": 'score = "score"\ndecision = "decision"\n',
    "multiclass": 'decision = "decision"\nscore = {A = "p_A", D = "p_D", O = "p_O"}\n',
    "regression": 'score = "score"\n',
}
_METRICS = """[metrics.slow]
kind = "mean"
source = "predictions"
value = "latency"
direction = "down"
means = "how long people wait"
[metrics.high]
kind = "proportion"
source = "predictions"
value = "n0 > 1"
direction = "up"
[metrics.paid]
kind = "mean"
value = "amount"
direction = "up"
[events]
path = "events/*.parquet"
unit = "customer"
timestamp = "ts"
"""


def gates_down(patch: pytest.MonkeyPatch) -> None:
    """Few rows are treated as many: what keeps pages of small logs on their rows is lowered."""
    patch.setattr(features, "MANY_ROWS", 1)
    patch.setattr(feature_parts, "MOST_UNASKED", 1)
    patch.setattr(facts, "LARGE_BYTES", -1)
    patch.setattr(remembered, "LARGE", -1)
    patch.setattr(building, "LARGE_ROWS", 1)
    patch.setattr(scores, "EXACT_ROWS", 0)
    patch.setattr(scores, "FEW_ROWS", -1)
    patch.setattr(error_bins, "MANY_ROWS", 1)
    patch.setattr(unit_groups, "MANY_ROWS", 1)


def stored_project(folder: Path, task: str, *, unit: bool = False, metrics: bool = False) -> Path:
    """Write a project and build its aggregates.

    Args:
        folder: where.
        task: binary, multiclass or regression.
        unit: whether a unit is declared.
        metrics: whether metrics of the product are.
    """
    for name in ("predictions", "labels", "reference", "events"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(7)
    feeds = []
    for day in range(DAYS):
        rows = _rows(draw, task, day * A_DAY, A_DAY, START + pd.Timedelta(days=day), 1)
        rows.drop(columns="label").to_parquet(folder / f"predictions/{day:02d}.parquet", index=False)
        feeds.append(_labels(draw, rows))
        events = rows[["customer", "ts"]].assign(amount=draw.gamma(2, 5, len(rows)))
        events.to_parquet(folder / f"events/{day:02d}.parquet", index=False)
    start = START - pd.Timedelta(days=10)
    rows = _rows(draw, task, DAYS * A_DAY, REFERENCE, start, 10)
    rows.drop(columns="label").to_parquet(folder / "reference/r.parquet", index=False)
    # reports about the reference lie apart, as those of a training set do
    _labels(draw, rows).to_parquet(folder / "labels/reference.parquet", index=False)
    feed = pd.concat(feeds)
    for day, reports in feed.groupby(feed["label_ts"].dt.floor("D")):
        reports.to_parquet(folder / f"labels/{day:%Y-%m-%d}.parquet", index=False)
    roles = _ROLES[task] + ('unit = "customer"\n' if unit else "")
    text = _COMMON.format(task=task, roles=roles) + (_METRICS if metrics else "")
    (folder / "assay.toml").write_text(text, encoding="utf-8")
    finished = time.time() - 3600
    for file in folder.rglob("*.parquet"):
        os.utime(file, (finished, finished))
    bench = Workbench(folder)
    bench.aggregate()
    bench.telemetry()  # what new files hold is counted once, by whoever looks first
    bench.close()
    return folder


def _rows(
    draw: np.random.Generator, task: str, first: int, n: int, start: datetime, days: int
) -> pd.DataFrame:
    seconds = (np.arange(n) + 0.5) * days * 86_400 / n
    frame = pd.DataFrame({
        "id": [f"p{first + place}" for place in range(n)],
        "ts": (pd.Timestamp(start) + pd.to_timedelta(seconds, unit="s")).round("us"),
        "version": np.where(np.arange(n) % 2, "v1", "v2"),
        "latency": draw.gamma(3, 20, n), "status": np.where(draw.uniform(size=n) < 0.02, "failed", "ok"),
        "n0": draw.normal(size=n), "n1": draw.gamma(2, 2, n),
        "c0": draw.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]), "c1": draw.choice(["x", "y"], n),
        "customer": [f"u{place}" for place in draw.integers(0, 400, n)],
    })  # fmt: skip
    if task == "multiclass":
        chances = draw.dirichlet([2, 1, 1], n)
        for place, name in enumerate(CLASSES):
            frame[f"p_{name}"] = chances[:, place]
        frame["decision"] = np.array(CLASSES)[chances.argmax(axis=1)]
        frame["label"] = [draw.choice(CLASSES, p=row) for row in chances]
    elif task == "regression":
        frame["score"] = 10 + 3 * frame["n0"] + draw.normal(size=n)
        frame["label"] = frame["score"] + draw.normal(size=n) * 2
    else:
        frame["score"] = draw.beta(1, 2, n)
        frame["decision"] = (frame["score"] > 0.4).astype(int)
        frame["label"] = (draw.uniform(size=n) < frame["score"]).astype(int)
    return frame


def _labels(draw: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Nine in ten are labelled, hours later, and none after the last day of the log."""
    late = pd.to_timedelta(draw.exponential(5, len(rows)), unit="h").round("us")
    feed = pd.DataFrame({"id": rows["id"], "label": rows["label"], "label_ts": rows["ts"] + late})
    feed["label_ts"] = feed["label_ts"].dt.tz_convert("UTC")
    return feed[draw.uniform(size=len(rows)) < 0.9]


@contextmanager
def reading_rows() -> Iterator[list[str]]:
    """The texts of the queries whose plan opens a log meanwhile, as DuckDB itself explains them."""
    texts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("query", "kept", "define"):
            patch.setattr(DuckDBEngine, name, _explained(getattr(DuckDBEngine, name), texts))
        yield texts


def _explained(plain: Any, texts: list[str]) -> Any:
    def run(
        engine: DuckDBEngine,
        sql: Sql | str,
        parameters: Mapping[str, Any] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> Any:
        text, values = (sql.text, sql.parameters) if isinstance(sql, Sql) else (sql, parameters)
        if _opens_a_log(engine, text, values, tables):
            texts.append(text)
        more = {"parameters": parameters, "tables": tables} if plain.__name__ == "query" else {}
        return plain(engine, sql, **more)

    return run


def _opens_a_log(
    engine: DuckDBEngine, text: str, values: Mapping[str, Any] | None, tables: Mapping[str, pa.Table] | None
) -> bool:
    if text.startswith(("DROP", "DESCRIBE", "CREATE OR REPLACE VIEW", "CREATE VIEW")):
        return False  # nothing is read by these
    with engine._connection.cursor() as cursor:
        for name, table in (tables or {}).items():
            cursor.register(name, table)
        plan = cursor.execute(f"EXPLAIN {text}", dict(values) if values else None).fetchall()
    return any("READ_PARQUET" in row[-1] or "PARQUET_SCAN" in row[-1] for row in plan)
