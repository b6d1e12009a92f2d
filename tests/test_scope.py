from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ScopeError
from analytics.project import Predictions, Project
from analytics.scope import (
    GRAINS,
    MISSING,
    Filter,
    Grain,
    Interval,
    Scope,
    cut,
    format_instant,
    parse_filter,
    parse_instant,
    scope_from_mapping,
)

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 3, 15, 12, 34, 56, tzinfo=UTC)


def project(**more: Any) -> Project:
    section: dict[str, Any] = {
        "path": "p", "task": "binary", "timestamp": "ts", "score": "s",
        "segments": ("carrier", "a=b", " odd "),
        "features": ("temp", "carrier"), "decision": "d",
    }  # fmt: skip
    predictions = Predictions(**section | more)
    return Project(
        name="x", time_zone="America/New_York", predictions=predictions, file=Path("x"), digest="0"
    )


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2024-03-01", datetime(2024, 3, 1, 5, tzinfo=UTC)),
        ("2024-03-01T14:00", datetime(2024, 3, 1, 19, tzinfo=UTC)),
        ("2024-03-01T14:00:00Z", datetime(2024, 3, 1, 14, tzinfo=UTC)),
        ("2024-03-01T14:00+02:00", datetime(2024, 3, 1, 12, tzinfo=UTC)),
        ("now", NOW),
        (" -7d ", NOW - timedelta(days=7)),
        ("now-90min", NOW - timedelta(minutes=90)),
    ],
)
def test_instants(text: str, expected: datetime) -> None:
    assert parse_instant(text, NEW_YORK, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-13-01", "-7 moons", "-99999999 weeks", "0001-01-01", "12"]
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ScopeError, match="is not a time; write a day"):
        parse_instant(text, ZoneInfo("Asia/Tokyo"), NOW)


def test_relative_times_are_resolved_once_to_the_minute() -> None:
    scope = Scope.parse(project(), start="-1h", end="now", now=NOW)
    assert scope.end == datetime(2024, 3, 15, 12, 34, tzinfo=UTC)
    assert scope.start == datetime(2024, 3, 15, 11, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("carrier=UA", Filter("segment", "carrier", "UA")),
        ("carrier=", Filter("segment", "carrier", MISSING)),
        ("carrier= UA ", Filter("segment", "carrier", " UA ")),
        ("a=b=c=d", Filter("segment", "a=b", "c=d")),
        (" odd =1", Filter("segment", " odd ", "1")),
        ("temp=[10, 20)", Filter("feature_range", "temp", "[10, 20)")),
        ("temp=10", Filter("feature", "temp", "10")),
        ("score=(0.4, 0.6]", Filter("score_range", "score", "(0.4, 0.6]")),
        ("outcome=fn", Filter("outcome", "outcome", "fn")),
        ("label=1", Filter("label", "label", "1")),
        ("decision=", Filter("decision", "decision", MISSING)),
    ],
)
def test_filters_and_back(text: str, expected: Filter) -> None:
    found = parse_filter(text, project())
    assert found == expected
    assert parse_filter(found.text, project()) == expected


@pytest.mark.parametrize(
    "text, message",
    [
        ("carrier", "is not a filter; write SEGMENT=VALUE"),
        ("carier=UA", 'is not a segment or feature; did you mean "carrier"?'),
        ("score=0.5", "is not an interval"),
        ("score=[2, 1)", "is empty: 2 is above 1"),
        ("score=[nan, 1)", "is not an interval"),
        ("outcome=maybe", "is not one of: tp, fp, fn, tn, right, wrong"),
        ("=x", "is not a segment or feature"),
    ],
)
def test_filters_that_cannot_be_understood(text: str, message: str) -> None:
    with pytest.raises(ScopeError) as caught:
        parse_filter(text, project())
    assert message in str(caught.value)


def test_intervals() -> None:
    assert Interval.parse("(-inf, 3]") == Interval(float("-inf"), 3.0, low_closed=False, high_closed=True)
    assert Interval.parse(" [1e-3,+inf) ") == Interval(0.001, float("inf"))


@pytest.mark.parametrize(
    "words, message",
    [
        ({"grain": "year"}, 'grain "year" is not one of'),
        ({"by": "temperature"}, 'by: "temperature" is not a segment'),
        ({"start": "2024-02-01", "end": "2024-02-01"}, "must be before end"),
        ({"confidence": 1.0}, "confidence 1 must be at least 0.5 and below 1"),
        ({"confidence": 1 - 1e-15}, r"must be at least 0.5 and below 1 \(at most 0.999999999\)"),
        ({"confidence": float("nan")}, "confidence nan must be"),
    ],
)
def test_scopes_that_make_no_sense(words: dict[str, Any], message: str) -> None:
    with pytest.raises(ScopeError, match=message):
        Scope.parse(project(), **words)


