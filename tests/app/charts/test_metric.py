"""A metric over time: bands, gaps, n, releases, reference, immature windows."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.charts.metric import metric_over_time, metric_over_time_alt, small_metric
from app.charts.theme import PAPER, SERIES
from app.charts.timeline import releases_as_marks, runs
from tests.app.charts import samples as s

VALUES = [0.5, 0.6, None, 0.7, 0.5, 0.4]
ROWS = s.metric(VALUES, status=["ok", "ok", "too_few", "ok", "ok", "immature"])


def draw(rows=ROWS, releases=(), reference=None, **more):
    return metric_over_time(rows, releases, reference, zone=s.ZONE, **more)


def line(figure, place=0):
    return [trace for trace in figure["data"] if trace.get("mode") == "lines+markers"][place]


def test_a_window_without_a_value_is_a_gap():
    drawn = line(draw())
    assert drawn["y"] == VALUES
    assert drawn["connectgaps"] is False


def test_the_band_follows_the_interval_and_stops_at_the_gap():
    band = draw()["data"][0]
    assert band["fill"] == "toself"
    cut = band["x"].index(None)
    assert cut == 4  # two windows there and back
    assert band["y"][:cut] == pytest.approx([0.55, 0.65, 0.55, 0.45])
    assert len(band["x"]) == 4 + 1 + 6 + 1
    assert "rgba" not in band["fillcolor"]
    assert band["fillcolor"].startswith(SERIES[0])


def test_a_point_alone_gets_a_whisker_instead():
    drawn = line(draw(s.metric([0.5, None, 0.6, 0.7], half=0.1)))
    assert drawn["error_y"]["array"] == pytest.approx([0.1, 0, 0, 0])
    assert drawn["error_y"]["visible"]
    assert not line(draw(s.metric([0.5, 0.6])))["error_y"]["visible"]


def test_windows_whose_labels_still_arrive_are_hatched_and_hollow():
    figure = draw()
    assert line(figure)["marker"]["color"] == [SERIES[0]] * 5 + [PAPER]
    (hatched,) = [trace for trace in figure["data"] if trace.get("name") == "labels still arriving"]
    assert hatched["marker"]["pattern"]["shape"] == "/"
    assert hatched["x"] == [line(figure)["x"][-1]]
    assert not any("arriving" in str(trace.get("name")) for trace in draw(s.metric([0.5]))["data"])


def test_points_stand_in_the_middle_of_their_window_on_the_projects_clock():
    figure = draw()
    assert line(figure)["x"][0] == "2013-03-07T12:00:00"  # though the week has 167 hours
    assert figure["layout"]["xaxis"]["range"] == ["2013-03-04T00:00:00", "2013-04-15T00:00:00"]


def test_a_click_tells_window_and_version_in_utc():
    assert line(draw())["customdata"][0] == [
        "2013-03-04T05:00:00+00:00",
        "2013-03-11T04:00:00+00:00",
        "a",
        None,
    ]


def test_n_stands_under_the_line():
    rows = s.metric([0.5, 0.6], labelled=70)
    (bars,) = [trace for trace in draw(rows)["data"] if trace.get("yaxis") == "y2"]
    assert bars["y"] == [70, 70]
    assert "70 labelled of 1,000" in bars["hovertext"][0]


def test_bars_of_two_versions_share_the_window():
    rows = [*s.metric([0.5, 0.6]), *s.metric([0.4, 0.5], version="b")]
    first, second = [trace for trace in draw(rows)["data"] if trace.get("yaxis") == "y2"]
    assert first["offset"][0] + first["width"][0] == pytest.approx(second["offset"][0])
    assert second["offset"][0] + second["width"][0] == pytest.approx(-first["offset"][0])


def test_a_version_keeps_its_colour_when_another_is_hidden():
    only = s.metric([0.5, 0.6], version="b")
    assert line(draw(only, versions=["a", "b"]))["line"]["color"] == SERIES[1]
    assert line(draw(only))["line"]["color"] == SERIES[0]


def test_the_reference_is_a_grey_band():
    band, middle = draw(reference=s.reference(0.5, 0.02))["layout"]["shapes"]
    assert (band["y0"], band["y1"]) == (0.48, 0.52)
    assert (middle["y0"], middle["y1"]) == (0.5, 0.5)
    assert band["fillcolor"].startswith("#808495")


def test_references_of_several_versions_have_their_colours():
    rows = [*s.metric([0.5]), *s.metric([0.4], version="b")]
    shapes = draw(rows, reference=[s.reference(), s.reference(0.4, version="b")])["layout"]["shapes"]
    lines = [shape for shape in shapes if shape["type"] == "line"]
    assert [shape["line"]["color"] for shape in lines] == list(SERIES[:2])


def test_releases_outside_the_windows_are_not_drawn():
    figure = draw(releases=s.RELEASES)
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["gbm-2013.03", "logistic-2013.03"]


def test_labels_of_releases_do_not_collide():
    windows = [(row.window_start, row.window_end) for row in ROWS]
    near = [s.RELEASES[0].model_copy(update={"version": f"version-{i}"}) for i in range(5)]
    marks = releases_as_marks(near, [type("W", (), {"start": a, "end": b})() for a, b in windows], s.ZONE)
    rows = [note["yshift"] for note in marks.annotations if note["text"] != "▾"]
    assert len(rows) == len(set(rows)) == marks.rows == 3
    assert len(marks.shapes) == 5
    hidden = [note for note in marks.annotations if note["text"] == "▾"]
    assert [note["hovertext"].split(",")[0] for note in hidden] == ["release version-3", "release version-4"]


def test_a_label_near_the_right_end_is_written_to_the_left():
    late = s.RELEASES[0].model_copy(update={"timestamp": datetime(2013, 4, 14, tzinfo=s.ZONE)})
    (note,) = draw(releases=[late])["layout"]["annotations"]
    assert note["xanchor"] == "right"


def test_shares_are_in_percent():
    assert draw(s.metric([0.5], metric="recall"))["layout"]["yaxis"]["tickformat"] == ".3~%"
    assert draw()["layout"]["yaxis"]["tickformat"] is None


def test_alt_text_gives_newest_extremes_and_reference():
    text = metric_over_time_alt(ROWS, s.reference(), zone=s.ZONE)
    assert text == (
        "Log loss, newest in the week of 8 Apr 2013: 0.400 (0.350 to 0.450); lowest 0.400 in the week of "
        "8 Apr 2013, highest 0.700 in the week of 25 Mar 2013; reference 0.500 (0.490 to 0.510)."
    )
    assert metric_over_time_alt(s.metric([None]), zone=s.ZONE) == "No value can be drawn in these windows."


def test_the_small_one_ends_in_a_dot_on_the_newest_value():
    dot = small_metric(ROWS, zone=s.ZONE)["data"][-1]
    assert dot["y"] == [0.4]


def test_runs():
    assert runs([None, 1.0, None, None, 2.0, 3.0]) == [[1], [4, 5]]
    assert runs([]) == []
