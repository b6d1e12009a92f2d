"""Every quality metric's interval in few replicates: independent rows, days, units, weights, rare positives.

`tests.statistical.quality_table` prints the same with more of them, for docs/methods/quality.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.ask.projects import START, write_project
from tests.statistical.aggregated import COSTS, Rows, estimates_of, matrix
from tests.statistical.quality_table import TASKS, Design, coverage

pytestmark = pytest.mark.statistical
CLASSES = ("A", "B", "C")
TOML = {
    "binary": 'task = "binary"\nscore = "score"\ndecision = "decision"\n',
    "multiclass": 'task = "multiclass"\nscore = { A = "p0", B = "p1", C = "p2" }\ndecision = "decision"\n',
    "regression": 'task = "regression"\nscore = "score"\n',
}
KEYS = 'label = "label"\nweight = "w"\n'
EARNED = matrix(CLASSES)
COSTS_TOML = {
    "binary": "[costs]\n"
    + "".join(
        f"{name} = {getattr(COSTS, name)}\n"
        for name in ("true_positive", "false_positive", "false_negative", "true_negative")
    ),
    "multiclass": "[costs.matrix]\n"
    + "".join(
        f"{a} = {{ {', '.join(f'{b} = {v}' for b, v in line.items())} }}\n" for a, line in EARNED.items()
    ),
    "regression": "",
}
EVERYTHING = Design(900, days=12, day_effect=0.6, units=60, unit_effect=0.8, sampled="outcome")


def frame_of(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"ts": START + pd.to_timedelta(rows.block, unit="D"), "w": rows.weight, "label": rows.label}
    )
    if rows.score.ndim == 2:
        frame = frame.assign(**{f"p{i}": rows.score[:, i] for i in range(3)})
        frame["label"] = np.array(CLASSES)[rows.label]
        frame["decision"] = np.array(CLASSES)[rows.decision]
    else:
        frame["score"] = rows.score
        if rows.decision is not None:
            frame["decision"] = rows.decision
    if rows.unit is not None:
        frame["unit"] = [f"u{i}" for i in rows.unit]
    return frame


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("design", [EVERYTHING, EVERYTHING._replace(units=0, sampled="score"), Design(300)])
def test_it_is_what_files_give(tmp_path, task, design):
    rows = TASKS[task](design, np.random.default_rng(3))
    keys = TOML[task] + KEYS + ('unit = "unit"\n' if design.units else "")
    bench = write_project(tmp_path, frame_of(rows), keys, COSTS_TOML[task])
    from_files = {(row.metric, row.class_): row for row in bench.quality()}
    bench.close()
    simulated = {(one.metric, one.class_): one for one in estimates_of(rows)}
    assert simulated.keys() == from_files.keys()
    for key, one in simulated.items():
        row = from_files[key]
        assert (one.value is None) == (row.value is None), key
        if one.value is not None:
            low, high, independence = one.interval(0.95)
            assert (one.value, low, high) == pytest.approx((row.value, row.ci_low, row.ci_high), rel=1e-9), (
                key
            )
            assert independence == row.independence, key


def test_a_mean_over_classes_varies_as_leaving_out_each_row_says():
    """Known answer: the infinitesimal jackknife of macro AUC and average precision, by scikit-learn."""
    rows = TASKS["multiclass"](Design(240), np.random.default_rng(5))
    rows = rows._replace(weight=np.random.default_rng(6).choice([1.0, 2.0], len(rows.label)))
    hot = np.eye(3)[rows.label]
    found = {one.metric: one for one in estimates_of(rows) if one.class_ is None}
    for metric, score in (("roc_auc", roc_auc_score), ("average_precision", average_precision_score)):

        def macro(weight, score=score):
            return np.mean([score(hot[:, k], rows.score[:, k], sample_weight=weight) for k in range(3)])

        moved = []
        for i in range(len(rows.label)):
            more = rows.weight.copy()
            more[i] *= 1 + 1e-5
            moved.append((macro(more) - macro(rows.weight)) / 1e-5)
        variance = np.square(moved).sum()
        assert found[metric].row_variance == pytest.approx(variance, rel=0.03)
        assert found[metric].value == pytest.approx(macro(rows.weight))


# each of these left its bounds before it was mended, by ten standard errors or more
MENDED = {
    "average precision, negatives weigh ten": (
        "binary", Design(20_000, base=-5.95, sampled="outcome"), ("average_precision", None), 120, (0.90, 1.0)
    ),
    "mean over classes": ("multiclass", Design(300), ("roc_auc", None), 120, (0.89, 0.985)),
    "average precision, mean over classes": (
        "multiclass", Design(300), ("average_precision", None), 120, (0.89, 0.985)
    ),
    "precision where no false alarm was logged": (
        "multiclass", Design(5_000, base=-3.6, sampled="outcome"), ("precision", "C"), 60, (0.90, 1.0)
    ),
    "mean of such precisions": (
        "multiclass", Design(5_000, base=-3.6, sampled="outcome"), ("precision", None), 60, (0.90, 1.0)
    ),
    "calibration error, rows of units": (
        "binary", Design(800, units=80, unit_effect=1.2), ("expected_calibration_error", None), 120, (0.90, 1.0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(MENDED))
def test_what_was_mended_covers(case):
    task, design, key, replicates, (low, high) = MENDED[case]
    assert low <= coverage(task, design, replicates, population=200_000)[key].share <= high


def test_every_metric_of_a_regression_covers():
    # five standard errors below 95 %: root mean squared errors of few rows cover 92
    for design in (Design(1_000), Design(900, 30, 0.6), Design(2_000, sampled="outcome")):
        for key, one in coverage("regression", design, 400, population=200_000).items():
            assert 0.895 <= one.share <= 0.99, (design, key, one)
