"""Plans from baselines and arrivals: against the typed plan, in simulated experiments, and what never decides."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analytics.aggregates.planning import HorizonMoments
from analytics.experiments.plan import days_of, horizon_rows, ranked, rows_of, traffic_rows, unplanned
from analytics.experiments.plan_baseline import Baseline, baseline_of
from analytics.experiments.plan_days import HORIZON, MetricCase, smallest_share
from analytics.experiments.plan_rows import PlanAsk
from analytics.experiments.plan_words import plan_paste, plan_sentence, week_sentence
from analytics.experiments.power import Terms, power_of
from analytics.stats.arrival_curve import NEVER, arrival_curve

ASK = PlanAsk(alpha=0.05, power=0.8, shares=(0.5, 0.5), one_sided=False)


def steady(a_day=100, days=60):
    """New units every day, nobody twice."""
    return arrival_curve(range(days), [NEVER] * days, [a_day] * days, HORIZON)


def case(kind="mean", value=10.0, deviation=4.0, **more):
    known = Baseline("m", kind, 28, 5000, value, value * 0.97, value * 1.03, deviation)
    if kind == "proportion":
        known = replace(known, deviation=math.sqrt(value * (1 - value)))
    words = {
        "baselines": (known,), "arrivals": steady(), "ask": ASK, "role": "primary", "goal": "difference", "lift": 0.05,
        "difference": None, "relative": False, "metrics": 1, "correction": "holm", "wait": 0.0, "grows": False,
    }  # fmt: skip
    return MetricCase(**(words | more))


def by_stopping(made):
    return {row.stopping: row for row in ranked(list(rows_of(made, None)))}


@pytest.mark.parametrize(
    "kind, value", [("mean", 10.0), ("proportion", 0.7), ("ratio", 10.0), ("count", 10.0)]
)
def test_with_steady_arrivals_the_days_are_the_units_over_the_arrivals(kind, value):
    rows = by_stopping(case(kind, value))
    words = {} if kind == "proportion" else {"standard_deviation": 4.0}
    typed = power_of(kind, baseline=value, lift=0.05, **words)
    assert rows["fixed"].n_total == pytest.approx(typed.n_total, abs=2)
    assert rows["fixed"].days == math.ceil(typed.n_total / 100 - 1e-9)
    looks = power_of(
        kind, baseline=value, lift=0.05, terms=Terms(stopping="group-sequential", looks=5), **words
    )
    assert rows["group-sequential"].n_total == pytest.approx(looks.n_total, abs=2)
    assert rows["group-sequential"].days == math.ceil(looks.n_total / 100 - 1e-9)
    assert rows["group-sequential"].days_expected == pytest.approx(looks.n_expected / 100, abs=1.5)
    assert rows["always-valid"].days > rows["group-sequential"].days >= rows["fixed"].days


def test_ranges_hold_their_values():
    row = by_stopping(case())["fixed"]
    assert row.n_total_low < row.n_total < row.n_total_high
    assert row.days_low <= row.days <= row.days_high
    assert row.power_within_low <= row.power_within <= row.power_within_high
    assert row.ci_low < row.baseline < row.ci_high
    assert row.weeks == math.ceil(row.days / 7)


def test_units_wait_for_their_window():
    plain, late = by_stopping(case())["fixed"], by_stopping(case(wait=7.0))["fixed"]
    assert late.days == plain.days + 7
    assert late.n_total == plain.n_total
    assert "window of 7 days" in late.assumption


def test_part_of_the_traffic_takes_longer():
    half = by_stopping(case(ask=replace(ASK, traffic=0.5)))["fixed"]
    assert half.days == pytest.approx(2 * by_stopping(case())["fixed"].days, abs=1)


def test_clusters_and_covariates_change_the_units():
    from analytics.stats.design_effect import DesignEffect

    known = replace(case().baselines[0], r2=0.5, effect=DesignEffect(3.0, 2.5, 3.5, 0.5, 5.0, 900))
    plain = by_stopping(case())["fixed"].n_total
    split = by_stopping(case(baselines=(known,)))["fixed"]
    whole = by_stopping(case(baselines=(known,), ask=replace(ASK, whole_clusters=True)))["fixed"]
    assert split.n_total == pytest.approx(plain * 0.5, rel=1e-3)
    assert whole.n_total == pytest.approx(plain * 1.5, rel=1e-3)
    assert "whole clusters would cost 3.00 times" in split.assumption
    assert "which costs 3.00 times" in whole.assumption


def test_the_smallest_share_decides_in_time_and_a_smaller_one_does_not():
    made = case(ask=replace(ASK, within=40))
    share = by_stopping(made)["fixed"].smallest_share
    units = 40 * 100
    enough = power_of(
        "mean",
        baseline=10,
        lift=0.05,
        standard_deviation=4,
        shares=[1 - share, share],
        n_per_variant=units // 2,
    )
    less = power_of(
        "mean", baseline=10, lift=0.05, standard_deviation=4, shares=[1 - share + 0.01, share - 0.01],
        n_per_variant=units // 2,
    )  # fmt: skip
    assert enough.power >= 0.8 > less.power
    hurried = case(ask=replace(ASK, within=3))
    assert smallest_share(hurried, "fixed", 0.8) is None


def test_saturated_arrivals_never_decide():
    # the same hundred visitors every day
    curve = arrival_curve(range(30), [NEVER, *[1] * 29], [100] * 30, HORIZON)
    rows = by_stopping(case(arrivals=curve))
    assert rows["fixed"].status == "undefined"
    assert "no wait is enough: it takes 2,0" in rows["fixed"].reason
    assert "100 arrive in half a year" in rows["fixed"].reason
    assert rows["fixed"].rank is None
    assert rows["fixed"].n_total is not None
    assert plan_sentence(tuple(rows.values())).startswith("Seeing m change by +5%: no wait is enough")
    assert "no wait is enough" in plan_paste(rows["fixed"])


def test_a_margin_of_nothing_and_impossible_effects_say_so():
    rows = by_stopping(case(goal="non-inferiority", role="guardrail", lift=-0.0))
    assert "margin of 0" in rows["fixed"].reason
    rows = by_stopping(case("proportion", 0.9, lift=0.5))
    assert "a proportion lies between 0 and 1" in rows["fixed"].reason
    assert not list(days_of(case("proportion", 0.9, lift=0.5)))


def test_without_times_units_are_told_alone():
    row = by_stopping(case(arrivals=None))["fixed"]
    assert (row.days, row.status, row.rank) == (None, "ok", 1)
    assert row.n_total == pytest.approx(
        power_of("mean", baseline=10, lift=0.05, standard_deviation=4).n_total, abs=2
    )
    assert "carry no time" in row.reason
    assert "units" in plan_sentence([row])


def test_a_metric_without_units_is_not_planned():
    rows = list(
        unplanned(
            Baseline("m", "mean", 7, 3, status="too_few", reason="3 units"),
            None,
            ASK,
            "primary",
            "difference",
        )
    )
    assert {row.status for row in rows} == {"too_few"}
    assert plan_sentence(ranked(rows)) == "Seeing m change by +5%: 3 units." or "3 units" in plan_sentence(
        ranked(rows)
    )


def test_a_growing_metric_takes_the_horizon_of_its_length():
    short = Baseline("m", "mean", 7, 5000, 10.0, 9.9, 10.1, 4.0)
    long = replace(short, days=28, value=20.0, ci_low=19.8, ci_high=20.2, deviation=16.0)
    made = case(baselines=(short, long), grows=True)
    assert made.baseline_at(7).value == 10.0
    assert made.baseline_at(17.5).value == 15.0
    assert made.baseline_at(17.5).deviation == pytest.approx(math.sqrt((16 + 256) / 2))
    assert made.baseline_at(100).value == 20.0
    powers = made.powers("fixed")
    at_28 = power_of("mean", baseline=20, lift=0.05, standard_deviation=16, n_per_variant=1400).power
    assert powers[27] == pytest.approx(at_28)
    rows = list(horizon_rows((short, long), made, None))
    assert [row.variance_ratio for row in rows] == [1.0, 16.0]
    # four times the spread on twice the mean: four times the units
    assert rows[1].n_total == pytest.approx(4 * rows[0].n_total, abs=4)


def test_days_tell_units_power_and_effect():
    rows = list(days_of(case()))
    fixed = [row for row in rows if row.stopping == "fixed"]
    assert [row.day for row in fixed] == list(range(1, len(fixed) + 1))
    assert all(row.power_low <= row.power <= row.power_high for row in rows)
    assert all(b.power >= a.power for a, b in pairwise(fixed))
    chosen = fixed[20]
    assert chosen.units == pytest.approx(2100)
    back = power_of("mean", baseline=10, standard_deviation=4, n_per_variant=1050)
    assert chosen.mde_relative == pytest.approx(back.mde_relative)
    assert all(row.mde_absolute is None for row in rows if row.stopping == "always-valid")
    assert next(row.power for row in fixed if row.power >= 0.8) == pytest.approx(0.8, abs=0.02)


def test_ranks_begin_with_the_soonest():
    slow = case(baselines=(replace(case().baselines[0], metric="slow", deviation=6.0),))
    never = case(baselines=(replace(case().baselines[0], metric="never", deviation=90.0),))
    rows = ranked([row for made in (never, slow, case()) for row in rows_of(made, None)])
    fixed = [(row.metric, row.rank) for row in rows if row.stopping == "fixed"]
    assert fixed == [("m", 1), ("slow", 2), ("never", None)]
    assert plan_sentence(rows).startswith("m decides soonest of 3 metrics")


def test_the_sentence_of_an_experiment_is_about_its_slowest_primary_metric():
    slow = case(baselines=(replace(case().baselines[0], metric="slow", deviation=6.0),))
    guard = case(goal="non-inferiority", role="guardrail", lift=-0.2, relative=True,
                 baselines=(replace(case().baselines[0], metric="guard"),))  # fmt: skip
    rows = ranked([row for made in (slow, case(), guard) for row in rows_of(made, "exp")])
    said = plan_sentence(rows)
    assert said.startswith("Seeing slow change by +5% takes")
    assert "Its guardrail is shown safe in" in said


def test_weekdays():
    days = list(range(14))
    curve = arrival_curve(days, [NEVER] * 14, [30 if day % 7 == 6 else 10 for day in days], 20)
    rows = traffic_rows("events", curve)
    assert rows[0].weekday == "Monday"
    assert rows[6].units == 30
    assert "Most units come on Sundays (30), fewest on Mondays (10)" in week_sentence(rows)
    assert week_sentence(traffic_rows("events", steady())) is None


def moments(values, clusters=None, columns=1):
    table = np.asarray(values, dtype=float).reshape(len(values), -1)
    groups = [table] if clusters is None else [table[clusters == c] for c in np.unique(clusters)]
    means = np.array([group.mean(axis=0) for group in groups])
    co = np.array([(group - mean).T @ (group - mean) for group, mean in zip(groups, means, strict=True)])
    return HorizonMoments(
        "m", columns, np.array([len(g) for g in groups], float), means, co, clusters is not None
    )


def test_a_baseline_is_the_mean_with_its_interval_and_what_explains_it():
    rng = np.random.default_rng(4)
    before = rng.normal(5, 2, 3000)
    values = before + rng.normal(0, 2, 3000)
    found = baseline_of("mean", 28, moments(np.column_stack([values, before])))
    assert found.value == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std(ddof=1))
    assert found.r2 == pytest.approx(np.corrcoef(values, before)[0, 1] ** 2)
    half = 1.96 * values.std(ddof=1) / math.sqrt(3000)
    assert found.ci_high - found.value == pytest.approx(half, rel=1e-3)


def test_a_ratio_is_linearised():
    rng = np.random.default_rng(5)
    below = rng.poisson(4, 4000) + 1.0
    above = below * 2 + rng.normal(0, 1, 4000)
    found = baseline_of("ratio", 28, moments(np.column_stack([above, below]), columns=2))
    ratio = above.sum() / below.sum()
    assert found.value == pytest.approx(ratio)
    assert found.deviation == pytest.approx(((above - ratio * below) / below.mean()).std(ddof=1))


def test_clusters_widen_the_baseline():
    rng = np.random.default_rng(6)
    clusters = np.repeat(np.arange(500), 4)
    values = rng.standard_normal(500)[clusters] + rng.standard_normal(2000)
    alone, grouped = (
        baseline_of("mean", 28, moments(values)),
        baseline_of("mean", 28, moments(values, clusters)),
    )
    assert grouped.effect.value == pytest.approx(2.5, rel=0.15)
    assert (grouped.ci_high - grouped.ci_low) / (alone.ci_high - alone.ci_low) == pytest.approx(
        math.sqrt(2.5), rel=0.1
    )


def test_too_few_none_and_constant_units_say_so():
    assert baseline_of("mean", 7, moments(np.ones(5))).status == "too_few"
    assert baseline_of("mean", 7, moments(np.ones(50))).reason == "nothing varies: every unit has 1"
    empty = HorizonMoments("m", 1, np.zeros(0), np.zeros((0, 1)), np.zeros((0, 1, 1)), is_clustered=False)
    assert baseline_of("mean", 7, empty).status == "no_data"
    nothing = moments(np.zeros((50, 2)), columns=2)
    assert baseline_of("ratio", 7, nothing).reason == "the denominators add up to 0"


@pytest.mark.statistical
def test_whole_experiments_reach_the_power_of_their_day():
    # visitors who come back, values that add up with every visit: the plan's own world, drawn again and again
    rng = np.random.default_rng(9)
    made = case(arrivals=steady(80))
    rows = by_stopping(made)
    day = rows["fixed"].days
    n = round(made.units()[day - 1] / 2)
    x = rng.gamma(6.25, 1.6 * 1.05, (4000, n)).mean(axis=1)
    y = rng.gamma(6.25, 1.6, (4000, n)).mean(axis=1)
    error = 4.0 / math.sqrt(n) * math.sqrt(1 + 1.05**2)
    assert ((x - y) / error > 1.96).mean() == pytest.approx(made.powers("fixed")[day - 1], abs=0.03)


@pytest.mark.statistical
def test_the_chance_to_have_crossed_by_day_is_met():
    rng = np.random.default_rng(10)
    made = case(arrivals=steady(150))
    from analytics.stats.confidence_sequences import mixture_width, sequence_multiplier
    from analytics.stats.power_sequential import always_valid_looks

    planned = always_valid_looks(28, 0.05).drift(0.8)
    drift_day = made.drifts()[:40]
    size = (drift_day / planned) ** 2  # in units of the size it is tuned to
    bounds = sequence_multiplier(size, np.full(40, 0.05), mixture_width(1.0, 0.05))
    n = np.arange(1, 41) * 75
    steps = rng.standard_normal((6000, 40)) * 4.0 * math.sqrt(2 * 75)
    z = (np.cumsum(steps, axis=1) + 0.5 * n) / (4.0 * np.sqrt(2 * n))
    crossed = np.logical_or.accumulate(z > bounds, axis=1).mean(axis=0)
    assert crossed == pytest.approx(made.powers("always-valid")[:40], abs=0.02)
