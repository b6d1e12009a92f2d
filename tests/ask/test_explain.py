"""Explanations of a change: against the logs read by pandas, exact sums, planted causes, odd data."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analytics.aggregates.row_measures import explainable, row_measure
from analytics.ask.explain import Explained, metrics_to_explain
from analytics.ask.explain_shift import _auc, _Drawn, _Functional, _of_classes
from analytics.errors import ProjectError, ScopeError
from analytics.explain.rows import ExplainRow
from analytics.results import record
from analytics.stats.shift_split import Rows, split_shift
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, times, write_project

FEATURES = 'features = ["x", "place", "kind"]\nsegments = ["place", "kind"]\n'
BEFORE = "2024-01-01", "2024-01-15"
AFTER = "2024-01-15", "2024-01-29"
N, DAYS = 2_400, 28


def _frame(seed: int = 1, *, worse: bool = True) -> pd.DataFrame:
    """Four weeks; in the last two the labels of place b are flipped, and place c has grown."""
    rng = np.random.default_rng(seed)
    ts = times(N, DAYS)
    late = np.asarray(ts >= pd.Timestamp("2024-01-15", tz="UTC"))
    place = np.where(rng.random(N) < 0.3 + 0.1 * late, "c", rng.choice(["a", "b"], N))
    x = rng.normal(0, 1, N)
    score = 1 / (1 + np.exp(-1.5 * x))
    label = (rng.random(N) < score).astype(int)
    flipped = late & (place == "b") & worse
    label = np.where(flipped, 1 - (score > 0.5), label).astype(int)
    return pd.DataFrame({
        "ts": ts, "score": score, "label": label, "decision": (score > 0.5).astype(int), "x": x, "place": place,
        "kind": rng.choice(["p", "q", None], N), "unit": rng.integers(0, 300, N).astype(str),
        "late": late,
    })  # fmt: skip


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return _frame()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> Workbench:
    section = BINARY + FEATURES + 'decision = "decision"\nunit = "unit"\n'
    return write_project(tmp_path_factory.mktemp("explain"), frame.drop(columns="late"), section)


def _explained(bench: Workbench, metric: str | None = None, **words: str) -> Explained:
    scope = bench.scope(start=AFTER[0], end=AFTER[1], **words)
    return bench.explained(scope, before=bench.before(scope, "previous"), metric=metric)


def _parts(rows: list[ExplainRow], segment: str) -> dict[str, ExplainRow]:
    return {str(row.segment_value): row for row in rows if row.part == "segment" and row.segment == segment}


def _whole(rows: list[ExplainRow]) -> ExplainRow:
    return next(row for row in rows if row.part == "whole")


@pytest.fixture(scope="module")
def loss(bench: Workbench) -> Explained:
    return _explained(bench)


def test_log_loss_by_place_is_what_pandas_says(loss: Explained, frame: pd.DataFrame) -> None:
    one = frame.assign(loss=-np.log(np.where(frame["label"] == 1, frame["score"], 1 - frame["score"])))
    whole = one.groupby("late")["loss"].mean()
    found = _whole(list(loss.rows))
    assert found.total_effect == pytest.approx(whole[True] - whole[False], rel=1e-12)
    assert (found.value_before, found.value_after) == (
        pytest.approx(whole[False]),
        pytest.approx(whole[True]),
    )
    value = one.groupby(["late", "place"])["loss"].mean()
    share = one.groupby("late")["place"].value_counts(normalize=True)
    parts = _parts(list(loss.rows), "place")
    assert set(parts) == {"a", "b", "c"}
    for place, row in parts.items():
        s0, s1, r0, r1 = share[False][place], share[True][place], value[False][place], value[True][place]
        assert row.mix_effect == pytest.approx((s1 - s0) * ((r0 + r1) / 2 - whole.mean()), abs=1e-12)
        assert row.rate_effect == pytest.approx((r1 - r0) * (s0 + s1) / 2, abs=1e-12)
        assert (row.share_before, row.share_after) == (pytest.approx(s0), pytest.approx(s1))
        assert row.n_after == int((frame["late"] & (frame["place"] == place)).sum())
        assert row.where == (f"place={place}",)


METRICS = (
    "log_loss", "brier_score", "roc_auc", "expected_calibration_error", "accuracy", "balanced_accuracy", "precision",
    "recall", "specificity", "f1", "mean_error", "prevalence", "mean_score", "decision_rate", "label_coverage",
)  # fmt: skip


def test_what_can_be_explained(bench: Workbench) -> None:
    assert explainable(bench.catalog) == METRICS
    assert "average_precision" in metrics_to_explain(bench.catalog)


@pytest.mark.parametrize("metric", METRICS)
def test_every_account_adds_up_to_the_change_that_quality_shows(bench: Workbench, metric: str) -> None:
    rows = list(_explained(bench, metric).rows)
    whole = _whole(rows)
    assert whole.total_effect is not None
    sums: dict[tuple[str, str | None], list[float]] = {}
    for row in rows:
        if row.part in {"segment", "feature", "slice"}:
            key = (row.part, None if row.part == "slice" else row.segment)
            sums.setdefault(key, []).append(row.total_effect or 0.0)
    assert {("segment", "place"), ("segment", "kind"), ("feature", "x")} <= set(sums)
    for parts in sums.values():
        scale = max(sum(map(abs, parts)), abs(whole.value_after or 0.0))
        assert abs(math.fsum(parts) - whole.total_effect) <= 1e-12 * scale
    if metric in {"mean_error", "label_coverage"}:
        return
    values = [
        next(row.value for row in bench.quality(bench.scope(start=start, end=end)) if row.metric == metric)
        for start, end in (BEFORE, AFTER)
    ]
    assert whole.value_before == pytest.approx(values[0], rel=1e-9)
    assert whole.value_after == pytest.approx(values[1], rel=1e-9)


def test_auc_falls_into_placements(bench: Workbench, frame: pd.DataFrame) -> None:
    row = _whole(list(_explained(bench, "roc_auc").rows))
    for late, value in ((False, row.value_before), (True, row.value_after)):
        part = frame[frame["late"] == late]
        assert value == pytest.approx(roc_auc_score(part["label"], part["score"]), rel=1e-12)
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_high - row.ci_low > 0


def test_the_planted_cause_comes_first_and_is_the_model(loss: Explained) -> None:
    rows = list(loss.rows)
    slices = [row for row in rows if row.part == "slice"]
    assert (slices[0].segment, slices[0].segment_value, slices[0].rank) == ("place", "b", 1)
    assert (slices[0].share_of_change or 0.0) > 0.7
    assert slices[-1].segment is None  # everything else
    shift = {row.segment: row for row in rows if row.part == "shift"}
    total = sum(row.total_effect or 0.0 for row in shift.values())
    assert total == pytest.approx(_whole(rows).total_effect or 0.0, rel=1e-12)
    concept = shift["concept"]
    assert concept.ci_low is not None
    assert concept.ci_low > 0
    assert (concept.share_of_change or 0.0) > 0.8


def test_the_moment_is_found(loss: Explained) -> None:
    onset = next(row for row in loss.rows if row.part == "onset")
    assert onset.since is not None
    assert onset.since_low is not None
    assert onset.since_high is not None
    assert abs(onset.since - pd.Timestamp("2024-01-15", tz="UTC")) < pd.Timedelta("2 days")
    assert onset.since_low <= onset.since <= onset.since_high
    assert loss.when[None].points


def test_nothing_is_named_where_nothing_changed(tmp_path: Path) -> None:
    bench = write_project(tmp_path, _frame(5, worse=False).drop(columns="late"), BINARY + FEATURES)
    rows = list(_explained(bench).rows)
    whole = _whole(rows)
    assert whole.ci_low is not None
    assert whole.ci_high is not None
    assert whole.ci_low <= 0 <= whole.ci_high
    assert not [row for row in rows if row.part == "slice"]
    assert next(row for row in rows if row.part == "onset").since is None


def test_every_record_is_plain(loss: Explained) -> None:
    for row in loss.rows:
        found = record(row, loss.rows.zone)
        assert {"mix_effect", "rate_effect", "total_effect", "ci_low", "ci_high", "status", "reason"} <= set(
            found
        )
        if row.total_effect is not None:
            assert row.ci_low is None or row.ci_low <= row.total_effect <= (row.ci_high or math.inf)
        else:
            assert row.reason or row.part == "onset"


def test_comparisons(bench: Workbench) -> None:
    scope = bench.scope(start=AFTER[0], end=AFTER[1], where=["place=a"])
    other = bench.before(scope, "segment=place=b")
    rows = list(bench.explain(scope, before=other))
    assert _whole(rows).compared_with == "place is b"
    # the column that sets the sides apart explains nothing
    assert {row.segment for row in rows if row.part == "segment"} == {"kind"}
    assert next(row for row in rows if row.part == "onset").reason
    week = bench.scope(start="2024-01-22", end="2024-01-29")
    assert _whole(list(bench.explain(week, before=bench.before(week, "last-week")))).n_before > 0
    assert _whole(list(bench.explain(week))).compared_with == "the window before it"


@pytest.mark.parametrize("words", [
    {"compare": "yesterday"}, {"compare": "segment=place=b"}, {"compare": "version=none"},
])  # fmt: skip
def test_comparisons_that_mean_nothing(bench: Workbench, words: dict[str, str]) -> None:
    with pytest.raises(ScopeError):
        bench.before(bench.scope(), **words)


def test_no_reference_and_unknown_metrics_are_refused(bench: Workbench) -> None:
    with pytest.raises(ProjectError):
        bench.before(bench.scope(), "reference")
    with pytest.raises(ScopeError, match="choose one of"):
        bench.explained(bench.scope(), metric="glory")


def test_another_metric_stands_in(bench: Workbench) -> None:
    found = _explained(bench, "average_precision")
    assert (found.metric, found.asked) == ("roc_auc", "average_precision")
    assert any("in its place" in note for note in found.rows.notes)


def test_without_labels_the_score_is_explained(tmp_path: Path) -> None:
    frame = _frame().drop(columns=["late", "label"])
    bench = write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\n' + FEATURES)
    found = _explained(bench)
    assert found.metric == "mean_score"
    assert any("labels" in note for note in found.rows.notes)
    assert _whole(list(found.rows)).total_effect is not None


def test_labels_that_have_not_come_yet(tmp_path: Path) -> None:
    frame = _frame()
    frame["label"] = frame["label"].where(~frame["late"]).astype("Int64")
    bench = write_project(tmp_path, frame.drop(columns="late"), BINARY + FEATURES)
    rows = list(_explained(bench).rows)
    assert [row.status for row in rows if row.part == "whole"] == ["no_data", "ok"]
    assert rows[1].metric == "mean_score"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(tmp_path: Path, task: str) -> None:
    frame = _frame()
    if task == "regression":
        frame["label"] = frame["score"] + np.where(frame["late"], 0.6, 0.3) * np.random.default_rng(1).normal(
            0, 1, N
        )
        section = 'task = "regression"\nscore = "score"\nlabel = "label"\n'
    else:
        frame["label"] = np.where(frame["label"] == 1, "yes", "no")
        frame["no_score"] = 1 - frame["score"]
        section = 'task = "multiclass"\nlabel = "label"\nscore = { yes = "score", no = "no_score" }\n'
    bench = write_project(tmp_path, frame.drop(columns="late"), section + FEATURES)
    for metric in explainable(bench.catalog):
        whole = _whole(list(_explained(bench, metric).rows))
        assert whole.total_effect is not None, (metric, whole.reason)
    if task == "regression":
        rows = list(_explained(bench, "root_mean_squared_error").rows)
        error = (
            frame.assign(square=(frame["score"] - frame["label"]) ** 2).groupby("late")["square"].mean()
            ** 0.5
        )
        assert _whole(rows).value_after == pytest.approx(error[True])
        assert _whole(rows).total_effect == pytest.approx(error[True] - error[False], rel=1e-9)
        parts = [row.total_effect or 0.0 for row in _parts(rows, "place").values()]
        assert math.fsum(parts) == pytest.approx(_whole(rows).total_effect or 0.0, rel=1e-12)


def test_odd_data(tmp_path: Path) -> None:
    """One class, one row, hostile names, one segment value, no feature, too many categories: a reason each time."""
    plain = _frame().drop(columns="late")
    hostile = plain.assign(
        place=np.where(plain["place"] == "a", "'; DROP TABLE x; -- ×", plain["place"]), label=1
    )
    many = plain.assign(kind=[f"k{i}" for i in range(N)], x=np.where(np.arange(N) % 7 == 0, np.inf, np.nan))
    for name, frame in (
        ("hostile", hostile), ("many", many), ("one", plain.head(1)), ("alike", plain.assign(place="a", kind="p")),
    ):  # fmt: skip
        bench = write_project(tmp_path / name, frame, BINARY + FEATURES)
        for metric in ("log_loss", "roc_auc"):
            found = _explained(bench, metric)
            for row in found.rows:
                record(row, found.rows.zone)
            assert _whole(list(found.rows)).status in {"ok", "no_data", "too_few", "undefined"}
    bare = write_project(tmp_path / "bare", plain[["ts", "score", "label"]], BINARY + "features = []\n")
    rows = list(_explained(bare).rows)
    assert {row.part for row in rows} == {"whole", "shift", "onset"}
    assert all(row.reason for row in rows if row.part == "shift")


@pytest.mark.parametrize("metric", ["recall", "precision", "specificity", "f1"])
def test_other_labels_at_the_same_inputs_are_no_other_inputs(bench: Workbench, metric: str) -> None:
    """The inputs of the positives changed, since other rows are positive now: that is the concept's part."""
    rows = {row.segment: row for row in _explained(bench, metric).rows if row.part == "shift"}
    covariate, concept = rows["covariate"], rows["concept"]
    assert covariate.total_effect is not None
    assert concept.ci_high is not None
    assert abs(covariate.total_effect) < 0.02
    assert covariate.ci_low is not None
    assert covariate.ci_high is not None
    assert covariate.ci_low < 0 < covariate.ci_high
    assert concept.ci_high < 0


