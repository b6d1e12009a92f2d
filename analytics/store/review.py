"""Labels that people give in review: one a person and prediction, with how likely the row was to be asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.errors import StoreError
from analytics.store.engine import Session, Value
from analytics.store.store import Store
from analytics.store.texts import instant, instant_text, note_of, now_text, who, word


@dataclass(frozen=True)
class ReviewLabel:
    """What one person says about one prediction.

    Attributes:
        id: its number in the store.
        project: the name in the project file.
        prediction_id: of the row, as text.
        label: what they say it is, as text; None where they cannot tell.
        labelled_by: who.
        labelled_at: when, UTC.
        inclusion_probability: the chance that this row was asked about, so that reviewed rows still give unbiased
            metrics; None where it was not drawn at random.
        reason: why it was asked about.
        note: what they add.
    """

    id: int
    project: str
    prediction_id: str
    label: str | None
    labelled_by: str
    labelled_at: datetime
    inclusion_probability: float | None
    reason: str
    note: str


def add_label(  # noqa: PLR0913  # one a column
    store: Store,
    *,
    project: str,
    prediction_id: str,
    label: str | None,
    by: str,
    inclusion_probability: float | None = None,
    reason: str = "",
    note: str = "",
    at: datetime | None = None,
) -> ReviewLabel:
    """Keep a label; when this returns, it is on disk.

    The same person's second label of a row takes the place of the first; it keeps the chance and the reason of the
    first time the row was drawn, which is what brought it here.

    Args:
        store: where.
        project, prediction_id, label, inclusion_probability, reason, note: as in `ReviewLabel`.
        by: who labels.
        at: when; now where None.

    Raises:
        StoreError: a text is missing or too long, the chance is not in (0, 1], or the store cannot be written.
    """
    if inclusion_probability is not None and not 0 < inclusion_probability <= 1:
        raise StoreError(
            f"the chance of a row to be asked about is above 0 and at most 1, found {inclusion_probability}"
        )
    values: dict[str, Value] = {
        "project": word(project, "the project's name"),
        "prediction_id": word(prediction_id, "the prediction's id"),
        "label": None if label is None else word(label, "the label"),
        "labelled_by": who(by, "who labels"),
        "labelled_at": now_text() if at is None else instant_text(at),
        "inclusion_probability": inclusion_probability,
        "reason": note_of(reason),
        "note": note_of(note),
    }

    def work(session: Session) -> ReviewLabel:
        columns, bound = ", ".join(values), ", ".join(f":{name}" for name in values)
        session.execute(
            f"INSERT INTO assay_review_labels ({columns}) VALUES ({bound}) "
            "ON CONFLICT (project, prediction_id, labelled_by) DO UPDATE SET "
            "label = excluded.label, labelled_at = excluded.labelled_at, note = excluded.note",
            values,
        )
        kept = session.execute(
            "SELECT * FROM assay_review_labels "
            "WHERE project = :project AND prediction_id = :prediction_id AND labelled_by = :labelled_by",
            {name: values[name] for name in ("project", "prediction_id", "labelled_by")},
        )
        return _label(kept[0])

    return store.write(work)


def remove_label(store: Store, *, project: str, prediction_id: str, by: str) -> None:
    """Take back what one person said about one prediction; where they said nothing, nothing happens.

    Raises:
        StoreError: a text is missing, or the store cannot be written.
    """
    values: dict[str, Value] = {
        "project": project,
        "prediction_id": prediction_id,
        "by": who(by, "who labels"),
    }
    sql = (
        "DELETE FROM assay_review_labels "
        "WHERE project = :project AND prediction_id = :prediction_id AND labelled_by = :by"
    )
    store.write(lambda session: session.execute(sql, values))


def review_labels(store: Store, project: str) -> tuple[ReviewLabel, ...]:
    """Every label of a project, the oldest first.

    Raises:
        StoreError: the store cannot be read.
    """
    sql = "SELECT * FROM assay_review_labels WHERE project = :project ORDER BY labelled_at, id"
    kept: list[dict[str, Any]] = store.read(lambda session: session.execute(sql, {"project": project}), [])
    return tuple(map(_label, kept))


def _label(row: dict[str, Any]) -> ReviewLabel:
    return ReviewLabel(**{**row, "labelled_at": instant(row["labelled_at"])})
