"""What an answer says beside its numbers: what was left out, and how it was found."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from app.parts.plain import literal


def show_notes(notes: Iterable[str]) -> None:
    """Each note as a sentence of its own; they may hold values out of the logs."""
    for note in notes:
        st.caption(literal(f"{note[:1].upper()}{note[1:].rstrip('.')}."))
