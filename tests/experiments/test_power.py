"""Plans: whole numbers of units, several arms, unequal shares, what cannot be answered, and sentences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from analytics.errors import ExperimentError
from analytics.experiments.power import power_curve, power_of, sentence
from analytics.stats import power as formulas


def arms(row) -> list[int]:
    return [int(n) for n in row.n_by_variant.split(", ")]


def test_ten_to_eleven_percent_takes_two_weeks():
    row = power_of("proportion", baseline=0.10, lift=0.10, daily_units=2000)
    assert (row.n_per_variant, row.n_total, row.n_by_variant, row.days) == (14751, 29502, "14751, 14751", 15)
    assert (row.status, row.reason, row.solved_for) == ("ok", None, "n")
    assert row.mde_absolute == pytest.approx(0.01)
    assert row.mde_relative == pytest.approx(0.1)
    assert (row.power, row.alpha, row.alpha_per_comparison, row.standard_deviation) == (0.8, 0.05, 0.05, None)


def test_units_effect_and_power_are_three_sides_of_one_plan():
    units = power_of("proportion", baseline=0.10, difference=0.01)
    effect = power_of("proportion", baseline=0.10, n_per_variant=units.n_per_variant)
    power = power_of("proportion", baseline=0.10, difference=0.01, n_per_variant=units.n_per_variant)
    assert (effect.solved_for, power.solved_for) == ("effect", "power")
    # rounded up, so a hair more than asked for
    assert 0.8 <= power.power < 0.8001
    assert 0.0099 < effect.mde_absolute <= 0.01
    assert effect.n_by_variant == power.n_by_variant == units.n_by_variant


@given(
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
    st.integers(2, 6),
    st.floats(0.5, 0.99),
    st.booleans(),
)
def test_one_unit_less_is_too_few(baseline, share, variants, wanted, one_sided):
    assume(abs(share - baseline) > 1e-3)
    row = power_of(
        "proportion",
        baseline=baseline,
        difference=share - baseline,
        power=wanted,
        variants=variants,
        one_sided=one_sided,
    )
    n = row.n_per_variant
    assert arms(row) == [n] * variants
    test = {"alpha": 0.05 / (variants - 1), "one_sided": one_sided}
    assert formulas.proportion_power(baseline, share - baseline, n, n, **test) >= wanted
    assert n == 2 or formulas.proportion_power(baseline, share - baseline, n - 1, n - 1, **test) < wanted


@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=5), st.floats(0.02, 2.0))
def test_unequal_shares_are_kept_and_one_unit_less_to_share_is_too_few(shares, effect):
    row = power_of("mean", baseline=5.0, difference=effect, standard_deviation=1.0, shares=shares)
    found, parts = arms(row), np.array(shares) / math.fsum(shares)
    smallest = min(found[1:])
    level = 0.05 / (len(shares) - 1)
    assert smallest >= 2
    assert float(formulas.mean_power(1.0, effect, smallest, found[0], alpha=level)) >= 0.8
    # every arm has its share of some whole total, rounded up
    totals = [n / part for n, part in zip(found, parts, strict=True)]
    fits = [
        t
        for t in range(math.floor(min(totals)) - 9, math.ceil(max(totals)) + 9)
        if list(map(math.ceil, parts * t - 1e-9)) == found
    ]
    assert fits
    fewer = np.ceil(parts * (fits[0] - 1) - 1e-9)
    place = 1 + int(np.argmin(parts[1:]))
    power = (
        float(formulas.mean_power(1.0, effect, fewer[place], fewer[0], alpha=level)) if min(fewer) > 1 else 0
    )
    assert power < 0.8


def test_an_uneven_split_costs_units():
    even = power_of("proportion", baseline=0.2, difference=0.02)
    uneven = power_of("proportion", baseline=0.2, difference=0.02, shares=[9, 1])
    control, arm = arms(uneven)
    assert control == pytest.approx(9 * arm, abs=9)
    # 1 / (4 r (1 - r)) with r = .1
    assert uneven.n_total / even.n_total == pytest.approx(1 / 0.36, rel=0.03)
    assert uneven.n_per_variant == math.ceil(uneven.n_total / 2)


def test_several_arms_are_planned_at_the_first_step_of_holm():
    corrected = power_of("mean", baseline=10, lift=0.05, standard_deviation=3, variants=4)
    alone = power_of("mean", baseline=10, lift=0.05, standard_deviation=3, alpha=0.05 / 3)
    loose = power_of("mean", baseline=10, lift=0.05, standard_deviation=3, variants=4, correction="none")
    plain = power_of("mean", baseline=10, lift=0.05, standard_deviation=3)
    assert corrected.n_per_variant == alone.n_per_variant
    assert loose.n_per_variant == plain.n_per_variant
    assert (corrected.alpha, corrected.alpha_per_comparison) == (0.05, pytest.approx(0.05 / 3))
    assert "first step of Holm over 3" in corrected.assumption
    assert "not corrected for 3 comparisons" in loose.assumption
    assert "Holm" not in plain.assumption


def test_the_smallest_arm_decides():
    row = power_of("proportion", baseline=0.1, difference=0.02, shares=[0.5, 0.3, 0.2])
    control, middle, small = arms(row)
    level = {"alpha": 0.025}
    assert float(formulas.proportion_power(0.1, 0.02, small, control, **level)) == pytest.approx(
        0.8, abs=1e-3
    )
    assert float(formulas.proportion_power(0.1, 0.02, middle, control, **level)) > 0.85
    assert "smallest arm" in row.assumption


def test_units_given_add_up_whatever_the_shares():
    for n in (5000, 5001, 7):
        row = power_of("proportion", baseline=0.1, n_per_variant=n, shares=[0.5, 0.3, 0.2])
        assert row.n_total == 3 * n
        assert row.n_per_variant == n
        assert np.allclose(arms(row), np.array([1.5, 0.9, 0.6]) * n, atol=1)


def test_one_sided_takes_fewer_units_and_a_fall_is_as_well_planned():
    two = power_of("proportion", baseline=0.3, difference=-0.03)
    one = power_of("proportion", baseline=0.3, difference=-0.03, one_sided=True)
    assert one.n_total < two.n_total
    assert one.n_total == pytest.approx(two.n_total * (1.6449 + 0.8416) ** 2 / (1.96 + 0.8416) ** 2, rel=1e-3)
    fall = power_of("proportion", baseline=0.3, n_per_variant=two.n_per_variant, fall=True)
    assert fall.mde_absolute == pytest.approx(-0.03, rel=1e-3)


def test_lift_is_relative_to_the_size_of_the_baseline():
    row = power_of("mean", baseline=-20.0, lift=0.05, standard_deviation=5)
    assert row.mde_absolute == 1.0
    assert row.mde_relative == 0.05
    nothing = power_of("mean", baseline=0.0, difference=1.0, standard_deviation=5)
    assert nothing.mde_relative is None
    assert nothing.n_total == row.n_total


def test_counts_are_poisson_unless_told_otherwise():
    poisson = power_of("count", baseline=1.0, difference=0.2)
    assert poisson.standard_deviation == 1.0
    assert poisson.n_per_variant == math.ceil(formulas.count_sample_size(1.0, 0.2)) == 432
    wide = power_of("count", baseline=1.0, difference=0.2, standard_deviation=2.0)
    assert (
        wide.n_per_variant
        == power_of("mean", baseline=1.0, difference=0.2, standard_deviation=2.0).n_per_variant
    )
    assert "Poisson" in poisson.assumption
    assert "Poisson" not in wide.assumption


def test_a_ratio_is_a_mean_of_linearised_values():
    ratio = power_of("ratio", baseline=0.3, lift=0.05, standard_deviation=0.8)
    mean = power_of("mean", baseline=0.3, lift=0.05, standard_deviation=0.8)
    assert ratio.n_total == mean.n_total
    assert "linearised" in ratio.assumption


def test_doubts_about_the_normal_approximation_are_said():
    assert "fewer than 5" in power_of("proportion", baseline=0.001, lift=10).assumption
    assert "Welch" in power_of("mean", baseline=1, difference=2, standard_deviation=1).assumption
    assert "rough" not in power_of("proportion", baseline=0.1, lift=0.1).assumption


@pytest.mark.parametrize(
    "plan, reason",
    [
        ({"kind": "proportion", "baseline": 0.3, "difference": 1e-9}, "no sample is enough"),
        ({"kind": "mean", "baseline": 1.0, "difference": 1e-300, "standard_deviation": 1e300}, "no sample is enough"),
        ({"kind": "proportion", "baseline": 0.999, "n_per_variant": 50}, "no rise from 99.9% can be seen"),
        ({"kind": "proportion", "baseline": 1.0, "n_per_variant": 10**6}, "no rise from 100%"),
        ({"kind": "proportion", "baseline": 0.01, "n_per_variant": 20, "fall": True}, "no fall from 1%"),
        ({"kind": "count", "baseline": 0.01, "n_per_variant": 20, "fall": True}, "no fall from 0.0100"),
        ({"kind": "mean", "baseline": 1.0, "n_per_variant": 2, "standard_deviation": 1.7e308}, "no finite effect"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why(plan, reason):
    row = power_of(**plan)
    assert row.status == "undefined"
    assert reason in row.reason
    assert sentence(row).lower().startswith(row.reason[:20].lower())
    assert row.mde_absolute is None or row.n_total is None


@pytest.mark.parametrize(
    "change, message",
    [
        ({"lift": None}, "which effect"),
        ({"baseline": float("nan")}, "baseline nan must be a finite number"),
        ({"baseline": -0.1}, "between 0 and 1"),
        ({"baseline": 10}, "write 0.1 for 10 %"),
        ({"baseline": 0}, "relative to the baseline, which is 0"),
        ({"difference": 0.1}, "not both"),
        ({"lift": 0}, "difference of 0"),
        ({"lift": float("inf")}, "finite number"),
        ({"lift": 9.5}, "but a proportion lies between 0 and 1"),
        ({"lift": -1.5}, "but a proportion lies between 0 and 1"),
        ({"kind": "count", "lift": -1.5}, "a count lies between 0 and infinity"),
        ({"alpha": 0}, "alpha 0 must lie"),
        ({"alpha": float("nan")}, "alpha nan must lie"),
        ({"power": 0.04}, "power 0.04 must lie between alpha"),
        ({"power": 1}, "power 1 must lie"),
        ({"power": float("nan")}, "power nan must lie"),
        ({"n_per_variant": 1}, "1 unit an arm"),
        ({"n_per_variant": 10**18}, "at most 1,000,000,000,000"),
        ({"n_per_variant": 3, "shares": [8, 1, 1]}, "an arm with fewer than 2"),
        ({"variants": 1}, "1 variant"),
        ({"variants": 10**6}, "2 to 100"),
        ({"variants": 3, "shares": [1, 1]}, "2 shares for 3 variants"),
        ({"shares": [1, 0]}, "numbers above 0"),
        ({"shares": [1, float("nan")]}, "numbers above 0"),
        ({"shares": [1, 1e-9]}, "at least a millionth"),
        ({"standard_deviation": 1.0}, "takes no standard deviation"),
        ({"kind": "mean"}, "needs the standard deviation of the units' values"),
        ({"kind": "ratio"}, "linearised"),
        ({"kind": "mean", "standard_deviation": 0}, "standard deviation 0 must"),
        ({"kind": "mean", "standard_deviation": float("inf")}, "standard deviation inf must"),
        ({"kind": "count", "baseline": -1}, "must not be negative"),
        ({"kind": "count", "baseline": 0, "lift": None, "difference": 1}, "do not vary"),
        ({"kind": "median"}, "is not one of: proportion"),
        ({"correction": "bonferroni"}, "is not one of: holm, none"),
        ({"daily_units": 0}, "units a day"),
        ({"daily_units": float("inf")}, "units a day"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_line(change, message):
    plan = {"kind": "proportion", "baseline": 0.1, "lift": 0.1} | change
    with pytest.raises(ExperimentError, match=message) as refused:
        power_of(**plan)
    assert "\n" not in str(refused.value)


def test_the_edges_of_a_share_are_reached():
    assert power_of("proportion", baseline=0.9, difference=0.1).status == "ok"
    assert power_of("proportion", baseline=0.7, lift=0.3 / 0.7).status == "ok"
    assert power_of("proportion", baseline=0.3, lift=-1).mde_absolute == -0.3
    assert power_of("proportion", baseline=0, difference=0.01).mde_relative is None


def test_a_curve_passes_through_its_plan_and_rises():
    row = power_of("proportion", baseline=0.1, lift=0.1, shares=[0.6, 0.4], daily_units=100)
    by_size = power_curve(row, sizes=[100, row.n_per_variant, 10**6])
    by_effect = power_curve(row, effects=[0, 0.005, row.mde_absolute, 0.05])
    assert [point.power for point in by_size] == sorted(point.power for point in by_size)
    assert [point.power for point in by_effect] == sorted(point.power for point in by_effect)
    assert by_size[1].power == pytest.approx(0.8, abs=1e-4)
    assert by_effect[2].power == pytest.approx(0.8, abs=1e-4)
    assert by_effect[0].power == pytest.approx(0.025)
    assert {point.shares for point in (*by_size, *by_effect)} == {row.shares}
    assert by_size[0].days == math.ceil(200 / 100)
    assert all(point.n_by_variant == row.n_by_variant for point in by_effect)


def test_a_curve_keeps_correction_side_and_deviation():
    row = power_of(
        "count", baseline=2, lift=0.1, variants=3, one_sided=True, correction="none", alpha=0.01, power=0.9
    )
    (point,) = power_curve(row, effects=[row.mde_absolute])
    assert point.power == pytest.approx(0.9, abs=1e-3)
    assert replace(point, power=0, solved_for="n") == replace(row, power=0)


def test_points_of_a_curve_that_cannot_be_say_why():
    row = power_of("proportion", baseline=0.9, difference=0.05, shares=[0.9, 0.1])
    high, good = power_curve(row, effects=[0.2, 0.05])
    assert (high.status, high.power, good.status) == ("undefined", None, "ok")
    few, many = power_curve(row, sizes=[2, 2000])
    assert (few.status, few.power, few.n_total, many.status) == ("undefined", None, None, "ok")
    nothing = power_of("proportion", baseline=0.999, n_per_variant=20)
    with pytest.raises(ExperimentError, match="with an effect"):
        power_curve(nothing, sizes=[100])
    with pytest.raises(ExperimentError, match="effects or over sizes"):
        power_curve(row)


def test_sentences_can_be_pasted():
    assert sentence(
        power_of("mean", baseline=11.2, difference=-0.56, standard_deviation=3.1, variants=3)
    ) == (
        "To see a mean of 11.20 become 10.64 (−5% of it) with 80% power at alpha .05, two-sided, corrected for "
        "2 comparisons, you need 583 units in each of 3 arms, 1,749 in all."
    )
    assert sentence(
        power_of("proportion", baseline=0.1, n_per_variant=5000, shares=[3, 1], one_sided=True)
    ) == (
        "With 7,500 and 2,500 units (the control first), 10,000 in all, a rise from 10.0% to 11.8% (+17.8% of it) "
        "is seen with 80% power at alpha .05, one-sided."
    )
    assert sentence(
        power_of("proportion", baseline=0.1, difference=0.01, n_per_variant=5000, daily_units=1000)
    ) == (
        "With 5,000 units in each of 2 arms, 10,000 in all (10 days at 1,000 units a day), the chance to see 10.0% "
        "become 11.0% (+10% of it) is 37.1% at alpha .05, two-sided."
    )
    assert "become 0.001010%" in sentence(power_of("proportion", baseline=1e-5, lift=0.01))


@given(
    st.sampled_from(["proportion", "mean", "ratio", "count"]),
    st.floats(-1e9, 1e9),
    st.floats(-1e9, 1e9),
    st.floats(1e-6, 1e9),
)
def test_every_plan_reads_as_a_sentence_without_nan(kind, baseline, difference, deviation):
    if kind == "proportion":
        baseline, difference = abs(baseline) / 1e9, difference / 1e9
    try:
        row = power_of(
            kind,
            baseline=baseline,
            difference=difference,
            standard_deviation=None if kind == "proportion" else deviation,
        )
    except ExperimentError:
        return
    text = sentence(row)
    assert text.endswith(".")
    assert not any(word in text.lower() for word in (" nan", " inf", "none"))
    numbers = [value for value in vars(row).values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))


@pytest.mark.statistical
def test_three_arms_of_unequal_shares_reach_their_power():
    row = power_of("proportion", baseline=0.15, difference=0.03, shares=[0.5, 0.3, 0.2])
    control, _, small = arms(row)
    rng = np.random.default_rng(8)
    x, y = rng.binomial(small, 0.18, 20_000), rng.binomial(control, 0.15, 20_000)
    pooled = (x + y) / (small + control)
    z = (x / small - y / control) / np.sqrt(pooled * (1 - pooled) * (1 / small + 1 / control))
    assert float(np.mean(2 * stats.norm.sf(np.abs(z)) < 0.025)) == pytest.approx(0.8, abs=0.015)