WORDS = st.fixed_dictionaries(
    {},
    optional={
        "start": st.sampled_from(["2024-01-01", "2024-01-01T13:30:00-05:00"]),
        "end": st.sampled_from(["2024-03-01", "2024-11-03T01:30:00-04:00", "2024-11-03T01:30:00-05:00"]),
        "as_of": st.just("2024-04-01"),
        "grain": st.sampled_from(GRAINS),
        "by": st.just("carrier"),
        "versions": st.lists(st.text(min_size=1, max_size=5), max_size=3),
        "where": st.lists(
            st.sampled_from(["carrier=UA", "carrier=", "a=b=c", "temp=[1, 2)", "outcome=tp", "label=0"])
        ),
        "confidence": st.sampled_from([0.5, 0.9, 0.95, 0.999]),
    },
)


@given(WORDS)
def test_a_scope_is_the_same_after_the_way_through_a_url(words: dict[str, Any]) -> None:
    scope = Scope.parse(project(), **words)
    assert scope_from_mapping(project(), scope.to_query(NEW_YORK)) == scope


def test_a_url_says_only_what_differs_from_the_default() -> None:
    assert Scope().to_query(NEW_YORK) == {}


def test_the_sentence_reads() -> None:
    scope = Scope.parse(
        project(), start="2024-01-01", end="2024-02-01", versions=["v1", "v2"],
        where=["carrier=UA", "carrier=DL", "outcome=fp"], as_of="2024-02-03",
    )  # fmt: skip
    assert scope.sentence(NEW_YORK) == (
        "from 2024-01-01 to 2024-02-01, version v1 or v2, carrier is UA or carrier is DL, false positives, "
        "as known on 2024-02-03 (America/New_York)"
    )


ZONES = ["UTC", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/Havana",
         "Africa/Cairo", "Asia/Beirut"]  # fmt: skip


@given(
    st.sampled_from([grain for grain in GRAINS if grain != "all"]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2015, 1, 1), datetime(2025, 1, 1)),  # noqa: DTZ001
    st.integers(1, 40 * 24 * 60),
)
def test_windows_lie_end_to_end_and_cover_the_stretch(
    grain: Grain, zone: str, start: datetime, minutes: int
) -> None:
    first = start.replace(tzinfo=UTC)
    last = first + timedelta(minutes=minutes)
    windows = cut(first, last, grain, ZoneInfo(zone))
    assert windows[0].start == first
    assert windows[-1].end == last
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert all(window.start < window.end for window in windows)
    assert len({window.key for window in windows}) == len(windows)


def test_days_are_local_and_as_long_as_they_are() -> None:
    days = cut(datetime(2024, 3, 10, 5, tzinfo=UTC), datetime(2024, 3, 12, 4, tzinfo=UTC), "day", NEW_YORK)
    assert [day.end - day.start for day in days] == [timedelta(hours=23), timedelta(hours=24)]


def test_a_midnight_that_clocks_skip_begins_the_day() -> None:
    # in Sao Paulo 4 November 2018 begins at 01:00
    zone = ZoneInfo("America/Sao_Paulo")
    days = cut(datetime(2018, 11, 3, 3, tzinfo=UTC), datetime(2018, 11, 5, 2, tzinfo=UTC), "day", zone)
    assert [day.end - day.start for day in days] == [timedelta(hours=24), timedelta(hours=23)]


def test_weeks_start_on_monday_and_are_cut_short_at_the_ends() -> None:
    weeks = cut(datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 17, tzinfo=UTC), "week", ZoneInfo("UTC"))
    assert [week.start.day for week in weeks] == [3, 8, 15]


def test_too_many_windows_are_refused_before_they_are_made() -> None:
    with pytest.raises(ScopeError, match=r"grain 5min: more than 100,000 windows .* take a longer grain"):
        cut(datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), "5min", NEW_YORK)


@given(st.datetimes(datetime(2015, 1, 1), datetime(2025, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_an_instant_is_the_same_after_the_way_through_text(moment: datetime, zone: str) -> None:
    instant = moment.replace(tzinfo=UTC)
    assert parse_instant(format_instant(instant, ZoneInfo(zone)), ZoneInfo(zone), NOW) == instant
