"""Value and interval of a metric in one window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.aggregates.metric_cells import MetricCell
from analytics.outcomes.estimate import Asked, Outcome, outcome, reached, spread_of

MEAN = Asked("mean", 0.95)


def cell_of(tops, bottoms, groups=None, blocks=None) -> MetricCell:
    tops, bottoms = np.asarray(tops, float), np.asarray(bottoms, float)
    groups = np.arange(len(tops)) if groups is None else np.asarray(groups)
    _, place = np.unique(groups, return_inverse=True)
    a, b = np.bincount(place, tops), np.bincount(place, bottoms)
    value = a.sum() / b.sum() if b.sum() else 0.0
    squares = float(((a - value * b) ** 2).sum())
    return MetricCell(len(tops), len(tops), len(a), a.sum(), b.sum(), squares, blocks=blocks)


def test_a_mean_is_the_one_sample_t_interval():
    values = np.random.default_rng(1).gamma(2.0, 3.0, 200)
    found = outcome(cell_of(values, np.ones(200)), MEAN)
    low, high = stats.t.interval(0.95, 199, values.mean(), values.std(ddof=1) / np.sqrt(200))
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((values.mean(), low, high))
    assert (found.status, found.independence) == ("ok", "units")


def test_clusters_are_what_statsmodels_calls_robust():
    import statsmodels.api as sm

    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(60), random.integers(1, 6, 60))
    values = random.normal(size=60)[groups] + random.normal(size=len(groups))
    found = outcome(cell_of(values, np.ones(len(groups)), groups), Asked("mean", 0.95, clustered=True))
    fit = sm.OLS(values, np.ones(len(groups))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    error = fit.bse[0] * np.sqrt(60 / 59)
    half = stats.t.ppf(0.975, 59) * error
    assert (found.ci_high - found.ci_low) / 2 == pytest.approx(half)
    assert found.independence == "clusters"


def test_a_ratio_is_sum_over_sum_with_the_delta_method():
    random = np.random.default_rng(3)
    bottoms = random.poisson(5, 400) + 1.0
    tops = random.binomial(bottoms.astype(int), 0.3).astype(float)
    found = outcome(cell_of(tops, bottoms), Asked("ratio", 0.9))
    value = tops.sum() / bottoms.sum()
    error = np.std(tops - value * bottoms, ddof=1) / np.sqrt(400) / bottoms.mean()
    half = stats.t.ppf(0.95, 399) * error
    assert (found.value, found.ci_low) == pytest.approx((value, value - half))


def test_a_share_of_independent_units_is_close_to_wilson_and_stays_inside():
    from analytics.stats.intervals import wilson

    found = outcome(cell_of([1.0] * 20 + [0.0] * 180, np.ones(200)), Asked("proportion", 0.95))
    low, high = wilson(0.1, 199, 0.95, 199)
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high))
    none = outcome(cell_of(np.zeros(50), np.ones(50)), Asked("proportion", 0.95))
    assert none.value == none.ci_low == 0.0
    assert 0 < none.ci_high < 0.1


def test_days_that_differ_more_than_units_decide():
    random = np.random.default_rng(4)
    day = random.normal(10, 3, 20)
    blocks = np.column_stack([day * 50, np.full(20, 50.0)])
    cell = MetricCell(1000, 1000, 1000, blocks[:, 0].sum(), 1000.0, 1000.0, blocks=blocks)
    found = outcome(cell, MEAN)
    low, high = stats.t.interval(0.95, 19, day.mean(), day.std(ddof=1) / np.sqrt(20))
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high))
    assert found.independence == "days"
    few = outcome(MetricCell(1000, 1000, 1000, 10_000.0, 1000.0, 1000.0, blocks=blocks[:9]), MEAN)
    assert few.independence == "units"


def test_a_quantile_lies_between_order_statistics():
    values = np.arange(1.0, 1001.0)
    cell = MetricCell(1000, 1000, 1000, 0.0, 1000.0, 0.0, values=(values, np.arange(1000)))
    found = outcome(cell, Asked("quantile", 0.95, quantile=0.9))
    ends = stats.binom.ppf([0.025, 0.975], 1000, 0.9)
    assert found.value == 900
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(ends), abs=2)
    few = MetricCell(20, 20, 20, 0.0, 20.0, 0.0, values=(values[:20], np.arange(20)))
    assert outcome(few, Asked("quantile", 0.95, quantile=0.95)).status == "too_few"


@pytest.mark.parametrize(
    "cell, status",
    [
        (None, "no_data"),
        (MetricCell(0, 0, 0, 0.0, 0.0, 0.0), "no_data"),
        (MetricCell(5, 5, 5, 3.0, 0.0, 0.0), "undefined"),
        (MetricCell(1, 9, 1, 3.0, 1.0, 0.0), "too_few"),
        (MetricCell(9, 9, 9, 18.0, 9.0, 0.0), "undefined"),
    ],
)
def test_what_cannot_be_said_is_no_number(cell, status):
    found = outcome(cell, MEAN)
    assert (found.status, found.value, found.ci_low, found.ci_high) == (status, None, None, None)
    assert found.reason


def test_a_day_without_any_crash_borrows_the_spread_of_the_other_days():
    busy = cell_of([1.0, 0.0, 0.0, 2.0] * 10, np.full(40, 5.0))
    quiet = cell_of(np.zeros(40), np.full(40, 5.0))
    found = outcome(quiet, Asked("ratio", 0.95, spread=spread_of([busy, quiet])))
    assert found.value == 0
    assert found.ci_low < 0 < found.ci_high


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e3)), min_size=2, max_size=30),
    st.sampled_from(["mean", "ratio", "count"]),
    st.floats(0.5, 0.99),
)
def test_an_interval_holds_its_value_and_nothing_is_nan(units, kind, confidence):
    tops, bottoms = np.array(units).T
    found = outcome(cell_of(tops, bottoms), Asked(kind, confidence))
    if found.value is None:
        assert found.reason
        assert (found.ci_low, found.ci_high) == (None, None)
    else:
        assert np.isfinite([found.value, found.ci_low, found.ci_high]).all()
        assert found.ci_low <= found.value <= found.ci_high


@given(st.lists(st.booleans(), min_size=2, max_size=200), st.floats(0.5, 0.99))
def test_a_share_and_its_interval_stay_between_0_and_1(units, confidence):
    found = outcome(cell_of(units, np.ones(len(units))), Asked("proportion", confidence))
    assert 0 <= found.ci_low <= found.value <= found.ci_high <= 1


@pytest.mark.parametrize(
    "low, high, direction, expected",
    [
        (0.5, 0.6, "up", "met"), (0.3, 0.4, "up", "missed"), (0.4, 0.6, "up", "unclear"),
        (0.51, 0.6, "down", "missed"), (0.3, 0.5, "down", "met"), (0.5, 0.5, "up", "met"),
    ],
)  # fmt: skip
def test_a_target_is_met_by_the_whole_interval(low, high, direction, expected):
    found = Outcome((low + high) / 2, low, high, "units", "ok", None)
    assert reached(found, 0.5, direction) == expected
    assert reached(found, None, direction) is None
