"""Rows split by what came of them: their label, their decision, or whether it was right.

A regression has no right and wrong: its rows are split at the median absolute error of their window and version, and
its labels at their quartiles over the whole stretch, so that a group means the same in every window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analytics.engines.text import Sql, literal
from analytics.errors import ScopeError
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import interval_names

Split = Literal["label", "decision", "outcome"]
SPLITS: tuple[Split, ...] = ("label", "decision", "outcome")
RIGHT, WRONG = "right", "wrong"
CLOSE, FAR = "close", "far"
_LABELLED = "scored AND label IS NOT NULL"


@dataclass(frozen=True)
class Grouping:
    """Scoped rows, and the SQL that gives each the group it belongs to (NULL: they are not split).

    Attributes:
        name: of what they are split by.
        notes: how, where that is not plain.
    """

    rows: Sql
    expression: str = "segment"
    name: str | None = None
    notes: tuple[str, ...] = ()


def grouped(catalog: Catalog, rows: Sql, split: Split) -> Grouping:
    """Split scoped rows.

    Raises:
        ScopeError: the project logs nothing to split by, or it has no meaning for its task.
    """
    if split in {"label", "outcome"} and not catalog.has_labels:
        raise ScopeError(f"split: {split} needs labels, and the project declares none")
    if catalog.predictions.task == "regression":
        return _of_regression(catalog, rows, split)
    if split == "outcome":
        _needs_decisions(catalog, split)
        right = f"CASE WHEN label = decision THEN {literal(RIGHT)} ELSE {literal(WRONG)} END"
        nothing = "label IS NULL OR decision IS NULL"
        return Grouping(rows, f"CASE WHEN {nothing} THEN {literal(MISSING)} ELSE {right} END", split)
    if split == "decision":
        _needs_decisions(catalog, split)
    return Grouping(rows, f"coalesce(nullif(CAST({split} AS VARCHAR), ''), {literal(MISSING)})", split)


def _needs_decisions(catalog: Catalog, split: Split) -> None:
    section = catalog.predictions
    if section.decision is None and section.threshold is None and section.task != "multiclass":
        raise ScopeError(
            f"split: {split} needs decisions; name their column, or a threshold, under [predictions]"
        )


def _of_regression(catalog: Catalog, rows: Sql, split: Split) -> Grouping:
    if split == "decision":
        raise ScopeError("split: a regression takes no decisions; split by label or outcome")
    if split == "label":
        edges = _quartiles(catalog, rows)
        names = interval_names(edges)
        cases = " ".join(
            f"WHEN label < {literal(edge)} THEN {literal(name)}"
            for edge, name in zip(edges, names[:-1], strict=True)
        )
        expression = f"CASE WHEN label IS NULL THEN {literal(MISSING)} {cases} ELSE {literal(names[-1])} END"
        return Grouping(
            rows, expression, split, ("labels are split at their quartiles over all rows asked for",)
        )
    middle = (
        "SELECT window_key, version, min(error) FILTER (WHERE upto * 2e0 >= total) AS middle_error FROM "
        "(SELECT window_key, version, error, sum(held) OVER (PARTITION BY window_key, version ORDER BY error "
        "ROWS UNBOUNDED PRECEDING) AS upto, sum(held) OVER (PARTITION BY window_key, version) AS total FROM "
        "(SELECT window_key, version, abs(score - label) AS error, sum(weight) AS held "
        f"FROM ({rows.text}) WHERE {_LABELLED} GROUP BY window_key, version, abs(score - label))) "
        "GROUP BY window_key, version"
    )
    same = "r.window_key = e.window_key AND coalesce(r.version, '') = coalesce(e.version, '')"
    joined = f"SELECT r.*, e.middle_error AS middle_error FROM ({rows.text}) AS r LEFT JOIN ({middle}) AS e ON {same}"
    side = f"CASE WHEN abs(score - label) <= middle_error THEN {literal(CLOSE)} ELSE {literal(FAR)} END"
    return Grouping(
        Sql(joined, rows.parameters),
        f"CASE WHEN {_LABELLED} THEN {side} ELSE {literal(MISSING)} END",
        split,
        (f"{CLOSE}: the absolute error is at most the median of its window and version; {FAR}: above it",),
    )


def _quartiles(catalog: Catalog, rows: Sql) -> tuple[float, ...]:
    """The order statistics at the quarters of the labels."""
    ordered = (
        "SELECT value, sum(held) OVER (ORDER BY value ROWS UNBOUNDED PRECEDING) AS upto, sum(held) OVER () AS total "
        f"FROM (SELECT label AS value, sum(weight) AS held FROM ({rows.text}) WHERE {_LABELLED} GROUP BY label)"
    )
    picks = ", ".join(f"min(value) FILTER (WHERE upto * 4e0 >= total * {k}e0) AS q{k}" for k in (1, 2, 3))
    row = catalog.engine.query(Sql(f"SELECT {picks} FROM ({ordered})", rows.parameters)).to_pylist()[0]
    return tuple(sorted({float(value) for value in row.values() if value is not None}))
