"""Service: load, errors and latency beside quality, the budgets of objectives, who waits, what is always expected."""

from __future__ import annotations

import streamlit as st

from app.parts import service
from app.parts.ask import guarded
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.sections import SERVICE, sections

first = current()


@st.fragment(run_every=service.pause(first))
def page() -> None:
    """Everything below the scope bar; it looks again by itself while the window moves with the clock."""
    view = current()
    with guarded(view, "service"):
        with st.skeleton(height=200):
            there = service.first_lines(view)
        if not there:
            service.nothing(view)
            return
        one_version(view)
        sections(view, SERVICE)
        said = service.again(view)
        if said is not None:
            st.caption(said)


page()
