"""Cards for when there is nothing to draw: each says why, and offers a way on."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from analytics.errors import AssayError
from app.formats import day
from app.parts import links, words
from app.parts.view import RANGES, View


def no_project(problem: AssayError | None = None) -> None:
    """There is no project to show."""
    with _card(words.NO_LOGS_TITLE, "folder_off"):
        st.markdown(words.NO_LOGS)
        if problem is not None:
            st.code(str(problem), language=None, wrap_lines=True)


def nothing(view: View, key: str) -> None:
    """No row at all: because there are none, because of the filters, or because of the window."""
    extent = view.bench.catalog.extent
    if extent is None:
        with _card(words.NO_ROWS_TITLE, "inbox"):
            st.markdown(words.NO_ROWS)
        return
    if view.scope.filters:
        with _card(words.NARROW_TITLE, "filter_alt_off"):
            st.markdown(words.NARROW.format(filters=", ".join(f.sentence for f in view.scope.filters)))
            st.button(words.CLEAR, key=f"{key}_clear", on_click=links.set_words, kwargs={"where": []})
        return
    with _card(words.NOTHING_TITLE, "event_busy"):
        first, last = (day(moment.astimezone(view.zone)) for moment in extent)
        st.markdown(f"The logs run from {first} to {last} ({view.zone.key}).")
        to_newest = {"range": "90d", "start": "", "end": "", "as_of": ""}
        st.button(words.TO_NEWEST, key=f"{key}_newest", on_click=links.set_words, kwargs=to_newest)


def too_few(reason: str | None) -> None:
    """There are rows, but not enough."""
    with _card(words.TOO_FEW_TITLE, "hourglass_empty"):
        st.markdown(reason or words.TOO_FEW_TITLE)


def failed(error: AssayError, key: str) -> None:
    """The question cannot be answered; the error says what to do."""
    with _card(words.ERROR_TITLE, "error"):
        st.code(str(error), language=None, wrap_lines=True)
        st.button(words.RESET, key=f"{key}_reset", on_click=links.reset)


def timed_out(view: View, error: AssayError, key: str, forget: Callable[[], None]) -> None:
    """The query ran past its limit: offer a smaller window, and another try."""
    with _card(words.TIMEOUT_TITLE, "timer_off"):
        st.markdown(words.TIMEOUT)
        st.code(str(error), language=None, wrap_lines=True)
        smaller = smaller_range(view)
        with st.container(horizontal=True):
            if smaller is not None:
                label = words.SMALLER.format(range=smaller)
                fewer = {"range": smaller, "start": "", "end": ""}
                st.button(label, key=f"{key}_smaller", on_click=links.set_words, kwargs=fewer)
            st.button(words.AGAIN, key=f"{key}_again", on_click=forget)


def broken(name: str, problem: AssayError) -> None:
    """A project file or its logs cannot be opened."""
    with _card(words.BROKEN_TITLE.format(name=name), "error"):
        st.code(str(problem), language=None, wrap_lines=True)


def smaller_range(view: View) -> str | None:
    """The longest preset that is clearly shorter than the view's window."""
    extent = view.bench.catalog.extent
    start, end = view.scope.start or (extent and extent[0]), view.scope.end or (extent and extent[1])
    if start is None or end is None:
        return None
    days = (end - start).total_seconds() / 86_400
    lengths = {"24h": 1.0, "7d": 7.0, "30d": 30.0, "90d": 90.0}
    return next((name for name in reversed(RANGES) if name in lengths and lengths[name] <= days / 2), None)


def _card(title: str, icon: str) -> st.delta_generator.DeltaGenerator:
    card = st.container(border=True)
    card.markdown(f":material/{icon}: **{title}**")
    return card
