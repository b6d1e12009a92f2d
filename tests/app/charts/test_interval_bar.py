from __future__ import annotations

import base64
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.interval_bar import HEIGHT, WIDTH, Axis, Ink, data_url, interval_bar, lift_axis, lift_bar
from tests.app.charts.experiment_samples import row

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def tags(svg):
    return [element.tag for element in svg]


def test_places_are_on_the_axis():
    axis = Axis(-0.1, 0.3)
    assert axis.place(-0.1) == 9
    assert axis.place(0.3) == WIDTH - 9
    assert axis.place(0.1) == WIDTH / 2
    assert axis.place(99) == WIDTH - 9


@pytest.mark.parametrize(
    "badge,shape,red",
    [
        ("better", "polygon", False), ("worse", "polygon", True), ("harmed", "line", True), ("safe", "rect", False),
        ("not shown safe", "rect", False), ("no difference shown", "circle", False), (None, "circle", False),
    ],
)  # fmt: skip
def test_shape_and_colour_tell_the_badge(badge, shape, red):
    svg = interval_bar((0.1, 0.05, 0.15), Axis(-0.1, 0.3), badge, Ink("#111111", "#111111"))
    assert svg[-1].tag == shape
    assert (Ink().action in ET.tostring(svg).decode()) == red


def test_an_interval_that_runs_on_ends_in_an_arrow():
    svg = interval_bar((0.1, -5.0, 0.15), Axis(-0.1, 0.3), None, Ink())
    assert tags(svg) == ["line", "line", "polygon", "line", "circle"]
    beyond = interval_bar((9.0, 8.0, 10.0), Axis(-0.1, 0.3), None, Ink())
    assert "circle" not in tags(beyond)


def test_zero_is_always_on_the_axis_and_one_wild_row_flattens_nothing():
    rows = [row(f"m{i}", 0.02, 0.01) for i in range(4)]
    axis = lift_axis(rows)
    assert axis.low < 0 < axis.high
    wild = lift_axis([*rows, row("wild", 5.0, 400.0)])
    assert wild.high < 5 * axis.high


def test_without_a_lift_there_is_no_bar():
    none = row(lift=None, lift_ci_adjusted_low=None, lift_ci_adjusted_high=None)
    assert lift_axis([none]) is None
    assert lift_bar(none, Axis(-1, 1)) is None
    assert lift_bar(row(), None) is None
    assert data_url(None) is None
    unbounded = row(lift_ci_adjusted_high=float("inf"))
    assert lift_bar(unbounded, Axis(-1, 1)) is None


def test_equal_ends_still_have_an_axis():
    nothing = row("flat", 0.0, 0.0)
    axis = lift_axis([nothing])
    assert axis.low < 0 < axis.high
    assert lift_bar(nothing, axis) is not None


def test_a_cell_holds_the_whole_picture():
    url = data_url(lift_bar(row(), lift_axis([row()]), Ink("#0F1115", "#0F1115")))
    kind, _, text = url.partition(",")
    assert kind == "data:image/svg+xml;base64"
    svg = ET.fromstring(base64.b64decode(text))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert (svg.get("width"), svg.get("height")) == (str(WIDTH), str(HEIGHT))
    assert len(svg) == 5


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted), st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_nothing_is_drawn_outside(numbers, ends):
    low, value, high = numbers
    axis = Axis(min(ends[0], 0.0) - 1, max(ends[1], 0.0) + 1)
    svg = interval_bar((value, low, high), axis, "better", Ink())
    for element in svg:
        for name in ("x1", "x2", "cx"):
            assert 0 <= float(element.get(name, "0")) <= WIDTH
        for point in element.get("points", "").split():
            assert -1 <= float(point.split(",")[0]) <= WIDTH + 1
