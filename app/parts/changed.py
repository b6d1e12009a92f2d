"""Pieces of the What changed page: what is compared, the summary, where it comes from, and where clicks lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from analytics.aggregates.row_measures import needs_label
from analytics.ask.explain import Explained, metrics_to_explain
from analytics.ask.explain_onset import When
from analytics.ask.segments import DEFAULT
from analytics.explain.rows import ExplainRow
from analytics.scope import Scope, format_instant, parse_instant
from app.charts import explain as charts
from app.formats import day, local, percent
from app.glossary import inside, title
from app.headlines.explain import explain_verdict, moment, slice_words
from app.parts import changed_words as words
from app.parts import links, page_words, trail
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.one_version import one_version
from app.parts.plain import literal
from app.parts.table import table
from app.parts.tiles import Tile, tiles
from app.parts.view import View

_WINDOW = "window"
EXAMPLES = 10


@dataclass(frozen=True)
class Asked:
    """What the page compares.

    Attributes:
        scope: the window after, of one version.
        before: the other side; None for the default.
        metric: that changed.
        version: of the page.
    """

    scope: Scope
    before: Scope | None
    metric: str
    version: str | None


def asked(view: View) -> Asked:
    """What the address says, or the selectors once they are drawn."""
    metrics = metrics_to_explain(view.bench.catalog)
    said = links.said("metric")
    default = DEFAULT[view.predictions.task]
    metric = said if said in metrics else default if default in metrics else metrics[0]
    options = _options(view)
    before = links.said("before")
    chosen = before if before in options else options[0]
    return Asked(view.of_version(view.version), _before(view, chosen), metric, view.version)


def controls(view: View) -> Asked:
    """Draw the selectors; gives the same as `asked`."""
    metrics = metrics_to_explain(view.bench.catalog)
    default = DEFAULT[view.predictions.task]
    wanted = links.said("metric")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = choose("metric", page_words.METRIC, metrics, shown=title, first=default)
        options = _options(view)
        before = choose("before", words.BEFORE, options, shown=_shown, first=options[0])
        version = one_version(view)
        if before == _WINDOW:
            st.text_input(words.BEFORE_START, key="before_start", bind="query-params", width=150)
            st.text_input(words.BEFORE_END, key="before_end", bind="query-params", width=150)
    alert = st.query_params.get("alert")
    # no widget holds the word; the way back from examples takes it from the session
    st.session_state["alert"] = alert
    if alert:
        st.caption(literal(words.FROM_ALERT.format(alert=alert)))
    if wanted and wanted not in {*metrics, *(title(name) for name in metrics)}:
        st.caption(literal(words.STOOD_IN.format(metric=wanted, instead=inside(title(metric)))))
    return Asked(view.of_version(version), _before(view, before), metric, version)


def _options(view: View) -> list[str]:
    catalog = view.bench.catalog
    ends = bool(links.said("before_start") and links.said("before_end"))
    known = [_WINDOW] if ends else []
    known += ["reference"] if "reference" in catalog.sources else []
    known += ["previous", "last-week"]
    known += [f"version={name}" for name in catalog.versions if name is not None and name != view.version]
    return known if ends else [*known, _WINDOW]


def _shown(text: str) -> str:
    if text == _WINDOW and links.said("before_start") and links.said("before_end"):
        return f"{links.said('before_start')} to {links.said('before_end')}"
    return words.BEFORE_WORDS.get(text) or f"version {text.removeprefix('version=')}"


def _before(view: View, chosen: str) -> Scope | None:
    scope = view.of_version(view.version)
    if chosen == _WINDOW:
        start, end = (_instant(view, word) for word in ("before_start", "before_end"))
        return None if start is None or end is None else view.bench.before(scope, None, start, end)
    return view.bench.before(scope, chosen)


def _instant(view: View, word: str) -> datetime | None:
    text = links.said(word)
    return parse_instant(text, view.zone, view.bench.now()) if text else None


def found_of(view: View, question: Asked) -> Explained:
    """The answer, from memory where it is known."""
    found: Explained = ask(view, "explained", question.scope, before=question.before, metric=question.metric)
    return found


def summary(view: View) -> None:
    """One sentence, four numbers, and the metric around the moment it began."""
    question = asked(view)
    found = found_of(view, question)
    rows = [row for row in found.rows if row.version == question.version]
    when = found.when.get(question.version)
    headline(explain_verdict(rows, when, zone=view.zone))
    whole = next((row for row in rows if row.part == "whole"), None)
    if whole is None or whole.total_effect is None:
        show_notes(found.rows.notes)
        return
    tiles(_tiles(rows, whole, when, view))
    example_button(view, rows, whole)
    if when is not None and when.points:
        ends = view.scope.start or when.points[0].start, view.scope.end or when.points[-1].end
        chart(
            "explain_onset",
            charts.onset_line(when, whole.metric, ends, zone=view.zone, telling=_telling(whole, when)),
            charts.onset_alt(when, whole.metric, zone=view.zone),
            key="explain_onset",
            behind=behind(view, found.rows, "when", partial(charts.point_table, when, zone=view.zone)),
            on_click=partial(_open_step, view, question.version, whole.metric),
            heading=_since_heading(when),
            note=words.CLICK_STEP,
        )
    shift = [row for row in rows if row.part == "shift"]
    if shift and shift[0].reason and shift[0].total_effect is None:
        st.caption(literal(f"{words.NO_SPLIT}: {shift[0].reason}."))
    show_notes(found.rows.notes)


def _since_heading(when: When) -> str:
    """Of the slice whose rows are drawn, where all rows tell no moment."""
    name = title("explain_onset")
    return f"{name}: {literal(slice_words(when.row))}" if when.row.segment is not None else name


def _tiles(rows: Sequence[ExplainRow], whole: ExplainRow, when: When | None, view: View) -> list[Tile]:
    # shares of a change, and its moment, are for a change that is beyond chance
    chance = (whole.ci_low or 0.0) <= 0.0 <= (whole.ci_high or 0.0)
    detail = f"{charts.effect_ends(whole)}; n = {whole.n_after:,} against {whole.n_before:,}"
    shown = [Tile(words.CHANGE, charts.effect_words(whole), detail, status=whole.status, reason=whole.reason)]
    for name, label in (("concept", words.MODEL), ("covariate", words.MIX)):
        row = next((row for row in rows if row.part == "shift" and row.segment == name), None)
        if row is None or row.total_effect is None:
            continue
        share = (
            f", {percent(round(row.share_of_change, 2))} of the change"
            if row.share_of_change is not None and not chance
            else ""
        )
        shown.append(Tile(label, charts.effect_words(row), f"{charts.effect_ends(row)}{share}"))
    row = when.row if when is not None and _telling(whole, when) else None
    if row is not None and row.since is not None and row.since_low is not None and row.since_high is not None:
        ends = f"{moment(row.since_low, view.zone)} to {moment(row.since_high, view.zone)}"
        near = f"; {when.near.name}" if when is not None and when.near is not None else ""
        shown.append(Tile(words.BEGAN, day(local(row.since, view.zone)), f"{ends}{near}"))
    return shown


def _telling(whole: ExplainRow, when: When) -> bool:
    """Whether a moment says something about the change: not where the whole did not change beyond chance."""
    beyond = not (whole.ci_low or 0.0) <= 0.0 <= (whole.ci_high or 0.0)
    return beyond or when.row.segment is not None


def example_button(view: View, rows: Sequence[ExplainRow], whole: ExplainRow) -> None:
    """Ten rows of the slice that adds most, or of the whole window: one click."""
    first = next((row for row in rows if row.part == "slice" and row.rank == 1 and row.where), None)
    labelled = needs_label(view.bench.catalog, whole.metric)
    text = words.WORST_ROWS if labelled else words.SOME_ROWS
    name = f" of {slice_words(first)}" if first is not None else ""
    st.button(
        literal(text.format(where=name)),
        icon=":material/list_alt:",
        key="changed_examples",
        on_click=open_rows,
        args=(view, whole.version, first.where if first is not None else (), labelled),
    )


def open_rows(
    view: View,
    version: str | None,
    where: Sequence[str],
    labelled: bool,  # noqa: FBT001  # passed by position from a button
    ends: tuple[datetime, datetime] | None = None,
) -> None:
    """Ten rows of a part; a callback."""
    start, end = ends or (view.scope.start, view.scope.end)
    chosen: dict[str, Any] = {} if version is None else {"version": [version]}
    if start is not None and end is not None:
        window = {"start": format_instant(start, view.zone), "end": format_instant(end, view.zone)}
        chosen |= {"range": "custom", **window}
    trail.leave(
        "changed", "examples", where=where, kind="worst" if labelled else "random", k=EXAMPLES, **chosen
    )


def _open_step(view: View, version: str | None, metric: str, point: list[Any]) -> None:
    ends = datetime.fromisoformat(point[0]), datetime.fromisoformat(point[1])
    open_rows(view, version, (), needs_label(view.bench.catalog, metric), ends)


def where(view: View) -> None:
    """The slices that the change comes from, then the account of one segment or feature."""
    question = asked(view)
    found = found_of(view, question)
    rows = [row for row in found.rows if row.version == question.version]
    whole = next((row for row in rows if row.part == "whole"), None)
    headline(explain_verdict(rows, found.when.get(question.version), zone=view.zone))
    if whole is None or whole.total_effect is None:
        return
    slices = [row for row in rows if row.part == "slice"]
    if slices:
        _part_chart(view, found, slices, "explain_slices")
        st.caption(words.ADDS_UP.format(change=charts.effect_words(whole)))
    else:
        st.caption(words.NO_SLICE)
    names = list(dict.fromkeys(str(row.segment) for row in rows if row.part in {"segment", "feature"}))
    if not names:
        return
    most = _most_telling(rows)
    name = choose("split_by", words.SPLIT_BY, names, first=most)
    mine = [row for row in rows if row.part in {"segment", "feature"} and row.segment == name]
    first_part = mine[0].part
    _part_chart(view, found, [row for row in mine if row.part == first_part], "explain_parts")


def _part_chart(view: View, found: Explained, rows: Sequence[ExplainRow], word: str) -> None:
    segment = rows[0].segment if word == "explain_parts" else None
    heading = f"{title(word)}: {literal(segment)}" if segment else title(word)
    source = behind(view, found.rows, f"{word}_{segment or 'slices'}", partial(charts.part_table, rows))
    chart(
        word, charts.part_bars(rows), charts.part_alt(rows), key=word, behind=replace(source, table=None),
        on_click=partial(_open_part, view, list(rows)), heading=heading, note=words.CLICK_PART,
    )  # fmt: skip
    alt = words.EVERY_SLICE if word == "explain_slices" else words.EVERY_PART
    table(charts.part_table(charts.bar_order(rows)), alt, key=f"{word}_rows")
    csv_button(source, f"{word}_all")


def _open_part(view: View, rows: list[ExplainRow], point: list[Any]) -> None:
    row = rows[int(point[0])]
    open_rows(view, row.version, row.where, needs_label(view.bench.catalog, row.metric))


def _most_telling(rows: Sequence[ExplainRow]) -> str:
    """The segment or feature of the first slice, else the one whose values go furthest apart."""
    first = next((row for row in rows if row.part == "slice" and row.rank == 1), None)
    if first is not None and first.segment is not None:
        return first.segment.split(" × ")[0]
    spread: dict[str, float] = {}
    for row in rows:
        if row.part in {"segment", "feature"} and row.rate_effect is not None:
            spread[str(row.segment)] = max(spread.get(str(row.segment), 0.0), abs(row.rate_effect))
    return max(spread, key=lambda name: spread[name]) if spread else ""
