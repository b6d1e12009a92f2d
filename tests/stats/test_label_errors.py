from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.label_errors import combined, label_errors


def test_the_geometric_mean_is_the_mean_of_log_odds():
    first, second = 0.9, 0.3
    found = combined(*(np.array([[1 - p, p]]) for p in (first, second)))[0, 1]
    odds = (np.log(first / (1 - first)) + np.log(second / (1 - second))) / 2
    assert found == pytest.approx(1 / (1 + np.exp(-odds)))


def test_thresholds_are_the_mean_probability_among_rows_that_carry_the_class():
    # rows labelled 1 have .6 on average: .55 for class 1 is not enough to doubt a 0, .65 is
    p = np.array([0.5, 0.7, 0.55, 0.65, 0.1])
    found = label_errors(np.column_stack([1 - p, p]), np.array([1, 1, 0, 0, 0]))
    assert found.suspected.tolist() == [False, False, False, True, False]
    assert found.other[3] == 1
    assert found.given[3] == pytest.approx(0.35)


def test_ranked_by_the_probability_of_the_given_label():
    p = np.array([0.9, 0.9, 0.1, 0.1, 0.02, 0.97])
    labels = np.array([1, 1, 0, 0, 1, 0])
    assert label_errors(np.column_stack([1 - p, p]), labels).ranked().tolist() == [4, 5]


@given(st.integers(0, 60), st.integers(2, 4), st.integers(0, 10_000))
def test_a_suspected_label_is_another_class_and_ranks_rise(n, k, seed):
    draw = np.random.default_rng(seed)
    p = draw.dirichlet(np.ones(k), n).reshape(n, k)
    labels = draw.integers(0, k, n)
    found = label_errors(p, labels)
    assert (found.other[found.suspected] != labels[found.suspected]).all()
    assert (np.diff(found.given[found.ranked()]) >= 0).all()
    assert ((found.given >= 0) & (found.given <= 1)).all()


def test_a_class_that_nobody_carries_is_plausible_for_nobody():
    p = np.full((4, 3), 1 / 3)
    assert (
        not label_errors(p, np.array([0, 0, 1, 1]))
        .suspected[label_errors(p, np.array([0, 0, 1, 1])).other == 2]
        .any()
    )
