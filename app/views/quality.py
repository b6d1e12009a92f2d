"""Quality: how good, with which intervals, since when; before labels, at other decisions, for whom, after releases."""

from __future__ import annotations

import streamlit as st

from app.parts import empty, metrics
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.scope_bar import current
from app.parts.sections import QUALITY, sections
from app.parts.view import View
from app.text import quality_verdict


@st.fragment(parallel=True)
def first_line(view: View) -> None:
    """What is the case with the one version, in a sentence."""
    with st.skeleton(height=32), guarded(view, "first_line"):
        metric = metrics.main_metrics(view)[0]
        rows = metrics.quality_for(view, metric, view.over_time_of(view.version))
        reference = metrics.reference_quality(view)
        headline(quality_verdict(rows, reference, metric=metric, zone=view.zone))


view = current()
with guarded(view, "quality"):
    with st.skeleton(height=600):
        whole = ask(view, "quality")
        # with these the tiles stand; what is asked over time, by others at once, would only hold them up
        metrics.reference_quality(view)
    if any(row.n for row in whole):
        first_line(view)
        sections(view, QUALITY)
    else:
        empty.nothing(view, "quality")
