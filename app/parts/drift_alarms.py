"""False alarms: how many to expect, what a small reference does, and a simulation on the reference itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from analytics.scope import Grain, Scope
from app.charts import false_alarms as charts
from app.headlines.false_alarms import expected_sentence, simulated_sentences, small_reference_sentence
from app.parts import page_words
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.view import View

GRAINS: tuple[Grain, ...] = ("day", "week", "month")
RUNS = 20
_RUN = "alarms_simulated"


def section(view: View) -> None:
    """What is promised at once; the simulation when asked for."""
    first = view.grain if view.grain in GRAINS else "day"
    with st.container(horizontal=True):
        chosen = choose("alarm_grain", page_words.ALARM_GRAIN, GRAINS, first=first)
        segments = st.number_input(
            page_words.ALARM_SEGMENTS, 0, 1_000, 0, key="alarm_segments", bind="query-params", width=260,
            help=page_words.ALARM_SEGMENTS_HELP,
        )  # fmt: skip
    grain = next(one for one in GRAINS if one == chosen)
    scope = replace(view.of_version(view.version), grain=grain)
    expected = ask(view, "false_alarms", scope, segments=int(segments))[0]
    headline(expected_sentence(expected))
    st.markdown(small_reference_sentence(expected))
    asked = (view.name, str(scope.filters), grain, view.version)
    if st.session_state.get(_RUN) != asked:
        st.button(page_words.SIMULATE.format(runs=RUNS), key="simulate", on_click=partial(_simulate, asked))
        return
    simulated(view, scope, int(segments))


def _simulate(asked: tuple[str | None, ...]) -> None:
    st.session_state[_RUN] = asked


@st.fragment(parallel=True)
def simulated(view: View, scope: Scope, segments: int) -> None:
    """Expected against observed."""
    with st.skeleton(height=320), guarded(view, "alarms"):
        found = ask(view, "false_alarms", scope, runs=RUNS, segments=segments)
        for sentence in simulated_sentences(found):
            st.markdown(sentence)
        chart(
            "false_alarms",
            charts.alarm_dots(found),
            charts.alarm_alt(found),
            key="false_alarms",
            behind=behind(
                view, found, "false_alarms", partial(charts.alarm_table, list(found), zone=view.zone)
            ),
        )
