"""How often the scorecard raises a false alarm, and how often its intervals hold the truth.

Every replicate is a metric of one scorecard, so that thousands cost seconds; what is counted is each comparison alone
(``p_value``, ``ci_*``), and for the family the corrected p-values of scorecards of their own.
"""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aggregates.arms import COVARIATE, RATIO, VALUE, ArmMoments, MetricAggregates
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card

pytestmark = pytest.mark.statistical
REPLICATES = 1500
CHANCE = 3.3 * np.sqrt(0.05 * 0.95 / REPLICATES)
"""What a share of 5 % may be off by chance: 1.9 percentage points."""


def cells(columns, values, clusters=None):
    """Moments of arm -> values, shape (units, columns), by arm or by arm and cluster (same clusters in both)."""
    variants, numbers, n, means, comoments = [], [], [], [], []
    for arm, table in values.items():
        groups = np.zeros(len(table), np.int64) if clusters is None else clusters
        for number in np.unique(groups):
            rows = table[groups == number]
            gaps = rows - rows.mean(axis=0)
            variants.append(arm)
            numbers.append(number)
            n.append(float(len(rows)))
            means.append(rows.mean(axis=0))
            comoments.append(gaps.T @ gaps)
    return ArmMoments(
        columns,
        np.array(variants),
        np.full(len(n), np.datetime64("NaT"), dtype="datetime64[D]"),
        None if clusters is None else np.array(numbers),
        np.array(n),
        np.array(means),
        np.array(comoments),
    )


def rows_of(kind, draw, replicates=REPLICATES, *, columns=VALUE, clusters=None, covariate=False, seed=50):
    """The comparisons of many replicates; draw(generator) gives arm -> table of one."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(replicates):
        values = draw(rng)
        own = cells(columns, {arm: table[:, : len(columns)] for arm, table in values.items()}, clusters)
        both = cells(columns + COVARIATE, values, clusters) if covariate else None
        found.append(MetricAggregates(str(i), own, both))
    metrics = [MetricDesign(metric.name, kind, has_covariate=covariate) for metric in found]
    return card(metrics, found, test_split=False).rows


def size(rows):
    return np.mean([row.p_value < 0.05 for row in rows])


def coverage(rows, truth):
    return np.mean([row.ci_low <= truth <= row.ci_high for row in rows])


def lift_coverage(rows, truth):
    return np.mean([row.lift_ci_low <= truth <= row.lift_ci_high for row in rows])


def holds(rows, difference, lift):
    assert 0.95 - CHANCE < coverage(rows, difference) < 0.95 + CHANCE
    assert 0.95 - CHANCE < lift_coverage(rows, lift) < 0.95 + CHANCE


def column(*parts):
    return np.column_stack(parts)


def normal(shift):
    def draw(rng):
        return {"A": rng.normal(5, 1, (200, 1)), "B": rng.normal(5 + shift, 2, (150, 1))}

    return draw


def test_means_hold_their_size_and_coverage():
    assert abs(size(rows_of("mean", normal(0.0))) - 0.05) < CHANCE
    holds(rows_of("mean", normal(0.5), seed=51), 0.5, 0.1)


def test_a_small_arm_of_normal_values_is_covered():
    rows = rows_of(
        "mean", lambda rng: {"A": rng.normal(5, 1, (2158, 1)), "B": rng.normal(6, 3, (10, 1))}, 1500
    )
    assert 0.935 < coverage(rows, 1.0) < 0.965
    assert "only 10 units in B" in rows[0].warnings


def test_a_small_arm_of_skewed_values_falls_short_and_says_so():
    """Published in the docs: at 2,158 units against 10 log-normal ones the interval holds 80 to 90 %, not 95 %."""

    def draw(rng):
        return {"A": rng.lognormal(0, 1, (2158, 1)), "B": rng.lognormal(0, 1, (10, 1))}

    rows = rows_of("mean", draw, 1500)
    assert 0.78 < coverage(rows, 0.0) < 0.90
    assert "only 10 units in B" in rows[0].warnings


def converted(p):
    def draw(rng):
        return {
            "A": (rng.random((400, 1)) < 0.10).astype(float),
            "B": (rng.random((300, 1)) < p).astype(float),
        }

    return draw


def test_shares_hold_their_size_and_coverage():
    assert abs(size(rows_of("proportion", converted(0.10))) - 0.05) < CHANCE
    holds(rows_of("proportion", converted(0.15), seed=52), 0.05, 0.5)


def ratio(effect):
    """Users with one to many rows each, which share the user's own level."""

    def arm(rng, n, shift):
        rows = rng.poisson(3, n) + 1.0
        level = 2 + shift + rng.normal(0, 1, n)
        return column(level * rows + rng.normal(0, 1, n) * np.sqrt(rows), rows)

    def draw(rng):
        return {"A": arm(rng, 300, 0.0), "B": arm(rng, 300, effect)}

    return draw


