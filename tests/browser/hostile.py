"""A workspace whose every name and value tries to be more than text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
LINK = "**b** [x](http://evil.example)"
ANCHOR = '<a href="http://evil.example">x</a>'
PICTURE = "![x](http://evil.example/x.png)"
FORMULA = "$x^2$"
ICON = ":material/home: :red[r] :smile:"
SUM = "=1+1"
LONG = "long " * 60 + "end"
EMOJI = "🛩️ 👩‍🔬 ñ \u202eabc"
VALUES = [SCRIPT, IMAGE, LINK, ANCHOR, PICTURE, FORMULA, ICON, SUM, LONG, EMOJI]

BINARY = f"{IMAGE} {LINK}"
CLASSES = f"{SCRIPT} {FORMULA} {ICON}"
SEGMENT, NUMBER = f"{SCRIPT} {SUM}", f"{LINK} {FORMULA}"
"""Names of a segment and of a numeric feature."""
VERSIONS = [LINK, IMAGE]
FILE = "<img src=x onerror=alert(1)>.parquet"
ROWS = 900
START = datetime(2024, 1, 1, tzinfo=UTC)


def write(folder: Path) -> Path:
    """A binary and a multiclass project below a folder; gives the folder."""
    for task, name in (("binary", BINARY), ("multiclass", CLASSES)):
        place = folder / task
        place.mkdir(parents=True)
        _rows(task).to_parquet(place / FILE, index=False)
        (place / "assay.toml").write_text(_project(task, name), encoding="utf-8")
    return folder


def _rows(task: str) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    score = draw.uniform(0.02, 0.98, ROWS)
    truth = draw.uniform(size=ROWS) < score
    half = np.arange(ROWS) % 2
    frame = pd.DataFrame({
        "=id": [f"{VALUES[i % len(VALUES)]} {i}" for i in range(ROWS)],
        "at": [START + timedelta(minutes=16 * i) for i in range(ROWS)],
        "version": np.array(VERSIONS)[half],
        SEGMENT: draw.choice(VALUES, ROWS),
        NUMBER: draw.normal(10, 3, ROWS) + np.arange(ROWS) / 300,
        "note": draw.choice(VALUES, ROWS),
    })  # fmt: skip
    if task == "multiclass":
        frame["a"], frame["b"], frame["c"] = score * 0.6, score * 0.4, 1 - score
        frame["decision"] = np.where(score > 0.5, SCRIPT, IMAGE)
        frame["label"] = np.where(truth, draw.choice([SCRIPT, LINK], ROWS), IMAGE)
    else:
        frame["score"], frame["decision"], frame["label"] = (
            score,
            (score > 0.5).astype(int),
            truth.astype(int),
        )
    return frame


def _project(task: str, name: str) -> str:
    # a string of JSON is a string of TOML as well
    classes = zip((SCRIPT, LINK, IMAGE), "abc", strict=True)
    score = f"{{ {', '.join(f'{json.dumps(label)} = {json.dumps(column)}' for label, column in classes)} }}"
    return f"""
name = {json.dumps(name)}
description = {json.dumps(PICTURE + LINK)}
[predictions]
path = "*.parquet"
task = "{task}"
id = "=id"
timestamp = "at"
score = {score if task == "multiclass" else '"score"'}
decision = "decision"
label = "label"
version = "version"
features = [{json.dumps(SEGMENT)}, {json.dumps(NUMBER)}, "note"]
segments = [{json.dumps(SEGMENT)}, "note"]
[reference]
start = 2024-01-01
end = 2024-01-03
[[releases]]
timestamp = 2024-01-05
version = {json.dumps(IMAGE)}
note = {json.dumps(PICTURE + ANCHOR)}
"""
