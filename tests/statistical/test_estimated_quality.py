"""Bands of estimated quality hold under covariate shift, beat repeating the last value, and are withdrawn on failure.

Each project has 60 days of reference and 240 days of logs whose inputs wander; the way from inputs to labels stays as
it is, but for the last test. Every window goes through `estimates_of` as a user's would.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from analytics.ask.estimate import estimates_of
from analytics.scope import Scope
from tests.ask.projects import write_project

REFERENCE, DAYS, PER_DAY = 60, 240, 150
START = pd.Timestamp("2024-01-01", tz="UTC")
pytestmark = pytest.mark.statistical


class Drawn(NamedTuple):
    """Rows of all days: what they are made from."""

    frame: pd.DataFrame
    x: np.ndarray
    z: np.ndarray
    noise: np.ndarray


def drawn(seed: int, shift: float = 0.9, per_day: int = PER_DAY) -> Drawn:
    """Inputs whose means wander within the range that the reference covers."""
    rng = np.random.default_rng(seed)
    days = REFERENCE + DAYS
    day = np.repeat(np.arange(days), per_day)
    wander = shift * np.sin(np.arange(days) / 9) + rng.normal(0, 0.25, days)
    wander[:REFERENCE] = rng.normal(0, 0.5, REFERENCE)
    x = rng.normal(0, 1, len(day)) + wander[day]
    z = rng.normal(0, 1, len(day)) + wander[::-1][day]
    seconds = day * 86_400 + rng.integers(0, 86_400, len(day))
    frame = pd.DataFrame({"ts": START + pd.to_timedelta(np.sort(seconds), unit="s"), "x": x, "z": z})
    return Drawn(frame, x, z, rng.random(len(day)))


def project(tmp_path, frame, task):
    """The first days as reference files, the others as predictions."""
    split = START + pd.Timedelta(days=REFERENCE)
    frame[frame["ts"] < split].to_parquet(tmp_path / "reference.parquet")
    more = '[reference]\npath = "reference.parquet"\n'
    return write_project(tmp_path, frame[frame["ts"] >= split].reset_index(drop=True), task, more)


def binary(tmp_path, seed, concept_from=None, per_day=PER_DAY):
    """Scores that are too sure; with the relation turned from a day on, where asked."""
    rows = drawn(seed, per_day=per_day)
    chance = expit(0.9 * rows.x - 0.4)
    if concept_from is not None:
        late = rows.frame["ts"] >= START + pd.Timedelta(days=REFERENCE + concept_from)
        chance = np.where(late, expit(-0.3 * rows.x + 0.6), chance)
    score = expit(1.5 * rows.x - 0.2)
    frame = rows.frame.assign(
        score=score, label=(rows.noise < chance).astype(int), decision=(score > 0.5).astype(int)
    )
    words = (
        'task = "binary"\nscore = "score"\nlabel = "label"\ndecision = "decision"\nfeatures = ["x", "z"]\n'
    )
    return project(tmp_path, frame, words)


def multiclass(tmp_path, seed):
    """Three classes whose scores are too sure."""
    rows = drawn(seed)
    logits = np.column_stack([0.8 * rows.x, 0.8 * rows.z, np.zeros(len(rows.x))])
    label = (rows.noise[:, None] > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1)
    score = softmax(1.6 * logits, axis=1)
    frame = rows.frame.assign(
        a=score[:, 0], b=score[:, 1], c=score[:, 2], label=np.array(["A", "B", "C"])[np.minimum(label, 2)]
    )
    words = (
        'task = "multiclass"\nscore = { A = "a", B = "b", C = "c" }\nlabel = "label"\nfeatures = ["x", "z"]\n'
    )
    return project(tmp_path, frame, words)


def regression(tmp_path, seed):
    """Errors that grow with the inputs."""
    rows = drawn(seed)
    rng = np.random.default_rng(seed + 1)
    spread = 0.5 + np.log1p(np.exp(1.2 * rows.x))
    prediction = 2 * rows.x + rows.z
    frame = rows.frame.assign(score=prediction, label=prediction + spread * rng.normal(0, 1, len(spread)))
    return project(
        tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\nfeatures = ["x", "z"]\n'
    )


def asked(bench, method, grain="day"):
    found = estimates_of(bench.catalog, Scope(grain=grain, confidence=0.9), [method])
    bench.close()
    return found


@pytest.mark.parametrize(
    "make, method, metrics",
    [
        (
            binary,
            "cbpe",
            (
                "roc_auc",
                "log_loss",
                "brier_score",
                "accuracy",
                "precision",
                "recall",
                "specificity",
                "f1",
                "prevalence",
            ),
        ),
        (multiclass, "cbpe", ("log_loss", "brier_score", "accuracy", "balanced_accuracy", "f1_macro")),
        (regression, "dle", ("mean_absolute_error", "root_mean_squared_error")),
    ],
)
def test_bands_hold_and_beat_the_last_value(tmp_path, make, method, metrics):
    found = asked(make(tmp_path, 11), method)
    for metric in metrics:
        tested = [row for row in found.rows if row.metric == metric and row.held is not None]
        assert len(tested) >= 200, metric
        assert np.mean([row.held for row in tested]) >= 0.87, metric
        (card,) = [row for row in found.scorecard if row.metric == metric]
        assert card.n_compared >= 200
        assert card.mean_interval_score < card.mean_interval_score_last_value, metric
        assert card.standing == "believed"
        given = [row for row in tested if row.value is not None]
        assert all(row.ci_low <= row.value <= row.ci_high for row in given)
        assert all(row.held == (row.ci_low <= row.realised <= row.ci_high) for row in given)


def test_weights_mend_what_the_score_alone_cannot_see(tmp_path):
    """The score leaves z out; where z moves, the same score means another chance."""
    rows = drawn(5, shift=0.0, per_day=100)
    late = (rows.frame["ts"] >= START + pd.Timedelta(days=REFERENCE)).to_numpy()
    z = rows.frame["z"].to_numpy() + 0.8 * late
    chance = expit(rows.x + 1.2 * z)
    score = expit(0.8 * rows.x)
    frame = rows.frame.assign(z=z, score=score, label=(rows.noise < chance).astype(int))
    words = 'task = "binary"\nscore = "score"\nlabel = "label"\nthreshold = 0.5\nfeatures = ["x", "z"]\n'
    bench = project(tmp_path, frame, words)
    found = estimates_of(bench.catalog, Scope(grain="week", confidence=0.9))
    bench.close()
    error = {
        (row.method, row.metric): abs(row.mean_error) for row in found.scorecard if row.mean_error is not None
    }
    assert error["cbpe", "prevalence"] > 0.1
    assert error["pape", "prevalence"] < 0.4 * error["cbpe", "prevalence"]
    assert error["pape", "accuracy"] < 0.6 * error["cbpe", "accuracy"]
    assert all(row.effective_n >= 100 for row in found.rows if row.method == "pape" and row.n)


def test_concept_drift_withdraws_the_estimate(tmp_path):
    found = asked(binary(tmp_path, 3, concept_from=120), "cbpe")
    rows = [row for row in found.rows if row.metric == "accuracy"]
    before, after = rows[40:120], rows[126:138]
    assert sum(row.status == "ok" for row in before) >= 70
    assert all(row.status == "undefined" and row.value is None and row.ci_low is None for row in after)
    assert all(
        "withdrawn" in row.reason and f"{row.held_backtests} of its last 20" in row.reason for row in after
    )
    for i, row in enumerate(rows[40:], 40):
        assert row.held_backtests == sum(bool(earlier.held) for earlier in rows[i - 20 : i])
        assert (row.status == "undefined") == (row.held_backtests < 16)
