"""Examples: the rows behind the numbers, a map of errors, and rows pinned for every version to come."""

from __future__ import annotations

import streamlit as st

from app.parts import causes, trail
from app.parts.scope_bar import current
from app.parts.sections import EXAMPLES, sections

view = current()
with st.container(horizontal=True):
    trail.back_button()
    if view.scope.filters:
        # whatever was clicked (a cell, a bin, a segment) leads here as filters; from here to what is peculiar to it
        causes.different_button("examples", key="examples_different")
sections(view, EXAMPLES)
