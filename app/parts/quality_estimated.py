"""Before labels: what quality is likely to be, what came of earlier estimates, and whether they can be believed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.ask.estimate import METHODS, Estimates
from app.charts import estimated as charts
from app.formats import count
from app.headlines.estimated import estimate_verdict
from app.parts import metrics, words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.quality_now import to_window
from app.parts.table import table
from app.parts.view import View
from app.text import title

ESTIMATOR = "Estimator"
HEIGHT = 420
SAMPLED = "Up to {n} rows of each window were looked at one by one."
NEEDS = "Each window is tested on the earlier ones of the same length; choose a finer grain for more of them."
FARED = "How the estimate has fared"


def section(view: View) -> None:
    """Everything about quality before labels."""
    with st.container(horizontal=True):
        method = _method(view)
        place = st.container()
    with st.skeleton(height=HEIGHT), guarded(view, "estimated"):
        found: Estimates = ask(view, "estimates", view.over_time_of(view.version), methods=(method,))
        names = list(dict.fromkeys(row.metric for row in found.rows))
        if not names:
            st.caption(literal(" ".join(found.rows.notes)))
            return
        first = next((name for name in metrics.main_metrics(view) if name in names), names[0])
        with place:
            metric = choose("metric", words.METRIC, names, shown=title, first=first)
        _over_time(view, found, metric)
        _fared(found)


def _method(view: View) -> str:
    known = METHODS[view.predictions.task]
    if len(known) == 1:
        return known[0]
    return choose("estimator", ESTIMATOR, list(known), shown=charts.METHODS.__getitem__)


def _over_time(view: View, found: Estimates, metric: str) -> None:
    rows = [row for row in found.rows if row.metric == metric]
    headline(estimate_verdict(rows, view.zone))
    sampled = max((row.n_sample or 0 for row in rows), default=0)
    said = [words.ONE_VERSION.format(version=view.version)] if view.version is not None else []
    said += [SAMPLED.format(n=count(sampled))] if sampled else []
    said += [NEEDS] if len(rows) == 1 else []
    chart(
        ("estimated_quality", metric),
        charts.estimated_quality(rows, zone=view.zone, confidence=view.scope.confidence),
        charts.estimated_quality_alt(rows, zone=view.zone),
        key="estimated",
        behind=behind(view, found.rows, "estimated", partial(charts.estimate_table, rows, zone=view.zone)),
        on_click=partial(to_window, view),
        heading=f"{title(metric)}: estimated and measured",
        note=" · ".join(said) or None,
    )


def _fared(found: Estimates) -> None:
    header("estimator_scorecard", "fared", found.scorecard.sql, heading=FARED)
    table(charts.scorecard_table(list(found.scorecard)), FARED, key="fared")
