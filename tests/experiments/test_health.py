"""The split, what was left out, and the warnings that stand with a comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analytics.aggregates.arms import MetricAggregates, Split
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card, moments, one

RNG = np.random.default_rng(40)
VALUES = {arm: RNG.normal(5, 1, 500) for arm in "AB"}
METRIC = MetricDesign("m", "mean")


def aggregates(**changes):
    return replace(MetricAggregates("m", moments("mean", VALUES)), **changes)


def scorecard(split=None, *, metric=METRIC, found=None, **options):
    return card([metric], [found or aggregates()], split=split, **options)


def srm(split, **options):
    return scorecard(split, **options).health.srm


def test_the_split_is_tested_by_chi_squared():
    row = srm(Split({"A": 510, "B": 490}), shares={"A": 2.0, "B": 2.0})
    expected = stats.chisquare([510, 490])
    assert (row.statistic, row.p_value, row.df) == pytest.approx((expected.statistic, expected.pvalue, 1))
    assert (row.metric, row.variant, row.method, row.status) == ("srm", None, "chi-squared", "ok")
    assert row.n == 1000


def test_it_is_the_last_row_and_the_health():
    answer = scorecard()
    assert answer.rows[-1] is answer.health.srm
    assert [row.metric for row in answer.headline_rows()] == ["m"]


def test_planned_shares_are_normalised_and_shown():
    arms = scorecard(Split({"A": 300, "B": 90}), shares={"A": 6.0, "B": 2.0}).health.arms
    assert [(arm.variant, arm.planned_share, arm.n, arm.expected) for arm in arms] == [
        ("A", 0.75, 300, 292.5),
        ("B", 0.25, 90, 97.5),
    ]


def test_an_arm_planned_without_units_costs_no_degree_of_freedom():
    answer = scorecard(
        Split({"A": 500, "B": 500, "C": 3}), arms=("A", "B", "C"), shares={"A": 1.0, "B": 1.0, "C": 0.0}
    )
    assert answer.health.srm.df == 1
    assert "C should get no units but got some" in answer.health.srm.warnings


def test_a_broken_split_blocks_the_verdict_and_marks_every_row():
    answer = scorecard(
        Split({"A": 5000, "B": 5400}),
        found=aggregates(moments=moments("mean", {**VALUES, "B": VALUES["B"] + 1})),
    )
    assert answer.rows[0].ci_adjusted_low > 0
    assert answer.rows[0].badge is None
    assert answer.decision.call == "invalid"
    assert answer.decision.sentence.startswith("No verdict: the split is not as planned: ")
    assert "5,000 where 5,200 were expected" in answer.decision.sentence
    assert "no difference can be trusted" in answer.rows[0].warnings
    assert "not as planned" in answer.health.srm.warnings


def test_a_split_within_chance_is_no_alarm():
    answer = scorecard(Split({"A": 5000, "B": 5200}))
    assert answer.health.srm.p_value < 0.05
    assert answer.health.srm.warnings is None
    assert answer.decision.call != "invalid"


def test_clusters_are_counted_where_they_were_randomised():
    health = scorecard(Split({"A": 900, "B": 100}, clusters={"A": 30, "B": 32}, n_clusters=62)).health
    assert (health.counted, health.n_units, health.n_clusters) == ("clusters", 1000, 62)
    assert [arm.n for arm in health.arms] == [30, 32]
    assert health.srm.p_value > 0.5


@pytest.mark.parametrize(
    "split,shares,status",
    [
        ({"A": 4, "B": 3}, None, "too_few"),
        ({"A": 0, "B": 0}, None, "no_data"),
        ({"A": 40, "B": 0}, {"A": 1.0, "B": 0.0}, "undefined"),
    ],
)
def test_a_split_that_cannot_be_tested(split, shares, status):
    row = srm(Split(split), shares=shares)
    assert (row.status, row.p_value, row.statistic) == (status, None, None)
    assert row.reason


def test_multiple_exposure_is_told_from_one_percent():
    few = scorecard(Split({"A": 5000, "B": 5000}, n_multiple=99)).health
    assert few.notes == ()
    many = scorecard(Split({"A": 5000, "B": 5000}, n_multiple=100)).health
    assert "100 units (1%) saw more than one arm" in many.notes[0]
    assert "unequal" not in many.notes[0]
    uneven = scorecard(Split({"A": 9000, "B": 1000}, n_multiple=100), shares={"A": 9.0, "B": 1.0})
    assert "would bias arms of unequal size" in uneven.health.notes[0]
    assert "saw more than one arm" in uneven.health.srm.warnings


def test_what_was_left_out_is_told():
    split = Split(
        {"A": 500, "B": 500},
        n_unknown=7,
        unknown=(("b", 5), ("", 2)),
        n_outside=3,
        n_before_start=1,
        n_rows_left_out=1,
    )
    found = aggregates(
        n_rows_left_out=4,
        caps={"value": (None, 12.5)},
        moments=replace(aggregates().moments, missing={"A": 2, "B": 1}),
    )
    notes = "\n".join(scorecard(split, found=found).health.notes)
    assert "7 units of arms that are not declared (b (5), " in notes
    assert "1 exposure before the start and 2 after the end do not count" in notes
    assert "1 row that has no unit or no time" in notes
    assert "m: 3 units without a value" in notes
    assert "m: 4 rows whose value is no finite number" in notes
    assert "m: values above 12.5 are set to that" in notes


def test_missing_values_are_counted_and_told_where_arms_differ():
    table = aggregates().moments
    alike = scorecard(found=aggregates(moments=replace(table, missing={"A": 50, "B": 55}))).rows[0]
    assert (alike.n_missing, alike.warnings) == (105, None)
    uneven = scorecard(found=aggregates(moments=replace(table, missing={"A": 50, "B": 150}))).rows[0]
    assert "missing in unequal shares (23.1% in B and 9.1% in A)" in uneven.warnings


def test_open_windows_and_imputed_covariates_are_told():
    covariate = {arm: own + RNG.normal(0, 1, 500) for arm, own in VALUES.items()}
    joined = {arm: np.column_stack([VALUES[arm], covariate[arm]]) for arm in VALUES}
    found = aggregates(with_covariate=moments("mean", joined, covariate=True), n_imputed=12, n_open_window=34)
    answer = scorecard(metric=replace(METRIC, has_covariate=True), found=found)
    plain, adjusted = answer.rows[:2]
    assert plain.warnings == "the window of 34 units had not closed at the end of the logs"
    assert "12 units without a value from before got the mean of the others" in adjusted.warnings
    assert answer.health.n_open_window == 34


def test_few_clusters_and_small_arms_are_told():
    rng = np.random.default_rng(3)
    values = {"A": rng.normal(5, 1, 300), "B": rng.normal(5, 1, 80)}
    for groups, told in ((29, True), (30, False)):
        clusters = {arm: np.arange(len(own)) % groups for arm, own in values.items()}
        warnings = one("mean", values, clusters=clusters, test_split=False).rows[0].warnings
        assert ("only 29 clusters" in warnings) == told
        assert "only 80 units in B" in warnings


def test_bins_are_shares_of_the_arm():
    found = aggregates(bins={"A": np.array([1, 3, 0]), "B": np.array([0, 0, 0])}, edges=np.array([2.0, 5.0]))
    bins = scorecard(found=found).bins
    assert [(one_.variant, one_.low, one_.high, one_.n, one_.share) for one_ in bins] == [
        ("A", None, 2.0, 1, 0.25),
        ("A", 2.0, 5.0, 3, 0.75),
        ("A", 5.0, None, 0, 0.0),
    ]
