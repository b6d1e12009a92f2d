"""The first line of a page: one sentence that says what is the case."""

from __future__ import annotations

import streamlit as st

from app.headlines import Verdict
from app.parts.plain import literal
from app.text import STATE_WORDS


def headline(said: Verdict | str) -> None:
    """Draw the sentence; a verdict brings its sign along, so that it does not rest on colour."""
    if isinstance(said, str):
        st.markdown(f"##### {literal(said)}")
        return
    _, icon = STATE_WORDS[said.state]
    st.markdown(f"##### {icon} {literal(said.sentence)}")
