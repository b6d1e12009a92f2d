"""Quality: how good, with which intervals, since when; at which decisions, and how calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from analytics.quality.rows import MetricRow
from app.charts.metric import metric_over_time, metric_over_time_alt
from app.charts.tables import metric_table
from app.parts import confusion, curves, empty, metrics, trail, words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, table_behind
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import current
from app.parts.tiles import tiles
from app.parts.view import View, window_words
from app.text import quality_verdict, title


@st.fragment(parallel=True)
def first_line(view: View) -> None:
    """What is the case with the one version, in a sentence."""
    with st.skeleton(height=32), guarded(view, "first_line"):
        rows = ask(view, "quality", view.over_time_of(view.version))
        reference = metrics.reference_quality(view)
        metric = metrics.main_metrics(view)[0]
        headline(quality_verdict(rows, reference, metric=metric, zone=view.zone))


@st.fragment(parallel=True)
def over_time(view: View, metric: str, class_: str | None) -> None:
    """The metric by window; a point leads to the examples of its window."""
    with st.skeleton(height=340), guarded(view, "over_time"):
        found = ask(view, "quality", view.over_time)
        rows = metrics.present(metrics.pick(found, metric, class_))
        shown = {row.version for row in rows}
        against = metrics.pick(metrics.reference_quality(view), metric, class_)
        against = [row for row in against if row.version in shown]
        catalog = view.bench.catalog
        chart(
            ("metric_over_time", metric),
            metric_over_time(rows, catalog.releases, against, zone=view.zone, versions=catalog.versions),
            metric_over_time_alt(rows, against, zone=view.zone),
            key="over_time",
            behind=behind(view, found, metric, partial(metric_table, rows, zone=view.zone)),
            on_click=partial(to_window, view),
            heading=words.OVER_TIME.format(metric=title(metric), grain=words.GRAINS[view.grain]),
            note=words.CLICK_POINT,
        )


def to_window(view: View, point: list[str | None]) -> None:
    """Open the examples of one point; a callback."""
    start, end = (datetime.fromisoformat(str(moment)) for moment in point[:2])
    version = {"version": [point[2]]} if point[2] is not None else {}
    trail.leave("quality", "examples", **window_words(start, end, view.zone), **version)


@st.fragment(parallel=True)
def by_segment(view: View, metric: str, class_: str | None) -> None:
    """The metric for every value of the chosen segment; a row leads to its examples."""
    with st.skeleton(height=240), guarded(view, "by_segment"):
        found = ask(view, "quality", view.split)
        st.markdown(f"**{words.BY_SEGMENT.format(metric=title(metric), segment=literal(view.by))}**")
        metrics.segment_grid(view, metrics.pick(found, metric, class_, view.version))


def curves_of(view: View, class_: str | None) -> None:
    """Scores, curves, calibration and decisions; predicted against true for a regression."""
    if view.predictions.task == "regression":
        curves.regression(view)
        return
    with st.grid(2, min_column_width=340):
        confusion.as_logged(view)
        curves.reliability(view, class_)
        curves.roc(view, class_)
        curves.precision_recall(view, class_)
        curves.scores(view, class_)
        if view.predictions.task == "binary":
            confusion.movable(view)
    curves.rates(view, class_)


def page(view: View, whole: Sequence[MetricRow], reference: Sequence[MetricRow]) -> None:
    """Everything but the scope."""
    first_line(view)
    if len(view.bench.catalog.versions) > 1:
        st.caption(literal(words.TILES_OF.format(version=view.version)))
    tiles(metrics.tiles_of(view, whole, reference))
    with st.container(horizontal=True):
        metric, class_ = metrics.choose_metric(view, whole)
    over_time(view, metric, class_)
    if view.by is not None:
        by_segment(view, metric, class_)
    curves_of(view, class_)
    st.markdown(f"**{words.ALL_METRICS}**")
    grid = metrics.metric_grid(metrics.present(whole), reference, class_)
    st.dataframe(grid, hide_index=True, placeholder="–", alt=words.ALL_METRICS, height="content")


view = current()
with guarded(view, "quality"):
    with st.skeleton(height=600):
        whole = ask(view, "quality")
        reference = metrics.reference_quality(view)
    if any(row.n for row in whole):
        page(view, whole, reference)
        every = partial(metric_table, whole, zone=view.zone)
        table_behind(behind(view, whole, "quality", every), "all_metrics")
    else:
        empty.nothing(view, "quality")
