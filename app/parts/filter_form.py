"""The form that adds one filter: a segment's value, a feature's interval, an outcome."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from analytics.errors import AssayError
from analytics.scope import OUTCOMES, Filter
from analytics.workbench import Workbench
from app.parts import words
from app.parts.ask import ask_bench

_KEYS = ("filter_name", "filter_value", "filter_low", "filter_high")


def draw(bench: Workbench) -> None:
    """Draw the form; nothing is asked of the logs until a name is chosen."""
    name = st.selectbox(words.FILTER_NAME, _names(bench), index=None, key="filter_name")
    if name is None:
        return
    if name in _numeric(bench):
        st.number_input(words.FILTER_LOW, value=None, key="filter_low")
        st.number_input(words.FILTER_HIGH, value=None, key="filter_high")
    elif (values := _values(bench, name)) is not None:
        st.selectbox(
            words.FILTER_VALUE, values, index=None, key="filter_value", format_func=lambda v: _shown(name, v)
        )
    else:
        st.text_input(words.FILTER_VALUE, key="filter_value")
    st.button(words.ADD, key="filter_add", on_click=_add, type="primary")


def _add() -> None:
    name = st.session_state.get("filter_name")
    value = st.session_state.get("filter_value")
    low, high = (st.session_state.get(key) for key in ("filter_low", "filter_high"))
    if value in (None, "") and (low is not None or high is not None):
        opened = "(-inf" if low is None else f"[{low:g}"
        value = f"{opened}, {'inf' if high is None else f'{high:g}'})"
    if name is None or value in (None, ""):
        return
    there = st.session_state.get("where") or []
    st.session_state["where"] = list(dict.fromkeys([*there, f"{name}={value}"]))
    for key in _KEYS:
        st.session_state[key] = "" if key == "filter_value" and isinstance(value, str) and not value else None


def _names(bench: Workbench) -> list[str]:
    predictions = bench.project.require_predictions()
    features = [feature.name for feature in bench.catalog.features]
    names = [*predictions.segments, *(name for name in features if name not in predictions.segments)]
    if predictions.task != "multiclass":
        names.append("score")
    if predictions.task != "regression":
        names += ["outcome", "label", "decision"]
    return names


def _numeric(bench: Workbench) -> set[str]:
    segments = bench.project.require_predictions().segments
    numeric = {feature.name for feature in bench.catalog.features if feature.kind == "numeric"}
    return (numeric | {"score"}) - set(segments)


def _values(bench: Workbench, name: str) -> list[str] | None:
    predictions = bench.project.require_predictions()
    if name == "outcome":
        return list(OUTCOMES) if predictions.task == "binary" else ["right", "wrong"]
    if name in {"label", "decision"}:
        return list(predictions.classes) or ["1", "0"]
    if name in predictions.segments:
        return _segment_values(bench, name)
    return None


def _segment_values(bench: Workbench, name: str) -> list[str] | None:
    question = "quality" if bench.project.require_predictions().task == "regression" else "confusion"
    try:
        rows = ask_bench(bench, question, replace(bench.scope(), by=name))
    except AssayError:
        return None  # the page says why; a value can still be typed
    return list(dict.fromkeys(row.segment_value for row in rows if row.segment_value is not None))


def _shown(name: str, value: str) -> str:
    return Filter("outcome", name, value).sentence if name == "outcome" else value
