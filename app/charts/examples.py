"""One unit's history, the map of errors, and pass rates of regression sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.examples.card_rows import NeighbourRow, PinnedExampleRow, RegressionRow, UnusualRow
from analytics.examples.points import ClusterRow, PointRow
from analytics.examples.rows import ExampleRow
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    SCALE,
    SERIES,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    instant,
    layout,
    named,
    plain,
    series_style,
    share_axis,
    time_axis,
)
from app.formats import interval, local, number, percent

MAP_HEIGHT = 460
_MOST_NAMED = 60


def history(rows: Sequence[ExampleRow], here: int, *, zone: ZoneInfo) -> Figure:
    """The scores of one unit over time: right, wrong, not known yet; a ring around the row that is open.

    Args:
        rows: the oldest first.
        here: the place of the open row.
        zone: of the axis.
    """
    known = [row for row in rows if row.score is not None]
    if not known:
        return empty("No score of this unit may be shown.", 200)
    groups = {
        "decided right": ("circle", SERIES[0], [row for row in known if _right(row) is True]),
        "decided wrong": ("x", SERIES[1], [row for row in known if _right(row) is False]),
        "predicted": ("circle-open", NEUTRAL, [row for row in known if _right(row) is None]),
    }
    data: list[Trace] = [
        clickable(
            {
                "type": "scatter", "mode": "markers", "name": name,
                "x": [instant(row.timestamp, zone) for row in mine], "y": [row.score for row in mine],
                "marker": {"symbol": symbol, "color": colour, "size": 9},
                "hovertext": [_hover(row, zone) for row in mine],
            }
        )
        for name, (symbol, colour, mine) in groups.items()
        if mine
    ]  # fmt: skip
    own = rows[here]
    if own.score is not None:
        ring = {"symbol": "circle-open", "size": 19, "color": TEXT, "line": {"width": 2}}
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": "this row", "x": [instant(own.timestamp, zone)],
                "y": [own.score], "marker": ring, "hoverinfo": "skip",
            }
        )  # fmt: skip
    first, last = known[0].timestamp, known[-1].timestamp
    margin = (last - first) / 25
    more: dict[str, Any] = {"xaxis": time_axis(first - margin, last + margin, zone), "yaxis": axis("Score")}
    return {"data": data, "layout": layout(240, legend=True, revision=own.file + str(own.row), **more)}


def history_alt(rows: Sequence[ExampleRow]) -> str:
    """How many rows of the unit were decided wrong."""
    judged = [right for right in map(_right, rows) if right is not None]
    if not judged:
        return f"{len(rows)} predictions of this unit, none of them judged yet."
    return (
        f"{len(rows)} predictions of this unit; {judged.count(False)} of the {len(judged)} judged were wrong."
    )


def _right(row: ExampleRow) -> bool | None:
    return None if row.label is None or row.decision is None else row.label == row.decision


def _hover(row: ExampleRow | PointRow, zone: ZoneInfo) -> str:
    moment = local(row.timestamp, zone)
    lines = [f"<b>{moment:%Y-%m-%d %H:%M}</b>", f"score {number(row.score)}"]
    if row.decision is not None:
        lines.append(f"decided {plain(row.decision)}")
    lines.append("no label" if row.label is None else f"label {plain(row.label)}, loss {number(row.loss)}")
    return "<br>".join(lines)


def error_map(
    points: Sequence[PointRow], clusters: Sequence[ClusterRow], axes: tuple[str, str], *, zone: ZoneInfo
) -> Figure:
    """A mark a row, darker the more it cost; numbers at the middles of clusters; customdata is ``[file, row]``."""
    if not points:
        return empty("There are no rows to draw.", MAP_HEIGHT)
    labelled = sorted((row for row in points if row.loss is not None), key=lambda row: row.loss or 0.0)
    waiting = [row for row in points if row.loss is None]
    data: list[Trace] = []
    if waiting:
        data.append(_marks(waiting, "no label", {"color": NEUTRAL, "size": 5, "opacity": 0.4}, zone))
    if labelled:
        losses = [row.loss or 0.0 for row in labelled]
        # a few far losses would leave one colour to all others
        top = losses[min(int(0.98 * len(losses)), len(losses) - 1)]
        bar = {
            "title": {"text": "Loss", "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
            "tickfont": {"color": TEXT},
        }
        ends = {"cmin": losses[0], "cmax": max(top, losses[0] + 1e-12)}
        marker = {"color": losses, "colorscale": SCALE, "size": 6, "colorbar": bar, **ends}
        data.append(_marks(labelled, "labelled", marker, zone))
    notes = [
        {
            "x": row.x, "y": row.y, "text": f"<b>{row.cluster}</b>", "showarrow": False,
            "font": {"color": TEXT, "size": 15}, "bgcolor": faint(PAPER, 0.8), "borderpad": 3,
        }
        for row in clusters
    ]  # fmt: skip
    titles = [f"{name} {plain(said)}".strip() for name, said in zip(("1:", "2:"), axes, strict=True)]
    bare: dict[str, Any] = {"showticklabels": False, "showgrid": False}
    more: dict[str, Any] = {
        "xaxis": axis(titles[0] if axes[0] else "", **bare), "yaxis": axis(titles[1] if axes[1] else "", **bare),
        "annotations": notes, "dragmode": "select",
    }  # fmt: skip
    return {"data": data, "layout": layout(MAP_HEIGHT, revision=f"map {len(points)}", **more)}


def _marks(rows: Sequence[PointRow], name: str, marker: dict[str, Any], zone: ZoneInfo) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": [row.x for row in rows], "y": [row.y for row in rows],
        "marker": marker, "hovertext": [_hover(row, zone) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "customdata": [[row.file, row.row] for row in rows], "unselected": {"marker": {"opacity": 0.15}},
    }  # fmt: skip


def error_map_alt(points: Sequence[PointRow], clusters: Sequence[ClusterRow]) -> str:
    """How many rows and clusters, and what the largest has in common."""
    text = f"A map of {len(points)} rows"
    if not clusters:
        return f"{text}; their errors form no clusters."
    return f"{text} with {len(clusters)} clusters of costly ones; the largest: {clusters[0].name}."


def pass_rates(rows: Sequence[RegressionRow]) -> Figure:
    """The share of each set that each version passes, with its interval."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return empty("No version has answered a pinned row that can be judged.", 200)
    sets = list(dict.fromkeys(row.set for row in known))[:_MOST_NAMED]
    versions = list(dict.fromkeys(row.version for row in known))
    data: list[Trace] = []
    step = 0.6 / max(len(versions), 1)
    for index, version in enumerate(versions):
        mine = [row for row in known if row.version == version and row.set in sets]
        colour, _ = series_style(index)
        shift = (index - (len(versions) - 1) / 2) * step
        bars = {
            "type": "data", "symmetric": False, "array": [(row.ci_high or 0) - (row.value or 0) for row in mine],
            "arrayminus": [(row.value or 0) - (row.ci_low or 0) for row in mine], "color": colour, "thickness": 1.5,
            "width": 0,
        }  # fmt: skip
        data.append(
            clickable(
                {
                    "type": "scatter", "mode": "markers", "name": named(version), "x": [row.value for row in mine],
                    "y": [sets.index(row.set) + shift for row in mine], "error_x": bars,
                    "marker": {"color": colour, "size": 9},
                    "hovertext": [
                        f"<b>{plain(row.set)}</b><br>{named(row.version)}<br>{row.n_passed} of {row.n} passed, "
                        f"{percent(row.value)} ({interval(row.ci_low, row.ci_high, share=True)})"
                        for row in mine
                    ],
                }
            )
        )  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": share_axis("Passed"),
        "yaxis": axis(
            tickvals=list(range(len(sets))),
            ticktext=[plain(name) for name in sets],
            range=[len(sets) - 0.5, -0.5],
        ),
    }
    return {"data": data, "layout": layout(110 + 70 * len(sets), legend=True, revision="sets", **more)}


