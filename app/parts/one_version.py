"""Which one version a page is about, where several are logged: the scope's version, chosen on the page."""

from __future__ import annotations

import streamlit as st

from app.parts import links, page_words
from app.parts.choose import WIDTH
from app.parts.view import View

_KEY = "one_version"


def one_version(view: View) -> str | None:
    """The version of the page; choosing another one changes the scope, so that links and examples follow."""
    known = [version for version in view.bench.catalog.versions if version is not None]
    version = view.version
    if len(known) < 2 or version not in known:
        return version
    st.session_state[_KEY] = version
    st.selectbox(page_words.VERSION, known, key=_KEY, on_change=_chosen, width=WIDTH)
    return version


def _chosen() -> None:
    links.set_words(version=[st.session_state[_KEY]])
