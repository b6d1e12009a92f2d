"""Sequential test of the split: closed form, phases, order, and how often sound splits raise an alarm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.sequential_srm import KAPPAS, sequential_split


def test_is_the_dirichlet_multinomial_of_scipy():
    """The factor is a ratio of two probability masses: the multinomial coefficient cancels."""
    counts, shares, kappa = np.array([[40.0, 35, 25], [80, 60, 20]]), np.array([0.5, 0.3, 0.2]), 1000.0
    found = sequential_split(counts, shares, (kappa,))
    for day, total in enumerate(np.cumsum(counts, axis=0).astype(int)):
        against = stats.dirichlet_multinomial(kappa * shares, total.sum()).logpmf(total)
        plan = stats.multinomial(total.sum(), shares).logpmf(total)
        assert found.log_factors[day] == pytest.approx(against - plan)


def test_two_arms_by_the_beta_binomial():
    found = sequential_split([[600, 500]], [0.5, 0.5], (10_000.0,))
    factor = stats.betabinom(1100, 5000, 5000).pmf(600) / stats.binom(1100, 0.5).pmf(600)
    assert found.log_factors[0] == pytest.approx(np.log(factor))
    assert found.p_values[0] == pytest.approx(min(1.0, 1 / factor))


def test_concentrations_are_averaged():
    counts = [[60, 40], [70, 30]]
    each = [np.exp(sequential_split(counts, [1, 1], (kappa,)).log_factors) for kappa in KAPPAS]
    assert np.exp(sequential_split(counts, [1, 1]).log_factors) == pytest.approx(np.mean(each, axis=0))


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=12))
def test_p_only_falls_and_days_without_units_change_nothing(days):
    found = sequential_split(days, [0.5, 0.5]).p_values
    assert (np.diff(found) <= 0).all()
    assert (found <= 1).all()
    assert (found >= 0).all()
    quiet = [row for day in days for row in (day, (0, 0))]
    assert sequential_split(quiet, [0.5, 0.5]).p_values[1::2] == pytest.approx(found)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=8), st.randoms())
def test_what_is_known_at_the_end_does_not_depend_on_the_order_of_days(days, random):
    shuffled = random.sample(days, len(days))
    found, other = (sequential_split(order, [0.3, 0.7]).log_factors[-1] for order in (days, shuffled))
    assert found == pytest.approx(other, abs=1e-6)


def test_phases_multiply():
    first, second = [[90, 10], [95, 5]], [[50, 50], [40, 60]]
    shares = [[0.9, 0.1]] * 2 + [[0.5, 0.5]] * 2
    apart = (
        sequential_split(first, [0.9, 0.1]).log_factors[-1] + sequential_split(second, [1, 1]).log_factors[-1]
    )
    assert sequential_split([*first, *second], shares).log_factors[-1] == pytest.approx(apart)


def test_an_arm_planned_to_get_nothing_is_left_out():
    found = sequential_split([[60, 40, 3]], [0.5, 0.5, 0.0])
    assert found.log_factors == pytest.approx(sequential_split([[60, 40]], [0.5, 0.5]).log_factors)


def test_huge_counts_stay_finite():
    found = sequential_split([[10**9, 10**9 + 2 * 10**6]], [0.5, 0.5])
    assert np.isfinite(found.log_factors).all()
    assert found.p_values[-1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("counts,shares", [([[1, 2]], [1, 1, 1]), ([[-1, 2]], [1, 1]), ([[1, 2]], [0, 0])])
def test_nonsense_is_refused(counts, shares):
    with pytest.raises(ValueError, match="s"):
        sequential_split(counts, shares)


def test_no_days_is_no_answer():
    assert len(sequential_split(np.zeros((0, 2)), [1, 1]).p_values) == 0


@pytest.mark.statistical
@pytest.mark.parametrize("daily,share", [(20, 0.5), (500, 0.5), (5000, 0.9)])
def test_sound_splits_looked_at_daily_alarm_at_most_at_the_level(daily, share):
    """60 days; the plain test at .05, looked at as often, alarms in 30 % and more."""
    generator, runs = np.random.default_rng(5), 1500
    counts = generator.binomial(daily, share, (runs, 60))
    ever = np.array(
        [sequential_split(np.column_stack([x, daily - x]), [share, 1 - share]).p_values[-1] for x in counts]
    )
    assert (ever < 0.05).mean() <= 0.05
    assert (ever < 0.001).sum() <= stats.binom.ppf(0.999, runs, 0.001)
    total = np.cumsum(counts, axis=1)
    z = (total - daily * share * np.arange(1, 61)) / np.sqrt(daily * share * (1 - share) * np.arange(1, 61))
    assert (np.abs(z) > 1.96).any(axis=1).mean() > 0.25


@pytest.mark.statistical
@pytest.mark.parametrize("n,share,least", [(2000, 0.55, 0.4), (20_000, 0.52, 0.8), (200_000, 0.51, 0.99)])
def test_power(n, share, least):
    generator = np.random.default_rng(6)
    counts = generator.binomial(n // 20, share, (200, 20))
    found = [sequential_split(np.column_stack([x, n // 20 - x]), [1, 1]).p_values[-1] < 0.001 for x in counts]
    assert np.mean(found) >= least
