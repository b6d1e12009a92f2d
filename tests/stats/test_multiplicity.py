"""Adjusted p-values and the levels that go with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analytics.stats import multiplicity

P_VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=0, max_size=12)


@settings(max_examples=15, deadline=None)  # statsmodels' function is slow
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_values_are_the_libraries(p: list[float]) -> None:
    assert multiplicity.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert multiplicity.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(p=P_VALUES)
def test_missing_values_pass_through_and_do_not_count(p: list[float | None]) -> None:
    known = [x for x in p if x is not None]
    for method in (multiplicity.holm, multiplicity.benjamini_hochberg):
        found = method(p)
        assert [bool(np.isnan(x)) for x in found] == [x is None for x in p]
        assert found[~np.isnan(found)] == pytest.approx(method(known))
    assert np.isnan(multiplicity.holm_levels(p, 0.05)).tolist() == [x is None for x in p]


@given(p=st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
def test_levels_and_adjusted_values_never_contradict_each_other(p: list[float]) -> None:
    alpha = 0.05
    adjusted, levels = multiplicity.holm(p), multiplicity.holm_levels(p, alpha)
    for value, adjusted_value, level in zip(p, adjusted, levels, strict=True):
        if abs(adjusted_value - alpha) > 1e-9:
            assert (adjusted_value < alpha) == (value < level)
    found, level = multiplicity.benjamini_hochberg(p), multiplicity.bh_level(p, alpha)
    for value, adjusted_value in zip(p, found, strict=True):
        if abs(adjusted_value - alpha) > 1e-9 and abs(value - level) > 1e-12:
            assert (adjusted_value < alpha) == (value < level)


def test_levels_by_hand() -> None:
    assert multiplicity.holm_levels([0.001, 0.02, 0.03, 0.5], 0.05) == pytest.approx(
        [0.0125, 0.05 / 3, 0.05 / 3, 0.05 / 3]
    )
    assert multiplicity.bh_level([0.001, 0.02, 0.03, 0.5], 0.05) == pytest.approx(3 * 0.05 / 4)
    assert multiplicity.bh_level([0.4, 0.5], 0.05) == pytest.approx(0.025)
    assert multiplicity.bh_level([], 0.05) == 0.05
    with pytest.raises(ValueError, match="between 0 and 1"):
        multiplicity.holm([1.2])


@pytest.mark.statistical
def test_error_rates() -> None:
    """20 true nulls: a false alarm in 5 % of families; half of them false: 2.5 % of discoveries wrong."""
    rng = np.random.default_rng(3)
    nulls = rng.random((2000, 20))
    assert np.mean([multiplicity.holm(p).min() <= 0.05 for p in nulls]) == pytest.approx(0.05, abs=0.012)
    shares = []
    for p in nulls:
        p[:10] = stats.norm.sf(rng.normal(size=10) + 3)
        found = multiplicity.benjamini_hochberg(p) <= 0.05
        shares.append(found[10:].sum() / max(found.sum(), 1))
    assert np.mean(shares) == pytest.approx(0.025, abs=0.006)
