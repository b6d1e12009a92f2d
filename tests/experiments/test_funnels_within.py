"""A funnel's steps are compared within phases where these count, as the funnel itself is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import Design, MetricDesign, RampPhase
from analytics.experiments.funnels import funnel_rows

SHARES = {"A": 0.5, "B": 0.5}


def took(n: int, first: int, second: int) -> np.ndarray:
    return np.array([[k < first, k < second] for k in range(n)], float)


def test_steps_are_compared_within_phases() -> None:
    # late units take the steps more often, and B's are mostly late
    early = ArmMoments.from_values(("step_1", "step_2"), {"A": took(400, 120, 40), "B": took(50, 15, 5)})
    late = ArmMoments.from_values(("step_1", "step_2"), {"A": took(200, 160, 80), "B": took(200, 160, 80)})
    steps = replace(early, phases=np.zeros(len(early.n), np.int64)) + replace(
        late, phases=np.ones(len(late.n), np.int64)
    )
    ramp = tuple(RampPhase(datetime(2026, 1, day, tzinfo=UTC), SHARES) for day in (1, 8))
    design = Design("x", "A", SHARES, phases=ramp)
    path = MetricDesign("path", "funnel", steps=("cart", "buy"))
    last = replace(steps, columns=("value",), means=steps.means[:, 1:], comoments=steps.comoments[:, 1:, 1:])
    found = MetricAggregates("path", last, steps=steps)
    rows = [row for row in funnel_rows(design, path, found, 0.95) if row.variant == "B"]
    assert [row.difference for row in rows] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert all(row.difference_ci_low < 0 < row.difference_ci_high for row in rows)
    assert rows[0].share > 0.6  # pooled, B would be far ahead of A's .47
