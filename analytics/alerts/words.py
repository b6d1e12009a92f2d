"""What a look says, as a person would say it."""

from __future__ import annotations

import math
from datetime import timedelta
from zoneinfo import ZoneInfo

from analytics.alerts.asked import Asked
from analytics.alerts.readings_feeds import Seen, duration_words
from analytics.alerts.rows import Reading, Target
from analytics.alerts.states import Memory
from analytics.durations import format_duration
from analytics.telemetry.looked_rows import Look

_NAMES = {
    "roc_auc": "ROC AUC", "psi": "PSI", "ks": "KS distance", "js_distance": "Jensen-Shannon distance", "f1": "F1",
    "r2": "R squared", "matthews_corrcoef": "Matthews correlation", "drifted": "number of drifted fields",
    "latency_p50": "median latency", "latency_p95": "95 % latency", "latency_p99": "99 % latency",
    "label_delay_p50": "median label delay", "burn": "burnt budget", "no_data": "silence",
    "labels_stopped": "silence of the labels",
}  # fmt: skip


def metric_name(metric: str) -> str:
    """A metric in words.

    >>> metric_name("roc_auc"), metric_name("log_loss")
    ('ROC AUC', 'log loss')
    """
    return _NAMES.get(metric, metric.replace("_", " "))


_PERCENT = frozenset({"error_rate", "missing_rate"})
"""Shares that people say as so many in a hundred."""


def shown_as(metric: str | None, value: float) -> str:
    """A value of a metric in a sentence.

    >>> shown_as("error_rate", 0.0213), shown_as("accuracy", 0.61234)
    ('2.13 %', '0.612')
    """
    return f"{shown(100 * value)} %" if metric in _PERCENT else shown(value)


