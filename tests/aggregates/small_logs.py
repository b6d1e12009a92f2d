"""A binary project whose predictions, reference and labels are files of a few rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PROJECT = """
name = "Small"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
[reference]
path = "reference/*.parquet"
"""


def write_rows(
    path: Path, ids: Sequence[str], scores: Sequence[float] | None = None, when: datetime = START
) -> None:
    """A file of predictions or of the reference."""
    path.parent.mkdir(exist_ok=True)
    table = {"id": ids, "ts": [when] * len(ids), "score": scores or [0.5] * len(ids)}
    pq.write_table(pa.table(table), path)


def write_reports(path: Path, ids: Sequence[str], when: datetime = START + timedelta(days=1)) -> None:
    """A file of labels."""
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": ids, "label": [1] * len(ids), "label_ts": [when] * len(ids)}), path)
