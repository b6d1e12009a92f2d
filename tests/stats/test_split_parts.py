"""Parts of the chi-squared statistic: they sum to it, agree with SciPy, and name the segment that carries it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.split_parts import split_parts


@given(
    st.lists(
        st.tuples(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 9999)), min_size=1, max_size=8
    ),
    st.tuples(st.floats(0.1, 1), st.floats(0.1, 1), st.floats(0.1, 1)),
)
def test_parts_sum_to_the_statistic_of_the_whole(counts, shares):
    total = np.sum(counts, axis=0)
    if total.sum() == 0:
        return
    found = split_parts(counts, shares)
    reference = stats.chisquare(total, np.array(shares) / sum(shares) * total.sum())
    assert found.statistic == pytest.approx(reference.statistic, abs=1e-6)
    assert found.contributions.sum() == pytest.approx(reference.statistic, abs=1e-6)
    assert found.p_value == pytest.approx(reference.pvalue, abs=1e-9)


def test_own_tests_and_the_rest_are_scipys():
    counts = np.array([[500, 520], [300, 180], [410, 400]])
    found = split_parts(counts, [0.5, 0.5])
    for i, own in enumerate(counts):
        assert found.own_p_values[i] == pytest.approx(stats.chisquare(own).pvalue)
        rest = np.delete(counts, i, axis=0).sum(axis=0)
        assert found.p_values_without[i] == pytest.approx(stats.chisquare(rest).pvalue)
    assert np.argmax(found.contributions) == 1
    assert found.p_values_without[1] > 0.05 > found.p_value


def test_segments_that_deviate_in_opposite_directions_cancel_and_are_seen_by_themselves():
    found = split_parts([[600, 400], [400, 600]], [0.5, 0.5])
    assert found.statistic == 0
    assert (found.own_p_values < 1e-9).all()


def test_shares_may_differ_by_segment():
    found = split_parts([[900, 100], [500, 500]], [[0.9, 0.1], [0.5, 0.5]])
    assert found.statistic == 0
    assert found.own_p_values.tolist() == [1.0, 1.0]


def test_small_segments_are_not_tested_but_count():
    found = split_parts([[500, 400], [4, 0]], [0.5, 0.5])
    assert np.isnan(found.own_p_values).tolist() == [False, True]
    assert found.contributions[1] > 0


@pytest.mark.parametrize(
    "counts,shares", [([1, 2], [1, 1]), ([[1, 2]], [1, 1, 1]), ([[-1, 2]], [1, 1]), ([[1, 2]], [1, 0])]
)
def test_nonsense_is_refused(counts, shares):
    with pytest.raises(ValueError, match="s"):
        split_parts(counts, shares)
