"""When a split went wrong: brute force, coverage of the day's interval, and splits that change midway."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.split_changes import split_change, split_onset


def test_by_brute_force():
    """Every first day is tried with SciPy's multinomial."""
    generator = np.random.default_rng(3)
    counts = np.vstack(
        [generator.multinomial(200, [0.5, 0.3, 0.2], 6), generator.multinomial(200, [0.4, 0.4, 0.2], 8)]
    )
    shares = np.array([0.5, 0.3, 0.2])
    gains = []
    for at in range(len(counts)):
        total = counts[at:].sum(axis=0)
        law = [stats.multinomial(total.sum(), share).logpmf(total) for share in (total / total.sum(), shares)]
        gains.append(law[0] - law[1])
    found = split_onset(counts, shares)
    assert found.at == np.argmax(gains)
    assert found.statistic == pytest.approx(2 * max(gains))
    assert found.shares == pytest.approx(counts[found.at :].sum(axis=0) / counts[found.at :].sum())


def test_a_trouble_that_was_mended_has_an_end():
    counts = np.array([[500, 500]] * 5 + [[600, 400]] * 4 + [[500, 500]] * 5)
    found = split_onset(counts, [0.5, 0.5])
    assert (found.at, found.until) == (5, 9)
    assert found.low <= 5 <= found.high < 9


def test_from_the_first_day_on():
    found = split_onset([[600, 400]] * 10, [0.5, 0.5])
    assert (found.at, found.low, found.until) == (0, 0, None)


def test_a_planned_change_of_shares_is_no_onset():
    ramp = np.array([[0.9, 0.1]] * 5 + [[0.5, 0.5]] * 5)
    counts = 1000 * ramp
    counts[7:] += [-100, 100]
    assert split_onset(counts, ramp).at == 7
    # what the arms got is compared with what they should have got on these very days
    assert split_onset(counts, ramp).planned == pytest.approx([0.5, 0.5])
    assert split_onset(1000 * ramp, ramp).statistic == pytest.approx(0.0, abs=1e-6)


def test_an_arm_that_gets_nothing_is_found():
    found = split_onset([[50, 50]] * 4 + [[100, 0]] * 4, [0.5, 0.5])
    assert found.at == 4
    assert found.shares.tolist() == [1.0, 0.0]


def test_a_day_with_units_is_needed():
    with pytest.raises(ValueError, match="s"):
        split_onset([[0, 0]], [0.5, 0.5])


@pytest.mark.statistical
@pytest.mark.parametrize("size,daily", [(0.04, 500), (0.08, 200), (0.02, 4000)])
def test_the_interval_of_the_day_holds_it(size, daily):
    generator, held, gaps = np.random.default_rng(11), [], []
    for _ in range(400):
        units = generator.poisson(daily, 21)
        first = generator.binomial(units, np.where(np.arange(21) < 5, 0.5, 0.5 + size))
        found = split_onset(np.column_stack([first, units - first]), [0.5, 0.5])
        held.append(found.low <= 5 <= found.high)
        gaps.append(abs(found.at - 5))
    assert np.mean(held) >= 0.93
    assert np.median(gaps) <= 1


def test_one_split_all_the_time_has_no_change():
    found = split_change([[500, 500]] * 10)
    assert found is not None
    assert found.p_value > 0.9


@given(st.integers(0, 6), st.integers(0, 6))
def test_days_without_units_do_not_count(before, between):
    counts = [[0, 0]] * before + [[90, 10]] * 4 + [[0, 0]] * between + [[50, 50]] * 4
    found = split_change(counts, draws=99)
    assert found is not None
    assert found.at == before + 4 + between
    assert found.p_value == 0.01


@pytest.mark.parametrize("counts", [[[5, 5]], [[0, 0], [5, 5]], [[5, 0], [5, 0]], np.zeros((3, 2))])
def test_nothing_to_compare(counts):
    assert split_change(counts) is None


@pytest.mark.statistical
def test_size_of_the_test_for_a_change():
    generator = np.random.default_rng(2)
    p = []
    for _ in range(600):
        first = generator.binomial(300, 0.3, 14)
        found = split_change(np.column_stack([first, 300 - first]), draws=199)
        assert found is not None
        p.append(found.p_value)
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.07
    assert np.mean(np.array(p) <= 0.01) <= 0.02
