"""Group-sequential boundaries: published tables, exact multivariate normal probabilities, and repeated intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.group_sequential import (
    Boundary,
    Looks,
    boundaries,
    classical_constant,
    conditional_power,
    crossing_probabilities,
    naive_false_alarm,
    repeated_look,
    sample_inflation,
    spending,
)

FAMILIES: tuple[Boundary, ...] = (
    "obrien-fleming",
    "pocock",
    "lan-demets-obrien-fleming",
    "lan-demets-pocock",
    "power",
)


def equal(looks: int) -> tuple[float, ...]:
    return (*(k / looks for k in range(1, looks)), 1.0)


# Jennison and Turnbull (2000), tables 2.1 and 2.3, alpha = .05 and .01, two-sided
@pytest.mark.parametrize(
    "looks, pocock, obrien_fleming",
    [
        (2, 2.178, 1.977),
        (3, 2.289, 2.004),
        (4, 2.361, 2.024),
        (5, 2.413, 2.040),
        (10, 2.555, 2.087),
        (20, 2.672, 2.126),
    ],
)
def test_constants_are_those_of_the_tables(looks: int, pocock: float, obrien_fleming: float) -> None:
    assert classical_constant(Looks("pocock", equal(looks)), 0.05) == pytest.approx(pocock, abs=6e-4)
    found = classical_constant(Looks("obrien-fleming", equal(looks)), 0.05)
    assert found == pytest.approx(obrien_fleming, abs=6e-4)


def test_constants_at_one_percent() -> None:
    assert classical_constant(Looks("pocock", equal(5)), 0.01) == pytest.approx(2.986, abs=6e-4)
    assert classical_constant(Looks("obrien-fleming", equal(5)), 0.01) == pytest.approx(2.621, abs=6e-4)


# gsDesign and rpact, five equally spaced looks, one-sided .025 on either side
@pytest.mark.parametrize(
    "boundary, expected",
    [
        ("obrien-fleming", [4.562, 3.226, 2.634, 2.281, 2.040]),
        ("pocock", [2.413] * 5),
        ("lan-demets-obrien-fleming", [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("lan-demets-pocock", [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_boundaries_are_the_published_ones(boundary: Boundary, expected: list[float]) -> None:
    plan = Looks(boundary, equal(5))
    assert boundaries(plan, 0.05, plan.fractions) == pytest.approx(expected, abs=6e-4)


def test_one_sided_boundaries_are_the_published_ones() -> None:
    plan = Looks("lan-demets-obrien-fleming", equal(5), one_sided=True)
    found = boundaries(plan, 0.025, plan.fractions)
    assert found == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=6e-4)


# Jennison and Turnbull (2000), tables 2.2 and 2.4: alpha = .05, power .8 and .9, five looks
@pytest.mark.parametrize(
    "boundary, power, expected",
    [
        ("pocock", 0.8, 1.229),
        ("pocock", 0.9, 1.207),
        ("obrien-fleming", 0.8, 1.028),
        ("obrien-fleming", 0.9, 1.026),
    ],
)
def test_a_plan_needs_as_many_more_units_as_the_tables_say(
    boundary: Boundary, power: float, expected: float
) -> None:
    assert sample_inflation(Looks(boundary, equal(5)), 0.05, power) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("looks, expected", [(1, 0.05), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_looking_at_a_fixed_test_is_wrong_as_often_as_known(looks: int, expected: float) -> None:
    assert naive_false_alarm(range(1, looks + 1), 0.05) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("boundary", FAMILIES)
def test_unequal_looks_spend_exactly_what_is_planned_by_the_multivariate_normal(boundary: Boundary) -> None:
    plan = Looks(boundary, (0.3, 0.5, 1.0))
    taken = (0.27, 0.62, 1.13)
    bounds = boundaries(plan, 0.05, taken, final=True)
    covariance = [[math.sqrt(min(s, t) / max(s, t)) for s in taken] for t in taken]
    spent = spending(plan, 0.05, taken)
    assert spent[-1] == pytest.approx(0.05)
    for k in range(1, 4):
        law = stats.multivariate_normal(
            np.zeros(k), np.array(covariance)[:k, :k], abseps=1e-7, releps=1e-7, seed=1
        )
        inside = law.cdf(bounds[:k], lower_limit=-bounds[:k])
        assert 1 - inside == pytest.approx(spent[k - 1], abs=2e-5)


@pytest.mark.parametrize("boundary", FAMILIES)
@pytest.mark.parametrize("one_sided", [False, True])
def test_an_early_end_and_an_overrun_spend_what_is_left(boundary: Boundary, one_sided: bool) -> None:
    plan = Looks(boundary, equal(4), one_sided=one_sided)
    for taken in ((0.25, 0.5, 0.7), (0.25, 0.5, 0.75, 1.4), (0.6,)):
        bounds = boundaries(plan, 0.05, taken, final=True)
        up, down = crossing_probabilities(taken, bounds, one_sided=one_sided)
        assert float((up + down).sum()) == pytest.approx(0.05, abs=1e-8)


def test_a_look_that_spends_less_is_farther() -> None:
    plan = Looks("power", equal(5), exponent=2.0)
    assert spending(plan, 0.05, (0.5, 1.0, 1.2)).tolist() == pytest.approx([0.0125, 0.05, 0.05])
    early = Looks("power", equal(5), exponent=1.0)
    assert boundaries(plan, 0.05, (0.2,))[0] > boundaries(early, 0.05, (0.2,))[0]


taken_looks = st.lists(st.floats(0.05, 0.98), min_size=0, max_size=3, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(
    boundary=st.sampled_from(FAMILIES),
    before=taken_looks,
    last=st.floats(0.99, 1.3),
    z=st.floats(-9, 9),
    level=st.floats(1e-7, 0.6),
    one_sided=st.booleans(),
    final=st.booleans(),
)
def test_repeated_p_is_under_a_level_exactly_where_the_repeated_interval_leaves_0_out(
    boundary: Boundary,
    before: list[float],
    last: float,
    z: float,
    level: float,
    one_sided: bool,
    final: bool,
) -> None:
    plan = Looks(boundary, (0.2, 0.5, 1.0), one_sided=one_sided)
    look = repeated_look(plan, tuple(round(t, 2) for t in dict.fromkeys([*before, last])), final=final)
    reach, p = look.multiplier(level), look.p_value(z)
    beyond = (z if one_sided else abs(z)) - reach
    if abs(beyond) > 1e-9:
        assert (p < level) == (beyond > 0)
    assert 0 <= p <= 1


@pytest.mark.parametrize("boundary", FAMILIES)
def test_the_table_of_a_look_is_its_boundary(boundary: Boundary) -> None:
    plan, taken = Looks(boundary, equal(5)), (0.21, 0.4, 0.63)
    look = repeated_look(plan, taken)
    for level in (0.2, 0.05, 0.05 / 3, 0.01, 1e-4):
        exact = boundaries(plan, level, taken)[-1]
        assert look.multiplier(level) == pytest.approx(exact, abs=2e-5)
    assert look.multiplier(0.05) == pytest.approx(boundaries(plan, 0.05, taken)[-1], abs=1e-7)


def test_one_look_is_the_fixed_test() -> None:
    look = repeated_look(Looks("pocock", (1.0,)), (1.0,), final=True)
    assert look.multiplier(0.05) == pytest.approx(1.959964, abs=1e-6)
    assert look.p_value(2.5) == pytest.approx(2 * stats.norm.sf(2.5), rel=1e-4)


def test_conditional_power_is_that_of_the_rest() -> None:
    # from Z(.5) = .5: B(1) is normal about .5 sqrt(.5) + .5 drift with variance .5
    expected = stats.norm.sf(1.96, 0.5 * math.sqrt(0.5) + 1.4, math.sqrt(0.5))
    expected += stats.norm.cdf(-1.96, 0.5 * math.sqrt(0.5) + 1.4, math.sqrt(0.5))
    assert conditional_power(0.5, 0.5, 1.96, 2.8) == pytest.approx(expected)
    with pytest.raises(ValueError, match="fraction"):
        conditional_power(0.5, 1.0, 1.96, 2.8)


def test_looks_that_do_not_ascend_to_1_are_refused() -> None:
    for fractions in ((), (0.5,), (0.5, 0.5, 1.0), (0.0, 1.0)):
        with pytest.raises(ValueError, match="ascend"):
            Looks("pocock", fractions)
