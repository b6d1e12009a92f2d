"""The question: which rows, cut how.

One frozen `Scope` is the URL, the cache key, the command-line options, the WHERE clause and an English
sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Literal, Self
from zoneinfo import ZoneInfo

from analytics.durations import parse_duration
from analytics.errors import ScopeError
from analytics.project import Project

Grain = Literal["all", "5min", "15min", "hour", "day", "week", "month"]
GRAINS: tuple[Grain, ...] = ("all", "5min", "15min", "hour", "day", "week", "month")
FINER: tuple[Grain, ...] = ("5min", "15min", "hour")
"""Windows shorter than a day."""
MISSING = "(missing)"
MOST_WINDOWS = 100_000
CONFIDENCE = 0.95
MOST_CONFIDENT = 1 - 1e-9
"""Closer to 1, the quantiles of corrected intervals are infinite."""
OUTCOMES = {"tp": (1, 1), "fp": (0, 1), "fn": (1, 0), "tn": (0, 0), "right": None, "wrong": None}

_OUTCOME_WORDS = {
    "tp": "true positives",
    "fp": "false positives",
    "fn": "false negatives",
    "tn": "true negatives",
    "right": "right decisions",
    "wrong": "wrong decisions",
}

FilterKind = Literal["segment", "feature", "feature_range", "score_range", "outcome", "label", "decision"]


@dataclass(frozen=True)
class Filter:
    """One condition on rows; its SQL lives in `analytics.telemetry.conditions`.

    Attributes:
        kind: what is compared.
        name: the segment or feature; for the others the word itself (score, outcome, label, decision).
        value: the text compared with; an interval reads ``[10, 20)``.
    """

    kind: FilterKind
    name: str
    value: str

    @property
    def text(self) -> str:
        """The text of the filter in a URL or after ``--where``."""
        return f"{self.name}={self.value}"

    @property
    def sentence(self) -> str:
        """The filter in words."""
        if self.kind.endswith("_range"):
            return f"{self.name} in {self.value}"
        if self.kind == "outcome":
            return _OUTCOME_WORDS[self.value]
        return f"{self.name} is {self.value}"


_INTERVAL = re.compile(r"\s*([\[(])\s*(-?inf|[-+.\deE]+)\s*,\s*(\+?inf|[-+.\deE]+)\s*([\])])\s*")


@dataclass(frozen=True)
class Interval:
    """A stretch of numbers with open or closed ends, as in ``[10, 20)``."""

    low: float
    high: float
    low_closed: bool = True
    high_closed: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[10, 20)``, ``(-inf, 3)`` and the like.

        >>> Interval.parse("[10, 20)")
        Interval(low=10.0, high=20.0, low_closed=True, high_closed=False)

        Raises:
            ScopeError: the text is not an interval.
        """
        match = _INTERVAL.fullmatch(text)
        low, high = (_number(match[2]), _number(match[3])) if match else (None, None)
        if match is None or low is None or high is None:
            raise ScopeError(f'"{text}" is not an interval; write it like [10, 20) or (-inf, 3)')
        if low > high:
            raise ScopeError(f'"{text}" is empty: {low:g} is above {high:g}')
        return cls(low, high, match[1] == "[", match[4] == "]")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def is_interval(text: str) -> bool:
    """Whether a text reads as an interval."""
    return _INTERVAL.fullmatch(text) is not None


def parse_filter(text: str, project: Project, features: Iterable[str] = ()) -> Filter:
    """Read ``NAME=VALUE`` where NAME is a segment, a feature, score, outcome, label or decision.

    An empty value is the missing one.

    Raises:
        ScopeError: the name is unknown, with the nearest known name.
    """
    segments = segments_of(project)
    if project.predictions is None and segments:
        return Filter("segment", *_of_units(text, segments))
    predictions = project.require_predictions()
    known = tuple(dict.fromkeys((*segments, *(predictions.features or ()), *features)))
    name, value = _name_and_value(text, known)
    if name in segments:
        return Filter("segment", name, value)
    if name == "outcome":
        return _outcome(value, predictions.task)
    if name == "score":
        Interval.parse(value)
        return Filter("score_range", name, value)
    if name in {"label", "decision"}:
        return Filter("label" if name == "label" else "decision", name, value)
    if name in known:
        return Filter("feature_range" if is_interval(value) else "feature", name, value)
    raise ScopeError(f'"{name}" is not a segment or feature{_nearest(name, known)}')


def segments_of(project: Project) -> tuple[str, ...]:
    """The segments a scope may name: of the predictions, and those that the table of units tells."""
    predictions, units = project.predictions, project.units
    own = predictions.segments if predictions is not None else ()
    of_units = (*units.segments, *filter(None, (units.stratum,))) if units is not None else ()
    return tuple(dict.fromkeys((*own, *of_units)))


def _of_units(text: str, segments: Sequence[str]) -> tuple[str, str]:
    name, value = _name_and_value(text, segments)
    if name not in segments:
        raise ScopeError(f'"{name}" is not a segment{_nearest(name, segments)}')
    return name, value


