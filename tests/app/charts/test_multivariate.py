"""Figures, tables and first lines of "All at once" and "Does it matter"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from analytics.drift.damage_rows import DamageRow
from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow
from app.charts import damage, multivariate
from app.charts.theme import ACTION
from app.headlines.multivariate import damage_verdict, together_verdict

ZONE = ZoneInfo("America/New_York")
START = datetime(2024, 3, 4, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
EVIL = "<b>a</b>"


def whole(week: int = 0, **instead) -> MultivariateRow:
    row = MultivariateRow(
        START + week * WEEK, START + (week + 1) * WEEK, "v1", "v1", None, "features", "domain_classifier", value=0.8,
        ci_low=0.7, ci_high=0.87, null_mean=0.5, null_low=None, null_high=0.6, p_value=0.005, p_adjusted=0.01,
        effect=0.6, effect_ci_low=0.4, effect_ci_high=0.74,
        tolerance=0.05, drifted=True, n=900, n_reference=4000, n_sampled=500, n_sampled_reference=3000,
        n_missing=0, n_missing_reference=0, n_features=4, n_components=None, n_draws=199, blocks=7, blocks_reference=59,
        independence="blocks", status="ok", reason=None,
    )  # fmt: skip
    return replace(row, **instead)


def unknown(week: int = 0) -> MultivariateRow:
    return whole(
        week, value=None, ci_low=None, ci_high=None, null_mean=None, null_high=None, p_value=None, p_adjusted=None,
        effect=None, drifted=None, status="too_few", reason="3 rows in the window",
    )  # fmt: skip


def error(**instead) -> MultivariateRow:
    return whole(method="reconstruction_error", value=4.2, ci_low=4.0, ci_high=4.4, null_mean=3.5, null_low=3.2,
                 null_high=3.8, effect=0.2, **instead)  # fmt: skip


def carrier(feature: str, rank: int, value: float, low: float) -> CarrierRow:
    return CarrierRow(
        START, START + WEEK, "v1", "v1", feature, rank, value, low, 2 * value - low, 0.7, 0.6, 0.8, 0.8, 500,
        3000, "blocks", "ok", None,
    )  # fmt: skip


def moved(feature: str, beyond: float, value: float, quadrant: str | None, **instead) -> DamageRow:
    row = DamageRow(
        START, START + WEEK, "v1", "v1", feature, "numeric", beyond + 0.02, beyond,
        None if quadrant is None else quadrant.startswith("moved"), "mutual_information", value, value * 0.8,
        value * 1.2, 0.002, 0.005, 0.01, 0.01,
        quadrant is not None and "little" not in quadrant, "reference", 9000, "blocks",
        quadrant, "ok", None,
    )  # fmt: skip
    return replace(row, **instead)


CARRIERS = [carrier("temp", 1, 0.2, 0.1), carrier(EVIL, 2, 0.05, 0.01), carrier("seats", 3, 0.001, -0.01)]
DAMAGE = [
    moved("temp", 0.4, 0.1, "moved and matters"),
    moved(EVIL, 0.3, 0.001, "moved, matters little"),
    moved("hour", 0.0, 0.2, "steady, matters"),
    moved("seats", 0.0, 0.0, "steady, matters little"),
]


@pytest.mark.parametrize(
    "figure",
    [
        multivariate.over_time([whole(0), whole(1, drifted=False), unknown(2), whole(3)], zone=ZONE),
        multivariate.over_time([whole(0)], zone=ZONE),
        multivariate.over_time([error()], zone=ZONE),
        multivariate.over_time([unknown()], zone=ZONE),
        multivariate.over_time([], zone=ZONE),
        multivariate.carrier_bars(CARRIERS),
        multivariate.carrier_bars([]),
        damage.damage_map(DAMAGE),
        damage.damage_map([moved("x", 0.1, 0.1, None, status="too_few", reason="few rows")]),
        damage.damage_map([]),
    ],
)
def test_plotly_takes_every_figure_and_shows_no_markup_of_the_logs(figure):
    go.Figure(figure)
    assert EVIL not in str([trace.get("text") for trace in figure["data"]])
    assert EVIL not in str([trace.get("hovertext") for trace in figure["data"]])
    assert EVIL not in str(figure["layout"])


def test_a_gap_stays_a_gap_and_a_drifted_window_is_marked():
    figure = multivariate.over_time([whole(0), unknown(1), whole(2, drifted=False)], zone=ZONE)
    line = next(trace for trace in figure["data"] if trace.get("name") == "value")
    assert line["y"] == [0.8, None, 0.8]
    drifted = next(trace for trace in figure["data"] if trace.get("name") == "drifted")
    assert len(drifted["x"]) == 1
    assert "drifted in 1 of 2 windows" in multivariate.over_time_alt(
        [whole(0), unknown(1), whole(2, drifted=False)], zone=ZONE
    )


def test_the_most_carrying_feature_is_first_and_leads_to_itself():
    figure = multivariate.carrier_bars(list(reversed(CARRIERS)))
    assert figure["data"][0]["customdata"][0] == ["temp"]
    assert "2 features of 3 carry" in multivariate.carrier_alt(CARRIERS)
    assert "beyond chance" in multivariate.carrier_alt([carrier("x", 1, 0.0, -0.1)])


def test_red_is_for_what_moved_and_matters_only():
    figure = damage.damage_map(DAMAGE)
    red = [trace for trace in figure["data"] if trace["marker"]["color"] == ACTION]
    assert [trace["name"] for trace in red] == ["moved and matters (1)"]
    assert red[0]["text"] == ["temp"]
    assert red[0]["customdata"] == [["temp"]]
    assert damage.damage_alt(DAMAGE) == (
        "4 features: 1 moved and matters; 1 moved, matters little; 1 steady, matters; 1 steady, matters little: temp."
    )


def test_names_do_not_lie_upon_each_other():
    crowd = [moved(f"feature_{i}", 0.001 * i, 0.1, "steady, matters") for i in range(30)]
    named = [text for trace in damage.damage_map(crowd)["data"] for text in trace["text"] if text]
    assert 1 <= len(named) <= damage.MOST_LABELS


def test_tables_name_what_people_read():
    frame = damage.damage_table(list(reversed(DAMAGE)), zone=ZONE)
    assert frame["Feature"].tolist()[0] == "temp"
    assert len(multivariate.multivariate_table([whole(), error()], zone=ZONE)) == 2
    assert len(multivariate.carrier_table(CARRIERS, zone=ZONE)) == 3
    profile = ProfileRow(START, START + WEEK, None, None, "note", "text", "non_ascii", 0.1, 0.05, 0.15, 0.2, -0.1, -0.2,
                         0.0, 0.04, 0.05, 9, 9, 9, 9, "rows", "ok", None)  # fmt: skip
    assert multivariate.profile_table([profile], zone=ZONE)["Measure"].tolist() == ["non ascii"]
    row = NewRow(
        START, START + WEEK, None, 1, "•••", START, 0.0, "a.parquet", 7, {"Rank": 3, "id": "•••", "x": None}
    )
    newest = multivariate.newest_table([row], zone=ZONE, hidden=frozenset({"id"}))
    assert newest["column.Rank"].tolist() == [3]
    assert "id" not in newest.columns
    assert newest["Logged in"].tolist() == ["a.parquet, row 7"]


def test_first_lines_claim_what_the_rows_say():
    drifted = together_verdict([whole(), error()], CARRIERS, zone=ZONE)
    assert drifted.state == "changed"
    assert "at least 60%" in drifted.sentence
    assert f"carried most by temp and {EVIL}" in drifted.sentence
    assert "seats" not in drifted.sentence
    still = whole(drifted=False, value=0.55)
    assert together_verdict([still, error(drifted=False)], [], zone=ZONE).state == "same"
    text = together_verdict([still, whole(feature="note", kind="text")], [], zone=ZONE)
    assert text.state == "changed"
    assert text.sentence.startswith("note moved")
    other = together_verdict([still, error(drifted=True)], [], zone=ZONE)
    assert "describe the rows worse than usual" in other.sentence
    nothing = together_verdict([unknown()], [], zone=ZONE)
    assert nothing.state == "unknown"
    assert "3 rows in the window" in nothing.sentence


def test_the_line_on_damage():
    assert "on temp: look there first" in damage_verdict(DAMAGE, zone=ZONE).sentence
    assert damage_verdict(DAMAGE[1:], zone=ZONE).state == "same"
    assert "little on any of them" in damage_verdict(DAMAGE[1:], zone=ZONE).sentence
    assert damage_verdict(DAMAGE[2:], zone=ZONE).sentence.startswith("No single feature drifted")
    none = [moved("x", 0.1, 0.1, None, reason="few rows")]
    assert damage_verdict(none, zone=ZONE).sentence == "Whether drift matters cannot be said: few rows."
