"""One small project with everything a fault could touch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

HEAD = """
name = "small"
time_zone = "Europe/Berlin"
clock = "logs"
[predictions]
path = ["predictions/*.parquet", "more"]
task = "binary"
timestamp = "ts"
id = "id"
score = "score"
decision = "decided"
version = "version"
unit = "unit"
request = "request"
features = ["x", "y", "place"]
segments = ["place"]
latency = "latency"
[labels]
path = "labels.parquet"
id = "id"
label = "label"
timestamp = "ts"
[reference]
path = "reference.parquet"
"""


def rows(start: str, days: int, a_day: int, seed: int) -> pd.DataFrame:
    """Requests that two versions answer; the chance of the positive label is the logistic of x."""
    rng = np.random.default_rng(seed)
    n = days * a_day
    ts = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.arange(n) * 86_400 / a_day, unit="s").round("us")
    x, y = rng.normal(size=n), rng.normal(10, 3, size=n)
    place = rng.choice(["north", "south"], n)
    label = (rng.random(n) < 1 / (1 + np.exp(-2 * x))).astype(int)
    parts = []
    for version, slope in (("a", 2.0), ("b", 1.0)):
        score = 1 / (1 + np.exp(-slope * x))
        parts.append(pd.DataFrame({
            "id": [f"{version}{seed}-{i}" for i in range(n)], "request": [f"{seed}-{i}" for i in range(n)], "ts": ts,
            "version": version, "score": score, "decided": (score >= 0.4).astype(int), "unit": rng.integers(0, 50, n),
            "x": x, "y": y, "place": place, "latency": rng.gamma(4, 5, n), "label": label,
        }))  # fmt: skip
    return pd.concat(parts).sort_values(["ts", "version"], ignore_index=True)


def write_small(folder: Path) -> Path:
    """The project file: 20 days of January in two files, one more month of reference."""
    frame = rows("2024-01-01", 20, 60, 1)
    for name in ("predictions", "more"):
        (folder / name).mkdir()
    first = frame["ts"] < "2024-01-11"
    shown = frame.drop(columns="label")
    shown[first].to_parquet(folder / "predictions/one.parquet", index=False)
    shown[~first].to_parquet(folder / "more/two.parquet", index=False)
    labels = frame[["id", "label"]].assign(ts=frame["ts"] + pd.Timedelta(hours=5))
    labels.to_parquet(folder / "labels.parquet", index=False)
    rows("2023-12-01", 20, 40, 2).drop(columns="label").to_parquet(folder / "reference.parquet", index=False)
    (folder / "assay.toml").write_text(HEAD)
    return folder / "assay.toml"


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder and what it holds."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
