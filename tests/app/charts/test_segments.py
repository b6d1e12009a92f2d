"""The forest: the worst first, words and shapes besides colours."""

from __future__ import annotations

import pytest

from app.charts import segments
from app.charts.theme import ACTION
from tests.app.charts import samples as s


def named(figure, name):
    return next(trace for trace in figure["data"] if trace["name"] == name)


def test_the_most_costly_slice_comes_first():
    figure = segments.forest(s.segments())
    assert figure["layout"]["yaxis"]["ticktext"][:2] == ["hour 9 to 13", "carrier = EV"]
    assert figure["layout"]["yaxis"]["range"] == [3.5, -0.5]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["n", "500", "500", "500", "500"]


def test_worse_and_better_differ_in_word_shape_and_colour():
    figure = segments.forest(s.segments())
    worse, better = named(figure, "worse"), named(figure, "better")
    assert worse["marker"]["color"] == ACTION
    assert worse["marker"]["symbol"] != better["marker"]["symbol"]
    assert better["marker"]["color"] != ACTION
    assert worse["customdata"] == [["hour=[9, 13)", "a"], ["carrier=EV", "a"]]
    assert worse["error_x"]["array"] == pytest.approx([0.05, 0.05])


@pytest.mark.parametrize(
    "row,word",
    [
        (s.segment_row("a=b", 0.7, 0.5, p=0.01, worse=True), "worse"),
        (s.segment_row("a=b", 0.7, 0.5, p=0.06, worse=False), "no difference"),
        (s.segment_row("a=b", 0.3, 0.5, p=0.01, worse=False), "better"),
        (s.segment_row("a=b", 0.3, 0.5, p=0.01, worse=None, metric="prevalence"), "different"),
        (s.segment_row("a=b", 0.3, 0.5, p=None), "no difference"),
        (s.segment_row("a=b", None, None), "too few rows to say"),
    ],
)
def test_verdict(row, word):
    assert segments.verdict(row) == word


def test_slices_without_a_value_and_beyond_25_are_left_out():
    many = [s.segment_row(f"a={i}", 0.5, 0.5, impact=float(i)) for i in range(40)]
    figure = segments.forest([*many, s.segment_row("a=none", None, None)])
    assert len(figure["layout"]["yaxis"]["ticktext"]) == 25
    assert figure["layout"]["yaxis"]["ticktext"][0] == "a = 39"


def test_the_axis_says_which_way_is_better():
    assert segments.forest(s.segments())["layout"]["xaxis"]["title"]["text"] == "Log loss (lower is better)"
    share = segments.forest([s.segment_row("a=b", 0.5, 0.5, metric="prevalence")])
    assert share["layout"]["xaxis"]["title"]["text"] == "Share of positives"
    assert share["layout"]["xaxis"]["tickformat"] == ".3~%"


def test_alt():
    start = "Log loss of 4 slices: 2 worse than the rest; most costly hour=[9, 13), "
    assert segments.forest_alt(s.segments()) == start + "0.900 against 0.500 elsewhere."
