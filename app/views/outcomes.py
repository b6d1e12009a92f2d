"""Metrics: what the product is for, over time, beside the quality of the model; with targets and releases."""

from __future__ import annotations

import streamlit as st

from app.parts import outcome_words as words
from app.parts import outcomes
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.scope_bar import current
from app.parts.teach import teach
from app.parts.view import View


@st.fragment(parallel=True)
def first_line(view: View) -> None:
    """What is the case, in a sentence: it takes the longest, and the charts need not wait for it."""
    with st.skeleton(height=32), guarded(view, "first_line"):
        outcomes.first_line(view, ask(view, "metrics", view.over_time))


@st.fragment(parallel=True)
def everything(view: View) -> None:
    """All metrics in a table, which says what moved and so waits for it."""
    with st.skeleton(height=400), guarded(view, "everything"):
        outcomes.everything(view, ask(view, "metrics", view.over_time))


view = current()
with guarded(view, "outcomes"):
    if not view.project.metrics:
        headline(words.UNDECLARED)
        teach("no_metrics", "no_metrics", example=words.EXAMPLE)
        st.stop()
    with st.skeleton(height=600):
        whole = ask(view, "metrics", view.over_time)
    if not any(row.n for row in whole):
        outcomes.nothing()
        st.stop()
    first_line(view)
    outcomes.summary(whole)
    outcomes.one_metric(view, outcomes.in_order(whole))
    everything(view)
