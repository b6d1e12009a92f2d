"""Arrivals: distinct units counted one by one, whatever the visits, and what lies beyond the logs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.stats.arrival_curve import NEVER, arrival_curve


def counted(visits):
    """Day, gap and count of unit-days, from a matrix of units x days."""
    found = {}
    for unit in visits:
        before = None
        for day in np.flatnonzero(unit):
            key = (int(day), NEVER if before is None else int(day - before))
            found[key] = found.get(key, 0) + 1
            before = day
    keys = sorted(found)
    return [day for day, _ in keys], [gap for _, gap in keys], [found[key] for key in keys]


@given(st.integers(0, 2**32), st.integers(2, 12), st.integers(1, 20), st.floats(0.05, 0.9))
def test_distinct_units_as_if_counted_one_by_one(seed, days, units, rate):
    visits = np.random.default_rng(seed).uniform(size=(units, days)) < rate
    visits[0, -1] = True
    curve = arrival_curve(*counted(visits), horizon=days)
    # new units of the d-th day, averaged over every start that has one
    for offset in range(days):
        new = [
            sum(bool(row[start + offset]) and not row[start : start + offset].any() for row in visits)
            for start in range(days - offset)
        ]
        before = curve.units[offset - 1] if offset else 0.0
        assert curve.units[offset] - before == pytest.approx(np.mean(new))
        assert curve.starts[offset] == days - offset
    whole = visits.any(axis=1).sum()
    assert curve.low[0] <= curve.units[0] <= curve.high[0]
    assert curve.high[-1] >= whole or days == 1
    assert (np.diff(curve.units) >= -1e-9).all()


def test_visitors_who_come_every_day_are_met_on_the_first():
    visits = np.ones((50, 20), dtype=bool)
    curve = arrival_curve(*counted(visits), horizon=60)
    assert curve.units == pytest.approx(np.full(60, 50.0))
    assert curve.day_of(50) == 1
    assert curve.day_of(51) is None


def test_new_visitors_every_day_never_saturate():
    visits = np.kron(np.eye(30, dtype=bool), np.ones((10, 1), dtype=bool))
    curve = arrival_curve(*counted(visits), horizon=90)
    assert curve.units == pytest.approx(10.0 * np.arange(1, 91))
    assert (curve.starts[30:] == 0).all()


def test_beyond_the_logs_the_curve_bends_as_it_did():
    rng = np.random.default_rng(2)
    rates = rng.beta(0.6, 8.0, 4000)
    visits = rng.uniform(size=(4000, 120)) < rates[:, None]
    known = arrival_curve(*counted(visits[:, :42]), horizon=84)
    truth = arrival_curve(*counted(visits), horizon=84)
    assert known.units[:28] == pytest.approx(truth.units[:28], rel=0.03)
    assert known.units[83] == pytest.approx(truth.units[83], rel=0.06)
    flat = known.units[20] + (known.units[20] - known.units[19]) * 63
    assert known.units[83] < flat, "a steady stream of new visitors would be a fairy tale"


def test_the_cycle_of_the_week():
    visits = np.kron(np.eye(14, dtype=bool), np.ones((10, 1), dtype=bool))
    visits[60:70] = False
    curve = arrival_curve(*counted(visits), horizon=14, first_weekday=3)
    # day 0 is a Thursday, so day 6 a Wednesday without anybody in the first week
    assert curve.weekdays.tolist() == [10, 10, 5, 10, 10, 10, 10]


def test_no_units_no_curve():
    assert arrival_curve([], [], [], 10) is None
