"""The first line of the Labels page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.labels.rows import LabelFeedRow, LabelRow
from app.formats import count, in_window, percent, plural
from app.headlines.verdict import State, Verdict

TWO_YEARS = 731


def lasting(seconds: float | None) -> str:
    """A stretch of time as a person says it.

    >>> lasting(0), lasting(40), lasting(1500), lasting(10752), lasting(400_000), lasting(None)
    ('at once', '40 s', '25 min', '3.0 h', '4.6 days', '–')
    >>> lasting(4708 * 86_400)
    '13 years'
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return "at once"
    for size, name, limit in ((1, "s", 100), (60, "min", 100), (3600, "h", 72)):
        if seconds / size < limit:
            value = seconds / size
            return f"{value:.1f} {name}" if name == "h" and value < 10 else f"{value:.0f} {name}"
    days = seconds / 86_400
    if days >= TWO_YEARS:
        years = days / 365.25
        return f"{years:.1f} years" if years < 10 else f"{years:.0f} years"
    return f"{days:.1f} days" if days < 10 else f"{days:.0f} days"


def labels_verdict(
    whole: LabelRow,
    windows: Sequence[LabelRow],
    feed: LabelFeedRow | None,
    *,
    zone: ZoneInfo,
    as_of: datetime | None = None,
) -> Verdict:
    """Whether labels come, as many as expected, without contradicting each other.

    Args:
        whole: the window as one.
        windows: its parts.
        feed: of the same version.
        zone: of the project.
        as_of: the day that is replayed.
    """
    known = f"As known on {as_of.astimezone(zone):%-d %b %Y, %H:%M}: " if as_of is not None else ""
    if feed is not None and feed.silent:
        text = (
            f"the label feed has been silent for {lasting(feed.silent_seconds)}; "
            f"about {count(feed.expected_since)} labels were expected meanwhile"
        )
        return Verdict("worse", _sentence(known, text))
    if whole.coverage is None:
        return Verdict("unknown", _sentence(known, "no prediction of this window can have a label"))
    when = in_window(whole.window_start, whole.window_end, zone)
    parts = [f"{percent(whole.coverage)} of {plural(whole.n, 'prediction')} {when} have a label"]
    short = [row for row in windows if row.short]
    if short:
        first = max(short, key=lambda row: (row.expected_coverage or 0) - (row.coverage or 0))
        where = in_window(first.window_start, first.window_end, zone)
        expected = f"{percent(first.coverage)} against {percent(first.expected_coverage)} expected"
        more = f" and in {plural(len(short) - 1, 'other window')}" if len(short) > 1 else ""
        parts.append(f"fewer than expected {where} ({expected}){more}")
    immature = sum(row.status == "immature" for row in windows)
    if immature:
        newest = "newest window still waits" if immature == 1 else f"newest {immature} windows still wait"
        parts.append(f"the {newest} for some")
    if whole.delay_p50_seconds is not None:
        parts.append(_delay(whole.delay_p50_seconds))
    if feed is not None and feed.n_contradictions:
        parts.append(f"{plural(feed.n_contradictions, 'label')} contradict an earlier one")
    if feed is not None and feed.delay_changed:
        parts.append(f"they take {_slower(feed)} than they did")
    doubt = bool(short) or (feed is not None and bool(feed.n_contradictions or feed.delay_changed))
    state: State = "changed" if doubt else "same"
    return Verdict(state, _sentence(known, "; ".join(parts)))


def _delay(seconds: float) -> str:
    if seconds < 1:
        return "labels are known at once"
    return f"half of these came within {lasting(seconds)}"


def _sentence(known: str, text: str) -> str:
    return f"{known}{text}." if known else f"{text[0].upper()}{text[1:]}."


def late_labels(feed: LabelFeedRow | None, task: str) -> str | None:
    """Whether labels that come late are like those that come early."""
    if feed is None or feed.mean_label_early is None or feed.mean_label_late is None:
        return None
    low, high = feed.mean_label_difference_ci_low, feed.mean_label_difference_ci_high
    show = percent if task == "binary" else lambda value: f"{value:.3g}"
    what = "are positive" if task == "binary" else "is their mean"
    early, late = show(feed.mean_label_early), show(feed.mean_label_late)
    middle = lasting(feed.delay_p50_seconds)
    sides = f"{early} of labels that come within {middle} {what}, {late} of those that come later"
    if task != "binary":
        sides = f"The mean label is {early} where it comes within {middle}, {late} where it comes later"
    if low is not None and high is not None and low <= 0 <= high:
        return f"{sides}: no difference beyond chance."
    return f"{sides}: labels that come late differ, so the newest windows mislead until they are mature."


def _slower(feed: LabelFeedRow) -> str:
    return "longer" if (feed.share_recent or 0.0) < (feed.share_before or 0.0) else "less long"


def delay_change(feed: LabelFeedRow | None) -> str | None:
    """Whether labels take longer, or less long, than they did."""
    if feed is None or not feed.delay_changed or feed.share_before is None or feed.share_recent is None:
        return None
    return (
        f"Labels take {_slower(feed)} than they did: {percent(feed.share_recent)} of predictions have one within "
        f"{lasting(feed.delay_p50_seconds)}, {percent(feed.share_before)} had in the first half of the days."
    )
