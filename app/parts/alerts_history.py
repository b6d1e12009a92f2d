"""States over time, messages and whom they reached, and everything people said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from analytics.store.outbox import messages
from app.charts import alerts as charts
from app.formats import listed
from app.headlines.alerts import told_sentence
from app.parts import alert_words as words
from app.parts.alerts import history, on_the_way, standing
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

_WHO = "alert_who"
BURN_FOR = timedelta(days=14)
"""A burning budget is looked at every quarter of an hour: replaying three months takes 17 s, two weeks 3 s."""


def over_time(view: View) -> None:
    """When each target fired, recovered and was silent, in the window of the bar."""
    end = view.scope.as_of or view.bench.now()
    last = min(view.scope.end or end, end)
    extent = view.bench.catalog.extent if view.bench.catalog.has_predictions else None
    start = view.scope.start or (extent[0] if extent else last - timedelta(days=90))
    start = min(start, last - timedelta(minutes=1))
    names, late = _shown_rules(view, last - start)
    with st.skeleton(height=320):
        found = history(view, start, last, names)
    shown = charts.stretches(found, start, last)
    chart(
        "alerts_timeline",
        charts.states_timeline(shown, start, last, view.bench.catalog.releases, zone=view.zone),
        charts.states_alt(shown, zone=view.zone),
        key="alert_history",
        note=words.REPLAYED,
    )
    if late:
        st.caption(literal(words.TOO_OFTEN.format(names=listed(late), days=BURN_FOR.days)))
    if found:
        columns = {"What": st.column_config.TextColumn(width="large")}
        frame = charts.history_table(found, zone=view.zone)
        table(frame, words.EVERY_CHANGE, key="alert_history_rows", columns=columns)
        csv_button(Behind(frame, (), f"alert_history_{view.name}"), "alert_history")


def _shown_rules(view: View, length: timedelta) -> tuple[tuple[str, ...], list[str]]:
    """The rules that can be replayed over so long a window, and those that are looked at too often for it."""
    rules = view.project.alerts
    late = [name for name, rule in rules.items() if rule.burn is not None and length > BURN_FOR]
    return tuple(name for name in rules if name not in late), late


def told(view: View) -> None:
    """Messages and how far each came."""
    written, reached = messages(view.bench.store, view.project.name), on_the_way(view.bench)
    headline(told_sentence(written, reached, zone=view.zone))
    if written:
        header("alert_messages", "alert_messages")
        frame = charts.messages_table(written, reached, zone=view.zone)
        columns = {"Message": st.column_config.TextColumn(width="large", pinned=True)}
        table(frame, words.EVERY_MESSAGE, key="messages_table", columns=columns)
        csv_button(Behind(frame, (), f"messages_{view.name}"), "messages")


def said(view: View) -> None:
    """Who knows, silences (with a button to end each) and notes."""
    found = standing(view.bench, view.scope.as_of)
    frame = charts.said_table(found.said, found.moment, zone=view.zone)
    if frame.empty:
        st.markdown(words.NOTHING_SAID)
    else:
        header("alert_people", "alert_people")
        columns = {"Note": st.column_config.TextColumn(width="large")}
        table(frame, words.EVERYTHING_SAID, key="said_table", columns=columns)
        csv_button(Behind(frame, (), f"said_{view.name}"), "said")
    st.caption(literal(words.KEPT_IN.format(place=view.bench.store.place.shown)))
    with st.container(horizontal=True, gap="small"):
        for one in found.said.silences:
            if one.until > datetime.now(UTC):
                st.button(
                    words.END.format(number=one.id), key=f"end_{one.id}", icon=":material/notifications_active:",
                    on_click=partial(_end, view, one.id),
                )  # fmt: skip


def _end(view: View, number: int) -> None:
    view.bench.end_silence(number, by=st.session_state.get(_WHO) or "the Alerts page")
    st.session_state["alert_kept"] = words.ENDED.format(number=number)
