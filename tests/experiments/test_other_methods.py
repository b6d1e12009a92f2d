"""Every method by name: against scipy and statsmodels, and p, interval and lift of one method never contradict."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans

from analytics.aggregates.arms import ArmMoments, ExperimentAggregates, MetricAggregates, Split, UnitValues
from analytics.errors import ExperimentError
from analytics.experiments.design import MetricDesign
from analytics.experiments.method_rows import kind_rows, method_rows, other_rows
from analytics.experiments.method_words import METHODS, default_method, require_method, suiting
from tests.experiments.arms import card, design, moments

KINDS = ("mean", "count", "proportion", "ratio", "retention", "funnel", "quantile")


def rng():
    return np.random.default_rng(7)


def found(kind, values, *, clusters=None):
    flat = {
        arm: np.asarray(table, float).reshape(len(table), 2 if kind == "ratio" else 1)
        for arm, table in values.items()
    }
    of = np.concatenate([np.full(len(table), arm) for arm, table in flat.items()])
    single = UnitValues(of, np.concatenate(list(flat.values())), len(of))
    return MetricAggregates("m", moments(kind, values, clusters=clusters), values=single)


def by_method(kind, values, *, clusters=None, confidence=0.95, **planned):
    arms = tuple(values)
    metric = MetricDesign("m", kind)
    rows = method_rows(
        design([metric], arms, **planned), metric, found(kind, values, clusters=clusters), confidence
    )
    return {(row.method, row.variant): row for row in rows}


MEANS = {"A": rng().exponential(10, 60), "B": rng().exponential(13, 45)}
SHARES = {"A": np.repeat([1.0, 0.0], [48, 32]), "B": np.repeat([1.0, 0.0], [56, 14])}
COUNTS = {"A": rng().poisson(2.0, 80).astype(float), "B": rng().poisson(2.6, 70).astype(float)}
RATIOS = {
    arm: np.column_stack([rng().poisson(3, 50), rng().poisson(9, 50) + i + 1]) for i, arm in enumerate("AB")
}


def test_means_agree_with_scipy_and_statsmodels():
    rows = by_method("mean", MEANS)
    arm, control = MEANS["B"], MEANS["A"]
    compared = CompareMeans.from_data(arm, control)
    for name, how in (("welch", "unequal"), ("student", "pooled")):
        row = rows[name, "B"]
        statistic, p, df = compared.ttest_ind(usevar=how)
        assert (row.statistic, row.p_value, row.df) == pytest.approx((statistic, p, df))
        assert (row.ci_low, row.ci_high) == pytest.approx(compared.tconfint_diff(usevar=how))
    whitney = stats.mannwhitneyu(arm, control, method="asymptotic")
    assert rows["mann-whitney", "B"].p_value == pytest.approx(whitney.pvalue)
    assert rows["mann-whitney", "B"].difference == pytest.approx(np.median(np.subtract.outer(arm, control)))

    def t_of(x, y, axis):
        return stats.ttest_ind(x, y, axis=axis, equal_var=False).statistic

    t = stats.permutation_test((arm, control), t_of, vectorized=True, n_resamples=4000, rng=1)
    assert rows["permutation", "B"].p_value == pytest.approx(t.pvalue, abs=0.03)
    assert rows["permutation", "B"].ci_low is None


def test_shares_agree_with_scipy_and_statsmodels():
    rows = by_method("proportion", SHARES)
    table = [[56, 14], [48, 32]]
    assert rows["pooled-z", "B"].p_value == pytest.approx(proportions_ztest([56, 48], [70, 80])[1])
    assert rows["fisher", "B"].p_value == pytest.approx(stats.fisher_exact(table).pvalue)
    assert rows["boschloo", "B"].p_value == pytest.approx(stats.boschloo_exact(np.transpose(table)).pvalue)
    assert rows["barnard", "B"].p_value == pytest.approx(stats.barnard_exact(np.transpose(table)).pvalue)
    over = rows["chi-squared", None]
    assert over.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert (over.n, over.difference, over.df) == (150, None, 1)
    z = rows["z", "B"]
    error = math.sqrt(0.8 * 0.2 / 70 + 0.6 * 0.4 / 80)
    assert z.statistic == pytest.approx(0.2 / error)
    assert (z.ci_low, z.ci_high) == pytest.approx((0.2 - 1.959964 * error, 0.2 + 1.959964 * error), rel=1e-6)
    # Newcombe (1998), table II, method 10
    newcombe = rows["newcombe", "B"]
    assert (newcombe.ci_low, newcombe.ci_high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_counts_agree_with_scipy_and_say_when_events_hang_together():
    rows = by_method("count", COUNTS)
    events, events_control = int(COUNTS["B"].sum()), int(COUNTS["A"].sum())
    assert rows["e-test", "B"].p_value == stats.poisson_means_test(events, 70, events_control, 80).pvalue
    tail = stats.binomtest(events, events + events_control, 70 / 150, alternative="greater").pvalue
    assert rows["poisson-exact", "B"].p_value == pytest.approx(2 * tail)
    assert rows["poisson", "B"].warnings is None
    clumped = {arm: 4 * rng().poisson(0.6, 80).astype(float) for arm in "AB"}
    assert "hang together (variance / mean" in by_method("count", clumped)["poisson", "B"].warnings
    assert by_method("count", clumped)["welch", "B"].warnings is None


@pytest.mark.parametrize(
    "kind,values", [("mean", MEANS), ("proportion", SHARES), ("count", COUNTS), ("ratio", RATIOS)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_no_method_contradicts_itself(kind, values, confidence):
    rows = by_method(kind, values, confidence=confidence)
    assert len(rows) >= 5
    for row in rows.values():
        assert row.status == "ok", row
        assert 0 <= row.p_value <= 1
        intervals = METHODS[row.method].intervals
        # with many ties ranks have no shift that says what they say
        if row.method != "mann-whitney":
            assert (row.ci_low is not None) == ("difference" in intervals)
        if row.ci_low is not None:
            assert (row.ci_low > 0 or row.ci_high < 0) == (row.p_value < 1 - confidence)
            assert row.ci_low <= row.difference <= row.ci_high
        if "lift" in intervals and row.lift is not None:
            assert (row.lift_ci_low > 0 or row.lift_ci_high < 0) == (row.p_value < 1 - confidence)
            assert row.lift_ci_low <= row.lift <= row.lift_ci_high
        if "lift" not in intervals:
            assert row.lift_ci_low is None


def test_a_method_for_other_kinds_says_which_ones_there_are():
    planned = design([MetricDesign("m", "mean")], methods=("fisher", "z"))
    read = ExperimentAggregates(Split({"A": 60, "B": 45}), (found("mean", MEANS),))
    rows = other_rows(planned, read, 0.95)
    assert [row.status for row in rows] == ["undefined"] * 2
    assert "this metric is a mean: ask for welch" in rows[0].reason
    assert all(value is None for value in (rows[0].p_value, rows[0].ci_low, rows[0].difference))
    with pytest.raises(ExperimentError, match='did you mean "newcombe"'):
        require_method("newcomb")


def test_methods_that_ignore_clusters_are_warned_about():
    clusters = {arm: np.arange(len(values)) // 5 for arm, values in MEANS.items()}
    rows = by_method("mean", MEANS, clusters=clusters)
    assert next(iter(rows))[0] == "cluster-robust"
    assert rows["cluster-robust", "B"].is_default
    assert rows["cluster-robust", "B"].warnings is None
    for name in ("welch", "student", "mann-whitney", "permutation", "delta-lift"):
        assert "they come in clusters" in rows[name, "B"].warnings
    alone = by_method("mean", MEANS)
    assert ("cluster-robust", "B") not in alone


def test_the_default_says_what_the_scorecard_says():
    for kind, values in (("mean", MEANS), ("proportion", SHARES), ("ratio", RATIOS), ("count", COUNTS)):
        row = next(row for row in by_method(kind, values).values() if row.is_default)
        usual = card([MetricDesign("m", kind)], [found(kind, values)], test_split=False).rows[0]
        assert (row.p_value, row.ci_low, row.lift_ci_high) == (
            usual.p_value,
            usual.ci_low,
            usual.lift_ci_high,
        )
        assert row.why_default


def test_nothing_to_compare_is_a_reason_and_no_number():
    empty = by_method("mean", {"A": np.zeros(0), "B": np.ones(3)})
    assert {row.status for row in empty.values()} <= {"no_data", "too_few"}
    same = by_method("proportion", {"A": np.zeros(5), "B": np.zeros(9)})
    assert {row.status for row in same.values()} == {"undefined"}
    constant = by_method("mean", {"A": np.ones(5), "B": np.ones(9)})
    assert {row.status for row in constant.values()} == {"undefined"}
    for row in [*empty.values(), *same.values(), *constant.values()]:
        assert row.p_value is None
        assert row.reason


def test_without_single_units_ranks_are_refused():
    metric = MetricDesign("m", "mean")
    rows = method_rows(design([metric]), metric, MetricAggregates("m", moments("mean", MEANS)), 0.95)
    whitney = next(row for row in rows if row.method == "mann-whitney")
    assert (whitney.status, "single units" in whitney.reason) == ("undefined", True)


def test_every_kind_has_a_default_with_a_reason_and_every_method_a_sentence():
    for kind in KINDS:
        rows = kind_rows(kind)
        assert rows[0].method == default_method(kind)
        assert rows[0].is_default
        assert rows[0].why_default
        assert sum(row.is_default_with_clusters for row in rows) == 1
        assert suiting(kind)[0].name == rows[0].method
    for method in METHODS.values():
        assert method.when.endswith(".")


def test_other_methods_stand_outside_the_family():
    values = {"A": MEANS["A"], "B": MEANS["B"], "C": MEANS["B"] + 1}
    metrics = [MetricDesign("m", "mean")]
    read = ExperimentAggregates(Split({arm: len(x) for arm, x in values.items()}), (found("mean", values),))
    rows = other_rows(design(metrics, ("A", "B", "C"), methods=("student",)), read, 0.95)
    assert [(row.variant, row.p_adjusted, row.badge) for row in rows] == [
        ("B", None, None),
        ("C", None, None),
    ]


def test_pairs_are_compared_pair_by_pair_and_the_others_say_that_they_do_not():
    common = rng().normal(0, 3, 40)
    arm, control = common + rng().normal(0.5, 1, 40), common + np.random.default_rng(8).normal(0, 1, 40)
    values = {"A": control, "B": arm}
    both = ArmMoments.from_values(("value", "value"), {"B": np.column_stack([arm, control])})
    metric = MetricDesign("m", "mean")
    read = replace(found("mean", values), pairs=both)
    rows = {row.method: row for row in method_rows(design([metric]), metric, read, 0.95)}
    expected = stats.ttest_rel(arm, control)
    assert next(iter(rows)) == "paired"
    assert rows["paired"].is_default
    assert rows["paired"].p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (rows["paired"].ci_low, rows["paired"].ci_high) == pytest.approx((interval.low, interval.high))
    assert "takes pairs apart" in rows["welch"].warnings
    assert rows["welch"].p_value > 2 * rows["paired"].p_value
