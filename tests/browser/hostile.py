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
TRIAL = f"{ANCHOR}\n{FORMULA} {ICON}"
"""Name of a project of experiments alone, and of its experiment."""
CONTROL, ARM = SUM, f"{SCRIPT}\n{LINK} {FORMULA}"
SHARE, SPENT = f"{SUM} {IMAGE}", f"{LINK}\n# {FORMULA}"
"""Names of a primary metric and of a guardrail."""
MEANS, LOGGED_AS = f"{PICTURE}\n\n# {ANCHOR} {FORMULA}", f"{SCRIPT} {ICON}"
STRANGER = f"{IMAGE} nobody declared"
"""An arm that is logged only."""
ROWS = 900
UNITS = 400
START = datetime(2024, 1, 1, tzinfo=UTC)


def write(folder: Path) -> Path:
    """A binary, a multiclass and an experiments-only project below a folder; gives the folder."""
    for task, name in (("binary", BINARY), ("multiclass", CLASSES)):
        place = folder / task
        place.mkdir(parents=True)
        _rows(task).to_parquet(place / FILE, index=False)
        (place / "assay.toml").write_text(_project(task, name), encoding="utf-8")
    _write_trial(folder / "trial")
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


def _write_trial(place: Path) -> None:
    place.mkdir(parents=True)
    draw = np.random.default_rng(5)
    arm = np.arange(UNITS) % 2 == 1
    at = [START + timedelta(minutes=30 * i) for i in range(UNITS)]
    exposures = pd.DataFrame({"user": [f"{SUM} {i}" for i in range(UNITS)], "at": at})
    exposures["variant"] = np.where(np.arange(UNITS) < 3, STRANGER, np.where(arm, ARM, CONTROL))
    exposures.to_parquet(place / "exposures.parquet", index=False)
    events = exposures.drop(columns="variant")[draw.uniform(size=UNITS) < np.where(arm, 0.6, 0.3)]
    events = events.assign(at=events["at"] + timedelta(hours=1), amount=draw.gamma(2.0, 10.0, len(events)))
    events.to_parquet(place / "events.parquet", index=False)
    (place / "assay.toml").write_text(_trial(), encoding="utf-8")


def _trial() -> str:
    told = f"means = {json.dumps(MEANS)}\nlogged_as = {json.dumps(LOGGED_AS)}"
    return f"""
name = {json.dumps(TRIAL)}
[exposures]
path = "exposures.parquet"
unit = "user"
variant = "variant"
timestamp = "at"
[events]
path = "events.parquet"
unit = "user"
timestamp = "at"
[metrics.{json.dumps(SHARE)}]
kind = "proportion"
value = "amount > 0"
{told}
[metrics.{json.dumps(SPENT)}]
kind = "mean"
value = "amount"
{told}
[experiments.{json.dumps(TRIAL)}]
control = {json.dumps(CONTROL)}
variants = {{ {json.dumps(CONTROL)} = 0.5, {json.dumps(ARM)} = 0.5 }}
primary = [{json.dumps(SHARE)}]
guardrails = {{ {json.dumps(SPENT)} = {{ margin = 0.5 }} }}
"""
