"""Saved views: a page with its whole scope under a name, for everybody who uses this store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.errors import StoreError
from analytics.store.alerts import insert_once
from analytics.store.engine import Session, Value
from analytics.store.ledger import clean, new_token
from analytics.store.store import Store
from analytics.store.texts import instant, now_text, who

LONGEST_VIEW_NAME = 80
LONGEST_QUERY = 8_000


@dataclass(frozen=True)
class SavedView:
    """One saved view.

    Attributes:
        id: its number in the store, growing.
        name: what it is called; no two that are there have the same.
        page: the word of the page in the URL; "" for the first page.
        query: the words after the question mark.
        saved_by: who saved it; "" where they did not say.
        saved_at: when, UTC.
    """

    id: int
    name: str
    page: str
    query: str
    saved_by: str
    saved_at: datetime


def save_view(
    store: Store, *, name: str, page: str, query: str, by: str = "", token: str | None = None
) -> SavedView:
    """Keep a view; when this returns, it is on disk.

    Args:
        store: where.
        name, page, query: as in `SavedView`.
        by: who saves it.
        token: of the caller; the same one again gives the view that is there already.

    Raises:
        StoreError: there is another view of that name, a text is empty or too long, or the store cannot be written.
    """
    values: dict[str, Value] = {
        "token": token or new_token(),
        "name": " ".join(clean(name, "the name of the view", LONGEST_VIEW_NAME).split()),
        "page": clean(page, "the page", 200, may_be_empty=True),
        "query": clean(query, "the query", LONGEST_QUERY, may_be_empty=True),
        "saved_by": who(by, "who saves it") if by.strip() else "",
        "saved_at": now_text(),
    }

    def work(session: Session) -> SavedView:
        session.lock("views")
        others = session.execute(
            "SELECT id FROM assay_views WHERE name = :name AND token <> :token AND removed_at IS NULL",
            {"name": values["name"], "token": values["token"]},
        )
        if others:
            raise StoreError(
                f'there is a view called "{values["name"]}" already: take another name, or delete that one'
            )
        return _view(insert_once(session, "assay_views", values))

    return store.write(work)


def saved_views(store: Store) -> tuple[SavedView, ...]:
    """All views that are there, by name.

    Raises:
        StoreError: the store cannot be read.
    """
    sql = "SELECT * FROM assay_views WHERE removed_at IS NULL"
    kept: list[dict[str, Any]] = store.read(lambda session: session.execute(sql), [])
    return tuple(sorted(map(_view, kept), key=lambda view: (view.name.casefold(), view.id)))


def remove_view(store: Store, *, view_id: int, by: str = "") -> None:
    """Take a view away; one that is not there stays away.

    Raises:
        StoreError: the store cannot be written.
    """
    values: dict[str, Value] = {
        "id": view_id, "now": now_text(), "by": who(by, "who removes it") if by.strip() else "",
    }  # fmt: skip
    sql = "UPDATE assay_views SET removed_at = :now, removed_by = :by WHERE id = :id AND removed_at IS NULL"
    store.write(lambda session: session.execute(sql, values))


def _view(row: dict[str, Any]) -> SavedView:
    return SavedView(
        row["id"], row["name"], row["page"], row["query"], row["saved_by"], instant(row["saved_at"])
    )
