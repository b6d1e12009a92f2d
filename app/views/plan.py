"""Plan: how many units, how many days, which effect could be seen; typed, or from the logs."""

from __future__ import annotations

import streamlit as st

from app.parts import plan_logs, plan_typed
from app.parts import plan_words as words
from app.parts.ask import guarded
from app.parts.choose import seed
from app.parts.scope_bar import current
from app.parts.view import View

WORD = "section"


def section(view: View) -> str:
    """Typed or from the logs; only the first where no metric is declared."""
    known = [name for name in words.SECTIONS if name == "typed" or view.project.metrics]
    if len(known) == 1:
        return known[0]
    seed(WORD, known, lambda name: words.SECTIONS[name])
    chosen = st.segmented_control(
        "Section", known, default=known[0], key=WORD, bind="query-params", required=True,
        format_func=lambda name: words.SECTIONS[name], label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    return chosen if chosen in known else known[0]


view = current("as_of")
first_line, numbers = st.container(), st.container()
chosen = section(view)
with guarded(view, f"plan_{chosen}"):
    (plan_logs if chosen == "logs" else plan_typed).section(view, first_line, numbers)
