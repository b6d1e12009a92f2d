"""Shares with few events: exact limits, coverage, and rows needed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.power import zt_ind_solve_power
from statsmodels.stats.proportion import proportion_confint

from analytics.stats.intervals import wilson
from analytics.stats.rare import rows_for_difference, rows_for_width, share_interval


@pytest.mark.parametrize("events,n", [(0, 30), (1, 500), (9, 20_000), (28, 30), (30, 30)])
def test_few_events_get_the_exact_interval(events, n):
    p = events / n
    found = share_interval(p, p * (1 - p) / n, n, 0.95)
    assert found == pytest.approx(proportion_confint(events, n, method="beta"), abs=1e-9)


@pytest.mark.parametrize("events,n", [(10, 500), (300, 600)])
def test_more_events_get_wilsons(events, n):
    p = events / n
    assert share_interval(p, p * (1 - p) / n, n, 0.95) == wilson(p, n, 0.95)


def test_few_days_widen_the_exact_interval():
    p, n = 3 / 500, 500
    plain = share_interval(p, p * (1 - p) / n, n, 0.95)
    few = share_interval(p, p * (1 - p) / n, n, 0.95, 9)
    assert few.low < plain.low
    assert few.high > plain.high


def covered(interval, n, p):
    """The exact coverage, and the share of draws that lie above the truth's reach on each side."""
    events = np.arange(0, min(n, 80) + 1)
    chance = binom.pmf(events, n, p)
    limits = [interval(k / n, n) for k in events]
    low = sum(c for (a, _), c in zip(limits, chance, strict=True) if a > p)
    high = sum(c for (_, b), c in zip(limits, chance, strict=True) if b < p)
    return 1 - low - high, low, high


@pytest.mark.parametrize("n", [200, 500, 1_000, 2_000, 5_000, 20_000])
def test_coverage_at_one_in_a_thousand(n):
    found, low, high = covered(lambda p, n: share_interval(p, p * (1 - p) / n, n, 0.95), n, 0.001)
    assert found >= 0.94
    assert low <= 0.05
    assert high <= 0.03


def test_worst_coverage_over_rare_shares():
    worst = min(
        covered(lambda p, n: share_interval(p, p * (1 - p) / n, n, 0.95), 2_000, events / 2_000)[0]
        for events in np.linspace(0.05, 15, 120)
    )
    of_wilson = min(
        covered(lambda p, n: wilson(p, n, 0.95), 2_000, events / 2_000)[0]
        for events in np.linspace(0.05, 15, 120)
    )
    assert worst >= 0.93
    assert of_wilson < 0.86


@pytest.mark.parametrize("share,size", [(0.0, 20.0), (0.1, 30.0), (0.6, 5.0), (0.5, 150.0), (1.0, 12.0)])
def test_with_the_rows_asked_for_the_interval_is_narrow_and_without_one_percent_it_is_not(share, size):
    more = rows_for_width(share, size, 0.05, 0.95)
    p = (share * size + 0.5) / (size + 1)

    def half(n):
        low, high = share_interval(p, p * (1 - p) / n, n, 0.95)
        return (high - low) / 2

    assert half(size + more) <= 0.05 + 1e-9
    assert half(0.98 * (size + more) - 1) > 0.05


def test_rows_for_a_difference_are_those_of_the_normal_test():
    p, q, size = 0.25, 0.30, 4_000.0
    more = rows_for_difference(p, q, 1e12, size=100.0)
    pulled = (p * 100 + 0.5) / 101
    # one side fixed: as many rows as a one-sample z test with that spread
    wanted = ((1.959964 + 0.841621) / abs(p - q)) ** 2 * pulled * (1 - pulled)
    assert more == pytest.approx(wanted - 100, abs=1)
    solved = zt_ind_solve_power(
        effect_size=abs(p - q) / np.sqrt(pulled * (1 - pulled)), power=0.8, alpha=0.05, ratio=1e9
    )
    assert more == pytest.approx(solved - 100, rel=0.01)
    assert rows_for_difference(p, q, 50.0, size) is None
    assert rows_for_difference(p, p, 1e6, size) is None
