"""ROC and precision-recall curves with the logged decisions on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.quality.rows import RocRow
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    SQUARE,
    Figure,
    Trace,
    clickable,
    diagonal,
    empty,
    guide,
    layout,
    named,
    plain,
    series_style,
    share_axis,
)
from app.formats import count, number, percent, plural


def roc_curve(
    rows: Sequence[RocRow], *, required_recall: float | None = None, allowed_false_alarms: float | None = None
) -> Figure:
    """ROC curve a version, with the diagonal, the logged decisions as a diamond, and rates asked for.

    Returns:
        A figure whose points carry ``[threshold, version, class]``.
    """
    if not _drawable(rows):
        return empty("A ROC curve needs labelled rows of both classes.", SQUARE)
    data: list[Trace] = [diagonal()]
    for name, part, index in _curves(rows):
        data += _curve(part, name, index, "false_positive_rate", "true_positive_rate", [0.0, 0.0])
    if required_recall is not None:
        data.append(guide([0, 1], [required_recall] * 2, line={"color": NEUTRAL, "width": 1, "dash": "dash"}))
    if allowed_false_alarms is not None:
        data.append(
            guide([allowed_false_alarms] * 2, [0, 1], line={"color": NEUTRAL, "width": 1, "dash": "dash"})
        )
    more: dict[str, Any] = {
        "xaxis": share_axis("false alarms among negatives"),
        "yaxis": share_axis("caught among positives"),
    }
    return {"data": data, "layout": layout(SQUARE, revision="roc", legend=_many(rows), **more)}


def roc_alt(rows: Sequence[RocRow]) -> str:
    """One sentence: where the logged decisions stand."""
    return _operating_sentence(rows, "ROC curve")


def precision_recall_curve(rows: Sequence[RocRow]) -> Figure:
    """Precision against recall a version, with the share of positives as the line of chance.

    Returns:
        A figure whose points carry ``[threshold, version, class]``.
    """
    if not _drawable(rows):
        return empty("A precision-recall curve needs labelled rows of both classes.", SQUARE)
    data: list[Trace] = []
    for name, part, index in _curves(rows):
        base = _base_rate(part)
        data.append(guide([0, 1], [base, base]))
        data += _curve(part, name, index, "true_positive_rate", "precision", None)
    more: dict[str, Any] = {
        "xaxis": share_axis("caught among positives (recall)"),
        "yaxis": share_axis("right among alarms (precision)"),
    }
    return {"data": data, "layout": layout(SQUARE, revision="precision-recall", legend=_many(rows), **more)}


def precision_recall_alt(rows: Sequence[RocRow]) -> str:
    """One sentence: where the logged decisions stand, and the share of positives."""
    if not _drawable(rows):
        return _operating_sentence(rows, "Precision-recall curve")
    base = percent(_base_rate(rows))
    return f"{_operating_sentence(rows, 'Precision-recall curve')} Share of positives: {base}."


def _drawable(rows: Sequence[RocRow]) -> bool:
    return any(row.true_positive_rate is not None and row.false_positive_rate is not None for row in rows)


def _curves(rows: Sequence[RocRow]) -> list[tuple[str, list[RocRow], int]]:
    keys = list(dict.fromkeys((row.version, row.class_) for row in rows))
    several = len({key[1] for key in keys}) > 1
    return [
        (
            named(key[0]) if not several else f"class {plain(key[1])}",
            [row for row in rows if (row.version, row.class_) == key],
            index,
        )
        for index, key in enumerate(keys)
    ]


def _many(rows: Sequence[RocRow]) -> bool:
    return len({(row.version, row.class_) for row in rows}) > 1


def _base_rate(rows: Sequence[RocRow]) -> float:
    row = next(row for row in rows if row.true_positive_rate is not None)
    positives = row.true_positives + row.false_negatives
    return positives / (positives + row.false_positives + row.true_negatives)


def _curve(
    part: list[RocRow], name: str, index: int, x: str, y: str, start: list[float] | None
) -> list[Trace]:
    colour, dash = series_style(index)
    known = [row for row in part if getattr(row, x) is not None and getattr(row, y) is not None]
    line = sorted((row for row in known if not row.operating_point), key=lambda row: -(row.threshold or 0.0))
    line = _turns(line, x, y)
    points = [row for row in known if row.operating_point]
    before = [start] if start and line else []
    curve = clickable(
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "legendgroup": name,
            "x": [*(place[0] for place in before), *(getattr(row, x) for row in line)],
            "y": [*(place[1] for place in before), *(getattr(row, y) for row in line)],
            "line": {"color": colour, "width": 2, "dash": dash},
            "hovertext": ["" for _ in before] + [_threshold_hover(row, name) for row in line],
            "customdata": [[None, part[0].version, part[0].class_] for _ in before]
            + [[row.threshold, row.version, row.class_] for row in line],
        }
    )
    mark = clickable(
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{name}: logged decisions",
            "legendgroup": name,
            "showlegend": False,
            "x": [getattr(row, x) for row in points],
            "y": [getattr(row, y) for row in points],
            "marker": {
                "symbol": "diamond",
                "size": 12,
                "color": colour,
                "line": {"color": PAPER, "width": 2},
            },
            "hovertext": [f"<b>logged decisions</b><br>{_threshold_hover(row, name)}" for row in points],
            "customdata": [[None, row.version, row.class_] for row in points],
        }
    )
    return [curve, mark] if points else [curve]


def _turns(line: list[RocRow], x: str, y: str) -> list[RocRow]:
    """The thresholds at which the curve moves; in the tails most of them change nothing."""
    places = [(getattr(row, x), getattr(row, y)) for row in line]
    return [row for index, row in enumerate(line) if index == 0 or places[index] != places[index - 1]]


def _threshold_hover(row: RocRow, name: str) -> str:
    at = f"threshold {number(row.threshold)}<br>" if row.threshold is not None else ""
    return (
        f"{name}<br>{at}catches {percent(row.true_positive_rate)} of the positives<br>"
        f"false alarms for {percent(row.false_positive_rate)} of the negatives<br>"
        f"{percent(row.precision)} of the alarms right<br>n = {count(row.n)} at or above"
    )


def _operating_sentence(rows: Sequence[RocRow], what: str) -> str:
    points = [row for row in rows if row.operating_point and row.true_positive_rate is not None]
    if not _drawable(rows):
        return f"{what}: not defined, both classes are needed."
    if not points:
        return f"{what} of {plural(len({(row.version, row.class_) for row in rows}), 'series', 'series')}."
    parts = [
        f"{named(row.version)} catches {percent(row.true_positive_rate)} of the positives with false "
        f"alarms for {percent(row.false_positive_rate)} of the negatives, "
        f"{percent(row.precision)} of its alarms right"
        for row in points
    ]
    return f"{what} with the logged decisions: {'; '.join(parts)}."
