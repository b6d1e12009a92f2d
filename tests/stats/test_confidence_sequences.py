"""Confidence sequences: published multipliers, and one statistic behind interval and p-value at every level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.confidence_sequences import (
    first_crossing,
    mixture_width,
    sequence_multiplier,
    sequence_p_value,
)

sizes = st.floats(2, 1e9)
levels = st.floats(1e-9, 0.49)


def test_the_multipliers_are_those_of_the_reference() -> None:
    width = mixture_width(5000, 0.05)
    found = [sequence_multiplier(n, 0.05, width) for n in (100.0, 5000.0, 1e6)]
    assert found == pytest.approx([6.69, 3.035, 3.66], abs=0.005)


def test_a_sequence_is_the_formula_of_the_paper() -> None:
    n, n_star, alpha = 1234.0, 20_000.0, 0.05
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / n_star
    # Waudby-Smith et al., theorem 2.2, as a multiple of sigma / sqrt(n)
    reach = np.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * np.log(np.sqrt(n * rho2 + 1) / alpha)) * np.sqrt(n)
    assert sequence_multiplier(n, alpha, mixture_width(n_star, alpha)) == pytest.approx(reach)


def test_one_sided_is_equation_134() -> None:
    n, rho2, alpha = 700.0, mixture_width(5000, 0.05, one_sided=True), 0.05
    reach = np.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * np.log(1 + np.sqrt(n * rho2 + 1) / (2 * alpha)))
    assert sequence_multiplier(n, alpha, rho2, one_sided=True) == pytest.approx(reach * np.sqrt(n))


def test_nowhere_is_the_sequence_tighter_than_at_the_planned_size() -> None:
    n = np.geomspace(10, 1e7, 200)
    for planned in (500.0, 5000.0, 50_000.0):
        widths = mixture_width(planned, 0.05)
        best = n[np.argmin(sequence_multiplier(n, np.full(len(n), 0.05), widths))]
        # the multiplier itself is least near 1.3 planned sizes, whatever these are
        assert 0.7 < best / planned < 2


@given(z=st.floats(-30, 30), n=sizes, planned=sizes, tuned=levels, level=levels, one_sided=st.booleans())
def test_p_is_under_a_level_exactly_where_the_interval_of_that_level_leaves_0_out(
    z: float, n: float, planned: float, tuned: float, level: float, one_sided: bool
) -> None:
    width = mixture_width(planned, tuned, one_sided=one_sided)
    p = sequence_p_value(z, n, width, one_sided=one_sided)
    reach = sequence_multiplier(n, level, width, one_sided=one_sided)
    beyond = (z if one_sided else abs(z)) - reach
    if abs(beyond) > 1e-9 * reach:
        assert (p < level) == (beyond > 0)
    assert 0 <= p <= 1


@given(n=sizes, planned=sizes, level=levels, one_sided=st.booleans())
def test_p_is_the_level_at_its_own_boundary(n: float, planned: float, level: float, one_sided: bool) -> None:
    width = mixture_width(planned, 0.05, one_sided=one_sided)
    reach = sequence_multiplier(n, level, width, one_sided=one_sided)
    assert sequence_p_value(reach, n, width, one_sided=one_sided) == pytest.approx(level, rel=1e-6)


def test_arrays_are_answered_as_their_numbers() -> None:
    width = mixture_width(5000, 0.05)
    z, n = np.array([0.0, 2.0, 4.0]), np.array([10.0, 1000.0, 9000.0])
    together = sequence_p_value(z, n, width)
    assert together.tolist() == [
        sequence_p_value(a, b, width) for a, b in zip(z.tolist(), n.tolist(), strict=True)
    ]


def test_no_plan_and_no_level_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="planned"):
        mixture_width(0, 0.05)
    with pytest.raises(ValueError, match="alpha"):
        mixture_width(100, 0.5, one_sided=True)


def test_the_first_crossing_is_the_first_look_under_the_level() -> None:
    assert first_crossing([0.5, np.nan, 0.049, 0.6], 0.05) == 2
    assert first_crossing([0.5, 0.05], 0.05) is None
    assert first_crossing([], 0.05) is None
