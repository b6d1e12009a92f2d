"""Label next: which rows people should label, a queue to do it, what they say, where the model will be wrong."""

from __future__ import annotations

import streamlit as st

from app.headlines.review import queue_headline
from app.parts import empty
from app.parts import review_words as words
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.sections import REVIEW, sections
from app.parts.teach import teach

view = current()
with guarded(view, "review"):
    if view.predictions.id is None:
        headline(words.NO_ID)
        teach("no_id", "no_id", example=words.NO_ID_EXAMPLE)
        st.stop()
    counted = [
        row for row in ask(view, "labels", view.of_version(view.version)) if row.version == view.version
    ]
    if not counted or not counted[0].n:
        empty.nothing(view, "review")
        st.stop()
    known = view.bench.queued()
    newest = known[0].queue if known else None
    headline(
        queue_headline([row for row in known if row.queue == newest], counted[0].n - counted[0].n_labelled)
    )
    one_version(view)
    sections(view, REVIEW)
