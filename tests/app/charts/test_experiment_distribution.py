"""Figures of distributions: what they draw, say and table; nothing to draw is said, too."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from analytics.aggregates.observations import Observations
from analytics.experiments.distribution import distribution
from app.charts import experiment_distribution as charts
from app.charts.theme import ACTION


def seen(n=800, *, groups=False, hostile="B"):
    rng = np.random.default_rng(3)
    values = rng.lognormal(5, 0.4, 2 * n)
    values[n:] = np.where(values[n:] > 160, values[n:] * 1.2, values[n:])
    arms = np.repeat(["A", hostile], n)
    days = np.full(2 * n, np.datetime64("NaT"), dtype="datetime64[D]")
    return Observations(arms, values, np.arange(2 * n) // 2 if groups else None, days, {"A": n, hostile: n})


@pytest.fixture(params=[False, True])
def found(request):
    return distribution(("wait", "quantile"), seen(groups=request.param), ("A", "B"), 0.95)


def test_figures_are_valid_and_nothing_is_red(found):
    for figure in (
        charts.quantile_differences(found.quantiles), charts.cumulative_shares(found.steps, "quantile"),
        charts.quantile_differences([]), charts.cumulative_shares([], "mean"),
    ):  # fmt: skip
        drawn = go.Figure(figure)
        assert drawn.layout.height
        assert ACTION not in str(figure)


def test_quantiles_that_differ_are_filled_and_the_interval_is_the_corrected_one(found):
    figure = charts.quantile_differences(found.quantiles)
    named = {trace.get("name"): trace for trace in figure["data"]}
    shown = named["shown to differ"]
    first = next(row for row in found.quantiles if row.quantile == shown["x"][0])
    assert shown["y"][0] - shown["error_y"]["arrayminus"][0] == pytest.approx(first.ci_adjusted_low)
    assert first.ci_adjusted_low > 0
    assert named["no difference shown"]["marker"]["symbol"] == "circle-open"
    told = [row for row in found.quantiles if row.status == "ok"]
    assert len(shown["x"]) + len(named["no difference shown"]["x"]) == len(told)


def test_bands_hold_their_curve_and_say_what_they_are(found):
    figure = charts.cumulative_shares(found.steps, "quantile")
    assert [trace["name"] for trace in figure["data"] if "name" in trace] == ["A", "B"]
    kind = found.steps[0].band
    assert ("whole curve" in charts.band_note(found.steps)) == (kind == "simultaneous")
    assert charts.cumulative_shares_alt(found.steps, "quantile").startswith("Shares of wait at or below")


def test_the_alternative_text_counts_and_names_the_largest_gap(found):
    said = charts.quantile_differences_alt(found.quantiles)
    assert said.startswith("wait of B against A: ")
    told = sum(row.status == "ok" for row in found.quantiles)
    assert f"of {told} quantiles shown to differ" in said
    assert charts.quantile_differences_alt([]) == "No quantile can be compared."


def test_tables_hold_every_row(found):
    assert len(charts.quantiles_table(found.quantiles)) == 19
    assert len(charts.steps_table(found.steps)) == len(found.steps)


def test_hostile_names_are_no_markup():
    found = distribution(("<b>m</b>", "mean"), seen(hostile="<script>"), ("A", "<script>"), 0.95)
    for figure in (
        charts.quantile_differences(found.quantiles),
        charts.cumulative_shares(found.steps, "mean"),
    ):
        assert "<script>" not in str([trace.get("name") for trace in figure["data"]])
        for axis in ("xaxis", "yaxis"):
            assert "<" not in figure["layout"][axis]["title"]["text"]


def test_the_sentence_names_stretches_and_what_cannot_be_compared():
    found = distribution(("wait", "mean"), seen(), ("A", "B"), 0.95)
    assert found.sentence.startswith("B is higher than A at the")
    assert "elsewhere no difference is shown" in found.sentence
    same = seen()
    alike = Observations(same.variants, np.zeros(1600), None, same.days, same.n_units)
    assert "cannot be compared by quantiles" in distribution(("m", "mean"), alike, ("A", "B"), 0.95).sentence
    only = Observations(np.repeat(["A"], 10), np.arange(10.0), None, same.days[:10], {"A": 10})
    assert distribution(("m", "mean"), only, ("A", "B"), 0.95).sentence == "An arm has no values."
