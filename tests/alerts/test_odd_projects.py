"""Rules on logs that hold nothing, or not what a rule asks for: a state with a reason, or one clear line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.errors import AssayError
from tests.ask.projects import BINARY, times, write_project

RULES = """
[alerts.a]
metric = "roc_auc"
below = 0.6
[alerts.b]
metric = "log_loss"
anomaly = true
window = "1 hour"
[alerts.c]
no_data = "3 hours"
[alerts.d]
metric = "error_rate"
above = 0.1
[alerts.e]
metric = "request_rate"
changed_from_last_week = true
[alerts.f]
metric = "label_coverage"
below = 0.5
"""


def frame(n, label=None, score=0.5):
    labels = np.full(n, label) if label is not None else np.arange(n) % 2
    return pd.DataFrame({"ts": times(n), "score": np.full(n, score), "label": labels})


def checked(folder, rows, more=RULES):
    bench = write_project(folder, rows, BINARY, more)
    found = bench.standing(at=pd.Timestamp("2024-01-21", tz="UTC").to_pydatetime())
    records = found.alerts.to_records()
    found.incidents.to_records()
    bench.close()
    return {record["alert"]: record for record in records}


def test_no_rows_at_all(tmp_path):
    assert checked(tmp_path, frame(0)) == {}


@pytest.mark.parametrize("label", [None, 1])
def test_one_row_and_one_class(tmp_path, label):
    for n in (1, 400):
        found = checked(tmp_path / str(n), frame(n, label))
        assert found["a"]["state"] in {"ok", "no_data"}
        assert found["a"]["value"] is None or label is None
        assert found["a"]["value"] is not None or found["a"]["sentence"]
        # nothing says which requests failed
        assert found["d"]["value"] is None


def test_missing_scores(tmp_path):
    found = checked(tmp_path, frame(400, score=np.nan))
    assert found["a"]["state"] == "no_data"
    assert "usable score" in found["a"]["reason"]


def test_hostile_names(tmp_path):
    name = "x' OR 1=1 --\"<b>"
    rows = frame(2000).assign(version=name, carrier=np.where(np.arange(2000) % 2, name, None))
    bench = write_project(
        tmp_path, rows, BINARY + 'version = "version"\nsegments = ["carrier"]\n',
        '[alerts.h]\nmetric = "mean_score"\nbelow = 0.9\nby = ["carrier"]\n',
    )  # fmt: skip
    found = bench.check(at=pd.Timestamp("2024-01-21", tz="UTC").to_pydatetime())
    assert {row.version for row in found} == {name}
    assert {row.segment_value for row in found} == {name, "(missing)"}
    assert {row.state for row in found} == {"firing"}
    assert any("where=carrier%3D&" in row.evidence for row in found)
    bench.close()


@pytest.mark.parametrize(
    "rule,words",
    [
        ('metric = "psi"\nabove = 0.1', "needs|reference"),
        ('metric = "roc_auc"\nfeature = "f"\nbelow = 0.1', "not about a feature"),
        ('metric = "latency_p95"\nabove = 1\nby = ["none"]', "not a segment"),
        ('burn = "none"', "no objective"),
    ],
)
def test_what_cannot_be_asked_is_one_line(tmp_path, rule, words):
    def ask():
        return write_project(tmp_path, frame(100), BINARY, f"[alerts.x]\n{rule}\n").check()

    with pytest.raises(AssayError, match=words) as problem:
        ask()
    assert "\n" not in str(problem.value)
