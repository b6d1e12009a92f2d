from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mutual_info_score

from analytics.stats.information_gain import information_gain


def counts_of(selected, bins, blocks, size):
    found = np.zeros((blocks.max() + 1, 2, size))
    np.add.at(found, (blocks, 1 - selected, bins), 1.0)
    return found


def test_value_and_what_chance_gives_add_up_to_the_plug_in():
    random = np.random.default_rng(0)
    bins = random.integers(0, 4, 3000)
    selected = (random.random(3000) < 0.2 + 0.1 * bins).astype(int)
    found = information_gain(counts_of(selected, bins, random.integers(0, 30, 3000), 4))
    assert found is not None
    assert found.value + found.by_chance == pytest.approx(mutual_info_score(selected, bins) / np.log(2))


def test_with_few_blocks_the_test_is_pearsons():
    random = np.random.default_rng(1)
    bins, selected = random.integers(0, 3, 500), random.integers(0, 2, 500)
    counts = counts_of(selected, bins, np.zeros(500, dtype=int), 3)
    found = information_gain(counts)
    assert found is not None
    assert found.independence == "rows"
    expected = stats.chi2_contingency(counts[0], correction=False).pvalue
    assert found.p_value == pytest.approx(expected)


def test_nothing_to_compare():
    assert information_gain(np.zeros((12, 2, 3))) is None
    assert information_gain(np.ones((12, 2, 1))) is None
    assert information_gain(np.array([[[1.0, 2.0], [0.0, 0.0]]] * 12)) is None


@given(st.lists(st.integers(0, 40), min_size=72, max_size=72))
@settings(max_examples=60, deadline=None)
def test_properties(values):
    counts = np.array(values, dtype=np.float64).reshape(12, 2, 3)
    found = information_gain(counts)
    if found is None:
        return
    assert 0 <= found.ci_low <= found.value <= found.ci_high
    assert 0 <= found.p_value <= 1
    assert found.design_effect >= 1
    swapped = information_gain(counts[:, ::-1])
    assert swapped is not None
    assert swapped.value == pytest.approx(found.value)
    mixed = information_gain(counts[::-1, :, ::-1])
    assert mixed is not None
    assert mixed.p_value == pytest.approx(found.p_value)


@pytest.mark.statistical
def test_size_and_coverage_where_days_differ():
    random = np.random.default_rng(7)
    small, holds = [], []
    for _ in range(150):
        # bins of a day go together, and so does being selected: no link between the two
        shares = random.dirichlet([4, 4, 4], 40)
        rate = random.beta(8, 8, 40)
        counts = np.zeros((40, 2, 3))
        for day in range(40):
            counts[day, 0] = random.multinomial(int(60 * rate[day]), shares[day])
            counts[day, 1] = random.multinomial(60 - int(60 * rate[day]), shares[day])
        found = information_gain(counts)
        assert found is not None
        small.append(found.p_value < 0.05)
        holds.append(found.ci_low == 0.0)
    assert np.mean(small) < 0.09
    assert np.mean(holds) > 0.9
