"""Labelling a queue by keyboard: one row at a time, several people at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from analytics.ask.review import MOST, Ask, accepted_label, choices_of
from analytics.errors import AssayError
from analytics.review.rows import QueuedRow
from analytics.store.ledger import LONGEST_NAME, new_token
from analytics.store.queues import Queue, QueueRow, next_row, queues, skip_row
from analytics.store.review import add_label
from app.formats import local
from app.parts import review_words as words
from app.parts.choose import choose
from app.parts.plain import literal
from app.parts.rows import detail
from app.parts.table import table
from app.parts.view import View

_WHO, _TOKEN, _KEPT = "review_who", "review_token", "review_kept"
CANNOT_KEY, SKIP_KEY = "x", "s"
_HIDDEN = ("true", "decided", "score", "cost of this row")


def section(view: View) -> None:
    """Which queue, who, the row, and a form for the next queue."""
    known = queues(view.bench.store, view.project.name)
    if known:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = choose("queue", words.QUEUE, [queue.name for queue in known])
            st.text_input(words.WHO, key=_WHO, help=words.WHO_HELP, max_chars=LONGEST_NAME, width=240)
        queue = next(one for one in known if one.name == name)
        rows = view.bench.queued(queue.name)
        st.progress(_done(rows))
        _label(view, queue)
    with st.expander(words.DRAW, expanded=not known, icon=":material/casino:"):
        _draw(view)


def _done(rows: Sequence[QueuedRow]) -> float:
    wanted = sum(1 + row.double for row in rows)
    return sum(min(row.labels, 1 + row.double) for row in rows) / wanted if wanted else 0.0


def _label(view: View, queue: Queue) -> None:
    who = (st.session_state.get(_WHO) or "").strip()
    if not who:
        st.info(words.NAME_FIRST, icon=":material/keyboard:")
        return
    row = next_row(view.bench.store, queue, who)
    if row is None:
        st.success(words.DONE, icon=":material/check:")
        return
    choices = choices_of(view.bench.catalog)
    named = [f"{key} = {name}" for name, key in keys_of(choices).items() if key != name.lower()]
    said = ", ".join([*named, words.OTHER_KEYS] if named or not choices else [*choices, words.OTHER_KEYS])
    reason = words.REASONS.get(row.reason, row.reason)
    st.caption(literal(words.ASKED.format(place=row.place, n=len(queue.rows), reason=reason, keys=said)))
    _buttons(view, queue, row, who, choices)
    shown = st.toggle(words.SHOW_MODEL, key=f"show_{queue.id}_{row.place}", help=words.SHOW_MODEL_HELP)
    _row(view, row, shown=shown)
    st.caption(words.HELD)


def keys_of(choices: Sequence[str]) -> dict[str, str]:
    """The key of every label: the label itself where all of them are one letter or digit, else its place.

    >>> keys_of(["0", "1"]), keys_of(["early", "late"])
    ({'0': '0', '1': '1'}, {'early': '1', 'late': '2'})
    """
    own = [name.lower() for name in choices]
    if all(len(name) == 1 and name.isalnum() for name in own) and not {CANNOT_KEY, SKIP_KEY} & set(own):
        return dict(zip(choices, own, strict=True))
    return {name: str(place) for place, name in enumerate(choices[:9], start=1)}


def _buttons(view: View, queue: Queue, row: QueueRow, who: str, choices: tuple[str, ...]) -> None:
    keep = partial(_keep, view, queue, row, who)
    key = f"{queue.id}_{row.place}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        keys = keys_of(choices)
        for place, name in enumerate(choices, start=1):
            st.button(
                literal(name), key=f"label_{key}_{place}", on_click=partial(keep, name), type="primary",
                shortcut=keys.get(name),
            )  # fmt: skip
        if not choices:
            st.number_input(view.predictions.label or words.LABEL, key=f"number_{key}", value=None, width=200)
            st.button(words.KEEP, key=f"keep_{key}", on_click=partial(_keep_number, keep, f"number_{key}"),
                      type="primary", shortcut="Enter")  # fmt: skip
        st.button(words.CANNOT, key=f"cannot_{key}", on_click=partial(keep, None), shortcut=CANNOT_KEY)
        st.button(
            words.SKIP, key=f"skip_{key}", shortcut=SKIP_KEY,
            on_click=partial(skip_row, view.bench.store, queue, row.place, who),
        )  # fmt: skip


def _keep(view: View, queue: Queue, row: QueueRow, who: str, label: str | None) -> None:
    """Keep one label; a callback."""
    add_label(
        view.bench.store, project=queue.project, prediction_id=row.prediction_id,
        label=None if label is None else accepted_label(view.bench.catalog, label), by=who,
        inclusion_probability=row.inclusion_probability, reason=row.reason,
    )  # fmt: skip


def _keep_number(keep: partial[None], key: str) -> None:
    number = st.session_state.get(key)
    if number is not None:
        keep(f"{number:.12g}")


def _row(view: View, row: QueueRow, *, shown: bool) -> None:
    try:
        found = view.bench.row(key=row.prediction_id).row[0]
    except AssayError as error:
        st.warning(literal(str(error)))
        return
    frame = detail(found, view)
    if not shown:
        hidden = {*view.predictions.score_columns, view.predictions.decision, view.predictions.label}
        part = frame.columns[2]
        frame = frame[~frame[frame.columns[0]].isin(hidden) & ~frame[part].isin(_HIDDEN)]
    st.caption(
        literal(f"{row.prediction_id}, {local(found.timestamp, view.zone):%Y-%m-%d %H:%M} ({view.zone.key})")
    )
    table(pd.DataFrame(frame), words.ROW_ALT, key=f"row_{row.place}_{shown}",
          lines=len(frame))  # fmt: skip


def _draw(view: View) -> None:
    turn = st.session_state.setdefault(_TOKEN, new_token())
    with st.form(f"draw_{turn}", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                words.DRAW_NAME, f"{datetime.now(UTC):%Y-%m-%d}", max_chars=LONGEST_NAME, width=200
            )
            k = st.number_input(words.DRAW_K, 1, MOST, 100, width=120)
            even = st.slider(
                words.DRAW_EVEN, 0.05, 1.0, 0.3, 0.05, format="percent", width=200, help=words.DRAW_EVEN_HELP
            )
            twice = st.slider(
                words.DRAW_TWICE, 0.0, 1.0, 0.1, 0.05, format="percent", width=200, help=words.DRAW_TWICE_HELP
            )
            audit = st.toggle(words.AUDIT, help=words.AUDIT_HELP)
        sent = st.form_submit_button(words.DRAW, type="primary", icon=":material/casino:")
    if not sent:
        return
    who = (st.session_state.get(_WHO) or "").strip() or "assay"
    asked = Ask(str(name), int(k), float(even), float(twice), audit=bool(audit), drawn_by=who, token=turn)
    with st.spinner(words.DRAWING):
        view.bench.draw_queue(view.of_version(view.version), asked=asked)
    del st.session_state[_TOKEN]
    st.session_state["queue"] = str(name)
    st.rerun()