def _name_and_value(text: str, known: Sequence[str]) -> tuple[str, str]:
    if "=" not in text:
        raise ScopeError(f'"{text}" is not a filter; write SEGMENT=VALUE')
    # a column may hold an equals sign or begin with a blank: the longest known name wins
    names = [name for name in known if text.startswith(f"{name}=")]
    name = max(names, key=len) if names else text.partition("=")[0]
    value = text[len(name) + 1 :]
    return (name if names else name.strip()), (value or MISSING)


def _outcome(value: str, task: str) -> Filter:
    accepted = OUTCOMES if task == "binary" else {"right": None, "wrong": None}
    if value not in accepted or task == "regression":
        raise ScopeError(f'outcome "{value}" is not one of: {", ".join(accepted)} (needs decisions)')
    return Filter("outcome", "outcome", value)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f"{hint} Known: {', '.join(sorted(set(known)))}" if known else hint


@dataclass(frozen=True)
class Scope:
    """A question about a project's rows.

    Attributes:
        start: first instant, or None for the first day with data.
        end: first instant after the window, or None for the end of the last day with data.
        grain: how the stretch is cut into windows.
        as_of: what was known then; None is everything logged.
        versions: only these; empty is all of them, each on its own.
        by: the segment to split by.
        filters: conditions on rows; one name twice means or, different names mean and.
        confidence: of every interval.
    """

    start: datetime | None = None
    end: datetime | None = None
    grain: Grain = "all"
    as_of: datetime | None = None
    versions: tuple[str, ...] = ()
    by: str | None = None
    filters: tuple[Filter, ...] = ()
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if self.grain not in GRAINS:
            raise ScopeError(f'grain "{self.grain}" is not one of: {", ".join(GRAINS)}')
        for name, moment in (("start", self.start), ("end", self.end), ("as-of", self.as_of)):
            if moment is not None and moment.tzinfo is None:
                raise ScopeError(f"{name}: an instant needs a time zone")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ScopeError(f"start ({self.start.isoformat()}) must be before end ({self.end.isoformat()})")
        if not 0.5 <= self.confidence <= MOST_CONFIDENT:
            raise ScopeError(
                f"confidence {self.confidence:.15g} must be at least 0.5 and below 1 (at most {MOST_CONFIDENT:.9f})"
            )

    @classmethod
    def parse(  # noqa: PLR0913  # one argument a word of the URL
        cls,
        project: Project,
        *,
        start: str | None = None,
        end: str | None = None,
        grain: str = "all",
        as_of: str | None = None,
        versions: Iterable[str] = (),
        by: str | None = None,
        where: Iterable[str] = (),
        confidence: float = 0.95,
        features: Iterable[str] = (),
        now: datetime | None = None,
    ) -> Self:
        """Build a scope from the words of a URL or a command line.

        Raises:
            ScopeError: one of the words cannot be understood.
        """
        moment = (now or datetime.now(UTC)).replace(second=0, microsecond=0)
        if grain not in GRAINS:
            raise ScopeError(f'grain "{grain}" is not one of: {", ".join(GRAINS)}')
        segments = segments_of(project)
        if by is not None and by not in segments:
            raise ScopeError(f'by: "{by}" is not a segment{_nearest(by, segments)}')
        return cls(
            start=parse_instant(start, project.zone, moment) if start else None,
            end=parse_instant(end, project.zone, moment) if end else None,
            grain=grain,
            as_of=parse_instant(as_of, project.zone, moment) if as_of else None,
            versions=tuple(dict.fromkeys(versions)),
            by=by or None,
            filters=tuple(dict.fromkeys(parse_filter(text, project, features) for text in where)),
            confidence=confidence,
        )

    def to_query(self, zone: ZoneInfo) -> dict[str, str | list[str]]:
        """The scope as URL words; only what differs from the default."""
        words: dict[str, str | list[str]] = {}
        for name, moment in (("start", self.start), ("end", self.end), ("as_of", self.as_of)):
            if moment is not None:
                words[name] = format_instant(moment, zone)
        if self.grain != "all":
            words["grain"] = self.grain
        if self.versions:
            words["version"] = list(self.versions)
        if self.by:
            words["by"] = self.by
        if self.filters:
            words["where"] = [condition.text for condition in self.filters]
        if self.confidence != CONFIDENCE:
            words["confidence"] = f"{self.confidence:g}"
        return words

    def narrowed(self, *filters: Filter) -> Self:
        """The same scope with more conditions."""
        return replace(self, filters=tuple(dict.fromkeys((*self.filters, *filters))))

    def sentence(self, zone: ZoneInfo) -> str:
        """The scope in words."""
        start = format_instant(self.start, zone) if self.start else "the first day"
        end = format_instant(self.end, zone) if self.end else "the last day"
        parts = [f"from {start} to {end}"]
        if self.versions:
            parts.append("version " + " or ".join(self.versions))
        by_name: dict[str, list[str]] = {}
        for condition in self.filters:
            by_name.setdefault(condition.name, []).append(condition.sentence)
        parts += [" or ".join(sentences) for sentences in by_name.values()]
        if self.as_of:
            parts.append(f"as known on {format_instant(self.as_of, zone)}")
        return ", ".join(parts) + f" ({zone.key})"


