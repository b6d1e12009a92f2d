"""Power of two arms: statsmodels, R and published tables, inverses of each other, and the real tests in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import normal_power_het
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    proportions_ztest,
    samplesize_proportions_2indep_onetail,
)

from analytics.stats import power

SHARES = st.floats(0.01, 0.99)
RATIOS = st.floats(0.1, 10)
ALPHAS = st.floats(0.001, 0.2)
POWERS = st.floats(0.5, 0.99)


def test_the_examples_of_r():
    # the help page of power.prop.test: power 0.740, n = 76.7, p2 = 0.8026, and 74 are needed for .9 against 1
    assert float(power.proportion_power(0.50, 0.25, 50, 50)) == pytest.approx(0.740, abs=5e-4)
    assert float(power.proportion_sample_size(0.50, 0.25, power=0.90)) == pytest.approx(76.7, abs=0.05)
    assert float(power.proportion_detectable(0.50, 50, 50, power=0.90)) + 0.5 == pytest.approx(
        0.8026, abs=5e-5
    )
    assert np.isnan(power.proportion_detectable(0.90, 30, 30))
    assert np.ceil(power.proportion_sample_size(0.90, 0.10)) == 74


def test_ten_percent_to_eleven_is_the_textbook_number():
    assert np.ceil(power.proportion_sample_size(0.10, 0.01)) == 14751
    # two means half a standard deviation apart: 2 (1.959964 + 0.841621)^2 / .25
    assert float(power.mean_sample_size(1.0, 0.5)) == pytest.approx(62.79, abs=0.005)


@pytest.mark.parametrize("alternative", ["larger", "smaller", "two-sided"])
@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
def test_proportions_agree_with_statsmodels(alternative, ratio):
    size = -0.04 if alternative == "smaller" else 0.04
    one_sided = alternative != "two-sided"
    expected = power_proportions_2indep(
        size, 0.2, 900, ratio=ratio, alternative=alternative, return_results=False
    )
    found = power.proportion_power(0.2, size, 900, 900 * ratio, one_sided=one_sided)
    # the wrong tail, which statsmodels counts and we do not, is far away at this power
    assert float(found) == pytest.approx(float(expected), rel=1e-12 if one_sided else 2e-3)
    units = samplesize_proportions_2indep_onetail(size, 0.2, 0.9, ratio=ratio, alternative=alternative)
    found = power.proportion_sample_size(0.2, size, ratio=ratio, power=0.9, one_sided=one_sided)
    assert float(found) == pytest.approx(float(units), rel=1e-12)


def test_the_wrong_tail_is_all_that_statsmodels_adds():
    right = float(power.proportion_power(0.2, 0.001, 100, 100))
    both = float(power_proportions_2indep(0.001, 0.2, 100, return_results=False))
    pooled, own = np.sqrt(2 * 0.2005 * 0.7995), np.sqrt(0.201 * 0.799 + 0.2 * 0.8)
    wrong = stats.norm.cdf((-stats.norm.isf(0.025) * pooled - 0.001 * 10) / own)
    assert both == pytest.approx(right + wrong, rel=1e-12)
    assert wrong > 0.02


def test_means_agree_with_statsmodels():
    deviation = 3.1 * np.sqrt(1 + 1 / 2.5)
    expected = normal_power_het(0.4, 400, 0.01, std_null=deviation, alternative="larger")
    found = power.mean_power(3.1, -0.4, 400, 1000, alpha=0.01, one_sided=True)
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


@given(SHARES, SHARES, RATIOS, ALPHAS, POWERS, st.booleans())
def test_units_and_power_of_shares_are_inverse(baseline, share, ratio, alpha, wanted, one_sided):
    assume(abs(share - baseline) > 1e-3)
    difference = share - baseline
    n = float(
        power.proportion_sample_size(
            baseline, difference, ratio=ratio, alpha=alpha, power=wanted, one_sided=one_sided
        )
    )
    reached = power.proportion_power(baseline, difference, n, n * ratio, alpha=alpha, one_sided=one_sided)
    assert float(reached) == pytest.approx(wanted, abs=1e-9)


@given(SHARES, st.integers(2, 10**7), RATIOS, ALPHAS, POWERS, st.booleans(), st.booleans())
def test_detectable_share_is_shown_with_the_power_and_nothing_smaller_is(
    baseline, n, ratio, alpha, wanted, one_sided, fall
):
    test = {"alpha": alpha, "one_sided": one_sided}
    sizes = (n, n * ratio)
    found = float(power.proportion_detectable(baseline, *sizes, power=wanted, fall=fall, **test))
    room = -baseline if fall else 1 - baseline
    if np.isnan(found):
        reached = power.proportion_power(baseline, np.linspace(0, room, 333), *sizes, **test)
        assert reached.max() < wanted
        return
    assert found * room > 0
    assert abs(found) <= abs(room) * (1 + 1e-12)
    assert float(power.proportion_power(baseline, found, *sizes, **test)) >= wanted - 1e-6
    smaller = power.proportion_power(baseline, found * np.linspace(0, 0.999, 100), *sizes, **test)
    assert smaller.max() < wanted


@given(st.floats(1e-3, 1e6), st.integers(2, 10**7), RATIOS, ALPHAS, POWERS, st.booleans())
def test_detectable_mean_and_units_are_inverse(deviation, n, ratio, alpha, wanted, fall):
    effect = power.mean_detectable(deviation, n, n * ratio, alpha=alpha, power=wanted, fall=fall)
    assert (float(effect) < 0) == fall
    units = power.mean_sample_size(deviation, effect, ratio=ratio, alpha=alpha, power=wanted)
    assert float(units) == pytest.approx(n, rel=1e-9)
    assert float(power.mean_power(deviation, effect, n, n * ratio, alpha=alpha)) == pytest.approx(wanted)


@given(st.floats(0.01, 100), st.integers(2, 10**7), RATIOS, POWERS, st.booleans())
def test_detectable_count_and_units_are_inverse(baseline, n, ratio, wanted, fall):
    effect = float(power.count_detectable(baseline, n, n * ratio, power=wanted, fall=fall))
    if np.isnan(effect):
        assert fall
        assert float(power.count_power(baseline, -baseline, n, n * ratio)) < wanted
        return
    assert (effect < 0) == fall
    assert baseline + effect >= 0
    units = power.count_sample_size(baseline, effect, ratio=ratio, power=wanted)
    assert float(units) == pytest.approx(n, rel=1e-6)


@given(SHARES, SHARES, st.integers(2, 10**6), st.integers(2, 10**6))
def test_arms_may_be_swapped_and_successes_be_called_failures(first, second, n, n_control):
    found = float(power.proportion_power(first, second - first, n, n_control))
    assert float(power.proportion_power(second, first - second, n_control, n)) == pytest.approx(
        found, abs=1e-9
    )
    assert float(power.proportion_power(1 - first, first - second, n, n_control)) == pytest.approx(
        found, abs=1e-9
    )


def test_no_effect_takes_endless_units_and_extremes_stay_numbers():
    with np.errstate(all="raise"):
        assert power.proportion_sample_size(0.2, 0.0) == np.inf
        assert power.mean_sample_size(1.0, 0.0) == np.inf
        assert power.mean_sample_size(1e300, 1e-300) == np.inf
        assert float(power.mean_sample_size(1e300, 1e300)) == pytest.approx(15.698, abs=0.001)
        # nobody against everybody: the estimate does not vary, so the test rejects or it does not
        assert power.proportion_power(0.0, 1.0, [1, 2, 50], [1, 2, 50]).tolist() == [0.0, 1.0, 1.0]
        assert power.proportion_power(0.2, 0.0, 100, 100) == pytest.approx(0.025)
        assert np.isnan(power.proportion_detectable(1.0, 1000, 1000))
        assert np.isnan(power.proportion_detectable(0.0, 1000, 1000, fall=True))
        assert np.isnan(power.proportion_detectable(0.999, 50, 50))


def test_arrays_give_what_their_elements_give():
    baselines, n = np.array([[0.1], [0.9], [0.999]]), np.array([60, 500, 10**6])
    together = power.proportion_detectable(baselines, n, 2 * n)
    for i, baseline in enumerate(baselines[:, 0]):
        for j, size in enumerate(n):
            alone = power.proportion_detectable(baseline, size, 2 * size)
            assert together[i, j] == pytest.approx(float(alone), nan_ok=True, rel=1e-12)
    assert np.isnan(together).any()
    assert not np.isnan(together).all()
    effects = np.linspace(-0.1, 0.1, 21)
    each = [float(power.proportion_power(0.3, effect, 400, 300)) for effect in effects]
    assert power.proportion_power(0.3, effects, 400, 300).tolist() == pytest.approx(each)


@pytest.mark.statistical
@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_the_score_test_reaches_the_power_that_was_planned(ratio):
    baseline, difference, wanted, draws = 0.1, 0.03, 0.8, 20_000
    n = int(np.ceil(power.proportion_sample_size(baseline, difference, ratio=ratio, power=wanted)))
    n_control = int(np.ceil(n * ratio))
    rng = np.random.default_rng(3)
    x, y = rng.binomial(n, baseline + difference, draws), rng.binomial(n_control, baseline, draws)
    pooled = (x + y) / (n + n_control)
    z = (x / n - y / n_control) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_control))
    # the test itself, not a formula of ours
    assert z[0] == pytest.approx(proportions_ztest([x[0], y[0]], [n, n_control])[0])
    rejected = float(np.mean(2 * stats.norm.sf(np.abs(z)) < 0.05))
    assert rejected == pytest.approx(wanted, abs=0.015)


@pytest.mark.statistical
def test_welch_reaches_the_power_that_was_planned():
    wanted, draws = 0.9, 5000
    n = int(np.ceil(power.mean_sample_size(3.0, 0.6, ratio=0.5, alpha=0.01, power=wanted)))
    rng = np.random.default_rng(4)
    arm, control = rng.normal(11.8, 3.0, (draws, n)), rng.normal(11.2, 3.0, (draws, -(-n // 2)))
    p = stats.ttest_ind(arm, control, axis=1, equal_var=False).pvalue
    assert float(np.mean(p < 0.01)) == pytest.approx(wanted, abs=0.015)


@pytest.mark.statistical
def test_welch_on_poisson_counts_reaches_the_power_that_was_planned():
    n = int(np.ceil(power.count_sample_size(1.0, 0.2)))
    rng = np.random.default_rng(5)
    arm, control = rng.poisson(1.2, (10_000, n)), rng.poisson(1.0, (10_000, n))
    p = stats.ttest_ind(arm, control, axis=1, equal_var=False).pvalue
    assert float(np.mean(p < 0.05)) == pytest.approx(0.8, abs=0.015)
