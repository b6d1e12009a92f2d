"""The "?" drawer: what it is, the formula, how to read it, what it does not say, and the SQL."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.glossary import explain
from app.parts import words


def explain_button(word: str | Sequence[str], key: str, sql: Sequence[str] = ()) -> None:
    """A "?" that opens the drawer on a word of the glossary, or on several.

    Args:
        word: metrics, statistics or charts of `app.glossary`.
        key: of the button, its own on the page.
        sql: the texts behind the numbers.
    """
    if st.button("", icon=":material/help:", key=f"{key}_explain", type="tertiary", help=words.EXPLAIN):
        drawer([word] if isinstance(word, str) else word, sql)


def drawer(topics: Sequence[str], sql: Sequence[str] = ()) -> None:
    """Open the drawer on one or more words; from the body of a run, not from a callback."""
    first = explain(topics[0])

    @st.dialog(first.title, position="right", width="medium")
    def body() -> None:
        for topic in topics:
            _section(topic, headed=len(topics) > 1)
        if sql:
            with st.expander(words.SQL, icon=":material/database:"):
                for text in dict.fromkeys(sql):
                    st.code(text, language="sql", wrap_lines=True)

    body()


def _section(topic: str, *, headed: bool) -> None:
    meaning = explain(topic)
    if headed:
        st.markdown(f"##### {meaning.title}")
    st.markdown(meaning.definition)
    if meaning.formula:
        st.latex(meaning.formula)
    st.markdown(f"**{words.READING}.** {meaning.reading}")
    st.markdown(f"**{words.CAVEAT}.** {meaning.caveat}")
