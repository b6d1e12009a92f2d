"""Examples: the rows behind the numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from analytics.examples.rows import ExampleKind
from app.headlines import examples_headline
from app.parts import empty, page_words, trail
from app.parts import rows as parts
from app.parts.ask import ask, guarded
from app.parts.chart import behind, csv_button, header
from app.parts.choose import seed
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import current
from app.parts.view import View

FIRST = 20


def controls(view: View) -> tuple[ExampleKind, int, bool]:
    """Kind, number and whether of each class: bound, and checked anew."""
    kinds: list[ExampleKind] = ["worst", "uncertain", "best", "random"]
    if view.predictions.task == "regression":
        kinds.remove("uncertain")
    seed("kind", kinds)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            page_words.KIND, kinds, default="worst", required=True, key="kind", bind="query-params"
        )
        k = st.number_input(page_words.K, 1, parts.MOST, FIRST, key="k", bind="query-params", width=140)
        per_class = False
        if view.predictions.task != "regression":
            per_class = st.toggle(
                page_words.PER_CLASS, key="per_class", bind="query-params", help=page_words.PER_CLASS_HELP
            )
    return kind if kind in kinds else "worst", min(max(int(k), 1), parts.MOST), bool(per_class)


def nothing(view: View, kind: ExampleKind) -> None:
    """No row: because there is none at all, or none that has a label."""
    anything = kind == "random" or ask(view, "examples", replace(view.scope), kind="random", k=1)
    if kind in {"worst", "best"} and anything:
        headline(page_words.NO_LABELS_HEADLINE)
        parts.no_labels(view)
        return
    empty.nothing(view, "examples")


view = current()
trail.back_button()
first_line = st.container()
kind, k, per_class = controls(view)
with guarded(view, "examples"), st.skeleton(height=560):
    found = ask(view, "examples", view.scope, kind=kind, k=k, per_class=per_class)
    if not found:
        with first_line:
            nothing(view, kind)
        st.stop()
    with first_line:
        headline(examples_headline(found, kind=kind))
    header("examples", "rows_header", found.sql)
    for note in found.notes:
        st.caption(literal(note[:1].upper() + note[1:] + "."))
    parts.rows_table(found, view)
    csv_button(behind(view, found, f"examples_{kind}", partial(found.to_frame)), "rows_all")
    st.markdown(f"**{page_words.DETAIL_TITLE}**")
    st.caption(page_words.OPEN_ROW)
    parts.one_row(found, view)
