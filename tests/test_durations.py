from datetime import timedelta

import pytest

from analytics.durations import parse_duration


@pytest.mark.parametrize(
    "text, expected",
    [
        ("7 days", timedelta(days=7)),
        ("1 day", timedelta(days=1)),
        ("90min", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        (" 1.5 Hours ", timedelta(minutes=90)),
        ("3 w", timedelta(days=21)),
        ("30s", timedelta(seconds=30)),
        ("0 s", timedelta(0)),
    ],
)
def test_durations_as_people_write_them(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "7", "days", "7 moons", "5ms", "-1 day", "1 month", "nan days", "1e3 s", "٣ days"]
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and seconds, minutes, hours, days or weeks"):
        parse_duration(text)


def test_longer_than_time() -> None:
    with pytest.raises(ValueError, match="longer than time"):
        parse_duration("9999999999999 weeks")
