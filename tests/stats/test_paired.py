"""Paired shares against McNemar, Tango's and Tang's scores found by maximising the likelihood itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from statsmodels.stats.contingency_tables import mcnemar

from analytics.stats.paired import PairedShares

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(0, 20), st.integers(0, 40))


def test_p_value_is_mcnemar() -> None:
    ours = PairedShares(40, 15, 5, 40)
    theirs = mcnemar([[40, 15], [5, 40]], exact=False, correction=False)
    assert ours.statistic**2 == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue)


def _by_likelihood(a: int, b: int, c: int, d: int, delta: float) -> float:
    """Tango's statistic with the restricted maximum found numerically."""
    n = a + b + c + d

    def loss(q: float) -> float:
        rest = 1 - 2 * q - delta
        return -(b * math.log(q + delta) + c * math.log(q) + (a + d) * math.log(rest))

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(
        loss, bounds=(low + 1e-12, high - 1e-12), method="bounded", options={"xatol": 1e-12}
    ).x
    return (b - c - n * delta) / math.sqrt(n * (2 * q + delta - delta**2))


def test_interval_inverts_the_restricted_likelihood() -> None:
    counts = (30, 12, 5, 20)
    ours = PairedShares(*counts).interval(0.95)
    z = 1.959963984540054
    low = brentq(lambda d: _by_likelihood(*counts, d) - z, -0.3, 0.1)
    high = brentq(lambda d: _by_likelihood(*counts, d) + z, 0.1, 0.5)
    assert ours == pytest.approx((low, high), abs=1e-5)


def _ratio_by_likelihood(a: int, b: int, c: int, d: int, ratio: float) -> float:
    """The score of the ratio: its variance at the restricted maximum, found on a fine grid of p11 and p01."""
    n = a + b + c + d
    q11, q01 = np.meshgrid(np.linspace(1e-4, 0.9, 1201), np.linspace(1e-4, 0.9, 1201))
    q10 = ratio * (q11 + q01) - q11
    q00 = 1 - q11 - q01 - q10
    fits = (q10 > 0) & (q00 > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        likelihood = np.where(
            fits, a * np.log(q11) + b * np.log(q10) + c * np.log(q01) + d * np.log(q00), -np.inf
        )
    best = np.unravel_index(np.argmax(likelihood), likelihood.shape)
    # the variance of a + b - ratio (a + c) per pair; its mean is 0
    variance = q10[best] + ratio**2 * q01[best] + (1 - ratio) ** 2 * q11[best]
    return float((a + b - ratio * (a + c)) / math.sqrt(n * variance))


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.3])
def test_ratio_score_by_likelihood(ratio: float) -> None:
    counts = (30, 12, 5, 20)
    assert PairedShares(*counts)._ratio_at(ratio) == pytest.approx(
        _ratio_by_likelihood(*counts, ratio), abs=0.01
    )


@settings(max_examples=150, deadline=None)
@given(COUNTS, st.sampled_from([0.8, 0.95]))
def test_p_value_and_intervals_agree(counts: tuple[int, int, int, int], level: float) -> None:
    ours = PairedShares(*counts)
    if counts[1] + counts[2] == 0:
        if ours.n:
            assert math.isnan(ours.p_value)
        return
    low, high = ours.interval(level)
    assert -1 <= low <= ours.difference <= high <= 1
    rejected = ours.p_value < 1 - level
    assert rejected == (low > 0 or high < 0)
    ratio = ours.ratio(level)
    if ratio is not None and ratio[0] > 0:
        assert rejected == (ratio[1].low > 1 or ratio[1].high < 1)
    a, b, c, d = counts
    assert PairedShares(a, c, b, d).interval(level) == pytest.approx((-high, -low), abs=1e-7)


@pytest.mark.statistical
def test_size_and_coverage() -> None:
    rng = np.random.default_rng(3)
    rejected = covered = covered_ratio = 0
    times, chances = 3000, [0.2, 0.10, 0.10, 0.6]
    for _ in range(times):
        ours = PairedShares(*rng.multinomial(80, chances))
        rejected += ours.p_value < 0.05
    assert 0.035 < rejected / times < 0.062
    chances = [0.2, 0.15, 0.05, 0.6]
    for _ in range(1000):
        ours = PairedShares(*rng.multinomial(80, chances))
        low, high = ours.interval(0.95)
        covered += low <= 0.1 <= high
        ratio = ours.ratio(0.95)
        covered_ratio += ratio is not None and ratio[1].low <= 1.4 <= ratio[1].high
    assert covered / 1000 > 0.93
    assert covered_ratio / 1000 > 0.93
