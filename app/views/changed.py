"""What changed: from an alert, or between any two windows, to the cause."""

from __future__ import annotations

import streamlit as st

from app.parts import causes, changed, empty, trail
from app.parts.ask import guarded
from app.parts.scope_bar import current
from app.parts.sections import CHANGED, sections

view = current()
trail.back_button()
with guarded(view, "changed"):
    if view.bench.catalog.extent is None:
        empty.nothing(view, "changed")
        st.stop()
    question = changed.controls(view)
    causes.likely(view, question.scope, question.metric)
    with st.skeleton(height=560):
        sections(view, CHANGED)
