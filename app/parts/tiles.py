"""At most four numbers at the top of a page, each with its interval, n and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from analytics.results import Status
from app.formats import MINUS
from app.parts import status as statuses

MOST_TILES = 4
LONG = 8
"""A value of so many letters is cut off where two tiles stand side by side on a phone; there it gets a line."""


@dataclass(frozen=True)
class Tile:
    """One number.

    Attributes:
        label: what it is.
        value: as people read it.
        detail: interval and n.
        delta: the difference to what it is compared with, with its sign; None without.
        compared: what with.
        good: whether the difference is good news; None where neither, or where it may be chance.
        status: of the result.
        reason: why there is no value.
        help: one sentence on the number.
    """

    label: str
    value: str
    detail: str = ""
    delta: str | None = None
    compared: str | None = None
    good: bool | None = None
    status: Status = "ok"
    reason: str | None = None
    help: str | None = None


def tiles(items: Sequence[Tile]) -> None:
    """Draw the tiles side by side, under each other on a phone."""
    shown = items[:MOST_TILES]
    width = 200 if any(len(item.value) >= LONG for item in shown) else 150
    with st.grid(len(shown), min_column_width=width, gap="small"):
        for item in shown:
            with st.container(border=True, gap="xxsmall"):
                _tile(item)


def _tile(item: Tile) -> None:
    st.metric(
        item.label,
        item.value,
        item.delta,
        delta_color=_colour(item),
        delta_arrow=_arrow(item),
        help=item.help,
    )
    if item.status not in {"ok", "immature"} and item.reason:
        st.caption(item.reason)
    elif item.detail:
        # beside the delta it would be cut off on a phone; a caption breaks into lines
        st.caption(f"{item.compared}  \n{item.detail}" if item.compared else item.detail)
    statuses.badge(item.status, item.reason)


def _arrow(item: Tile) -> Literal["up", "down", "off"]:
    """By the sign as we write it; Streamlit knows only the hyphen."""
    if item.delta is None or item.delta[0] not in {"+", MINUS}:
        return "off"
    return "down" if item.delta[0] == MINUS else "up"


def _colour(item: Tile) -> Literal["red", "green", "off"]:
    if item.good is None:
        return "off"
    return "green" if item.good else "red"
