"""Numbers, windows and names as people read them; used by charts, tables and sentences alike."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from analytics.results import Status

NONE = "–"
MINUS = "−"
_STRETCH = re.compile(r"[(\[](-?[0-9.e+-]+|-inf), (-?[0-9.e+-]+|inf)\)")

STATUS_WORDS: dict[Status, str] = {
    "ok": "ok",
    "immature": "labels still arriving",
    "too_few": "too few rows to say",
    "no_data": "no data",
    "undefined": "not defined here",
}


@lru_cache(maxsize=8192)
def number(value: float | None) -> str:
    """Three significant digits; whole from a thousand on.

    >>> number(0.8304), number(-12.34), number(12345.6), number(0.0000123), number(0.0), number(None)
    ('0.830', '−12.3', '12,346', '1.23e-05', '0', '–')
    """
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    sign = MINUS if value < 0 else ""
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e12:
        return f"{sign}{size:.3g}"
    rounded = float(f"{size:.3g}")  # 999.6 has as many decimals as 1000, and 0.9996 as 1.00
    if size >= 999.5:
        return f"{sign}{size:,.0f}"
    return f"{sign}{size:.{2 - math.floor(math.log10(rounded))}f}"


@lru_cache(maxsize=8192)
def percent(share: float | None) -> str:
    """A share in percent: one decimal, more where it would read 0 or 100 without being so.

    >>> percent(0.1234), percent(0.5), percent(0.00012), percent(0.99991), percent(1.0), percent(None)
    ('12.3%', '50%', '0.012%', '99.99%', '100%', '–')
    """
    if share is None or not math.isfinite(share * 100):
        return NONE
    value = share * 100
    sign = MINUS if value < 0 else ""
    room = min(abs(value), abs(100 - abs(value))) or 1.0
    decimals = 1 if room >= 0.095 else min(4, 1 - math.floor(math.log10(room)))
    text = f"{abs(value):.{decimals}f}"
    return f"{sign}{text.rstrip('0').rstrip('.')}%"


def beside(value: float | None, spread: float | None) -> str:
    """A number as exact as its spread lets it matter: what is under a thousandth of it reads 0.

    >>> beside(0.0000234, 3.3), beside(-0.0123, 3.3), beside(0.0000234, 0.001), beside(12.0, None)
    ('0', '−0.0123', '2.34e-05', '12.0')
    """
    lost = value is not None and spread is not None and abs(value) < abs(spread) / 1000
    return number(0.0 if lost else value)


def points(difference: float | None) -> str:
    """A difference of shares, in percentage points and with its sign.

    >>> points(0.0123), points(-0.2), points(0), points(None)
    ('+1.2 pp', '−20 pp', '0 pp', '–')
    """
    if difference is None or not math.isfinite(difference):
        return NONE
    text = percent(abs(difference)).removesuffix("%")
    if text == NONE:
        return NONE
    sign = "" if difference == 0 else MINUS if difference < 0 else "+"
    return f"{sign}{text} pp"


def signed(difference: float | None) -> str:
    """A difference with its sign.

    >>> signed(0.123), signed(-4.0), signed(None)
    ('+0.123', '−4.00', '–')
    """
    text = number(difference)
    return f"+{text}" if difference is not None and difference > 0 and text != NONE else text


def count(n: float | None) -> str:
    """A count with separators between thousands.

    >>> count(1234567), count(0), count(None)
    ('1,234,567', '0', '–')
    """
    return NONE if n is None or not math.isfinite(n) else f"{n:,.0f}"


def interval(low: float | None, high: float | None, *, share: bool = False) -> str:
    """Both ends of an interval; of one so narrow that both would read alike, with the digits that tell them apart.

    >>> interval(0.8, 0.86), interval(0.1, 0.125, share=True), interval(None, 0.2)
    ('0.800 to 0.860', '10% to 12.5%', '–')
    >>> interval(0.89982, 0.90014), interval(0.24981, 0.25042, share=True)
    ('0.8998 to 0.9001', '24.98% to 25.04%')
    >>> interval(-0.89982, -0.90014), interval(0.9, math.nextafter(0.9, 1)), interval(math.nan, math.nan)
    ('−0.8998 to −0.9001', '0.900 to 0.900', '– to –')
    """
    if low is None or high is None:
        return NONE
    show = percent if share else number
    ends = show(low), show(high)
    most = max(abs(low), abs(high))
    # what rounding of sums leaves is no width, and what is written as a power stays so
    if ends[0] == ends[1] and 1e-4 <= most < math.inf and abs(high - low) > 1e-7 * most:
        ends = _told_apart(low, high, share=share)
    return f"{ends[0]} to {ends[1]}"


def _told_apart(low: float, high: float, *, share: bool) -> tuple[str, str]:
    unit, sign = (100, "%") if share else (1, "")
    # rounding moves neither end by more than a sixth of the width
    decimals = min(12, max(0, math.ceil(math.log10(3 / abs(high - low) / unit))))
    first, last = (f"{value * unit:,.{decimals}f}{sign}".replace("-", MINUS) for value in (low, high))
    return first, last


def stretch(name: str) -> str:
    """A stretch of numbers between edges, as people say it; any other value as it is.

    >>> stretch("(-inf, 9)"), stretch("[9, 17)"), stretch("[17, inf)"), stretch("[5e-324, inf)"), stretch("UA")
    ('under 9', '9 to 17', '17 or more', 'above 0', 'UA')
    """
    found = _STRETCH.fullmatch(name)
    if found is None:
        return name
    low, high = found.groups()
    if low == "-inf":
        return name if high == "inf" else f"under {high}"
    if 0.0 < float(low) < 1e-300:
        # the least number there is: a bin of all but zero
        return "above 0" if high == "inf" else f"above 0, under {high}"
    return f"{low} or more" if high == "inf" else f"{low} to {high}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "row"), plural(2000, "row"), plural(2, "class", "classes")
    ('1 row', '2,000 rows', '2 classes')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def listed(names: list[str]) -> str:
    """Names in a row.

    >>> listed(["temp"]), listed(["temp", "wind", "hour"])
    ('temp', 'temp, wind and hour')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def short(name: str, most: int = 18) -> str:
    """A name cut in the middle, where the ends tell most.

    >>> short("temperature_at_origin_in_fahrenheit")
    'temperatu…ahrenheit'
    """
    if len(name) <= most:
        return name
    half = most // 2
    return f"{name[:half]}…{name[-half:]}"


