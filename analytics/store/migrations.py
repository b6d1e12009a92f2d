"""The schema, step by step: every change is a migration of its own, applied once, in order, and recorded.

A migration that was released is never edited: the next one changes what it made. Each one is applied in one transaction
on either engine, so a process killed meanwhile leaves the version before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from analytics.errors import StoreError
from analytics.store.engine import Session
from analytics.store.place import Engine
from analytics.store.tables import MESSAGES, QUEUES, REVIEW, SAID, on_both

TABLE = "assay_migrations"


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    Attributes:
        version: 1, 2, …
        name: what it brings, in words.
        statements: engine -> what it runs, in order.
    """

    version: int
    name: str
    statements: Mapping[Engine, Sequence[str]]


_DECISIONS = """
CREATE TABLE assay_decisions (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    experiment TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('ship', 'hold', 'stop')),
    note TEXT NOT NULL,
    corrects BIGINT REFERENCES assay_decisions (id),
    content TEXT NOT NULL
)
"""
_INDEX = "CREATE INDEX assay_decisions_by_experiment ON assay_decisions (project, experiment, id)"
_NEVER_CHANGED = "decisions are never changed or removed: add one that corrects it"
_REFUSE = (
    "CREATE FUNCTION assay_never_changed() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_NEVER_CHANGED}'; END $$"
)
_REFUSE_ALWAYS = (
    "CREATE TRIGGER assay_decisions_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON assay_decisions "
    "FOR EACH STATEMENT EXECUTE FUNCTION assay_never_changed()"
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        "decisions on experiments, only ever added to",
        {
            "sqlite": (
                _DECISIONS.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT"),
                _INDEX,
                *(
                    f"CREATE TRIGGER assay_decisions_no_{change.lower()} BEFORE {change} ON assay_decisions "
                    f"BEGIN SELECT RAISE(ABORT, '{_NEVER_CHANGED}'); END"
                    for change in ("UPDATE", "DELETE")
                ),
            ),
            "postgresql": (
                _DECISIONS.format(identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
                _INDEX,
                _REFUSE,
                _REFUSE_ALWAYS,
            ),
        },
    ),
    Migration(2, "acknowledgements, silences with an end and notes on alerts; saved views", on_both(SAID)),
    Migration(3, "labels given in review, rows pinned into regression sets", on_both(REVIEW)),
    Migration(4, "queues of rows to label, and who has which row", on_both(QUEUES)),
    Migration(5, "alerts as they were seen and told, messages and whom each one reached", on_both(MESSAGES)),
)

_RECORDS = f"CREATE TABLE {TABLE} (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"


def version_of(session: Session) -> int:
    """The version of the schema; 0 for an empty database."""
    if not session.has_table(TABLE):
        return 0
    return int(session.execute(f"SELECT coalesce(max(version), 0) AS version FROM {TABLE}")[0]["version"])


def check_version(found: int, migrations: Sequence[Migration], shown: str) -> bool:
    """Whether the schema is what this release works with; False where migrations are to be applied.

    Raises:
        StoreError: a newer release has changed the schema.
    """
    newest = migrations[-1].version
    if found > newest:
        raise StoreError(
            f"{shown}: was brought to version {found} by a newer release of Assay, and this one knows {newest}; "
            "update Assay"
        )
    return found == newest


def migrate(session: Session, migrations: Sequence[Migration]) -> None:
    """Apply the next migration that is missing, in the transaction of the session.

    Several processes may come here at once: the first one locks the schema, and the others find the work done.
    """
    session.lock_schema()
    if not session.has_table(TABLE):
        session.execute(_RECORDS)
    found = version_of(session)
    step = next((step for step in migrations if step.version > found), None)
    if step is None:
        return
    for statement in step.statements[session.engine]:
        session.execute(statement)
    session.execute(
        f"INSERT INTO {TABLE} (version, name, applied_at) VALUES (:version, :name, :applied_at)",
        {"version": step.version, "name": step.name, "applied_at": datetime.now(UTC).isoformat()},
    )
