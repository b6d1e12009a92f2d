"""An empty state that teaches: what is missing, what to do about it, and buttons that do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from app.text import EMPTY


def teach(
    word: str, key: str, *, example: str | None = None, ways: Mapping[str, Callable[[], None]] | None = None
) -> None:
    """Draw the card of an empty state.

    Args:
        word: of `app.text.EMPTY`.
        key: of the card, its own on the page.
        example: lines for the project file, to be copied.
        ways: words of a button -> what it does, as a callback.
    """
    meaning = EMPTY[word]
    with st.container(border=True, key=key):
        st.markdown(f":material/lightbulb: **{meaning.title}**")
        st.markdown(meaning.body)
        if example is not None:
            st.code(example, language="toml")
        if ways:
            with st.container(horizontal=True):
                for index, (label, way) in enumerate(ways.items()):
                    st.button(label, key=f"{key}_{index}", on_click=way)
