"""A ratio adjusted by one number of each unit: the same as least squares on linearised values."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aggregates.arms import COVARIATE, RATIO, ArmMoments, MetricAggregates
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card


def test_a_ratio_adjusted_by_a_column_of_units():
    rng = np.random.default_rng(5)
    n = 400
    before = rng.normal(10, 3, 2 * n)
    denominator = rng.integers(1, 9, 2 * n).astype(float)
    numerator = denominator * (2 + 0.3 * before) + rng.normal(0, 4, 2 * n)
    table = np.column_stack([numerator, denominator, before])
    values = {"A": table[:n], "B": table[n:]}
    found = MetricAggregates(
        "m",
        ArmMoments.from_values(RATIO, {arm: given[:, :2] for arm, given in values.items()}),
        ArmMoments.from_values((*RATIO, *COVARIATE), values),
    )
    plain, adjusted = card([MetricDesign("m", "ratio", has_covariate=True)], [found]).rows[:2]

    pooled = table.mean(axis=0)
    linear = (numerator - pooled[0] / pooled[1] * denominator) / pooled[1]
    theta = np.cov(linear, before)[0, 1] / before.var(ddof=1)
    means = {}
    for arm, given in values.items():
        ratio = given[:, 0].sum() / given[:, 1].sum()
        psi = (given[:, 0] - ratio * given[:, 1]) / given[:, 1].mean() - theta * given[:, 2]
        means[arm] = ratio - theta * (given[:, 2].mean() - pooled[2]), psi.var(ddof=1) / n
    assert adjusted.difference == pytest.approx(means["B"][0] - means["A"][0], rel=1e-12)
    assert adjusted.standard_error == pytest.approx(np.sqrt(means["A"][1] + means["B"][1]), rel=1e-12)
    assert adjusted.standard_error < 0.8 * plain.standard_error
