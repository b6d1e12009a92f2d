"""Effects by segment: among whom is the effect different, and how much of that is chance?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.errors import ExperimentError
from analytics.experiments.rows import Scorecard
from analytics.experiments.segment_words import finding, looked_at
from app.charts.experiment_segments import segment_forest, segment_forest_alt, segment_table
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.experiments import alarming
from app.parts.plain import literal
from app.parts.view import View

METRIC = "Metric"
VARIANT = "Arm"
NONE_DECLARED = (
    "No segment of units is declared, so nobody can tell for whom the effect is different. Name columns that were "
    'known before the exposure: `segments = ["country", "device"]` in `[exposures]` or `[units]` of the project file.'
)


def section(view: View, card: Scorecard) -> None:
    """One sentence, then one line a value of each segment."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric, arm = alarming(card)
        name = choose("metric", METRIC, [facts.name for facts in card.metrics], first=metric)
        variant = choose("variant", VARIANT, card.variants, first=arm)
    try:
        found = ask(view, "segment_effects", name=card.name, metric=name, confidence=card.confidence)
    except ExperimentError:
        st.markdown(NONE_DECLARED)
        return
    rows = [row for row in found if row.variant == variant]
    st.markdown(f"##### {literal(finding([*found]))}")
    chart(
        ("segment_effects", "shrunken_effect", "segment_family"),
        segment_forest(rows),
        segment_forest_alt(rows),
        key="segments",
        behind=behind(view, found, f"segments_{name}", partial(segment_table, rows)),
        note=looked_at([*found]) or None,
    )
