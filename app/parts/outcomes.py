"""Parts of the Metrics page: one metric over time, a quality metric on the same windows, and the table of all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from analytics.outcomes.rows import OutcomeRow
from analytics.project import SHARES
from analytics.results import Results
from analytics.scope import Scope
from app.charts.metric import metric_over_time, metric_over_time_alt
from app.charts.outcome_tables import newest_table, window_table
from app.charts.outcomes import outcome_alt, outcome_over_time
from app.charts.tables import metric_table
from app.formats import count, interval
from app.glossary import title
from app.headlines.outcomes import newest_of, outcomes_verdict, shown
from app.parts import empty, metrics
from app.parts import outcome_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.links import set_words
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import DEFAULT_RANGE, View
from app.text import EMPTY


def first_line(view: View, whole: Results[OutcomeRow]) -> None:
    """Which metric left its target, else which one moved."""
    changes = ask(view, "metric_changes")
    headline(outcomes_verdict(whole, changes, view.bench.catalog.releases, zone=view.zone))


def summary(whole: Results[OutcomeRow]) -> None:
    """The metrics that miss their target, then those that have one, then the others: newest whole window."""
    tiles([_tile(row) for name in in_order(whole) if (row := newest_of(whole, name)) is not None])


def in_order(whole: Results[OutcomeRow]) -> list[str]:
    """The metrics, those that need a look first, those without any value last."""
    order = {"missed": 0, "unclear": 1, "met": 2, None: 3}
    newest = {name: newest_of(whole, name) for name in dict.fromkeys(row.metric for row in whole)}
    return sorted(newest, key=lambda name: 4 if (row := newest[name]) is None else order[row.reached])


def _tile(row: OutcomeRow) -> Tile:
    reached = {"met": words.MET, "missed": words.MISSED, "unclear": words.UNCLEAR}
    return Tile(
        literal(row.metric),
        shown(row, row.value),
        f"{interval(row.ci_low, row.ci_high, share=row.kind in SHARES)}, n = {count(row.n)}",
        compared=words.TARGET.format(target=shown(row, row.target), reached=reached[row.reached])
        if row.reached is not None
        else None,
        status=row.status,
        reason=row.reason,
    )


def one_metric(view: View, names: list[str]) -> None:
    """The chosen metric, and under it a metric of the model on the same windows."""
    columns = st.columns(2)
    with columns[0]:
        metric = choose("metric", words.METRIC, names)
    found = ask(view, "metrics", split_over_time(view), names=(metric,))
    rows = list(found)
    declared = view.project.metrics[metric]
    chart(
        "outcome_over_time",
        outcome_over_time(rows, view.bench.catalog.releases, zone=view.zone, versions=known_versions(view)),
        outcome_alt(rows, zone=view.zone),
        key="outcome_over_time",
        behind=behind(view, found, f"metrics_{metric}", partial(window_table, rows, zone=view.zone)),
        heading=literal(metric),
        note="; ".join(text for text in (declared.means, declared.logged_as) if text) or None,
    )
    if view.bench.catalog.has_predictions and view.bench.catalog.has_labels:
        with columns[1]:
            beside = choose("beside", words.BESIDE, metrics.main_metrics(view), shown=title)
        _quality(view, beside)


def _quality(view: View, metric: str) -> None:
    found = metrics.quality_for(view, metric, view.over_time)
    rows = [row for row in found if row.metric == metric and row.class_ is None]
    chart(
        ("outcome_quality", metric),
        metric_over_time(
            rows, view.bench.catalog.releases, zone=view.zone, versions=view.bench.catalog.versions
        ),
        metric_over_time_alt(rows, zone=view.zone),
        key="outcome_quality",
        behind=behind(view, found, f"quality_{metric}", partial(metric_table, rows, zone=view.zone)),
        heading=words.SAME_DAYS.format(metric=title(metric)),
    )


def everything(view: View, whole: Results[OutcomeRow]) -> None:
    """One line a metric; a click draws it above."""
    changes = ask(view, "metric_changes")
    frame = newest_table(whole, changes, view.project, zone=view.zone)
    names = frame["Metric"].tolist()
    header("outcome_table", "outcome_table", changes.sql)
    table(frame, words.TABLE, key="outcome_lines", on_row=lambda place: set_words(metric=names[place]))
    csv_button(behind(view, whole, "metrics", lambda: frame), "outcome_table")
    show_notes((*whole.notes, *changes.notes))


def nothing() -> None:
    """No window has any row of what the metrics are made of."""
    empty.card("nothing_in_window")
    empty.button(EMPTY["nothing_in_window"], "outcomes", range=DEFAULT_RANGE, start="", end="", as_of="")


def split_over_time(view: View) -> Scope:
    """The scope cut into windows and split by the chosen segment."""
    return replace(view.over_time, by=view.by)


def known_versions(view: View) -> tuple[str | None, ...]:
    """All versions of the predictions, in their order."""
    catalog = view.bench.catalog
    return catalog.versions if catalog.has_predictions else ()
