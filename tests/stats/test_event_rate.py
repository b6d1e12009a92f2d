"""Rates of arrivals: exact limits, coverage where arrivals come in groups, and few units that carry it all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from analytics.stats.carried import carried_by_few
from analytics.stats.event_rate import rate_interval


@pytest.mark.parametrize("count", [1, 7, 400, 2_000_000])
def test_a_plain_count_gets_garwoods_limits(count):
    low, high = rate_interval(count, count, 60.0, 0.95)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 / 60, rel=1e-9)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2 / 60, rel=1e-9)


def test_weights_scale_the_rate_and_not_what_is_known():
    plain, weighted = rate_interval(50, 50, 1.0, 0.95), rate_interval(500, 5_000, 1.0, 0.95)
    assert [limit * 10 for limit in plain] == pytest.approx(list(weighted))
    few = rate_interval(50, 50, 1.0, 0.95, df=9)
    assert few.low < plain.low
    assert few.high > plain.high


@pytest.mark.parametrize("total, variance, exposure", [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)])
def test_nothing_has_no_rate(total, variance, exposure):
    with pytest.raises(ValueError, match="above 0"):
        rate_interval(total, variance, exposure, 0.95)


@pytest.mark.statistical
@pytest.mark.parametrize("units", [12, 60])
def test_arrivals_in_groups_are_covered(units):
    """Each unit that comes brings one to nine requests at once."""
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(2_000):
        sizes = random.integers(1, 10, random.poisson(units))
        if not len(sizes):
            continue
        low, high = rate_interval(sizes.sum(), (sizes**2).sum(), 1.0, 0.95)
        inside += low <= units * 5.0 <= high
    assert 0.93 <= inside / 2_000 <= 0.985


def test_few_that_carry_it_are_found_and_the_p_value_is_uniform_otherwise():
    random = np.random.default_rng(2)
    size = random.integers(5, 200, 400)
    found = carried_by_few(size, np.r_[np.full(5, 40), np.ones(395, dtype=int)])
    assert found.p_value == 0.001
    assert found.share > 2 * found.expected
    null = [
        carried_by_few(size, random.multinomial(150, size / size.sum()), draws=99).p_value for _ in range(200)
    ]
    assert np.mean(np.array(null) <= 0.05) <= 0.09
    assert 0.4 < np.mean(null) < 0.75


def test_ten_units_carry_everything():
    assert carried_by_few([3, 1], [1, 0]).share == 1.0
    with pytest.raises(ValueError, match="at least one event"):
        carried_by_few([3, 1], [0, 0])