def pass_rates_alt(rows: Sequence[RegressionRow]) -> str:
    """The pass rate of each version on each set."""
    said = [
        f"{row.version or 'the model'} passes {row.n_passed} of {row.n} of {row.set}" for row in rows if row.n
    ]
    return f"{'; '.join(said[:8])}." if said else "No pinned row can be judged yet."


def unusual_table(rows: Sequence[UnusualRow]) -> pd.DataFrame:
    """A line a feature, the unusual ones first."""
    return pd.DataFrame(
        {
            "Feature": [row.feature for row in rows],
            "Value": [None if row.value is None else _shown(row.value) for row in rows],
            "Finding": [row.finding if row.unusual else "usual" for row in rows],
            "Share below": [row.quantile for row in rows],
            "Share alike": [row.share for row in rows],
            "Lowest known": [row.low for row in rows],
            "Highest known": [row.high for row in rows],
        }
    )


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def neighbour_table(rows: Sequence[NeighbourRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """A line a neighbour: how far it is, in what it differs, and what became of it."""
    frame = pd.DataFrame(
        {
            "Distance": [row.distance for row in rows],
            "Label": [row.label for row in rows],
            "Decision": [row.decision for row in rows],
            "Score": [row.score for row in rows],
            "Loss": [row.loss for row in rows],
            "Differs in": [row.differs for row in rows],
            "Time": [local(row.timestamp, zone) for row in rows],
            "Id": [row.id for row in rows],
        }
    )
    return frame.drop(columns=[name for name in ("Label", "Decision", "Id") if frame[name].isna().all()])


def version_table(rows: Sequence[ExampleRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """A line a version on the same request."""
    frame = pd.DataFrame(
        {
            "Version": [row.version for row in rows],
            "Decision": [row.decision for row in rows],
            "Score": [row.score for row in rows],
            "Loss": [row.loss for row in rows],
            "Label": [row.label for row in rows],
            "": [row.reason for row in rows],
            "Time": [local(row.timestamp, zone) for row in rows],
        }
    )
    return frame.drop(columns=[name for name in ("Decision", "Label") if frame[name].isna().all()])


def cluster_table(rows: Sequence[ClusterRow]) -> pd.DataFrame:
    """A line a cluster, that with most costly rows first."""
    return pd.DataFrame(
        {
            "Cluster": [row.cluster for row in rows],
            "In common": [row.name for row in rows],
            "Of the cluster": [row.share_inside for row in rows],
            "Of all other rows": [row.share_elsewhere for row in rows],
            "Costly rows": [row.n_costly for row in rows],
            "Labelled rows": [row.n for row in rows],
            "Costly share": [row.value for row in rows],
            "Low": [row.ci_low for row in rows],
            "High": [row.ci_high for row in rows],
            "Mean loss": [row.mean_loss for row in rows],
        }
    )


def pinned_table(rows: Sequence[PinnedExampleRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """A line a pinned row and version."""
    words = {True: "● passed", False: "▼ failed", None: "not known"}
    return pd.DataFrame(
        {
            "Set": [row.set for row in rows],
            "Number": [row.pinned_id for row in rows],
            "Version": [row.version for row in rows],
            "Passed": [words[row.passed] for row in rows],
            "Why": [row.reason for row in rows],
            "Label": [row.label for row in rows],
            "Decision": [row.decision for row in rows],
            "Score": [row.score for row in rows],
            "Id": [row.id for row in rows],
            "Time": [None if row.timestamp is None else local(row.timestamp, zone) for row in rows],
            "Pinned by": [row.pinned_by for row in rows],
            "Note": [row.note for row in rows],
        }
    )


def rate_table(rows: Sequence[RegressionRow]) -> pd.DataFrame:
    """A line a set and version."""
    return pd.DataFrame(
        {
            "Set": [row.set for row in rows],
            "Version": [row.version for row in rows],
            "Pinned": [row.n_pinned for row in rows],
            "Answered": [row.n for row in rows],
            "Passed": [row.n_passed for row in rows],
            "Pass rate": [row.value for row in rows],
            "Low": [row.ci_low for row in rows],
            "High": [row.ci_high for row in rows],
            "Reason": [row.reason for row in rows],
        }
    )
