"""Pieces of the Drift page: what is on screen, which feature and window are looked at, and where clicks lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st

from analytics.drift.rows import DriftRow
from analytics.errors import AssayError
from analytics.scope import Scope, format_instant
from app.charts.drift import most_drifted
from app.charts.histogram import SPECIAL
from app.formats import count, percent, plural
from app.parts import page_words, trail
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.tiles import Tile
from app.parts.view import View

OUTPUTS = ("score", "decision", "label")


def of_version(rows: Sequence[DriftRow], version: str | None) -> list[DriftRow]:
    """The rows of one version."""
    return [row for row in rows if row.version == version]


def tiles_of(whole: Sequence[DriftRow], cells: Sequence[DriftRow], grain: str) -> list[Tile]:
    """What moved over the whole window, and in how many of its parts."""
    features = [row for row in whole if row.role == "feature"]
    judged = [row for row in features if row.drifted is not None]
    drifted = [row for row in judged if row.drifted]
    shown = [Tile(page_words.DRIFTED, f"{len(drifted)} of {len(judged)}", _unjudged(features, judged))]
    moved = sorted(
        (row for row in judged if row.total_variation is not None),
        key=lambda row: (bool(row.drifted), row.total_variation or 0.0),
    )
    if moved:
        most = moved[-1]
        detail = f"{percent(most.total_variation)} of its rows; by chance {percent(most.total_variation_by_chance)}"
        shown.append(Tile(page_words.MOST_MOVED, literal(most.feature), detail))
    shown.append(Tile(page_words.OUTPUTS, _outputs(whole), _outputs_detail(whole)))
    windows = {row.window_start for row in cells if row.drifted is not None}
    if len(windows) > 1:
        hit = {row.window_start for row in cells if row.drifted}
        name = page_words.WINDOWS.format(grain=grain.capitalize())
        shown.append(
            Tile(name, f"{len(hit)} of {len(windows)}", "in which at least one feature or output drifted")
        )
    return shown


def _unjudged(features: Sequence[DriftRow], judged: Sequence[DriftRow]) -> str:
    rest = len(features) - len(judged)
    return (
        f"{plural(rest, 'feature')} cannot be judged"
        if rest
        else "over the whole window, beyond noise and tolerance"
    )


def _outputs(whole: Sequence[DriftRow]) -> str:
    rows = [row for row in whole if row.role in OUTPUTS and row.drifted is not None]
    hit = sum(bool(row.drifted) for row in rows)
    return f"{hit} of {len(rows)}" if rows else "–"


def _outputs_detail(whole: Sequence[DriftRow]) -> str:
    rows = [row for row in whole if row.role in OUTPUTS]
    known = [
        f"{literal(row.feature)} {percent(row.total_variation)}"
        for row in rows
        if row.total_variation is not None
    ]
    unknown = [literal(row.feature) for row in rows if row.total_variation is None]
    said = [f"moved: {', '.join(known)}"] if known else []
    return "; ".join([*said, *([f"cannot be said: {', '.join(unknown)}"] if unknown else [])])


def false_alarms(cells: Sequence[DriftRow], grain: str) -> str:
    """How many false alarms to expect over everything that is on screen."""
    tested = [row for row in cells if row.n_expected_by_chance is not None]
    marked = sum(bool(row.drifted) for row in tested)
    chance = sum(row.n_expected_by_chance or 0.0 for row in tested)
    return page_words.FALSE_ALARMS.format(
        window="window" if grain == "all" else grain, expected=f"{0.05 * marked:.1f}", marked=count(marked),
        chance=f"{chance:.1f}", cells=plural(len(tested), "cell"),
    )  # fmt: skip


def choose_cell(
    view: View, whole: Sequence[DriftRow], cells: Sequence[DriftRow]
) -> tuple[str, tuple[datetime, datetime]]:
    """The feature and the window looked at, from the bound selectors."""
    names = most_drifted(whole)
    first = whole[0].window_start, whole[0].window_end
    windows = {page_words.ALL: first} | {
        format_instant(start, view.zone): (start, end)
        for start, end in sorted({(row.window_start, row.window_end) for row in cells})
        if (start, end) != first
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        feature = choose("feature", page_words.FEATURE, names)
        at = choose("at", page_words.AT, list(windows))
    return feature, windows[at]


def open_cell(view: View, point: list[Any]) -> None:
    """Show the distribution of a clicked feature and window; a callback."""
    st.session_state["feature"] = point[0]
    st.session_state["at"] = format_instant(datetime.fromisoformat(point[1]), view.zone)


def scope_of(view: View, version: str | None, window: tuple[datetime, datetime]) -> Scope:
    """One window of one version."""
    return replace(view.of_version(version), start=window[0], end=window[1])


def bin_filter(row: DriftRow, point: list[Any]) -> str | None:
    """A clicked bin as a filter; None for bins that no filter can name."""
    name, low, high = point
    field = row.role if row.role in {"decision", "label"} else row.feature
    if name == "(missing)" and row.role != "score":
        return f"{field}="
    if (
        name in SPECIAL
        or (low is None and high is None and row.kind == "numeric")
        or field.startswith("score:")
    ):
        return None
    if low is None and high is None:
        return None if name.startswith("(") and name.endswith(" other values)") else f"{field}={name}"
    opening = "(-inf" if low is None else f"[{low!r}"
    closing = "inf)" if high is None else f"{high!r}]" if low == high else f"{high!r})"
    return f"{field}={opening}, {closing}"


def open_bin(view: View, row: DriftRow, window: tuple[datetime, datetime], point: list[Any]) -> None:
    """Open random rows of a clicked bin; a callback."""
    text = bin_filter(row, point)
    if text is None:
        return
    try:
        view.bench.scope(where=[text])
    except AssayError:
        return  # a feature that no filter knows, such as one score of several
    words = {
        "range": "custom",
        "start": format_instant(window[0], view.zone),
        "end": format_instant(window[1], view.zone),
    }
    version = {"version": [row.version]} if row.version is not None else {}
    trail.leave("drift", "examples", where=[text], kind="random", **words, **version)
