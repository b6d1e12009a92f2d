"""Going to another page and coming back, with the scope as it was there.

Streamlit clears the address when a page is switched, and refuses to as long as widgets are bound to it. So the widgets
let go of it first, and the next page gets its words in one piece: one entry in the browser's history, not one a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.parts import links, page_words
from app.parts.view import DEFAULTS
from app.parts.workspace import workspace
from app.text import PAGES

WORDS = tuple(dict.fromkeys((*DEFAULTS, *links.PAGE_WORDS, "at", "row")))
QUIET: dict[str, Any] = DEFAULTS | {
    "kind": "worst", "k": 20, "per_class": False, "diverse": False, "at": "all", "row": 1, "source": "logs",
}  # fmt: skip
"""What widgets show where nothing is said; it stays out of the address."""
_KEY = "came_from"
_AGAIN = "say_again"


def leave(here: str, to: str, *, where: Iterable[str] = (), **words: Any) -> None:
    """Open another page with a changed scope and remember this one; for callbacks.

    Args:
        here: the page that is left.
        to: the page to open.
        where: filters to add; one that is there stays once.
        words: of the scope bar or of the page, by name.
    """
    before = _said(WORDS)
    added = dict.fromkeys([*(st.session_state.get("where") or []), *where])
    after = _said(DEFAULTS) | {"where": list(added)} | words
    st.session_state[_KEY] = {"page": here, "before": before, "after": after}
    _switch(to, after)


def open_page(page: str, words: Mapping[str, list[str]]) -> None:
    """Open a page with these words and no others, as its link would; for callbacks.

    Args:
        page: which.
        words: of an address, each with its values; those that no page knows are left out.
    """
    forget()
    known = {word: values for word, values in words.items() if word in WORDS and values}
    for word in WORDS:
        # what a page binds is read from the address: here everything is text
        st.session_state.pop(word, None)
    for word, default in DEFAULTS.items():
        said = known.get(word)
        st.session_state[word] = default if said is None else said if isinstance(default, list) else said[-1]
    _let_go()
    said_words = {
        word: values if isinstance(DEFAULTS.get(word), list) else values[-1] for word, values in known.items()
    }
    st.switch_page(f"views/{page}.py", query_params=said_words)


def back_button() -> None:
    """A button to the page before, if the reader came by a click."""
    page = (st.session_state.get(_KEY) or {}).get("page")
    if page in PAGES:
        label = page_words.BACK.format(page=PAGES[page].title)
        st.button(label, icon=":material/arrow_back:", key="back", on_click=_back, type="tertiary")


def returned(page: str) -> None:
    """Put the scope right after the browser's own back and forward; before any widget is drawn.

    Back from a page that was reached by a click leads to the words this page had a moment before it was left: those
    of the page that followed. So it gets the words from before the click.
    """
    context = get_script_run_ctx()
    by_browser = context is not None and context.is_history_navigation
    words = _of_address(context.query_string) if context is not None and by_browser else _said(DEFAULTS)
    came = st.session_state.get(_KEY)
    if came and came["page"] == page:
        forget()
        if _scope(words) == _scope(came["after"]):
            _set(came["before"])
            _drop_from_address(word for word in WORDS if word not in came["before"])
            # in a run that the browser began the address wins, in the next one the session does
            st.rerun()
    if by_browser:
        st.session_state[_AGAIN] = True
    elif st.session_state.pop(_AGAIN, False):
        _say_again()


def forget() -> None:
    """Nobody is on the way any more."""
    st.session_state.pop(_KEY, None)


def _back() -> None:
    came = st.session_state.get(_KEY)
    if came:
        forget()
        _set(came["before"])
        _switch(came["page"], came["before"])


def _scope(words: Mapping[str, Any]) -> dict[str, Any]:
    return {word: words.get(word) or DEFAULTS[word] for word in DEFAULTS if word != "project"}


def _say_again() -> None:
    # After a step through the history, Streamlit drops words from the address whose widgets are folded away, though
    # it goes by them. Said again, they are back in the address.
    for word in DEFAULTS:
        if st.session_state.get(word) is not None:
            st.session_state[word] = st.session_state[word]


def _drop_from_address(words: Iterable[str]) -> None:
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as address:
            for word in words:
                address.remove_param(word)


def _of_address(query: str) -> dict[str, Any]:
    found = parse_qs(query)
    return {
        word: found[word] if isinstance(quiet, list) else found[word][-1]
        for word, quiet in DEFAULTS.items()
        if word in found
    }


def _said(words: Iterable[str]) -> dict[str, Any]:
    return {word: st.session_state[word] for word in words if st.session_state.get(word) is not None}


def _set(words: dict[str, Any]) -> None:
    for word in WORDS:
        if word in words:
            st.session_state[word] = words[word]
        elif word in st.session_state:
            st.session_state[word] = DEFAULTS.get(word)


def _switch(page: str, words: dict[str, Any]) -> None:
    for word, value in words.items():
        st.session_state[word] = value
    _let_go()
    # the first project of a workspace goes without saying
    unsaid = "project" not in st.query_params and words.get("project") in (
        None,
        workspace().entries()[0].name,
    )
    said = {
        word: _text(value)
        for word, value in words.items()
        if value not in (None, "", [], QUIET.get(word)) and not (word == "project" and unsaid)
    }
    st.switch_page(f"views/{page}.py", query_params=said)


def _let_go() -> None:
    """Widgets let go of the address."""
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as address:
            for word in WORDS:
                if (binding := address.get_binding_for_param(word)) is not None:
                    address.unbind_widget(binding.widget_id)


def _text(value: Any) -> str | list[str]:
    return [str(item) for item in value] if isinstance(value, list) else str(value)
