"""Quality: how good, with which intervals, since when; before labels, at other decisions, for whom, after releases."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from analytics.quality.rows import MetricRow
from app.parts import empty, metrics, words
from app.parts.ask import ask, guarded
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import current
from app.parts.sections import QUALITY, sections
from app.parts.tiles import tiles
from app.parts.view import View
from app.text import quality_verdict


@st.fragment(parallel=True)
def first_line(view: View) -> None:
    """What is the case with the one version, in a sentence."""
    with st.skeleton(height=32), guarded(view, "first_line"):
        rows = ask(view, "quality", view.over_time_of(view.version))
        reference = metrics.reference_quality(view)
        metric = metrics.main_metrics(view)[0]
        headline(quality_verdict(rows, reference, metric=metric, zone=view.zone))


def page(view: View, whole: Sequence[MetricRow], reference: Sequence[MetricRow]) -> None:
    """Everything but the scope."""
    first_line(view)
    if len(view.bench.catalog.versions) > 1:
        st.caption(literal(words.TILES_OF.format(version=view.version)))
    tiles(metrics.tiles_of(view, whole, reference))
    sections(view, QUALITY)


view = current()
with guarded(view, "quality"):
    with st.skeleton(height=600):
        whole = ask(view, "quality")
        reference = metrics.reference_quality(view)
    if any(row.n for row in whole):
        page(view, whole, reference)
    else:
        empty.nothing(view, "quality")
