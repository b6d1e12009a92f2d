"""Since when: the day from which each metric and field was different, with its interval."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.charts import changes as charts
from app.headlines.changes import changes_verdict
from app.parts import changes_words, trail
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

_DAYS = ("Since", "Not before", "Not after")
_LEFT_OUT = ("Version", "Role", "Floor", "Reaches floor", "Floor not before", "Floor not after")


def section(view: View) -> None:
    """The sentence, the time line and the table."""
    with st.skeleton(height=480):
        found = ask(view, "changes", view.of_version(view.version))
        rows = [row for row in found if row.version == view.version]
    headline(changes_verdict(rows, zone=view.zone))
    if not rows:
        return
    grain, n = rows[0].grain, max(row.n for row in rows)
    version = view.version or view.name
    note = found.notes[-1] if found.notes else ""
    chart(
        "changes_timeline",
        charts.changes_timeline(rows, view.bench.catalog.releases, zone=view.zone),
        charts.changes_alt(rows, zone=view.zone),
        key="changes",
        behind=behind(view, found, "changes", partial(charts.changes_table, rows, zone=view.zone)),
        on_click=partial(_to_field, [row.field for row in rows if row.role != "metric"]),
        note=changes_words.CLICK_FIELD,
    )
    st.caption(literal(changes_words.ONE_VERSION.format(version=version, grain=grain, n=n, note=f"{note}.")))
    shown = charts.shown_changes(rows)
    rest = [row for row in rows if row not in shown]
    days = {name: st.column_config.DateColumn(format="D MMM YYYY") for name in _DAYS}
    table(
        charts.changes_table([*shown, *rest], zone=view.zone).drop(columns=list(_LEFT_OUT), errors="ignore"),
        changes_words.EVERY_CHANGE,
        key="changes_table",
        columns=days | {"What": st.column_config.TextColumn(pinned=True)},
    )


def _to_field(fields: list[str], point: list[str | None]) -> None:
    """Show the distribution of a field; a callback. A metric has none."""
    if point and point[0] in fields:
        trail.leave("drift", "drift", section="features", feature=point[0])
