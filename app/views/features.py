"""Features: what an input is like, over time, and by label, decision and right or wrong."""

from __future__ import annotations

import streamlit as st

from app.parts import empty, feature_words, links, trail
from app.parts import features as parts
from app.parts.ask import guarded
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.scope_bar import current
from app.parts.tiles import tiles

view = current()
trail.back_button()
with guarded(view, "features"), st.skeleton(height=560):
    rows = parts.every_feature(view)
    if not any(row.n for row in rows):
        empty.nothing(view, "features")
        st.stop()
    first_line = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one_version(view)
        feature = choose("feature", feature_words.FEATURE, [row.feature for row in rows])
        if links.exists("drift"):
            st.button(
                feature_words.OPEN_DRIFT,
                icon=":material/waves:",
                key="open_drift",
                type="tertiary",
                on_click=trail.leave,
                args=("features", "drift"),
                kwargs={"feature": feature},
            )
    row = next(row for row in rows if row.feature == feature)
    with first_line:
        headline(parts.sentence(view, row))
    tiles(parts.tiles_of(view, row))
    with guarded(view, "feature_over_time"):
        parts.over_time(view, row)
    with guarded(view, "feature_groups"):
        parts.groups(view, row)
    parts.all_features(view, rows)
