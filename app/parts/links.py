"""Links: which pages there are, the words a link carries, and changing them from a callback.

A bound parameter can be changed in the session only, and only before its widget is drawn: so `set_words` and
`reset` are called from callbacks. `app.parts.trail` goes to another page.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import locations
from app.parts.view import DEFAULTS

PAGES = ("overview", "quality", "drift", "segments", "examples", "telemetry")
PAGE_WORDS = ("metric", "class", "threshold", "feature", "at", "kind", "k", "per_class", "row")
"""Words that single pages bind to the URL; a link carries those that are set."""


def exists(page: str) -> bool:
    """Whether a page is there."""
    return page in PAGES and (locations.main_script().parent / "views" / f"{page}.py").is_file()


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
