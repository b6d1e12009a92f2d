"""Small projects with known rows, written to a folder and opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from analytics.project import read_project
from analytics.telemetry.catalog import Catalog

OpenProject = Callable[..., Catalog]

ROLES = {
    "binary": 'task = "binary"\nscore = "score"',
    "multiclass": 'task = "multiclass"\nscore = {A = "p_a", B = "p_b", "C \'c" = "p_c"}',
    "regression": 'task = "regression"\nscore = "score"',
}


@pytest.fixture
def open_project(tmp_path: Path) -> Iterator[OpenProject]:
    """Write rows and a project file, and open its catalog; times are added, a minute a row."""
    opened: list[Catalog] = []

    def build(rows: pd.DataFrame, task: str, *keys: str, suffix: str = "parquet") -> Catalog:
        rows = rows.copy()
        if "ts" not in rows:
            start = pd.Timestamp("2024-03-01", tz="UTC")
            rows["ts"] = start + pd.to_timedelta(range(len(rows)), unit="min")
        if suffix == "parquet":
            rows.to_parquet(tmp_path / "rows.parquet")
        elif suffix == "csv":
            rows.to_csv(tmp_path / "rows.csv", index=False)
        else:
            rows.to_json(tmp_path / "rows.jsonl", orient="records", lines=True, date_format="iso")
        lines = [
            'name = "small"',
            "[predictions]",
            f'path = "rows.{suffix}"',
            'timestamp = "ts"',
            ROLES[task],
        ]
        (tmp_path / "assay.toml").write_text("\n".join([*lines, *keys]))
        opened.append(Catalog(read_project(tmp_path)))
        return opened[-1]

    yield build
    for catalog in opened:
        catalog.close()