def shown(value: float) -> str:
    """Three significant digits, whole numbers whole.

    >>> shown(0.61234), shown(12345.6), shown(-0.0)
    ('0.612', '12,346', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.3g}"


def _range(low: float, high: float, metric: str | None = None) -> str:
    """An interval; an end that is not known is said to be open."""
    least, most = (shown_as(metric, end) for end in (low, high))
    if math.isinf(low):
        return f"at most {most}" if math.isfinite(high) else "no telling how far off"
    return f"{least} to {most}" if math.isfinite(high) else f"at least {least}"


def whom(target: Target) -> str:
    """A target in words, with a leading blank; nothing for the whole.

    >>> whom(Target("v1", "carrier", "AA")), whom(Target())
    (' of v1, carrier AA', '')
    """
    parts = [part for part in (target.version, _segment(target)) if part]
    return f" of {', '.join(parts)}" if parts else ""


def _segment(target: Target) -> str | None:
    if target.segment is None:
        return None
    return f"{target.segment} {target.segment_value}"


def window_words(look: Look, zone: ZoneInfo) -> str:
    """The window of a look, in the project's zone.

    >>> from datetime import datetime, UTC
    >>> window_words(Look(datetime(2013, 7, 5, tzinfo=UTC), datetime(2013, 7, 6, tzinfo=UTC), None), ZoneInfo("UTC"))
    'on 5 Jul 2013'
    """
    start, end = look.start.astimezone(zone), look.end.astimezone(zone)
    day = f"{start.day} {start:%b %Y}"
    midnights = start.time() == end.time() == start.min.time()
    last = (end - timedelta(microseconds=1)).astimezone(zone)
    if midnights and last.date() == start.date():
        return f"on {day}"
    if midnights:
        return f"from {start.day} {start:%b} to {last.day} {last:%b %Y}"
    if last.date() == start.date():
        return f"on {day}, {start:%H:%M} to {end:%H:%M}"
    return f"from {start.day} {start:%b} {start:%H:%M} to {end.day} {end:%b %Y} {end:%H:%M}"


def sentence(asked: Asked, seen: Seen) -> str:
    """What is the case."""
    match asked.family:
        case "silence":
            return _silence(asked, seen)
        case "label_feed":
            return _label_feed(seen)
        case "burn":
            return _burn(asked, seen)
    rule = asked.rule
    name = metric_name(rule.metric or "")
    if rule.feature is not None:
        name = f"{name} of {rule.feature}"
    elif asked.family == "drift" and rule.metric != "drifted" and seen.number.known is not None:
        name = f"largest {name} ({seen.number.reason})"
    about = f"{name}{whom(seen.target)}{_where(asked)}"
    at = window_words(seen.look, asked.catalog.project.zone)
    number, judged = seen.number, seen.judged
    if number.known is None:
        return f"{_capital(about)} {at}: {number.reason or 'has no value'}."
    value, low, high = number.known
    limits = f" ({_range(low, high, rule.metric)})" if low < high else ""
    said = f"{_capital(about)} was {shown_as(rule.metric, value)}{limits} {at}"
    if judged.seen == "unsure" and judged.threshold is None:
        return f"{said}: {judged.reason}."
    return f"{said}: {_against(asked, seen)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _where(asked: Asked) -> str:
    said = [condition.sentence for condition in asked.scope.filters]
    return f" where {' and '.join(said)}" if said else ""


def _against(asked: Asked, seen: Seen) -> str:
    rule, judged = asked.rule, seen.judged
    if judged.difference is None or judged.baseline is None:
        return _limit(seen, rule.metric)
    if rule.anomaly and judged.expected is not None:
        low, high = judged.expected
        usual = f"{shown(low)} to {shown(high)} is usual {_season(asked)}"
        return f"outside what is usual: {usual}" if judged.seen == "breach" else usual
    other = (
        "in the reference" if rule.worse_than_reference_by is not None
        else "the window before" if rule.changed_from_previous else "a week earlier"
    )  # fmt: skip
    tolerated = rule.worse_than_reference_by if rule.worse_than_reference_by is not None else rule.tolerance
    size, low, high = abs(judged.difference.value), judged.difference.low, judged.difference.high
    if judged.difference.value < 0:
        low, high = -high, -low
    change = f"{shown(size)} ({shown(low)} to {shown(high)}) {_way(judged.difference.value)} than {other}"
    base = f"{shown(judged.baseline)}"
    verdict = {
        "breach": f"more than the {shown(tolerated)} that is tolerated" if tolerated else "beyond chance",
        "fine": f"within the {shown(tolerated)} that is tolerated"
        if tolerated
        else "not beyond chance for the worse",
    }.get(judged.seen, "too close to what is tolerated to say")
    return f"{change} ({base}), {verdict}"


def _way(difference: float) -> str:
    return "more" if difference >= 0 else "less"


def _season(asked: Asked) -> str:
    if asked.rule.window >= timedelta(days=7):
        return "for such a window"
    return "on this weekday" if asked.rule.window >= timedelta(days=1) else "at this hour of the week"


def _limit(seen: Seen, metric: str | None) -> str:
    judged = seen.judged
    if judged.threshold is None:
        return judged.reason or "no limit"
    limit = shown_as(metric, judged.threshold)
    match judged.seen:
        case "breach":
            return f"surely {'below' if judged.side == 'low' else 'above'} the limit of {limit}"
        case "fine":
            return f"within the limit of {limit}"
        case _:
            return f"too close to the limit of {limit} to say"


def _silence(asked: Asked, seen: Seen) -> str:
    hours = seen.number.value or 0.0
    limit = format_duration(asked.rule.no_data or timedelta())
    about = f"{whom(seen.target)}{_where(asked)}"
    if seen.judged.seen == "breach":
        return f"No prediction{about} for {duration_words(hours)}; {limit} were the limit."
    return f"The newest prediction{about} came {duration_words(hours)} before; up to {limit} are fine."


def _label_feed(seen: Seen) -> str:
    hours = seen.number.value or 0.0
    about = whom(seen.target)
    match seen.judged.seen:
        case "breach":
            limit = duration_words(seen.judged.threshold or 0.0)
            silent = duration_words(hours)
            return f"Labels{about} have stopped: none for {silent}, and they are never silent for {limit}."
        case "fine":
            return f"Labels{about} come: the newest {duration_words(hours)} before."
        case _:
            return f"Labels{about}: none for {duration_words(hours)}; {seen.judged.reason}."


def _burn(asked: Asked, seen: Seen) -> str:
    rule, number, judged = asked.rule, seen.number, seen.judged
    about = f"the budget of {rule.burn}{whom(seen.target)}"
    at = window_words(seen.look, asked.catalog.project.zone)
    if number.known is None:
        return f"{_capital(about)} {at}: {judged.reason or number.reason or 'no requests'}."
    value, low, high = number.known
    said = (
        f"{_capital(about)} burnt {shown(value)} times ({shown(low)} to {shown(high)}) as fast as it may {at}"
    )
    match judged.seen:
        case "breach":
            return f"{said}, and goes on: the limit is {shown(judged.threshold or 0.0)}."
        case "fine":
            return f"{said}: within the limit of {shown(judged.threshold or 0.0)}."
        case _:
            return f"{said}: {judged.reason or 'too close to the limit to say'}."


def since_words(asked: Asked, memory: Memory, reading: Reading) -> str | None:
    """Since when an alert fires, where it is longer than the window its sentence speaks of."""
    if memory.state not in {"firing", "recovering", "pending"} or memory.since is None:
        return None
    zone = asked.catalog.project.zone
    over = " It is recovering." if memory.state == "recovering" else ""
    if memory.since >= reading.window_start:
        return over.strip() or None
    local = memory.since.astimezone(zone)
    hours = (
        f" {local:%H:%M}" if asked.rule.window < timedelta(days=1) or local.time() != local.min.time() else ""
    )
    return f"It has been so since {local.day} {local:%b %Y}{hours}.{over}"
