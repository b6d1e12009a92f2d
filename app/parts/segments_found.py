"""Slices that the logs themselves show: searched, confirmed on other rows, with their trend and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from analytics.aggregates.slice_losses import row_losses
from analytics.results import Results
from analytics.slices.rows import SliceRow
from app.charts import found_slices as charts
from app.formats import count, interval, percent
from app.glossary import show, title, unit
from app.headlines.slices import found_verdict
from app.parts import empty, links, page_words, trail
from app.parts import slice_words as words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.one_version import one_version
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View

_KEY = "found"
_COLUMNS = (
    "Slice", "Confirmed", "Value", "All other rows", "Difference", "Difference low", "Difference high",
    "Adjusted p-value", "Share of loss", "Luck taken out", "Rows", "Share of rows", "Rows that confirm", "Reason",
)  # fmt: skip


def metric_and_version(view: View) -> tuple[str, str | None] | None:
    """The metric and the version on screen; None where rows have no number to average, which is said."""
    known = row_losses(view.bench.catalog)
    if not known:
        headline(words.NOTHING_MEASURED)
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = choose("metric", page_words.METRIC, known, shown=title)
        return metric, one_version(view)


def section(view: View) -> None:
    """The sentence, the tiles, the chart, one slice over time, and the table."""
    first_line = st.container()
    chosen = metric_and_version(view)
    if chosen is None:
        return
    metric, version = chosen
    with st.skeleton(height=600):
        found = ask(view, "slices", view.of_version(version), metric=metric)
        rows = [row for row in found if row.rank is not None]
        with first_line:
            headline(found_verdict(list(found)))
            if rows:
                tiles(_tiles(rows))
        if not rows:
            if found and found[0].status == "no_data":
                empty.nothing(view, "found")
            return
        source = behind(view, found, f"slices_{metric}", partial(charts.found_table, rows, zone=view.zone))
        chart(
            "found_slices",
            charts.found_chart(rows),
            charts.found_alt(rows),
            key="found_slices",
            behind=source,
            on_click=lambda point: _open_examples(rows[int(point[0])].where, version),
            heading=f"{title(metric)} of slices",
            note=words.CLICK_FOUND,
        )
        st.caption(literal(" ".join(found.notes)))
        header("found_slices", "found_table", source.sql, heading=words.TABLE_FOUND)
        _table(view, rows)
        csv_button(source, "found_all")
    over_time(view, found, rows, metric)


def _tiles(rows: Sequence[SliceRow]) -> list[Tile]:
    confirmed = [row for row in rows if row.confirmed]
    shown = [Tile(words.CONFIRMED, count(len(confirmed)), words.OF_TESTED.format(n=count(len(rows))))]
    if confirmed:
        first = confirmed[0]
        limits = interval(first.ci_low, first.ci_high, share=unit(first.metric) == "share")
        shown.append(Tile(
            words.COSTLIEST, show(first.metric, first.value), f"{limits}, n = {count(first.n_confirming)}",
            compared=f"all other rows {show(first.metric, first.value_elsewhere)}",
        ))  # fmt: skip
        if first.share_of_loss is not None:
            limits = interval(first.share_of_loss_ci_low, first.share_of_loss_ci_high, share=True)
            detail = f"{limits}, on {percent(first.share)} of the rows"
            shown.append(Tile(words.LOSS, percent(first.share_of_loss), detail))
    return shown


def _table(view: View, rows: Sequence[SliceRow]) -> None:
    frame = charts.found_table(rows, zone=view.zone)
    frame = frame[[name for name in _COLUMNS if name in frame]]
    ways = (
        (words.OPEN, words.EXAMPLES_BUTTON, _open_examples),
        (words.AGAINST, words.AGAINST_BUTTON, against_the_rest),
        (words.NARROW, words.SCOPE_BUTTON, _only),
    )
    keys = [f"{_KEY}_{name}" for name, _, _ in ways]

    def clicked() -> None:
        for key, (_, _, way) in zip(keys, ways, strict=True):
            event = st.session_state.get(key)
            if event is not None:
                row = rows[int(event["row"])]
                way(row.where, row.version)

    buttons: dict[str, Any] = {"Slice": st.column_config.TextColumn(pinned=True)}
    for place, (name, label, _) in enumerate(ways):
        frame.insert(2 + place, name, [label] * len(rows))
        buttons[name] = st.column_config.ButtonColumn(name, on_click=clicked, key=keys[place])
    table(frame, words.TABLE_FOUND, key=_KEY, columns=buttons)


@st.fragment(parallel=True)
def over_time(view: View, found: Results[SliceRow], rows: Sequence[SliceRow], metric: str) -> None:
    """One slice, window by window, and its WHERE clause."""
    del found
    with st.skeleton(height=420), guarded(view, "slice_trend"):
        names = [row.slice for row in rows]
        name = choose("slice", words.SLICE, names, width="stretch")
        row = rows[names.index(name)]
        trend = ask(view, "slice_trend", view.over_time_of(row.version), where=row.where, metric=metric)
        chart(
            "slice_trend",
            charts.trend_chart(trend, zone=view.zone),
            charts.trend_alt(trend),
            key="slice_trend",
            behind=behind(view, trend, "slice_trend", partial(charts.trend_table, trend, zone=view.zone)),
            heading=literal(f"{title(metric)} where {name}"),
        )
        with st.expander(words.CLAUSE, icon=":material/database:"):
            st.code(row.sql, language="sql", wrap_lines=True)
            st.code(" ".join(f'--where "{word}"' for word in row.where), language="bash", wrap_lines=True)


def _open_examples(where: Sequence[str], version: str | None) -> None:
    """The worst rows of a slice; a callback."""
    trail.leave("segments", "examples", where=list(where), kind="worst", **_of(version))


def against_the_rest(where: Sequence[str], version: str | None) -> None:
    """Compare a slice with all other rows; a callback."""
    there = list(st.session_state.get("where") or [])
    links.set_words(section="rest", where=list(dict.fromkeys([*there, *where])), **_of(version))


def _only(where: Sequence[str], version: str | None) -> None:
    """Make the slice the scope of every page; a callback."""
    there = list(st.session_state.get("where") or [])
    links.set_words(where=list(dict.fromkeys([*there, *where])), **_of(version))


def _of(version: str | None) -> dict[str, list[str]]:
    return {} if version is None else {"version": [version]}
