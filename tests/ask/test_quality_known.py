"""Every quality metric equals scikit-learn on the same rows, read without Assay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from analytics.measures import binary, multiclass, regression
from analytics.workbench import Workbench
from tests.ask.projects import SAMPLES, calibration_error, delay_classes, flights, minutes, values

COSTS = np.array([[0.0, -10.0], [-5.0, 20.0]])
EXACT, BINNED = 1e-9, 1e-3
FEW = 20
FEW_OF_A_CLASS = 10
FROM_BINS = {"roc_auc", "average_precision", "roc_auc_macro"}


def binary_truth(score, label, decision, weight=None, costs=COSTS) -> dict[str, float]:
    w = {"sample_weight": weight}
    score = np.asarray(score, dtype=np.float64)
    table = metrics.confusion_matrix(label, decision, labels=[0, 1], **w)
    return {
        "roc_auc": metrics.roc_auc_score(label, score, **w),
        "average_precision": metrics.average_precision_score(label, score, **w),
        "log_loss": metrics.log_loss(label, score, labels=[0, 1], **w),
        "brier_score": metrics.brier_score_loss(label, score, **w),
        "expected_calibration_error": calibration_error(score, label, weight),
        "accuracy": metrics.accuracy_score(label, decision, **w),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, decision, **w),
        "precision": metrics.precision_score(label, decision, zero_division=np.nan, **w),
        "recall": metrics.recall_score(label, decision, **w),
        "specificity": metrics.recall_score(label, decision, pos_label=0, **w),
        "f1": metrics.f1_score(label, decision, **w),
        "matthews_corrcoef": metrics.matthews_corrcoef(label, decision, **w),
        "prevalence": np.average(label, weights=weight),
        "cost": float((table * costs).sum() / table.sum()),
    }


def agree(found, truth, labelled) -> int:
    """Compare all metrics of a cell; returns how many had a value."""
    compared = 0
    for metric, row in found.items():
        if metric not in truth or row.value is None:
            continue
        loose = metric.split(":")[0] in FROM_BINS and labelled > 5_000
        assert row.value == pytest.approx(truth[metric], abs=BINNED if loose else EXACT, rel=EXACT), metric
        assert row.ci_low <= row.value <= row.ci_high
        compared += 1
    return compared


@pytest.fixture(scope="module")
def bench():
    opened = Workbench(SAMPLES / "flights")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return flights()


@pytest.mark.parametrize("cut", ["whole", "month", "carrier"])
def test_binary_flights(bench, frame, cut):
    words = {"whole": {}, "month": {"grain": "month"}, "carrier": {"by": "carrier"}}[cut]
    results = bench.quality(bench.scope(**words))
    keys = ["model_version", *([cut] if cut != "whole" else [])]
    cells = compared = 0
    for key, rows in frame.groupby(keys):
        where = {"version": key[0]}
        if cut == "carrier":
            where["segment_value"] = key[1]
        if cut == "month":
            where["window_start"] = pd.Timestamp(f"{key[1]}-01", tz="America/New_York").to_pydatetime()
        found = values(results, **where)
        assert set(found) == set(binary.METRICS)
        known = rows[rows["label"].notna()]
        assert found["accuracy"].n == len(rows)
        assert found["accuracy"].n_labelled == len(known)
        if len(rows) < FEW:
            assert {row.status for row in found.values()} == {"too_few"}
            continue
        assert found["mean_score"].value == pytest.approx(rows["score"].astype(float).mean(), abs=EXACT)
        assert found["decision_rate"].value == pytest.approx(rows["predicted_label"].mean(), abs=EXACT)
        label = known["label"].astype(int)
        if min(label.sum(), (1 - label).sum()) < FEW_OF_A_CLASS or len(known) < FEW:
            assert found["roc_auc"].status == "too_few"
            continue
        truth = binary_truth(known["score"], label, known["predicted_label"])
        cells += 1
        compared += agree(found, truth, len(known))
        assert {row.metric for row in found.values() if row.value is None} <= {"precision"}
    expected = {"whole": 3, "month": 24, "carrier": 40}[cut]
    assert cells >= expected
    assert compared >= 13 * cells


def test_multiclass_flights():
    bench, frame = Workbench(SAMPLES / "flights_delay_class"), delay_classes()
    results = bench.quality(bench.scope(grain="month"))
    names = ["early", "on_time", "late", "very_late"]
    columns = [f"p_{name}" for name in names]
    compared = 0
    for (version, month), rows in frame.groupby(["model_version", "month"]):
        start = pd.Timestamp(f"{month}-01", tz="America/New_York").to_pydatetime()
        found = values(results, version=version, window_start=start)
        known = rows[rows["label"].notna()]
        label, decision = known["label"], known["decided_class"]
        scores = known[columns].to_numpy()
        hot = np.array([[one == name for name in names] for one in label], dtype=float)
        if hot.sum(axis=0).min() < FEW_OF_A_CLASS:
            continue
        true_score = np.clip((scores * hot).sum(axis=1), 2.22e-16, 1 - 2.22e-16)
        top = scores.argmax(axis=1)
        truth = {
            "log_loss": -np.log(true_score).mean(),
            "brier_score": ((scores - hot) ** 2).sum(axis=1).mean(),
            "accuracy": metrics.accuracy_score(label, decision),
            "balanced_accuracy": metrics.balanced_accuracy_score(label, decision),
            "matthews_corrcoef": metrics.matthews_corrcoef(label, decision),
            "top_2_accuracy": metrics.top_k_accuracy_score(
                [names.index(one) for one in label], scores, k=2, labels=range(4)
            ),
            "expected_calibration_error": calibration_error(
                scores.max(axis=1), np.array([names[i] for i in top]) == label.to_numpy()
            ),
            "roc_auc": np.mean([metrics.roc_auc_score(hot[:, i], scores[:, i]) for i in range(4)]),
            "average_precision": np.mean(
                [metrics.average_precision_score(hot[:, i], scores[:, i]) for i in range(4)]
            ),
        }
        truth["roc_auc_macro"] = truth["roc_auc"]
        with np.errstate(all="ignore"):
            for metric, measure in {
                "precision": metrics.precision_score,
                "recall": metrics.recall_score,
                "f1": metrics.f1_score,
            }.items():
                each = measure(label, decision, labels=names, average=None, zero_division=np.nan)
                truth[metric] = truth[f"{metric}_macro"] = each.mean()
                truth |= {f"{metric}:{name}": value for name, value in zip(names, each, strict=True)}
        for i, name in enumerate(names):
            truth |= {
                f"roc_auc:{name}": metrics.roc_auc_score(hot[:, i], scores[:, i]),
                f"average_precision:{name}": metrics.average_precision_score(hot[:, i], scores[:, i]),
                f"specificity:{name}": metrics.recall_score(label != name, decision != name),
                f"prevalence:{name}": hot[:, i].mean(),
                f"mean_score:{name}": rows[f"p_{name}"].mean(),
                f"decision_rate:{name}": (rows["decided_class"] == name).mean(),
            }
        assert set(found) == set(truth)
        assert set(found) == {*multiclass.METRICS[:-1]} | {
            f"{m}:{n}" for m in multiclass.PER_CLASS for n in names
        }
        compared += agree(found, truth, len(known))
    assert compared > 300
    bench.close()


def test_regression_flights():
    bench, frame = Workbench(SAMPLES / "flights_minutes"), minutes()
    results = bench.quality(bench.scope(grain="month"))
    compared = 0
    for (version, month), rows in frame.groupby(["model", "month"]):
        start = pd.Timestamp(f"{month}-01", tz="America/New_York").to_pydatetime()
        found = values(results, version=version, window_start=start)
        assert set(found) == set(regression.METRICS)
        known = rows[rows["minutes_late"].notna()]
        label, score = known["minutes_late"].to_numpy(dtype=float), known["predicted_minutes"].to_numpy()
        present = label != 0
        truth = {
            "mean_absolute_error": metrics.mean_absolute_error(label, score),
            "root_mean_squared_error": metrics.root_mean_squared_error(label, score),
            "mean_error": (score - label).mean(),
            "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(
                label[present], score[present]
            ),
            "r2": metrics.r2_score(label, score),
            "median_absolute_error": metrics.median_absolute_error(label, score),
            "mean_label": label.mean(),
            "mean_prediction": rows["predicted_minutes"].mean(),
        }
        compared += agree(found, truth, len(known))
        assert f"{(~present).sum():,} rows" in found["mean_absolute_percentage_error"].reason
    assert compared == 8 * 20
    bench.close()
