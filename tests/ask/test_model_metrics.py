"""The model's own measures by arm are the numbers `assay quality` gives for the arm's rows."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.errors import AssayError
from analytics.experiments.rows import Scorecard
from analytics.workbench import Workbench
from tests.aggregates.experiment_logs import Logs, Row, at, write

SECTION = {
    "id": "id", "timestamp": "ts", "score": "score", "unit": "unit", "label": "label", "threshold": 0.4,
    "status": "status", "ok_status": ["ok"], "latency": "latency", "weight": "weight",
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "binary": {"task": "binary", **SECTION},
    "multiclass": {"task": "multiclass", **SECTION, "score": {"x": "p_x", "y": "p_y", "z": "p_z"}},
    "regression": {"task": "regression", **SECTION},
}
for _name in ("multiclass", "regression"):
    del KINDS[_name]["threshold"]
MEASURES = {
    "binary": {"log_loss": "log_loss", "brier_score": "brier_score", "accuracy": "accuracy"},
    "multiclass": {"log_loss": "log_loss", "brier_score": "brier_score", "accuracy": "accuracy"},
    "regression": {"absolute_error": "mean_absolute_error", "squared_error": "root_mean_squared_error"},
}


def predictions(task: str, seed: int = 0, units: int = 60) -> list[Row]:
    """Rows of 60 units before and after their exposure, some without a label, some that failed."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(units * 12):
        chances = rng.dirichlet([1, 1, 1])
        row: Row = {
            "id": f"p{i}", "unit": f"u{i % units}", "ts": at(float(rng.uniform(0, 100))),
            "status": "ok" if rng.random() < 0.9 else "timeout", "weight": float(rng.uniform(0.5, 2)),
            "latency": float(rng.gamma(2, 30)) if rng.random() < 0.95 else None,
        }  # fmt: skip
        known = rng.random() < 0.8
        if task == "multiclass":
            row |= {f"p_{name}": float(chance) for name, chance in zip("xyz", chances, strict=True)}
            row["label"] = str(rng.choice(list("xyz"), p=chances)) if known else None
        else:
            row["score"] = float(rng.choice([0.0, 1.0, rng.uniform(), rng.uniform()]))
            row["label"] = int(rng.random() < 0.3 + 0.4 * row["score"]) if known else None
        if row["status"] != "ok" and rng.random() < 0.5:
            row |= {name: None for name in row if name == "score" or name.startswith("p_")}
        rows.append(row)
    return rows


def exposures(units: int = 60) -> list[Row]:
    return [{"unit": f"u{i}", "variant": "AB"[i % 2], "ts": at(20 + i % 7)} for i in range(units)]


def card(folder: Path, task: str, rows: list[Row], metrics: dict[str, Any], **more: Any) -> Scorecard:
    given = Logs(
        {"exposures": [exposures()], "predictions": [rows]},
        {name: {"kind": "ratio", **keys} for name, keys in metrics.items()},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}, **more},
        sections={"predictions": KINDS[task]},
    )
    with closing(Workbench(write(folder, given, "jsonl"))) as bench:
        return bench.scorecard(name="test")


def quality(folder: Path, task: str, rows: list[Row]) -> dict[str, float | None]:
    given = Logs({"predictions": [rows]}, {}, {}, sections={"predictions": KINDS[task]})
    file = write(folder, given, "jsonl")
    file.write_text(file.read_text().split("[experiments")[0])
    with closing(Workbench(file)) as bench:
        return {row.metric: row.value for row in bench.quality().rows}


@pytest.mark.parametrize("task", MEASURES)
def test_quality_of_an_arm_is_the_quality_of_its_rows(tmp_path: Path, task: str) -> None:
    rows = predictions(task)
    found = card(tmp_path / "all", task, rows, {name: {"model": name} for name in MEASURES[task]})
    first = {row["unit"]: (row["variant"], row["ts"]) for row in exposures()}
    for arm in "AB":
        mine = [row for row in rows if first[row["unit"]][0] == arm and row["ts"] >= first[row["unit"]][1]]
        expected = quality(tmp_path / arm, task, mine)
        for metric, other in MEASURES[task].items():
            value = next(row.mean for row in found.arms if (row.metric, row.variant) == (metric, arm))
            assert value is not None
            shown = math.sqrt(value) if other == "root_mean_squared_error" else value
            assert shown == pytest.approx(expected[other], rel=1e-9)
    waiting = sum(
        row["label"] is None
        and row.get("score", row.get("p_x")) is not None
        and row["ts"] >= first[row["unit"]][1]
        for row in rows
    )
    name = next(iter(MEASURES[task]))
    assert f"{name}: {waiting} rows without a label yet are left out" in found.health.notes


