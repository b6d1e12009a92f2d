"""Saved views: this page with everything that is chosen on it, under a name, for everybody who uses this store."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qs

import streamlit as st

from analytics.errors import StoreError
from analytics.store import Store, open_store
from analytics.store.ledger import new_token
from analytics.store.views import LONGEST_VIEW_NAME, SavedView, remove_view, save_view, saved_views
from app.parts import alert_words as words
from app.parts import links, trail
from app.parts.plain import literal
from app.text import PAGES

_TOKEN, _SAID = "view_token", "view_said"


def views_popover(project: str, page: str) -> None:
    """A button that opens the list of saved views, and a form to save this one.

    Args:
        project: that is shown, as links name it.
        page: the address of the page; empty for the first.
    """
    opened = st.popover(words.SAVED_VIEWS, icon=":material/bookmarks:", key="saved_views", on_change="rerun")
    if not opened.open:
        # a store that cannot be reached must not hold up every page
        return
    with opened:
        try:
            _views(open_store(), project, page or "overview")
        except StoreError as problem:
            st.caption(literal(str(problem)))


def _views(store: Store, project: str, page: str) -> None:
    found = [view for view in saved_views(store) if links.exists(view.page)]
    for view in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.button(
                literal(view.name), key=f"view_{view.id}", type="tertiary", icon=":material/bookmark:",
                on_click=partial(_open, view), help=literal(_told(view)),
            )  # fmt: skip
            st.button(
                "", key=f"view_{view.id}_delete", type="tertiary", icon=":material/delete:",
                help=f"{words.DELETE} {literal(view.name)}", on_click=partial(_delete, store, view),
            )  # fmt: skip
    if not found:
        st.caption(words.NO_VIEWS)
    if _SAID in st.session_state:
        st.caption(literal(st.session_state.pop(_SAID)))
    turn = st.session_state.setdefault(_TOKEN, new_token())
    with st.form(f"view_{turn}", border=False):
        name = st.text_input(words.VIEW_NAME, key=f"view_name_{turn}", max_chars=LONGEST_VIEW_NAME, width=260)
        sent = st.form_submit_button(words.SAVE, icon=":material/bookmark_add:")
    if sent:
        _save(store, name or "", page, links.query(page, project=project))


def _save(store: Store, name: str, page: str, query: str) -> None:
    try:
        save_view(store, name=name, page=page, query=query, token=st.session_state[_TOKEN])
    except StoreError as problem:
        st.caption(literal(str(problem)))
        return
    del st.session_state[_TOKEN]
    st.session_state[_SAID] = words.SAVED
    st.rerun()


def _told(view: SavedView) -> str:
    who = f" by {view.saved_by}" if view.saved_by else ""
    return f"{PAGES[view.page].title if view.page in PAGES else view.page}, saved{who} on {view.saved_at:%Y-%m-%d}"


def _open(view: SavedView) -> None:
    trail.open_page(view.page, parse_qs(view.query))


def _delete(store: Store, view: SavedView) -> None:
    try:
        remove_view(store, view_id=view.id)
    except StoreError as problem:
        st.session_state[_SAID] = str(problem)
