"""Where nothing can be tested a row says why, shows what is known, and tests nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analytics.aggregates.arms import MetricAggregates, UnitValues
from analytics.experiments.design import MetricDesign
from analytics.experiments.rows import TypedArm
from analytics.experiments.skew import skewness_of_difference
from analytics.experiments.typed import compare_counts, compare_means
from analytics.results import record
from tests.experiments.arms import UTC, card, moments, one

TESTED = (
    "difference",
    "standard_error",
    "statistic",
    "df",
    "ci_low",
    "ci_high",
    "p_value",
    "p_adjusted",
    "ci_adjusted_low",
    "ci_adjusted_high",
    "lift",
    "lift_ci_low",
    "lift_ci_high",
    "lift_ci_adjusted_low",
    "lift_ci_adjusted_high",
    "chance_to_beat",
    "badge",
)
RNG = np.random.default_rng(0)
SOME = RNG.normal(3, 1, 40)
RATIO = np.column_stack([SOME, SOME + 5])


def check_untested(row, status, word):
    assert row.status == status
    assert word in row.reason
    assert [name for name in TESTED if getattr(row, name) is not None] == []


def every_number_is_one(scorecard):
    for row in (*scorecard.rows, *scorecard.arms, *scorecard.days, *scorecard.bins):
        record(row, UTC)
    assert "nan" not in scorecard.decision.sentence
    assert "None" not in scorecard.decision.sentence


CASES = {
    "an empty arm": ("mean", {"A": SOME, "B": SOME[:0]}, "no_data", "the arm has no units"),
    "an empty control": ("mean", {"A": SOME[:0], "B": SOME}, "no_data", "the control has no units"),
    "two empty arms": ("mean", {"A": SOME[:0], "B": SOME[:0]}, "no_data", "both arms have no units"),
    "one unit": ("mean", {"A": SOME, "B": SOME[:1]}, "too_few", "the arm has one unit only"),
    "one unit each": ("mean", {"A": SOME[:1], "B": SOME[:1]}, "too_few", "both arms have one unit"),
    "constants": ("mean", {"A": np.full(30, 0.1), "B": np.full(20, 0.3)}, "undefined", "same value"),
    "nobody": ("proportion", {"A": np.zeros(30), "B": np.zeros(20)}, "undefined", "no unit of either"),
    "everybody": ("proportion", {"A": np.ones(30), "B": np.ones(20)}, "undefined", "every unit of both"),
    "an empty share": ("proportion", {"A": np.ones(30), "B": np.ones(0)}, "no_data", "no units"),
    "one converted": ("proportion", {"A": np.zeros(30), "B": np.ones(1)}, "too_few", "one unit only"),
    "no denominators": ("ratio", {"A": RATIO, "B": RATIO * [1, 0]}, "undefined", "denominators"),
    "an empty ratio": ("ratio", {"A": RATIO, "B": RATIO[:0]}, "no_data", "no units"),
    "one ratio": ("ratio", {"A": RATIO, "B": RATIO[:1]}, "too_few", "one unit"),
    "a constant ratio": (
        "ratio",
        {"A": np.outer(SOME, [0.3, 1]), "B": np.outer(SOME, [0.7, 1])},
        "undefined",
        "same ratio",
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_state_is_named(case):
    kind, values, status, word = CASES[case]
    # arms of such sizes are no split of halves either, which would speak first
    scorecard = one(kind, values, test_split=False)
    check_untested(scorecard.rows[0], status, word)
    assert scorecard.decision.call == "unknown"
    assert word in scorecard.decision.sentence
    every_number_is_one(scorecard)


def test_known_means_stay_visible():
    row = one("mean", {"A": SOME, "B": SOME[:1]}).rows[0]
    assert (row.n, row.n_control) == (1, 40)
    assert (row.mean, row.mean_control) == pytest.approx((SOME[0], SOME.mean()))
    empty = one("mean", {"A": SOME, "B": SOME[:0]}).rows[0]
    assert (empty.n, empty.mean, empty.mean_control) == (0, None, pytest.approx(SOME.mean()))


def test_one_arm_without_variation_can_still_be_compared():
    row = one("mean", {"A": SOME, "B": np.full(25, 4.0)}).rows[0]
    assert row.status == "ok"
    assert row.df == pytest.approx(39)


def test_nobody_in_the_control_leaves_the_difference():
    row = one("proportion", {"A": np.zeros(300), "B": np.repeat([0.0, 1.0], [280, 20])}).rows[0]
    assert row.status == "ok"
    assert row.badge == "better"
    assert row.lift is row.lift_ci_low is row.lift_ci_adjusted_high is None
    assert "no lift" in row.reason


def test_nobody_in_the_arm_is_a_lift_of_minus_one():
    row = one("proportion", {"B": np.zeros(300), "A": np.repeat([0.0, 1.0], [280, 20])}).rows[0]
    assert (row.lift, row.lift_ci_low, row.badge) == (-1.0, -1.0, "worse")


def test_a_control_near_zero_leaves_the_difference():
    rng = np.random.default_rng(1)
    scorecard = one("mean", {"A": rng.normal(0, 1, 200), "B": rng.normal(1, 1, 200)})
    row = scorecard.rows[0]
    assert (row.status, row.lift, row.lift_ci_low) == ("ok", None, None)
    assert "told from 0" in row.reason
    assert scorecard.decision.call == "won"
    every_number_is_one(scorecard)


def test_a_negative_control_mean_rises_towards_zero():
    rng = np.random.default_rng(2)
    row = one("mean", {"A": rng.normal(-10, 1, 200), "B": rng.normal(-5, 1, 200)}).rows[0]
    assert row.lift == pytest.approx(0.5, abs=0.02)
    assert 0 < row.lift_ci_low < row.lift < row.lift_ci_high
    assert row.badge == "better"


def test_a_covariate_that_does_not_vary_leaves_the_unadjusted_row():
    values = {"A": SOME, "B": SOME + 1}
    scorecard = one("mean", values, covariate={"A": np.full(40, 0.1), "B": np.full(40, 0.1)})
    plain, adjusted = scorecard.rows[:2]
    check_untested(adjusted, "undefined", "covariate does not vary")
    assert plain.status == "ok"
    assert scorecard.headline_rows() == (plain,)
    assert scorecard.decision.call == "won"


def test_a_covariate_that_is_the_outcome_leaves_nothing():
    values = {"A": SOME, "B": RNG.normal(3, 1, 40)}
    scorecard = one("mean", values, covariate={arm: 3 * own + 1 for arm, own in values.items()})
    check_untested(scorecard.rows[1], "undefined", "nothing varies")


def test_covariate_denominators_of_zero():
    values = {"A": RATIO, "B": RATIO}
    scorecard = one("ratio", values, covariate={arm: own * [1, 0] for arm, own in values.items()})
    check_untested(scorecard.rows[1], "undefined", "covariate's denominators")


def test_a_share_that_is_none_says_what_to_declare():
    values = {"A": SOME, "B": SOME}
    found = MetricAggregates("m", replace(moments("mean", values), invalid=80))
    scorecard = card([MetricDesign("m", "proportion")], [found])
    check_untested(scorecard.rows[0], "undefined", 'kind = "mean"')
    every_number_is_one(scorecard)


@pytest.mark.parametrize("clusters", [{"A": 0, "B": 1}, {"A": 0, "B": 0}])
def test_one_cluster_an_arm_is_too_few(clusters):
    numbers = {arm: np.full(40, number) for arm, number in clusters.items()}
    row = one("mean", {"A": SOME, "B": SOME + 1}, clusters=numbers).rows[0]
    check_untested(row, "too_few", "one cluster only")
    assert row.test == "cluster-robust t"


def test_clusters_that_do_not_differ_are_undefined():
    values = np.tile([1.0, 2.0, 3.0], 10)
    numbers = np.repeat(np.arange(10), 3)
    row = one("mean", {"A": values, "B": values}, clusters={"A": numbers, "B": numbers + 10}).rows[0]
    check_untested(row, "undefined", "clusters do not differ")


def test_numbers_too_large_to_square():
    with np.errstate(over="ignore"):
        scorecard = one("mean", {"A": SOME * 1e200, "B": SOME})
    every_number_is_one(scorecard)
    check_untested(scorecard.rows[0], "undefined", "so large")


def test_an_arm_by_itself():
    scorecard = one("mean", {"A": SOME, "B": SOME[:1]})
    control, arm = scorecard.arms
    assert (control.variant, control.is_control, arm.is_control) == ("A", True, False)
    assert control.ci_low < control.mean < control.ci_high
    assert control.standard_deviation == pytest.approx(SOME.std(ddof=1))
    assert (arm.status, arm.mean, arm.ci_low) == ("too_few", SOME[0], None)


def test_typed_arms_without_units_or_variation():
    check_untested(compare_counts([TypedArm("B", 0, 0), TypedArm("A", 9, 3)], "A").rows[0], "no_data", "arm")
    arms = [TypedArm(name, 9, mean=1.0, standard_deviation=0.0) for name in "AB"]
    check_untested(compare_means(arms, "A").rows[0], "undefined", "same value")


def skewed(values):
    """Aggregates of one metric with everything that is known of its units."""
    table = np.concatenate([*values.values()])[:, None]
    units = UnitValues(np.repeat([*values], [len(given) for given in values.values()]), table, len(table))
    skewness = {arm: float(stats.skew(given, bias=False)) for arm, given in values.items()}
    return MetricAggregates("m", moments("mean", values), values=units, skewness=skewness)


@pytest.mark.parametrize("few, warned", [(10, True), (150, True), (100_000, False)])
def test_a_permutation_test_stands_beside_a_small_skewed_arm(few, warned):
    rng = np.random.default_rng(7)
    values = {"A": rng.exponential(1, 400_000) ** 2, "B": rng.exponential(1, few) ** 2}
    row = card([MetricDesign("m", "mean")], [skewed(values)]).rows[0]
    assert (row.permutation_p_value is not None) == warned
    assert ("permutation" in (row.warnings or "")) == warned
    assert ("only 10 units" in (row.warnings or "")) == (few == 10)


def test_the_skewness_of_a_difference_is_that_of_many_drawn_differences():
    rng = np.random.default_rng(3)
    values = {"A": rng.exponential(1, 200), "B": rng.exponential(2, 20)}
    found = replace(skewed(values), skewness={"A": 2.0, "B": 2.0})
    row = card([MetricDesign("m", "mean")], [found]).rows[0]
    drawn = rng.exponential(2, (20_000, 20)).mean(axis=1) - rng.exponential(1, (20_000, 200)).mean(axis=1)
    # the spreads are those of this sample, not of the population
    assert skewness_of_difference(row, found) == pytest.approx(stats.skew(drawn), rel=0.15)


def test_equal_arms_of_one_shape_cancel():
    values = np.random.default_rng(3).lognormal(0, 1, 300)
    found = skewed({"A": values, "B": values})
    row = card([MetricDesign("m", "mean")], [found]).rows[0]
    assert skewness_of_difference(row, found) == pytest.approx(0.0, abs=1e-12)
    assert row.permutation_p_value is None


def test_symmetric_values_need_no_permutation():
    rng = np.random.default_rng(7)
    values = {"A": rng.normal(1, 1, 400), "B": rng.normal(1, 1, 10)}
    units = UnitValues(np.repeat(["A", "B"], [400, 10]), np.concatenate([*values.values()])[:, None], 410)
    found = MetricAggregates("m", moments("mean", values), values=units)
    row = card([MetricDesign("m", "mean")], [found]).rows[0]
    assert row.permutation_p_value is None
    assert "only 10 units in B" in row.warnings
