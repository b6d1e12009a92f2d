"""Latency, measured for real: every sampled flight scored alone, one after the other.

It is the one thing a second run cannot repeat to the byte, so it is kept in a file of its own.
"""

from pathlib import Path
from time import perf_counter_ns

import numpy as np
import pandas as pd

from sample_logs.builder.encoding import FEATURES
from sample_logs.builder.models import Model
from sample_logs.builder.writing import write_parquet

WARM_UP = 200


def measure(rows: pd.DataFrame, scorers: dict[str, Model], path: Path) -> None:
    """Score each row alone and write how long encoding and scoring took, in milliseconds.

    Raises ValueError where a row scored alone differs from the same row scored in a table.
    """
    flights = rows[FEATURES].astype(object).where(rows[FEATURES].notna(), np.nan)
    records = [dict(zip(FEATURES, values, strict=True)) for values in flights.to_numpy()]
    versions = rows["model_version"].tolist()
    for record, version in zip(records[:WARM_UP], versions[:WARM_UP], strict=True):
        scorers[version].score(record)
    taken, scores = [], []
    for record, version in zip(records, versions, strict=True):
        begun = perf_counter_ns()
        score = scorers[version].score(record)
        taken.append((perf_counter_ns() - begun) / 1e6)
        scores.append(score[0])
    if not np.allclose(scores, rows["score"], atol=1e-5):
        raise ValueError("a flight scored alone and in a table must have the same score")
    measured = pd.DataFrame({"prediction_id": rows["prediction_id"], "latency_ms": np.round(taken, 3)})
    write_parquet(measured, path, ["prediction_id"])


def read(path: Path) -> pd.DataFrame:
    """prediction_id and latency_ms; FileNotFoundError where it was never measured."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run once with --measure-latency")
    return pd.read_parquet(path)
