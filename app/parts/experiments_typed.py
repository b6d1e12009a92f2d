"""Numbers typed by hand: the form, all of it in the address, and the scorecard they give."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.errors import AssayError
from analytics.experiments.rows import Direction, Scorecard, TypedArm
from analytics.experiments.typed import compare_counts, compare_means
from analytics.project import LEAST_ALPHA
from app.parts import experiments_words as words
from app.parts import links
from app.parts.choose import choose
from app.parts.experiments_read import (
    MOST_LETTERS,
    TypedTextError,
    read_counts,
    read_means,
    read_number,
    read_shares,
)
from app.parts.headline import headline

EXAMPLES = {"counts": words.COUNTS_EXAMPLE, "means": words.MEANS_EXAMPLE}
_LABELS = {"counts": words.COUNTS, "means": words.MEANS}
_READERS = {"counts": read_counts, "means": read_means}
ALPHA = "0.05"
NARROW = 160
_Numbers = tuple[float, dict[str, float] | None]
"""Alpha and planned shares."""


def typed_scorecard(source: str, first_line: DeltaGenerator, zone: ZoneInfo) -> Scorecard | None:
    """Draw the form and compare what stands in it; None where it cannot be, and the first line says why.

    Args:
        source: counts or means.
        first_line: where the page says what is the case.
        zone: of the project.
    """
    arms: tuple[TypedArm, ...] = ()
    problem: AssayError | None = None
    with st.container(border=True), st.grid(2, min_column_width=300):
        with st.container():
            text = _text(source)
        try:
            arms = _READERS[source](text)
        except TypedTextError as error:
            problem = error
        with st.container():
            control, direction, alpha, split = _options([arm.name for arm in arms])
    with first_line:
        if problem is None and not arms:
            _nothing_typed()
            return None
        try:
            if problem is not None:
                raise problem
            return _compare(source, arms, control, direction, (_alpha(alpha), _shares(split, arms)), zone)
        except AssayError as error:
            headline(words.CANNOT_COMPARE.format(problem=str(error).rstrip(".")))
            return None


def _text(source: str) -> str:
    # a widget that is not drawn forgets; what was typed is there again after a look at the other source
    if (
        source not in st.session_state
        and source not in st.query_params
        and f"kept_{source}" in st.session_state
    ):
        st.session_state[source] = st.session_state[f"kept_{source}"]
    text = st.text_area(
        _LABELS[source], key=source, bind="query-params", height=120, max_chars=MOST_LETTERS,
        placeholder=EXAMPLES[source],
    )  # fmt: skip
    st.session_state[f"kept_{source}"] = text or ""
    with st.container(horizontal=True):
        # leaving the text is what sends it; the button is where the pointer goes then
        st.button(words.COMPARE, key="compare", type="primary")
        if not text:
            example = {source: EXAMPLES[source]}
            st.button(words.EXAMPLE_BUTTON, key="example", on_click=links.set_words, kwargs=example)
    return text or ""


def _options(names: list[str]) -> tuple[str, str, str, str]:
    """Control, direction, alpha and planned split, as chosen; the control is kept while the arms cannot be read."""
    kept = st.session_state.get("control") or st.query_params.get("control") or "A"
    named = next((name for name in names if name.casefold() == "control"), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control = choose("control", words.CONTROL, names or [kept], first=named, width=NARROW)
        direction = choose(
            "direction",
            words.BETTER_IS,
            list(words.DIRECTIONS),
            shown=words.DIRECTIONS.__getitem__,
            width=NARROW,
        )
        alpha = st.text_input(
            words.ALPHA, ALPHA, key="alpha", bind="query-params", help=words.ALPHA_HELP, width=NARROW, max_chars=30
        )  # fmt: skip
        split = st.text_input(
            words.SPLIT, key="split", bind="query-params", help=words.SPLIT_HELP, width=NARROW, max_chars=200,
            placeholder=words.SPLIT_EMPTY,
        )  # fmt: skip
    return control, direction, alpha or ALPHA, split or ""


def _compare(
    source: str, arms: tuple[TypedArm, ...], control: str, direction: str, numbers: _Numbers, zone: ZoneInfo
) -> Scorecard:
    compare = compare_counts if source == "counts" else compare_means
    alpha, shares = numbers
    better: Direction = "down" if direction == "down" else "up"
    return compare(arms, control=control, alpha=alpha, direction=better, shares=shares, zone=zone)


def _alpha(text: str) -> float:
    alpha = read_number(text, "alpha", share=True)
    if alpha is None or not LEAST_ALPHA <= alpha < 1:
        raise TypedTextError("alpha must lie between 0 and 1, such as 5% or 0.05")
    return alpha


def _shares(text: str, arms: tuple[TypedArm, ...]) -> dict[str, float] | None:
    shares = read_shares(text)
    if shares is None:
        return None
    if len(shares) != len(arms):
        raise TypedTextError(f"the planned split has {len(shares)} shares for {len(arms)} arms")
    return {arm.name: share for arm, share in zip(arms, shares, strict=True)}


def _nothing_typed() -> None:
    headline(words.NOTHING_TYPED)
    st.caption(words.NOTHING_TYPED_BODY)
