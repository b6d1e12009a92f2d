"""Releases and age: was it the release, does the model age, and how often should it be retrained."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from analytics.ask.days import LEFT_OUT, MAIN_METRIC
from app.charts import changes as charts
from app.formats import day, local
from app.glossary import title
from app.headlines.changes import ageing_sentence, release_verdict
from app.parts import changes_words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

_SHOWN = {"Metric", "Recommendation", "Same days", "Same days, low", "Same days, high", "Before", "After"}
"""Columns of the table of a release on the page; the one behind the chart and the CSV have them all."""

_SHOWN_BY_AGE = {"Version", "What", "Age to", "Value", "Low", "High", "Reason"}


def section(view: View) -> None:
    """The newest release first, then the curves by age; both look at everything up to the end of the window."""
    releases(view)
    ageing(view)


@st.fragment(parallel=True)
def releases(view: View) -> None:
    """What to do about the newest release, and the metrics behind it."""
    with st.skeleton(height=420), guarded(view, "releases"):
        found = ask(view, "releases", replace(view.scope, start=None, versions=()))
        main = MAIN_METRIC[view.predictions.task]
        headline(release_verdict(found, main, zone=view.zone))
        judged = [row for row in found if row.version_before is not None]
        if not judged:
            return
        newest = max(row.released_at for row in judged)
        rows = [row for row in judged if row.released_at == newest]
        when = day(local(newest, view.zone))
        heading = changes_words.RELEASED.format(
            version=rows[0].version, day=when, before=rows[0].version_before
        )
        chart(
            "release_forest",
            charts.release_forest(rows),
            charts.release_alt(rows),
            key="releases",
            behind=behind(
                view, found, "releases", partial(charts.release_table, list(found), zone=view.zone)
            ),
            heading=literal(heading),
            note=" · ".join(found.notes),
        )
        shown = charts.release_table(rows, zone=view.zone)
        shown = shown[[name for name in shown.columns if name in _SHOWN]]
        table(
            shown,
            changes_words.EVERY_RELEASE,
            key="releases_table",
            columns={"Metric": st.column_config.TextColumn(pinned=True)},
        )


@st.fragment(parallel=True)
def ageing(view: View) -> None:
    """Quality by age of every version, its slope, and when to retrain."""
    with st.skeleton(height=420), guarded(view, "ageing"):
        quality = ask(view, "quality")
        names = list(
            dict.fromkeys(row.metric for row in quality if row.class_ is None and row.metric not in LEFT_OUT)
        )
        metric = choose(
            "metric", changes_words.METRIC, names, shown=title, first=MAIN_METRIC[view.predictions.task]
        )
        found = ask(view, "ageing", replace(view.scope, start=None, versions=()), metric=metric)
        headline(ageing_sentence(found, view.version))
        if not found:
            return
        chart(
            "quality_by_age",
            charts.quality_by_age(found, view.bench.catalog.versions),
            charts.ageing_alt(found),
            key="ageing",
            behind=behind(view, found, "ageing", partial(charts.ageing_table, list(found), zone=view.zone)),
            note=" · ".join(found.notes),
        )
        told = [row for row in found if row.part in {"slope", "retrain"}]
        shown = charts.ageing_table(told, zone=view.zone).replace({"What": changes_words.PARTS})
        table(
            shown[[name for name in shown.columns if name in _SHOWN_BY_AGE]],
            changes_words.EVERY_AGE,
            key="ageing_table",
        )
