"""Scorecard: did it win, and can it be trusted? From the logs, or from numbers typed here."""

from __future__ import annotations

import streamlit as st

from analytics.experiments.rows import Scorecard
from app.parts import experiments as parts
from app.parts import experiments_logs, experiments_typed
from app.parts import experiments_words as words
from app.parts.ask import guarded
from app.parts.choose import seed
from app.parts.scope_bar import current
from app.parts.sections import experiment_sections


def source() -> str:
    """Where the numbers come from: bound, and checked anew."""
    known = list(words.SOURCES)
    seed("source", known, lambda word: words.SOURCES[word])
    chosen = st.segmented_control(
        words.SOURCE, known, default="logs", required=True, key="source", bind="query-params",
        format_func=lambda word: words.SOURCES[word],
    )  # fmt: skip
    return chosen if chosen in known else "logs"


def body(card: Scorecard) -> None:
    """Everything below the verdict, whichever way the numbers came."""
    if card.name is not None and parts.nobody(card):
        parts.draw_nobody(card)
        return
    if card.name is None:
        parts.scorecard_section(view, card)
    else:
        experiment_sections(view, card)


view = current("as_of")
first_line = st.container()
with guarded(view, "scorecard"):
    with st.container(horizontal=True, vertical_alignment="top"):
        chosen = source()
        name = experiments_logs.experiment(view) if chosen == "logs" else None
    if chosen == "logs":
        with st.skeleton(height=600):
            card = experiments_logs.logged_scorecard(view, name, first_line)
    else:
        card = experiments_typed.typed_scorecard(chosen, first_line, view.zone)
    if card is not None:
        with first_line:
            parts.draw_verdict(card)
        body(card)
