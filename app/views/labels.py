"""Labels: how many predictions have one, how late they come, from whom, and what that does to quality."""

from __future__ import annotations

import streamlit as st

from app.headlines.labels import labels_verdict
from app.parts import empty
from app.parts import label_words as words
from app.parts import labels as parts
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.label_sections import feed_of
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.sections import LABELS, sections
from app.parts.teach import teach
from app.parts.tiles import tiles

view = current()
with guarded(view, "labels"):
    if not view.bench.catalog.has_labels:
        headline(words.UNDECLARED)
        teach("no_label_section", "no_label_section", example=words.UNDECLARED_EXAMPLE)
        st.stop()
    version = view.version
    first_line = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one_version(view)
        parts.known_on(view)
    with st.skeleton(height=560):
        whole = next(
            (row for row in ask(view, "labels", view.of_version(version)) if row.version == version), None
        )
        if whole is None or not whole.n:
            empty.nothing(view, "labels")
            st.stop()
        windows = [row for row in ask(view, "labels", view.over_time_of(version)) if row.version == version]
        feed = feed_of(view)
        with first_line:
            headline(labels_verdict(whole, windows, feed, zone=view.zone, as_of=view.scope.as_of))
            tiles(parts.tiles_of(view, whole, feed))
        sections(view, LABELS)
