"""The alerts of a project at one instant: asked once, with what people said laid over; tiles and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import streamlit as st

from analytics.alerts.rows import AlertRow, IncidentRow, Transition
from analytics.alerts.said import Said, read_said, with_said
from analytics.store.outbox import Delivery, deliveries
from analytics.store.seen import Kept, kept_states
from analytics.workbench import Workbench
from app.formats import listed, plural
from app.headlines.alerts import ACTION_WORDS, when, where
from app.parts import alert_words as words
from app.parts import links, trail
from app.parts.plain import literal
from app.parts.tiles import Tile
from app.parts.view import DEFAULTS, View

NOT_OLDER = timedelta(minutes=5)
_LAST: dict[str, tuple[str, datetime]] = {}
"""File of a project -> digest and instant that this server looked at last: what the overview shows at no cost."""
_LISTS = [word for word, default in DEFAULTS.items() if isinstance(default, list)]


@dataclass(frozen=True)
class Standing:
    """How the rules of a project stand.

    Attributes:
        at: the instant, by the project's clock.
        moment: the instant whose silences count, by the wall clock.
        rows: with what people said.
        incidents: of those rows that fire, whoever silenced them.
        said: by people.
    """

    at: datetime
    moment: datetime
    rows: tuple[AlertRow, ...]
    incidents: tuple[IncidentRow, ...]
    said: Said

    @property
    def loud(self) -> tuple[IncidentRow, ...]:
        """Incidents in which something fires that nobody has silenced."""
        numbers = {row.incident for row in self.rows if row.state in {"firing", "recovering"}}
        return tuple(one for one in self.incidents if one.incident in numbers)


def standing(bench: Workbench, as_of: datetime | None = None, *, every: timedelta = NOT_OLDER) -> Standing:
    """How the rules stand now, or stood at an instant.

    Args:
        bench: whose.
        as_of: the instant; now where None.
        every: an answer that is not older than this is taken from memory.

    Raises:
        AssayError: they cannot be computed, or the store cannot be read.
    """
    at = as_of or bench.now()
    if as_of is None and bench.project.clock == "wall":
        at = datetime.fromtimestamp(at.timestamp() // every.total_seconds() * every.total_seconds(), UTC)
    rows, incidents = _checked(bench, at, as_of, str(bench.project.file), bench.digest)
    if as_of is None:
        _LAST[str(bench.project.file)] = (bench.digest, at)
    said = read_said(bench.store, bench.project.name)
    moment = as_of or datetime.now(UTC)
    return Standing(at, moment, with_said(rows, said, moment), incidents, said)


def latest(bench: Workbench) -> Standing | Kept | None:
    """How the rules stood when they were looked at last, here or by a watcher; None where nobody has looked.

    Looking takes seconds, which a page about every project does not have.

    Raises:
        StoreError: the store cannot be read.
    """
    kept = kept_states(bench.store, bench.project.name)
    digest, at = _LAST.get(str(bench.project.file), ("", None))
    newer = at is not None and (kept.looked_at is None or at >= kept.looked_at)
    if at is not None and newer and digest == bench.digest:
        rows, incidents = _checked(bench, at, None, str(bench.project.file), digest)
        said = read_said(bench.store, bench.project.name)
        return Standing(at, datetime.now(UTC), with_said(rows, said), incidents, said)
    return kept if kept.looked_at is not None else None


def history(view: View, start: datetime, end: datetime, names: tuple[str, ...]) -> tuple[Transition, ...]:
    """Changes of state of some rules between two instants.

    Raises:
        AssayError: they cannot be computed.
    """
    bench = view.bench
    return _history(bench, start, end, names, str(bench.project.file), bench.digest)


@st.cache_resource(max_entries=50, show_spinner=False)
def _checked(
    _bench: Workbench, at: datetime, as_of: datetime | None, file: str, digest: str
) -> tuple[tuple[AlertRow, ...], tuple[IncidentRow, ...]]:
    del at, file, digest  # part of the key: a later minute, another file or other data is another question
    found = _bench.standing(at=as_of)
    return tuple(found.alerts), tuple(_bench.claims(found, at=as_of))


@st.cache_resource(max_entries=50, show_spinner=False)
def _history(
    _bench: Workbench, start: datetime, end: datetime, names: tuple[str, ...], file: str, digest: str
) -> tuple[Transition, ...]:
    del file, digest  # as above
    return _bench.alert_history(names, start=start, end=end) if names else ()


def tiles_of(found: Standing, waiting: Sequence[Delivery]) -> list[Tile]:
    """What fires, what is silenced, and what is still on its way to somebody."""
    firing = [row for row in found.rows if row.state == "firing"]
    pages = sum(one.severity == "page" for one in found.loud)
    silenced = sum(row.state == "silenced" for row in found.rows)
    lost = sum(one.state == "given_up" for one in waiting)
    detail = words.INCIDENTS.format(
        incidents=plural(len(found.loud), "incident"), pages=plural(pages, "page")
    )
    others = {state: sum(row.state == state for row in found.rows) for state in ("pending", "recovering")}
    said = ", ".join(f"{count} {state}" for state, count in others.items() if count)
    return [
        Tile(words.FIRING, str(len(firing)), detail, help=words.FIRING_HELP),
        Tile(words.SILENCED, str(silenced), said or "none pending"),
        Tile(
            words.WAITING, str(sum(one.state in {"waiting", "sending"} for one in waiting)),
            words.LOST.format(count=lost) if lost else words.NOTHING_WAITS, help=words.WAITING_HELP,
        ),
    ]  # fmt: skip


def on_the_way(bench: Workbench) -> tuple[Delivery, ...]:
    """Deliveries of a project, the newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    return deliveries(bench.store, bench.project.name)


def incident_card(view: View, one: IncidentRow, key: str, *, here: str = "alerts") -> None:
    """One incident: what, since when, the likely cause, what to do, and the ways on."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{literal(one.sentence)}**")
        alerts = listed(list(one.alerts[:4])) + (
            f" and {len(one.alerts) - 4} more" if len(one.alerts) > 4 else ""
        )
        since = when(one.since, view.zone)
        st.markdown(literal(words.SINCE.format(since=since, where=where(one), alerts=alerts)))
        st.markdown(words.CAUSE.format(cause=literal(one.cause)) if one.cause else words.NO_CAUSE)
        st.markdown(words.DO.format(action=ACTION_WORDS.get(one.action, one.action)))
        with st.container(horizontal=True, gap="small"):
            evidence_buttons(one.evidence, key, here=here)


def evidence_buttons(evidence: str, key: str, *, here: str = "alerts", first: bool = True) -> None:
    """To the page that shows what changed, and to the rows themselves; only the first ones stand out."""
    said = words_of(evidence)
    if links.exists("changed"):
        go = partial(trail.leave, here, "changed", **said)
        kind: Literal["primary", "secondary"] = "primary" if first else "secondary"
        icon = ":material/arrow_forward:"
        st.button(words.EVIDENCE, key=f"{key}_evidence", on_click=go, type=kind, icon=icon)
    if links.exists("examples"):
        rows = partial(trail.leave, here, "examples", **{**said, "kind": "worst", "k": 10})
        st.button(
            words.EXAMPLES, key=f"{key}_rows", on_click=rows, type="tertiary", icon=":material/list_alt:"
        )


def words_of(evidence: str) -> dict[str, Any]:
    """The words of an evidence link, as a page takes them."""
    found = parse_qs(urlsplit(evidence).query)
    return {
        word: values if word in _LISTS else values[-1]
        for word, values in found.items()
        if word in trail.WORDS
    }
