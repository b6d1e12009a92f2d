"""Telemetry: what arrives, how much, how fresh, and what was left out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.results import Results
from analytics.telemetry.report import DayCount, FileRow
from analytics.telemetry.summary import summarise
from app.charts.volume import rows_by_day, rows_by_day_alt
from app.headlines import telemetry_headline
from app.parts import arrivals as parts
from app.parts import page_words
from app.parts.ask import ask, guarded
from app.parts.chart import Behind, behind, chart, csv_button, header
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import current
from app.parts.table import table
from app.parts.tiles import tiles
from app.parts.view import View


def left_out(sentences: tuple[str, ...]) -> None:
    """What the report says is missing, worst first."""
    if sentences:
        lines = "\n".join(f"- {literal(sentence)}" for sentence in sentences)
        st.markdown(f":material/warning: **{page_words.WHAT_WAS_LEFT_OUT}**\n\n{lines}")


def by_day(view: View, days: tuple[DayCount, ...]) -> None:
    """How much arrived on which day."""
    catalog = view.bench.catalog
    chart(
        "rows_by_day",
        rows_by_day(days, catalog.releases, zone=view.zone, versions=catalog.versions),
        rows_by_day_alt(days),
        key="rows_by_day",
        behind=Behind(partial(parts.days_frame, days), (), f"rows_by_day_{view.project.file.parent.name}"),
        on_click=partial(parts.open_day, view),
        note=page_words.DAY_CLICK,
    )


def listed_files(view: View, files: Results[FileRow]) -> None:
    """Every file, with what could not be read of it."""
    source = behind(view, files, "telemetry")
    header("files", "files", source.sql)
    columns = {
        "File": st.column_config.TextColumn(pinned=True),
        "Problem": st.column_config.TextColumn(width="large"),
    }
    table(
        parts.files_frame(files, view),
        "Every log file, and what was left out of it",
        key="files",
        columns=columns,
    )
    csv_button(source, "files")


def project(view: View) -> None:
    """Columns, project file and releases."""
    with st.grid(2, min_column_width=340):
        if view.bench.catalog.has_predictions:
            with st.container():
                header("columns", "columns")
                table(parts.columns_frame(view), "Every logged column and its part", key="columns", lines=20)
        with st.container():
            header("project_file", "project_file")
            table(parts.project_frame(view), "What the project file says", key="project_file", lines=20)
            if view.bench.catalog.releases:
                header("releases", "releases")
                table(parts.releases_frame(view), "Releases, the newest first", key="releases")


view = current()
st.caption(page_words.ALL_DAYS)
with guarded(view, "telemetry"), st.skeleton(height=600):
    files = ask(view, "telemetry")
    days = parts.per_day(view.bench) if view.bench.catalog.has_predictions else ()
    summary = summarise(view.bench.catalog, files)
    headline(telemetry_headline(files, zone=view.zone))
    tiles(parts.tiles_of(view, files, days, summary))
    left_out(summary.sentences)
    if view.bench.catalog.has_predictions:
        by_day(view, days)
    listed_files(view, files)
    project(view)
