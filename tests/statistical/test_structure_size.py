"""False alarms within strata, in pairs, with several covariates and few clusters; the docs have longer runs."""

from __future__ import annotations

import pytest

from tests.statistical.structure_table import clusters, covariates, pairs, strata

pytestmark = pytest.mark.statistical
TIMES = 400
MOST = 0.085
"""Of 5 %, in 400 runs: the docs' 4,000 runs have the figures."""


def test_within_strata_the_level_is_kept_and_pooling_cries_wolf() -> None:
    found = strata(TIMES)
    assert max(row["within"] for row in found.values()) < MOST
    assert found["three large, mean"]["pooled"] > 0.9
    assert found["three large, proportion"]["pooled"] > 0.8


def test_pairs_keep_the_level() -> None:
    found = pairs(TIMES)
    assert max(row["in pairs"] for row in found.values()) < MOST


def test_five_covariates_keep_the_level_and_halve_the_variance() -> None:
    found = covariates(TIMES)
    assert max(row["false alarms"] for row in found.values()) < MOST
    assert found["200 units an arm"]["variance left"] == pytest.approx(0.5, abs=0.03)


def test_few_clusters_keep_the_level_where_each_arm_has_some() -> None:
    found = clusters(150)
    for name in ("6 clusters", "20 clusters", "30 clusters"):
        assert max(value for what, value in found[name].items() if "0.5" in what) < 0.11, name
