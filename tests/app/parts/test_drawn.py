"""Figures reach the browser as Plotly would have sent them, without the work of its objects."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import plotly.io
import pytest
import streamlit.elements.plotly_chart  # noqa: F401  # sets Plotly's default template
from plotly.tools import return_figure_from_figure_or_data

from app.parts.drawn import Drawn
from tests.app.charts.test_every_figure import FULL, NOTHING

EVERY = {**{f"{name}, empty": make for name, make in NOTHING.items()}, **FULL}


def _sent(figure: go.Figure | Drawn) -> object:
    return json.loads(
        plotly.io.to_json(return_figure_from_figure_or_data(figure, validate_figure=True), validate=False)
    )


@pytest.mark.parametrize("make", EVERY.values(), ids=list(EVERY))
def test_what_is_sent_is_what_plotly_would_have_sent(make) -> None:
    figure = make()
    assert _sent(Drawn(figure)) == _sent(go.Figure(figure))


def test_gaps_stay_and_what_says_nothing_goes() -> None:
    figure = {
        "data": [
            {"type": "scatter", "y": [1.0, None, 3.0], "selected": {"marker": {}}, "line": {"width": None}}
        ],
        "layout": {"shapes": [], "yaxis": {"tickformat": None, "range": [0, None]}},
    }
    sent = _sent(Drawn(figure))
    assert sent == _sent(go.Figure(figure))
    assert sent["data"] == [{"type": "scatter", "y": [1.0, None, 3.0]}]  # type: ignore[index]
    assert figure["layout"]["shapes"] == []
