"""Measures of a confusion matrix: scikit-learn's values, influences, coverage, what is undefined."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from analytics.stats import classification as c
from analytics.stats import intervals

BINARY: dict[str, tuple[Callable[..., c.Measure], Callable[..., float]]] = {
    "accuracy": (c.accuracy, metrics.accuracy_score),
    "balanced_accuracy": (c.balanced_accuracy, metrics.balanced_accuracy_score),
    "precision": (c.precision, metrics.precision_score),
    "recall": (c.recall, metrics.recall_score),
    "specificity": (c.specificity, lambda y, d, **k: metrics.recall_score(y, d, pos_label=0, **k)),
    "f1": (c.f1, metrics.f1_score),
    "matthews_corrcoef": (c.matthews_corrcoef, metrics.matthews_corrcoef),
    "prevalence": (c.prevalence, lambda y, _, **k: np.average(y, weights=k.get("sample_weight"))),
    "decision_rate": (c.decision_rate, lambda _, d, **k: np.average(d, weights=k.get("sample_weight"))),
}
MULTICLASS: dict[str, tuple[Callable[..., c.Measure], Callable[..., float]]] = {
    "accuracy": (c.accuracy_of, metrics.accuracy_score),
    "balanced_accuracy": (c.balanced_accuracy_of, metrics.balanced_accuracy_score),
    "matthews_corrcoef": (c.matthews_corrcoef_of, metrics.matthews_corrcoef),
    "precision_macro": (
        c.precision_macro_of,
        lambda y, d, **k: metrics.precision_score(y, d, average="macro", **k),
    ),
    "recall_macro": (c.recall_macro_of, lambda y, d, **k: metrics.recall_score(y, d, average="macro", **k)),
    "f1_macro": (c.f1_macro_of, lambda y, d, **k: metrics.f1_score(y, d, average="macro", **k)),
}


def _rows(classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, 300)
    decision = np.where(rng.random(300) < 0.6, label, rng.integers(0, classes, 300))
    return label, decision, rng.uniform(0.3, 4, 300)


def _cells(label: np.ndarray, decision: np.ndarray, weight: np.ndarray) -> tuple[float, float, float, float]:
    return tuple(
        float(weight[(label == y) & (decision == d)].sum()) for y, d in ((1, 1), (0, 1), (1, 0), (0, 0))
    )


@pytest.mark.parametrize("name", BINARY)
def test_binary_values_match_sklearn(name: str) -> None:
    ours, theirs = BINARY[name]
    label, decision, weight = _rows(2, 1)
    assert ours(*_cells(label, decision, np.ones(300))).value == pytest.approx(theirs(label, decision))
    expected = theirs(label, decision, sample_weight=weight)
    assert ours(*_cells(label, decision, weight)).value == pytest.approx(expected)


@pytest.mark.parametrize("name", MULTICLASS)
def test_multiclass_values_match_sklearn(name: str) -> None:
    ours, theirs = MULTICLASS[name]
    label, decision, weight = _rows(4, 2)
    matrix = metrics.confusion_matrix(label, decision, sample_weight=weight)
    assert ours(matrix).value == pytest.approx(theirs(label, decision, sample_weight=weight))


def test_one_vs_rest_matches_sklearn() -> None:
    label, decision, _ = _rows(4, 3)
    matrix = metrics.confusion_matrix(label, decision)
    for k in range(4):
        cells = c.one_vs_rest(matrix, k)
        for whole, part, theirs in (
            (c.precision_of, c.precision, metrics.precision_score),
            (c.recall_of, c.recall, metrics.recall_score),
            (c.f1_of, c.f1, metrics.f1_score),
        ):
            expected = theirs(label == k, decision == k)
            assert whole(matrix, k).value == pytest.approx(expected)
            assert part(*cells).value == pytest.approx(expected)


@pytest.mark.parametrize("name", BINARY)
@given(cells=st.tuples(*[st.floats(0.5, 100)] * 4))
def test_binary_influence_is_the_derivative(name: str, cells: tuple[float, float, float, float]) -> None:
    measure = BINARY[name][0]
    found = measure(*cells)
    assert found.influence @ np.array(cells) == pytest.approx(0, abs=1e-9), (
        "scaling all weights changes nothing"
    )
    for k in range(4):
        step = np.eye(4)[k] * 1e-4
        change = (measure(*(cells + step)).value - measure(*(cells - step)).value) / 2e-4
        assert found.influence[k] == pytest.approx(change, abs=1e-6, rel=1e-4)


@pytest.mark.parametrize("name", MULTICLASS)
def test_multiclass_influence_is_the_derivative(name: str) -> None:
    measure = MULTICLASS[name][0]
    matrix = np.array([[50.0, 3, 9], [12, 21, 4], [1, 8, 30]])
    found = measure(matrix)
    for cell in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[cell] = 1e-4
        change = (measure(matrix + step).value - measure(matrix - step).value) / 2e-4
        assert found.influence[cell] == pytest.approx(change, abs=1e-8)


def test_binary_is_the_two_class_case() -> None:
    matrix = [[40, 10], [5, 45]]
    assert c.matthews_corrcoef(45, 10, 5, 40).value == pytest.approx(c.matthews_corrcoef_of(matrix).value)
    assert c.f1(45, 10, 5, 40).value == pytest.approx(c.f1_of(matrix, 1).value)


@pytest.mark.parametrize(
    "cells", [(0, 0, 0, 50), (0, 5, 0, 45), (5, 0, 0, 0), (0, 0, 5, 45), (3, 0, 2, 0), (2, 9, 0, 0)]
)
@pytest.mark.parametrize("name", BINARY)
def test_undefined_where_sklearn_warns(name: str, cells: tuple[int, int, int, int]) -> None:
    """Matthews is the exception: scikit-learn returns its 0 for a constant without a word, and it is no
    correlation.
    """
    tp, fp, fn, tn = cells
    label = np.repeat([1, 0, 1, 0], cells)
    decision = np.repeat([1, 1, 0, 0], cells)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        expected = BINARY[name][1](label, decision)
    found = BINARY[name][0](tp, fp, fn, tn)
    one_class = name == "balanced_accuracy" and len(set(label)) < 2
    constant = name == "matthews_corrcoef" and (len(set(label)) < 2 or len(set(decision)) < 2)
    quality = [w for w in warned if issubclass(w.category, UserWarning)]
    if quality or one_class or constant:
        assert isinstance(found, c.Undefined)
        assert found.reason
    else:
        assert found.value == pytest.approx(expected)


def test_no_rows_is_undefined_everywhere() -> None:
    assert all(isinstance(measure(0, 0, 0, 0), c.Undefined) for measure, _ in BINARY.values())
    assert all(isinstance(measure(np.zeros((3, 3))), c.Undefined) for measure, _ in MULTICLASS.values())


def test_absent_classes_are_left_out_and_counted() -> None:
    matrix = [[8, 2, 0], [3, 7, 0], [0, 0, 0]]
    assert c.absent_classes(matrix) == 1
    assert c.recall_macro_of(matrix).value == pytest.approx(0.75)
    assert c.f1_macro_of(matrix).value == pytest.approx(
        (c.f1_of(matrix, 0).value + c.f1_of(matrix, 1).value) / 2
    )
    never_decided = c.precision_macro_of([[8, 2, 0], [3, 7, 0], [1, 1, 0]])
    assert never_decided == c.Undefined("class number 2: no row was decided positive")
    with pytest.raises(ValueError, match="square"):
        c.accuracy_of([[1, 2, 3]])


@pytest.mark.statistical
@pytest.mark.parametrize("n,prevalence", [(100, 0.3), (200, 0.1), (2000, 0.02)])
def test_interval_coverage(n: int, prevalence: float) -> None:
    """Linearised variance with Wilson's form. Measured: .92 to .98."""
    rng = np.random.default_rng(7)
    shares = np.array([0.7 * prevalence, 0.1 * (1 - prevalence), 0.3 * prevalence, 0.9 * (1 - prevalence)])
    samples = rng.multinomial(n, shares, size=1200).astype(float)
    for name in ("balanced_accuracy", "f1", "precision", "matthews_corrcoef"):
        measure, low = BINARY[name][0], -1.0 if name == "matthews_corrcoef" else 0.0
        truth, covered = measure(*shares).value, []
        for cells in samples:
            found = measure(*cells)
            if isinstance(found, c.Undefined):
                continue
            smallest = min(cells[0] + cells[2], cells[1] + cells[3])
            limits = intervals.score_interval(found.value, found.variance(cells), smallest, 0.95, lower=low)
            covered.append(limits.low <= truth <= limits.high)
        assert np.mean(covered) >= 0.915, (name, np.mean(covered))


@pytest.mark.statistical
def test_weighted_f1_coverage() -> None:
    """Weights that depend on the outcome (positives logged in full, the rest one in five)."""
    rng, covered = np.random.default_rng(8), []
    shares = np.array([0.1, 0.1, 0.05, 0.75])
    truth = c.f1(*shares).value
    chances = np.array([1, 0.2, 1, 0.2])
    for _ in range(1500):
        logged = rng.binomial(rng.multinomial(2000, shares), chances)
        found = c.f1(*(logged / chances))
        variance = found.variance(logged / chances**2)
        limits = intervals.score_interval(found.value, variance, logged[:3].sum(), 0.95)
        covered.append(limits.low <= truth <= limits.high)
    assert 0.935 <= np.mean(covered) <= 0.97
