"""Small projects on disk, and the sample logs read without Assay: what quality is checked against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.results import Results
from analytics.workbench import Workbench

SAMPLES = Path(__file__).resolve().parents[2] / "sample_logs"
START = pd.Timestamp("2024-01-01", tz="UTC")


def times(n: int, days: int = 20) -> pd.DatetimeIndex:
    """Instants spread evenly over some days."""
    return START + pd.to_timedelta((np.arange(n) + 0.5) * days / max(n, 1) * 86_400, unit="s").round("us")


def write_project(
    folder: Path, frame: pd.DataFrame, predictions: str, more: str = "", feed: pd.DataFrame | None = None
) -> Workbench:
    """A project whose predictions are one Parquet file.

    Args:
        folder: where; made if it is not there.
        frame: logged rows with a column ``ts``.
        predictions: TOML lines of [predictions] beside path and timestamp.
        more: TOML sections after it, or keys before it where they come first (``time_zone = …``).
        feed: label reports with columns id, label, ts; their section is written too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / "predictions.parquet")
    keys, sections = (more, "") if more.startswith("time_zone") else ("", more)
    text = f'name = "test"\n{keys}\n[predictions]\npath = "predictions.parquet"\ntimestamp = "ts"\n{predictions}\n'
    if feed is not None:
        feed.to_parquet(folder / "labels.parquet")
        text += '[labels]\npath = "labels.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "ts"\n'
    (folder / "assay.toml").write_text(text + sections)
    return Workbench(folder)


BINARY = 'task = "binary"\nscore = "score"\nlabel = "label"\n'


def values(results: Results[Any], **where: Any) -> dict[str, Any]:
    """Metric -> row of one cell; more words pick version, segment value or window start."""
    found: dict[str, Any] = {}
    for row in results:
        if all(getattr(row, name) == value for name, value in where.items()):
            key = row.metric if row.class_ is None else f"{row.metric}:{row.class_}"
            assert key not in found, f"two rows of {key}; narrow the cell down"
            found[key] = row
    return found


def flights() -> pd.DataFrame:
    """The binary sample log with its labels joined, in local time."""
    frame = pd.concat(pd.read_parquet(file) for file in sorted((SAMPLES / "flights/predictions").glob("*")))
    feed = pd.concat(pd.read_parquet(file) for file in sorted((SAMPLES / "flights/labels").glob("*")))
    joined = frame.merge(feed[["prediction_id", "label"]], on="prediction_id", how="left", validate="1:1")
    return _local(joined)


def delay_classes() -> pd.DataFrame:
    """The multiclass sample log."""
    files = sorted((SAMPLES / "flights_delay_class/predictions").glob("*"))
    return _local(pd.concat(pd.read_json(file, lines=True, compression="gzip") for file in files))


def minutes() -> pd.DataFrame:
    """The regression sample log with its labels joined."""
    frame = pd.concat(pd.read_csv(f) for f in sorted((SAMPLES / "flights_minutes/predictions").glob("*")))
    feed = pd.concat(pd.read_csv(f) for f in sorted((SAMPLES / "flights_minutes/labels").glob("*")))
    return _local(frame.merge(feed[["prediction_id", "minutes_late"]], on="prediction_id", how="left"))


def _local(frame: pd.DataFrame) -> pd.DataFrame:
    moments = pd.to_datetime(frame["timestamp"], utc=True).dt.tz_convert("America/New_York")
    return frame.assign(local=moments, month=moments.dt.strftime("%Y-%m"))


def calibration_error(score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The contract's formula, bin by bin."""
    weight = np.ones(len(score)) if weight is None else weight
    bins = np.minimum(np.floor(10 * score), 9)
    total = 0.0
    for one in np.unique(bins):
        rows = bins == one
        w = weight[rows]
        total += (
            w.sum()
            / weight.sum()
            * abs(np.average(score[rows], weights=w) - np.average(label[rows], weights=w))
        )
    return total


def dumps(results: Results[Any]) -> str:
    """Records as strict JSON: NaN and infinity raise."""
    return json.dumps(results.to_records(), allow_nan=False)
