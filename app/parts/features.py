"""Pieces of the Features page: one feature in words, tiles, charts and groups, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import streamlit as st

from analytics.drift.rows import DriftRow
from analytics.drift.summary_rows import FeatureRow
from analytics.errors import AssayError
from analytics.scope import format_instant
from app.charts import features as charts
from app.charts.feature_tables import bin_table, feature_table
from app.formats import beside, interval, number, percent
from app.headlines.features import feature_verdict
from app.headlines.verdict import Verdict
from app.parts import drift as drift_parts
from app.parts import feature_words as words
from app.parts import trail
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.compared import other_words
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile
from app.parts.view import View

MOST_UNASKED = 200_000
"""Over more rows, groups are read when somebody wants them: there are no stored counts of them."""
_MEANS = ("Mean", "Mean low", "Mean high")
_SHARES = ("Missing low", "Missing high", "Infinite", "Its share", "Share")


def against_of(view: View) -> str:
    """The reference where there is one, else the window before."""
    return "reference" if "reference" in view.bench.catalog.sources else "previous"


def every_feature(view: View) -> list[FeatureRow]:
    """All features of the page's version over the whole window."""
    return list(ask(view, "features", view.of_version(view.version)))


def drift_row(view: View, feature: str) -> DriftRow | None:
    """How the feature moved; None where that cannot be asked."""
    against = against_of(view)
    more = {} if against == "reference" else {"against": against}
    try:
        found = ask(view, "drift", view.of_version(view.version), **more)
    except AssayError:
        return None
    return next((row for row in found if row.feature == feature), None)


def before(view: View, feature: str) -> FeatureRow | None:
    """The feature in the reference of the page's version; None without one."""
    if against_of(view) != "reference":
        return None
    scope = replace(view.scope, versions=(), as_of=None)
    found = ask(view, "features", scope, source="reference", feature=feature)
    own = [row for row in found if row.version == view.version] or list(found)[:1]
    return own[0] if own and own[0].status == "ok" else None


def sentence(view: View, row: FeatureRow | None) -> Verdict:
    """The first line."""
    if row is None:
        return feature_verdict(None, None, None, "")
    return feature_verdict(row, before(view, row.feature), drift_row(view, row.feature), _other(view))


def tiles_of(view: View, row: FeatureRow) -> list[Tile]:
    """What is missing, what is usual, how far it spreads, and how it moved."""
    gone = interval(row.missing_rate_ci_low, row.missing_rate_ci_high, share=True)
    shown = []
    if row.role != "label":
        shown.append(
            Tile(words.MISSING, percent(row.missing_rate), gone, status=row.status, reason=row.reason)
        )
    if row.kind == "numeric":
        mean = f"mean {number(row.mean)} ({interval(row.mean_ci_low, row.mean_ci_high)})"
        spread = words.SPREAD_DETAIL.format(low=number(row.p05), high=number(row.p95))
        shown += [
            Tile(words.MEDIAN, beside(row.p50, row.standard_deviation), mean),
            Tile(words.SPREAD, number(row.standard_deviation), spread),
        ]
    else:
        top = words.TOP_DETAIL.format(share=percent(row.top_share), values=f"{row.n_values or 0:,}")
        shown.append(Tile(words.TOP, literal(row.top_value) if row.top_value is not None else "–", top))
    moved = drift_row(view, row.feature)
    if moved is not None:
        said = words.DRIFTED if moved.drifted else words.MOVED_DETAIL
        detail = said.format(other=_other(view), chance=percent(moved.total_variation_by_chance))
        shown.append(
            Tile(
                words.MOVED, percent(moved.total_variation), detail, status=moved.status, reason=moved.reason
            )
        )
    return shown


def _other(view: View) -> str:
    return other_words(against_of(view), view)


def over_time(view: View, row: FeatureRow) -> None:
    """The feature by window."""
    version, scope = row.version, view.over_time_of(row.version)
    heading = f"{literal(row.feature)} by {view.grain}" if view.grain != "all" else literal(row.feature)
    found = ask(view, "features", scope, feature=row.feature)
    if row.kind == "numeric":
        chart(
            "feature_spread",
            charts.feature_over_time(
                found, view.bench.catalog.releases, before(view, row.feature), zone=view.zone
            ),
            charts.feature_over_time_alt(found, zone=view.zone),
            key="feature_spread",
            behind=behind(
                view, found, f"feature_{row.feature}", partial(feature_table, found, zone=view.zone)
            ),
            on_click=lambda point: _open_window(view, version, point[0], point[1]),
            heading=heading,
            note=words.CLICK_WINDOW,
        )
        return
    bins = ask(view, "distribution", scope, feature=row.feature)
    chart(
        "feature_values",
        charts.top_values_over_time(bins, zone=view.zone),
        charts.top_values_alt(bins, zone=view.zone),
        key="feature_values",
        behind=behind(view, bins, f"feature_{row.feature}", partial(bin_table, bins, zone=view.zone)),
        on_click=lambda point: _open_value(view, row, point),
        heading=heading,
        note=words.CLICK_BAR,
    )


