"""Sequential designs: published inflation factors, and paths of the statistic in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.stats.power_sequential import always_valid_looks, always_valid_rule, group_sequential_rule

PUBLISHED = [
    # Jennison and Turnbull (2000), tables 2.2 and 2.4: units of the last look over those of a single one, alpha .05
    ("pocock", 2, 1.110, 1.100), ("pocock", 3, 1.166, 1.151), ("pocock", 4, 1.202, 1.183), ("pocock", 5, 1.229, 1.207),
    ("obrien-fleming", 2, 1.008, 1.007), ("obrien-fleming", 3, 1.017, 1.016), ("obrien-fleming", 4, 1.024, 1.022),
    ("obrien-fleming", 5, 1.028, 1.026),
]  # fmt: skip


@pytest.mark.parametrize("boundary,looks,eighty,ninety", PUBLISHED)
def test_the_published_inflation_factors(boundary, looks, eighty, ninety):
    rule = group_sequential_rule(boundary, looks, 0.05)
    assert rule.inflation(0.8) == pytest.approx(eighty, abs=1e-3)
    assert rule.inflation(0.9) == pytest.approx(ninety, abs=1e-3)
    assert rule.false_alarm == pytest.approx(0.05, abs=1e-5)


def test_expected_units_of_a_pocock_design_are_published():
    # table 2.7: expected units over those of a single look, alpha .05, power .9, five looks: 68.5 % at the effect
    rule = group_sequential_rule("pocock", 5, 0.05)
    expected = rule.expected_fraction(rule.fixed_power(0.9)) * rule.inflation(0.9)
    assert expected == pytest.approx(0.685, abs=1e-3)


def test_one_look_is_the_fixed_design():
    rule = group_sequential_rule("pocock", 1, 0.05)
    assert rule.bounds[0] == pytest.approx(1.959964, abs=1e-5)
    assert rule.power(0.8) == pytest.approx(0.8, abs=1e-6)
    assert rule.expected_fraction(0.8) == 1.0


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([("pocock", 3), ("obrien-fleming", 4), ("power", 6), ("valid", 12)]),
    st.floats(0.3, 0.99),
    st.booleans(),
)
def test_power_and_its_inverse(design, wanted, one_sided):
    name, looks = design
    rule = (
        always_valid_looks(looks, 0.05, one_sided=one_sided)
        if name == "valid"
        else group_sequential_rule(name, looks, 0.05, one_sided=one_sided)
    )
    fixed = rule.fixed_power(wanted)
    assert rule.power(fixed) == pytest.approx(wanted, abs=1e-6)
    assert fixed >= wanted - 1e-6, "looking more often never costs fewer units at most"
    assert rule.expected_fraction(fixed) <= 1


@pytest.mark.statistical
@pytest.mark.parametrize("looks,tuned", [(28, 1.0), (10, 0.3)])
def test_the_chance_to_have_crossed_by_each_look(looks, tuned):
    rng = np.random.default_rng(3)
    times = np.arange(1, looks + 1) / looks
    rule = always_valid_rule(times.tolist(), 0.05, planned=tuned)
    drift = rule.drift(0.8)
    steps = rng.standard_normal((40_000, looks)) / np.sqrt(looks)
    for mean, expected in ((drift, rule.crossing(drift)), (0.0, rule.crossing(0.0))):
        z = (np.cumsum(steps, axis=1) + mean * times) / np.sqrt(times)
        crossed = np.logical_or.accumulate(z > np.array(rule.bounds), axis=1).mean(axis=0)
        # those that had crossed downwards before do not count: a few in ten thousand
        assert crossed == pytest.approx(np.cumsum(expected), abs=0.009)
    assert rule.false_alarm < 0.05
