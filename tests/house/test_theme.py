"""Both themes can be read: WCAG contrast of text, captions and chart colours."""

from __future__ import annotations

import tomllib

import pytest

from app import locations

CAPTION_OPACITY = 0.6
"""Streamlit draws captions at this opacity of the text colour."""

THEMES = tomllib.loads(locations.streamlit_config().read_text(encoding="utf-8"))["theme"]


def channels(colour):
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def luminance(rgb):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white():
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_captions_can_be_read(mode):
    theme = THEMES[mode]
    text = channels(theme["textColor"])
    for surface in ("backgroundColor", "secondaryBackgroundColor"):
        below = channels(theme[surface])
        caption = [
            CAPTION_OPACITY * ink + (1 - CAPTION_OPACITY) * paper
            for ink, paper in zip(text, below, strict=True)
        ]
        assert contrast(caption, below) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_chart_colours_stand_out(mode):
    theme = THEMES[mode]
    paper = channels(theme["backgroundColor"])
    assert min(contrast(channels(colour), paper) for colour in theme["chartCategoricalColors"]) >= 3
    assert contrast(channels(theme["primaryColor"]), paper) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_scales_are_whole_and_ordered(mode):
    """Streamlit ignores a scale that has not exactly ten colours."""
    theme = THEMES[mode]
    paper = luminance(channels(theme["backgroundColor"]))
    away = [abs(luminance(channels(colour)) - paper) for colour in theme["chartSequentialColors"]]
    assert len(away) == 10
    assert away == sorted(away)  # more is further from the paper, light or dark
    diverging = [abs(luminance(channels(colour)) - paper) for colour in theme["chartDivergingColors"]]
    assert len(diverging) == 10
    assert diverging[:5] == sorted(diverging[:5], reverse=True)
    assert diverging[5:] == sorted(diverging[5:])
