"""The decisions of an experiment: what was decided, a form for the next one, and what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from analytics.errors import AssayError
from analytics.experiments.ledger import (
    DecisionRow,
    decision_sentence,
    reproduced_sentence,
    since_sentence,
)
from analytics.experiments.rows import Scorecard
from analytics.results import Results
from analytics.store.ledger import LONGEST_NAME, LONGEST_NOTE, new_token
from app.charts.ledger_tables import decisions_table, since_table
from app.formats import day, local, plural
from app.parts import ledger_words as words
from app.parts.chart import Behind, csv_button, header
from app.parts.choose import choose
from app.parts.experiments import file_words
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

_TOKEN, _SEEN, _KEPT, _WHO = "decision_token", "decision_seen", "decision_kept", "decision_who"
NARROW = 200


@dataclass(frozen=True)
class _Said:
    """What the form holds."""

    call: str
    who: str
    note: str
    variant: str | None
    corrects: int | None


def section(view: View, card: Scorecard) -> None:
    """What stands, the form, the history, and then and now."""
    rows = view.bench.decisions(card.name)
    first = st.container()
    said = _form(view, card, rows)
    if said is not None:
        _keep(view, card, said)
    with first:
        _first_line(card, rows)
    if not rows:
        return
    _history(card, rows)
    _changes(view, card, rows)


def standing(rows: Results[DecisionRow]) -> DecisionRow | None:
    """The newest decision that no other one corrects."""
    return next((row for row in reversed(rows) if row.corrected_by is None), None)


def _first_line(card: Scorecard, rows: Results[DecisionRow]) -> None:
    stands = standing(rows)
    if stands is None:
        st.markdown(f"**{literal(words.NOTHING_DECIDED.format(word=card.decision.word))}**")
    else:
        when = day(local(stands.decided_at, rows.zone))
        st.markdown(f"**{literal(decision_sentence(stands))}** ({when}).")
    if _KEPT in st.session_state:
        st.success(words.KEPT.format(number=st.session_state.pop(_KEPT)), icon=":material/check:")


def _form(view: View, card: Scorecard, rows: Results[DecisionRow]) -> _Said | None:
    """The form; what it holds when it was sent."""
    earlier = {row.decision_id: _named(row, rows) for row in reversed(rows) if row.corrected_by is None}
    # each decision has a form of its own: a second click on the button of one that was kept finds nothing
    turn = st.session_state.setdefault(_TOKEN, new_token())
    with st.form(f"decide_{turn}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            call = st.segmented_control(
                words.CALL, list(words.CALLS), default="hold", required=True, key=f"call_{turn}",
                format_func=words.CALLS.__getitem__, help=words.CALLS_HELP,
            )  # fmt: skip
            variant = None
            if len(card.variants) > 1:
                place = (
                    card.variants.index(card.decision.variant)
                    if card.decision.variant in card.variants
                    else 0
                )
                variant = st.selectbox(words.ARM, card.variants, index=place, key=f"arm_{turn}", width=NARROW)
            who = st.text_input(
                words.WHO,
                st.session_state.get(_WHO, ""),
                key=f"who_{turn}",
                max_chars=LONGEST_NAME,
                help=words.WHO_HELP,
                width=NARROW,
            )
            corrects = None
            if earlier:
                corrects = st.selectbox(
                    words.CORRECTS, list(earlier), index=None, key=f"corrects_{turn}", width=NARROW + 60,
                    format_func=earlier.__getitem__, placeholder=words.NOBODY,
                )  # fmt: skip
        note = st.text_area(
            words.NOTE, key=f"note_{turn}", max_chars=LONGEST_NOTE, placeholder=words.NOTE_EMPTY, height=80
        )
        st.caption(literal(_kept_with(view, card)))
        sent = st.form_submit_button(words.KEEP, type="primary", icon=":material/gavel:")
    if not sent:
        # what the reader has before them; a page that is sent with other numbers behind it is looked at again first
        st.session_state[_SEEN] = _numbers(view, card)
        return None
    return _Said(call or "hold", who or "", note or "", variant, corrects)


def _keep(view: View, card: Scorecard, said: _Said) -> None:
    """Keep what was sent, once, and draw the page anew with it."""
    if not said.who.strip():
        st.warning(words.NO_NAME)
        return
    if st.session_state.get(_SEEN) != _numbers(view, card):
        st.session_state[_SEEN] = _numbers(view, card)
        st.warning(words.CHANGED_MEANWHILE)
        return
    kept = view.bench.decide(
        card.name or "", view.scope, decision=said.call, decided_by=said.who, note=said.note,
        variant=said.variant, corrects=said.corrects, token=st.session_state[_TOKEN],
    )  # fmt: skip
    del st.session_state[_TOKEN]
    st.session_state[_KEPT], st.session_state[_WHO] = kept.decision_id, said.who
    st.rerun()


def _numbers(view: View, card: Scorecard) -> tuple[str | None, str, str]:
    return card.name, view.bench.digest, repr(view.scope.as_of)


def _kept_with(view: View, card: Scorecard) -> str:
    known = view.scope.as_of
    scope = (
        words.ALL_KNOWN
        if known is None
        else words.KNOWN_THEN.format(moment=f"{local(known, view.zone):%Y-%m-%d %H:%M}")
    )
    return words.KEPT_WITH.format(
        rows=plural(len(card.rows), "comparison"), scope=scope, place=view.bench.store.place.shown
    )


def _named(row: DecisionRow, rows: Results[DecisionRow]) -> str:
    when = day(local(row.decided_at, rows.zone))
    return words.ANOTHER.format(number=row.decision_id, who=row.decided_by, day=when, decision=row.decision)


def _history(card: Scorecard, rows: Results[DecisionRow]) -> None:
    header(("decisions",), "decisions")
    frame = decisions_table(rows.rows, rows.zone)
    columns = {
        "Number": st.column_config.NumberColumn(width=70), "When": st.column_config.TextColumn(width=130),
        "Decision": st.column_config.TextColumn(width=80), "Scorecard": st.column_config.TextColumn(width=90),
        "Why": st.column_config.TextColumn(width="large"),
    }  # fmt: skip
    table(frame, words.HISTORY, key="decisions", columns=columns)
    csv_button(Behind(rows.to_frame, (), f"decisions_{file_words(card)}"), "decisions")


def _changes(view: View, card: Scorecard, rows: Results[DecisionRow]) -> None:
    header(("decision_changes",), "decision_changes")
    known = {str(row.decision_id): row for row in reversed(rows)}
    stands = standing(rows)

    def shown(number: str) -> str:
        return words.CHOICE.format(number=number, decision=known[number].decision)

    first = None if stands is None else str(stands.decision_id)
    chosen = known[choose("decision", words.OF, list(known), shown=shown, width=NARROW, first=first)]
    try:
        now, then = (
            view.bench.since(chosen.experiment, chosen.decision_id, "now"),
            view.bench.since(chosen.experiment, chosen.decision_id, "then"),
        )
    except AssayError as problem:
        st.caption(literal(words.CANNOT_LOOK.format(problem=str(problem).rstrip("."))))
        return
    st.markdown(literal(since_sentence(chosen, now)))
    st.caption(literal(reproduced_sentence(chosen, then)))
    table(
        since_table(now.rows),
        words.CHANGES,
        key="since",
        columns={"Metric": st.column_config.TextColumn(pinned=True)},
    )
    behind = Behind(partial(now.to_frame), now.sql, f"since_decision_{chosen.decision_id}_{file_words(card)}")
    csv_button(behind, "since")
