"""Holm over what is shown: p-values and intervals of one family agree, guardrails stand alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.compare import compare
from analytics.experiments.design import MetricDesign
from analytics.experiments.pairs import pair
from analytics.stats.multiplicity import holm_levels
from tests.experiments.arms import card, excludes_zero, moments

ARMS = ("A", "B", "C", "D")


@pytest.fixture
def scorecard():
    rng = np.random.default_rng(31)
    shifts = {"A": 0.0, "B": 0.35, "C": 0.12, "D": 0.22}
    before = {arm: rng.gamma(2, 1, 200) for arm in ARMS}
    revenue = {arm: before[arm] + rng.normal(0, 1, 200) + shifts[arm] for arm in ARMS}
    bought = {arm: (rng.random(200) < 0.3 + shifts[arm] / 2).astype(float) for arm in ARMS}
    minutes = {arm: rng.normal(5, 1, 200) + shifts[arm] for arm in ARMS}
    latency = {arm: rng.normal(100, 10, 200) + 3 * shifts[arm] for arm in ARMS}
    joined = {arm: np.column_stack([revenue[arm], before[arm]]) for arm in ARMS}
    metrics = [
        MetricDesign("bought", "proportion"),
        MetricDesign("revenue", "mean", role="primary", has_covariate=True),
        MetricDesign("minutes", "mean", role="secondary"),
        MetricDesign("latency", "mean", "down", role="guardrail", margin=0.02),
    ]
    found = [
        MetricAggregates("bought", moments("proportion", bought)),
        MetricAggregates("revenue", moments("mean", revenue), moments("mean", joined, covariate=True)),
        MetricAggregates("minutes", moments("mean", minutes)),
        MetricAggregates("latency", moments("mean", latency)),
    ]
    return card(metrics, found, arms=ARMS), found


def test_the_family_that_is_shown_is_corrected_by_holm(scorecard):
    answer, _ = scorecard
    family = [row for row in answer.headline_rows() if row.role != "guardrail"]
    assert len(family) == 9
    assert sum(row.method == "cuped" for row in family) == 3
    _, expected, _, _ = multipletests([row.p_value for row in family], method="holm")
    assert [row.p_adjusted for row in family] == pytest.approx(expected.tolist())


def test_unadjusted_rows_beside_adjusted_ones_are_a_family_of_their_own(scorecard):
    answer, _ = scorecard
    family = [row for row in answer.rows if row.method == "unadjusted" and row.role != "guardrail"]
    _, expected, _, _ = multipletests([row.p_value for row in family], method="holm")
    revenue = [i for i, row in enumerate(family) if row.metric == "revenue"]
    assert [family[i].p_adjusted for i in revenue] == pytest.approx(expected[revenue].tolist())


def test_intervals_stand_at_the_levels_holm_tests_at(scorecard):
    answer, found = scorecard
    family = [row for row in answer.headline_rows() if row.role != "guardrail"]
    levels = holm_levels([row.p_value for row in family], 0.05)
    assert len(set(levels)) > 3
    sources = {metric.name: metric for metric in found}
    for row, level in zip(family, levels, strict=True):
        source = sources[row.metric]
        source = source.with_covariate if row.method == "cuped" else source.moments
        comparison = compare(pair(source, row.variant, "A"), row.kind, adjusted=row.method == "cuped")
        assert (row.ci_adjusted_low, row.ci_adjusted_high) == pytest.approx(comparison.interval(1 - level))
        lift = comparison.lift(1 - level)[1]
        assert (row.lift_ci_adjusted_low, row.lift_ci_adjusted_high) == pytest.approx(lift)
        assert excludes_zero(row.ci_adjusted_low, row.ci_adjusted_high) == (row.p_adjusted < 0.05)
    assert {row.p_adjusted < 0.05 for row in family} == {True, False}


def test_guardrails_stand_alone(scorecard):
    answer, _ = scorecard
    for row in answer.rows:
        if row.role == "guardrail":
            assert row.p_adjusted == row.p_value
            assert (row.ci_adjusted_low, row.ci_adjusted_high) == (row.ci_low, row.ci_high)


def test_the_correction_is_told(scorecard):
    answer, _ = scorecard
    assert "Holm over 9 comparisons" in answer.correction
    assert "3 guardrails are not corrected" in answer.correction
    assert "a false alarm in 5% of experiments each" in answer.correction


def test_order_of_rows_and_metrics(scorecard):
    answer, _ = scorecard
    assert [facts.name for facts in answer.metrics] == ["bought", "revenue", "latency", "minutes"]
    assert [(row.variant, row.method) for row in answer.rows if row.metric == "revenue"] == [
        (arm, method) for arm in "BCD" for method in ("unadjusted", "cuped")
    ]
    assert answer.rows[-1].metric == "srm"


def test_one_comparison_is_not_corrected():
    rng = np.random.default_rng(1)
    answer = card(
        [MetricDesign("m", "mean")],
        [MetricAggregates("m", moments("mean", {"A": rng.normal(5, 1, 150), "B": rng.normal(5, 1, 150)}))],
    )
    row = answer.rows[0]
    assert (row.p_adjusted, row.ci_adjusted_low) == (row.p_value, row.ci_low)
    assert "nothing to correct" in answer.correction


def family(procedure, shifts, arms):
    """A scorecard of means whose differences are so many standard errors."""
    metrics, found = [], []
    rng = np.random.default_rng(7)
    base = rng.normal(size=60)
    base = (base - base.mean()) / base.std(ddof=1)
    for i, moved in enumerate(shifts):
        values = {
            arm: base + (0.0 if arm == "A" else moved / np.sqrt(30) * (1 + k)) for k, arm in enumerate(arms)
        }
        metrics.append(MetricDesign(f"m{i}", "mean", role="primary" if i < 2 else "secondary"))
        found.append(MetricAggregates(f"m{i}", moments("mean", values)))
    return card(metrics, found, arms=arms, correction=procedure)


@pytest.mark.parametrize("procedure", ["holm", "bh", "fixed-sequence", "none"])
@settings(deadline=None)
@given(shifts=st.lists(st.floats(-5, 5), min_size=1, max_size=5), n_arms=st.integers(2, 3))
def test_p_value_interval_and_badge_agree_whatever_the_procedure(procedure, shifts, n_arms):
    answer = family(procedure, shifts, ARMS[:n_arms])
    for row in answer.headline_rows():
        assert row.p_adjusted >= row.p_value - 1e-12
        if row.ci_adjusted_low is None:
            assert row.p_adjusted >= 0.05
            assert row.badge is None
            continue
        shown = excludes_zero(row.ci_adjusted_low, row.ci_adjusted_high)
        assert shown == (row.p_adjusted < 0.05)
        assert shown == (row.badge in {"better", "worse"})
        assert row.ci_adjusted_low <= row.ci_low
        assert row.ci_high <= row.ci_adjusted_high


def test_false_discovery_rates_are_those_of_statsmodels():
    answer = family("bh", [3.0, 2.3, 2.1, 0.3], ("A", "B"))
    rows = answer.headline_rows()
    _, expected, _, _ = multipletests([row.p_value for row in rows], method="fdr_bh")
    assert [row.p_adjusted for row in rows] == pytest.approx(expected.tolist())
    rejected = sum(expected <= 0.05)
    assert [row.confidence_adjusted for row in rows] == pytest.approx([1 - rejected * 0.05 / 4] * 4)
    assert "Benjamini-Hochberg over 4 comparisons" in answer.correction


def test_a_fixed_sequence_stops_at_the_first_that_shows_nothing():
    answer = family("fixed-sequence", [3.0, 0.2, 4.0], ("A", "B"))
    first, second, third = answer.headline_rows()
    assert first.badge == "better"
    assert second.badge == "no difference shown"
    assert third.ci_adjusted_low is None
    assert third.p_adjusted == second.p_value
    assert "turn did not come" in third.reason


def test_without_correction_the_false_alarms_are_counted():
    answer = family("none", [0.1, 0.2, 0.3], ("A", "B"))
    assert "not corrected: without any effect, 0.150 false alarms" in answer.correction
