"""Display bins: weight is neither lost nor moved across edges that both kinds of bin share."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.bins import bin_name, closed, display_edges, rebinned

FINE = np.unique(
    np.concatenate([[0.0, 1.0], np.arange(1, 100) / 100, 1 / (1 + np.exp(-np.linspace(-14, 14, 199)))])
)


def test_scores_are_shown_as_they_were_logged():
    """Every k/50 is an edge of the fine bins, so display bins count rows exactly."""
    values = np.random.default_rng(1).beta(1, 4, 5000)
    counts, _ = np.histogram(values, FINE)
    edges = display_edges(FINE[:-1], FINE[1:], counts)
    assert edges == pytest.approx(np.linspace(0, 1, 51))
    assert rebinned(FINE[:-1], FINE[1:], counts, edges) == pytest.approx(np.histogram(values, edges)[0])


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=30), st.integers(1, 12))
def test_no_weight_is_lost(weights, bins):
    edges = [-math.inf, *np.linspace(-5, 9, len(weights) - 1), math.inf]
    total = rebinned(edges[:-1], edges[1:], weights, np.linspace(-3, 3, bins + 1)).sum()
    assert total == pytest.approx(sum(weights))


def test_long_tails_do_not_squeeze_the_rest():
    edges = np.array([*np.linspace(-10, 10, 101), 1e6])
    weights = [100.0] * 100 + [1.0]
    shown = display_edges(edges[:-1], edges[1:], weights)
    assert shown[0] >= -10
    assert shown[-1] <= 10


def test_open_ends_are_closed_by_their_neighbours_width():
    low, high = closed([5.0, -math.inf, 1.0], [math.inf, 1.0, 5.0])
    assert low.tolist() == [5, -3, 1]
    assert high.tolist() == [9, 1, 5]


def test_a_single_open_bin_can_be_drawn():
    low, high = closed([-math.inf], [math.inf])
    assert high[0] > low[0]


def test_names():
    assert bin_name(1.0, 2.5) == "1 to 2.5"
    assert bin_name(-math.inf, 2.5) == "below 2.5"
