from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.stats.windows_before import judge, moving, share_variance


def test_moving_sums_are_those_of_a_loop():
    days = np.random.default_rng(1).normal(size=(40, 3))
    found = moving(days, 4, before=10)
    for place, end in enumerate([*range(9, 37), 40]):
        start = end - 4
        assert np.allclose(found.after[place], days[start:end].sum(axis=0))
        assert np.allclose(found.before[place], days[max(start - 10, 0) : start].sum(axis=0))
    assert found.days_before[0] == 5
    assert found.separate == (len(found.after) - 1 + 3) / 4


@pytest.mark.statistical
@pytest.mark.parametrize("window", [1, 5])
def test_size_where_days_are_alike(window):
    random = np.random.default_rng(window)
    days = random.normal(size=(110, 2000))
    found = moving(days, window)
    differences = found.after / window - found.before / found.days_before[:, None]
    judged = judge(differences, found.separate)
    for level in (0.05, 0.01):
        share = (judged.p_value < level).mean()
        assert share < level * 1.5 + 0.003, share
    assert (judged.p_value < 0.05).mean() > 0.02


def test_a_jump_is_found_and_its_interval_holds_it():
    random = np.random.default_rng(3)
    days = random.normal(size=(100, 200))
    days[-5:] += 5.0
    found = moving(days, 5)
    judged = judge(found.after / 5 - found.before / found.days_before[:, None], found.separate)
    assert (judged.p_value < 1e-4).mean() > 0.95
    low, high = judged.interval()
    assert ((low <= 5.0) & (high >= 5.0)).mean() > 0.9


def test_without_history_nothing_is_known():
    found = moving(np.ones((3, 2)), 3)
    judged = judge(found.after - found.before, found.separate)
    assert (judged.p_value == 1).all()


def test_share_variance_is_that_of_two_samples_and_never_0():
    found = share_variance(np.array([300.0]), np.array([1000.0]), np.array([100.0]))
    p = 300.5 / 1001
    assert found[0] == pytest.approx(p * (1 - p) * (1 / 1000 + 1 / 100))
    assert share_variance(np.array([0.0]), np.array([1000.0]), np.array([100.0]))[0] > 0
    assert np.isinf(share_variance(np.array([0.0]), np.array([0.0]), np.array([100.0]))[0])


def test_heavy_tails_lower_the_degrees_of_freedom():
    days = np.zeros((120, 1))
    days[::17] = 1.0
    found = moving(days, 1)
    judged = judge(found.after - found.before / found.days_before[:, None], found.separate)
    assert judged.df[0] < 10
    assert judged.p_value[0] == pytest.approx(float(2 * stats.t.sf(abs(judged.z[0]), judged.df[0])))
