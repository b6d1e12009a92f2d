"""Bound selectors whose choices change with the data: a choice that is no longer there falls back to the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

WIDTH = 260


def choose(
    word: str,
    label: str,
    options: Sequence[str],
    *,
    shown: Callable[[str], str] = str,
    first: str | None = None,
    width: int | Literal["stretch"] = WIDTH,
) -> str:
    """A select box bound to a word of the URL.

    Args:
        word: its name in the URL and the session.
        label: for people.
        options: at least one.
        shown: how an option reads.
        first: the option where nothing was chosen; the first one where left out.
        width: in pixels, or as wide as its place.
    """
    default = first if first is not None and first in options else options[0]
    seed(word, options, shown)
    chosen = st.selectbox(
        label, options, index=list(options).index(default), key=word, bind="query-params", format_func=shown,
        width=width,
    )  # fmt: skip
    return chosen if chosen in options else default


def seed(word: str, options: Sequence[str], shown: Callable[[str], str] = str) -> None:
    """Links say ``metric=log_loss`` where the widget knows the words people read; a stale choice is forgotten."""
    raw = st.query_params.get(word)
    if raw in options and raw is not None and shown(raw) != raw and st.session_state.get(word, raw) == raw:
        # also where the page before has put the word both into the session and into the address
        _say(word, shown(raw))
    elif word not in st.session_state and raw in options:
        st.session_state[word] = raw
    elif word in st.session_state and st.session_state[word] not in options:
        del st.session_state[word]


def _say(word: str, text: str) -> None:
    """Put the widget's own words into the address: Streamlit drops others from it, and a reload would forget them."""
    st.query_params[word] = text
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as address:
            address.set_initial_query_params_from_current()
