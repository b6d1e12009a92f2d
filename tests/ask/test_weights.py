"""A row of weight k says what k equal rows say: values of every answer that is a function of sums.

Intervals, counts and what is judged by chance differ, as k equal rows are more than one.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tests.ask.projects import START, write_project

ROWS = 600
KEYS = 'label = "label"\nversion = "version"\nsegments = ["site"]\nfeatures = ["x", "site"]\n'
TOML = {
    "binary": 'task = "binary"\nscore = "score"\ndecision = "decision"\n',
    "multiclass": 'task = "multiclass"\nscore = { A = "p0", B = "p1", C = "p2" }\ndecision = "decision"\n',
    "regression": 'task = "regression"\nscore = "score"\n',
}
COSTS = {"binary": "[costs]\ntrue_positive = 3\nfalse_positive = -1\nfalse_negative = -2\n"}
ANSWERS = {
    "quality": (lambda bench: bench.quality(bench.scope(grain="week")), ("value",)),
    "confusion": (lambda bench: bench.confusion(), ("weight", "share_of_true")),
    "roc": (lambda bench: bench.roc(), ("true_positive_rate", "precision", "decision_rate")),
    "calibration": (lambda bench: bench.calibration(), ("mean_score", "mean_label")),
    "calibration_tests": (
        lambda bench: bench.calibration_tests(),
        ("residual", "intercept", "slope", "value"),
    ),
    "mix": (lambda bench: bench.mix(), ("predicted", "came", "difference")),
    "baselines": (lambda bench: bench.baselines(), ("value", "baseline_value", "difference")),
    "segments": (lambda bench: bench.segments(), ("value", "value_elsewhere", "share", "impact")),
    "gaps": (lambda bench: bench.gaps(bench.scope(by="site")), ("value", "gap")),
    "features": (lambda bench: bench.features(), ("mean", "p05", "p50", "p95", "missing_rate", "share")),
    "labels": (lambda bench: bench.labels(), ("coverage",)),
    "label_coverage": (lambda bench: bench.label_coverage(), ("coverage",)),
    "thresholds": (
        lambda bench: bench.thresholds(None, ["precision=0.6", "recall=0.8"]),
        ("precision", "recall", "decision_rate", "threshold"),
    ),
    "threshold_curve": (lambda bench: bench.threshold_curve(), ("threshold", "value", "decision_rate")),
    "gain": (lambda bench: bench.gain(), ("recall", "precision", "lift", "recall_at_random")),
    "coverage": (lambda bench: bench.coverage(), ("value", "change", "share_answered", "answered_from")),
}
ONLY = {
    "confusion": {"binary", "multiclass"}, "roc": {"binary", "multiclass"}, "calibration": {"binary", "multiclass"},
    "calibration_tests": {"binary", "multiclass"}, "mix": {"binary", "multiclass"},
    "thresholds": {"binary"}, "threshold_curve": {"binary"}, "gain": {"binary"}, "coverage": {"binary", "multiclass"},
}  # fmt: skip


def logged(task: str) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x, site = rng.normal(size=ROWS), rng.choice(list("abc"), ROWS)
    day = np.sort(rng.integers(0, 25, ROWS))
    frame = pd.DataFrame(
        {"ts": START + pd.to_timedelta(day, unit="D"), "x": x, "site": site, "version": "v1"}
    )
    if task == "binary":
        frame["score"] = expit(x - 0.7)
        frame["label"] = (rng.random(ROWS) < expit(x - 0.7 + 0.4 * (site == "b"))).astype(int)
        frame["decision"] = (frame["score"] > 0.5).astype(int)
    elif task == "multiclass":
        raw = np.exp(np.stack([0.4 + x, 0 * x, -0.5 - x], 1) + 0.5 * rng.normal(size=(ROWS, 3)))
        score = raw / raw.sum(axis=1, keepdims=True)
        frame[["p0", "p1", "p2"]] = score
        frame["label"] = np.array(list("ABC"))[(rng.random(ROWS)[:, None] > score.cumsum(1)[:, :2]).sum(1)]
        frame["decision"] = np.array(list("ABC"))[score.argmax(1)]
    else:
        frame["score"] = 10 + 3 * x
        frame["label"] = frame["score"] + rng.gamma(2, 1, ROWS) - 1.8 + 0.5 * (site == "b")
    return frame.assign(k=rng.integers(1, 5, ROWS))


@pytest.mark.parametrize("task", list(TOML))
def test_a_weight_counts_as_so_many_rows(tmp_path, task):
    frame = logged(task)
    again = frame.loc[np.repeat(frame.index, frame["k"])].reset_index(drop=True)
    keys, costs = TOML[task] + KEYS, COSTS.get(task, "")
    weighted = write_project(tmp_path / "weighted", frame, keys + 'weight = "k"\n', costs)
    repeated = write_project(tmp_path / "repeated", again, keys, costs)
    for name, (ask, fields) in ANSWERS.items():
        if task not in ONLY.get(name, TOML):
            continue
        one, other = ([dataclasses.asdict(row) for row in ask(bench)] for bench in (weighted, repeated))
        if name == "segments":  # the largest first, by rows
            one, other = (
                sorted(rows, key=lambda row: (row["metric"], row["where"])) for rows in (one, other)
            )
        assert len(one) == len(other), name
        seen = 0
        for mine, theirs in zip(one, other, strict=True):
            for field in fields:
                if mine.get(field) is not None and theirs.get(field) is not None:
                    seen += 1
                    where = (name, field, mine.get("metric"))
                    assert mine[field] == pytest.approx(theirs[field], rel=1e-8, abs=1e-9), where
        assert seen > 0, name
    weighted.close()
    repeated.close()
