"""All at once: did the features move together, which carry it, which rows are new; texts and embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from analytics.drift.multivariate_rows import MultivariateRow
from app.charts import multivariate as charts
from app.formats import count, interval, number, percent
from app.glossary import title
from app.headlines.multivariate import together_verdict
from app.parts import together_words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.drift_damage import open_feature
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View, window_words

NEWEST = 10
_METHODS = ("domain_classifier", "reconstruction_error")


def section(view: View) -> None:
    """Sentence, tiles, the methods over time, what carries it, the newest rows, texts and embeddings."""
    version = view.version
    with st.skeleton(height=240):
        whole = ask(view, "multivariate", view.of_version(version))
        carriers = ask(view, "carriers", view.of_version(version))
        headline(together_verdict(whole, carriers, zone=view.zone))
        tiles(_tiles(whole))
    st.caption(literal(f"{whole.notes[0][:1].upper()}{whole.notes[0][1:]}.") if whole.notes else "")
    with guarded(view, "together_over_time"), st.skeleton(height=360):
        _over_time(view, version)
    with guarded(view, "carriers"), st.skeleton(height=320):
        chart(
            "carriers",
            charts.carrier_bars(carriers),
            charts.carrier_alt(carriers),
            key="carriers",
            behind=behind(
                view, carriers, "carriers", partial(charts.carrier_table, carriers, zone=view.zone)
            ),
            on_click=open_feature,
            note=together_words.CLICK_FEATURE,
        )
    with guarded(view, "newest"), st.skeleton(height=320):
        _newest(view, version)
    if view.predictions.texts or view.predictions.embeddings:
        with guarded(view, "profile"), st.skeleton(height=320):
            _rich(view, whole)


def _tiles(rows: Sequence[MultivariateRow]) -> list[Tile]:
    shown = []
    for row in rows:
        if row.feature is not None:
            continue
        if row.method == "domain_classifier":
            usual = f"95% interval {interval(row.ci_low, row.ci_high)}; usual up to {number(row.null_high)}"
            shown.append(
                Tile(
                    together_words.TOLD_APART, number(row.value), usual, status=row.status, reason=row.reason
                )
            )
            limits = interval(row.effect_ci_low, row.effect_ci_high, share=True)
            said = together_words.MOVED_AT_LEAST_DETAIL.format(interval=limits)
            moved = Tile(together_words.MOVED_AT_LEAST, percent(row.effect), said)
            shown += [moved] if row.effect is not None else []
        else:
            usual = f"usual {interval(row.null_low, row.null_high)}"
            shown.append(
                Tile(title(row.method), number(row.value), usual, status=row.status, reason=row.reason)
            )
    first = rows[0] if rows else None
    if first is not None:
        sizes = f"of {count(first.n)}, against {count(first.n_sampled_reference)} of the reference"
        shown.append(Tile(together_words.LOOKED_AT, count(first.n_sampled), sizes))
    return shown


def _over_time(view: View, version: str | None) -> None:
    if view.grain == "all":
        return
    found = ask(view, "multivariate", view.over_time_of(version), rich=False)
    method = choose("together_by", together_words.METHOD, _METHODS, shown=title)
    rows = [row for row in found if row.method == method and row.feature is None]
    chart(
        method,
        charts.over_time(rows, view.bench.catalog.releases, zone=view.zone),
        charts.over_time_alt(rows, zone=view.zone),
        key="together_over_time",
        behind=behind(view, found, "multivariate", partial(charts.multivariate_table, found, zone=view.zone)),
        on_click=partial(_open_window, view),
        heading=f"{title(method)} by {view.grain}",
        note=together_words.CLICK_WINDOW,
    )
    st.caption(together_words.FALSE_ALARMS.format(
        windows=count(sum(row.p_value is not None for row in rows)),
        expected=f"{0.05 * sum(row.p_value is not None for row in rows):.1f}",
    ))  # fmt: skip


def _open_window(view: View, point: list[Any]) -> None:
    """Make a clicked window the scope; a callback."""
    words = window_words(datetime.fromisoformat(point[0]), datetime.fromisoformat(point[1]), view.zone)
    st.session_state.update(words)


def _newest(view: View, version: str | None) -> None:
    found = ask(view, "newest", view.of_version(version), k=NEWEST)
    if not found:
        return
    behind_table = behind(
        view, found, "newest_rows", partial(charts.newest_table, found, zone=view.zone, hidden=_said(view))
    )
    header("newest_rows", "newest_header", behind_table.sql)
    frame = charts.newest_table(found, zone=view.zone, hidden=_said(view))
    columns = {
        "Reference rows newer still": st.column_config.NumberColumn(format="percent"),
        "Time": st.column_config.DatetimeColumn(f"Time ({view.zone.key})", format="YYYY-MM-DD HH:mm"),
        "Rank": st.column_config.NumberColumn(pinned=True, width="small"),
    }
    table(frame, "The rows that look least like the reference, with their logged columns", key="newest_rows",
          columns=columns)  # fmt: skip
    csv_button(behind_table, "newest_rows")


def _said(view: View) -> frozenset[str]:
    """Columns that the table says under another name."""
    section = view.predictions
    return frozenset(name for name in (section.id, section.timestamp) if name is not None)


def _rich(view: View, whole: Sequence[MultivariateRow]) -> None:
    rows = [row for row in whole if row.feature is not None]
    found = ask(view, "profile", view.of_version(view.version))
    header("rich_columns", "rich_header")
    frame = charts.multivariate_table(rows, zone=view.zone)
    shown = ["Column", "Drifted", "Value", "Low", "High", "Usual to", "Adjusted p-value", "Effect", "Rows looked at",
             "Without a value", "Status", "Reason"]  # fmt: skip
    table(frame[[name for name in shown if name in frame]], "Text and embedding columns against the reference",
          key="rich_columns")  # fmt: skip
    behind_table = behind(view, found, "text_profile", partial(charts.profile_table, found, zone=view.zone))
    header("text_profile", "profile_header", behind_table.sql)
    profile = charts.profile_table(found, zone=view.zone)
    table(profile.drop(columns=["From", "Until", "Version"], errors="ignore"),
          "Plain measures of texts and embeddings against the reference", key="text_profile")  # fmt: skip
    csv_button(behind_table, "text_profile")
