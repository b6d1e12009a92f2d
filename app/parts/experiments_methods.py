"""One metric in more than its mean: how its values are distributed, and what every other method says of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.errors import ExperimentError
from analytics.experiments.method_words import default_method, why_default
from analytics.experiments.rows import MetricFacts, Scorecard
from analytics.project import SHARES
from app.charts import experiment_distribution as charts
from app.parts.ask import ask, guarded
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

METHODS = "Other methods"
OPEN = "What other methods say"
DEFAULT = "Compared by **{method}**. {why}"
BESIDES = {
    "stratified": " Within strata, as units were drawn; the methods below take all units together.",
    "post-stratified": " Within strata, for less noise; the methods below do without.",
    "cuped": " What was known before the exposure is taken out, for less noise; the methods below do without that.",
}
BESIDE = "None of these is corrected for the other comparisons; badge and verdict stand on the default."


def draw_distribution(view: View, card: Scorecard, facts: MetricFacts, variant: str) -> None:
    """Where the values of an arm and of the control differ: a sentence, and two charts."""
    if card.name is None or facts.kind in SHARES:
        return
    with guarded(view, "distribution"):
        try:
            found = ask(
                view, "experiment_distribution", name=card.name, metric=facts.name, confidence=card.confidence
            )
        except ExperimentError:
            return
        rows = [row for row in found.quantiles if row.variant == variant]
        st.markdown(literal(found.sentence))
        there = any(row.difference is not None for row in rows)
        with st.grid(2 if there else 1, min_column_width=340):
            if there:  # else the sentence above says why not
                with st.container():
                    chart(
                        "quantile_differences",
                        charts.quantile_differences(rows),
                        charts.quantile_differences_alt(rows),
                        key="quantiles",
                        behind=Behind(
                            partial(charts.quantiles_table, rows), found.sql, f"quantiles_{view.name}"
                        ),
                    )
            with st.container():
                chart(
                    "cumulative_shares",
                    charts.cumulative_shares(found.steps, facts.kind),
                    charts.cumulative_shares_alt(found.steps, facts.kind),
                    key="shares",
                    behind=Behind(partial(charts.steps_table, found.steps), found.sql, f"shares_{view.name}"),
                    note=charts.band_note(found.steps),
                )


def draw_methods(view: View, card: Scorecard, facts: MetricFacts) -> None:
    """Which method compares the metric and why; the others one click away."""
    if card.name is None:
        return
    with guarded(view, "methods"):
        header("methods", "methods", heading=METHODS)
        mine = [row for row in card.headline_rows() if row.metric == facts.name]
        clustered = card.health.n_clusters is not None
        paired = any(row.method == "paired" for row in mine)
        method = default_method(facts.kind, clustered=clustered, paired=paired)
        why = why_default(facts.kind, clustered=clustered, paired=paired)
        besides = next((BESIDES[row.method] for row in mine if row.method in BESIDES), "")
        st.markdown(DEFAULT.format(method=method, why=literal(why + besides)))
        opened = st.expander(
            OPEN, key="methods_open", on_change="rerun", type="compact", icon=":material/table:"
        )
        with opened:
            if not opened.open:
                return
            found = ask(
                view, "experiment_methods", name=card.name, metric=facts.name, confidence=card.confidence
            )
            frame = charts.methods_table([*found])
            table(frame, METHODS, key="methods_table", lines=25)
            st.caption(BESIDE)
            csv_button(Behind(found.to_frame, found.sql, f"methods_{view.name}"), "methods")


def draw_more(view: View, card: Scorecard, name: str) -> None:
    """Both, for the metric and the arm that are chosen."""
    facts = next((facts for facts in card.metrics if facts.name == name), None)
    if facts is None or not card.variants:
        return
    asked = st.session_state.get("variant")
    draw_distribution(view, card, facts, asked if asked in card.variants else card.variants[0])
    draw_methods(view, card, facts)
