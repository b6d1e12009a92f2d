"""Interval, p-value, badge and lift are one statement, whatever the kind; and what must not matter does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates.arms import ArmMoments
from analytics.experiments.pairs import cumulative, pair
from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts
from tests.experiments.arms import excludes_zero, moments, one

KINDS = [
    "mean",
    "proportion",
    "ratio",
    "clustered",
    "clustered share",
    "clustered ratio",
    "cuped",
    "cuped ratio",
]
NEARLY = pytest.approx


def drawn(kind, seed, shift, arms=("A", "B"), scale=1.0, offset=0.0):
    """Values, clusters and covariates of some arms; the first gets no shift."""
    rng = np.random.default_rng(seed)
    values, clusters, before = {}, {}, {}
    for i, arm in enumerate(arms):
        n = int(rng.integers(30, 90))
        clusters[arm] = rng.integers(0, 12, n)
        x = rng.gamma(2, 1, n)
        effect = shift * (i > 0) * (1 + 0.2 * i)
        if "ratio" in kind:
            size = rng.poisson(4, n) + 1.0
            values[arm] = np.column_stack([size * (1 + effect) + rng.normal(0, 1, n) * scale, size])
            before[arm] = np.column_stack([size + rng.normal(0, 0.5, n), size])
        elif kind in {"proportion", "clustered share"}:
            values[arm] = (rng.random(n) < np.clip(0.3 + effect, 0, 1)).astype(float)
            before[arm] = x
        else:
            values[arm] = (x + rng.normal(0, 1, n) + effect) * scale + offset
            before[arm] = x
    return values, clusters, before


def rows_of(kind, values, clusters, before, **options):
    own = (
        "ratio" if "ratio" in kind else "proportion" if kind in {"proportion", "clustered share"} else "mean"
    )
    given_clusters = clusters if "clustered" in kind else None
    covariate = before if "cuped" in kind else None
    scorecard = one(own, values, clusters=given_clusters, covariate=covariate, test_split=False, **options)
    return [row for row in scorecard.rows if row.method == ("cuped" if covariate else "unadjusted")]


def check(row, alpha):
    """One statement in all its forms; p exactly at a level has measure zero but rounding, so it is left aside."""
    for p, low, high, lift_low, lift_high in (
        (row.p_value, row.ci_low, row.ci_high, row.lift_ci_low, row.lift_ci_high),
        (
            row.p_adjusted,
            row.ci_adjusted_low,
            row.ci_adjusted_high,
            row.lift_ci_adjusted_low,
            row.lift_ci_adjusted_high,
        ),
    ):
        if abs(p - alpha) < 1e-9:
            continue
        assert excludes_zero(low, high) == (p < alpha)
        assert low <= row.difference <= high
        if lift_low is not None:
            assert excludes_zero(lift_low, lift_high) == (p < alpha)
            assert lift_low <= row.lift <= lift_high
    assert row.p_adjusted >= row.p_value
    assert row.ci_adjusted_low <= row.ci_low
    assert row.ci_adjusted_high >= row.ci_high
    if abs(row.p_adjusted - alpha) >= 1e-9:
        assert (row.badge != "no difference shown") == (row.p_adjusted < alpha)
        if row.p_adjusted < alpha:
            good = (row.difference > 0) == (row.direction == "up")
            assert row.badge == ("better" if good else "worse")
            assert (row.chance_to_beat > 0.5) == good


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10_000),
    shift=st.floats(-0.6, 0.9),
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
    direction=st.sampled_from(["up", "down"]),
    offset=st.sampled_from([0.0, -2.0, -8.0, 20.0]),
)
def test_interval_p_value_and_badge_are_one_statement(kind, seed, shift, alpha, direction, offset):
    values, clusters, before = drawn(kind, seed, shift, arms=("A", "B", "C"), offset=offset)
    for row in rows_of(kind, values, clusters, before, alpha=alpha, direction=direction):
        if row.status == "ok":
            check(row, alpha)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400)), min_size=2, max_size=4),
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_typed_counts_never_contradict_themselves(counts, alpha):
    arms = [TypedArm(str(i), k + rest, k) for i, (k, rest) in enumerate(counts)]
    for row in compare_counts(arms, "0", alpha=alpha, direction="down").rows:
        if row.status == "ok":
            check(row, alpha)
        else:
            assert row.reason
            assert row.p_value is None


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 10_000), shift=st.floats(-0.5, 0.5))
def test_swapping_arms_negates(kind, seed, shift):
    values, clusters, before = drawn(kind, seed, shift)
    (row,) = rows_of(kind, values, clusters, before)
    (turned,) = rows_of(kind, values, clusters, before, control="B")
    if row.status != "ok":
        assert (turned.status, turned.reason is None) == (row.status, row.reason is None)
        return
    assert turned.difference == NEARLY(-row.difference)
    assert turned.statistic == NEARLY(-row.statistic)
    assert (turned.p_value, turned.df) == NEARLY((row.p_value, row.df))
    assert (turned.ci_low, turned.ci_high) == NEARLY((-row.ci_high, -row.ci_low), rel=1e-6, abs=1e-9)
    assert turned.chance_to_beat == NEARLY(1 - row.chance_to_beat)
    if row.lift is not None and turned.lift is not None and min(row.mean, row.mean_control) > 0:
        assert 1 + turned.lift == NEARLY(1 / (1 + row.lift))
        assert 1 + turned.lift_ci_low == NEARLY(1 / (1 + row.lift_ci_high), rel=1e-6)


@pytest.mark.parametrize("kind", ["mean", "clustered", "cuped"])
def test_a_large_offset_leaves_the_standard_error(kind):
    rng = np.random.default_rng(3)
    # whole numbers, so that adding 1e9 loses nothing of the values themselves
    values = {arm: rng.poisson(20, 200).astype(float) for arm in "AB"}
    clusters = {arm: rng.integers(0, 15, 200) for arm in "AB"}
    before = {arm: np.round(values[arm] / 2 + rng.normal(0, 2, 200)) for arm in "AB"}
    (row,) = rows_of(kind, values, clusters, before)
    (moved,) = rows_of(kind, {arm: own + 1e9 for arm, own in values.items()}, clusters, before)
    assert moved.standard_error == NEARLY(row.standard_error, rel=1e-7)
    assert moved.difference == NEARLY(row.difference, abs=1e-6)
    assert moved.p_value == NEARLY(row.p_value, rel=1e-5)


@pytest.mark.parametrize("kind", ["mean", "ratio", "clustered", "clustered ratio", "cuped", "cuped ratio"])
@pytest.mark.parametrize("factor", [1e-6, 1000.0, 1e12])
def test_units_do_not_matter(kind, factor):
    values, clusters, before = drawn(kind, 5, 0.3)
    unit = np.array([factor, 1.0]) if "ratio" in kind else factor
    (row,) = rows_of(kind, values, clusters, before)
    (other,) = rows_of(kind, {arm: own * unit for arm, own in values.items()}, clusters, before)
    assert (other.lift, other.lift_ci_low, other.lift_ci_high) == NEARLY(
        (row.lift, row.lift_ci_low, row.lift_ci_high)
    )
    assert (other.p_value, other.df) == NEARLY((row.p_value, row.df))
    assert other.difference == NEARLY(row.difference * factor)


@pytest.mark.parametrize("kind", KINDS)
def test_days_added_equal_one_pass(kind):
    values, clusters, before = drawn(kind, 8, 0.2, arms=("A", "B", "C"))
    rng = np.random.default_rng(1)
    days = {arm: rng.integers(0, 9, len(own)) for arm, own in values.items()}
    whole = rows_of(kind, values, clusters, before)
    parts = rows_of(kind, values, clusters, before, days=days)
    for row, other in zip(whole, parts, strict=True):
        for name in ("difference", "standard_error", "df", "p_value", "ci_low", "lift_ci_high", "p_adjusted"):
            expected = getattr(row, name)
            assert getattr(other, name) == (None if expected is None else NEARLY(expected, rel=1e-9)), name
        assert (other.badge, other.n) == (row.badge, row.n)


@pytest.mark.parametrize("kind", KINDS)
def test_days_on_their_own_are_the_comparison_up_to_that_day(kind):
    values, clusters, before = drawn(kind, 9, 0.2)
    rng = np.random.default_rng(2)
    days = {arm: rng.integers(0, 6, len(own)) for arm, own in values.items()}
    own = (
        "ratio" if "ratio" in kind else "proportion" if kind in {"proportion", "clustered share"} else "mean"
    )
    options = {
        "clusters": clusters if "clustered" in kind else None,
        "covariate": before if "cuped" in kind else None,
    }
    scorecard = one(own, values, days=days, **options)
    assert len(scorecard.days) == 6 * (2 if "cuped" in kind else 1)
    for last in (1, 3, 5):
        kept = {arm: days[arm] <= last for arm in values}
        cut = {
            name: None if given is None else {arm: given[arm][kept[arm]] for arm in values}
            for name, given in options.items()
        }
        rows = one(own, {arm: values[arm][kept[arm]] for arm in values}, **cut).rows
        for row in (row for row in rows if row.metric == "m"):
            (day,) = [
                day
                for day in scorecard.days
                if day.method == row.method and day.day.day == last + 1 and day.day.month == 1
            ]
            assert (day.n, day.n_control, day.status) == (row.n, row.n_control, row.status)
            for name in ("difference", "ci_low", "ci_high", "lift", "lift_ci_low", "lift_ci_high"):
                expected = getattr(row, name)
                assert getattr(day, name) == (None if expected is None else NEARLY(expected, rel=1e-8)), name


def test_running_moments_keep_their_digits():
    rng = np.random.default_rng(4)
    values = {arm: rng.poisson(9, 300) + 1e9 for arm in "AB"}
    days = {arm: np.sort(rng.integers(0, 20, 300)) for arm in "AB"}
    cells = moments("mean", values, days=days)
    for day, two in cumulative(cells, "B", "A"):
        whole = pair(cells.until(day), "B", "A")
        assert two.arm.comoments[0, 0] == NEARLY(whole.arm.comoments[0, 0], rel=1e-9)
        assert two.control.means[0] == NEARLY(whole.control.means[0], abs=1e-5)


def test_a_cluster_number_may_be_any_number():
    values, clusters, before = drawn("clustered", 12, 0.3)
    (row,) = rows_of("clustered", values, clusters, before)
    other = {arm: own * 1_000_003 - 7 for arm, own in clusters.items()}
    assert rows_of("clustered", values, other, before)[0].p_value == NEARLY(row.p_value)


def test_cells_in_any_order_give_the_same():
    values, clusters, _ = drawn("clustered", 13, 0.3)
    cells = moments("mean", values, clusters=clusters)
    order = np.random.default_rng(5).permutation(len(cells.n))
    fields = ("variants", "days", "clusters", "n", "means", "comoments")
    shuffled: ArmMoments = replace(cells, **{name: getattr(cells, name)[order] for name in fields})
    one_way, other = pair(cells, "B", "A"), pair(shuffled, "B", "A")
    assert one_way.clusters.sums == NEARLY(other.clusters.sums)
    assert one_way.arm.comoments == NEARLY(other.arm.comoments)
