"""Pieces of the Segments page: tiles, the table of slices, and where clicks lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from analytics.segments.rows import SegmentRow
from analytics.workbench import Workbench
from app.charts.segments import by_impact, verdict
from app.charts.tables import segment_table
from app.formats import STATUS_WORDS, count, interval, percent, plural, points, signed
from app.glossary import show, unit
from app.parts import links, page_words, trail
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile
from app.parts.view import View

SIGNS = {
    "worse": "▼ worse",
    "better": "▲ better",
    "different": "◆ different",
    "no difference": "● no difference",
}
_KEY = "slices"


def tiles_of(rows: Sequence[SegmentRow]) -> list[Tile]:
    """How many slices are worse, which costs most, and how many could be compared."""
    compared = [row for row in rows if row.p_adjusted is not None]
    worse = [row for row in by_impact(compared) if row.worse]
    small = len(rows) - len(compared)
    shown = [
        Tile(
            page_words.WORSE_SLICES,
            count(len(worse)),
            f"of {count(len(compared))} compared, after correction",
        ),
    ]
    if worse:
        first = worse[0]
        share = unit(first.metric) == "share"
        limits = interval(first.ci_low, first.ci_high, share=share)
        difference = points(first.difference) if share else signed(first.difference)
        detail = f"{limits}, n = {count(first.n_labelled)}"
        elsewhere = f"all other rows {show(first.metric, first.value_elsewhere)}"
        shown += [
            Tile(
                page_words.COSTLIEST.format(where=literal(first.where.replace("=", " = ", 1))),
                show(first.metric, first.value),
                detail,
                difference,
                elsewhere,
                good=False,
            ),
            Tile(
                page_words.ITS_SHARE,
                percent(first.share),
                f"{plural(first.n, 'row')}, {count(first.n_labelled)} labelled",
            ),
        ]
    detail = page_words.TOO_SMALL.format(n=count(small)) if small else "every value of every segment"
    shown.append(Tile(page_words.COMPARED, count(len(compared)), f"of {count(len(rows))}; {detail}"))
    return shown


def slices(view: View, rows: Sequence[SegmentRow]) -> None:
    """The table of slices; two buttons a row."""
    ordered = [*by_impact(rows), *(row for row in rows if row.value is None)]
    frame = slice_frame(ordered, view)

    def clicked(examples: str, scope: str) -> None:
        for key, way in ((examples, open_examples), (scope, only_slice)):
            event = st.session_state.get(key)
            if event is not None:
                way(ordered[int(event["row"])].where, ordered[int(event["row"])].version)

    names = f"{_KEY}_examples", f"{_KEY}_scope"
    buttons: dict[str, Any] = {
        name: st.column_config.ButtonColumn(name, on_click=clicked, args=names, key=key)
        for name, key in zip((page_words.OPEN, page_words.NARROW), names, strict=True)
    }
    pinned: dict[str, Any] = {"Slice": st.column_config.TextColumn(pinned=True)}
    table(frame, "Every slice against the rest, the most costly first", key=_KEY, columns=buttons | pinned)


def slice_frame(rows: Sequence[SegmentRow], view: View) -> pd.DataFrame:
    """Slices with names people read: the verdict by word and shape, then the buttons, then all numbers."""
    frame = segment_table(rows, zone=view.zone).drop(columns=["Version", "Metric"], errors="ignore")
    words = [SIGNS.get(verdict(row), STATUS_WORDS[row.status]) for row in rows]
    frame["Against the rest"] = words
    frame.insert(2, page_words.OPEN, [page_words.EXAMPLES_BUTTON] * len(rows))
    frame.insert(3, page_words.NARROW, [page_words.SCOPE_BUTTON] * len(rows))
    return frame


def open_examples(where: str, version: str | None) -> None:
    """The worst rows of a slice; a callback."""
    trail.leave("segments", "examples", where=[where], kind="worst", **_of(version))


def only_slice(where: str, version: str | None) -> None:
    """Make the slice the scope of every page; a callback."""
    there = list(st.session_state.get("where") or [])
    links.set_words(where=list(dict.fromkeys([*there, where])), **_of(version))


def candidates(bench: Workbench) -> list[str]:
    """Columns that could be segments, for the empty state: those with few values first."""
    features = sorted(bench.catalog.features, key=lambda feature: feature.kind == "numeric")
    return [feature.name for feature in features[:3]]


def _of(version: str | None) -> dict[str, list[str]]:
    return {} if version is None else {"version": [version]}
