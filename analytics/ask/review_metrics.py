"""Metrics of all rows a queue was drawn from, by the labels of those that were reviewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.aggregates.samples import read_sample, rows_of_ids
from analytics.ask.aggregates import decides
from analytics.ask.review_labels import Answers, choices_of
from analytics.ask.samples import block_codes, numbers, weights_of
from analytics.drift.damage import log_loss
from analytics.measures.estimate import Family
from analytics.measures.rows import Together, mean_of_rows
from analytics.review.rows import ReviewedRow
from analytics.scope import Scope
from analytics.store.queues import Queue
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
LEAST = 20
MOST = 5_000


@dataclass(frozen=True, eq=False)
class _Part:
    """A metric as the mean of values over some of the rows."""

    values: Floats
    rows: Truths
    family: Family


def reviewed_rows(catalog: Catalog, queue: Queue, given: Answers, confidence: float) -> list[ReviewedRow]:
    """Every metric that is a mean over rows, weighted by one over the chance with which each row was drawn."""
    said = {row.prediction_id: given.agreed(row.prediction_id) for row in queue.rows}
    labels = {name: one.label for name, one in said.items() if one is not None and one.label is not None}
    table = _logged(catalog, queue, list(labels))
    ids = [str(one) for one in table.column("id").to_pylist()]
    chances = {row.prediction_id: row.inclusion_probability for row in queue.rows}
    weight = np.array([1 / chances[one] for one in ids]) * weights_of(table)
    units = table.column("unit").to_pylist()
    unit = None
    if catalog.predictions.unit is not None and units:
        codes = np.unique(np.array([str(one) for one in units], dtype=object), return_inverse=True)[1]
        unit = codes.astype(np.int64)
    together = Together(weight, block_codes(table), unit)
    found = []
    for metric, part in _parts(catalog, table, [labels[one] for one in ids]).items():
        found.append(_row(queue, metric, part, together, confidence))
    return found


def _logged(catalog: Catalog, queue: Queue, ids: list[str]) -> pa.Table:
    scope = Scope(versions=() if queue.version is None else (queue.version,))
    rows = rows_of_ids(scoped_rows(catalog, scope), ids)
    return read_sample(catalog, rows, MOST, columns={"id": "id"}, where="scored").table


def _row(queue: Queue, metric: str, part: _Part, together: Together, confidence: float) -> ReviewedRow:
    n = int(part.rows.sum())
    row = {"queue": queue.name, "version": queue.version, "metric": metric, "n_labelled": n,
           "n_queued": len(queue.rows), "n_total": queue.candidates}  # fmt: skip
    nothing = {"value": None, "ci_low": None, "ci_high": None, "unweighted": None, "independence": None}
    if n < LEAST:
        status = "no_data" if n == 0 else "too_few"
        return ReviewedRow(**row, **nothing, status=status, reason=f"{n} labelled rows; {LEAST} are needed")  # type: ignore[arg-type]
    values, mine = part.values[part.rows], together.part(part.rows)
    found = mean_of_rows(metric, values, mine, part.family)
    low, high, independence = found.interval(confidence)
    return ReviewedRow(
        queue.name, queue.version, metric, found.value, low, high, float(values.mean()), n, len(queue.rows),
        queue.candidates, independence, "ok", None,
    )  # fmt: skip


def _parts(catalog: Catalog, table: pa.Table, labels: list[str]) -> dict[str, _Part]:
    match catalog.predictions.task:
        case "regression":
            return _regression(table, labels)
        case "binary":
            return _binary(catalog, table, labels)
        case "multiclass":
            return _multiclass(catalog, table, labels)


def _regression(table: pa.Table, labels: list[str]) -> dict[str, _Part]:
    error = numbers(table, "score") - np.array([float(one) for one in labels])
    everything = np.isfinite(error)
    return {
        "mean_absolute_error": _Part(np.abs(error), everything, "positive"),
        "mean_error": _Part(error, everything, "mean"),
    }


def _binary(catalog: Catalog, table: pa.Table, labels: list[str]) -> dict[str, _Part]:
    label = np.array([one == choices_of(catalog)[1] for one in labels], dtype=np.float64)
    score = numbers(table, "score")
    everything = np.ones(len(label), dtype=bool)
    found = {
        "log_loss": _Part(log_loss(np.where(label == 1, score, 1 - score)), everything, "positive"),
        "brier_score": _Part(np.square(score - label), everything, "positive"),
        "prevalence": _Part(label, everything, "share"),
    }
    if not decides(catalog.predictions):
        return found
    decision = numbers(table, "decision")
    decided = np.isfinite(decision)
    return {
        "accuracy": _Part((decision == label).astype(np.float64), decided, "share"),
        "precision": _Part(label, decided & (decision == 1), "share"),
        "recall": _Part(np.where(decided, decision, 0.0), decided & (label == 1), "share"),
        **found,
    }


def _multiclass(catalog: Catalog, table: pa.Table, labels: list[str]) -> dict[str, _Part]:
    decisions = table.column("decision").to_pylist()
    by_class = {name: numbers(table, f"score:{name}") for name in catalog.predictions.classes}
    given = np.array([by_class[name][i] if name in by_class else np.nan for i, name in enumerate(labels)])
    right = np.array([one == other for one, other in zip(decisions, labels, strict=True)], dtype=np.float64)
    everything = np.ones(len(labels), dtype=bool)
    return {
        "accuracy": _Part(right, everything, "share"),
        "log_loss": _Part(log_loss(given), np.isfinite(given), "positive"),
    }