def local(moment: datetime | date, zone: ZoneInfo) -> datetime:
    """An instant as wall-clock time without a zone, as axes show it; a naive one is in the zone already."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def day(moment: datetime | date) -> str:
    """A day in words.

    >>> day(date(2013, 7, 1))
    '1 Jul 2013'
    """
    return f"{moment.day} {moment:%b %Y}"


def window_name(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A window as a heading: its day, week, month, hours, or first and last day.

    >>> new_york = ZoneInfo("America/New_York")
    >>> window_name(datetime(2013, 7, 1, tzinfo=new_york), datetime(2013, 7, 8, tzinfo=new_york), new_york)
    'week of 1 Jul 2013'
    """
    return _window(start, end, zone)[1]


def in_window(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A window inside a sentence: "on 1 Jul 2013", "in the week of …", "from … to …"."""
    word, name = _window(start, end, zone)
    return f"{word} {name}"


@lru_cache(maxsize=4096)  # a heat map asks for each window once a feature
def _window(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[str, str]:
    first, after = local(start, zone), local(end, zone)
    if first.time() != time() or after.time() != time():
        tail = f"{after:%H:%M}" if after.date() == first.date() else f"{day(after)}, {after:%H:%M}"
        return "from", f"{day(first)}, {first:%H:%M} to {tail}"
    last = after - timedelta(days=1)
    if last == first:
        return "on", day(first)
    if first.day == 1 and after.day == 1 and last.month == first.month and last.year == first.year:
        return "in", f"{first:%B %Y}"
    if after - first == timedelta(days=7) and first.weekday() == 0:
        return "in the", f"week of {day(first)}"
    start_text = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return "from", f"{start_text} to {day(last)}"
