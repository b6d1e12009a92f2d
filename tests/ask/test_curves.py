"""Confusion, ROC, calibration and histograms against scikit-learn on the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from analytics.errors import ScopeError
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, SAMPLES, dumps, flights, minutes, times, write_project

VERSION = "gbm-2013.03"


@pytest.fixture(scope="module")
def bench():
    opened = Workbench(SAMPLES / "flights")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = flights()
    frame = frame[(frame["model_version"] == VERSION) & frame["label"].notna()]
    return frame.assign(label=frame["label"].astype(int), score=frame["score"].astype(float))


def test_confusion(bench, rows):
    for carrier, part in rows.groupby("carrier"):
        found = bench.confusion(bench.scope(versions=[VERSION], where=[f"carrier={carrier}"]))
        table = np.array([row.n for row in found]).reshape(2, 2)
        expected = metrics.confusion_matrix(part["label"], part["predicted_label"], labels=[0, 1])
        assert table.tolist() == expected.tolist()
        for row in found:
            if row.share_of_true is not None:
                assert row.ci_low <= row.share_of_true <= row.ci_high
    by = bench.confusion(bench.scope(versions=[VERSION], by="carrier"))
    assert sum(row.n for row in by) == len(rows)
    assert [r.segment_value for r in by][::4] == sorted({r.segment_value for r in by})
    dumps(by)


def test_confusion_of_an_empty_window_is_zeros(bench):
    found = bench.confusion(bench.scope(versions=[VERSION], start="2020-01-01", end="2020-01-02"))
    assert [(row.n, row.share_of_true, row.ci_low) for row in found] == [(0, None, None)] * 4


def test_a_share_of_few_rows_has_a_wide_interval(tmp_path):
    label = (np.arange(1000) < 5).astype(int)
    frame = pd.DataFrame({"ts": times(1000, 1), "score": 0.9, "label": label, "decision": label})
    bench = write_project(tmp_path, frame, BINARY + 'decision = "decision"\n')
    found = {(row.true_class, row.decided_class): row for row in bench.confusion()}
    assert found["1", "1"].ci_low == pytest.approx(0.025 ** (1 / 5))
    assert found["0", "0"].ci_low > 0.99
    bench.close()


def test_roc(bench, rows):
    found = bench.roc(bench.scope(versions=[VERSION]))
    dumps(found)
    curve = [row for row in found if not row.operating_point]
    label, score = rows["label"].to_numpy(), rows["score"].to_numpy()
    fpr, tpr, thresholds = metrics.roc_curve(label, score, drop_intermediate=False)
    for row in curve:
        at = np.flatnonzero(thresholds >= row.threshold).max() if (thresholds >= row.threshold).any() else 0
        assert row.true_positive_rate == pytest.approx(tpr[at], abs=1e-12)
        assert row.false_positive_rate == pytest.approx(fpr[at], abs=1e-12)
        decided = score >= row.threshold
        assert row.n == decided.sum()
        if decided.any():
            assert row.precision == pytest.approx(label[decided].mean(), abs=1e-12)
        assert row.decision_rate == pytest.approx(decided.mean(), abs=1e-12)
    assert {k / 100 for k in range(100)} <= {row.threshold for row in curve}
    (point,) = [row for row in found if row.operating_point]
    assert point.true_positive_rate == pytest.approx(metrics.recall_score(label, rows["predicted_label"]))
    assert point.precision == pytest.approx(metrics.precision_score(label, rows["predicted_label"]))
    assert point.threshold is None


def test_a_declared_threshold_is_on_the_curve(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"ts": times(400), "score": rng.random(400), "label": rng.integers(0, 2, 400)})
    bench = write_project(tmp_path, frame, BINARY + "threshold = 0.3141592\n")
    (row,) = [row for row in bench.roc() if row.threshold == 0.3141592]
    (point,) = [row for row in bench.roc() if row.operating_point]
    assert row.true_positive_rate == point.true_positive_rate
    bench.close()


def test_calibration(bench, rows):
    found = bench.calibration(bench.scope(versions=[VERSION]))
    label, score = rows["label"].to_numpy(), rows["score"].to_numpy()
    # scikit-learn's bins are closed on the right, ours on the left: a hair to the right of every edge they agree
    on_edge = np.isclose(score * 10, np.round(score * 10), atol=1e-12)
    mean_label, mean_score = calibration_curve(label, np.where(on_edge, score + 1e-12, score), n_bins=10)
    filled = [row for row in found if row.n]
    np.testing.assert_allclose([row.mean_label for row in filled], mean_label, atol=1e-9)
    np.testing.assert_allclose([row.mean_score for row in filled], mean_score, atol=1e-9)
    assert sum(row.n for row in found) == len(rows)
    for row in filled:
        assert row.ci_low <= row.mean_label <= row.ci_high
        # days are not independent: wider than the rows alone would say
        plain = 1.96 * np.sqrt(row.mean_label * (1 - row.mean_label) / row.n)
        assert row.ci_high - row.ci_low > 2 * plain
    dumps(found)


def test_scores_on_the_edges_of_calibration_bins(tmp_path):
    score = np.repeat([0.0, 0.1, 0.3, 0.7, np.nextafter(1.0, 0), 1.0], 30)
    frame = pd.DataFrame({"ts": times(180), "score": score, "label": np.arange(180) % 2})
    bench = write_project(tmp_path, frame, BINARY)
    counts = [row.n for row in bench.calibration()]
    assert counts == np.bincount(np.minimum(np.floor(10 * score), 9).astype(int), minlength=10).tolist()
    bench.close()


def test_score_histogram(bench, rows):
    found = bench.score_histogram(bench.scope(versions=[VERSION]))
    for label in (0, 1):
        mine = [row for row in found if row.label == str(label)]
        assert [row.bin_low for row in mine] == [i / 100 for i in range(100)]
        score = rows["score"][rows["label"] == label].to_numpy()
        expected = [((score >= i / 100) & (score < (i + 1) / 100)).sum() for i in range(100)]
        assert [row.n for row in mine] == expected
    assert sum(row.n for row in found if row.label is None) > 0
    dumps(found)


def test_curves_ignore_a_split(bench):
    assert len(bench.roc(bench.scope(versions=[VERSION], by="carrier"))) > 200


def test_multiclass_curves():
    bench = Workbench(SAMPLES / "flights_delay_class")
    scope = bench.scope(start="2013-06-01", end="2013-07-01", versions=["classes-2013.03"])
    names = {"early", "on_time", "late", "very_late"}
    assert {row.class_ for row in bench.roc(scope)} == names
    assert {row.class_ for row in bench.calibration(scope)} == names
    points = [row for row in bench.roc(scope) if row.operating_point]
    found = {(row.metric, row.class_): row.value for row in bench.quality(scope)}
    for point in points:
        assert point.true_positive_rate == pytest.approx(found["recall", point.class_], abs=1e-12)
        assert 1 - point.false_positive_rate == pytest.approx(found["specificity", point.class_], abs=1e-12)
    bench.close()


def test_pairs():
    bench, frame = Workbench(SAMPLES / "flights_minutes"), minutes()
    part = frame[(frame["model"] == "mean-2013.03") & frame["minutes_late"].notna()]
    pairs, errors = bench.pairs(bench.scope(versions=["mean-2013.03"]))
    assert sum(row.n for row in pairs) == sum(row.n for row in errors) == len(part)
    error = (part["predicted_minutes"] - part["minutes_late"]).to_numpy()
    for row in errors[1:-1]:
        assert row.n == ((error >= row.bin_low) & (error < row.bin_high)).sum()
    label, score = part["minutes_late"].to_numpy(), part["predicted_minutes"].to_numpy()
    lowest, highest = min(r.label_low for r in pairs), max(r.label_high for r in pairs)
    inner = [
        r for r in pairs if r.label_low > lowest and r.label_high < highest and r.prediction_low > lowest
    ]
    assert inner
    for row in inner[::20]:
        inside = (label >= row.label_low) & (label < row.label_high)
        inside &= (score >= row.prediction_low) & (score < row.prediction_high)
        assert row.n == inside.sum()
    bench.close()


def test_what_a_task_lacks(bench):
    with pytest.raises(ScopeError, match="regression"):
        bench.pairs()
    regression = Workbench(SAMPLES / "flights_minutes")
    for question in (
        regression.roc,
        regression.calibration,
        regression.confusion,
        regression.score_histogram,
    ):
        with pytest.raises(ScopeError, match="predicted against true"):
            question()
    regression.close()