def test_failed_requests_and_latency(tmp_path: Path) -> None:
    rows = predictions("binary")
    found = card(
        tmp_path,
        "binary",
        rows,
        {"errors": {"model": "error_rate", "direction": "down"}, "wait": {"model": "latency"}},
    )
    first = {row["unit"]: (row["variant"], row["ts"]) for row in exposures()}
    for arm in "AB":
        mine = [row for row in rows if first[row["unit"]][0] == arm and row["ts"] >= first[row["unit"]][1]]
        weight = np.array([row["weight"] for row in mine])
        failed = np.array([row["status"] != "ok" for row in mine])
        timed = [(row["latency"], row["weight"]) for row in mine if row["latency"] is not None]
        means = {row.metric: row.mean for row in found.arms if row.variant == arm}
        assert means["errors"] == pytest.approx(np.average(failed, weights=weight))
        assert means["wait"] == pytest.approx(
            np.average([one for one, _ in timed], weights=[one for _, one in timed])
        )
    errors = next(row for row in found.rows if row.metric == "errors")
    assert errors.test == "delta welch"
    assert errors.definition is not None
    assert errors.definition.startswith("the share of requests that failed, over predictions")


def test_a_label_that_is_not_known_at_the_as_of_waits(tmp_path: Path) -> None:
    rows = predictions("binary")
    sections = {"predictions": {**KINDS["binary"], "label_timestamp": "known"}}
    late = [
        {**row, "known": row["ts"].replace(year=2025 if i // 60 % 2 else 2024)} for i, row in enumerate(rows)
    ]
    given = Logs(
        {"exposures": [exposures()], "predictions": [late]},
        {"loss": {"kind": "ratio", "model": "brier_score"}},
        {"control": "A", "variants": {"A": 0.5, "B": 0.5}},
        sections=sections,
    )
    first = {row["unit"]: row["ts"] for row in exposures()}
    after = [row for row in late if row["ts"] >= first[row["unit"]] and row["score"] is not None]
    known = [row for row in after if row["label"] is not None and row["known"] <= at(500)]
    with closing(Workbench(write(tmp_path, given, "jsonl"))) as bench:
        states = bench.exposure_states("test", bench.scope(as_of=at(500).isoformat())).rows
        found = bench.scorecard(bench.scope(as_of=at(500).isoformat()), name="test")
    assert [row.n for row in states if row.state == "waiting"] == [len(after) - len(known)]
    arm_of = {row["unit"]: row["variant"] for row in exposures()}
    for arm in found.arms:
        mine = [row for row in known if arm_of[row["unit"]] == arm.variant]
        losses = [(row["score"] - row["label"]) ** 2 for row in mine]
        assert arm.mean == pytest.approx(np.average(losses, weights=[row["weight"] for row in mine]))


@pytest.mark.parametrize(
    "task, model, gone, message",
    [
        ("binary", "log_loss", ("label",), "needs labels"),
        ("binary", "absolute_error", (), 'is for task = "regression"'),
        ("regression", "accuracy", (), "is for classes"),
        ("binary", "accuracy", ("threshold",), "needs decisions"),
        ("binary", "error_rate", ("ok_status",), "ok_status"),
        ("binary", "latency", ("latency",), "predictions.latency"),
    ],
)
def test_what_predictions_cannot_tell_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    model: str,
    gone: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setitem(KINDS, task, {name: keys for name, keys in KINDS[task].items() if name not in gone})
    with pytest.raises(AssayError, match="metrics.m.model: .*" + message):
        card(tmp_path, task, predictions(task), {"m": {"model": model}})
