"""Pieces of the Labels page: the day that is replayed, and the tiles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from analytics.labels.rows import LabelFeedRow, LabelRow
from analytics.scope import format_instant
from app.formats import count, day, interval, percent
from app.headlines.labels import lasting
from app.parts import label_words as words
from app.parts import links
from app.parts.tiles import Tile
from app.parts.view import View

_KEY = "known_on"
MOST_DAYS = 400
NOON = time(12)


def known_on(view: View) -> None:
    """A slider over the days of the logs: each replays the page as it would have read at its noon."""
    extent = view.bench.catalog.extent
    if extent is None:
        return
    days = _days(view, extent[0].astimezone(view.zone).date(), extent[1].astimezone(view.zone).date())
    chosen = st.session_state.get("as_of") or ""
    options = [*days, words.NOW]
    if chosen and chosen not in days:
        options = [*sorted([*days, chosen]), words.NOW]
    st.session_state[_KEY] = chosen or words.NOW
    st.select_slider(
        words.AS_OF, options, key=_KEY, on_change=_moved, format_func=_shown, help=words.AS_OF_HELP
    )


def _days(view: View, first: date, last: date) -> list[str]:
    """The noons of the logged days and of a week after them, as the scope writes instants."""
    today = datetime.now(UTC).astimezone(view.zone)
    end = min(
        last + timedelta(days=7), today.date() if today.time() > NOON else today.date() - timedelta(days=1)
    )
    start = max(first, end - timedelta(days=MOST_DAYS))
    noons = (
        datetime.combine(start + timedelta(days=k), NOON, view.zone)
        for k in range(max((end - start).days, 0) + 1)
    )
    return [format_instant(noon, view.zone) for noon in noons]


def _shown(option: str) -> str:
    if option == words.NOW:
        return option
    try:
        moment = datetime.fromisoformat(option)
    except ValueError:
        return option
    return f"{moment:%a} {day(moment)}"


def _moved() -> None:
    chosen = st.session_state[_KEY]
    links.set_words(as_of="" if chosen == words.NOW else chosen)


def tiles_of(view: View, whole: LabelRow, feed: LabelFeedRow | None) -> Sequence[Tile]:
    """Coverage, what to expect, how late, and whether the feed is alive."""
    shown = [_coverage(whole), _expected(whole), _delay(whole)]
    if feed is not None and feed.last is not None:
        shown.append(_newest(view, feed))
    return shown


def _coverage(row: LabelRow) -> Tile:
    limits = interval(row.ci_low, row.ci_high, share=True)
    detail = f"{count(row.n_labelled)} of {count(row.n)} · {limits}"
    return Tile(words.COVERAGE, percent(row.coverage), detail, status=row.status, reason=row.reason)


def _expected(row: LabelRow) -> Tile:
    if row.expected_coverage is None:
        return Tile(words.EXPECTED, "–", words.NOT_LEARNED)
    limits = interval(row.expected_ci_low, row.expected_ci_high, share=True)
    learned = words.LEARNED if row.learned_from == "version" else words.OF_ALL
    return Tile(
        words.EXPECTED, percent(row.expected_coverage), f"{limits} · {learned.format(n=count(row.n_learned))}"
    )


def _delay(row: LabelRow) -> Tile:
    if row.delay_p50_seconds is None:
        return Tile(words.DELAY, "–", row.reason or "")
    if row.delay_p50_seconds < 1:
        return Tile(words.DELAY, lasting(row.delay_p50_seconds))
    limits = f"{lasting(row.delay_p50_ci_low)} to {lasting(row.delay_p50_ci_high)}"
    return Tile(
        words.DELAY,
        lasting(row.delay_p50_seconds),
        f"{limits} · {words.WITHIN.format(most=lasting(row.delay_p95_seconds))}",
    )


def _newest(view: View, feed: LabelFeedRow) -> Tile:
    last = feed.last.astimezone(view.zone) if feed.last is not None else None
    said = f"{day(last)}, {last:%H:%M}" if last is not None else "–"
    if not feed.silent:
        return Tile(words.NEWEST, lasting(feed.silent_seconds), said)
    detail = words.EXPECTED_SINCE.format(
        expected=count(feed.expected_since), usual=lasting(feed.usual_silence_seconds)
    )
    return Tile(words.SILENT, lasting(feed.silent_seconds), detail, delta=f"since {said}", good=False)
