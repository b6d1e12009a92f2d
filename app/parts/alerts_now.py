"""What fires: incidents with their likeliest cause, every alert, and what people say about one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from analytics.alerts.rows import AlertRow
from analytics.alerts.said import notes_on
from analytics.store.ledger import LONGEST_NAME, LONGEST_NOTE, new_token
from app.charts.alerts import alerts_table, value_words
from app.headlines.alerts import STATE_WORDS, when, where
from app.parts import alert_words as words
from app.parts.alerts import Standing, evidence_buttons, incident_card, standing
from app.parts.chart import Behind, csv_button, header
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

_WHO, _KEPT = "alert_who", "alert_kept"
_FORMS = ("acknowledge", "silence", "note")
WIDTH = 220
MOST_INCIDENTS = 8


def section(view: View) -> None:
    """Incidents, the table, and one alert in full."""
    found = standing(view.bench, view.scope.as_of)
    if _KEPT in st.session_state:
        st.success(st.session_state.pop(_KEPT), icon=":material/check:")
    for one in found.loud[:MOST_INCIDENTS]:
        incident_card(view, one, f"incident_{one.incident}")
    if not found.rows:
        return
    header("alerts", "alerts")
    frame = alerts_table(found.rows, zone=view.zone)
    columns = {
        "Alert": st.column_config.TextColumn(pinned=True),
        "State": st.column_config.TextColumn(width=110),
        "Since": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone=view.zone.key),
    }
    table(frame, words.EVERY_ALERT, key="alerts_table", columns=columns)
    csv_button(Behind(frame, (), f"alerts_{view.name}"), "alerts")
    _one(view, found)


def _one(view: View, found: Standing) -> None:
    """One alert: what is known, and the forms."""
    known = {_key(row): row for row in reversed(found.rows)}
    keys = [_key(row) for row in found.rows]
    options = list(dict.fromkeys([*keys, *_rules(found)]))
    chosen = choose("alert", words.CHOICE, options, first=_first(found), width=360)
    row = known.get(chosen) or next(row for row in found.rows if row.alert == chosen)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{literal(_key(row))}** · {STATE_WORDS[row.state]} · {literal(where(row))}")
        st.markdown(literal(row.sentence))
        st.markdown(literal(words.VALUE.format(value=value_words(row))))
        _advice(row)
        _people(view, found, row)
        with st.container(horizontal=True, gap="small"):
            evidence_buttons(row.evidence, "alert", first=False)
            if row.state in {"firing", "recovering", "silenced", "no_data"}:
                _acknowledge(view, row)
            _silence(view, row)
            _note(view, row)


def _first(found: Standing) -> str:
    """Of the most urgent incident the alert that is likeliest its cause, else whatever stands first."""
    head = next(iter(found.loud), None)
    mine = [
        row for row in found.rows if head and (row.alert, row.incident) == (head.alerts[0], head.incident)
    ]
    return _key((mine or list(found.rows))[0])


def _rules(found: Standing) -> list[str]:
    """Names of rules: a link may name a rule whose targets have other keys."""
    return list(dict.fromkeys(row.alert for row in found.rows))


def _key(row: AlertRow) -> str:
    parts = [part for part in (row.segment_value, row.version) if part is not None]
    return f"{row.alert} ({', '.join(parts)})" if parts else row.alert


def _advice(row: AlertRow) -> None:
    if row.suggest is not None:
        st.markdown(words.SUGGEST[row.suggest])
    if row.note:
        st.markdown(literal(words.RULE_NOTE.format(note=row.note)))
    if row.runbook:
        st.markdown(words.RUNBOOK.format(link=row.runbook.replace(")", "%29").replace("(", "%28")))


def _people(view: View, found: Standing, row: AlertRow) -> None:
    """Who knows, what is silenced, and the notes."""
    known = found.said.known_to(row)
    if known is not None:
        note = f": {known.note}" if known.note else ""
        st.markdown(literal(words.KNOWN.format(who=known.acknowledged_by, note=note)))
    elif row.state in {"firing", "recovering"}:
        st.markdown(words.UNKNOWN)
    quiet = found.said.silence_of(row.alert, row.segment_value, found.moment)
    if quiet is not None:
        note, until = (f": {quiet.note}" if quiet.note else ""), when(quiet.until, view.zone)
        st.markdown(literal(words.SILENCED_UNTIL.format(who=quiet.silenced_by, until=until, note=note)))
    for note_ in notes_on(found.said, row)[-5:]:
        said = words.NOTE_LINE.format(
            who=note_.written_by, when=when(note_.written_at, view.zone), note=note_.note
        )
        st.markdown(f"- {literal(said)}")


def _acknowledge(view: View, row: AlertRow) -> None:
    with st.popover(words.ACKNOWLEDGE, icon=":material/visibility:"):
        turn = _turn("acknowledge")
        with st.form(f"acknowledge_{turn}", border=False):
            who, note = _signed(turn)
            sent = st.form_submit_button(words.KEEP, type="primary")
        if sent and _named(who):
            view.bench.acknowledge(
                row.alert,
                by=who,
                segment_value=row.segment_value,
                note=note,
                firing_since=row.since,
                token=turn,
            )
            _done(who)


def _silence(view: View, row: AlertRow) -> None:
    with st.popover(words.SILENCE, icon=":material/notifications_off:"):
        turn = _turn("silence")
        with st.form(f"silence_{turn}", border=False):
            whats = [_key(row), words.WHOLE_RULE.format(alert=row.alert), words.WHOLE_PROJECT]
            options = [0, 1, 2] if row.segment_value is not None else [1, 2]
            what = st.selectbox(
                words.WHAT, options, format_func=whats.__getitem__, key=f"what_{turn}", width=WIDTH
            )
            length = st.selectbox(words.FOR, list(words.LENGTHS), key=f"for_{turn}", width=WIDTH)
            who, note = _signed(turn)
            sent = st.form_submit_button(words.KEEP, type="primary")
        if sent and _named(who):
            ends_at = datetime.now(UTC) + timedelta(hours=words.LENGTHS[length])
            view.bench.silence(
                None if what == 2 else row.alert, by=who, ends_at=ends_at, note=note, token=turn,
                segment_value=row.segment_value if what == 0 else None,
            )  # fmt: skip
            _done(who)


def _note(view: View, row: AlertRow) -> None:
    with st.popover(words.WRITE, icon=":material/edit_note:"):
        turn = _turn("note")
        with st.form(f"note_{turn}", border=False):
            who, note = _signed(turn)
            sent = st.form_submit_button(words.KEEP, type="primary")
        if sent and _named(who):
            if not note.strip():
                st.warning(words.NO_NOTE)
                return
            view.bench.add_note(row.alert, by=who, note=note, segment_value=row.segment_value, token=turn)
            _done(who)


def _turn(form: str) -> str:
    """The token of a form: a second click on one that was kept keeps nothing twice."""
    token: str = st.session_state.setdefault(f"alert_{form}_token", new_token())
    return token


def _signed(turn: str) -> tuple[str, str]:
    who = st.text_input(
        words.WHO, st.session_state.get(_WHO, ""), key=f"who_{turn}", max_chars=LONGEST_NAME, help=words.WHO_HELP,
        width=WIDTH,
    )  # fmt: skip
    note = st.text_area(words.NOTE, key=f"note_text_{turn}", max_chars=LONGEST_NOTE, height=80)
    return who or "", note or ""


def _named(who: str) -> bool:
    if not who.strip():
        st.warning(words.NO_NAME)
        return False
    return True


def _done(who: str) -> None:
    for form in _FORMS:
        # the other forms begin anew as well: they then know the name
        st.session_state.pop(f"alert_{form}_token", None)
    st.session_state[_WHO], st.session_state[_KEPT] = who, words.KEPT
    st.rerun()
