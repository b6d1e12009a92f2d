"""Funnels: shares of all exposed units, rates from step to step, and differences, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import drafts
from analytics.experiments.funnels import FunnelRow, funnel_rows
from analytics.stats.proportions import miettinen_nurminen

STEPS = ("view", "cart", "buy")
COLUMNS = ("step_1", "step_2", "step_3")
METRIC = MetricDesign("path", "funnel", steps=STEPS)
DESIGN = Design("test", "A", {"A": 0.5, "B": 0.5}, metrics=(METRIC,))


def table(reached: tuple[int, ...], n: int) -> np.ndarray:
    """Units that came so far: the first ``reached[k]`` of them took step k."""
    return np.column_stack([np.arange(n) < k for k in reached]).astype(float)


def aggregates(
    arms: dict[str, np.ndarray], clusters: dict[str, np.ndarray] | None = None
) -> MetricAggregates:
    steps = ArmMoments.from_values(COLUMNS, arms, clusters=clusters)
    last = {arm: values[:, -1:] for arm, values in arms.items()}
    return MetricAggregates("path", ArmMoments.from_values(("value",), last, clusters=clusters), steps=steps)


def rows(arms: dict[str, np.ndarray], clusters: dict[str, np.ndarray] | None = None) -> list[FunnelRow]:
    return [*funnel_rows(DESIGN, METRIC, aggregates(arms, clusters), 0.95)]


def test_shares_rates_and_differences_are_those_of_counts() -> None:
    found = rows({"A": table((300, 120, 40), 500), "B": table((310, 160, 66), 520)})
    assert [(row.step, row.variant) for row in found] == [(k, arm) for k in (1, 2, 3) for arm in "AB"]
    counts = {("A", 0): 500, ("A", 1): 300, ("A", 2): 120, ("A", 3): 40}
    counts |= {("B", 0): 520, ("B", 1): 310, ("B", 2): 160, ("B", 3): 66}
    for row in found:
        n, reached, before = (counts[row.variant, k] for k in (0, row.step, row.step - 1))
        assert (row.n, row.reached, row.condition) == (n, reached, STEPS[row.step - 1])
        assert row.share == pytest.approx(reached / n)
        assert (row.ci_low, row.ci_high) == pytest.approx(proportion_confint(reached, n, method="wilson"))
        assert row.rate == pytest.approx(reached / before)
        assert (row.rate_ci_low, row.rate_ci_high) == pytest.approx(
            proportion_confint(reached, before, method="wilson")
        )
        if row.is_control:
            assert row.difference is None
            continue
        low, high = miettinen_nurminen(reached, n, counts["A", row.step], 500, 0.95)
        assert row.difference == pytest.approx(reached / n - counts["A", row.step] / 500)
        assert (row.difference_ci_low, row.difference_ci_high) == pytest.approx((float(low), float(high)))


def test_the_last_step_is_the_metric() -> None:
    arms = {"A": table((300, 120, 40), 500), "B": table((310, 160, 66), 520)}
    last = next(row for row in rows(arms) if row.step == 3 and row.variant == "B")
    draft = drafts(DESIGN, METRIC, aggregates(arms), 0.95)[0]
    assert draft.comparison is not None
    assert last.difference == pytest.approx(draft.row.difference)
    assert (last.difference_ci_low, last.difference_ci_high) == pytest.approx(
        tuple(draft.comparison.interval(0.95))
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, n)] * 3)),
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, n)] * 3)),
)
def test_an_interval_holds_its_value_and_a_later_step_is_never_more(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    arms = {
        arm: table(tuple(sorted(given[1:], reverse=True)), given[0])
        for arm, given in (("A", one), ("B", other))
    }
    found = rows(arms)
    for row in found:
        assert (row.share is None) == (row.status == "no_data")
        for value, low, high in (
            (row.share, row.ci_low, row.ci_high),
            (row.rate, row.rate_ci_low, row.rate_ci_high),
            (row.difference, row.difference_ci_low, row.difference_ci_high),
        ):
            if low is not None and high is not None and value is not None:
                assert low - 1e-12 <= value <= high + 1e-12
            else:
                assert row.status != "ok" or row.is_control or row.reason is not None
    for arm in "AB":
        shares = [row.share for row in found if row.variant == arm]
        assert shares == sorted(shares, reverse=True)


def test_a_step_nobody_took_has_no_rate_after_it() -> None:
    found = rows({"A": table((5, 0, 0), 50), "B": table((6, 0, 0), 50)})
    third = [row for row in found if row.step == 3]
    assert all(row.rate is None for row in third)
    assert third[0].reason == "no unit took step 2, so there is no rate from it to the next"
    assert all(row.share == 0 and row.ci_high is not None and row.ci_high > 0 for row in third)


def test_units_that_are_alike_within_clusters_widen_every_interval() -> None:
    clusters = {"A": np.arange(500) // 5, "B": 1000 + np.arange(500) // 5}
    arms = {arm: table((300, 120, 40), 500) for arm in "AB"}
    plain, clustered = rows(arms), rows(arms, clusters)
    for one, other in zip(plain, clustered, strict=True):
        assert one.share == pytest.approx(other.share)
        assert one.rate == pytest.approx(other.rate)
        assert other.ci_high - other.ci_low > 1.5 * (one.ci_high - one.ci_low)
        if one.rate not in {0.0, 1.0} and one.step > 1:
            assert other.rate_ci_high - other.rate_ci_low > 1.5 * (one.rate_ci_high - one.rate_ci_low)


def test_no_funnel_has_no_rows_and_an_arm_without_units_has_a_reason() -> None:
    found = aggregates({"A": table((3, 2, 1), 5), "B": table((3, 2, 1), 5)})
    assert [*funnel_rows(DESIGN, METRIC, replace(found, steps=None), 0.95)] == []
    alone = rows({"A": table((3, 2, 1), 5)})
    assert {row.status for row in alone if row.variant == "B"} == {"no_data"}
