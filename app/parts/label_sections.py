"""The sections of the Labels page."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import dropwhile

import streamlit as st

from analytics.durations import format_duration
from analytics.labels.rows import LabelFeedRow
from app.charts import label_tables as tables
from app.charts import labels as charts
from app.glossary import title
from app.headlines.labels import delay_change, late_labels
from app.parts import label_words as words
from app.parts import trail
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View, window_words

MAIN = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mean_absolute_error"}


def counts(view: View) -> None:
    """Coverage by window, with what was expected."""
    found = ask(view, "labels", view.over_time_of(view.version))
    mine = (row for row in found if row.version == view.version)
    # a version released late would leave most of the axis empty
    rows = list(dropwhile(lambda row: not row.n, mine))
    chart(
        "label_counts",
        charts.coverage_over_time(rows, zone=view.zone),
        charts.coverage_alt(rows, zone=view.zone),
        key="label_counts",
        behind=behind(
            view, found, "labels", partial(tables.label_table, rows, tables.COUNTS, zone=view.zone)
        ),
        on_click=partial(_to_window, view),
    )


def _to_window(view: View, point: list[str | None]) -> None:
    """Open random rows of a window; a callback."""
    start, end, version = point
    if start is None or end is None:
        return
    chosen = {"version": [version]} if version is not None else {}
    moments = [datetime.fromisoformat(text) for text in (start, end)]
    trail.leave(
        "labels", "examples", kind="random", **window_words(moments[0], moments[1], view.zone), **chosen
    )


def delays(view: View) -> None:
    """The curve of arrivals, and what late labels do to the newest windows."""
    if not view.bench.catalog.has_label_feed and view.predictions.label_timestamp is None:
        st.info(words.AT_ONCE)
        return
    found = ask(view, "label_delay", view.of_version(view.version))
    rows = [row for row in found if row.version == view.version]
    chart(
        "label_delay",
        charts.delay_curve(rows),
        charts.delay_alt(rows),
        key="label_delay",
        behind=behind(
            view, found, "label_delay", partial(tables.label_table, rows, tables.DELAY, zone=view.zone)
        ),
        note=charts.delay_alt(rows),
    )
    feed = feed_of(view)
    for sentence in (late_labels(feed, view.predictions.task), delay_change(feed), _absent(view)):
        if sentence:
            st.markdown(literal(sentence))
    weighted(view)


def _absent(view: View) -> str | None:
    section = view.project.labels
    if section is None or section.absent_after is None:
        return None
    return words.ABSENT.format(after=format_duration(section.absent_after), means=section.absent_means)


def weighted(view: View) -> None:
    """One metric as the labels came, and weighted for those still to come."""
    found = ask(view, "label_weighted", view.over_time_of(view.version))
    mine = [row for row in found if row.version == view.version and row.class_ is None]
    metrics = list(dict.fromkeys(row.metric for row in mine if row.value is not None))
    if not metrics:
        return
    metric = choose("metric", words.METRIC, metrics, shown=title, first=MAIN[view.predictions.task])
    rows = [row for row in mine if row.metric == metric]
    section = view.project.labels
    one_sided = section is not None and section.absent_after is not None
    chart(
        ("label_weighted", metric),
        charts.weighted_over_time(rows, zone=view.zone),
        charts.weighted_alt(rows, zone=view.zone),
        key="label_weighted",
        behind=behind(
            view, found, "label_weighted", partial(tables.label_table, rows, tables.WEIGHTED, zone=view.zone)
        ),
        heading=f"{title(metric)}, as labels came and weighted",
        note=words.ONE_SIDED if one_sided else found.notes[0] if found.notes else None,
    )


def selection(view: View) -> None:
    """Coverage by decision and by score."""
    found = ask(view, "label_coverage", view.of_version(view.version))
    rows = [row for row in found if row.version == view.version]
    said = charts.selection_alt(rows)
    if any(row.selected for row in rows):
        st.warning(
            literal(words.SELECTED.format(text=said.removeprefix("Labels are selected: "))),
            icon=":material/filter_alt:",
        )
    chart(
        "label_selection",
        charts.selection_bars(rows),
        said,
        key="label_selection",
        behind=behind(
            view, found, "label_coverage", partial(tables.label_table, rows, tables.SELECTION, zone=view.zone)
        ),
        note=words.OLD_ENOUGH,
    )


def sources(view: View) -> None:
    """Sources side by side, and labels that contradict earlier ones."""
    if not view.bench.catalog.has_label_feed:
        st.info(words.NO_HISTORY)
        return
    found = ask(view, "label_changes", view.over_time_of(view.version))
    rows = [row for row in found if row.version == view.version]
    said = charts.changes_alt(rows, zone=view.zone)
    if any(row.n_contradictions for row in rows):
        chart(
            "label_changes", charts.changes_over_time(rows, zone=view.zone), said, key="label_changes",
            behind=behind(
                view, found, "label_changes", partial(tables.label_table, rows, tables.CHANGES, zone=view.zone)
            ),
        )  # fmt: skip
    else:
        header("label_changes", "label_changes", found.sql)
        st.markdown(literal(said))
    _sources(view)


def _sources(view: View) -> None:
    found = ask(view, "label_sources", view.of_version(view.version))
    rows = [row for row in found if row.version == view.version]
    header("label_sources", "label_sources", found.sql)
    if not rows:
        st.markdown(words.NO_SOURCES)
        return
    source = behind(
        view, found, "label_sources", partial(tables.label_table, rows, tables.SOURCES, zone=view.zone)
    )
    frame = tables.label_table(rows, tables.SOURCES, zone=view.zone).drop(columns=["Version"])
    table(frame, "Sources of labels, each against the most trusted one", key="label_sources_table")
    csv_button(source, "label_sources")


def feed_of(view: View) -> LabelFeedRow | None:
    """What is known of the feed of the page's version."""
    found = ask(view, "label_feed", view.of_version(view.version))
    return next((row for row in found if row.version == view.version), None)
