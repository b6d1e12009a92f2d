"""Losses against scikit-learn and NumPy, row by row, and the order they give."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss

from analytics.ask.examples import examples_of
from analytics.scope import Scope

LABELLED = ('id = "id"', 'label = "label"')
CLASSES = ["A", "B", "C 'c"]


def binary_rows(n: int = 400) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    score = np.concatenate([draw.beta(0.3, 0.3, n - 6), [0, 1, 0, 1, 1e-20, 0.5]])
    label = np.concatenate([(draw.uniform(size=n - 6) < score[:-6]).astype(int), [1, 0, 0, 1, 1, 0]])
    return pd.DataFrame({"id": [f"r{i}" for i in range(n)], "score": score, "label": label})


def multiclass_rows(n: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(2)
    scores = np.round(draw.dirichlet([0.5, 1, 2], n), 6)
    scores[0] = [0, 0, 1]
    scores[1] = [1, 0, 0]
    columns = dict(zip(["p_a", "p_b", "p_c"], scores.T, strict=True))
    label = draw.choice(CLASSES, n)
    label[:2] = "A"
    return pd.DataFrame({"id": [f"r{i}" for i in range(n)], "label": label} | columns)


@pytest.mark.parametrize("kind", ["worst", "best"])
def test_log_loss_of_each_row_is_sklearns(open_project, kind):
    rows = binary_rows()
    found = examples_of(catalog := open_project(rows, "binary", *LABELLED), Scope(), kind, len(rows))
    expected = {
        row.id: log_loss([row.label], [row.score], labels=[0, 1]) for row in rows.itertuples(index=False)
    }
    assert len(found) == len(rows) == len(expected)
    assert [row.loss for row in found] == pytest.approx([expected[row.id] for row in found], rel=1e-12)
    ordered = sorted(expected.values(), reverse=kind == "worst")
    assert [row.loss for row in found] == pytest.approx(ordered, rel=1e-12)
    assert max(row.loss for row in found) == pytest.approx(-np.log(np.finfo(float).eps))
    assert catalog.predictions.task == "binary"


def test_multiclass_log_loss_of_each_row_is_sklearns(open_project):
    rows = multiclass_rows()
    rows.loc[5, ["p_a", "p_b", "p_c"]] = [0.2, 0.2, 0.2]  # does not sum to 1
    found = examples_of(open_project(rows, "multiclass", *LABELLED), Scope(), "worst", len(rows))
    scores = rows[["p_a", "p_b", "p_c"]].to_numpy()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The y_prob values do not sum to one", UserWarning)
        expected = [
            log_loss([label], [score], labels=CLASSES)
            for label, score in zip(rows["label"], scores, strict=True)
        ]
    by_id = dict(zip(rows["id"], expected, strict=True))
    assert [row.loss for row in found] == pytest.approx(sorted(expected, reverse=True), rel=1e-9)
    assert [row.loss for row in found] == pytest.approx([by_id[row.id] for row in found], rel=1e-9)


def test_uncertain_classes_are_those_of_highest_entropy(open_project):
    rows = multiclass_rows()
    found = examples_of(open_project(rows, "multiclass", *LABELLED), Scope(), "uncertain", 10)
    scores = rows[["p_a", "p_b", "p_c"]].to_numpy()
    order = np.argsort(-entropy(scores, axis=1))[:10]
    assert [row.id for row in found] == list(rows["id"].iloc[order])
    assert found[0].reason.endswith("of at most 1.10")


def test_scores_of_no_class_are_neither_certain_nor_uncertain(open_project):
    rows = multiclass_rows(30)
    rows.loc[3, ["p_a", "p_b", "p_c"]] = 0.0
    catalog = open_project(rows, "multiclass", *LABELLED)
    assert "r3" not in {row.id for row in examples_of(catalog, Scope(), "uncertain", 30)}
    assert examples_of(catalog, Scope(), "worst", 30)[0].loss == pytest.approx(-np.log(np.finfo(float).eps))


def test_regression_goes_by_absolute_error(open_project):
    draw = np.random.default_rng(3)
    rows = pd.DataFrame(
        {"id": [f"r{i}" for i in range(50)], "score": draw.normal(size=50), "label": draw.normal(size=50)}
    )
    rows.loc[7, ["score", "label"]] = [1.0, 4000.0]
    found = examples_of(open_project(rows, "regression", *LABELLED), Scope(), "worst", 50)
    error = (rows["score"] - rows["label"]).abs()
    assert [row.loss for row in found] == sorted(error, reverse=True)
    assert found[0].reason == "predicted 1.00, was 4,000: 3,999 too low"
    assert (found[0].label, found[0].score) == ("4000", 1.0)


def test_ties_go_by_time_then_id_then_row(open_project):
    rows = pd.DataFrame({
        "id": ["d", "c", "b", "a"], "score": [0.2] * 4, "label": [0] * 4,
        "ts": pd.to_datetime(["2024-03-02", "2024-03-01", "2024-03-02", "2024-03-02"], utc=True),
    })  # fmt: skip
    for kind in ("worst", "best"):
        found = examples_of(open_project(rows, "binary", *LABELLED), Scope(), kind, 3)
        assert [(row.rank, row.id) for row in found] == [(1, "c"), (2, "a"), (3, "b")]