@pytest.mark.statistical
@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy", "expected_calibration_error"])
def test_where_nothing_changed_no_part_is_claimed(bench: Workbench, metric: str) -> None:
    """Both parts are clear of 0 in about one of twenty worlds."""
    measure = row_measure(bench.catalog, metric)
    rng = np.random.default_rng(8)
    claimed = np.zeros(2)
    for _ in range(80):
        sides = []
        for day in (0, 100):
            x = rng.normal(0, 1, (1200, 4))
            score = 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))
            label = (rng.random(1200) < score).astype(float)
            right = ((score > 0.5) == (label == 1)).astype(float)
            rows = Rows(np.column_stack([x, x**2 - 1]), right, np.ones(1200), day + np.arange(1200) // 30)
            sides.append(_Drawn(rows, label, score))
        functionals = _Functional(measure, sides[0]), _Functional(measure, sides[1])
        found = split_shift(sides[0].rows, sides[1].rows, 0.95, functionals)
        assert found.covariate is not None
        assert found.concept is not None
        claimed += [not part.low <= 0 <= part.high for part in (found.covariate, found.concept)]
    assert (claimed <= 9).all(), claimed


def test_influences_on_the_area_are_those_of_one_row_more() -> None:
    rng = np.random.default_rng(9)
    score, label = rng.integers(0, 20, 60) / 20, rng.integers(0, 2, 60).astype(float)
    weight = rng.uniform(0.5, 2.0, 60)
    value, placement = _auc(score, label, weight)
    assert value == pytest.approx(roc_auc_score(label, score, sample_weight=weight), rel=1e-12)
    influence = _of_classes(placement - value, label, weight)
    assert weight @ influence == pytest.approx(0, abs=1e-9)
    step = np.zeros(60)
    step[7] = 1e-6
    moved = _auc(score, label, weight + step)[0]
    assert (moved - value) / 1e-6 * weight.sum() == pytest.approx(influence[7], rel=1e-3, abs=1e-6)
