"""Experiments in the logs: which one, its scorecard, what to write where there is none, and baselines for plans."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.experiments.power import PlanKind
from analytics.experiments.rows import History, Scorecard
from analytics.project import SHARES
from analytics.scope import Scope
from app.formats import plural
from app.parts import experiments_words as words
from app.parts import links, trail
from app.parts.ask import ask, guarded
from app.parts.choose import choose
from app.parts.experiments_plan import Known
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.teach import teach
from app.parts.view import View
from app.text import CALL_WORDS, PAGES, experiment_line

_ASKED = "experiment_asked"
"""Where a session keeps the name of an experiment that a link asked for in vain."""


def experiment(view: View) -> str | None:
    """The experiment that was chosen; None where the project declares none."""
    names = list(view.project.experiments)
    if not names:
        return None
    # the widget forgets a name it does not know, and a link must not lead to another experiment without a word
    asked = st.query_params.get("experiment") or st.session_state.get("experiment")
    if asked is not None and asked not in names:
        st.session_state[_ASKED] = asked
    chosen = choose("experiment", words.EXPERIMENT, names)
    if _ASKED in st.session_state and chosen == names[0]:
        st.caption(literal(words.NO_SUCH_EXPERIMENT.format(asked=st.session_state[_ASKED], shown=chosen)))
    return chosen


def logged_scorecard(view: View, name: str | None, first_line: DeltaGenerator) -> Scorecard | None:
    """The scorecard of an experiment; None, and what to write, where there is none."""
    if name is None:
        with first_line:
            headline(words.NO_EXPERIMENTS)
        ways = {
            label: partial(links.set_words, source=source) for source, label in words.TYPE_INSTEAD.items()
        }
        teach("no_experiments", "no_experiments", example=words.NO_EXPERIMENTS_EXAMPLE, ways=ways)
        return None
    if view.scope.as_of is not None:
        moment = view.scope.as_of.astimezone(view.zone)
        st.caption(literal(words.AS_OF_LINE.format(moment=f"{moment:%Y-%m-%d %H:%M} ({view.zone.key})")))
    card: Scorecard = ask(view, "scorecard", name=name)
    return card


@st.fragment(parallel=True)
def draw_verdicts(view: View, key: str) -> None:
    """A line for every experiment of a project, with the way to its scorecard; for the Overview."""
    known = Scope(as_of=view.scope.as_of)  # an experiment has a window of its own
    for place, name in enumerate(view.project.experiments):
        with st.skeleton(height=24), guarded(view, f"{key}_experiment_{place}"):
            card: Scorecard = ask(view, "scorecard", known, name=name)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _, icon = CALL_WORDS[card.decision.call]
                st.markdown(f"{icon} **{literal(name)}** · {literal(experiment_line(card))}", width="content")
                # what goes without saying stays out of the address: it would be taken out there, as one more step back
                named: dict[str, Any] = {"source": "logs", "experiment": name if place else None}
                st.button(
                    PAGES["scorecard"].title,
                    key=f"{key}_scorecard_{place}",
                    on_click=partial(trail.leave, "overview", "scorecard", project=view.name, **named),
                    type="tertiary",
                    icon=":material/arrow_forward:",
                )


def baseline(view: View) -> Known:
    """What a past experiment says about one metric, where the reader asks for it."""
    if not view.project.experiments:
        return Known()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = choose("baseline_from", words.FROM, list(words.FROMS), shown=lambda word: words.FROMS[word])
        if where != "logs":
            return Known()
        name = experiment(view) or ""
        declared = view.project.require_experiment(name)
        metrics = list(dict.fromkeys((*declared.primary, *declared.secondary, *declared.guardrails)))
        if not metrics:
            return Known()
        metric = choose("metric", words.METRIC, metrics)
    found: History = ask(view, "history", name=name, metric=metric)
    said = found.stands_on if found.reason is None else found.reason
    st.caption(literal(words.FROM_LOGS.format(what=said, n=plural(found.n, "unit"))))
    kinds: dict[str, PlanKind] = {"ratio": "ratio", "mean": "mean", "count": "count", "quantile": "mean"}
    kind: PlanKind = "proportion" if found.kind in SHARES else kinds[found.kind]
    return Known(kind, found.baseline, found.standard_deviation, found.daily_units)