_RELATIVE = re.compile(r"(?:now)?\s*-\s*(.+)")


def parse_instant(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Read a day, a time (naive: in ``zone``), ``now``, or a time before now such as ``-7d``.

    >>> parse_instant("2013-03-01", ZoneInfo("America/New_York"), datetime.now(UTC)).isoformat()
    '2013-03-01T05:00:00+00:00'

    Raises:
        ScopeError: the text is none of these.
    """
    text = text.strip()
    if text == "now":
        return now
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative:
            return now - parse_duration(relative[1])
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ScopeError(
            f'"{text}" is not a time; write a day (2013-03-01), a time (2013-03-01T14:00), now, or -7d'
        ) from None


def format_instant(moment: datetime, zone: ZoneInfo) -> str:
    """An instant as a day where it is local midnight, else as local time with its offset.

    >>> format_instant(datetime(2013, 3, 1, 5, tzinfo=UTC), ZoneInfo("America/New_York"))
    '2013-03-01'
    """
    local = moment.astimezone(zone)
    midnight = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    # a day alone means the first of two midnights when clocks go back over midnight
    return local.date().isoformat() if midnight and not local.fold else local.isoformat()


@dataclass(frozen=True)
class Window:
    """One half-open stretch ``[start, end)`` in UTC, and the key its rows carry in SQL."""

    start: datetime
    end: datetime
    key: datetime


_SHORTEST: dict[Grain, timedelta] = {
    "5min": timedelta(minutes=5),
    "15min": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}
_ALL = datetime(1970, 1, 1)  # noqa: DTZ001  # a key is wall-clock time without a zone, as SQL gives it


def cut(start: datetime, end: datetime, grain: Grain, zone: ZoneInfo) -> tuple[Window, ...]:
    """Cut ``[start, end)`` into windows of the grain; the first and last are cut short at the ends.

    Days, weeks (from Monday) and months are local; hours and minutes are whole in UTC. The key is what
    `analytics.telemetry.rows.window_key` computes: the local wall-clock start for days and longer, else UTC.

    Raises:
        ScopeError: there would be more than `MOST_WINDOWS`.
    """
    if grain == "all":
        return (Window(start, end, _ALL),)
    if (end - start) / _SHORTEST[grain] > MOST_WINDOWS:
        raise ScopeError(
            f"grain {grain}: more than {MOST_WINDOWS:,} windows between {format_instant(start, zone)} and "
            f"{format_instant(end, zone)}; take a longer grain or a shorter stretch"
        )
    windows: list[Window] = []
    key = _floor(start, grain, zone)
    while True:
        following = _next(key, grain)
        low, high = _to_utc(key, grain, zone), _to_utc(following, grain, zone)
        if low >= end:
            return tuple(windows)
        if high > start:
            windows.append(Window(max(low, start), min(high, end), key))
        key = following


def _floor(moment: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    if grain in {"5min", "15min", "hour"}:
        step = {"5min": 5, "15min": 15, "hour": 60}[grain]
        utc = moment.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)
        return utc.replace(minute=utc.minute // step * step)
    local = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    if grain == "week":
        return local - timedelta(days=local.weekday())
    return local.replace(day=1) if grain == "month" else local


def _next(key: datetime, grain: Grain) -> datetime:
    if grain == "month":
        return (key + timedelta(days=32)).replace(day=1)
    return key + _SHORTEST[grain]


def _to_utc(key: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    local_zone = UTC if grain in {"5min", "15min", "hour"} else zone
    return key.replace(tzinfo=local_zone).astimezone(UTC)


def scope_from_mapping(
    project: Project,
    words: Mapping[str, str | Sequence[str]],
    features: Iterable[str] = (),
    **defaults: str,
) -> Scope:
    """Build a scope from URL words as `Scope.to_query` writes them.

    Raises:
        ScopeError: one of the words cannot be understood.
    """

    def one(name: str) -> str | None:
        value = words.get(name)
        return (value if isinstance(value, str) else (value[0] if value else None)) or defaults.get(name)

    def many(name: str) -> tuple[str, ...]:
        value = words.get(name, ())
        return (value,) if isinstance(value, str) else tuple(value)

    confidence = one("confidence") or str(CONFIDENCE)
    level = _number(confidence)
    if level is None:
        raise ScopeError(f'confidence "{confidence}" is not a number')
    return Scope.parse(
        project,
        start=one("start"),
        end=one("end"),
        grain=one("grain") or "all",
        as_of=one("as_of"),
        versions=many("version"),
        by=one("by"),
        where=many("where"),
        confidence=level,
        features=features,
    )
