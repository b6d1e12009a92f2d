"""Who is slower than a percentile is told from bins as from the rows."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aggregates.latency_bins import BlockedLatencies, latency_edges


def counted(latency, block):
    """The bins of each block, as the query counts them."""
    place = np.searchsorted(latency_edges(), latency, side="right")
    keys, at = np.unique(np.stack([block, place]), axis=1, return_inverse=True)
    n = np.bincount(at).astype(float)
    low, high = np.full(len(n), np.inf), np.full(len(n), -np.inf)
    np.minimum.at(low, at, latency)
    np.maximum.at(high, at, latency)
    return BlockedLatencies(keys[0], keys[1], n, n, n, low, high)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_every_block_s_slow_rows_are_those_of_the_rows_but_for_a_few(share):
    random = np.random.default_rng(2)
    latency, block = random.lognormal(3, 0.6, 40_000), random.integers(0, 8, 40_000)
    found = counted(latency, block)
    limit = found.pooled().quantile(share)
    beyond = found.beyond(limit)
    for one in range(8):
        exact = (latency[block == one] > limit).sum()
        assert (found.n * beyond)[found.block == one].sum() == pytest.approx(exact, abs=8)
    assert (found.n * beyond).sum() / 40_000 == pytest.approx(1 - share, abs=5e-4)


def test_rows_as_long_as_the_limit_are_half_beyond_it():
    found = counted(np.array([5.0, 5.0, 5.0, 9.0]), np.zeros(4, dtype=np.int64))
    assert found.beyond(5.0).tolist() == [0.5, 1.0]
    assert found.beyond(4.0).tolist() == [1.0, 1.0]
    assert found.beyond(9.5).tolist() == [0.0, 0.0]


def test_blocks_pool_to_the_bins_of_all():
    random = np.random.default_rng(3)
    latency = random.gamma(2, 30, 2_000)
    whole = counted(latency, np.zeros(2_000, dtype=np.int64)).pooled()
    parts = counted(latency, np.arange(2_000) % 5).pooled()
    for name in ("bins", "n", "weight", "squares", "low", "high"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