def test_ratios_hold_their_size_and_coverage():
    assert abs(size(rows_of("ratio", ratio(0.0), columns=RATIO)) - 0.05) < CHANCE
    holds(rows_of("ratio", ratio(0.2), columns=RATIO, seed=53), 0.2, 0.1)


def in_clusters(shared):
    """Forty clusters; where shared, each holds units of both arms and the level of a cluster moves both."""
    groups = np.repeat(np.arange(40), 6)

    def draw(rng):
        level = rng.normal(5, 1, 40)
        other = level if shared else rng.normal(5, 1, 40)
        return {
            "A": (level[groups] + rng.normal(0, 1, 240))[:, None],
            "B": (other[groups] + rng.normal(0, 1, 240) + 0.5)[:, None],
        }

    return draw, groups


def test_clusters_that_hold_both_arms_are_covered():
    draw, groups = in_clusters(shared=True)
    rows = rows_of("mean", draw, 1000, clusters=groups)
    # with 40 clusters CR1 is a little too narrow or not at all, depending on the design
    assert 0.925 < coverage(rows, 0.5) < 0.97
    # units taken as independent would be far too wide here: the levels cancel
    assert coverage(rows_of("mean", draw, 1000), 0.5) > 0.98


def test_units_of_clusters_are_not_independent():
    draw, _ = in_clusters(shared=False)
    assert coverage(rows_of("mean", draw, 1000), 0.5) < 0.75


def with_covariate(effect):
    def arm(rng, n, shift):
        before = rng.gamma(2, 1, n)
        return column(5 + 2 * before + rng.normal(0, 1, n) + shift, before)

    def draw(rng):
        return {"A": arm(rng, 200, 0.0), "B": arm(rng, 150, effect)}

    return draw


def test_cuped_holds_its_size_and_coverage_and_is_narrower():
    null = [
        row for row in rows_of("mean", with_covariate(0.0), 2000, covariate=True) if row.method == "cuped"
    ]
    assert abs(size(null) - 0.05) < 1.3 * CHANCE
    rows = rows_of("mean", with_covariate(0.5), 2000, covariate=True, seed=54)
    adjusted = [row for row in rows if row.method == "cuped"]
    plain = [row for row in rows if row.method == "unadjusted"]
    assert 0.94 < coverage(adjusted, 0.5) < 0.96
    assert np.mean([row.standard_error for row in adjusted]) < 0.4 * np.mean(
        [row.standard_error for row in plain]
    )


def test_holm_holds_the_family():
    """Three metrics of two arms, dependent through the shared control: any false alarm in at most 5 %."""
    rng = np.random.default_rng(55)
    metrics = [MetricDesign(name, "mean") for name in "xyz"]
    alarms, uncorrected = 0, 0
    replicates = 800
    for _ in range(replicates):
        tables = {arm: rng.normal(5, 1, (60, 3)) + rng.normal(0, 0.5, (60, 1)) for arm in "ABC"}
        found = [
            MetricAggregates(name, cells(VALUE, {arm: table[:, [i]] for arm, table in tables.items()}))
            for i, name in enumerate("xyz")
        ]
        rows = card(metrics, found, arms=("A", "B", "C"), test_split=False).rows
        alarms += any(row.badge != "no difference shown" for row in rows)
        uncorrected += any(row.p_value < 0.05 for row in rows)
    assert 0.02 < alarms / replicates < 0.065
    assert uncorrected / replicates > 0.15
