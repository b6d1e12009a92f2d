"""Slices against the rest: values as the filters give them, p-values that agree with intervals and are corrected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control
from sklearn import metrics

from analytics.ask.segments import metrics_by_slice
from analytics.engines.text import all_of
from analytics.errors import ScopeError
from analytics.telemetry.subsets import passing, subset
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, SAMPLES, dumps, flights, times, write_project

VERSION = "gbm-2013.03"


@pytest.fixture(scope="module")
def bench():
    opened = Workbench(SAMPLES / "flights")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = flights()
    frame = frame[frame["model_version"] == VERSION]
    return frame.assign(score=frame["score"].astype(float))


TRUTH = {
    "log_loss": lambda r: metrics.log_loss(r["label"].astype(int), r["score"], labels=[0, 1]),
    "accuracy": lambda r: metrics.accuracy_score(r["label"].astype(int), r["predicted_label"]),
    "recall": lambda r: metrics.recall_score(r["label"].astype(int), r["predicted_label"]),
    "roc_auc": lambda r: metrics.roc_auc_score(r["label"].astype(int), r["score"]),
    "average_precision": lambda r: metrics.average_precision_score(r["label"].astype(int), r["score"]),
}


@pytest.mark.parametrize("metric", list(TRUTH))
def test_flights(bench, rows, metric):
    found = bench.segments(bench.scope(versions=[VERSION], by="carrier"), metric)
    dumps(found)
    assert {row.segment_value for row in found} == set(rows["carrier"])
    labelled = rows[rows["label"].notna()]
    close = 2e-3 if metric in {"roc_auc", "average_precision"} else 1e-9
    for row in found:
        mine = labelled[labelled["carrier"] == row.segment_value]
        rest = labelled[labelled["carrier"] != row.segment_value]
        assert (row.n, row.n_labelled) == ((rows["carrier"] == row.segment_value).sum(), len(mine))
        assert row.share == pytest.approx(len(mine) / len(labelled))
        if row.value is None:
            assert row.status in {"too_few", "undefined"}
            continue
        bins = 1e-2 if len(mine) < 5_000 and close > 1e-9 else close
        assert row.value == pytest.approx(TRUTH[metric](mine), abs=bins)
        assert row.value_elsewhere == pytest.approx(TRUTH[metric](rest), abs=close)
        assert row.difference == pytest.approx(row.value - row.value_elsewhere)
        assert row.difference_ci_low <= row.difference <= row.difference_ci_high
        assert (row.p_value < 0.05) == (not row.difference_ci_low <= 0 <= row.difference_ci_high)
        assert row.where == f"carrier={row.segment_value}"


def test_all_segments_are_one_family(bench):
    found = bench.segments(bench.scope(versions=[VERSION]))
    assert {row.segment for row in found} == {"carrier", "origin", "dest", "weekday", "hour"}
    tested = [row for row in found if row.p_value is not None]
    expected = false_discovery_control([row.p_value for row in tested])
    np.testing.assert_allclose([row.p_adjusted for row in tested], expected)
    for row in tested:
        assert row.worse == (row.p_adjusted < 0.05 and row.value > row.value_elsewhere)
        assert row.impact == pytest.approx(row.share * row.difference)
    untested = [row for row in found if row.p_value is None]
    assert untested
    assert all(row.reason and row.worse is None and row.p_adjusted is None for row in untested)
    assert "corrected" in found.notes[0]


def test_impact_adds_up_to_what_the_whole_would_gain(bench):
    (row,) = [
        r for r in bench.segments(bench.scope(versions=[VERSION], by="origin")) if r.segment_value == "EWR"
    ]
    (whole,) = [r for r in bench.quality(bench.scope(versions=[VERSION])) if r.metric == "log_loss"]
    assert whole.value - row.impact == pytest.approx(row.value_elsewhere, abs=1e-9)


@pytest.mark.parametrize("name", ["flights", "flights_delay_class", "flights_minutes"])
def test_every_metric_can_be_asked(name):
    opened = Workbench(SAMPLES / name)
    scope = opened.scope(by="origin", start="2013-06-01", end="2013-07-01")
    # a month of rows, read once and not for every metric
    month = opened.over(subset(opened.catalog, all_of(passing(opened.catalog, scope))))
    for metric in metrics_by_slice(opened.catalog):
        found = month.segments(scope, metric)
        assert any(row.p_value is not None for row in found), metric
        dumps(found)
    opened.close()


def test_what_cannot_be_asked(bench):
    with pytest.raises(ScopeError, match="cannot be compared by slice"):
        bench.segments(bench.scope(), "expected_calibration_error")
    with pytest.raises(ScopeError, match="nonsense"):
        bench.segments(bench.scope(), "nonsense")


def test_a_slice_without_an_error_is_not_proof(tmp_path):
    """25 right decisions of 25 where 95 % are right is no finding (chance 28 %); a variance of 0 would say p = 0."""
    rng = np.random.default_rng(2)
    n = 5000
    right = rng.random(n) < 0.95
    site = np.where(np.arange(n) < 25, "small", "large")
    right[:25] = True
    label = rng.integers(0, 2, n)
    decision = np.where(right, label, 1 - label)
    frame = pd.DataFrame(
        {"ts": times(n, 1), "score": 0.5, "label": label, "decision": decision, "site": site}
    )
    bench = write_project(tmp_path, frame, BINARY + 'decision = "decision"\nsegments = ["site"]\n')
    (row,) = [r for r in bench.segments(bench.scope(), "accuracy") if r.segment_value == "small"]
    assert row.value == 1.0
    assert 0.05 < row.p_value < 0.5
    bench.close()


def test_a_slice_that_happens_to_hold_no_rare_loss_is_not_proof(tmp_path):
    rng = np.random.default_rng(3)
    n = 4000
    label = (rng.random(n) < 0.02).astype(int)
    label[:40] = 0  # as happens to 45 % of slices of 40 rows
    site = np.where(np.arange(n) < 40, "small", "large")
    score = 0.02 + 0.001 * rng.random(n)
    frame = pd.DataFrame({"ts": times(n, 1), "score": score, "label": label, "site": site})
    bench = write_project(tmp_path, frame, BINARY + 'segments = ["site"]\n')
    (row,) = [r for r in bench.segments() if r.segment_value == "small"]
    assert row.p_value > 0.1
    bench.close()


def test_units_on_both_sides_enter_with_their_covariance(tmp_path):
    """Half of each unit's rows lie on each side: what units share cancels in the difference."""
    rng = np.random.default_rng(4)
    units, each = 60, 20
    unit = np.repeat(np.arange(units), each)
    level = np.repeat(rng.normal(0, 3, units), each)
    score = np.zeros(units * each)
    label = level + rng.normal(0, 0.5, units * each)
    crossed = np.resize(["a", "b"], units * each)
    nested = np.where(unit % 2 == 0, "a", "b")
    frame = pd.DataFrame(
        {
            "ts": times(len(unit), 1),
            "score": score,
            "label": label,
            "u": [f"u{i}" for i in unit],
            "crossed": crossed,
        }
    ).assign(nested=nested)
    toml = 'task = "regression"\nscore = "score"\nlabel = "label"\nunit = "u"\nsegments = ["crossed", "nested"]\n'
    bench = write_project(tmp_path, frame, toml)
    width = {
        row.segment: row.difference_ci_high - row.difference_ci_low
        for row in bench.segments(bench.scope(), "mean_error")
        if row.segment_value == "a"
    }
    by_unit = frame.assign(error=-label).groupby(["nested", "u"])["error"].mean()
    error = np.sqrt(sum(part.var() / len(part) for _, part in by_unit.groupby("nested")))
    assert width["nested"] == pytest.approx(2 * 2.045 * error, rel=0.03)
    # taking the sides of crossed units as independent would make it as wide as nested ones
    assert width["crossed"] < width["nested"] / 2
    bench.close()


