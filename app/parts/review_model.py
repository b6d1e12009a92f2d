"""Where the model will be wrong: the error model, what carries it, what a filter by it would catch."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.charts import error_model as charts
from app.formats import interval, number, percent
from app.headlines.review import error_model_headline
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.plain import literal
from app.parts.tiles import Tile, tiles
from app.parts.view import View


def section(view: View) -> None:
    """A sentence, four numbers, what a filter catches, what carries it, and whether its chances hold."""
    found = ask(view, "error_model", view.of_version(view.version))
    row = next((one for one in found.models if one.version == view.version), None)
    st.markdown(f"**{literal(error_model_headline(row))}**")
    if row is None or row.auc is None:
        return
    wrong = f"{interval(row.ci_low, row.ci_high, share=True)}; n = {row.n:,}"
    of_score = interval(row.score_auc_ci_low, row.score_auc_ci_high)
    tiles(
        [
            Tile("Wrong", percent(row.wrong_rate), wrong, help=row.wrong),
            Tile("AUC of the error model", number(row.auc), interval(row.auc_ci_low, row.auc_ci_high)),
            Tile("AUC of the score alone", number(row.score_auc), of_score),
            Tile("Cost of a row", f"{number(row.microseconds)} µs", "measured here, now"),
        ]
    )  # fmt: skip
    chart(
        "error_filter", charts.filter_curve(found.filters), charts.filter_alt(found.filters), key="error_filter",
        behind=behind(view, found.filters, "error_filter", partial(charts.filter_table, found.filters)),
        note=charts.filter_alt(found.filters),
    )  # fmt: skip
    with st.grid(2, min_column_width=320):
        with st.container():
            chart(
                "error_carriers", charts.carrier_bars(found.carriers), charts.carrier_alt(found.carriers),
                key="error_carriers", behind=behind(view, found.carriers, "error_carriers"),
            )  # fmt: skip
        with st.container():
            chart(
                "error_calibration", charts.error_calibration(found.bins), charts.error_calibration_alt(found.bins),
                key="error_calibration", behind=behind(view, found.bins, "error_calibration"),
            )  # fmt: skip
    for note in found.models.notes:
        st.caption(literal(note))
