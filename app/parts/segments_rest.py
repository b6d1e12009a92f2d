"""One slice beside all other rows, on everything."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from analytics.aggregates.slice_losses import row_losses
from app.charts import found_slices as charts
from app.glossary import title
from app.headlines.slices import compare_verdict
from app.parts import empty, page_words
from app.parts import slice_words as words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View


def section(view: View) -> None:
    """The sentence, the metric over time on both sides, and the table of everything."""
    first_line = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known = row_losses(view.bench.catalog)
        metric = choose("metric", page_words.METRIC, known, shown=title) if known else None
        version = one_version(view)
    whole, where, name = _slice(view, metric, version)
    if not where:
        return
    with st.skeleton(height=600):
        found = ask(whole, "slice_compare", whole.of_version(version), where=where)
        rows = [row for row in found if row.version == version]
        if not any(row.n for row in rows):
            empty.nothing(view, "slice_compare")
            return
        with first_line:
            headline(compare_verdict(rows, name))
        if metric is not None:
            _over_time(whole, version, where, metric)
        source = behind(view, found, "slice_compare", partial(charts.compare_table, rows, zone=view.zone))
        header("slice_compare", "slice_compare", source.sql)
        frame = charts.compare_table(rows, zone=view.zone).drop(columns=["Version"], errors="ignore")
        pinned: dict[str, Any] = {"What": st.column_config.TextColumn(pinned=True)}
        table(frame, words.TABLE_COMPARE, key="compare_table", columns=pinned)
        st.caption(literal(" ".join(found.notes)))
        csv_button(source, "compare_all")


def _slice(view: View, metric: str | None, version: str | None) -> tuple[View, tuple[str, ...], str]:
    """All rows, the conditions of the slice among them, and what to call it."""
    if view.scope.filters:
        whole = replace(view, scope=replace(view.scope, filters=()))
        where = tuple(one.text for one in view.scope.filters)
        st.caption(words.FILTERED)
        return whole, where, "what is filtered"
    found = ask(view, "slices", view.of_version(version), metric=metric) if metric is not None else ()
    rows = [row for row in found if row.rank is not None]
    if not rows:
        headline(words.NO_FOUND)
        return view, (), ""
    st.caption(words.NO_SLICE)
    names = [row.slice for row in rows]
    name = choose("slice", words.SLICE, names, width="stretch")
    return view, rows[names.index(name)].where, name


def _over_time(view: View, version: str | None, where: tuple[str, ...], metric: str) -> None:
    with guarded(view, "rest_trend"):
        trend = ask(view, "slice_trend", view.over_time_of(version), where=where, metric=metric)
        chart(
            "slice_trend",
            charts.trend_chart(trend, zone=view.zone),
            charts.trend_alt(trend),
            key="rest_trend",
            behind=behind(view, trend, "slice_trend", partial(charts.trend_table, trend, zone=view.zone)),
            heading=literal(f"{title(metric)} of the slice and of all other rows"),
        )
