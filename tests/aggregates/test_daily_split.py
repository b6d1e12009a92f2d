"""Splits by day: cells of the same key add, parts of the logs add up, and equality is by value."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aggregates.daily_split import DailySplit


def split(days, strata, phases, n, **more):
    return DailySplit.of(
        ("A", "B"),
        np.array(days, "datetime64[D]"),
        np.array(strata, np.str_),
        np.array(phases, np.int64),
        np.array(n, float).reshape(-1, 2),
        **more,
    )


def test_parts_add_up_to_the_whole_in_any_order():
    one = split(["2026-01-06", "2026-01-05"], ["x", "x"], [0, 0], [[1, 2], [3, 4]])
    two = split(["2026-01-05", "2026-01-05"], ["x", "w"], [0, 0], [[10, 20], [5, 6]])
    both = one + two
    assert both == two + one
    assert both.n.sum(axis=0).tolist() == [19, 32]
    assert both.strata.tolist() == ["w", "x", "x"]
    assert [str(day) for day in both.days] == ["2026-01-05", "2026-01-05", "2026-01-06"]
    assert both.n.tolist() == [[5, 6], [13, 24], [1, 2]]


def test_nothing_adds_nothing():
    none, one = split([], [], [], []), split(["2026-01-06"], [""], [0], [[1, 2]])
    assert none + one == one
    assert none + none == none
    assert one != split(["2026-01-06"], [""], [1], [[1, 2]])


def test_units_and_clusters_do_not_mix():
    one = split(["2026-01-06"], [""], [0], [[1, 2]])
    with pytest.raises(ValueError, match="same arms"):
        one + split(["2026-01-06"], [""], [0], [[1, 2]], clustered=True)
