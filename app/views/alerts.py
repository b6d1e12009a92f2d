"""Alerts: what fires, why, since when, who knows, and what was told to whom."""

from __future__ import annotations

import streamlit as st

from app.headlines.alerts import alerts_verdict, when
from app.parts import alert_words as words
from app.parts.alerts import on_the_way, standing, tiles_of
from app.parts.ask import guarded
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import current
from app.parts.sections import ALERTS, sections
from app.parts.teach import teach
from app.parts.tiles import tiles

view = current()
with guarded(view, "alerts"):
    if not view.project.alerts:
        headline(words.UNDECLARED)
        teach("no_alerts", "no_alerts", example=words.UNDECLARED_EXAMPLE)
        st.stop()
    live = view.scope.as_of is None and view.project.clock == "wall"

    @st.fragment(run_every="60s" if live else None)
    def first_lines() -> None:
        """What fires now; looked at again every minute while the page is open."""
        with st.skeleton(height=160), guarded(view, "alerts_now"):
            found = standing(view.bench, view.scope.as_of)
            headline(alerts_verdict(found.rows, found.loud, zone=view.zone))
            tiles(tiles_of(found, on_the_way(view.bench)))
            at = (
                words.AS_OF.format(moment=when(found.at, view.zone))
                if view.scope.as_of
                else words.LOOKED.format(at=f"{when(found.at, view.zone)} ({view.zone.key})")
            )
            st.caption(literal(at))

    first_lines()
    sections(view, ALERTS)
