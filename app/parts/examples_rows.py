"""Section Rows of the Examples page: rows of a kind, and one of them looked at closely."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.ask.examples import MOST_DIVERSE, kinds_of
from analytics.ask.row_card import RowCard
from analytics.errors import StoreError
from analytics.examples.rows import ExampleKind, ExampleRow
from analytics.store.ledger import LONGEST_NAME
from analytics.store.regression import LONGEST_SET_NAME
from app.charts.examples import history, history_alt, neighbour_table, unusual_table, version_table
from app.headlines import examples_headline
from app.headlines.examples import row_sentence
from app.parts import empty, page_words
from app.parts import examples_words as words
from app.parts import rows as parts
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import seed
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

FIRST = 20
NEIGHBOURS = 10
_WHO, _SET = "pin_who", "pin_set"


def section(view: View) -> None:
    """The rows, their table, and one row."""
    first_line = st.container()
    kind, k, per_class, diverse = controls(view)
    with guarded(view, "examples"), st.skeleton(height=560):
        found = ask(view, "examples", view.scope, kind=kind, k=k, per_class=per_class, diverse=diverse)
        if not found:
            with first_line:
                _nothing(view, kind, found.notes)
            return
        with first_line:
            headline(examples_headline(found, kind=kind))
        header(["examples", "example_kinds", "diverse"], "rows_header", found.sql)
        show_notes(found.notes)
        parts.rows_table(found, view)
        csv_button(behind(view, found, f"examples_{kind}", partial(found.to_frame)), "rows_all")
        st.markdown(f"**{page_words.DETAIL_TITLE}**")
        st.caption(page_words.OPEN_ROW)
        row = parts.one_row(found, view)
    with guarded(view, "one_row_more"), st.skeleton(height=400):
        more(view, row)


def controls(view: View) -> tuple[ExampleKind, int, bool, bool]:
    """Kind, number, whether of each class and whether a row a problem: bound, and checked anew."""
    kinds = list(kinds_of(view.bench.catalog))
    seed("kind", kinds, words.KINDS.__getitem__)
    kind = st.segmented_control(
        page_words.KIND, kinds, default="worst", required=True, key="kind", bind="query-params",
        format_func=words.KINDS.__getitem__,
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = st.number_input(page_words.K, 1, parts.MOST, FIRST, key="k", bind="query-params", width=140)
        diverse = st.toggle(words.DIVERSE, key="diverse", bind="query-params", help=words.DIVERSE_HELP)
        per_class = False
        if view.predictions.task != "regression":
            per_class = st.toggle(
                page_words.PER_CLASS, key="per_class", bind="query-params", help=page_words.PER_CLASS_HELP
            )
    most = MOST_DIVERSE if diverse else parts.MOST
    return kind if kind in kinds else "worst", min(max(int(k), 1), most), bool(per_class), bool(diverse)


def _nothing(view: View, kind: ExampleKind, notes: tuple[str, ...]) -> None:
    """No row: because there is none at all, none that has a label, or none of this kind."""
    anything = kind == "random" or ask(view, "examples", view.scope, kind="random", k=1)
    if not anything:
        empty.nothing(view, "examples")
        return
    if kind in {"worst", "best"}:
        headline(page_words.NO_LABELS_HEADLINE)
        parts.no_labels(view)
        return
    said = notes[-1] if notes else page_words.NO_LABELS_HEADLINE
    headline(literal(f"{said[:1].upper()}{said[1:]}."))


def more(view: View, row: ExampleRow) -> None:
    """What is unusual about a row, versions side by side, its unit's history, rows like it, and a form to pin it."""
    key = f"{row.file}:{row.row}"
    card: RowCard = ask(view, "row", view.scope, key=key)
    st.markdown(literal(row_sentence(card.versions, card.features)))
    if len(card.versions) > 1:
        header("versions_side_by_side", "versions_header", card.versions.sql, heading=words.VERSIONS)
        table(version_table(card.versions, zone=view.zone), words.VERSIONS_ALT, key="versions_table")
    if card.features:
        header("unusual_features", "unusual_header", card.features.sql)
        show_notes(card.features.notes)
        frame = unusual_table(card.features)
        shares = {
            name: st.column_config.NumberColumn(format="percent") for name in ("Share below", "Share alike")
        }
        table(frame, words.UNUSUAL_ALT, key="unusual_table", lines=10, columns=shares)
        csv_button(behind(view, card.features, "features_of_row"), "unusual_csv")
    if card.history:
        here = next(
            (place for place, one in enumerate(card.history) if (one.file, one.row) == (row.file, row.row)), 0
        )
        chart(
            "unit_history",
            history(card.history, here, zone=view.zone),
            history_alt(card.history),
            key="unit_history",
            behind=behind(view, card.history, "history_of_unit"),
        )
        show_notes(card.history.notes)
    if view.bench.catalog.features:
        near = ask(view, "neighbours", view.scope, key=key, k=NEIGHBOURS)
        header("neighbours", "neighbours_header", near.sql)
        show_notes(near.notes)
        if near:
            table(neighbour_table(near, zone=view.zone), words.NEIGHBOURS_ALT, key="neighbours_table")
            csv_button(behind(view, near, "neighbours_of_row"), "neighbours_csv")
    _pin(view, key)


def _pin(view: View, key: str) -> None:
    """A form that pins the open row into a set."""
    with st.form("pin_row"):
        st.markdown(f"**{words.PIN_TITLE}**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                words.SET,
                st.session_state.get(_SET, ""),
                max_chars=LONGEST_SET_NAME,
                help=words.SET_HELP,
                width=200,
            )
            who = st.text_input(words.WHO, st.session_state.get(_WHO, ""), max_chars=LONGEST_NAME, width=160)
            note = st.text_input(words.NOTE, max_chars=1_000)
            sent = st.form_submit_button(words.PIN, icon=":material/keep:")
    if not sent:
        return
    if not (name or "").strip() or not (who or "").strip():
        st.warning(words.PIN_NEEDS)
        return
    try:
        view.bench.pin(name, key, by=who, note=note or "")
    except StoreError as error:
        st.warning(literal(str(error)))
        return
    st.session_state[_SET], st.session_state[_WHO] = name, who
    st.success(literal(words.PINNED.format(name=name.strip())), icon=":material/check:")
