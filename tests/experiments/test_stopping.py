"""Comparisons under stopping rules: one statistic at every level, looks on the units they saw, dates of crossing."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from analytics.aggregates.arms import MetricAggregates
from analytics.errors import ExperimentError
from analytics.experiments.beliefs import PosteriorComparison, believed
from analytics.experiments.chances import chance_rows, prior_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.held import held
from analytics.experiments.look_rows import look_rows
from analytics.experiments.looks import reached
from analytics.experiments.methods import NotTested, ScoreComparison, TComparison
from analytics.experiments.pairs import PairMoments, pair
from analytics.experiments.rates import RateComparison
from analytics.experiments.standing import peeking
from analytics.experiments.stopping import LookComparison, always_valid
from analytics.project import Prior
from analytics.stats.group_sequential import Looks, repeated_look
from analytics.stats.moments import Comoments
from analytics.stats.poisson import Rates
from tests.experiments.arms import card, design, excludes_zero, moments

DESIGN = Design("x", "A", {"A": 0.5, "B": 0.5}, planned_units=4000)
CLOSE = 1e-7
shares = st.tuples(st.integers(0, 600), st.integers(0, 600), st.integers(0, 600), st.integers(0, 600)).filter(
    lambda c: c[0] + c[1] > 1 and c[2] + c[3] > 1 and 0 < c[0] + c[2] < sum(c)
)
means = st.builds(
    lambda m, c, v, w, df: TComparison(m, c, v, w, 0.0, df, "welch"),
    st.floats(-5, 5),
    st.floats(-5, 5).filter(lambda c: abs(c) > 1e-6),
    st.floats(1e-4, 2),
    st.floats(1e-4, 2),
    st.floats(2, 1e5),
)
scores = shares.map(lambda c: ScoreComparison(c[0], c[0] + c[1], c[2], c[2] + c[3]))
levels = st.floats(1e-6, 0.6)


def agree(comparison, level):
    p = comparison.p_value
    assert 0 <= p <= 1
    low, high = comparison.interval(1 - level)
    assert low <= comparison.difference <= high
    if abs(p - level) > CLOSE:
        assert (p < level) == excludes_zero(low, high)
    lift = comparison.lift(1 - level)
    if lift is not None:
        assert lift[1].low <= lift[0] <= lift[1].high
        if abs(p - level) > CLOSE:
            assert (p < level) == excludes_zero(*lift[1])


@settings(max_examples=150, deadline=None)
@given(fixed=st.one_of(means, scores), n=st.floats(4, 1e6), level=levels)
def test_always_valid_p_interval_and_lift_are_one_statement_at_every_level(fixed, n, level):
    sequence = always_valid(DESIGN, "B", fixed, n)
    if sequence is not None:
        agree(sequence, level)


@settings(max_examples=150, deadline=None)
@given(fixed=st.one_of(means, scores), level=levels, taken=st.integers(1, 4))
def test_repeated_p_interval_and_lift_are_one_statement_at_every_level(fixed, level, taken):
    plan = Looks("lan-demets-obrien-fleming", (0.25, 0.5, 0.75, 1.0))
    look = repeated_look(plan, (0.26, 0.55, 0.75, 1.1)[:taken], final=taken == 4)
    agree(LookComparison(fixed, look), level)


@settings(max_examples=60, deadline=None)
@given(fixed=st.one_of(means, scores), level=levels, lift=st.sampled_from([None, 0.05, 1.0]))
def test_posterior_tail_interval_and_lift_are_one_statement_at_every_level(fixed, level, lift):
    side = Comoments(50.0, 50.0, 50.0, np.array([1.0]), np.array([[1.0]]))
    found = believed(fixed, Prior(lift=lift), PairMoments(side, side), "mean")
    if found is not None and not isinstance(found, NotTested):
        agree(found, level)


def test_an_always_valid_share_is_the_formula_on_unpooled_variances():
    fixed = ScoreComparison(300, 2000, 240, 1990)
    found = always_valid(DESIGN, "B", fixed, 3990)
    p, q = 300 / 2000, 240 / 1990
    error = math.sqrt(p * (1 - p) / 2000 + q * (1 - q) / 1990)
    rho2 = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 4000
    v = 3990 * rho2
    half = error * math.sqrt((v + 1) / v * math.log((v + 1) / 0.05**2))
    assert found.standard_error == pytest.approx(error)
    assert found.interval(0.95) == pytest.approx((p - q - half, p - q + half))
    z = (p - q) / error
    assert found.p_value == pytest.approx(min(1, math.sqrt(v + 1) * math.exp(-v * z**2 / (2 * (v + 1)))))
    assert found.fixed is fixed


def test_without_a_plan_a_sequence_is_tuned_to_five_thousand_units():
    fixed = TComparison(1.2, 1.0, 0.01, 0.01, 0.0, 900.0, "welch")
    bare = always_valid(Design("x", "A", {"A": 1, "B": 1}), "B", fixed, 5000)
    half = bare.interval(0.95).high - bare.difference
    assert half / bare.standard_error == pytest.approx(3.035, abs=0.001)


def test_few_clusters_widen_a_sequence():
    many = TComparison(1.2, 1.0, 0.01, 0.01, 0.0, 1e6, "cluster-robust t")
    few = TComparison(1.2, 1.0, 0.01, 0.01, 0.0, 12.0, "cluster-robust t")
    widths = [np.diff(always_valid(DESIGN, "B", one, 3000).interval(0.95))[0] for one in (many, few)]
    assert widths[1] / widths[0] == pytest.approx(stats.t.isf(stats.norm.sf(3.0352), 12) / 3.0352, abs=1e-3)


# --- from units to a scorecard -------------------------------------------------------------------------------------


def stream(days=20, daily=100, effect=0.0, seed=1, arms=("A", "B")):
    """Normal values of as many units of each arm every day."""
    rng = np.random.default_rng(seed)
    values = {arm: rng.normal(effect * (arm != "A"), 1.0, days * daily) + 2 for arm in arms}
    numbers = {arm: np.repeat(np.arange(days), daily) for arm in arms}
    return moments("mean", values, days=numbers)


def analysed(found, **planned):
    metric = MetricDesign("m", "mean")
    return card([metric], [MetricAggregates("m", found)], **planned)


GROUP = {"stopping": "group-sequential", "looks": (0.25, 0.5, 0.75, 1.0), "planned_units": 4000}


def test_a_look_is_on_the_units_of_the_day_its_share_was_reached():
    answer = analysed(stream(days=12), **GROUP)  # 2,400 of 4,000: looks at 1,000 and 2,000
    row = answer.rows[0]
    assert (row.n, row.n_control) == (1000, 1000)
    assert "look 2 of 4" in answer.decision.sentence
    assert "The next look is at 3,000 units" in answer.decision.sentence
    assert "group-sequential" in row.test


def test_before_the_first_look_nothing_is_tested():
    answer = analysed(stream(days=3), **GROUP)
    row = answer.rows[0]
    assert row.status == "immature"
    assert row.p_value is None
    assert "the first look is at 1,000 units" in row.reason


def test_without_an_end_the_last_look_is_when_the_plan_is_reached_and_later_units_do_not_move_it():
    found = stream(days=26)
    at_plan, later = (analysed(one, **GROUP).rows[0] for one in (found.until(date(2026, 1, 20)), found))
    assert at_plan.n == 2000
    assert (later.n, later.p_value, later.ci_low) == (at_plan.n, at_plan.p_value, at_plan.ci_low)


def test_with_an_end_the_last_look_waits_for_it_and_takes_everybody():
    waiting = analysed(stream(days=24), ended=False, **GROUP)
    assert waiting.rows[0].n == 1500
    assert "the last one, at the planned end" in waiting.decision.sentence
    over = analysed(stream(days=24), ended=True, **GROUP)
    assert over.rows[0].n == 2400
    assert "look 4 of 4" in over.decision.sentence
    early = analysed(stream(days=13), ended=True, **GROUP)
    assert early.rows[0].n == 1300
    state = reached(design([], **GROUP, ended=True), stream(days=13))
    assert state.fractions == (0.25, 0.5, 0.65)
    assert state.final


def test_looks_on_one_day_are_one_look():
    state = reached(design([], **GROUP), stream(days=2, daily=700))
    assert state.planned == (0.25, 0.5)
    assert reached(design([], **GROUP), stream(days=1, daily=1200)).planned == (0.5,)


def test_without_days_a_look_stands_on_all_units():
    rng = np.random.default_rng(2)
    found = moments("mean", {arm: rng.normal(2, 1, 1100) for arm in "AB"})
    row = analysed(found, **GROUP).rows[0]
    assert row.n == 1100
    assert row.status == "ok"


def test_a_crossing_keeps_its_day():
    for stopping in ({"stopping": "always-valid", "planned_units": 4000}, GROUP):
        answer = analysed(stream(effect=0.25), **stopping)
        row = answer.rows[0]
        days = [day for day in answer.days if day.ci_low is not None]
        outside = [day.day for day in days if excludes_zero(day.ci_low, day.ci_high)]
        assert row.first_crossing == outside[0]
        assert row.first_crossing < date(2026, 1, 20)
    assert analysed(stream(effect=0.25)).rows[0].first_crossing is None


@pytest.mark.parametrize("stopping", ["fixed", "always-valid", "bayesian"])
def test_the_last_day_is_the_record_and_both_readings_stand_beside_it(stopping):
    answer = analysed(stream(effect=0.1), stopping=stopping, planned_units=4000)
    row, last = answer.rows[0], answer.days[-1]
    assert (last.ci_low, last.ci_high) == pytest.approx((row.ci_adjusted_low, row.ci_adjusted_high))
    assert last.p_value == pytest.approx(row.p_value)
    once = analysed(stream(effect=0.1)).rows[0]
    assert last.fixed_p_value == pytest.approx(once.p_value)
    assert last.fixed_ci_low == pytest.approx(once.ci_low)
    assert last.always_valid_ci_low < last.fixed_ci_low
    for day in answer.days:
        assert day.crossed == (day.always_valid_p_value < 0.05)


def test_group_sequential_days_answer_on_looks_only():
    answer = analysed(stream(), **GROUP)
    shown = [day.day for day in answer.days if day.ci_low is not None]
    assert len(shown) == 4
    assert all(day.fixed_ci_low is not None for day in answer.days)


def test_looking_daily_costs_what_the_days_say():
    answer = analysed(stream(days=10))
    cost = peeking(answer.days, 0.05)
    assert cost.looks == 10
    assert cost.false_alarm == pytest.approx(0.193, abs=6e-4)
    assert "19.3%" in cost.sentence
    assert peeking([], 0.05) is None


def test_looks_say_what_they_spent_and_what_may_still_come():
    found = MetricAggregates("m", stream(days=12, effect=0.05))
    metric = MetricDesign("m", "mean", smallest_difference=0.1)
    rows = list(look_rows(design([metric], **GROUP), metric, found, {("m", "B", "unadjusted"): 0.95}))
    assert [row.state for row in rows] == ["taken", "taken", "next", "later"]
    assert [row.fraction for row in rows] == [0.25, 0.5, None, None]
    assert [row.n for row in rows] == [500, 1000, None, None]
    assert rows[-1].alpha_spent == pytest.approx(0.05)
    assert rows[0].boundary == pytest.approx(4.333, abs=1e-3)  # gsDesign, four looks
    assert rows[0].power_as_it_goes is not None
    assert rows[0].power_if_it_matters > 0.3
    assert rows[2].p_value is None
    for row in rows[:2]:
        assert (row.p_value < 0.05) == row.crossed == (abs(row.statistic) > row.boundary)


# --- beliefs -------------------------------------------------------------------------------------------------------


def test_shares_are_beta_and_flat_means_are_students():
    side = Comoments(50.0, 50.0, 50.0, np.array([1.0]), np.array([[1.0]]))
    two = PairMoments(side, side)
    found = believed(ScoreComparison(56, 70, 48, 80), Prior(), two, "proportion")
    assert isinstance(found, PosteriorComparison)
    assert found.mean == pytest.approx(57 / 72)
    rng = np.random.default_rng(1)
    draws = rng.beta(57, 15, 200_000) > rng.beta(49, 33, 200_000)
    assert found.chance_above == pytest.approx(draws.mean(), abs=0.001)
    fixed = TComparison(1.2, 1.0, 0.01, 0.01, 0.0, 9.0, "welch")
    flat = believed(fixed, Prior(), two, "mean")
    assert flat.p_value == pytest.approx(fixed.p_value)
    assert flat.interval(0.9) == pytest.approx(fixed.interval(0.9))
    assert flat.lift(0.9)[1] == pytest.approx(fixed.lift(0.9)[1])


def test_a_prior_on_lifts_is_the_joint_normal_posterior():
    fixed = TComparison(1.3, 1.0, 0.02, 0.01, 0.002, 1e6, "welch")
    side = Comoments(50.0, 50.0, 50.0, np.array([1.0]), np.array([[1.0]]))
    found = believed(fixed, Prior(lift=0.1), PairMoments(side, side), "mean")
    # precision of (control, difference): data, then a normal prior on the difference
    to = np.array([[1.0, 0.0], [-1.0, 1.0]])  # (control, arm) -> (control, difference)
    data = to @ np.array([[0.01, 0.002], [0.002, 0.02]]) @ to.T
    told = np.linalg.inv(data)
    covariance = np.linalg.inv(told + np.diag([0.0, 1 / 0.1**2]))
    centre = covariance @ told @ np.array([1.0, 0.3])
    assert (found.mean_control, found.difference) == pytest.approx(tuple(centre))
    assert found.moments.variance_control == pytest.approx(covariance[0, 0])
    assert found.standard_error == pytest.approx(math.sqrt(covariance[1, 1]))
    assert found.moments.covariance == pytest.approx(covariance[0, 0] + covariance[0, 1])


def test_counts_are_gamma_only_where_they_vary_as_poisson_counts_do():
    rng = np.random.default_rng(4)
    calm = moments("mean", {arm: rng.poisson(2, 800).astype(float) for arm in "AB"})
    wild = moments("mean", {arm: rng.negative_binomial(1, 0.3, 800).astype(float) for arm in "AB"})
    fixed = TComparison(2.1, 2.0, 0.003, 0.003, 0.0, 1e3, "welch")
    models = [believed(fixed, Prior(), pair(found, "B", "A"), "count").test for found in (calm, wild)]
    assert models == ["gamma-Poisson posterior", "normal posterior"]


def test_chances_of_all_arms_add_up_and_losses_rank_them():
    found = MetricAggregates("m", stream(effect=0.1, arms=("A", "B", "C")))
    metric = MetricDesign("m", "mean")
    for prior in (Prior(), Prior(lift=0.05)):
        rows = list(chance_rows(design([metric], ("A", "B", "C"), prior=prior), metric, found, 0.95))
        assert [row.variant for row in rows] == ["A", "B", "C"]
        assert sum(row.chance_best for row in rows) == pytest.approx(1.0, abs=1e-6)
        assert rows[0].chance_to_beat is None
        best = max(rows, key=lambda row: row.chance_best)
        assert best.expected_loss == min(row.expected_loss for row in rows)
        assert rows[0].expected_loss - rows[1].expected_loss == pytest.approx(
            rows[1].mean - rows[0].mean, abs=0.01
        )


def test_less_is_better_turns_chances():
    found = MetricAggregates("m", stream(effect=0.2))
    up, down = (
        list(chance_rows(design([metric]), metric, found, 0.95))[1]
        for metric in (MetricDesign("m", "mean"), MetricDesign("m", "mean", "down"))
    )
    assert up.chance_to_beat + down.chance_to_beat == pytest.approx(1.0)
    assert up.chance_best > 0.99
    assert down.expected_loss == pytest.approx(up.difference, rel=1e-3)


def test_an_arm_that_cannot_be_tested_says_why():
    found = MetricAggregates("m", moments("mean", {"A": np.arange(5.0), "B": np.ones(1)}))
    metric = MetricDesign("m", "mean")
    control, arm = chance_rows(design([metric]), metric, found, 0.95)
    assert control.chance_best is None
    assert arm.status == "too_few"
    assert arm.reason


def test_a_prior_is_above_0():
    assert prior_of() is None
    assert prior_of(0.1) == Prior(lift=0.1)
    for wrong in (-1.0, 0.0, 1e-300, float("nan"), float("inf")):
        with pytest.raises(ExperimentError, match="above 0"):
            prior_of(wrong)


def test_a_prior_on_lifts_says_nothing_where_the_control_has_none():
    fixed = TComparison(1.3, 0.0, 0.02, 0.0, 0.0, 50.0, "welch")
    side = Comoments(50.0, 50.0, 50.0, np.array([1.0]), np.array([[1.0]]))
    found = believed(fixed, Prior(lift=0.1), PairMoments(side, side), "mean")
    assert isinstance(found, NotTested)
    assert "control mean is 0" in found.reason
    assert (found.mean, found.mean_control) == (1.3, 0.0)


def test_totals_alone_are_rates_under_every_rule():
    fixed = RateComparison(Rates(130.0, 1000.0, 100.0, 1000.0))
    sequence = always_valid(DESIGN, "B", fixed, 2000)
    assert sequence.standard_error == pytest.approx(math.sqrt(130 + 100) / 1000)
    side = Comoments(1000.0, 1000.0, 1000.0, np.array([0.1]), np.array([[0.0]]))
    found = believed(fixed, Prior(), PairMoments(side, side), "count")
    closed = special.betainc(100.5, 130.5, 1000 / 2000)
    assert found.chance_above == pytest.approx(closed)
    for comparison in (sequence, found):
        agree(comparison, 0.05)


def test_a_quantile_has_no_sequence_and_says_so():
    found = MetricAggregates("m", stream())
    fixed = TComparison(1.2, 1.0, 0.01, 0.01, 0.0, 900.0, "quantile")
    metric = MetricDesign("m", "quantile", quantile=0.9)
    two = pair(found.moments, "B", "A")
    refused = held(design([metric], stopping="always-valid"), metric, found, ("B", two), fixed)
    assert isinstance(refused, NotTested)
    assert "quantile" in refused.reason
