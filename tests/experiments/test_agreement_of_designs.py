"""Whatever the design: interval, p-value, badge, word and verdict of one comparison are one statement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card, excludes_zero, moments
from tests.experiments.test_agreement import drawn

SHAPES = {"mean": "mean", "proportion": "proportion", "ratio": "ratio", "clustered": "mean", "cuped": "mean"}
ARMS = ("A", "B", "C")
CLOSE = 1e-7


def scorecard(shape, seed, shift, roles, **planned):
    """Three arms over twelve days: a metric of one shape in every role that is asked for."""
    metrics, found = [], []
    for i, role in enumerate(roles):
        values, clusters, before = drawn(shape, seed + i, shift, arms=ARMS)
        rng = np.random.default_rng(seed)
        days = {arm: np.sort(rng.integers(0, 12, len(own))) for arm, own in values.items()}
        kind = SHAPES[shape]
        given_clusters = clusters if shape == "clustered" else None
        plain = moments(kind, values, clusters=given_clusters, days=days)
        both = None
        if shape == "cuped":
            joined = {arm: np.column_stack([values[arm], before[arm]]) for arm in ARMS}
            both = moments(kind, joined, covariate=True, days=days)
        margins = {"margin_absolute": 0.2} if role == "guardrail" else {}
        metrics.append(MetricDesign(f"m{i}", kind, role=role, has_covariate=both is not None, **margins))
        found.append(MetricAggregates(f"m{i}", plain, both))
    return card(metrics, found, arms=ARMS, **planned)


def agrees(row, alpha, *, one_sided):
    """A row with an interval and a p-value says the same by both, at both levels, of difference and lift."""

    def speaks(low, high):
        return low > 0 if one_sided and row.role != "guardrail" else excludes_zero(low, high)

    statements = (
        (row.p_value, row.ci_low, row.ci_high, row.lift_ci_low, row.lift_ci_high),
        (
            row.p_adjusted,
            row.ci_adjusted_low,
            row.ci_adjusted_high,
            row.lift_ci_adjusted_low,
            row.lift_ci_adjusted_high,
        ),
    )
    for p, low, high, lift_low, lift_high in statements:
        if low is None or high is None:
            continue
        assert low <= row.difference <= high
        if p is not None and abs(p - alpha) > CLOSE:
            assert speaks(low, high) == (p < alpha)
        if lift_low is not None:
            assert lift_low <= row.lift <= lift_high
            if p is None or abs(p - alpha) > CLOSE:
                assert speaks(lift_low, lift_high) == speaks(low, high)


def badge_follows(row, alpha, *, one_sided):
    if row.badge is None or row.ci_adjusted_low is None:
        return
    low, high = row.ci_adjusted_low, row.ci_adjusted_high
    if row.role == "guardrail":
        assert (row.badge == "harmed") <= (high < 0)
        assert (row.badge == "safe") == (low > -0.2)
        assert row.verdict == {"safe": "ship", "harmed": "harm"}.get(row.badge, row.verdict)
        return
    if row.p_adjusted is None or abs(row.p_adjusted - alpha) > CLOSE:
        shown = low > 0 if one_sided else excludes_zero(low, high)
        assert (row.badge in {"better", "worse"}) == shown
        assert not (one_sided and row.badge == "worse")
    assert (row.badge == "better") <= (low > 0)
    assert (row.badge == "worse") <= (high < 0)
    assert (row.verdict == "ship") == (row.badge == "better")
    assert (row.verdict == "harm") == (row.badge == "worse")


@pytest.mark.parametrize("stopping", ["fixed", "always-valid", "group-sequential", "bayesian"])
@settings(max_examples=20, deadline=None)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    seed=st.integers(0, 10_000),
    shift=st.floats(-0.8, 1.2),
    correction=st.sampled_from(["holm", "bh", "fixed-sequence", "none"]),
    planned=st.sampled_from([60, 160, 400, 5000]),
    one_sided=st.booleans(),
)
def test_every_design_says_one_thing(stopping, shape, seed, shift, correction, planned, one_sided):
    answer = scorecard(
        shape,
        seed,
        shift,
        ("primary", "primary", "guardrail"),
        stopping=stopping,
        planned_units=planned,
        looks=(0.25, 0.5, 0.75, 1.0) if stopping == "group-sequential" else (),
        correction=correction,
        one_sided=one_sided,
    )
    for row in answer.headline_rows():
        if row.status != "ok":
            assert row.p_value is None
            assert row.ci_low is None
            assert row.badge is None
            assert row.reason
            continue
        agrees(row, 0.05, one_sided=one_sided)
        badge_follows(row, 0.05, one_sided=one_sided)
    said = {row.badge for row in answer.headline_rows() if row.variant == answer.decision.variant}
    if answer.decision.call == "won":
        assert "better" in said
        assert "worse" not in {
            row.badge
            for row in answer.headline_rows()
            if row.role == "primary" and row.variant == answer.decision.variant
        }
    if answer.decision.word == "ship":
        assert answer.decision.call == "won"
        assert "not shown safe" not in said
        assert "harmed" not in said
