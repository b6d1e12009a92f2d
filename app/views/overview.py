"""Overview: what needs attention now, for every model of the workspace."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.errors import AssayError
from app.charts.overview import small_metric, small_metric_alt
from app.headlines.alerts import alerts_verdict, seen_verdict
from app.parts import attention, empty, experiments_logs, links, trail, words
from app.parts.alerts import Standing, latest
from app.parts.ask import guarded
from app.parts.attention import Model
from app.parts.drawn import Drawn
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.scope_bar import said
from app.parts.status import verdict
from app.parts.view import View, resolve
from app.parts.workspace import Entry, workspace
from app.text import PAGES, STATE_WORDS, Verdict, count, day, interval, percent, plural, show, title, unit

# words that mean the same in every project
SHARED = ("range", "start", "end", "as_of", "grain")
ONWARD = ("quality", "drift", "segments", "examples", "telemetry")


def view_of(entry: Entry) -> View:
    """The project under the window of the bar; versions and filters are other projects' words."""
    if entry.bench is None:
        raise entry.problem or AssayError(entry.name)
    return resolve(entry.name, entry.bench, {word: said()[word] for word in SHARED})


def look(entry: Entry) -> Model | View | AssayError:
    """A model, a project of experiments alone, or why it cannot be shown: one broken project must not hide others."""
    try:
        view = view_of(entry)
        return attention.look_at(view) if view.bench.catalog.has_predictions else view
    except AssayError as problem:
        return problem


def card(model: Model, key: str) -> None:
    """One model: its name, its lines, its numbers and where to go on."""
    view = model.view
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"###### {literal(view.project.name)}", width="content")
            word, _ = STATE_WORDS[model.said.state]
            verdict(word, bad=model.said.state == "worse", icon=STATE_WORDS[model.said.state][1])
            if view.version is not None:
                st.caption(literal(words.ONE_VERSION.format(version=view.version)), width="content")
        st.markdown(literal(model.said.sentence))
        alerts(view, key)
        drift(view, key)
        with st.grid(4, min_column_width=140, gap="small"):
            numbers(model, key)
        damage(view, key)
        if view.project.experiments:
            experiments_logs.draw_verdicts(view, key)
        with st.container(horizontal=True, gap="small"):
            onward(view, key)


def experiments(view: View, key: str) -> None:
    """A project without a model: its experiments in a line each."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"###### {literal(view.project.name)}")
        if view.project.experiments:
            experiments_logs.draw_verdicts(view, key)
        else:
            st.caption(words.NOTHING_DECLARED)


def numbers(model: Model, key: str) -> None:
    """The main metric now and before, its trend, label coverage and freshness."""
    row, view = model.now, model.view
    if row is not None:
        limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
        against = model.before
        was = words.REFERENCE.format(value=show(row.metric, against.value)) if against else words.NO_REFERENCE
        fact(title(row.metric), show(row.metric, row.value), f"{limits} · {was}")
        with st.container(gap="xxsmall"):
            st.caption(words.TREND.format(grain=words.GRAINS[view.grain]))
            figure, alt = (
                small_metric(model.trend, zone=view.zone),
                small_metric_alt(model.trend, zone=view.zone),
            )
            st.plotly_chart(Drawn(figure), key=f"{key}_trend", alt=alt, config={"displayModeBar": False})
        fact(
            words.LABELLED_SHARE,
            percent(row.n_labelled / row.n if row.n else None),
            f"of {count(row.n)} rows",
        )
    newest = model.newest.astimezone(view.zone) if model.newest else None
    fact(words.NEWEST, day(newest) if newest else "–", f"{newest:%H:%M} {view.zone.key}" if newest else "")


def fact(label: str, value: str, detail: str) -> None:
    """A number with a small line under it."""
    with st.container(gap="xxsmall"):
        st.metric(label, value)
        st.caption(detail)


@st.fragment(parallel=True)
def drift(view: View, key: str) -> None:
    """The line about drift, which takes longer than quality."""
    with st.skeleton(height=24), guarded(view, f"{key}_drift"):
        found = attention.drift_of(view)
        if found is not None:
            _, icon = STATE_WORDS[found[0].state]
            st.markdown(f"{icon} {literal(found[0].sentence)}")


def alerts(view: View, key: str) -> None:
    """What fired when somebody looked last, and the way there."""
    rules = len(view.project.alerts)
    if not rules or not links.exists("alerts"):
        return
    with guarded(view, f"{key}_alerts"):
        found = latest(view.bench)
        if isinstance(found, Standing):
            said = alerts_verdict(found.rows, found.loud, zone=view.zone)
        elif found is not None:
            said = seen_verdict(found, zone=view.zone)
        else:
            said = Verdict("unknown", words.NOBODY_LOOKED.format(rules=plural(rules, "rule")))
        sign = ":material/notifications_active:" if said.state == "worse" else ":material/notifications:"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{sign} {literal(said.sentence)}", width="content")
            go = partial(trail.leave, "overview", "alerts", project=view.name)
            label, icon = PAGES["alerts"].title, ":material/arrow_forward:"
            st.button(label, key=f"{key}_to_alerts", on_click=go, type="tertiary", icon=icon)


@st.fragment(parallel=True)
def damage(view: View, key: str) -> None:
    """What was left out of the logs, if anything was."""
    with guarded(view, f"{key}_damage"):
        found = attention.damage_of(view)
        if found is not None:
            st.caption(literal(words.DAMAGE.format(damage=found)))


def onward(view: View, key: str) -> None:
    """Buttons to the other pages, on this project and version."""
    scope = {"project": view.name, "version": [view.version] if view.version is not None else []}
    for page in filter(links.exists, ONWARD):
        go = partial(trail.leave, "overview", page, **scope)
        st.button(
            PAGES[page].title,
            key=f"{key}_{page}",
            on_click=go,
            type="tertiary",
            icon=":material/arrow_forward:",
        )


with st.skeleton(height=480):
    found = [(entry, look(entry)) for entry in workspace().entries()]
models = [(entry.name, model) for entry, model in found if isinstance(model, Model)]
models.sort(key=lambda pair: attention.ORDER.index(pair[1].said.state))
others = [(entry.name, view) for entry, view in found if isinstance(view, View)]
worse = sum(model.said.state == "worse" for _, model in models)
headline(
    words.attention(worse, len(found) - len(others)) if len(found) > len(others) else words.ONLY_EXPERIMENTS
)
for entry, problem in found:
    if isinstance(problem, AssayError):
        empty.broken(entry.name, problem)
for name, model in models:
    card(model, name)
for name, view in others:
    experiments(view, name)
