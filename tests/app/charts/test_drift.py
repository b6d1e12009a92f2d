"""Drift: order, what is marked, what is unknown; histograms whose areas are shares."""

from __future__ import annotations

import numpy as np
import pytest

from app.charts import drift
from app.charts.theme import ACTION, NEUTRAL
from tests.app.charts import samples as s


def test_most_drifted_first():
    assert drift.most_drifted(s.drift())[:3] == ["temp", "score", f"{s.EVIL} and a very long name indeed"]


def test_the_map_shows_the_share_moved_and_leaves_out_the_unknown():
    heat, grey, *_ = drift.drift_heatmap(s.drift(), zone=s.ZONE)["data"]
    assert heat["z"][0] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    label = drift.most_drifted(s.drift()).index("label")
    assert heat["z"][label][-1] is None
    assert grey["z"][label] == [None] * 5 + [0.0]
    assert grey["colorscale"][0][1].startswith(NEUTRAL)


def test_a_quiet_project_does_not_look_dramatic():
    quiet = [s.drift_row(window, "temp", 0.01) for window in s.weeks(3)]
    assert drift.drift_heatmap(quiet, zone=s.ZONE)["data"][0]["zmax"] == 0.2


def test_what_drifted_has_a_shape_besides_its_colour():
    figure = drift.drift_heatmap(s.drift(), zone=s.ZONE)
    (diamonds,) = [trace for trace in figure["data"] if trace.get("name") == "drifted"]
    assert diamonds["marker"]["symbol"] == "diamond"
    assert diamonds["marker"]["line"]["color"] == ACTION
    assert len(diamonds["x"]) == sum(bool(row.drifted) for row in s.drift())


def test_names_are_cut_and_told_whole_on_hover():
    figure = drift.drift_heatmap(s.drift(), zone=s.ZONE)
    shown = figure["layout"]["yaxis"]["ticktext"]
    assert max(len(name.replace("&lt;", "<").replace("&gt;", ">")) for name in shown) <= 19
    assert any("and a very long name indeed" in text for text in figure["data"][-1]["hovertext"])


def test_hover_gives_p_distance_floor_and_n():
    text = drift.drift_heatmap(s.drift(), zone=s.ZONE)["data"][-1]["hovertext"][-5]
    for part in ("temp", "drifted", "50% moved", "adjusted p 0.0200", "noise floor 0.0200", "n = 1,000"):
        assert part in text


def test_one_window_is_drawn_as_bars():
    bars = drift.drift_heatmap(s.drift(1), zone=s.ZONE)["data"][0]
    assert bars["type"] == "bar"
    assert bars["customdata"][0][1:] == ["2013-03-04T05:00:00+00:00", "2013-03-11T04:00:00+00:00", "a"]


def test_alt_names_the_newest_and_the_most():
    text = drift.drift_alt(s.drift(), zone=s.ZONE)
    assert text.startswith(
        "2 of 4 features, scores and labels drifted in the week of 8 Apr 2013: most temp (50% moved)"
    )
    assert "1 cannot be judged" in text


def test_over_time_stands_on_its_noise_floor():
    rows = [row for row in s.drift() if row.feature == "temp"]
    figure = drift.feature_over_time(rows, zone=s.ZONE)
    floor, line = figure["data"][:2]
    assert set(floor["y"]) == {0.02, 0.0, None}
    assert line["y"] == pytest.approx([row.psi for row in rows])
    assert len(figure["data"][-1]["x"]) == 3
    assert "temp drifted in 3 of 6 windows" in drift.feature_over_time_alt(rows, zone=s.ZONE)


def areas(trace):
    return np.array(trace["y"]) * np.array(trace["width"])


def test_bars_of_numbers_have_their_share_as_area():
    reference, window = drift.reference_against_window(s.numeric_histogram())["data"][:2]
    assert areas(reference) == pytest.approx([0.2, 0.2, 0.3, 0.2])
    assert areas(window) == pytest.approx([0.05, 0.05, 0.1, 0.7])


def test_open_bins_are_hatched_and_do_not_tower():
    window = drift.reference_against_window(s.numeric_histogram())["data"][1]
    assert window["marker"]["pattern"]["shape"] == ["/", "", "", "/"]
    assert window["width"][1:3] == [8, 2]
    height = [share / width for share, width in zip([0.05, 0.05, 0.1, 0.7], window["width"], strict=True)]
    assert height[3] == pytest.approx(
        0.15
    )  # as high as the reference's tallest; at its neighbour's width .35
    assert window["x"][3] - window["width"][3] / 2 == pytest.approx(20)
    assert window["x"][0] + window["width"][0] / 2 == pytest.approx(10)


def test_missing_infinite_and_single_values_stand_apart():
    figure = drift.reference_against_window(s.numeric_histogram())
    apart = figure["data"][3]
    assert apart["xaxis"] == "x2"
    assert apart["x"] == ["= 15", "missing", "+∞"]
    assert apart["y"] == [0.05, 0.04, 0.01]


def test_categories_are_sorted_and_the_rare_ones_summed():
    reference, window = drift.reference_against_window(s.categorical_histogram())["data"]
    names = drift.reference_against_window(s.categorical_histogram())["layout"]["yaxis"]["ticktext"]
    assert len(names) == 22
    assert names[0] == "&lt;b&gt;evil&lt;/b&gt;"
    assert names[-2:] == ["(11 other values)", "unseen"]
    assert sum(window["x"]) == pytest.approx(sum((i + 1) / 1000 for i in range(30)) + 0.4)
    assert reference["customdata"][-1][0] == "(unseen)"


def test_histogram_alt_names_winner_and_loser():
    text = drift.histogram_alt(s.numeric_histogram())
    assert text == "temp against the reference: 20 or more gained most (+50 pp), 18 to 20 lost most (−20 pp)."
