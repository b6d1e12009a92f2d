"""Regression sets: rows that people pinned under a name, so that each new version is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.errors import StoreError
from analytics.store.engine import Session, Value
from analytics.store.ledger import clean
from analytics.store.store import Store
from analytics.store.texts import instant, key_of, note_of, now_text, who, word

LONGEST_SET_NAME = 80


@dataclass(frozen=True)
class PinnedRow:
    """One row of a regression set.

    Attributes:
        id: its number in the store, growing.
        project: the name in the project file.
        name: of the set.
        prediction_id: of the row, as text; None where the logs have no id.
        file, file_row: where it stands, where the logs have no id; else None.
        pinned_by: who.
        pinned_at: when, UTC.
        note: why.
    """

    id: int
    project: str
    name: str
    prediction_id: str | None
    file: str | None
    file_row: int | None
    pinned_by: str
    pinned_at: datetime
    note: str


def pin(
    store: Store,
    *,
    project: str,
    name: str,
    by: str,
    prediction_id: str | None = None,
    file: str | None = None,
    file_row: int | None = None,
    note: str = "",
) -> PinnedRow:
    """Pin a row into a set; one that is there already stays as it was pinned first.

    Args:
        store: where.
        project, name, prediction_id, file, file_row, note: as in `PinnedRow`; an id, or a file and its row.
        by: who pins it.

    Raises:
        StoreError: neither an id nor a file and row are said, a text is missing or too long, or the store cannot be
            written.
    """
    if (prediction_id is None) == (file is None or file_row is None):
        raise StoreError("say which row to pin: its id, or its file and row")
    values: dict[str, Value] = {
        "project": word(project, "the project's name"),
        "name": set_name(name),
        "key": key_of(prediction_id, file, file_row),
        "prediction_id": None if prediction_id is None else word(prediction_id, "the prediction's id"),
        "file": None if file is None else word(file, "the file"),
        "file_row": file_row,
        "pinned_by": who(by, "who pins it"),
        "pinned_at": now_text(),
        "note": note_of(note),
    }

    def work(session: Session) -> PinnedRow:
        columns, bound = ", ".join(values), ", ".join(f":{column}" for column in values)
        session.execute(
            f"INSERT INTO assay_regression_rows ({columns}) VALUES ({bound}) "
            "ON CONFLICT (project, name, key) WHERE unpinned_at IS NULL DO NOTHING",
            values,
        )
        kept = session.execute(
            "SELECT * FROM assay_regression_rows "
            "WHERE project = :project AND name = :name AND key = :key AND unpinned_at IS NULL",
            {column: values[column] for column in ("project", "name", "key")},
        )
        return _row(kept[0])

    return store.write(work)


def unpin(store: Store, *, project: str, pinned_id: int, by: str) -> None:
    """Take a row out of its set; one that is not there stays out.

    Raises:
        StoreError: who does it is not said, or the store cannot be written.
    """
    values: dict[str, Value] = {
        "id": pinned_id,
        "project": project,
        "now": now_text(),
        "by": who(by, "who unpins it"),
    }
    sql = (
        "UPDATE assay_regression_rows SET unpinned_at = :now, unpinned_by = :by "
        "WHERE id = :id AND project = :project AND unpinned_at IS NULL"
    )
    store.write(lambda session: session.execute(sql, values))


def pinned(store: Store, project: str, name: str | None = None) -> tuple[PinnedRow, ...]:
    """The rows of one set, or of all sets of a project, in the order they were pinned.

    Raises:
        StoreError: the store cannot be read.
    """
    sql = "SELECT * FROM assay_regression_rows WHERE project = :project AND unpinned_at IS NULL ORDER BY id"
    kept: list[dict[str, Any]] = store.read(lambda session: session.execute(sql, {"project": project}), [])
    return tuple(row for row in map(_row, kept) if name is None or row.name == name)


def set_name(name: str) -> str:
    """The name of a set as it is kept.

    Raises:
        StoreError: it is empty or too long.
    """
    return " ".join(clean(name, "the name of the set", LONGEST_SET_NAME).split())


def _row(row: dict[str, Any]) -> PinnedRow:
    return PinnedRow(
        row["id"], row["project"], row["name"], row["prediction_id"], row["file"], row["file_row"],
        row["pinned_by"], instant(row["pinned_at"]), row["note"],
    )  # fmt: skip
