"""The tables of the second version on: what is said about alerts, saved views, review, messages.

Texts and columns are the same on both engines. Instants are UTC in ISO 8601 with microseconds, so that they sort as
text. A ``key`` is the JSON list of what it stands for: a column that may be empty cannot hold rows apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analytics.store.place import Engine

_IDENTITY: Mapping[Engine, str] = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}

SAID = (
    """
CREATE TABLE assay_acknowledgements (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    alert TEXT NOT NULL,
    segment_value TEXT,
    firing_since TEXT NOT NULL,
    acknowledged_by TEXT NOT NULL,
    acknowledged_at TEXT NOT NULL,
    note TEXT NOT NULL
)
""",
    "CREATE INDEX assay_acknowledgements_by_project ON assay_acknowledgements (project, alert, id)",
    """
CREATE TABLE assay_silences (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    alert TEXT,
    segment_value TEXT,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL CHECK (ends_at > starts_at),
    silenced_by TEXT NOT NULL,
    silenced_at TEXT NOT NULL,
    note TEXT NOT NULL,
    ended_at TEXT,
    ended_by TEXT,
    CHECK (alert IS NOT NULL OR segment_value IS NULL),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
)
""",
    "CREATE INDEX assay_silences_by_project ON assay_silences (project, ends_at)",
    """
CREATE TABLE assay_notes (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    alert TEXT,
    segment_value TEXT,
    written_by TEXT NOT NULL,
    written_at TEXT NOT NULL,
    note TEXT NOT NULL
)
""",
    "CREATE INDEX assay_notes_by_project ON assay_notes (project, alert, id)",
    """
CREATE TABLE assay_views (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    page TEXT NOT NULL,
    query TEXT NOT NULL,
    saved_by TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    removed_at TEXT,
    removed_by TEXT
)
""",
    "CREATE UNIQUE INDEX assay_views_by_name ON assay_views (name) WHERE removed_at IS NULL",
)

REVIEW = (
    """
CREATE TABLE assay_review_labels (
    id {identity},
    project TEXT NOT NULL,
    prediction_id TEXT NOT NULL,
    label TEXT,
    labelled_by TEXT NOT NULL,
    labelled_at TEXT NOT NULL,
    inclusion_probability DOUBLE PRECISION,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    UNIQUE (project, prediction_id, labelled_by),
    CHECK (inclusion_probability IS NULL OR (inclusion_probability > 0 AND inclusion_probability <= 1))
)
""",
    """
CREATE TABLE assay_regression_rows (
    id {identity},
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    prediction_id TEXT,
    file TEXT,
    file_row BIGINT,
    pinned_by TEXT NOT NULL,
    pinned_at TEXT NOT NULL,
    note TEXT NOT NULL,
    unpinned_at TEXT,
    unpinned_by TEXT,
    CHECK (prediction_id IS NOT NULL OR (file IS NOT NULL AND file_row IS NOT NULL))
)
""",
    """
CREATE UNIQUE INDEX assay_regression_rows_by_key ON assay_regression_rows (project, name, key)
WHERE unpinned_at IS NULL
""",
)

QUEUES = (
    """
CREATE TABLE assay_review_queues (
    id {identity},
    token TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    drawn_by TEXT NOT NULL,
    drawn_at TEXT NOT NULL,
    candidates BIGINT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (project, name)
)
""",
    """
CREATE TABLE assay_review_rows (
    queue BIGINT NOT NULL REFERENCES assay_review_queues (id),
    place BIGINT NOT NULL,
    prediction_id TEXT NOT NULL,
    inclusion_probability DOUBLE PRECISION NOT NULL,
    reason TEXT NOT NULL,
    wanted BIGINT NOT NULL,
    PRIMARY KEY (queue, place),
    UNIQUE (queue, prediction_id),
    CHECK (inclusion_probability > 0 AND inclusion_probability <= 1)
)
""",
    """
CREATE TABLE assay_review_claims (
    queue BIGINT NOT NULL,
    place BIGINT NOT NULL,
    claimed_by TEXT NOT NULL,
    until TEXT NOT NULL,
    skipped BIGINT NOT NULL,
    PRIMARY KEY (queue, place, claimed_by),
    FOREIGN KEY (queue, place) REFERENCES assay_review_rows (queue, place)
)
""",
)


MESSAGES = (
    """
CREATE TABLE assay_looks (
    project TEXT PRIMARY KEY,
    looked_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
)
""",
    """
CREATE TABLE assay_states (
    key TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    alert TEXT NOT NULL,
    version TEXT,
    segment TEXT,
    segment_value TEXT,
    state TEXT NOT NULL,
    since TEXT,
    told TEXT NOT NULL CHECK (told IN ('nothing', 'firing', 'silenced')),
    thread TEXT,
    changed_at TEXT NOT NULL
)
""",
    "CREATE INDEX assay_states_by_project ON assay_states (project)",
    """
CREATE TABLE assay_transitions (
    id {identity},
    project TEXT NOT NULL,
    alert TEXT NOT NULL,
    version TEXT,
    segment TEXT,
    segment_value TEXT,
    at TEXT NOT NULL,
    state_before TEXT NOT NULL,
    state TEXT NOT NULL,
    value DOUBLE PRECISION,
    ci_low DOUBLE PRECISION,
    ci_high DOUBLE PRECISION,
    seen_at TEXT NOT NULL
)
""",
    "CREATE INDEX assay_transitions_by_project ON assay_transitions (project, at)",
    """
CREATE TABLE assay_messages (
    id {identity},
    key TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    thread TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('firing', 'more', 'still', 'missed', 'over')),
    severity TEXT NOT NULL CHECK (severity IN ('page', 'ticket')),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    written_at TEXT NOT NULL
)
""",
    "CREATE INDEX assay_messages_by_thread ON assay_messages (project, thread, id)",
    """
CREATE TABLE assay_deliveries (
    id {identity},
    message_id BIGINT NOT NULL REFERENCES assay_messages (id),
    address TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'given_up')),
    tries BIGINT NOT NULL,
    unsure BIGINT NOT NULL,
    next_try TEXT NOT NULL,
    claim TEXT,
    problem TEXT NOT NULL,
    done_at TEXT,
    UNIQUE (message_id, address)
)
""",
    "CREATE INDEX assay_deliveries_open ON assay_deliveries (next_try) WHERE state IN ('waiting', 'sending')",
)


def on_both(statements: Sequence[str]) -> dict[Engine, tuple[str, ...]]:
    """Engine -> the statements with its own way to number rows."""
    return {
        engine: tuple(statement.format(identity=identity) for statement in statements)
        for engine, identity in _IDENTITY.items()
    }
