"""How good: the metric over time and by segment, the curves, and every metric of the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from analytics.quality.rows import MetricRow
from app.charts.metric import metric_over_time, metric_over_time_alt
from app.charts.tables import metric_table
from app.parts import confusion, curves, metrics, trail, words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, table_behind
from app.parts.plain import literal
from app.parts.tiles import tiles
from app.parts.view import View, window_words
from app.text import title

RARE = 0.1
"""A share of positives below which precision and recall say more than a ROC curve."""


def section(view: View) -> None:
    """Everything about how good the model is, as logged."""
    whole = ask(view, "quality")
    reference = metrics.reference_quality(view)
    if len(view.bench.catalog.versions) > 1:
        st.caption(literal(words.TILES_OF.format(version=view.version)))
    tiles(metrics.tiles_of(view, whole, reference))
    with st.container(horizontal=True):
        metric, class_ = metrics.choose_metric(view, whole)
    over_time(view, metric, class_)
    if view.by is not None:
        by_segment(view, metric, class_)
    curves_of(view, class_, rare=is_rare(view, whole, class_))
    st.markdown(f"**{words.ALL_METRICS}**")
    grid = metrics.metric_grid(metrics.present(whole), reference, class_)
    st.dataframe(grid, hide_index=True, placeholder="–", alt=words.ALL_METRICS, height="content")
    every = partial(metric_table, whole, zone=view.zone)
    table_behind(behind(view, whole, "quality", every), "all_metrics")


@st.fragment(parallel=True)
def over_time(view: View, metric: str, class_: str | None) -> None:
    """The metric by window; a point leads to the examples of its window."""
    with st.skeleton(height=340), guarded(view, "over_time"):
        found = metrics.quality_for(view, metric, view.over_time)
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
        found = metrics.quality_for(view, metric, view.split)
        st.markdown(f"**{words.BY_SEGMENT.format(metric=title(metric), segment=literal(view.by))}**")
        metrics.segment_grid(view, metrics.pick(found, metric, class_, view.version))


def is_rare(view: View, whole: Sequence[MetricRow], class_: str | None) -> bool:
    """Whether under a tenth of the one version's labels are positive (or of the class looked at)."""
    rows = metrics.pick(whole, "prevalence", class_, view.version)
    return any(row.value is not None and row.value < RARE for row in rows)


def curves_of(view: View, class_: str | None, *, rare: bool = False) -> None:
    """Scores, curves, calibration and decisions; predicted against true for a regression.

    Where positives are rare, precision and recall come first: a ROC curve looks fine there while most alarms are false.
    """
    if view.predictions.task == "regression":
        curves.regression(view)
        return
    with st.grid(2, min_column_width=340):
        confusion.as_logged(view)
        curves.reliability(view, class_)
        order = [curves.precision_recall, curves.roc] if rare else [curves.roc, curves.precision_recall]
        for curve in order:
            curve(view, class_)
        curves.scores(view, class_)
        if view.predictions.task == "binary":
            confusion.movable(view)
    curves.rates(view, class_)
