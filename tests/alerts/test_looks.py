"""Windows and instants: cut by the calendar of the zone, judged when labels have had time to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts.looks import DAY, HOUR, Usual, Window, learned_at, looked_at, windows_until

NEW_YORK = ZoneInfo("America/New_York")
T0 = datetime(2026, 3, 2, tzinfo=UTC)


def ends(window, cadence, zone, until, count):
    return [one.end for one in islice(windows_until(window, cadence, zone, until), count)]


def test_days_are_local_and_as_long_as_the_clocks_make_them():
    # clocks go forward on 8 March 2026
    found = list(islice(windows_until(DAY, DAY, NEW_YORK, datetime(2026, 3, 10, 12, tzinfo=UTC)), 3))
    assert [(one.end - one.start) / HOUR for one in found] == [24, 23, 24]
    assert all(one.end.astimezone(NEW_YORK).hour == 0 for one in found)


def test_weeks_begin_on_mondays():
    found = ends(7 * DAY, 7 * DAY, NEW_YORK, datetime(2026, 3, 12, tzinfo=UTC), 3)
    assert [one.astimezone(NEW_YORK).weekday() for one in found] == [0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([timedelta(minutes=5), HOUR, 3 * HOUR, 6 * HOUR, 36 * HOUR, DAY, 3 * DAY, 7 * DAY]),
    st.integers(0, 400 * 24 * 60),
)
def test_windows_end_before_the_instant_and_descend(cadence, minutes):
    until = T0 + timedelta(minutes=minutes)
    found = ends(cadence, cadence, NEW_YORK, until, 10)
    assert found[0] <= until
    assert all(later > earlier for later, earlier in pairwise(found))
    # whoever asks later finds the same ends
    later = ends(cadence, cadence, NEW_YORK, until + timedelta(days=2), 2000)
    assert set(found[:3]) <= set(later) or cadence > 2 * DAY


def test_rolling_windows_overlap():
    found = list(islice(windows_until(DAY, HOUR, NEW_YORK, T0), 3))
    assert [one.end for one in found] == [T0, T0 - HOUR, T0 - 2 * HOUR]
    assert all(one.end - one.start == DAY for one in found)


def usual(*known):
    def learn(hours):
        return lambda _: None if hours is None else timedelta(hours=hours)

    return [Usual(T0 + timedelta(hours=at), learn(hours)) for at, hours in known]


def window(end_hour):
    return Window(T0 + timedelta(hours=end_hour - 1), T0 + timedelta(hours=end_hour))


@pytest.mark.parametrize(
    "known,end,expected",
    [
        ([(0, 6)], 10, 16),
        # a delay that is not known yet, or becomes known later
        ([(0, None), (30, 6)], 10, 30),
        # it becomes longer, or shorter, while the window waits
        ([(0, 6), (14, 8)], 10, 18),
        ([(0, 6), (14, 2)], 10, 14),
        ([(0, 6), (20, 2)], 10, 16),
    ],
)
def test_a_window_is_judged_when_its_labels_have_had_time(known, end, expected):
    found = looked_at(window(end), usual(*known), HOUR, T0 + timedelta(hours=100))
    assert found == T0 + timedelta(hours=expected)


def test_a_window_waits_at_an_earlier_instant():
    assert looked_at(window(10), usual((0, 6)), HOUR, T0 + timedelta(hours=15)) is None
    assert looked_at(window(10), usual((0, None)), HOUR, T0 + timedelta(hours=15)) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.one_of(st.none(), st.integers(0, 60))), min_size=1, max_size=6
    ),
    st.integers(0, 250),
)
def test_windows_are_judged_in_their_order_and_at_the_same_instant_whoever_asks(known, until):
    told = usual(*sorted(dict(known).items()))
    late = T0 + timedelta(hours=400)
    found = [looked_at(window(end), told, HOUR, late) for end in range(0, 200, 7)]
    judged = [one for one in found if one is not None]
    assert judged == sorted(judged)
    at = T0 + timedelta(hours=until)
    for end, one in zip(range(0, 200, 7), found, strict=True):
        early = looked_at(window(end), told, HOUR, at)
        assert early == (one if one is not None and one <= at else None)


def test_the_delay_is_learned_often_at_first():
    found = learned_at(T0, ZoneInfo("UTC"), T0 + timedelta(days=90))
    assert [(one - T0).days for one in found] == [1, 2, 4, 7, 14, 28, 56, 84]
