"""True class against decided class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.quality.rows import ConfusionRow
from app.charts.theme import (
    PAPER,
    SCALE,
    SERIES,
    SQUARE,
    TEXT,
    Figure,
    Trace,
    axis,
    cells,
    clickable,
    empty,
    in_order,
    layout,
    plain,
)
from app.formats import count, interval, percent, plural, short

MOST_CLASSES = 20
ROOMY = 8
"""Up to so many classes, cells have room for counts."""


def confusion_matrix(rows: Sequence[ConfusionRow]) -> Figure:
    """Counts and shares of the true class, of one window and version; beyond 20 classes the confused pairs.

    Returns:
        A figure whose cells carry ``[true_class, decided_class]``.
    """
    rows = list(rows)
    if not rows:
        return empty("A confusion table needs rows with a label and a decision.", SQUARE)
    names = _classes(rows)
    if len(names) > MOST_CLASSES:
        return top_confused_pairs(rows)
    found = {(row.true_class, row.decided_class): row for row in rows}
    table = [[found.get((true, decided)) for decided in names] for true in names]
    shown = [plain(short(name, 14)) for name in names]
    heat: Trace = {
        "type": "heatmap",
        "x": list(range(len(names))),
        "y": list(range(len(names))),
        "z": [[row.share_of_true if row else 0.0 for row in line] for line in table],
        "colorscale": SCALE,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 2,
        "ygap": 2,
    }
    places = [(true, decided) for true in range(len(names)) for decided in range(len(names))]
    marks = cells(
        [decided for _, decided in places],
        [true for true, _ in places],
        [_cell_hover(table[true][decided], names[true], names[decided]) for true, decided in places],
        [[names[true], names[decided]] for true, decided in places],
    )
    words = _words(places, [table[true][decided] for true, decided in places], len(names))
    ticks: dict[str, Any] = {
        "tickvals": list(range(len(names))),
        "ticktext": shown,
        "showgrid": False,
        "fixedrange": True,
    }
    ends = [-0.5, len(names) - 0.5]
    more: dict[str, Any] = {
        "xaxis": axis(_decided(len(names)), range=ends, **ticks),
        "yaxis": axis("true class", range=ends[::-1], **ticks),
        "hoverdistance": -1,
    }
    height = min(640, max(260, 90 + 56 * len(names)))
    return {"data": [heat, words, marks], "layout": layout(height, revision="confusion", **more)}


def confusion_alt(rows: Sequence[ConfusionRow]) -> str:
    """One sentence: how many were decided rightly, and the most frequent error."""
    total = sum(row.n for row in rows)
    if not total:
        return "No row has both a label and a decision."
    right = sum(row.n for row in rows if row.true_class == row.decided_class)
    text = f"Confusion of {plural(total, 'row')}: {percent(right / total)} decided rightly"
    wrong = [row for row in rows if row.true_class != row.decided_class and row.n > 0]
    if not wrong:
        return f"{text}."
    most = max(wrong, key=lambda row: row.n)
    return (
        f"{text}; most frequent error: true {most.true_class} decided {most.decided_class} ({count(most.n)})."
    )


def top_confused_pairs(rows: Sequence[ConfusionRow], most: int = 20) -> Figure:
    """The most frequent wrong decisions as bars.

    Returns:
        A figure whose bars carry ``[true_class, decided_class]``.
    """
    wrong = [row for row in rows if row.true_class != row.decided_class and row.n > 0]
    wrong = sorted(wrong, key=lambda row: -row.n)[:most]
    if not wrong:
        return empty("No decision was wrong.", SQUARE)
    bars = clickable(
        {
            "type": "bar",
            "orientation": "h",
            "x": [row.n for row in wrong],
            "y": list(range(len(wrong))),
            "marker": {"color": SERIES[0]},
            "text": [percent(row.share_of_true) for row in wrong],
            "textposition": "outside",
            "cliponaxis": False,
            "textfont": {"color": TEXT},
            "customdata": [[row.true_class, row.decided_class] for row in wrong],
            "hovertext": [_cell_hover(row, row.true_class, row.decided_class) for row in wrong],
        }
    )
    names = [f"{plain(short(row.true_class, 12))} → {plain(short(row.decided_class, 12))}" for row in wrong]
    y_axis = axis(tickvals=list(range(len(wrong))), ticktext=names, range=[len(wrong) - 0.5, -0.5])
    more: dict[str, Any] = {
        "xaxis": axis("rows (and share of the true class)", range=[0, wrong[0].n * 1.12]),
        "yaxis": y_axis,
        "bargap": 0.2,
    }
    return {"data": [bars], "layout": layout(70 + 24 * len(wrong), revision="pairs", **more)}


def _classes(rows: Sequence[ConfusionRow]) -> list[str]:
    ordered = in_order([row.true_class for row in rows], ())
    return [str(name) for name in in_order([row.decided_class for row in rows], ordered)]


def _words(places: list[tuple[int, int]], rows: list[ConfusionRow | None], classes: int) -> Trace:
    """Text on the cells. Pale cells are near the paper's colour and dark ones far from it, in both themes."""
    shares = [row.share_of_true or 0.0 if row else 0.0 for row in rows]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [decided for _, decided in places],
        "y": [true for true, _ in places],
        "text": [_cell_text(row, classes) for row in rows],
        "textfont": {
            "color": [PAPER if share >= 0.6 else TEXT for share in shares],
            "size": 13 if classes <= 4 else 11 if classes <= ROOMY else 10,
        },
        # with a colour for selected text, Plotly leaves all other text as it is
        "selected": {"textfont": {"color": TEXT}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _decided(classes: int) -> str:
    return "decided class" if classes <= ROOMY else "decided class (cells: % of the true class)"


def _cell_text(row: ConfusionRow | None, classes: int) -> str:
    share = None if row is None or row.n == 0 else row.share_of_true
    if classes <= ROOMY:
        return "0" if row is None or share is None else f"<b>{count(row.n)}</b><br>{percent(share)}"
    # small cells hold two digits; what rounds to nothing stays empty so that the rest stands out
    return "" if share is None or share < 0.005 else f"{share * 100:.0f}"


def _cell_hover(row: ConfusionRow | None, true: str, decided: str) -> str:
    head = f"true {plain(true)}, decided {plain(decided)}"
    if row is None:
        return f"{head}<br>n = 0"
    limits = interval(row.ci_low, row.ci_high, share=True)
    return f"{head}<br>n = {count(row.n)}<br>{percent(row.share_of_true)} of the true class ({limits})"
