"""How unlike a row is: against distances by hand, and nothing unusual where nothing has changed."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.novelty import Known

NAN = float("nan")


def test_distances_by_hand():
    known = Known.of([np.array([0.0, 1.0, 2.0, 3.0]), ["a", "a", "b", None]])
    # the nearest row to (1, a) is itself; places of 0..3 are 1/8, 3/8, 5/8, 7/8
    assert known.novelty([np.array([1.0]), ["a"]], 1).tolist() == [0.0]
    assert known.novelty([np.array([0.0]), ["b"]], 1) == pytest.approx([min(1.0, 0.5) / 2])
    assert known.novelty([np.array([NAN]), ["a"]], 1) == pytest.approx([0.5])
    assert known.novelty([np.array([3.0]), ["never seen"]], 1) == pytest.approx([0.5])


def test_beyond_the_ends_distance_goes_on_growing_and_stays_finite():
    known = Known.of([np.linspace(0, 1, 101)])
    far = known.novelty([np.array([1.0, 1.4, 1.8, 1e300, np.inf, -np.inf])], 1)
    assert (np.diff(far[:3]) > 0.3).all()
    assert np.isfinite(far).all()
    assert far[3] == far[4]


def test_constant_all_missing_and_empty_columns_are_no_obstacle():
    known = Known.of([np.full(6, 7.0), np.full(6, NAN), [None] * 6])
    assert (
        known.novelty([np.array([7.0, 9.0]), np.array([NAN, 1.0]), [None, "x"]]).round(6).tolist()[0] == 0.0
    )
    assert known.novelty([np.array([]), np.array([]), []]).tolist() == []


def test_the_column_that_moved_is_named():
    rng = np.random.default_rng(1)
    known = Known.of([rng.normal(size=500), rng.normal(size=500)])
    by_column = known.by_column([rng.normal(size=200), rng.normal(4, 1, 200)])
    assert by_column[1] > 3 * by_column[0]


def test_a_link_between_columns_that_breaks_is_seen():
    rng = np.random.default_rng(2)
    x = rng.normal(size=1000)
    known = Known.of([x, x + rng.normal(0, 0.05, 1000)])
    same = rng.normal(size=500)
    alike = known.novelty([same, same + rng.normal(0, 0.05, 500)])
    broken = known.novelty([same, rng.permutation(same)])
    assert np.median(broken) > 3 * np.median(alike)
