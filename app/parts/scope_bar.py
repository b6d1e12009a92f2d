"""The scope bar: project, window, versions and filters, all in the URL under the command line's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import streamlit as st

from analytics.errors import AssayError
from analytics.scope import GRAINS, Scope
from analytics.workbench import Workbench
from app.formats import day, plural
from app.parts import empty, filter_form, links, sampled, words
from app.parts.building import built_sentence, keep_up
from app.parts.plain import literal
from app.parts.saved_views import views_popover
from app.parts.view import AUTO, DEFAULT_RANGE, DEFAULTS, RANGES, View, resolve, window_words
from app.parts.workspace import Entry, workspace

NARROW, MEDIUM = 180, 260


def scope_bar(page: str) -> None:
    """Draw the bar; what was chosen is read back by `current`.

    Args:
        page: the address of the page, empty for the first: the overview is about all projects, telemetry
            about all that was logged, and an experiment has a window of its own.
    """
    entries = _entries()
    if entries is None:
        st.stop()
    _seed_range()
    everywhere, whole = page in {"", "overview"}, page == "telemetry" or page in links.EXPERIMENTS
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        entry = entries[0] if everywhere else _project(entries)
        _keep_up(entries if everywhere else (entry,))
        if not everywhere and entry.bench is None:
            empty.broken(entry.name, entry.problem or AssayError(entry.name))
            st.stop()
        monitored = False
        try:
            # a project of experiments alone has no predictions to cut a window from
            monitored = not whole and (everywhere or _has_predictions(entry))
            if monitored:
                _range()
            elif page == "scorecard":
                with st.popover(words.AS_OF, icon=":material/history:"):
                    _as_of()
            if monitored and not everywhere and entry.bench is not None:
                _rows(entry.bench)
        except AssayError as problem:
            empty.broken(entry.name, problem)
            st.stop()
        with st.popover(words.SHARE, icon=":material/link:"):
            _share(entry, page)
        views_popover(entry.name, page)
    watched = entry.bench if monitored and not everywhere else None
    sampled.watch(page, watched, partial(_asked, entry))
    if monitored and not everywhere:
        _sentence(entry)
    elif not whole and not everywhere and page != "outcomes":
        empty.no_predictions(page, entry.name)
        st.stop()


def _keep_up(entries: tuple[Entry, ...]) -> None:
    """Have the stored aggregates of every project brought up to date, aside."""
    for entry in entries:
        if entry.bench is not None:
            keep_up(entry.bench)


def current(*only: str) -> View:
    """The view that the bar's words mean; a card and the end of the page where they mean nothing.

    Args:
        only: words that count where not all do; the window is then all that was logged.
    """
    entry = chosen_entry()
    if entry is None or entry.bench is None:
        st.stop()
    chosen = {"range": "all"} | {word: st.session_state.get(word) for word in only} if only else said()
    try:
        return resolve(entry.name, entry.bench, chosen)
    except AssayError as error:
        empty.failed(error, "scope")
        st.stop()


def said() -> dict[str, Any]:
    """The words of the bar as the session holds them."""
    return {word: st.session_state.get(word) for word in DEFAULTS}


def chosen_entry() -> Entry | None:
    """The project chosen in the bar, the first where none is."""
    entries = _entries() or ()
    named = st.session_state.get("project")
    return next((entry for entry in entries if entry.name == named), entries[0] if entries else None)


def _has_predictions(entry: Entry) -> bool:
    return entry.bench is not None and entry.bench.catalog.has_predictions


def _entries() -> tuple[Entry, ...] | None:
    try:
        return workspace().entries()
    except AssayError as problem:
        empty.no_project(problem)
        return None


def _seed_range() -> None:
    """A link that names only start or end means a custom window, as on the command line."""
    said_range = "range" in st.session_state or "range" in st.query_params
    if not said_range and ("start" in st.query_params or "end" in st.query_params):
        st.session_state["range"] = "custom"


def _project(entries: tuple[Entry, ...]) -> Entry:
    names = [entry.name for entry in entries]
    if len(names) > 1:
        st.selectbox(
            words.PROJECT, names, key="project", bind="query-params", on_change=_other_project, width=MEDIUM,
            label_visibility="collapsed",
        )  # fmt: skip
    return chosen_entry() or entries[0]


def _other_project() -> None:
    """Versions, segments and metrics of one project mean nothing in another; the window stays."""
    for word in ("version", "by", "where"):
        st.session_state[word] = DEFAULTS[word]
    for word in links.PAGE_WORDS:
        st.session_state.pop(word, None)


def _range() -> None:
    st.segmented_control(
        words.RANGE, RANGES, default=DEFAULT_RANGE, required=True, key="range", bind="query-params",
        label_visibility="collapsed", help=words.RANGE_HELP,
    )  # fmt: skip
    with st.popover(words.MORE, icon=":material/tune:"):
        st.date_input(
            words.DAYS, value=[], key="picked_days", on_change=_days_picked, format="YYYY-MM-DD",
            min_value=date(1990, 1, 1), max_value=date(2100, 1, 1),
        )  # fmt: skip
        st.text_input(
            words.START, key="start", bind="query-params", on_change=_typed, help=words.INSTANT_HELP
        )
        st.text_input(words.END, key="end", bind="query-params", on_change=_typed, help=words.INSTANT_HELP)
        _as_of()
        st.selectbox(words.GRAIN, [AUTO, *GRAINS], key="grain", bind="query-params", help=words.GRAIN_HELP)


def _as_of() -> None:
    st.text_input(words.AS_OF, key="as_of", bind="query-params", help=words.AS_OF_HELP)


def _rows(bench: Workbench) -> None:
    versions = [version for version in bench.catalog.versions if version is not None]
    if len(versions) > 1:
        chosen = [name for name in st.session_state.get("version") or [] if name in versions]
        few = literal(", ".join(chosen)) or words.ALL_VERSIONS
        label = few if len(chosen) < 3 else plural(len(chosen), "version")
        with st.popover(label, icon=":material/deployed_code:", key="versions_popover"):
            st.pills(words.VERSIONS, versions, selection_mode="multi", key="version", bind="query-params")
    segments = bench.project.require_predictions().segments
    with st.popover(words.ADD_FILTER, icon=":material/filter_alt:"):
        filter_form.draw(bench)
        if segments:
            st.selectbox(
                words.BY, segments, index=None, key="by", bind="query-params", placeholder=words.NO_SPLIT
            )
    _chips()


def _typed() -> None:
    st.session_state["range"] = "custom"


def _days_picked() -> None:
    days = [picked for picked in st.session_state.get("picked_days") or () if isinstance(picked, date)]
    if len(days) == 2:
        st.session_state["start"] = days[0].isoformat()
        st.session_state["end"] = (days[1] + timedelta(days=1)).isoformat()
        st.session_state["range"] = "custom"


def _chips() -> None:
    """The filters: each a chip that can be removed, and more can be typed."""
    there = st.session_state.get("where") or st.query_params.get_all("where")
    st.multiselect(
        words.FILTERS, list(dict.fromkeys(there)), key="where", bind="query-params", accept_new_options=True,
        placeholder=words.FILTERS_PLACEHOLDER, label_visibility="collapsed", help=words.FILTERS_HELP,
        width="stretch" if there else NARROW,
    )  # fmt: skip


def _share(entry: Entry, page: str) -> None:
    address = (st.context.url or "").split("?")[0]
    if page in links.EXPERIMENTS:
        st.code(f"{address}?{links.query(page, project=entry.name)}", language=None, wrap_lines=True)
        return
    fixed = st.session_state.get("range") == "custom"
    st.markdown(words.SHARE_FROZEN if fixed else words.SHARE_MOVING)
    st.code(f"{address}?{links.query(project=entry.name)}", language=None, wrap_lines=True)
    if fixed:
        return
    if entry.bench is None:
        return
    try:
        view = resolve(entry.name, entry.bench, said())
    except AssayError:
        return  # the page says what is wrong with the words
    scope = _resolved(view)
    if scope.start is not None and scope.end is not None:
        frozen = window_words(scope.start, scope.end, view.zone)
        st.markdown(words.SHARE_FROZEN)
        st.code(f"{address}?{links.query(project=entry.name, **frozen)}", language=None, wrap_lines=True)


def _sentence(entry: Entry) -> None:
    """The scope in words, once; how a relative window was read; and how fresh the data is."""
    if entry.bench is None:
        return
    try:
        view = resolve(entry.name, entry.bench, said())
    except AssayError:
        return  # `current` shows it
    parts = [_resolved(view).sentence(view.zone)]
    if view.note:
        parts.append(view.note)
    elif view.bench.catalog.extent is not None:
        newest = view.bench.catalog.extent[1].astimezone(view.zone)
        parts.append(f"newest row {day(newest)}, {newest:%H:%M}")
    if (built := built_sentence(entry.bench)) is not None:
        parts.append(built)
    st.caption(literal(" · ".join(parts)))


def _asked(entry: Entry) -> Scope | None:
    """The scope on screen, cut into its windows; None where its words mean nothing, which the page says."""
    if entry.bench is None:
        return None
    try:
        return resolve(entry.name, entry.bench, said()).over_time
    except AssayError:
        return None


def _resolved(view: View) -> Scope:
    """Open ends filled with the first and last day of the logs, to be read."""
    catalog = view.bench.catalog
    extent = catalog.extent if catalog.has_predictions else None
    if extent is None:
        return view.scope
    first, last = (moment.astimezone(view.zone).date() for moment in extent)
    ends = [datetime.combine(day, time(), view.zone) for day in (first, last + timedelta(days=1))]
    return replace(view.scope, start=view.scope.start or ends[0], end=view.scope.end or ends[1])
