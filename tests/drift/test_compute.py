"""Distances, verdicts and statuses of drift, against SciPy and numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.aggregates.features import CellHistogram
from analytics.drift.compute import drift_rows, histogram_rows
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.noise import noise_floors
from analytics.drift.rows import DriftRow
from analytics.drift.sides import ReferenceSide
from analytics.drift.univariate import distances
from analytics.drift.windows import Stacked
from analytics.project import Drift
from analytics.stats.clustered import rao_scott_anderson_darling, rao_scott_chi_squared
from analytics.stats.distances import noise_floor_psi
from analytics.stats.two_sample import anderson_darling_binned, share_test
from tests.drift.histograms import (
    WINDOW,
    category_bins,
    cell,
    drift_of_arrays,
    numeric_bins,
    versions,
)

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def fresh_generator() -> None:
    """Each test draws the same values, whichever ran before it."""
    global RNG  # noqa: PLW0603  # shared by the tests and their helpers
    RNG = np.random.default_rng(3)


SEEDS = st.integers(0, 2**32 - 1)


def text(counts: dict[str, int]) -> np.ndarray:
    return np.repeat(list(counts), list(counts.values()))


def test_categories_by_hand() -> None:
    row = drift_of_arrays(text({"a": 50, "b": 30, "": 20}), text({"a": 20, "b": 60, "": 10, "new": 10}))
    r, c = np.array([0.5, 0.3, 0.2, 0.0001]), np.array([0.2, 0.6, 0.1, 0.1])
    assert row.psi == pytest.approx(((r - c) * np.log(r / c)).sum())
    assert row.total_variation == pytest.approx((0.3 + 0.3 + 0.1 + 0.1) / 2)
    assert row.js_distance == pytest.approx(
        math.sqrt(
            (0.5 * math.log2(0.5 / 0.35) + 0.2 * math.log2(0.2 / 0.35)) / 2
            + (0.3 * math.log2(0.3 / 0.45) + 0.6 * math.log2(0.6 / 0.45)) / 2
            + (0.2 * math.log2(0.2 / 0.15) + 0.1 * math.log2(0.1 / 0.15)) / 2
            + 0.1 * 1 / 2
        )
    )
    values = stats.chi2_contingency([[50, 30], [20, 60]], correction=False).pvalue
    missing, unseen = share_test(20, 80, 10, 90), share_test(0, 80, 10, 80, upwards=True)
    least = min(values, missing.p_value, unseen.p_value)
    above = (1 - least) * (1 - missing.attained(least)) * (1 - unseen.attained(least))
    assert row.p_value == pytest.approx(1 - above)
    assert row.p_value <= 3 * least
    assert (row.missing_rate, row.missing_rate_reference, row.unseen_rate) == (0.1, 0.2, 0.1)
    assert (row.ks, row.wasserstein) == (None, None)
    assert row.drifted is True
    assert row.independence == "rows"


def test_numbers_with_few_values_equal_scipy_on_rows() -> None:
    reference, window = RNG.integers(0, 6, 400).astype(float), RNG.integers(0, 7, 200).astype(float)
    row = drift_of_arrays(reference, window)
    assert row.ks == pytest.approx(stats.ks_2samp(reference, window).statistic)
    assert row.wasserstein == pytest.approx(stats.wasserstein_distance(reference, window))
    assert row.p_value == pytest.approx(
        anderson_darling_binned(np.bincount(reference.astype(int), minlength=7),
                                np.bincount(window.astype(int), minlength=7)).p_value
    )  # fmt: skip


def test_psi_is_taken_on_deciles() -> None:
    reference, window = RNG.normal(size=1000), RNG.normal(0.4, 1, size=500)
    edges = np.sort(reference)[[100 * k - 1 for k in range(1, 10)]]
    r, c = (np.histogram(x, [-np.inf, *edges, np.inf])[0] / len(x) for x in (reference, window))
    assert drift_of_arrays(reference, window).psi == pytest.approx(((r - c) * np.log(r / c)).sum())


def test_continuous_numbers_lie_within_the_bounds() -> None:
    reference, window = RNG.gamma(2, 3, size=2000), RNG.gamma(2, 4, size=900)
    row = drift_of_arrays(reference, window)
    exact = stats.ks_2samp(reference, window).statistic
    assert row.ks is not None
    assert row.ks_bound is not None
    assert row.ks - 1e-12 <= exact <= row.ks + row.ks_bound + 1e-12
    assert row.wasserstein == pytest.approx(stats.wasserstein_distance(reference, window), rel=0.05)


def test_a_far_tail_moves_the_wasserstein_distance_by_its_mean() -> None:
    reference = RNG.normal(size=1000)
    window = reference.copy()
    window[window.argmax()] += 5000.0
    assert drift_of_arrays(reference, window).wasserstein == pytest.approx(5.0)


def test_everything_missing_is_drift_without_a_p_of_values() -> None:
    row = drift_of_arrays(RNG.normal(size=500), np.full(100, np.nan))
    assert (row.ks, row.wasserstein, row.missing_rate, row.total_variation) == (None, None, 1.0, 1.0)
    assert row.drifted is True


def test_infinite_values_are_drift() -> None:
    window = RNG.normal(size=300)
    window[:30] = np.inf
    row = drift_of_arrays(RNG.normal(size=500), window)
    assert row.drifted is True
    assert row.missing_rate == 0
    assert row.wasserstein is not None
    assert math.isfinite(row.wasserstein)


def test_a_significant_but_tiny_difference_is_no_drift() -> None:
    reference, window = text({"a": 50_000, "b": 50_000}), text({"a": 51_500, "b": 48_500})
    row = drift_of_arrays(reference, window)
    assert row.p_value is not None
    assert row.p_value < 1e-6
    assert row.drifted is False


def test_a_share_risen_by_the_share_tolerance_is_drift_below_the_other_tolerance() -> None:
    reference, window = text({"a": 10_000}), text({"a": 9_750, "": 250})
    assert drift_of_arrays(reference, window).drifted is True
    assert drift_of_arrays(reference, window, settings=Drift(share_tolerance=0.03)).drifted is False
    assert drift_of_arrays(text({"a": 9_750, "": 250}), reference).drifted is False


def test_tolerance_may_be_set_per_feature() -> None:
    reference, window = text({"a": 5000, "b": 5000}), text({"a": 5800, "b": 4200})
    assert drift_of_arrays(reference, window).drifted is True
    row = drift_of_arrays(reference, window, settings=Drift(tolerance={"c": 0.2}))
    assert (row.drifted, row.tolerance) == (False, 0.2)


@pytest.mark.parametrize(
    "n_reference,n,status,words",
    [
        (100, 0, "no_data", "no rows in this window"),
        (100, 29, "too_few", "29 rows in this window; drift needs 30"),
        (29, 100, "too_few", "29 rows in the reference"),
        (0, 100, "undefined", "the reference has no rows"),
        (30, 30, "ok", None),
    ],
)
def test_statuses(n_reference: int, n: int, status: str, words: str | None) -> None:
    x = np.arange(200.0)
    bins = (numeric_bins(x),)
    left = cell(bins, [x[:n_reference]], np.zeros(n_reference)) if n_reference else CellHistogram.empty(bins)
    right = cell(bins, [x[:n]], np.ones(n)) if n else None
    row = drift_rows([versions(left, right)], [WINDOW], Drift())[0]
    assert row.status == status
    assert (words is None and row.reason is None) or (words is not None and words in str(row.reason))
    if status != "ok":
        assert (row.psi, row.p_value, row.p_adjusted, row.drifted, row.noise_floor) == (None,) * 5
    assert (row.n_reference, row.n) == (n_reference, n)


def family(names: list[str], p_shift: float) -> tuple[DriftRow, ...]:
    rng = np.random.default_rng(12)
    reference = [rng.normal(size=1000) for _ in names]
    window = [rng.normal(size=300) + (p_shift if i == 0 else 0) for i, _ in enumerate(names)]
    bins = tuple(numeric_bins(x, name) for x, name in zip(reference, names, strict=True))
    blocks, later = np.zeros(1000), np.ones(300)
    return drift_rows([versions(cell(bins, reference, blocks), cell(bins, window, later))], [WINDOW], Drift())


def test_p_is_corrected_over_the_fields_of_a_window() -> None:
    rows = family([f"x{i}" for i in range(12)], 0.25)
    p = [row.p_value for row in rows]
    assert [row.p_adjusted for row in rows] == pytest.approx(stats.false_discovery_control(p))
    assert sum(row.n_expected_by_chance or 0 for row in rows) == pytest.approx(0.05)


def test_score_and_decision_of_a_version_without_reference_rows_are_undefined() -> None:
    x = RNG.normal(size=100)
    bins = (numeric_bins(x), numeric_bins(x, "score", "score"))
    histograms = versions(cell(bins, [x, x], np.zeros(100)), cell(bins, [x, x], np.ones(100)))
    rows = drift_rows([replace(histograms, version="new", reference_version="old")], [WINDOW], Drift())
    assert [row.status for row in rows] == ["ok", "undefined"]
    assert "no rows of new" in str(rows[1].reason)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_strictly_increasing_map_changes_nothing_but_the_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, window = rng.normal(size=120).round(1), rng.normal(0.3, 1.5, 80).round(1)
    plain, mapped = drift_of_arrays(reference, window), drift_of_arrays(np.exp(reference), np.exp(window))
    units = {"wasserstein": None, "shift_sd": None}
    assert replace(plain, **units) == replace(mapped, **units)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, window = rng.normal(size=100), rng.normal(size=60)
    before, after = (
        drift_of_arrays(reference, window),
        drift_of_arrays(rng.permutation(reference), rng.permutation(window)),
    )
    sums = ("wasserstein", "shift_sd")
    for name in sums:
        assert getattr(before, name) == pytest.approx(getattr(after, name), abs=1e-12)
    nothing = dict.fromkeys(sums)
    assert replace(before, **nothing) == replace(after, **nothing)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_swapped_sides_on_the_same_bins_have_the_same_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=90), rng.normal(0.5, 1, 70)
    bins = numeric_bins(one)
    left, right = (cell((bins,), [x], np.zeros(len(x))) for x in (one, two))
    there = distances(ReferenceSide.of(bins, left.field(0)), Stacked.of([right]).field(0))[0]
    back = distances(ReferenceSide.of(bins, right.field(0)), Stacked.of([left]).field(0))[0]
    for name in ("psi", "js_distance", "ks", "wasserstein", "total_variation"):
        assert getattr(there, name) == pytest.approx(getattr(back, name))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_a_missing_and_an_unseen_value_each_move_the_total_variation(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.choice(list("abc"), 200)
    window = rng.choice(reference, 60)
    for value in ("", "new"):
        moved = window.astype("U3")
        moved[:k] = value
        row = drift_of_arrays(reference, moved)
        assert row.total_variation is not None
        assert row.total_variation >= k / 60 - 1e-12


def test_the_same_rows_on_both_sides_are_no_drift() -> None:
    x = RNG.normal(size=500)
    row = drift_of_arrays(x, x)
    assert (row.psi, row.js_distance, row.ks, row.total_variation, row.wasserstein) == (0, 0, 0, 0, 0)
    assert row.p_value == 1
    assert row.drifted is False


@pytest.mark.parametrize("ordered", [True, False])
def test_the_prepared_rao_scott_test_is_the_one_of_stats(ordered: bool) -> None:
    day = RNG.dirichlet(np.full(9, 4), size=40)
    blocks = np.array([RNG.multinomial(60, shares) for shares in day], dtype=float)
    plain = rao_scott_anderson_darling if ordered else rao_scott_chi_squared
    prepared = FewBlocks.of(blocks[:35], ordered=ordered)
    for window in (blocks[35:], blocks[35:36], blocks[35:] * np.arange(1, 10)):
        expected = plain(blocks[:35], window).p_value
        sizes = window.sum(axis=1)
        shared = prepared.pairs / prepared.total.sum() ** 2 + (sizes * (sizes - 1)).sum() / sizes.sum() ** 2
        assert prepared.p_value_of(window.sum(axis=0), float(shared)) == pytest.approx(expected, rel=1e-9)
        # the reference's own days may have a longer tail
        assert prepared.p_value(window) >= expected * (1 - 1e-9)


@pytest.mark.parametrize("n", [60, 300, 5000])
def test_the_fast_noise_floor_is_the_one_of_stats(n: int) -> None:
    pooled = np.array([2000.0] * 9 + [300, 40, 3])
    slow = noise_floor_psi(pooled / pooled.sum(), 17_000, n)
    plenty = np.full(12, 1e6)
    fast = noise_floors(np.stack([pooled, plenty]), 17_000, np.array([n, n]))
    assert fast[0] == pytest.approx(slow, rel=0.06)
    assert fast[1] == pytest.approx(noise_floor_psi(plenty / plenty.sum(), 17_000, n), rel=0.06)


def test_blocks_are_shuffled_where_both_sides_have_eight() -> None:
    day = np.repeat(np.arange(30.0), 40)
    x = RNG.normal(size=30).repeat(40) + RNG.normal(size=1200)
    few = drift_of_arrays(x[:800], x[800:1080], day[:800], day[800:1080])
    many = drift_of_arrays(x[:800], x[800:], day[:800], day[800:])
    rows = drift_of_arrays(x[:280], x[800:], day[:280], day[800:])
    assert [row.independence for row in (few, many, rows)] == ["blocks", "blocks", "rows"]
    assert many.n_effective is not None
    assert many.n_effective < 200 < rows.n_effective == 400


def test_values_seen_once_do_not_make_a_column_of_names_drift() -> None:
    names = np.array([f"u{i}" for i in range(6000)])
    reference, window = RNG.choice(names, 3000), RNG.choice(names, 1000)
    row = drift_of_arrays(reference, window)
    assert row.unseen_rate == pytest.approx(row.unseen_rate_by_chance, abs=0.05)
    assert row.drifted is False
    assert drift_of_arrays(reference, np.char.add(window, "x")).drifted is True


def test_histogram_rows_name_every_bin() -> None:
    reference = text({"a": 60, "b": 40})
    bins = (category_bins(reference, np.zeros(100)),)
    found = versions(cell(bins, [reference], np.zeros(100)), cell(bins, [text({"a": 3, "z": 1})], np.ones(4)))
    rows = histogram_rows([found], [WINDOW], "c")
    assert [(row.bin, row.share_reference, row.share) for row in rows] == [
        ("a", 0.6, 0.75),
        ("b", 0.4, 0.0),
        ("(missing)", 0.0, 0.0),
        ("(unseen)", 0.0, 0.25),
    ]
    empty = histogram_rows([versions(cell(bins, [reference], np.zeros(100)), None)], [WINDOW], "c")
    assert {row.share for row in empty} == {None}
