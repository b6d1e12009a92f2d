"""The status of a result in word and shape."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from analytics.results import Status
from app.parts.plain import literal
from app.text import STATUS_WORDS

_ICONS: dict[Status, str] = {
    "ok": "check",
    "immature": "hourglass_top",
    "too_few": "data_thresholding",
    "no_data": "block",
    "undefined": "do_not_disturb_on",
}
Colour = Literal["gray", "red", "green", "blue"]


def badge(status: Status, reason: str | None = None) -> None:
    """A small badge; none where all is well."""
    if status != "ok":
        st.badge(
            STATUS_WORDS[status],
            icon=f":material/{_ICONS[status]}:",
            color="gray",
            help=reason and literal(reason),
        )


def word(status: Status) -> str:
    """The status as a word for tables."""
    return STATUS_WORDS[status]


def verdict(text: str, *, bad: bool, icon: str | None = None) -> None:
    """A verdict by word and shape: red only for what needs action."""
    icon = icon or (":material/error:" if bad else ":material/check_circle:")
    st.badge(text, icon=icon, color="red" if bad else "gray")
