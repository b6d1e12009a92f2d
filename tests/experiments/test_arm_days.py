"""Arms by themselves, day by day: what the units of each day give when they are all there is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.arm_days import arm_day_rows
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.single_arms import arm_rows

DAYS = [np.datetime64("2026-03-01") + place for place in range(5)]
METRIC = MetricDesign("spent", "mean")
DESIGN = Design("x", "A", {"A": 0.5, "B": 0.5}, metrics=(METRIC,))


def on(day, values):
    """The moments of units first exposed on one day: arm -> values."""
    moments = ArmMoments.from_values(("value",), values)
    moments.days[:] = day
    return moments


def units():
    draw = np.random.default_rng(8)
    # nobody on the fourth day, and only one of B on the fifth
    sizes = {0: (30, 28), 1: (12, 15), 2: (40, 9), 4: (7, 1)}
    return {day: {"A": draw.gamma(2, 5, a), "B": draw.gamma(2, 6, b)} for day, (a, b) in sizes.items()}


@pytest.fixture
def found():
    parts = [on(DAYS[day], values) for day, values in units().items()]
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    return MetricAggregates("spent", whole)


def test_all_days_first_as_the_scorecard_has_them(found):
    rows = list(arm_day_rows(DESIGN, METRIC, found, 0.95))
    whole = [row for row in rows if row.day is None]
    for row, arm in zip(whole, arm_rows(DESIGN, METRIC, found, 0.95), strict=True):
        assert (row.variant, row.n, row.mean, row.ci_low) == (arm.variant, arm.n, arm.mean, arm.ci_low)
    assert rows[: len(whole)] == whole


def test_each_day_by_scipy(found):
    rows = {(row.variant, row.day): row for row in arm_day_rows(DESIGN, METRIC, found, 0.9)}
    for day, values in units().items():
        for variant, given in values.items():
            row = rows[variant, DAYS[day].astype(object)]
            assert (row.n, row.mean) == (len(given), pytest.approx(given.mean()))
            if len(given) > 1:
                limits = stats.ttest_1samp(given, 0).confidence_interval(0.9)
                assert (row.ci_low, row.ci_high) == (pytest.approx(limits.low), pytest.approx(limits.high))
                assert row.standard_deviation == pytest.approx(given.std(ddof=1))


def test_days_that_say_nothing_are_rows_too(found):
    rows = {(row.variant, row.day): row for row in arm_day_rows(DESIGN, METRIC, found, 0.95)}
    assert {day for _, day in rows if day is not None} == {date(2026, 3, day) for day in range(1, 6)}
    nobody, alone = rows["B", date(2026, 3, 4)], rows["B", date(2026, 3, 5)]
    assert (nobody.status, nobody.n, nobody.mean) == ("no_data", 0, None)
    assert (alone.status, alone.n, alone.ci_low) == ("too_few", 1, None)


def test_without_times_there_are_no_days():
    moments = ArmMoments.from_values(("value",), {"A": np.arange(5.0), "B": np.arange(6.0)})
    rows = list(arm_day_rows(DESIGN, METRIC, MetricAggregates("spent", moments), 0.95))
    assert [(row.variant, row.day) for row in rows] == [("A", None), ("B", None)]
