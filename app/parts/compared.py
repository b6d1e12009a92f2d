"""What drift is compared with: the reference, an earlier window, another version, the other rows."""

from __future__ import annotations

import streamlit as st

from analytics.ask.drift_against import Against
from analytics.errors import AssayError
from app.charts.theme import Figure
from app.parts import feature_words as words
from app.parts.ask import ask
from app.parts.choose import choose
from app.parts.view import View

WORD = "against"
_SEGMENT = "segment"
_SLICE = "against_slice"


def against(view: View) -> str:
    """What the address or the selector says, as the command line takes it; the default where that means nothing."""
    said = st.session_state.get(WORD) or st.query_params.get(WORD)
    options = _options(view)
    if said == _SEGMENT and _SEGMENT in options:
        slices = _slices(view)
        return f"segment={slices[0]}" if slices else options[0]
    return said if said in options else options[0]


def compared_with(view: View) -> str:
    """Draw the selector; gives the same as `against`."""
    options = _options(view)
    chosen = choose(WORD, words.COMPARED, options, shown=lambda text: _shown(view, text))
    if chosen != _SEGMENT and not chosen.startswith("segment="):
        return chosen
    slices = _slices(view)
    if not slices:
        return options[0]
    there = chosen.removeprefix("segment=")
    st.session_state[_SLICE] = there if there in slices else slices[0]
    st.selectbox(words.AGAINST_SLICE, slices, key=_SLICE, on_change=_other_slice, width=260)
    return f"segment={st.session_state[_SLICE]}"


def more(against: str) -> dict[str, str]:
    """The word for `ask`; nothing where the reference is meant, so that answers are shared with other pages."""
    return {} if against == "reference" else {"against": against}


def other_words(text: str, view: View) -> str:
    """The other side inside a sentence."""
    return Against.parse(text, view.project).other


def told(figure: Figure, against: str) -> Figure:
    """A figure of the reference and a window, its words those of what is compared with."""
    if against == "reference":
        return figure
    for trace in figure["data"]:
        if trace.get("name") == "reference":
            trace["name"] = words.OTHER_SIDE
        hover = trace.get("hovertext")
        if isinstance(hover, list):
            trace["hovertext"] = [
                text.replace("<br>reference ", f"<br>{words.OTHER_SIDE} ") for text in hover
            ]
    return figure


def _options(view: View) -> list[str]:
    catalog = view.bench.catalog
    known = ["reference"] if "reference" in catalog.sources else []
    known.append("previous")
    start, end = view.scope.start, view.scope.end
    if start is not None and end is not None and view.grain in {"5min", "15min", "hour", "day", "week"}:
        known.append("last-week")
    known += [f"version={name}" for name in catalog.versions if name is not None and name != view.version]
    if view.predictions.segments:
        known.append(_SEGMENT)
    said = st.session_state.get(WORD) or st.query_params.get(WORD)
    if isinstance(said, str) and said.startswith("segment=") and _means(view, said):
        known.append(said)
    return known


def _means(view: View, text: str) -> bool:
    try:
        name = Against.parse(text, view.project).name
    except AssayError:
        return False
    return not any(one.name == name for one in view.scope.filters)


def _shown(view: View, text: str) -> str:
    if text == _SEGMENT:
        return words.AGAINST[_SEGMENT]
    return other_words(text, view)


def _slices(view: View) -> list[str]:
    """The slices with most rows, whose segment is not filtered already."""
    taken = {one.name for one in view.scope.filters}
    try:
        found = ask(view, "segments", view.of_version(view.version))
    except AssayError:
        return []
    rows = [row for row in found if row.segment not in taken]
    return [row.where for row in sorted(rows, key=lambda row: -row.n)]


def _other_slice() -> None:
    st.session_state[WORD] = f"segment={st.session_state[_SLICE]}"
