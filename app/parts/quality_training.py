"""From training to production: the same metric on every split, and what the gaps mean."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.ask.segments import DEFAULT
from app.charts import populations as charts
from app.glossary import title
from app.headlines.populations import splits_verdict
from app.parts import page_words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.teach import teach
from app.parts.view import View


def section(view: View) -> None:
    """Every split side by side, or what to write where none are declared."""
    if view.predictions.split is None:
        teach("no_splits", "no_splits", example=page_words.NO_SPLITS_EXAMPLE)
        return
    splits(view)


@st.fragment(parallel=True)
def splits(view: View) -> None:
    """The chart and table of one metric."""
    with st.skeleton(height=420), guarded(view, "splits"):
        found = ask(view, "splits")
        names = list(dict.fromkeys(row.metric for row in found if row.class_ is None))
        if not names:
            st.caption(found.notes[0] if found.notes else page_words.NO_SPLITS_EXAMPLE)
            return
        metric = choose("metric", page_words.METRIC, names, shown=title, first=DEFAULT[view.predictions.task])
        judged = ask(view, "splits", metric=metric)
        rows = [row for row in judged if row.metric == metric and row.class_ is None]
        headline(splits_verdict([row for row in rows if row.version == view.version], metric))
        chart(
            "split_dots",
            charts.split_dots(rows, view.bench.catalog.versions),
            charts.split_alt(rows),
            key="splits",
            behind=behind(view, judged, "splits", partial(charts.split_table, list(judged), zone=view.zone)),
            note=" · ".join(judged.notes),
        )
        shown = charts.split_table(rows, zone=view.zone).drop(columns=["Metric", "Class"], errors="ignore")
        st.dataframe(shown, hide_index=True, placeholder="–", alt=page_words.SPLITS_TABLE, height="content")