def test_large_offsets_cost_no_digits(tmp_path):
    rng = np.random.default_rng(5)
    label = rng.normal(0, 3, 1000)
    score = label + rng.normal(0, 1, 1000)
    site = np.resize(["a", "b"], 1000)
    widths = {}
    for offset in (0.0, 1e9):
        frame = pd.DataFrame(
            {"ts": times(1000, 1), "score": score + offset, "label": label + offset, "site": site}
        )
        toml = 'task = "regression"\nscore = "score"\nlabel = "label"\nsegments = ["site"]\n'
        bench = write_project(tmp_path / str(offset), frame, toml)
        for metric in ("r2", "mean_label", "mean_prediction"):
            row = bench.segments(bench.scope(), metric)[0]
            widths.setdefault(metric, []).append((row.difference, row.ci_high - row.ci_low))
        bench.close()
    for near, far in widths.values():
        assert far == pytest.approx(near, rel=1e-4, abs=1e-6)


def test_missing_values_and_other_filters(tmp_path):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "ts": times(300),
            "score": rng.random(300),
            "label": rng.integers(0, 2, 300),
            "site": np.resize(["a", None], 300),
        }
    )
    bench = write_project(tmp_path, frame, BINARY + 'segments = ["site"]\n')
    found = {row.segment_value: row for row in bench.segments()}
    assert found["(missing)"].where == "site="
    again = bench.quality(bench.scope(where=[found["(missing)"].where]))
    assert {row.value for row in again if row.metric == "log_loss"} == {found["(missing)"].value}
    alone = bench.segments(bench.scope(where=["site=a"]))
    assert alone[0].value is not None
    assert (alone[0].p_value, alone[0].value_elsewhere) == (None, None)
    assert "rest" in alone[0].reason
    bench.close()


def test_no_segments(tmp_path):
    frame = pd.DataFrame({"ts": times(30), "score": 0.5, "label": 1})
    bench = write_project(tmp_path, frame, BINARY)
    with pytest.raises(ScopeError, match="no segments"):
        bench.segments()
    bench.close()
