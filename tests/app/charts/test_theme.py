"""The colours: Streamlit still swaps its placeholders, and the fixed ones hold on both papers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import streamlit
from streamlit.elements.lib import streamlit_plotly_theme

from app import locations
from app.charts import theme

THEMES = tomllib.loads(locations.streamlit_config().read_text(encoding="utf-8"))["theme"]
BROWSER = Path(streamlit.__file__).parent / "static" / "static" / "js"


@pytest.fixture(scope="module")
def chart_code():
    (file,) = BROWSER.glob("PlotlyChart.*.js")
    return file.read_text(encoding="utf-8")


PLACEHOLDERS = (*theme.SERIES, *theme.SEQUENTIAL, *theme.DIVERGING, theme.TEXT, theme.PAPER)


@pytest.mark.parametrize("colour", PLACEHOLDERS)
def test_browser_still_swaps_the_placeholder(chart_code, colour):
    assert f"`{colour}`" in chart_code


def test_placeholders_mean_what_we_take_them_for():
    names = streamlit_plotly_theme
    assert tuple(getattr(names, f"CATEGORY_{i}") for i in range(5)) == theme.SERIES
    assert tuple(getattr(names, f"SEQUENTIAL_{i}") for i in range(10)) == theme.SEQUENTIAL
    assert tuple(getattr(names, f"DIVERGING_{i}") for i in range(10)) == theme.DIVERGING
    assert (names.GRAY_90, names.BG_COLOR) == (theme.TEXT, theme.PAPER)


def test_browser_swaps_text_so_that_opacity_may_follow(chart_code):
    """`#00000133` becomes `#0072B233` only because the figure is one text in which parts are replaced."""
    start = chart_code.index("`#000001`")
    assert "replaceAll" in chart_code[start : start + 1500]
    assert theme.faint(theme.SERIES[0], 0.2) == theme.SERIES[0] + "33"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_palettes_have_a_colour_for_each_placeholder(mode):
    """A missing colour would be swapped for the word "undefined"; one with opacity could not take another."""
    palette = THEMES[mode]["chartCategoricalColors"]
    assert len(palette) >= len(theme.SERIES)
    assert all(len(colour) == 7 for colour in palette)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", [theme.ACTION, theme.NEUTRAL])
def test_fixed_colours_stand_out_on_both_papers(mode, colour):
    high, low = sorted([luminance(colour), luminance(THEMES[mode]["backgroundColor"])], reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 3


def test_the_sixth_series_differs_from_the_first_by_its_dash():
    first, sixth = theme.series_style(0), theme.series_style(5)
    assert first[0] == sixth[0]
    assert first[1] != sixth[1]
