"""Cards for when there is nothing to draw: each says why, and offers a way on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.errors import AssayError
from app.formats import day
from app.parts import links, trail, words
from app.parts.plain import literal
from app.parts.view import DEFAULT_RANGE, RANGES, View
from app.text import EMPTY, Empty


def no_project(problem: AssayError | None = None) -> None:
    """There is no project to show."""
    with _card(EMPTY["no_project"], "folder_off"):
        if problem is not None:
            st.code(str(problem), language=None, wrap_lines=True)


def no_predictions(page: str, project: str) -> None:
    """The page is about predictions, and the project logs none."""
    with _card(EMPTY["no_predictions"], "monitoring"):
        go = partial(trail.leave, page, "scorecard", project=project)
        st.button(EMPTY["no_predictions"].action or "", key="no_predictions", on_click=go)


def nothing(view: View, key: str) -> None:
    """No row at all: because there are none, because of the filters, or because of the window.

    Args:
        view: of the page.
        key: of the card's button, its own on the page.
    """
    extent = view.bench.catalog.extent
    if extent is None:
        with _card(EMPTY["no_logs"], "inbox"):
            return
    if view.scope.filters:
        with _card(EMPTY["too_narrow"], "filter_alt_off"):
            st.markdown(literal(", ".join(condition.sentence for condition in view.scope.filters)))
            button(EMPTY["too_narrow"], key, where=[])
        return
    with _card(EMPTY["nothing_in_window"], "event_busy"):
        first, last = (day(moment.astimezone(view.zone)) for moment in extent)
        st.markdown(words.EXTENT.format(first=first, last=last, zone=view.zone.key))
        button(EMPTY["nothing_in_window"], key, range=DEFAULT_RANGE, start="", end="", as_of="")


def too_few(reason: str | None) -> None:
    """There are rows, but not enough."""
    with _card(EMPTY["too_few"], "hourglass_empty"):
        if reason:
            st.markdown(literal(reason))


def card(name: str, icon: str = "info") -> DeltaGenerator:
    """Any of the texts of `app.text.EMPTY` as a card, to draw more into."""
    return _card(EMPTY[name], icon)


def button(empty: Empty, key: str, **chosen: Any) -> None:
    """The button of a card, which sets words of the scope bar."""
    if empty.action is not None:
        st.button(empty.action, key=f"{key}_way_out", on_click=links.set_words, kwargs=chosen)


def failed(error: AssayError, key: str) -> None:
    """The question cannot be answered; the error says what to do."""
    with _card(Empty(words.ERROR_TITLE, ""), "error"):
        st.code(str(error), language=None, wrap_lines=True)
        st.button(words.RESET, key=f"{key}_reset", on_click=links.reset)


def timed_out(view: View, error: AssayError, key: str, forget: Callable[[], None]) -> None:
    """The query ran past its limit: offer a smaller window, and another try."""
    with _card(EMPTY["time_limit"], "timer_off"):
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
    with _card(Empty(words.BROKEN_TITLE.format(name=literal(name)), ""), "error"):
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


def _card(empty: Empty, icon: str) -> DeltaGenerator:
    card = st.container(border=True)
    card.markdown(f":material/{icon}: **{empty.title}**")
    if empty.body:
        card.markdown(empty.body)
    return card
