"""Small projects with a reference, written to a folder and opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analytics.project import read_project
from analytics.telemetry.catalog import Catalog


def open_project(
    folder: Path, rows: pd.DataFrame, reference: pd.DataFrame, *keys: str, task: str = "binary"
) -> Catalog:
    """Write rows and reference; without times, one row a minute from 1 March (reference: 1 February) 2024."""
    for name, given, start in (("rows", rows, "2024-03-01"), ("reference", reference, "2024-02-01")):
        frame = given.copy()
        if "ts" not in frame:
            frame["ts"] = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.arange(len(frame)), unit="min")
        if "score" not in frame and task != "multiclass":
            frame["score"] = 0.5
        frame.to_parquet(folder / f"{name}.parquet")
    score = '{A = "p_a", B = "p_b"}' if task == "multiclass" else '"score"'
    lines = [
        'name = "small"', "[reference]", 'path = "reference.parquet"', "[predictions]",
        'path = "rows.parquet"', f'task = "{task}"', 'timestamp = "ts"', f"score = {score}", *keys,
    ]  # fmt: skip
    (folder / "assay.toml").write_text("\n".join(lines))
    return Catalog(read_project(folder))
