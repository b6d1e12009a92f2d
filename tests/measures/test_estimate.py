"""From aggregates of one cell to values, variances and intervals, built by hand without any log."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.aggregates.cells import DecisionCells
from analytics.aggregates.moments import RowMoments
from analytics.measures.estimate import Estimate, among_class, missing, of_cells, ratio, smallest_class
from analytics.stats.classification import precision
from analytics.stats.intervals import clopper_pearson

FAMILIES = ["share", "signed_share", "auc", "average_precision", "mean", "positive", "below_one"]


def moments(values: np.ndarray, block: np.ndarray, unit: np.ndarray | None = None, weight=None) -> RowMoments:
    """Row moments of statistics "one" (always 1) and "value"."""
    w = np.ones(len(values)) if weight is None else weight
    z = np.column_stack([np.ones_like(values), values])
    blocks = np.unique(block)
    sums = np.stack([(w[:, None] * z)[block == one].sum(axis=0) for one in blocks])
    products = (w[:, None] * z).T @ (w[:, None] * z)
    units, n_units = None, None
    if unit is not None:
        totals = np.stack([(w[:, None] * z)[unit == one].sum(axis=0) for one in np.unique(unit)])
        units, n_units = totals.T @ totals, np.full(2, float(len(totals)))
    counts = (z != 0).sum(axis=0).astype(float)
    return RowMoments(("one", "value"), len(values), counts, blocks, sums, products, units, n_units)


def test_a_mean_over_rows_has_the_variance_of_a_mean():
    x = np.random.default_rng(0).normal(3, 2, 500)
    estimate = ratio("mean_label", moments(x, np.zeros(500, int)), "value", "one")
    assert estimate.value == pytest.approx(x.mean())
    assert estimate.row_variance == pytest.approx(x.var() / 500)
    assert estimate.size == 500
    low, high, independence = estimate.interval(0.95)
    assert (low, high) == pytest.approx(
        (x.mean() - 1.96 * x.std() / 500**0.5, x.mean() + 1.96 * x.std() / 500**0.5), rel=1e-4
    )
    assert independence == "rows"


def test_weights_are_linearised():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=300), rng.choice([1.0, 4.0], 300)
    estimate = ratio("mean_label", moments(x, np.zeros(300, int), weight=w), "value", "one")
    mean = np.average(x, weights=w)
    assert estimate.value == pytest.approx(mean)
    assert estimate.row_variance == pytest.approx((w**2 * (x - mean) ** 2).sum() / w.sum() ** 2)


def test_the_largest_variance_is_taken_with_its_degrees_of_freedom():
    rng = np.random.default_rng(2)
    day = np.repeat(np.arange(12), 30)
    x = rng.normal(size=360) + 2 * rng.normal(size=12)[day]
    estimate = ratio("mean_label", moments(x, day), "value", "one")
    variance, df, independence = estimate.chosen()
    means = np.array([x[day == one].mean() for one in range(12)])
    assert (df, independence) == (11, "blocks")
    assert variance == pytest.approx(means.var(ddof=1) / 12)
    low, high, _ = estimate.interval(0.95)
    assert high - low == pytest.approx(2 * 2.201 * math.sqrt(variance), rel=1e-3)
    # nine days are too few to tell how days differ
    few = ratio("mean_label", moments(x[:270], day[:270]), "value", "one")
    assert few.chosen().independence == "rows"
    units = ratio("mean_label", moments(x, np.zeros(360, int), unit=day), "value", "one")
    assert units.chosen() == (pytest.approx(variance), 11, "units")


@given(
    family=st.sampled_from(FAMILIES),
    value=st.floats(0, 1),
    variance=st.one_of(st.just(0.0), st.floats(1e-12, 0.2)),
    size=st.floats(10, 1e6),
    confidence=st.sampled_from([0.5, 0.8, 0.95, 0.999]),
    days=st.integers(0, 30),
    seed=st.integers(0, 1000),
)
def test_an_interval_holds_its_value_and_stays_in_range(
    family, value, variance, size, confidence, days, seed
):
    if family == "positive":  # the mean of numbers above 0 cannot vary more than it is large
        variance = min(variance, value**2)
    if family == "below_one":
        variance = min(variance, (1 - value) ** 2)
    totals = np.random.default_rng(seed).normal(0, math.sqrt(variance / max(days, 1)), days)
    estimate = Estimate(
        "accuracy", value, family=family, row_variance=variance, blocks=np.arange(days), block_totals=totals,
        size=size, n_positive=size / 2, n_negative=size / 2,
    )  # fmt: skip
    low, high, _ = estimate.interval(confidence)
    assert low <= value <= high
    assert math.isfinite(low)
    assert math.isfinite(high)
    if family in {"share", "auc", "average_precision"}:
        assert low >= 0
        assert high <= 1
    if family == "positive" and variance:
        assert low >= 0
    if family == "below_one":
        assert high <= 1 or not variance or value == 1
    narrow_low, narrow_high, _ = estimate.interval(0.5)
    assert low <= narrow_low + 1e-12
    assert high >= narrow_high - 1e-12


def cells(table: list[list[float]], unlabelled: tuple[float, float] = (0.0, 0.0)) -> DecisionCells:
    counts = np.array([[*table, list(unlabelled)]], dtype=float)
    return DecisionCells(("0", "1"), np.array([0]), counts, counts, counts)


def test_a_share_at_its_end_has_the_size_of_its_own_rows():
    found = cells([[900, 0], [96, 4]], unlabelled=(500, 500))
    measure = precision(4, 0, 96, 900)
    influence = np.array([[0, measure.influence[1]], [0, measure.influence[0]], [0, 0]])
    estimate = of_cells("precision", found, measure, influence, among=among_class(2, 1, "precision"))
    assert estimate.size == 4
    low, high, _ = estimate.interval(0.95)
    assert (low, high) == pytest.approx(tuple(clopper_pearson(4.0, 4, 0.95)))


def test_pairs_behind_a_metric():
    assert among_class(3, 0, "recall").sum() == 3
    assert among_class(3, 0, "precision").sum() == 3
    assert among_class(3, 0, "specificity").sum() == 6
    assert among_class(3, 0, "f1").sum() == 5
    assert among_class(3, 0, "accuracy").sum() == 9
    assert not among_class(3, 0, "accuracy")[-1].any()
    assert smallest_class(cells([[900, 0], [6, 4]])) == 10


def test_what_is_missing_has_no_interval():
    with pytest.raises(ValueError, match="only a value"):
        missing("accuracy", "no_data", "no rows").interval(0.95)


def test_a_block_whose_rows_are_all_in_a_part_is_none_of_the_rest():
    """Whatever the order in which they were added: it would count as one more block, and bring a degree of freedom."""
    blocks = np.arange(12)
    whole = np.stack([np.full(12, 3.0), np.full(12, 0.1 + 0.2 + 0.3)], axis=1)
    part = np.stack([np.full(12, 3.0), np.full(12, 0.3 + 0.2 + 0.1)], axis=1)
    assert (whole != part).any()
    whole[0] += [5.0, 1e-6]
    one, other = (
        RowMoments(("one", "value"), 36, sums.sum(axis=0), blocks, sums, np.eye(2)) for sums in (whole, part)
    )
    left = (one - other).sums
    assert left[0] == pytest.approx([5.0, 1e-6])
    assert (left[1:] == 0.0).all()
