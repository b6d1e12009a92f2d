"""Small logs whose days differ only by chance, to plant causes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.workbench import Workbench
from tests.ask.projects import write_project

DAYS = 60
ROWS = 150
WINDOW = 5
LATE = DAYS - WINDOW
PREDICTIONS = """task = "binary"
id = "id"
score = "score"
decision = "decision"
version = "version"
unit = "unit"
features = ["heat", "wet", "size", "shop"]
segments = ["shop", "kind"]
latency = "latency"
status = "status"
ok_status = ["ok"]"""
Change = Callable[[pd.DataFrame, np.ndarray], pd.DataFrame]


def logs(seed: int = 0) -> pd.DataFrame:
    """60 days of 150 rows; heat and wet go together, scores follow from features and labels from scores."""
    random = np.random.default_rng(seed)
    n = DAYS * ROWS
    day = np.repeat(np.arange(DAYS), ROWS)
    level = random.normal(0, 0.3, DAYS)[day]
    heat = random.normal(20, 4, n) + 4 * level
    wet = 0.8 * heat + random.normal(0, 1, n)
    size = random.gamma(2, 10, n).round(2)
    shop = random.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    logit = (heat - 20) / 3 + (size - 20) / 15 + random.normal(0, 0.05, n)
    score = 1 / (1 + np.exp(-logit))
    start = pd.Timestamp("2024-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "ts": start + pd.to_timedelta(day * 86_400 + random.uniform(0, 86_400, n).round(3), unit="s"),
            "score": score, "decision": (score > 0.5).astype(int), "version": "v1",
            "unit": [f"u{i}" for i in random.integers(0, 300, n)],
            "heat": heat, "wet": wet, "size": size, "shop": shop, "kind": random.choice(["x", "y"], n),
            "latency": random.lognormal(3, 0.3, n), "status": "ok", "label": (random.random(n) < score).astype(int),
            "late": 3600.0 * random.uniform(1, 5, n), "day": day,
        }
    )  # fmt: skip


def bench_of(folder: Path, change: Change | None = None, seed: int = 0) -> Workbench:
    """A project with a change in the rows of its last five days.

    Args:
        folder: where.
        change: takes all rows and which of them are late.
        seed: of the logs.
    """
    frame = logs(seed)
    if change is not None:
        frame = change(frame, (frame["day"] >= LATE).to_numpy())
    feed = pd.DataFrame(
        {
            "id": frame["id"],
            "label": frame["label"],
            "ts": frame["ts"] + pd.to_timedelta(frame["late"], unit="s"),
        }
    )
    rows = frame.drop(columns=["label", "late", "day"]).sort_values("ts")
    return write_project(folder, rows, PREDICTIONS, feed=feed)


def window(bench: Workbench):
    """The last five days."""
    return bench.scope(
        start=f"2024-02-{LATE - 30:02}", end=f"2024-02-{DAYS - 30:02}" if DAYS < 60 else "2024-03-01"
    )
