"""Splits, gaps and rows unlike the reference: against the same sums by hand, and where there is too little to say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ProjectError, ScopeError
from analytics.quality.splits import before
from tests.ask.projects import BINARY, times, write_project

DECIDED = BINARY + 'decision = "decision"\nsegments = ["group", "pair"]\nfeatures = ["x", "word"]\n'
SPLIT = BINARY + 'split = "split"\nfeatures = ["x"]\n'


def rows(n, *, seed=0, days=20):
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.05, 0.95, n)
    return pd.DataFrame({
        "ts": times(n, days), "score": score, "label": (rng.random(n) < score).astype(int),
        "x": rng.normal(size=n), "word": rng.choice(["a", "b", "c"], n), "group": rng.choice(["p", "q", "r"], n),
        "pair": "one",
    }).assign(decision=lambda frame: (frame.score > 0.5).astype(int))  # fmt: skip


def log_loss(frame):
    return -np.log(np.where(frame.label == 1, frame.score, 1 - frame.score))


def found(results, **where):
    (row,) = [row for row in results if all(getattr(row, name) == value for name, value in where.items())]
    return row


@pytest.fixture
def split_project(tmp_path):
    frame = rows(4000, seed=1, days=80)
    frame["split"] = np.where(np.arange(4000) % 4 == 0, "Train", "production")
    frame.loc[np.arange(4000) % 4 == 1, "split"] = "test"
    overfitted = frame.split == "Train"
    frame.loc[overfitted, "score"] = np.where(frame.label[overfitted] == 1, 0.9, 0.1)
    late = (frame.split == "production") & (frame.ts > frame.ts.iloc[1200])
    frame.loc[late, "label"] = 1 - frame.label[late]
    frame.loc[3, "split"] = "holdout"
    return frame, write_project(tmp_path / "p", frame, SPLIT)


def test_splits_equal_the_same_means_by_hand(split_project):
    frame, bench = split_project
    answer = bench.splits()
    for split, name in (("train", "Train"), ("test", "test"), ("production", "production")):
        mine = frame[frame.split == name]
        row = found(answer, split=split, metric="log_loss")
        assert (row.n, row.n_labelled) == (len(mine), len(mine))
        assert row.value == pytest.approx(log_loss(mine).mean())
    test, train = (found(answer, split=name, metric="log_loss") for name in ("test", "train"))
    assert test.gap == pytest.approx(test.value - train.value)
    assert test.gap_ci_low <= test.gap <= test.gap_ci_high
    assert '1 rows have the split "holdout"' in answer.notes[0]


def test_findings_tell_overfitting_from_drift_since(split_project):
    _, bench = split_project
    by_split = {row.split: row for row in bench.splits() if row.metric == "log_loss"}
    assert by_split["test"].finding == "overfitting"
    assert by_split["production:early"].finding is None
    assert by_split["production:late"].finding == "drift since"
    assert by_split["production"].finding is None


def test_only_production_is_monitored_and_the_window_cuts_it_alone(split_project):
    frame, bench = split_project
    assert bench.quality(bench.scope())[0].n == (frame.split == "production").sum()
    some = bench.splits(bench.scope(start="2024-01-11", end="2024-01-21"))
    assert found(some, split="train", metric="log_loss").n == (frame.split == "Train").sum()
    assert found(some, split="production", metric="log_loss").n < 0.3 * (frame.split == "production").sum()


def test_without_a_split_column_the_key_is_named(tmp_path):
    bench = write_project(tmp_path / "p", rows(100), BINARY)
    with pytest.raises(ProjectError, match=r"predictions\.split"):
        bench.splits()


def test_every_split_is_compared_with_the_nearest_one_before():
    there = ["train", "validation", "test", "production", "production:early", "production:late"]
    assert [before(name, there) for name in there] == [
        None,
        "train",
        "validation",
        "test",
        "test",
        "production:early",
    ]


def test_gaps_are_those_of_the_values_and_one_value_is_too_few(tmp_path):
    frame = rows(3000, seed=3)
    bench = write_project(tmp_path / "p", frame, DECIDED)
    answer = bench.gaps()
    recall = frame[frame.label == 1].groupby("group")["decision"].mean()
    row = found(answer, segment="group", notion="equal opportunity")
    assert row.gap_observed == pytest.approx(np.ptp(recall))
    assert (row.highest, row.lowest) == (f"group={recall.idxmax()}", f"group={recall.idxmin()}")
    error = (frame.score - frame.label).groupby(frame.group).mean()
    assert found(answer, segment="group", notion="calibration gap").gap_observed == pytest.approx(
        np.ptp(error)
    )
    alone = found(answer, segment="pair", notion="loss gap")
    assert (alone.status, alone.gap, alone.n_values) == ("too_few", None, 0)
    assert {row.notion for row in answer} >= {"demographic parity", "equalised odds", "predictive parity"}


def test_a_planted_gap_is_found_and_shrunken_values_lie_between(tmp_path):
    frame = rows(4000, seed=4)
    wrong = (frame.group == "q") & (np.arange(4000) % 3 == 0)
    frame.loc[wrong, "label"] = 1 - frame.label[wrong]
    bench = write_project(tmp_path / "p", frame, DECIDED)
    row = found(bench.gaps(), segment="group", notion="loss gap")
    assert row.highest == "group=q"
    assert row.p_adjusted < 0.01
    assert row.ci_low > 0
    for part in (part for part in bench.segments() if part.segment == "group"):
        low, high = sorted((part.value, part.value_whole))
        assert low - 1e-9 <= part.value_shrunken <= high + 1e-9
        assert part.shrunken_ci_low <= part.value_shrunken <= part.shrunken_ci_high


def test_gaps_need_segments(tmp_path):
    with pytest.raises(ScopeError, match="no segments"):
        write_project(tmp_path / "p", rows(100), BINARY).gaps()


REFERENCE = "[reference]\nstart = 2024-01-01\nend = 2024-02-10\n"


def unlike_project(tmp_path, change=lambda frame: frame, *, seed=5, label='label = "label"\n'):
    frame = change(rows(6000, seed=seed, days=80))
    predictions = 'task = "binary"\nscore = "score"\nfeatures = ["x", "word"]\n' + label
    return frame, write_project(tmp_path / f"p{seed}", frame, predictions, REFERENCE)


def test_rows_beyond_all_that_is_known_are_found_and_their_loss_compared(tmp_path):
    def change(frame):
        odd = (np.arange(6000) > 3500) & (np.arange(6000) % 4 == 0)
        frame.loc[odd, "x"] = frame.x[odd] + 30
        frame.loc[odd, "label"] = 1 - frame.label[odd]
        return frame

    _, bench = unlike_project(tmp_path, change)
    (row,) = bench.unlike(bench.scope(start="2024-02-20", end="2024-03-20"))
    assert row.share == pytest.approx(0.25 + 0.75 * 0.05, abs=0.05)
    assert row.ci_low <= row.share <= row.ci_high
    assert row.p_value < 1e-6
    assert row.carried_by == "x"
    assert row.difference_ci_low > 0
    assert row.loss_outside > row.loss_inside


def test_too_little_is_said(tmp_path):
    _, bench = unlike_project(tmp_path)
    empty = bench.unlike(bench.scope(start="2020-01-01", end="2020-01-02"))[0]
    assert (empty.status, empty.share) == ("no_data", None)
    few = bench.unlike(bench.scope(start="2024-03-01", end="2024-03-01T04:00"))[0]
    assert few.status == "too_few"
    _, unlabelled = unlike_project(tmp_path, seed=6, label="")
    (row,) = unlabelled.unlike(unlabelled.scope(start="2024-02-20", end="2024-03-20"))
    assert (row.status, row.loss_inside, row.n_labelled_inside) == ("ok", None, 0)
    with pytest.raises(ProjectError, match="reference"):
        write_project(tmp_path / "n", rows(100), BINARY).unlike()


@pytest.mark.statistical
def test_without_change_few_windows_seem_unlike(tmp_path):
    alarms, windows = 0, 0
    for seed in range(8):

        def change(frame, seed=seed):
            # rows of one day are alike
            rng = np.random.default_rng(100 + seed)
            day = (np.arange(6000) * 80 // 6000).astype(int)
            frame["x"] += rng.normal(0, 0.5, 80)[day]
            return frame

        _, bench = unlike_project(tmp_path, change, seed=20 + seed)
        answer = bench.unlike(bench.scope(start="2024-02-12", end="2024-03-18", grain="week"))
        known = [row for row in answer if row.p_value is not None]
        alarms += sum(row.p_value < 0.05 for row in known)
        windows += len(known)
    # a one-sided test of .05; 40 windows in 8 logs that share their reference
    assert alarms <= 8, (alarms, windows)
