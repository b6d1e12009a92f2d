"""Margins and lifts: textbook sample sizes, inverses of each other, and the tests themselves in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats import power, power_margins

DEVIATIONS = st.floats(0.1, 10)
ALPHAS = st.floats(0.001, 0.2)
POWERS = st.floats(0.5, 0.99)
RATIOS = st.floats(0.1, 10)


def test_the_examples_of_chow_and_colleagues():
    # example 4.2: two shares .65 and .85, margin .10, 25 an arm; example 3.2: margin .05, deviation .1, 50 an arm
    deviations = (0.85 * 0.15) ** 0.5, (0.65 * 0.35) ** 0.5
    assert np.ceil(power_margins.room_sample_size(0.20 + 0.10, *deviations, one_sided=True)) == 25
    assert np.ceil(power_margins.room_sample_size(0.05, 0.1, 0.1, one_sided=True)) == 50
    # equivalence without a true difference: (z(1 - a) + z(1 - b / 2))^2 2 s^2 / margin^2
    exact = (stats.norm.isf(0.05) + stats.norm.isf(0.1)) ** 2 * 2 * 0.1**2 / 0.05**2
    found = power_margins.equivalence_sample_size(0, 0.05, 0.1, 0.1, one_sided=True)
    assert float(found) == pytest.approx(exact, rel=1e-9)


def test_no_difference_is_a_margin_of_nothing():
    found = power_margins.room_power(0.5, 2.0, 2.0, 80, 120)
    assert float(found) == pytest.approx(float(power.mean_power(2.0, 0.5, 80, 120)), rel=1e-12)


@given(st.floats(0.01, 5), DEVIATIONS, DEVIATIONS, RATIOS, ALPHAS, POWERS, st.booleans())
def test_units_and_power_within_a_margin_are_inverse(room, arm, control, ratio, alpha, wanted, one_sided):
    options = {"alpha": alpha, "one_sided": one_sided}
    n = power_margins.room_sample_size(room, arm, control, ratio=ratio, power=wanted, **options)
    found = power_margins.room_power(room, arm, control, n, n * ratio, **options)
    assert float(found) == pytest.approx(wanted, abs=1e-9)


@given(st.floats(-0.9, 0.9), st.floats(0.1, 3), DEVIATIONS, RATIOS, ALPHAS, POWERS, st.booleans())
def test_units_and_power_of_equivalence_are_inverse(part, margin, deviation, ratio, alpha, wanted, one_sided):
    true, options = part * margin, {"alpha": alpha, "one_sided": one_sided}
    case = (true, margin, deviation, 1.3 * deviation)
    n = power_margins.equivalence_sample_size(*case, ratio=ratio, power=wanted, **options)
    assert float(power_margins.equivalence_power(*case, n, n * ratio, **options)) == pytest.approx(
        wanted, abs=1e-6
    )


@given(DEVIATIONS, DEVIATIONS, st.floats(-3, 3).filter(lambda b: abs(b) > 0.1), POWERS, st.booleans())
def test_the_smallest_lift_has_the_power(arm, control, baseline, wanted, fall):
    n, n_control = 700.0, 500.0
    lift = float(
        power_margins.relative_detectable(arm, control, baseline, n, n_control, power=wanted, fall=fall)
    )
    largest = -1.0 if fall else 1e9
    if np.isnan(lift):
        deviations = power_margins.relative_deviations(arm, control, baseline, largest)
        assert float(power_margins.room_power(abs(largest), *deviations, n, n_control)) <= wanted + 1e-6
        return
    assert (lift < 0) == fall
    deviations = power_margins.relative_deviations(arm, control, baseline, lift)
    assert float(power_margins.room_power(abs(lift), *deviations, n, n_control)) == pytest.approx(
        wanted, abs=1e-8
    )


def test_the_formula_of_growthbook():
    # m_B = (m + sqrt(m^2 - c (m^2 - k^2 s^2 / N))) / c with c = 1 - k^2 s^2 / (N m^2), for the arm's mean m_B
    mean, deviation, n = 4.0, 9.0, 600
    k = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    part = (k * deviation) ** 2 / n
    c = 1 - part / mean**2
    arm = (mean + np.sqrt(mean**2 - c * (mean**2 - part))) / c
    found = power_margins.relative_detectable(deviation, deviation, mean, n, n)
    assert float(found) == pytest.approx(arm / mean - 1, rel=1e-12)


def test_without_room_no_sample_is_enough():
    assert np.isinf(power_margins.room_sample_size([0.0, -0.1], 1.0, 1.0)).all()
    assert np.isinf(power_margins.equivalence_sample_size([0.2, -0.3], 0.2, 1.0, 1.0)).all()
    assert np.isnan(power_margins.relative_detectable(1.0, 1.0, 1.0, 7, 7))


@pytest.mark.statistical
def test_intervals_stay_inside_the_margin_as_often_as_planned():
    rng = np.random.default_rng(20)
    margin, true, deviation = 0.3, -0.05, 1.5
    n = int(np.ceil(power_margins.room_sample_size(margin + true, deviation, deviation)))
    both = int(np.ceil(power_margins.equivalence_sample_size(true, margin, deviation, deviation)))
    for units, sides in ((n, 1), (both, 2)):
        error = deviation * np.sqrt(2 / units)
        found = true + error * rng.standard_normal(40_000)
        low, high = found - 1.96 * error, found + 1.96 * error
        inside = (low > -margin) & (high < margin) if sides == 2 else low > -margin
        assert inside.mean() == pytest.approx(0.8, abs=0.008)
    # at the margin itself it is called safe no more often than alpha / 2
    error = deviation * np.sqrt(2 / n)
    harmed = -margin + error * rng.standard_normal(40_000)
    assert (harmed - 1.96 * error > -margin).mean() == pytest.approx(0.025, abs=0.003)
