"""Which rows people should label next, what they said, and what that says of all rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.aggregates.samples import read_sample, rows_of_ids
from analytics.ask.error_model import MOST_FEATURES, doubts, fitted_for, model_columns, of_version
from analytics.ask.live import live_version
from analytics.ask.review_labels import Answers, answers_of, choices_of
from analytics.ask.review_metrics import reviewed_rows
from analytics.ask.samples import feature_columns
from analytics.ask.windows import resolve, versions_of
from analytics.errors import ProjectError, ScopeError
from analytics.results import Results
from analytics.review.agreement import agreements
from analytics.review.drawing import draw
from analytics.review.rows import AgreementRow, QueuedRow, Reason, ReviewedRow
from analytics.scope import Scope
from analytics.stats.novelty import Known
from analytics.store import Store
from analytics.store.queues import Queue, QueueRow, add_queue, queues
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = npt.NDArray[np.float64]
POOL = 20_000
"""Candidates are themselves a seeded draw of at most so many, every one as likely."""
COMPARED = 2_000
EVEN = 0.3
TWICE = 0.1
MOST = 5_000
CRITERIA: tuple[Reason, ...] = ("uncertain", "error_model", "unlike")


@dataclass(frozen=True)
class Ask:
    """What a queue is drawn by.

    Attributes:
        name: of the queue.
        k: rows wanted.
        even: share of the chance that is spread evenly over all rows.
        twice: share of the rows that two people are asked about.
        by: criteria by which rows may stand out.
        audit: draw among all rows, labelled ones too: says whether the labels that came are right.
        drawn_by: who draws.
        token: of the caller; the same one again gives the queue that is there.
    """

    name: str
    k: int = 100
    even: float = EVEN
    twice: float = TWICE
    by: tuple[Reason, ...] = CRITERIA
    audit: bool = False
    drawn_by: str = "assay"
    token: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MOST:
            raise ScopeError(f"k {self.k:,} must be from 1 to {MOST:,}")
        if not 0 < self.even <= 1:
            raise ScopeError(
                f"even {self.even:g} must be above 0 and at most 1: without it metrics could not be computed"
            )
        if not 0 <= self.twice <= 1:
            raise ScopeError(f"twice {self.twice:g} must be from 0 to 1")
        if unknown := [name for name in self.by if name not in CRITERIA]:
            raise ScopeError(f'by "{unknown[0]}" is not one of: {", ".join(CRITERIA)}')


def draw_queue(catalog: Catalog, store: Store, scope: Scope, asked: Ask) -> Results[QueuedRow]:
    """Draw a queue of unlabelled rows of one version, and keep it.

    Args:
        catalog: the project's views.
        store: where queues are kept.
        scope: window, filters and one version; the live one where none is named.
        asked: how.

    Raises:
        ProjectError: predictions have no id, or a private one, so a label could not be brought back to its row.
        ScopeError: several versions are named, or there is no row without a label.
        StoreError: there is a queue of this name, or the store cannot be written.
    """
    if catalog.predictions.id is None:
        raise ProjectError(
            f"{catalog.project.file}: predictions.id: labels are brought back by id; name the id column"
        )
    if catalog.predictions.id in catalog.predictions.private:
        raise ProjectError(
            f'{catalog.project.file}: predictions.private: "{catalog.predictions.id}" is never shown, and labels are '
            "brought back by it; name another id column, such as a digest of it"
        )
    scope, _ = resolve(catalog, replace(scope, grain="all", by=None))
    version = _one_version(catalog, scope)
    scope = replace(scope, versions=() if version is None else (version,))
    features = catalog.features[:MOST_FEATURES]
    pool = read_sample(
        catalog, scoped_rows(catalog, scope), POOL, features=features, columns={"id": "id"},
        where=f"{'' if asked.audit else 'label IS NULL AND '}scored AND id IS NOT NULL", seed=f"review {asked.name}",
    )  # fmt: skip
    table, total = pool.table, sum(pool.totals.values())
    if not table.num_rows:
        raise ScopeError(
            "no row of this window is without a label and has an id and a usable score; take a later window, or audit "
            "rows that have a label"
        )
    criteria, notes = _criteria(catalog, scope, version, table, asked.by)
    drawn = draw(criteria, table.num_rows, asked.k, even=asked.even, seed=crc32(asked.name.encode()))
    ids = table.column("id").to_pylist()
    every = round(1 / asked.twice) if asked.twice else 0
    rows = [
        QueueRow(
            place, str(ids[row]), float(chance) * table.num_rows / total, reason,
            2 if every and (place - 1) % every == 0 else 1,
        )
        for place, (row, chance, reason) in enumerate(
            zip(drawn.places.tolist(), drawn.chances.tolist(), drawn.reasons, strict=True), start=1
        )
    ]  # fmt: skip
    content = {
        "scope": scope.to_query(catalog.project.zone),
        "even": asked.even,
        "by": list(asked.by),
        "audit": asked.audit,
    }
    kept = add_queue(
        store, project=catalog.project.name, name=asked.name, version=version, drawn_by=asked.drawn_by,
        candidates=total, content=json.dumps(content, ensure_ascii=False), rows=_once(rows), token=asked.token,
    )  # fmt: skip
    return replace(queue_of(catalog, store, kept.name), notes=tuple(notes))


def queue_of(catalog: Catalog, store: Store, name: str | None = None) -> Results[QueuedRow]:
    """The rows of one queue, or of all of them, with how many labels each has."""
    given = answers_of(catalog, store)
    found = queues(store, catalog.project.name, name)
    if name is not None and not found:
        raise ScopeError(f'there is no queue "{name}"')
    rows = []
    for queue in found:
        moments = _moments(catalog, queue)
        rows += [
            QueuedRow(
                queue.name, row.place, row.prediction_id, moments.get(row.prediction_id), queue.version,
                row.reason, row.inclusion_probability, row.wanted > 1, len(given.of(row.prediction_id)),
            )
            for row in queue.rows
        ]  # fmt: skip
    return Results(tuple(rows), catalog.project.zone)


def reviewed_of(
    catalog: Catalog, store: Store, scope: Scope, name: str | None = None
) -> Results[ReviewedRow]:
    """Metrics of the rows that queues were drawn from, by the labels people gave."""
    given = answers_of(catalog, store, known_at=scope.as_of)
    rows: list[ReviewedRow] = []
    for queue in _named(catalog, store, name):
        rows += reviewed_rows(catalog, queue, given, scope.confidence)
    notes = () if rows else ("no queue has been drawn yet",)
    return Results(tuple(rows), catalog.project.zone, (), notes)


def agreement_of(
    catalog: Catalog, store: Store, scope: Scope, name: str | None = None
) -> Results[AgreementRow]:
    """How far people agree on the rows of a queue that two of them labelled."""
    given = answers_of(catalog, store, known_at=scope.as_of)
    rows: list[AgreementRow] = []
    for queue in _named(catalog, store, name):
        mine = {row.prediction_id for row in queue.rows}
        said = [(one.prediction_id, one.labelled_by, one.label) for one in given.all if one.label is not None]
        rows += agreements(queue.name, [one for one in said if one[0] in mine], scope.confidence)
    return Results(tuple(rows), catalog.project.zone)


def accepted_label(catalog: Catalog, text: str) -> str:
    """A label as a person may give it.

    Raises:
        ScopeError: it is no class of this project, or no number.
    """
    choices = choices_of(catalog)
    said = text.strip()
    if choices and said not in choices:
        raise ScopeError(f'label "{text}" is not one of: {", ".join(choices)}')
    if not choices:
        try:
            number = float(said)
        except ValueError:
            number = float("nan")
        if not np.isfinite(number):
            raise ScopeError(f'label "{text}" is not a number')
    return said


def _named(catalog: Catalog, store: Store, name: str | None) -> Sequence[Queue]:
    found = queues(store, catalog.project.name, name)
    if name is not None and not found:
        raise ScopeError(f'there is no queue "{name}"')
    return found


def _one_version(catalog: Catalog, scope: Scope) -> str | None:
    if len(scope.versions) > 1:
        raise ScopeError("a queue is of one version; name one")
    return live_version(catalog, versions_of(catalog, scope), scope.end)


def _criteria(
    catalog: Catalog, scope: Scope, version: str | None, table: pa.Table, by: Sequence[Reason]
) -> tuple[Mapping[Reason, Floats], list[str]]:
    found: dict[Reason, Floats] = {}
    notes = []
    if "uncertain" in by:
        if catalog.predictions.task == "regression":
            notes.append("a regression logs no probability, so no row is known to be uncertain")
        else:
            found["uncertain"] = doubts(catalog, table)
    if "error_model" in by:
        fitted = fitted_for(catalog, scope, version)
        if fitted is None:
            notes.append("there are too few labelled rows here to learn where the model is wrong")
        else:
            found["error_model"] = fitted.predict(model_columns(catalog, table))
    if "unlike" in by:
        unlike = _unlike(catalog, scope, version, table)
        if unlike is None:
            notes.append("nothing is labelled here yet, so every row is unlike what is labelled")
        else:
            found["unlike"] = unlike
    return found, notes


def _unlike(catalog: Catalog, scope: Scope, version: str | None, table: pa.Table) -> Floats | None:
    """How far each row lies from the nearest labelled ones."""
    features = catalog.features[:MOST_FEATURES]
    if not features:
        return None
    labelled = read_sample(
        catalog, scoped_rows(catalog, scope), COMPARED, features=features, where="label IS NOT NULL"
    )
    mine = of_version(labelled.table, version)
    if mine.num_rows < 20:
        return None
    known = Known.of(list(feature_columns(catalog, mine).values()))
    return known.novelty(list(feature_columns(catalog, table).values()))


def _moments(catalog: Catalog, queue: Queue) -> dict[str, datetime]:
    """When the rows of a queue were predicted, of those the logs still hold."""
    scope = Scope(versions=() if queue.version is None else (queue.version,))
    rows = rows_of_ids(scoped_rows(catalog, scope), [row.prediction_id for row in queue.rows])
    found = read_sample(catalog, rows, MOST, columns={"id": "id"}).table
    return dict(zip(map(str, found.column("id").to_pylist()), found.column("ts").to_pylist(), strict=True))


def _once(rows: Iterable[QueueRow]) -> list[QueueRow]:
    """Ids that are logged twice are asked about once; places stay without gaps."""
    first: dict[str, QueueRow] = {}
    for row in rows:
        first.setdefault(row.prediction_id, row)
    return [replace(row, place=place) for place, row in enumerate(first.values(), start=1)]


def export_records(catalog: Catalog, store: Store, name: str | None = None) -> list[dict[str, Any]]:
    """One record a label, by the column names of the project's label feed, with chance and weight beside it.

    A row that several people labelled has one record: the majority's, of equal numbers the newest.
    """
    labels = catalog.project.labels
    given = answers_of(catalog, store)
    names = {
        "id": labels.id if labels is not None else "prediction_id",
        "label": labels.label if labels is not None else "label",
        "timestamp": labels.timestamp if labels is not None else "label_timestamp",
        "source": (labels.source if labels is not None else None) or "source",
    }
    records = []
    for queue in _named(catalog, store, name):
        for row in queue.rows:
            said = given.agreed(row.prediction_id)
            if said is None or said.label is None:
                continue
            records.append(
                {
                    names["id"]: row.prediction_id,
                    names["label"]: _typed(catalog, said.label),
                    names["timestamp"]: said.labelled_at.isoformat(),
                    names["source"]: "review",
                    "labelled_by": ", ".join(
                        sorted({one.labelled_by for one in given.of(row.prediction_id)})
                    ),
                    "queue": queue.name,
                    "reason": row.reason,
                    "inclusion_probability": row.inclusion_probability,
                    "weight": 1 / row.inclusion_probability,
                }
            )
    return records


def _typed(catalog: Catalog, label: str) -> Any:
    section = catalog.predictions
    if section.task == "regression":
        return float(label)
    if section.task == "binary":
        known = {
            str(value): value for value in (section.positive, section.negative_class) if value is not None
        }
        return known.get(label, label)
    return label


__all__ = [
    "Answers",
    "Ask",
    "accepted_label",
    "agreement_of",
    "choices_of",
    "draw_queue",
    "export_records",
    "queue_of",
    "reviewed_of",
]
