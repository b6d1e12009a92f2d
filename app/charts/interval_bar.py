"""Intervals as small pictures without a browser: for cells of tables and for files that stand alone."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from xml.etree import ElementTree as ET

from analytics.experiments.rows import Badge, ExperimentRow
from app.charts.experiment_words import has_lift, known

WIDTH, HEIGHT = 120, 28
_EDGE = 9
"""Room at either end, for arrows."""
_WILD = 4.0
"""An interval that reaches further than this many times the usual one runs out of the picture."""
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Ink:
    """The colours of a picture: names that a style sheet or a theme gives."""

    text: str = "currentColor"
    line: str = "currentColor"
    zero: str = "#808495"
    action: str = "#E5484D"


@dataclass(frozen=True)
class Axis:
    """The stretch of effects that all bars of a table share; 0 is always in it."""

    low: float
    high: float

    def place(self, value: float, width: int = WIDTH) -> float:
        """Pixels from the left; what lies beyond is put at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(_EDGE + min(max(share, 0.0), 1.0) * (width - 2 * _EDGE), 1)


def lift_axis(rows: Iterable[ExperimentRow]) -> Axis | None:
    """The axis of the lifts of a table; None where no row has one.

    One interval that is far wider than the usual does not flatten the others: it runs out of the picture.
    """
    ends = [
        (row.lift_ci_adjusted_low or 0.0, row.lift_ci_adjusted_high or 0.0) for row in rows if has_lift(row)
    ]
    return _axis(ends)


def lift_bar(
    row: ExperimentRow, axis: Axis | None, ink: Ink | None = None, *, width: int = WIDTH
) -> ET.Element | None:
    """The corrected interval of a lift around 0, its estimate in the shape of the badge; None without a lift."""
    if axis is None or not has_lift(row):
        return None
    return interval_bar(
        (known(row.lift) or 0.0, known(row.lift_ci_adjusted_low) or 0.0, known(row.lift_ci_adjusted_high) or 0.0),
        axis, row.badge, ink or Ink(), width=width,
    )  # fmt: skip


def interval_bar(
    numbers: tuple[float, float, float], axis: Axis, badge: Badge | None, ink: Ink, *, width: int = WIDTH
) -> ET.Element:
    """An interval as an SVG element.

    Args:
        numbers: estimate, low and high.
        axis: shared with the bars around it.
        badge: gives the shape: ▲ better, ▼ worse, ■ safe, ✕ harmed, □ not shown safe, ● otherwise; red where it
            needs action.
        ink: colours.
        width: of the picture in pixels.
    """
    value, low, high = numbers
    colour = ink.action if badge in {"worse", "harmed"} else ink.text
    middle = HEIGHT / 2
    svg = ET.Element("svg", {"width": str(width), "height": str(HEIGHT), "viewBox": f"0 0 {width} {HEIGHT}"})
    zero = str(axis.place(0.0, width))
    _line(svg, (zero, "3", zero, str(HEIGHT - 3)), ink.zero, "1")
    left, right = axis.place(low, width), axis.place(high, width)
    _line(svg, (str(left), str(middle), str(right), str(middle)), colour, "2")
    for end, place, beyond in ((low, left, low < axis.low), (high, right, high > axis.high)):
        if beyond:
            _arrow(svg, place, -1 if end == low else 1, colour)
        else:
            _line(svg, (str(place), str(middle - 4), str(place), str(middle + 4)), colour, "2")
    if axis.low <= value <= axis.high:
        _shape(svg, axis.place(value, width), badge, colour)
    return svg


def data_url(svg: ET.Element | None) -> str | None:
    """A picture as a text that a table cell shows; nothing is fetched."""
    if svg is None:
        return None
    alone = ET.Element("svg", {"xmlns": _SVG, **svg.attrib})
    alone.extend(svg)
    return "data:image/svg+xml;base64," + base64.b64encode(ET.tostring(alone)).decode("ascii")


def _axis(ends: Sequence[tuple[float, float]]) -> Axis | None:
    if not ends:
        return None
    reach = _WILD * median(max(abs(low), abs(high)) for low, high in ends) or 1.0
    low = max(min(0.0, *(low for low, _ in ends)), -reach)
    high = min(max(0.0, *(high for _, high in ends)), reach)
    room = 0.04 * (high - low) or 1.0
    return Axis(low - room, high + room)


def _line(svg: ET.Element, ends: tuple[str, str, str, str], colour: str, width: str) -> None:
    x1, y1, x2, y2 = ends
    ET.SubElement(
        svg, "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": colour, "stroke-width": width}
    )


def _arrow(svg: ET.Element, place: float, way: int, colour: str) -> None:
    """The interval runs on."""
    middle = HEIGHT / 2
    points = f"{place + 6 * way},{middle} {place - way},{middle - 5} {place - way},{middle + 5}"
    ET.SubElement(svg, "polygon", {"points": points, "fill": colour})


def _shape(svg: ET.Element, x: float, badge: Badge | None, colour: str) -> None:
    y = HEIGHT / 2
    if badge in {"better", "worse"}:
        way = -1 if badge == "better" else 1
        points = f"{x},{y + 7 * way} {x - 6.5},{y - 5 * way} {x + 6.5},{y - 5 * way}"
        ET.SubElement(svg, "polygon", {"points": points, "fill": colour})
    elif badge in {"too small to matter", "no difference that matters"}:
        points = f"{x},{y - 6} {x + 6},{y} {x},{y + 6} {x - 6},{y}"
        hollow = {"fill": "none", "stroke": colour, "stroke-width": "2"}
        look = hollow if badge == "too small to matter" else {"fill": colour}
        ET.SubElement(svg, "polygon", {"points": points, **look})
    elif badge == "no improvement shown":
        points = f"{x},{y + 6} {x - 6},{y - 5} {x + 6},{y - 5}"
        hollow = {"fill": "none", "stroke": colour, "stroke-width": "2"}
        ET.SubElement(svg, "polygon", {"points": points, **hollow})
    elif badge == "harmed":
        for way in (-1, 1):
            _line(svg, (str(x - 5), str(y - 5 * way), str(x + 5), str(y + 5 * way)), colour, "3")
    elif badge in {"safe", "not shown safe"}:
        inside = (
            {"fill": colour} if badge == "safe" else {"fill": "none", "stroke": colour, "stroke-width": "2"}
        )
        ET.SubElement(
            svg, "rect", {"x": str(x - 5), "y": str(y - 5), "width": "10", "height": "10", **inside}
        )
    else:
        ET.SubElement(svg, "circle", {"cx": str(x), "cy": str(y), "r": "4.5", "fill": colour})
