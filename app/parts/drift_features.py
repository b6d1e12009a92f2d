"""Feature by feature: every field in every window, one of them in detail, and every statistic in a table."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from analytics.drift.rows import DriftRow
from app.charts import drift as charts
from app.charts.tables import drift_table, histogram_table
from app.formats import window_name
from app.parts import drift as parts
from app.parts import feature_words, links, page_words, trail
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, csv_button, header
from app.parts.compared import compared_with, more, other_words, told
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import tiles
from app.parts.view import View


def section(view: View) -> None:
    """Tiles, the heat map, one cell of it in detail, and the table."""
    version = view.version
    against = compared_with(view)
    found = ask(view, "drift", view.of_version(version), **more(against))
    whole = parts.of_version(found, version)
    slots = [st.container() for _ in range(4)]
    with slots[1], st.skeleton(height=560):
        cells = heat_map(view, version, against)
    with slots[0]:
        tiles(parts.tiles_of(whole, cells, view.grain))
    with slots[2]:
        feature, window = parts.choose_cell(view, whole, cells)
    with slots[3], guarded(view, "histogram"), st.skeleton(height=360):
        histogram(view, next(row for row in whole if row.feature == feature), window)
        over_time(view, feature, cells)
    every_statistic(view, whole, against)


def every_statistic(view: View, whole: list[DriftRow], against: str) -> None:
    """The table of the whole window; a row chooses the feature above."""
    found = ask(view, "drift", view.of_version(view.version), **more(against))
    behind_table = behind(view, found, "drift_whole_window", partial(drift_table, whole, zone=view.zone))
    header("drift_table", "whole_table", behind_table.sql)
    order = charts.most_drifted(whole)
    ranked = sorted(whole, key=lambda row: order.index(row.feature))
    st.caption(page_words.CLICK_ROW)
    table(
        drift_table(ranked, zone=view.zone).drop(columns=["From", "Until", "Version"], errors="ignore"),
        "Every drift statistic of the whole window, a line a feature",
        key="drift_table",
        columns={"Feature": st.column_config.TextColumn(pinned=True)},
        on_row=lambda place: st.session_state.update(
            {"feature": ranked[place].feature, "at": page_words.ALL}
        ),
    )
    csv_button(behind_table, "drift_table")


def heat_map(view: View, version: str | None, against: str) -> list[DriftRow]:
    """Every feature in every window; gives what is on screen."""
    found = ask(view, "drift", view.over_time_of(version), **more(against))
    cells = parts.of_version(found, version)
    chart(
        "drift_heatmap",
        charts.drift_heatmap(cells, zone=view.zone),
        charts.drift_alt(cells, zone=view.zone),
        key="heat_map",
        behind=behind(view, found, "drift", partial(drift_table, cells, zone=view.zone)),
        on_click=partial(parts.open_cell, view),
        heading=f"Drift by feature and {view.grain}" if view.grain != "all" else None,
        note=page_words.CLICK_CELL,
    )
    st.caption(parts.false_alarms(cells, view.grain))
    return cells


def histogram(view: View, row: DriftRow, window: tuple[datetime, datetime]) -> None:
    """How one feature is distributed in the reference and in one window."""
    scope = parts.scope_of(view, row.version, window)
    found = ask(view, "histogram", scope, feature=row.feature, **more(row.against))
    chart(
        "reference_against_window",
        told(charts.reference_against_window(found), row.against),
        charts.histogram_alt(found).replace("the reference", other_words(row.against, view)),
        key="histogram",
        behind=behind(view, found, "histogram", partial(histogram_table, found, zone=view.zone)),
        on_click=partial(parts.open_bin, view, row, window),
        heading=f"{literal(row.feature)}, {window_name(*window, view.zone)}, against "
        f"{literal(other_words(row.against, view))}",
        note=page_words.CLICK_BIN,
    )
    if links.exists("features"):
        st.button(
            feature_words.OPEN_FEATURE.format(feature=literal(row.feature)),
            icon=":material/bar_chart:",
            key="open_feature",
            type="tertiary",
            on_click=trail.leave,
            args=("drift", "features"),
            kwargs={"feature": row.feature},
        )


def over_time(view: View, feature: str, cells: list[DriftRow]) -> None:
    """One feature's distance from the reference, by window."""
    rows = [row for row in cells if row.feature == feature]
    if len(rows) < 2:
        return
    chart(
        "feature_over_time",
        charts.feature_over_time(rows, view.bench.catalog.releases, zone=view.zone),
        charts.feature_over_time_alt(rows, zone=view.zone),
        key="feature_over_time",
        behind=behind(
            view,
            ask(view, "drift", view.over_time_of(rows[0].version), **more(rows[0].against)),
            "drift",
            partial(drift_table, rows, zone=view.zone),
        ),
        on_click=partial(parts.open_cell, view),
        heading=f"{literal(feature)} by {view.grain}",
        note=page_words.CLICK_POINT,
    )
