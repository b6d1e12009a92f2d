"""Terms of plans: margins, several metrics, covariates, clusters, sequential stopping; each against its closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.errors import ExperimentError
from analytics.experiments.power import Terms, power_curve, power_of, quantile_deviation, sentence, terms_of
from analytics.experiments.presets import PRESETS, preset, preset_row

MEAN = {"kind": "mean", "baseline": 10.0, "standard_deviation": 4.0}


def test_a_covariate_and_clusters_multiply_the_units():
    plain = power_of(**MEAN, lift=0.05)
    adjusted = power_of(**MEAN, lift=0.05, terms=Terms(r2=0.36))
    clustered = power_of(**MEAN, lift=0.05, terms=Terms(design_effect=2.5))
    assert adjusted.n_per_variant == pytest.approx(plain.n_per_variant * 0.64, abs=1)
    assert clustered.n_per_variant == pytest.approx(plain.n_per_variant * 2.5, abs=3)
    assert "36% of the variance" in adjusted.assumption
    assert "multiply the units by 2.5" in clustered.assumption


def test_several_metrics_share_alpha_and_all_together_need_more():
    each = power_of(**MEAN, lift=0.05, variants=3, terms=Terms(metrics=2))
    together = power_of(**MEAN, lift=0.05, variants=3, terms=Terms(metrics=2, power_for="all"))
    assert each.alpha_per_comparison == 0.05 / 4
    assert each.n_per_variant == power_of(**MEAN, lift=0.05, alpha=0.05 / 4).n_per_variant
    assert each.power_all == pytest.approx(0.8**4, abs=2e-3)
    assert each.power_all_least == pytest.approx(0.2, abs=2e-3)
    # whatever hangs together, all four are shown with .8: each misses one time in twenty
    assert together.n_per_variant == power_of(**MEAN, lift=0.05, alpha=0.05 / 4, power=0.95).n_per_variant
    assert together.power_all_least == pytest.approx(0.8, abs=1e-3)
    asked = power_of(**MEAN, lift=0.05, n_per_variant=together.n_per_variant, variants=3,
                     terms=Terms(metrics=2, power_for="all"))  # fmt: skip
    assert asked.power == pytest.approx(0.8, abs=1e-3)
    assert "for all together" in sentence(together)


def test_the_textbook_of_non_inferiority():
    # Chow and colleagues, example 3.2: deviation .1, margin .05, 50 an arm at one-sided alpha .05
    row = power_of(
        "mean", baseline=1.0, difference=-0.05, standard_deviation=0.1, one_sided=True,
        terms=Terms("non-inferiority"),
    )  # fmt: skip
    assert row.n_per_variant == 50
    assert row.mde_absolute == -0.05
    assert sentence(row).startswith("To rule out that a mean of 1.000 falls to 0.950 or beyond (−5% of it)")


def test_a_relative_margin_weighs_the_control_by_it():
    # arm - (1 - m) control: variance s^2 (1 + (1 - m)^2) per unit
    row = power_of(**MEAN, lift=-0.1, terms=Terms("non-inferiority", relative=True))
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    assert row.n_per_variant == math.ceil((z * 4.0) ** 2 * (1 + 0.9**2) / 1.0**2)
    rise = power_of(**MEAN, lift=0.1, terms=Terms("non-inferiority", relative=True))
    assert rise.n_per_variant == math.ceil((z * 4.0) ** 2 * (1 + 1.1**2) / 1.0**2)


def test_a_test_of_the_lift_needs_more_than_one_of_the_difference_and_may_need_all():
    # sigma^2 / (N m^2) (1 + (1 + lift)^2), the quadratic
    row = power_of(**MEAN, lift=0.5, terms=Terms(relative=True))
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    assert row.n_per_variant == math.ceil((z * 0.4 / 0.5) ** 2 * (1 + 1.5**2))
    back = power_of(**MEAN, n_per_variant=row.n_per_variant, terms=Terms(relative=True))
    assert back.mde_relative == pytest.approx(0.5, rel=0.05)
    hopeless = power_of(
        "mean", baseline=1, standard_deviation=4, n_per_variant=100, terms=Terms(relative=True)
    )
    assert hopeless.status == "undefined"
    assert "however large" in hopeless.reason


def test_true_differences_beyond_the_margin_are_never_ruled_out():
    row = power_of(
        "proportion", baseline=0.1, lift=-0.2, terms=Terms("non-inferiority", true_difference=-0.02)
    )
    assert row.status == "undefined"
    assert "no sample is enough: the true difference" in row.reason
    same = power_of("proportion", baseline=0.1, lift=-0.2, terms=Terms("equivalence", true_difference=0.025))
    assert "no sample is enough: the true difference" in same.reason
    helped = power_of(
        "proportion", baseline=0.1, lift=-0.2, terms=Terms("non-inferiority", true_difference=0.01)
    )
    alike = power_of("proportion", baseline=0.1, lift=-0.2, terms=Terms("non-inferiority"))
    assert helped.n_total < alike.n_total


def test_a_quantile_is_planned_from_its_density():
    # the median of a normal: deviation sqrt(pi / 2)
    deviation = quantile_deviation(0.5, float(stats.norm.pdf(0)))
    assert deviation == pytest.approx(math.sqrt(math.pi / 2))
    row = power_of("quantile", baseline=5.0, difference=0.2, standard_deviation=deviation)
    mean = power_of("mean", baseline=5.0, difference=0.2, standard_deviation=1.0)
    assert row.n_per_variant == pytest.approx(mean.n_per_variant * math.pi / 2, abs=2)
    assert "density" in row.assumption


def test_group_sequential_plans_take_the_published_factor():
    plain = power_of(**MEAN, lift=0.05)
    for boundary, factor in (("pocock", 1.229), ("obrien-fleming", 1.028)):
        row = power_of(
            **MEAN, lift=0.05, terms=Terms(stopping="group-sequential", looks=5, boundary=boundary)
        )
        assert row.n_total / plain.n_total == pytest.approx(factor, abs=3e-3)
        assert row.inflation == pytest.approx(factor, abs=1e-3)
        assert row.n_expected < plain.n_total
    assert "group-sequential with 5 looks" in sentence(row)


def test_looking_all_the_time_costs_most():
    plain = power_of(**MEAN, lift=0.05)
    always = power_of(**MEAN, lift=0.05, terms=Terms(stopping="always-valid"))
    assert (always.looks, always.boundary) == (28, None)
    assert 1.5 < always.n_total / plain.n_total < 1.9


@settings(max_examples=60, deadline=None)  # the first of its kind computes its boundaries
@given(
    st.sampled_from(["proportion", "mean", "ratio", "count", "quantile"]),
    st.floats(0.1, 0.6),
    st.floats(0.02, 0.25),
    st.sampled_from(["difference", "non-inferiority", "equivalence"]),
    st.booleans(),
    st.floats(0, 0.8),
    st.floats(1, 4),
    st.sampled_from(["fixed", "group-sequential", "always-valid"]),
)
def test_units_effect_and_power_are_three_sides_of_one_plan(
    kind, baseline, effect, goal, relative, r2, design, stopping
):
    assume(goal != "equivalence" or stopping == "fixed")
    terms = Terms(goal, relative=relative, r2=r2, design_effect=design, stopping=stopping,
                  looks=None if stopping == "fixed" else 4)  # fmt: skip
    words = {"kind": kind, "baseline": baseline, "terms": terms}
    if kind not in {"proportion", "count"}:
        words["standard_deviation"] = 0.7
    row = power_of(**words, difference=effect)
    assert row.status == "ok"
    assert row.alpha / 2 - 1e-9 <= row.power <= 1
    smaller = power_of(**words, difference=effect / 2)
    assert smaller.n_total > row.n_total, "a smaller effect takes more units"
    back = power_of(**words, n_per_variant=row.n_per_variant)
    assert back.mde_absolute == pytest.approx(effect, rel=0.25 if row.n_per_variant < 50 else 0.03)
    assert back.mde_absolute <= effect * (1 + 1e-6)
    power = power_of(**words, difference=effect, n_per_variant=row.n_per_variant)
    assert 0.8 - 1e-6 <= power.power <= 1
    assert terms_of(row) == terms
    (point,) = power_curve(row, sizes=[row.n_per_variant])
    assert point.power == pytest.approx(power.power, abs=1e-9)


@pytest.mark.parametrize(
    "terms, message",
    [
        ({"goal": "superiority"}, "is not one of: difference"),
        ({"stopping": "peeking"}, "is not one of: fixed"),
        ({"boundary": "haybittle", "stopping": "group-sequential"}, "is not one of: obrien-fleming"),
        ({"metrics": 0}, "0 metrics"),
        ({"r2": 1.0}, "below 1"),
        ({"r2": -0.1}, "from 0"),
        ({"design_effect": 0}, "design effect 0"),
        ({"looks": 3}, "need sequential stopping"),
        ({"looks": 0, "stopping": "always-valid"}, "0 looks"),
        ({"true_difference": 1.0}, "goes with a margin"),
        ({"true_difference": float("nan"), "goal": "equivalence"}, "finite number"),
        ({"goal": "equivalence", "stopping": "always-valid"}, "leave the stopping fixed"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms, message):
    with pytest.raises(ExperimentError, match=message) as refused:
        Terms(**terms)
    assert "\n" not in str(refused.value)


def test_terms_must_fit_the_baseline():
    with pytest.raises(ExperimentError, match="relative to the baseline, which is 0"):
        power_of("mean", baseline=0, difference=1, standard_deviation=1, terms=Terms(relative=True))
    with pytest.raises(ExperimentError, match="leads out of the shares"):
        power_of("proportion", baseline=0.1, difference=0.1, terms=Terms("equivalence", true_difference=-0.2))
    with pytest.raises(ExperimentError, match="a quantile lies between"):
        quantile_deviation(1.0, 1.0)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_plans(name):
    row = preset_row(name)
    assert row.status == "ok"
    assert preset(name).says.endswith(".")
    assert "None" not in sentence(row) + row.assumption


def test_an_unknown_preset_names_the_known():
    with pytest.raises(ExperimentError, match="small-web-test, guardrail"):
        preset("big")


@pytest.mark.statistical
@pytest.mark.parametrize("stopping", ["group-sequential", "always-valid"])
def test_sequential_plans_reach_their_power_and_hold_their_level(stopping):
    terms = Terms(stopping=stopping, looks=5 if stopping == "group-sequential" else 20)
    row = power_of("proportion", baseline=0.2, difference=0.04, terms=terms)
    n, runs, looks = row.n_per_variant, 4000, row.looks
    rng = np.random.default_rng(11)
    from analytics.experiments.power import _plan_of

    bounds = np.array(_plan_of(row).rule.bounds)
    steps = np.diff(np.round(np.arange(looks + 1) * n / looks).astype(int))
    units = np.cumsum(steps)
    for share, check in ((0.24, "power"), (0.2, "level")):
        x = np.cumsum(rng.binomial(steps, share, (runs, looks)), axis=1)
        y = np.cumsum(rng.binomial(steps, 0.2, (runs, looks)), axis=1)
        pooled = (x + y) / (2 * units)
        z = (x - y) / units / np.sqrt(2 * pooled * (1 - pooled) / units)
        if check == "power":
            assert (z > bounds).any(axis=1).mean() == pytest.approx(0.8, abs=0.02)
        else:
            assert (np.abs(z) > bounds).any(axis=1).mean() < 0.05 + 0.009


@pytest.mark.statistical
def test_a_margin_is_shown_safe_as_often_as_planned():
    row = power_of("proportion", baseline=0.1, lift=-0.1, terms=Terms("non-inferiority"))
    n = row.n_per_variant
    rng = np.random.default_rng(12)
    x, y = rng.binomial(n, 0.1, 20_000) / n, rng.binomial(n, 0.1, 20_000) / n
    error = np.sqrt(x * (1 - x) / n + y * (1 - y) / n)
    assert (x - y - 1.959964 * error > -0.01).mean() == pytest.approx(0.8, abs=0.01)


@pytest.mark.statistical
def test_quantiles_and_clusters_reach_their_power():
    rng = np.random.default_rng(13)
    # exponential values: density of the 90 % quantile is .1
    row = power_of(
        "quantile", baseline=math.log(10), lift=0.15, standard_deviation=quantile_deviation(0.9, 0.1)
    )
    n, shift = row.n_per_variant, row.mde_absolute
    x, y = shift + rng.exponential(1.0, (2000, n)), rng.exponential(1.0, (2000, n))
    gap = np.quantile(x, 0.9, axis=1) - np.quantile(y, 0.9, axis=1)
    error = row.standard_deviation * math.sqrt(2 / n)
    assert (gap / error > 1.96).mean() == pytest.approx(0.8, abs=0.03)
    effect = 1 + (5 - 1) * 0.2
    plan = power_of(
        "mean", baseline=1, difference=0.2, standard_deviation=1, terms=Terms(design_effect=effect)
    )
    clusters = plan.n_per_variant // 5
    means = [
        shift + math.sqrt(0.2) * rng.standard_normal((6000, clusters))
        + math.sqrt(0.8 / 5) * rng.standard_normal((6000, clusters))
        for shift in (0.2, 0.0)
    ]  # fmt: skip
    gap = means[0].mean(axis=1) - means[1].mean(axis=1)
    error = np.sqrt(means[0].var(axis=1, ddof=1) / clusters + means[1].var(axis=1, ddof=1) / clusters)
    assert (gap / error > 1.96).mean() == pytest.approx(0.8, abs=0.025)
