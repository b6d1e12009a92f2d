"""Mix, baselines and tenths of predictions against pandas on the same rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import average_precision_score, roc_auc_score

from analytics.errors import ScopeError
from tests.ask.projects import BINARY, START, times, write_project

DECIDED = BINARY + 'decision = "decision"\nid = "id"\nunit = "u"\n'


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    n = 1200
    scores = rng.beta(1, 4, n)
    labels = (rng.random(n) < scores).astype(float)
    labels[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame({
        "ts": times(n, 30), "id": np.arange(n).astype(str), "score": scores, "label": labels,
        "decision": (scores > 0.3).astype(int), "u": rng.integers(0, 60, n).astype(str),
    })  # fmt: skip


@pytest.fixture(scope="module")
def reports(frame) -> pd.DataFrame:
    """Labels come one to five days after the prediction."""
    rng = np.random.default_rng(10)
    feed = frame.loc[frame["label"].notna(), ["id", "label", "ts"]].copy()
    feed["label"] = feed["label"].astype(int)
    feed["ts"] += pd.to_timedelta(rng.uniform(1, 5, len(feed)), unit="D")
    return feed


@pytest.fixture(scope="module")
def bench(frame, reports, tmp_path_factory):
    toml = DECIDED.replace('label = "label"\n', "")
    opened = write_project(tmp_path_factory.mktemp("mix"), frame.drop(columns="label"), toml, feed=reports)
    yield opened
    opened.close()


def test_shares_are_of_the_same_rows(bench, frame):
    (row,) = bench.mix()
    known = frame[frame["label"].notna()]
    assert row.n_labelled == len(known)
    assert row.predicted == pytest.approx(known["decision"].mean())
    assert row.expected == pytest.approx(known["score"].mean())
    assert row.came == pytest.approx(known["label"].mean())
    assert row.decided_difference == pytest.approx((known["decision"] - known["label"]).mean())
    assert row.decided_ci_low < row.decided_difference < row.decided_ci_high
    assert row.expected_p_value > 0.01


def test_a_paired_difference_knows_what_both_sides_share(tmp_path):
    label = np.arange(400) % 2
    decided = np.where(np.arange(400) % 40 == 0, 1, label)
    frame = pd.DataFrame({"ts": times(400), "score": 0.5, "label": label, "decision": decided})
    bench = write_project(tmp_path, frame, BINARY + 'decision = "decision"\nblock = "none"\n')
    (row,) = bench.mix()
    gap = decided - label
    assert row.decided_ci_high - row.decided_difference == pytest.approx(
        1.96 * gap.std() / 400**0.5, rel=1e-3
    )
    bench.close()


def test_without_decisions_scores_are_compared(tmp_path, frame):
    bench = write_project(tmp_path, frame.drop(columns=["decision"]), BINARY)
    (row,) = bench.mix()
    assert row.predicted is None
    assert row.p_value is None
    assert "decision" in row.reason
    assert row.expected_difference is not None
    bench.close()


def test_a_mix_by_window_has_empty_ones_too(bench):
    found = bench.mix(bench.scope(start="2023-12-31", end="2024-01-03", grain="day"))
    assert [row.status for row in found] == ["no_data", "ok", "ok"]
    json.dumps(found.to_records(), allow_nan=False)


def by_rule(results) -> dict[tuple[str, str], object]:
    return {(row.metric, row.baseline): row for row in results}


def test_the_constant_is_the_best_one(bench, frame):
    found = by_rule(bench.baselines())
    known = frame[frame["label"].notna()]
    share = known["label"].mean()
    losses = -np.log(np.where(known["label"] == 1, known["score"], 1 - known["score"]))
    row = found["log_loss", "constant"]
    assert row.value == pytest.approx(losses.mean())
    assert row.baseline_value == pytest.approx(entropy([share, 1 - share]))
    assert found["brier_score", "constant"].baseline_value == pytest.approx(share * (1 - share))
    assert found["accuracy", "constant"].baseline_value == pytest.approx(max(share, 1 - share))
    assert found["accuracy", "constant"].value == pytest.approx((known["label"] == known["decision"]).mean())
    assert found["roc_auc", "constant"].value == pytest.approx(
        roc_auc_score(known["label"], known["score"]), abs=2e-3
    )
    assert found["roc_auc", "constant"].baseline_value == 0.5
    assert found["average_precision", "constant"].baseline_value == pytest.approx(share)
    assert found["average_precision", "constant"].value == pytest.approx(
        average_precision_score(known["label"], known["score"]), abs=0.02
    )
    assert row.better is True
    for one in found.values():
        assert one.difference == pytest.approx(one.value - one.baseline_value)
        assert one.difference_ci_low <= one.difference <= one.difference_ci_high


def test_the_last_value_is_what_was_known_then(bench, frame, reports):
    feed = reports.merge(frame[["id", "u"]], on="id").sort_values("ts")
    known = frame[frame["label"].notna()].copy()
    last = []
    for row in known.itertuples():
        seen = feed[(feed["u"] == row.u) & (feed["ts"] < row.ts)]
        last.append(seen["label"].iloc[-1] if len(seen) else np.nan)
    known["last"] = last
    compared = known[known["last"].notna()]
    assert 0 < len(compared) < len(known)
    found = by_rule(bench.baselines())
    row = found["accuracy", "last_value"]
    assert row.n == len(compared)
    assert row.baseline_value == pytest.approx((compared["last"] == compared["label"]).mean())
    assert row.value == pytest.approx((compared["decision"] == compared["label"]).mean())
    assert found["brier_score", "last_value"].baseline_value == pytest.approx(
        (compared["last"] != compared["label"]).mean()
    )
    # a window still knows what came before it
    late = by_rule(bench.baselines(bench.scope(start="2024-01-20")))
    part = compared[compared["ts"] >= pd.Timestamp("2024-01-20", tz="UTC")]
    assert late["accuracy", "last_value"].n == len(part)


def test_as_of_knows_less(bench):
    now, then = by_rule(bench.baselines()), by_rule(bench.baselines(bench.scope(as_of="2024-01-15")))
    assert then["accuracy", "last_value"].n < now["accuracy", "last_value"].n


def test_a_model_that_knows_nothing_does_not_beat_the_constant(tmp_path):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"ts": times(800), "score": rng.random(800), "label": rng.integers(0, 2, 800)})
    bench = write_project(tmp_path, frame, BINARY)
    found = by_rule(bench.baselines())
    assert found["log_loss", "constant"].better is False
    assert found["roc_auc", "constant"].better is None
    bench.close()


def test_costs_are_beside_the_best_single_decision(tmp_path, frame):
    costs = "[costs]\ntrue_positive = 20\nfalse_positive = -10\nfalse_negative = -5\ntrue_negative = 0\n"
    bench = write_project(tmp_path, frame.dropna(), BINARY + 'decision = "decision"\n', more=costs)
    row = by_rule(bench.baselines())["cost", "constant"]
    share = frame.dropna()["label"].mean()
    assert row.baseline_value == pytest.approx(max(share * 20 - (1 - share) * 10, -share * 5))
    bench.close()


def test_a_regression_beside_mean_and_last(tmp_path):
    rng = np.random.default_rng(4)
    n = 600
    truth = rng.normal(5, 2, n)
    frame = pd.DataFrame(
        {"ts": times(n), "score": truth + rng.normal(0, 1, n), "label": truth, "lts": times(n)}
    )
    toml = 'task = "regression"\nscore = "score"\nlabel = "label"\nlabel_timestamp = "lts"\n'
    bench = write_project(tmp_path, frame, toml)
    found = by_rule(bench.baselines())
    assert found["mean_absolute_error", "mean"].baseline_value == pytest.approx(
        abs(truth - truth.mean()).mean()
    )
    assert found["root_mean_squared_error", "mean"].baseline_value == pytest.approx(truth.std())
    last = found["mean_absolute_error", "last_value"]
    assert last.baseline_value == pytest.approx(abs(np.diff(truth)).mean())
    assert last.n == n - 1
    assert last.better is True
    bench.close()


def test_tenths_are_those_of_the_predictions(tmp_path):
    rng = np.random.default_rng(5)
    prediction = rng.normal(0, 1, 1000)
    frame = pd.DataFrame(
        {"ts": times(1000), "score": prediction, "label": 2 * prediction + rng.normal(0, 1, 1000)}
    )
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    found = bench.deciles()
    assert [row.n for row in found] == [100] * 10
    parts = frame.groupby(pd.qcut(frame["score"], 10, labels=False))
    assert [row.mean_label for row in found] == pytest.approx(parts["label"].mean().tolist())
    assert [row.mean_prediction for row in found] == pytest.approx(parts["score"].mean().tolist())
    errors = (frame["score"] - frame["label"]).groupby(pd.qcut(frame["score"], 10, labels=False))
    assert [row.residual_median for row in found] == pytest.approx(
        [float(np.sort(part)[49]) for _, part in errors]
    )
    assert found[0].bin_low is None
    json.dumps(found.to_records(), allow_nan=False)
    assert sum(row.came for row in bench.mix()) == pytest.approx(1)
    bench.close()


def test_equal_predictions_are_one_part(tmp_path):
    frame = pd.DataFrame({"ts": times(100), "score": 3.0, "label": np.arange(100.0)})
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    found = bench.deciles()
    assert sum(row.n for row in found) == 100
    json.dumps(bench.mix().to_records(), allow_nan=False)
    json.dumps(bench.baselines().to_records(), allow_nan=False)
    bench.close()


def test_tenths_need_a_regression(bench):
    with pytest.raises(ScopeError, match="regression"):
        bench.deciles()


@pytest.mark.parametrize("labels", [np.nan, 0, 1])
def test_odd_labels_have_a_status(tmp_path, labels):
    frame = pd.DataFrame(
        {"ts": START + pd.to_timedelta(np.arange(50), unit="h"), "score": 0.4, "label": labels}
    )
    bench = write_project(tmp_path, frame, BINARY)
    for found in (bench.mix(), bench.baselines(), bench.recalibration()[0]):
        json.dumps(found.to_records(), allow_nan=False)
        assert all(row.reason for row in found if row.status not in {"ok", "immature"})
    bench.close()
