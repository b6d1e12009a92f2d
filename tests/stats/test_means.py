"""Welch's t and Fieller's lift: known answers, what cannot be computed, and never a contradiction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from analytics.stats import means
from analytics.stats.intervals import normal_quantile
from analytics.stats.moments import Moments

SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)

MEAN = st.floats(-1e4, 1e4).map(lambda x: round(x, 6))
VARIANCE = st.floats(1e-6, 1e6)
UNITS = st.integers(2, 10**9).map(float)
# a busy machine must not fail a property
unhurried = settings(deadline=None)
CONFIDENCE = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.9999])


def test_sleep_data_as_r_prints_them():
    """R, `t.test(extra ~ group, data = sleep)`: t = -1.8608, df = 17.776, p-value = 0.07939, -3.3654832 0.2054832."""
    arm, control = (Moments.from_values(values) for values in SLEEP)
    test = means.welch(*(float(x) for m in (arm, control) for x in (m.mean, m.variance, m.n)))
    assert test.statistic == pytest.approx(-1.8608, abs=5e-5)
    assert test.df == pytest.approx(17.776, abs=5e-4)
    assert test.p_value == pytest.approx(0.07939, abs=5e-6)
    interval = means.t_interval(test.difference, test.standard_error, test.df, 0.95)
    assert interval == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)


@pytest.mark.parametrize(
    "arm,control",
    [
        ((12.0, 2.0, 10), (10.0, 3.0, 20)),
        ((0.02, 1e-5, 2), (0.01, 40.0, 100_000)),
        ((-5.0, 0.0, 30), (-6.0, 1.5, 3)),
        ((1e9, 1.0, 50), (1e9 + 1, 2.0, 60)),
        ((1.0, 1.0, 2158), (1.1, 3.0, 10)),
        ((9.0, 1.0, 10**9), (3.0, 1.0, 10**9)),
    ],
)
def test_welch_matches_scipy(arm, control):
    expected = stats.ttest_ind_from_stats(*arm, *control, equal_var=False)
    test = means.welch(arm[0], arm[1] ** 2, arm[2], control[0], control[1] ** 2, control[2])
    assert (test.statistic, test.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_interval_and_df_match_scipy(confidence):
    rng = np.random.default_rng(1)
    arm, control = rng.normal(3, 2, 14), rng.normal(2, 5, 90)
    expected = stats.ttest_ind(arm, control, equal_var=False)
    test = means.welch(
        arm.mean(), arm.var(ddof=1), arm.size, control.mean(), control.var(ddof=1), control.size
    )
    assert test.df == pytest.approx(expected.df)
    found = means.t_interval(test.difference, test.standard_error, test.df, confidence)
    assert found == pytest.approx(tuple(expected.confidence_interval(confidence)))


@pytest.mark.parametrize("df,t", [(1, 3.0), (2.5, 40.0), (30, 0.0), (1e9, 8.0), (np.inf, 8.0), (7, -2.0)])
def test_p_value_is_that_of_student(df, t):
    found = means.t_test(t * 3.0, 3.0, df).p_value
    assert found == pytest.approx(2 * (stats.norm if df == np.inf else stats.t(df)).sf(abs(t)), rel=1e-8)


def test_arrays_agree_with_single_numbers():
    columns = [np.array(c) for c in ([1.0, 5.0, -3.0], [2.0, 0.0, 1.0], [5.0, 9.0, 2.0])]
    control = [np.array(c) for c in ([2.0, 5.0, -4.0], [3.0, 0.0, 9.0], [7.0, 8.0, 1.0])]
    together = means.welch(*columns, *control)
    intervals = means.t_interval(together.difference, together.standard_error, together.df, 0.9)
    lifts = means.fieller(
        columns[0], control[0], columns[1] / 50, control[1] / 50, np.full(3, 0.01), np.full(3, 2.0)
    )
    for i in range(3):
        arm, other = ([float(c[i]) for c in side] for side in (columns, control))
        single = means.welch(*arm, *other)
        assert isinstance(single.p_value, float)
        assert [column[i] for column in together] == pytest.approx(list(single), nan_ok=True)
        interval = means.t_interval(single.difference, single.standard_error, single.df, 0.9)
        assert (intervals.low[i], intervals.high[i]) == pytest.approx(interval, nan_ok=True)
        lift = means.fieller(arm[0], other[0], arm[1] / 50, other[1] / 50, 0.01, 2.0)
        assert [column[i] for column in lifts] == pytest.approx(list(lift), nan_ok=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "arm,control",
    [
        ((1.0, np.nan, 1.0), (2.0, 3.0, 4.0)),
        ((1.0, 2.0, 5.0), (2.0, np.nan, 0.0)),
        ((1.0, 0.0, 5.0), (2.0, 0.0, 4.0)),
        ((1.0, 0.0, 1.0), (2.0, 3.0, 4.0)),
        ((np.nan, np.nan, 0.0), (2.0, 3.0, 4.0)),
    ],
)
def test_nothing_to_compute_is_nan(arm, control):
    test = means.welch(*arm, *control)
    assert np.isnan([test.standard_error, test.statistic, test.df, test.p_value]).all()
    assert test.difference == pytest.approx(arm[0] - control[0], nan_ok=True)
    assert np.isnan(means.t_interval(*test[:2], test.df, 0.95)).all()


@pytest.mark.filterwarnings("error")
def test_a_standard_error_of_nothing_has_no_interval():
    assert np.isnan(means.t_interval(1.0, 0.0, 9.0, 0.95)).all()
    assert np.isnan(means.t_test(0.0, 0.0, 9.0).p_value)
    assert np.isnan(means.fieller(3.0, 2.0, 0.0, 0.0, 0.0, 2.0)[1:]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("control,variance", [(0.0, 1.0), (0.0, 0.0), (2.0, 1.0), (-2.0, 4.0), (np.nan, 1.0)])
def test_a_control_that_may_be_0_gives_no_lift(control, variance):
    assert np.isnan(means.fieller(3.0, control, 1.0, variance, 0.0, 2.0)).all()


def test_fieller_in_its_textbook_form():
    m, m_control, v, v_control, z = 4.2, 3.1, 0.05, 0.08, 2.1
    g = z**2 * v_control / m_control**2
    r = m / m_control
    half = z / m_control * np.sqrt((1 - g) * v + r**2 * v_control)
    expected = [r - 1, (r - half) / (1 - g) - 1, (r + half) / (1 - g) - 1]
    assert list(means.fieller(m, m_control, v, v_control, 0.0, z)) == pytest.approx(expected)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("covariance", [0.0, 0.03, -0.05])
def test_fieller_limits_are_where_the_test_just_gives_way(sign, covariance):
    m, m_control, v, v_control, z = 4.2, 3.1 * sign, 0.05, 0.08, 2.1
    lift = means.fieller(m, m_control, v, v_control, covariance, z)

    def statistic(value):
        # H0: mean = (1 + lift) control mean, or (1 - lift) where that is negative
        ratio = 1 + value * sign
        return (m - ratio * m_control) ** 2 / (v + ratio**2 * v_control - 2 * ratio * covariance) - z**2

    assert lift.low == pytest.approx(optimize.brentq(statistic, lift.value - 2, lift.value), rel=1e-9)
    assert lift.high == pytest.approx(optimize.brentq(statistic, lift.value, lift.value + 2), rel=1e-9)


def test_lift_of_a_negative_mean_goes_the_way_of_the_difference():
    lift = means.fieller(-5.0, -10.0, 0.1, 0.1, 0.0, 2.0)
    assert lift.value == pytest.approx(0.5)
    assert 0 < lift.low < 0.5 < lift.high


@unhurried
@given(MEAN, VARIANCE, UNITS, MEAN, VARIANCE, UNITS, CONFIDENCE, st.floats(-0.9, 0.9))
def test_p_value_interval_and_lift_never_contradict(
    m, v, n, m_control, v_control, n_control, confidence, rho
):
    test = means.welch(m, v, n, m_control, v_control, n_control)
    alpha = 1 - confidence
    assume(abs(test.p_value - alpha) > 1e-9)
    quantile = normal_quantile(confidence, test.df)
    low, high = means.t_interval(test.difference, test.standard_error, test.df, confidence)
    assert (test.p_value < alpha) == (low > 0 or high < 0)
    lift = means.fieller(m, m_control, v / n, v_control / n_control, 0.0, quantile)
    if not np.isnan(lift.value):
        assert (lift.low > 0, lift.high < 0) == (low > 0, high < 0)
        assert lift.low <= lift.value <= lift.high
    # the same with dependent means, as clusters give them
    shared = rho * np.sqrt(v / n * v_control / n_control)
    error = np.sqrt(v / n + v_control / n_control - 2 * shared)
    low, high = means.t_interval(m - m_control, error, test.df, confidence)
    lift = means.fieller(m, m_control, v / n, v_control / n_control, shared, quantile)
    if not np.isnan(lift.value) and min(abs(low), abs(high)) > 1e-9 * error:
        assert (lift.low > 0, lift.high < 0) == (low > 0, high < 0)


@unhurried
@given(st.floats(1, 1e4), VARIANCE, UNITS, st.floats(1, 1e4), VARIANCE, UNITS)
def test_swapping_the_arms_negates_and_inverts(m, v, n, m_control, v_control, n_control):
    one = means.welch(m, v, n, m_control, v_control, n_control)
    other = means.welch(m_control, v_control, n_control, m, v, n)
    assert (one.difference, one.statistic) == (-other.difference, -other.statistic)
    assert (one.df, one.p_value) == pytest.approx((other.df, other.p_value))
    quantile = normal_quantile(0.95, one.df)
    lift = means.fieller(m, m_control, v / n, v_control / n_control, 0.0, quantile)
    back = means.fieller(m_control, m, v_control / n_control, v / n, 0.0, quantile)
    if not np.isnan([lift.value, back.value]).any():
        ends = 1 / (1 + back.high), 1 / (1 + back.value), 1 / (1 + back.low)
        assert (1 + lift.low, 1 + lift.value, 1 + lift.high) == pytest.approx(ends, rel=1e-6)


@unhurried
@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=40), st.integers(1, 20))
def test_a_billion_added_leaves_the_standard_error(values, at):
    at = min(at, len(values) - 2)
    arms = [np.array(part) / 8 for part in (values[: at + 1], values[at - 1 :])]
    found = []
    for shift in (0.0, 1e9):
        arm, control = (Moments.from_values(part + shift) for part in arms)
        found.append(means.welch(*(float(x) for m in (arm, control) for x in (m.mean, m.variance, m.n))))
    plain, shifted = found
    assert shifted.standard_error == pytest.approx(plain.standard_error, rel=1e-6, nan_ok=True)
    assert shifted.df == pytest.approx(plain.df, rel=1e-6, nan_ok=True)
    assert shifted.difference == pytest.approx(plain.difference, abs=1e-6)


@unhurried
@given(MEAN, VARIANCE, UNITS, MEAN, VARIANCE, UNITS, st.sampled_from([1e-9, 1e-3, 1e3, 1e150]))
def test_units_of_measurement_do_not_matter(m, v, n, m_control, v_control, n_control, unit):
    one = means.welch(m, v, n, m_control, v_control, n_control)
    assume(abs(one.difference) > 1e-9)
    other = means.welch(m * unit, v * unit * unit, n, m_control * unit, v_control * unit * unit, n_control)
    assert (one.statistic, one.df) == pytest.approx((other.statistic, other.df), rel=1e-6)
    assert min(n, n_control) - 1 <= one.df * (1 + 1e-9)
    assert one.df <= (n + n_control - 2) * (1 + 1e-9)
