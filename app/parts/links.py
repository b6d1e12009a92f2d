"""Going somewhere: set the words of the scope bar in a callback, then switch the page.

A bound parameter can be changed in the session only, and only before its widget is drawn: so everything here
is called from callbacks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import streamlit as st

from app import locations
from app.parts.view import DEFAULTS, window_words

PAGES = ("overview", "quality", "drift", "segments", "examples", "telemetry")
PAGE_WORDS = ("metric", "class", "threshold", "feature", "at", "kind", "k", "per_class", "row")
"""Words that single pages bind to the URL; a link carries those that are set."""


def exists(page: str) -> bool:
    """Whether a page is there."""
    return page in PAGES and (locations.main_script().parent / "views" / f"{page}.py").is_file()


def go(page: str, *, where: Iterable[str] = (), **chosen: Any) -> None:
    """Open a page with a changed scope; for callbacks.

    Args:
        page: one of `PAGES`.
        where: filters to add, as ``NAME=VALUE``; a filter that is there stays once.
        chosen: words of the scope bar or of the page, by name; ``version`` is a list.
    """
    added = [*(st.session_state.get("where") or []), *where]
    st.session_state["where"] = list(dict.fromkeys(added))
    for word, value in chosen.items():
        st.session_state[word] = value
    st.switch_page(f"views/{page}.py")


def go_to_window(page: str, start: str | datetime, end: str | datetime, zone: ZoneInfo, **more: Any) -> None:
    """Open a page on one window, as charts carry it in their points; for callbacks."""
    first, after = (
        datetime.fromisoformat(moment) if isinstance(moment, str) else moment for moment in (start, end)
    )
    go(page, **(window_words(first, after, zone) | more))


def set_words(**chosen: Any) -> None:
    """Change the scope and show the same page anew; for callbacks."""
    for word, value in chosen.items():
        st.session_state[word] = value
    st.rerun()


def reset() -> None:
    """Everything but the project back to its default; for callbacks."""
    set_words(**{word: value for word, value in DEFAULTS.items() if word != "project"})


def query(**instead: Any) -> str:
    """The words that differ from their defaults as a query string, with some replaced."""
    words = {word: st.session_state.get(word) for word in (*DEFAULTS, *PAGE_WORDS)} | instead
    said = {word: value for word, value in words.items() if value not in (None, "", [], DEFAULTS.get(word))}
    return urlencode(said, doseq=True)