def splits_of(view: View) -> dict[str, str]:
    """What the rows can be split by -> how it reads."""
    predictions, catalog = view.predictions, view.bench.catalog
    regression = predictions.task == "regression"
    decided = predictions.decision is not None or predictions.threshold is not None
    known = dict(words.SPLIT_REGRESSION if regression else words.SPLIT_NAMES)
    if not catalog.has_labels:
        known = {name: shown for name, shown in known.items() if name == "decision"}
    if not decided and predictions.task == "binary":
        known = {name: shown for name, shown in known.items() if name == "label"}
    return known


def groups(view: View, row: FeatureRow) -> None:
    """The feature in each group, drawn and in numbers."""
    known = splits_of(view)
    if not known:
        st.caption(words.NOTHING_TO_SPLIT)
        return
    split = choose(
        "split_by", words.SPLIT, list(known), shown=lambda name: known[name], first=list(known)[-1]
    )
    if row.n > MOST_UNASKED and not st.toggle(words.READ_GROUPS.format(n=f"{row.n:,}"), key="read_groups"):
        return
    scope = view.of_version(row.version)
    bins = ask(view, "distribution", scope, feature=row.feature, split=split)
    # rows without a label are no group of their own to look at
    shown = [one for one in bins if one.group_value != "(missing)"]
    chart(
        "feature_by_group",
        charts.by_group(shown),
        charts.by_group_alt(shown),
        key="feature_by_group",
        behind=behind(
            view, bins, f"feature_{row.feature}_by_{split}", partial(bin_table, bins, zone=view.zone)
        ),
        on_click=lambda point: _open_bin(view, row, split, point),
        heading=f"{literal(row.feature)} by {known[split]}",
        note=". ".join([*(note[:1].upper() + note[1:] for note in bins.notes), words.CLICK_BAR]),
    )
    found = ask(view, "features", scope, feature=row.feature, split=split)
    frame = feature_table(found, zone=view.zone)
    table(
        _short(frame, "Feature", "Role", "Kind"),
        words.GROUPS_TABLE,
        key="feature_groups",
        columns=_configured(),
    )


def all_features(view: View, rows: Sequence[FeatureRow]) -> None:
    """The table of every feature; a row chooses the one above."""
    found = ask(view, "features", view.of_version(view.version))
    behind_table = behind(view, found, "features", partial(feature_table, rows, zone=view.zone))
    header("feature_table", "feature_table", behind_table.sql)
    st.caption(words.CLICK_FEATURE)
    table(
        _short(
            feature_table(rows, zone=view.zone),
            "Missing low",
            "Missing high",
            "Interval takes as independent",
        ),
        "Every feature in one line",
        key="features_table",
        columns={"Feature": st.column_config.TextColumn(pinned=True, width=130), **_configured()},
        on_row=lambda place: st.session_state.update({"feature": rows[place].feature}),
    )
    csv_button(behind_table, "features_table")


def _short(frame: Any, *dropped: str) -> Any:
    return frame.drop(columns=["From", "Until", "Version", *dropped], errors="ignore")


def _configured() -> dict[str, Any]:
    shares = {name: st.column_config.NumberColumn(format="percent") for name in _SHARES}
    # wide enough for four digits behind zeros
    means = {name: st.column_config.NumberColumn(format="%.4g", width=95) for name in _MEANS}
    return shares | means


def _open_window(view: View, version: str | None, start: str, end: str, where: Sequence[str] = ()) -> None:
    first, last = (format_instant(datetime.fromisoformat(moment), view.zone) for moment in (start, end))
    more = {"version": [version]} if version is not None else {}
    trail.leave(
        "features", "examples", where=where, kind="random", range="custom", start=first, end=last, **more
    )


def _open_value(view: View, row: FeatureRow, point: list[Any]) -> None:
    text = _filter(view, row, [point[0], None, None])
    _open_window(view, row.version, point[1], point[2], [text] if text is not None else [])


def _open_bin(view: View, row: FeatureRow, split: str, point: list[Any]) -> None:
    text = _filter(view, row, point[:3])
    where = [text] if text is not None else []
    if view.predictions.task != "regression" or split == "label":
        where.append(f"{split}={point[3]}")
    _open_window(view, row.version, row.window_start.isoformat(), row.window_end.isoformat(), where)


def _filter(view: View, row: FeatureRow, point: list[Any]) -> str | None:
    """A bin as a filter, where there is one that names it."""
    if point[0] == charts.OTHER:
        return None
    like: Any = SimpleNamespace(role=row.role, feature=row.feature, kind=row.kind)
    text = drift_parts.bin_filter(like, point)
    if text is None:
        return None
    try:
        view.bench.scope(where=[text])
    except AssayError:
        return None  # a field that no filter knows, such as one score of several
    return text
