"""Sections of What changed about causes: the likeliest at the top, what is different about any rows, who was first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import streamlit as st

from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow
from analytics.scope import Scope
from app.charts import causes as charts
from app.headlines.causes import causes_verdict, first_verdict, follows, moved_verdict
from app.parts import causes_words as words
from app.parts import links, trail
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

BEFORE = timedelta(days=28)
EXAMPLES = 10


def likely(
    view: View, scope: Scope | None = None, metric: str | None = None, *, here: str = "changed"
) -> None:
    """The likeliest cause in one line, with what to do and its rows one click away; for the top of a page.

    Args:
        view: of the page.
        scope: the window; the view's if left out.
        metric: what an alert is about.
        here: the page it stands on.
    """
    with guarded(view, f"{here}_likely"):
        found = ask(view, "causes", _whole(scope or view.scope), metric=metric)
        headline(causes_verdict(found.rows, found.notes))
        if found.rows:
            said = follows(found.rows[0])
            if said:
                st.caption(literal(said))
            _rows_button(found.rows[0], here)


def section(view: View) -> None:
    """Every cause with its evidence; the likeliest stands at the top of the page already."""
    with st.skeleton(height=320):
        found = ask(view, "causes", _whole(view.scope), metric=links.said("metric"))
    header("causes", "causes", found.sql)
    if found.rows:
        table(
            charts.causes_table(found.rows, view.zone), words.EVERY_CAUSE, key="causes_table",
            columns={"What changed": st.column_config.TextColumn(pinned=True, width="large")},
            on_row=partial(_open_cause, list(found.rows), "changed"),
        )  # fmt: skip
        st.caption(words.CLICK_CAUSE)
    show_notes(found.notes)


def moved(view: View) -> None:
    """What is different about the rows of the scope."""
    scope = replace(_whole(view.scope), grain="all")
    rest: Scope | None = None
    if scope.filters:
        against = choose(
            "rest", words.REST, list(words.REST_WORDS), shown=words.REST_WORDS.__getitem__, first="window"
        )
        if against == "before" and scope.start is not None:
            rest = replace(scope, start=scope.start - BEFORE, end=scope.start)
    else:
        st.caption(words.NO_FILTER)
    with st.skeleton(height=420):
        found = ask(view, "moved", scope, rest=rest)
    headline(moved_verdict(found.rows, words.THESE if scope.filters else words.THIS_WINDOW))
    for note in found.notes:
        st.caption(literal(note))
    if not found.rows:
        return
    features = [feature.name for feature in view.bench.catalog.features]
    chart(
        "moved", charts.moved_bars(found.rows), charts.moved_alt(found.rows), key="moved",
        behind=behind(view, found, "moved", partial(charts.moved_table, found.rows)),
        on_click=partial(_to_field, features), note=words.CLICK_FIELD,
    )  # fmt: skip
    table(_shown(found.rows), words.EVERY_FIELD, key="moved_table")


def _shown(rows: Sequence[MovedRow]) -> Any:
    frame = charts.moved_table(rows)
    return frame.drop(columns=["Rows", "Rows in rest"])


def first(view: View) -> None:
    """The first rows and units."""
    with st.skeleton(height=320):
        found = ask(view, "first", _whole(view.scope))
    header("first", "first", found.sql)
    headline(first_verdict(found.rows, view.zone))
    show_notes(found.notes)
    for part, label in (("row", words.FIRST_ROWS), ("unit", words.FIRST_UNITS)):
        if any(row.part == part for row in found.rows):
            st.markdown(f"**{label}**")
            table(charts.first_table(found.rows, view.zone, part=part), label, key=f"first_{part}")


def different_button(here: str, where: Sequence[str] = (), *, key: str) -> None:
    """A button that asks what is different about some rows; for any page that shows rows of one kind."""
    st.button(
        words.DIFFERENT,
        icon=":material/compare_arrows:",
        key=key,
        type="tertiary",
        on_click=open_moved,
        args=(here, where),
    )


def open_moved(here: str, where: Sequence[str] = (), **more: Any) -> None:
    """Go and see what is different about rows that pass some filters; a callback."""
    trail.leave(here, "changed", where=where, section="moved", **more)


def _whole(scope: Scope) -> Scope:
    return replace(scope, by=None, grain="all")


def _rows_button(row: CauseRow, here: str) -> None:
    st.button(
        words.OPEN_ROWS,
        icon=":material/list_alt:",
        key=f"{here}_cause_rows",
        on_click=_open_cause,
        args=([row], here, 0),
    )


def _open_cause(rows: Sequence[CauseRow], here: str, place: int) -> None:
    """The rows of a cause; a callback."""
    said = parse_qs(rows[place].evidence)
    more: dict[str, Any] = {
        word: said[word][0] for word in ("range", "start", "end", "as_of") if word in said
    }
    if "version" in said:
        more["version"] = said["version"]
    trail.leave(here, "examples", where=said.get("where", []), kind="random", k=EXAMPLES, **more)


def _to_field(features: list[str], point: list[Any]) -> None:
    if point and point[0] in features:
        trail.leave("changed", "drift", section="features", feature=point[0])
