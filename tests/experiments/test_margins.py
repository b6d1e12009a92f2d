"""Margins, effects that matter and one-sided designs: the badge and its p-value are one statement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card, moments


def values(kind, effect, n, seed):
    rng = np.random.default_rng(seed)
    if kind == "proportion":
        return {
            "A": rng.binomial(1, 0.3, n) * 1.0,
            "B": rng.binomial(1, min(max(0.3 + effect, 0), 1), n) * 1.0,
        }
    return {"A": rng.normal(10, 1, n), "B": rng.normal(10 + effect, 1, n)}


def row(kind, effect, n=400, seed=1, one_sided=False, alpha=0.05, direction="up", **declared):
    metric = MetricDesign("m", kind, direction, **declared)
    read = MetricAggregates("m", moments(kind, values(kind, effect, n, seed)))
    scorecard = card([metric], [read], test_split=False, one_sided=one_sided, alpha=alpha)
    return scorecard.rows[0], scorecard.decision


margins = st.sampled_from(
    [{"margin": 0.02}, {"margin_absolute": 0.1}, {"margin": 0.2}, {"margin_absolute": 0.01}, {}]
)


@given(
    st.sampled_from(["mean", "proportion"]), st.floats(-0.4, 0.4), margins, st.integers(0, 99),
    st.sampled_from(["up", "down"]), st.sampled_from([0.01, 0.05, 0.2]),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_safe_and_its_p_value_never_contradict(kind, effect, margin, seed, direction, alpha):
    found, _ = row(kind, effect, 200, seed, role="guardrail", direction=direction, alpha=alpha, **margin)
    if found.badge is None:
        return
    level = 1 - found.confidence_adjusted
    if abs(found.p_safe - level) > 1e-9:
        assert (found.badge == "safe") == (found.p_safe < level)


@given(
    st.sampled_from(["mean", "proportion"]), st.floats(-0.4, 0.4), st.integers(0, 99), st.booleans(),
    st.sampled_from([{"smallest_lift": 0.02}, {"smallest_difference": 0.2}, {"smallest_lift": 0.5}]),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_too_small_and_its_p_value_never_contradict(kind, effect, seed, one_sided, matters):
    found, _ = row(kind, effect, 300, seed, one_sided=one_sided, **matters)
    if found.badge is None or found.badge == "no improvement shown" or found.p_equivalent is None:
        return
    small = found.badge in {"too small to matter", "no difference that matters"}
    level = 1 - found.confidence_adjusted
    if abs(found.p_equivalent - level) > 1e-9:
        assert small == (found.p_equivalent < level)
    shown = found.badge in {"better", "worse", "too small to matter"}
    assert shown == (found.p_adjusted < 1 - found.confidence_adjusted)


def test_four_ways_an_effect_can_lie_to_what_matters():
    words = [
        row("mean", 0.3, 5000, smallest_difference=0.1)[0].badge,
        row("mean", 0.11, 5000, smallest_difference=0.1)[0].badge,
        row("mean", 0.06, 5000, smallest_difference=0.2)[0].badge,
        row("mean", 0.0, 5000, seed=3, smallest_difference=0.2)[0].badge,
        row("mean", -0.06, 5000, smallest_difference=0.2)[0].badge,
        row("mean", 0.0, 50, smallest_difference=0.2)[0].badge,
    ]
    assert words == [
        "better", "better", "too small to matter", "no difference that matters", "too small to matter",
        "no difference shown",
    ]  # fmt: skip


def test_the_sentence_says_what_matters():
    _, decision = row("mean", 0.06, 5000, smallest_lift=0.02)
    assert (decision.call, decision.word) == ("too small", "hold")
    assert "is better on m, less than matters" in decision.sentence
    assert decision.sentence.endswith("where 2% matters.")
    _, nothing = row("mean", 0.0, 5000, seed=3, smallest_difference=0.2)
    assert "shows no difference that matters on m" in nothing.sentence


def test_tost_is_the_textbooks_doubled():
    found, _ = row("mean", 0.05, 300, smallest_difference=0.2)
    t = stats.t(found.df)
    tails = [
        t.sf((found.difference + 0.2) / found.standard_error),
        t.cdf((found.difference - 0.2) / found.standard_error),
    ]
    assert found.p_equivalent == pytest.approx(2 * max(tails))


def test_one_sided_is_half_of_two_sided_on_the_side_that_counts():
    for effect in (0.2, -0.2):
        two, _ = row("mean", effect)
        one, _ = row("mean", effect, one_sided=True)
        half = two.p_value / 2
        assert one.p_value == pytest.approx(half if effect > 0 else 1 - half)
        assert one.test == "welch, one-sided"
        wide = stats.t(two.df).ppf(0.95) * two.standard_error
        assert (one.ci_low, one.ci_high) == pytest.approx((two.difference - wide, two.difference + wide))


def test_one_sided_calls_nothing_worse_but_guardrails():
    found, decision = row("mean", -0.5, one_sided=True)
    assert (found.badge, found.p_value > 0.99) == ("no improvement shown", True)
    assert decision.sentence.startswith("B does not improve m")
    lower, _ = row("mean", -0.5, one_sided=True, direction="down")
    assert lower.badge == "better"
    guard, _ = row("mean", -0.5, one_sided=True, role="guardrail", margin=0.01)
    assert guard.badge == "harmed"
    assert guard.test == "welch"


def test_a_guardrail_without_a_lift_is_safe_where_nothing_worse_is_left():
    """The control's mean is near 0, so the lift is unknown at the badge's level, but not at lower ones."""
    for mean in (0.03, 0.06, 0.09):
        rng = np.random.default_rng(11)
        read = {"A": rng.normal(mean, 1, 500), "B": rng.normal(0.5, 1, 500)}
        metric = MetricDesign("m", "mean", role="guardrail", margin=0.1)
        found = card([metric], [MetricAggregates("m", moments("mean", read))], test_split=False).rows[0]
        assert found.badge == "safe"
        assert found.p_safe < 0.05
