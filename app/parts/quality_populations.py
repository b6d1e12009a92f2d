"""Populations: is the model as good for everybody, and on rows it has never seen the like of?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.segments.rows import GapRow
from app.charts import populations as charts
from app.headlines.populations import uniform_verdict, unlike_sentence
from app.parts import page_words, trail
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.plain import literal
from app.parts.teach import teach
from app.parts.view import View


def section(view: View) -> None:
    """Gaps between groups, then rows unlike the reference."""
    one_version(view)
    if view.bench.catalog.segments:
        gaps(view)
    else:
        teach("no_segments", "no_segments")
    if "reference" in view.bench.catalog.sources and view.bench.catalog.features:
        unlike(view)


@st.fragment(parallel=True)
def gaps(view: View) -> None:
    """Each segment's gap, by one notion of being treated alike."""
    with st.skeleton(height=420), guarded(view, "gaps"):
        found = ask(view, "gaps", view.of_version(view.version))
        headline(uniform_verdict(found))
        notions = list(dict.fromkeys(_name(row) for row in found))
        if not notions:
            return
        notion = choose("notion", page_words.NOTION, notions)
        rows = [row for row in found if _name(row) == notion]
        chart(
            "gaps",
            charts.gap_forest(rows),
            charts.gap_alt(rows),
            key="gaps",
            behind=behind(view, found, "gaps", partial(charts.gap_table, list(found), zone=view.zone)),
            on_click=partial(_to_segment, rows[0]),
            heading=f"{notion[0].upper()}{notion[1:]} by segment",
            note=page_words.CLICK_GAP,
        )


def _name(row: GapRow) -> str:
    return row.notion if row.class_ is None else f"{row.notion}, {literal(row.class_)}"


def _to_segment(row: GapRow, point: list[str]) -> None:
    """Open the segments page on the clicked segment; a callback."""
    metric = row.metric if row.metric != "mean_error" else None
    words = {"metric": metric} if metric is not None and row.class_ is None else {}
    trail.leave("quality", "segments", by=point[0], **words)


@st.fragment(parallel=True)
def unlike(view: View) -> None:
    """The share of rows unlike the reference, over the whole window in words and by window as a chart."""
    with st.skeleton(height=380), guarded(view, "unlike"):
        whole = ask(view, "unlike", view.of_version(view.version))
        st.markdown(f"##### {literal(unlike_sentence(whole[0]))}" if len(whole) else "")
        found = ask(view, "unlike", view.over_time_of(view.version))
        chart(
            "unlike_over_time",
            charts.unlike_over_time(found, view.bench.catalog.releases, zone=view.zone),
            charts.unlike_alt(found, zone=view.zone),
            key="unlike",
            behind=behind(view, found, "unlike", partial(charts.unlike_table, list(found), zone=view.zone)),
            note=found.notes[0] if found.notes else None,
        )
