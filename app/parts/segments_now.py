"""Declared segments: every value against the rest."""

from __future__ import annotations

import json
from functools import partial

import streamlit as st

from analytics.ask.segments import DEFAULT, metrics_by_slice
from analytics.results import Results
from analytics.segments.rows import SegmentRow
from app.charts.segments import MOST_ROWS, forest, forest_alt
from app.charts.slices import in_order, segment_bars, segment_bars_alt
from app.charts.tables import segment_table
from app.formats import plural
from app.glossary import title
from app.headlines import segments_verdict
from app.parts import empty, page_words, slices
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.plain import literal
from app.parts.teach import teach
from app.parts.tiles import tiles
from app.parts.view import View


def section(view: View) -> None:
    """The sentence, the tiles, the forest and the table."""
    if not view.bench.catalog.segments:
        no_segments(view)
        return
    first_line = st.container()
    metrics = metrics_by_slice(view.bench.catalog)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        default = DEFAULT[view.predictions.task]
        metric = choose("metric", page_words.METRIC, metrics, shown=title, first=default)
        version = one_version(view)
    with st.skeleton(height=600):
        with first_line:  # where the answer is from a sample, that is said above the sentence
            found = ask(view, "segments", view.of_version(version), metric=metric)
        rows = [row for row in found if row.version == version]
        if not any(row.n for row in rows):
            empty.nothing(view, "segments")
            return
        with first_line:
            headline(segments_verdict(rows))
            tiles(slices.tiles_of(rows))
        if view.by is not None:
            one_segment(view, found, rows, metric)
        every_segment(view, found, rows, metric)
        source = behind(view, found, f"segments_{metric}", partial(segment_table, rows, zone=view.zone))
        header("segment_table", "slices", source.sql)
        compared = sum(row.p_adjusted is not None for row in rows)
        st.caption(page_words.CORRECTED.format(slices=plural(compared, "slice")))
        slices.slices(view, rows)
        csv_button(source, "slices_all")


def no_segments(view: View) -> None:
    """No column is declared to slice by: say what to write."""
    headline(page_words.NO_SEGMENTS_HEADLINE)
    columns = json.dumps(slices.candidates(view.bench) or ["country"])
    teach("no_segments", "no_segments", example=page_words.NO_SEGMENTS_EXAMPLE.format(columns=columns))


def one_segment(view: View, found: Results[SegmentRow], rows: list[SegmentRow], metric: str) -> None:
    """All values of the segment that the scope splits by."""
    mine = [row for row in rows if row.segment == view.by]
    chart(
        "segment_bars",
        segment_bars(mine),
        segment_bars_alt(mine),
        key="segment_bars",
        behind=behind(
            view, found, f"{view.by}_{metric}", partial(segment_table, in_order(mine), zone=view.zone)
        ),
        on_click=lambda point: slices.open_examples(*point),
        heading=f"{title(metric)} by {literal(view.by or '')}",
        note=page_words.CLICK_SLICE,
    )


def every_segment(view: View, found: Results[SegmentRow], rows: list[SegmentRow], metric: str) -> None:
    """The slices that cost most, whatever their segment."""
    known = sum(row.value is not None for row in rows)
    most = f"The {MOST_ROWS} most costly of {plural(known, 'slice')}. " if known > MOST_ROWS else ""
    chart(
        "forest",
        forest(rows),
        forest_alt(rows),
        key="forest",
        behind=behind(view, found, f"segments_{metric}", partial(segment_table, rows, zone=view.zone)),
        on_click=lambda point: slices.open_examples(*point),
        heading=f"{title(metric)} of slices",
        note=f"{most}{page_words.CLICK_SLICE}",
    )
