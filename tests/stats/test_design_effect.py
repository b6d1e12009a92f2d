"""Design effects: the textbook formula, clusters that are alike by construction, and degenerate clusters."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.design_effect import design_effect, planned_design_effect


def of_values(values, clusters):
    centred = values - values.mean()
    counts = np.bincount(clusters)
    return design_effect(counts, np.bincount(clusters, centred), float(values.var(ddof=1)))


def test_the_textbook_design_effect():
    # Donner and Klar: 1 + (m - 1) icc
    assert planned_design_effect(0.02, 101) == pytest.approx(3.0)
    assert planned_design_effect(0.0, 50, 1.0) == 1.0


@pytest.mark.statistical
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.4])
def test_what_was_put_in_comes_out(icc):
    rng = np.random.default_rng(6)
    sizes = rng.integers(1, 12, 4000)
    clusters = np.repeat(np.arange(4000), sizes)
    values = np.sqrt(icc) * rng.standard_normal(4000)[clusters] + np.sqrt(1 - icc) * rng.standard_normal(
        len(clusters)
    )
    found = of_values(values, clusters)
    expected = planned_design_effect(icc, sizes.mean(), sizes.std() / sizes.mean())
    assert found.low < expected < found.high
    assert found.value == pytest.approx(expected, rel=0.06)
    assert found.icc == pytest.approx(icc, abs=0.03)
    assert found.size == pytest.approx((sizes**2).sum() / sizes.sum())


def test_copies_of_one_unit_count_once():
    rng = np.random.default_rng(1)
    values = np.repeat(rng.standard_normal(500), 3)
    found = of_values(values, np.repeat(np.arange(500), 3))
    assert found.value == pytest.approx(3.0, rel=0.01)
    assert found.icc == pytest.approx(1.0, abs=0.01)


def test_nothing_to_tell():
    assert design_effect([3], [0.0], 1.0) is None
    assert design_effect([3, 3], [0.0, 0.0], 0.0) is None
    found = design_effect([1, 1], [1.0, -1.0], 2.0)
    assert found is not None
    assert (found.icc, found.size) == (0.0, 1.0)
