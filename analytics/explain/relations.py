"""What each field is expected to be by the others, learned from the days before the window.

A field that is broken no longer fits the others: shifted by a spread, temperature may still be one that a summer has,
but not at that dew point. The prediction is linear in values and in bins, so that the mean of a day follows from the
counts of that day; a shift of one field moves its own residual further, in standard deviations, than that of any other
(the ratio is their partial correlation), so the largest one is at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.cause_bins import FieldBins
from analytics.aggregates.cause_cells import CauseCells
from analytics.explain.rows import CauseKind

Floats = NDArray[np.float64]
LEAST_MODELLED = 400
RIDGE = 3.0


@dataclass(frozen=True)
class Relation:
    """Residual = ``constant`` x rows + sum of ``weights`` x sums of a day.

    Attributes:
        kind: of the field.
        columns: places of the day's sums.
        weights: of each.
        constant: of each row.
        explained: share of the field's variance.
    """

    kind: CauseKind
    columns: NDArray[np.int64]
    weights: Floats
    constant: float
    explained: float

    def residual_sums(self, sums: Floats, rows: Floats) -> Floats:
        """Of each day, from the day's sums (days, names)."""
        return np.asarray(sums[:, self.columns] @ self.weights + self.constant * rows)


def learn(cells: CauseCells, table: pa.Table) -> dict[tuple[str | None, str], Relation]:
    """Relations by version and field: numbers among features; scores by all features; decisions by the scores."""
    bins = [item for item, _ in cells.bins]
    versions = table.column("version").to_pylist()
    codes = {j: _ints(table, f"c{j}") for j in range(len(bins))}
    standard = {j: _floats(table, f"z{j}") for j, item in enumerate(bins) if item.is_numeric}
    of = np.array([hash(name) for name in versions], dtype=np.int64)
    found: dict[tuple[str | None, str], Relation] = {}
    wholes = [group.version for group in cells.groups if group.segment is None]
    for version in wholes:
        rows = of == hash(version)
        if int(rows.sum()) < LEAST_MODELLED:
            continue
        for name, relation in _of_version(cells, bins, codes, standard, rows):
            found[version, name] = relation
    return found


def _of_version(
    cells: CauseCells,
    bins: Sequence[FieldBins],
    codes: dict[int, NDArray[np.int64]],
    standard: dict[int, Floats],
    rows: NDArray[np.bool_],
) -> list[tuple[str, Relation]]:
    features = [j for j, item in enumerate(bins) if item.field.role == "feature"]
    scores = [j for j, item in enumerate(bins) if item.field.role == "score"]
    numbers = [j for j in features if j in standard]
    names = {j: bins[j].field.name for j in range(len(bins))}
    found: list[tuple[str, Relation]] = []
    values, places = _values(cells, names, standard, numbers, rows)
    texts = [j for j in features if j not in standard]
    coded, coded_places = _coded(cells, bins, codes, texts, rows)
    if len(numbers) > 1:
        for k, j in enumerate(numbers):
            others = np.delete(np.arange(len(numbers)), k)
            design = np.hstack([values[:, others], coded])
            relation = _fit(
                "feature", design, np.concatenate([places[others], coded_places]), values[:, k], places[k]
            )
            if relation.explained >= 0.1:
                found.append((names[j], relation))
    every, every_places = _coded(cells, bins, codes, features, rows)
    for j in scores if features else []:
        own, own_places = _values(cells, names, standard, [j], rows)
        design = np.hstack([values, every])
        relation = _fit("score", design, np.concatenate([places, every_places]), own[:, 0], own_places[0])
        found.append((names[j], relation))
    found += _decisions(cells, bins, codes, rows)
    return found


def _decisions(
    cells: CauseCells,
    bins: Sequence[FieldBins],
    codes: dict[int, NDArray[np.int64]],
    rows: NDArray[np.bool_],
) -> list[tuple[str, Relation]]:
    scores = [j for j, item in enumerate(bins) if item.field.role == "score"]
    for j, item in enumerate(bins):
        if item.field.role == "decision" and scores and item.categories:
            design, places = _coded(cells, bins, codes, scores, rows)
            # of two decisions the rarer one, so that its share is what moves
            k = min(1, len(item.categories) - 1)
            goal = (codes[j][rows] == k).astype(np.float64)
            return [(item.field.name, _fit("decision", design, places, goal, cells.bins[j][1] + k))]
    return []


def _values(
    cells: CauseCells,
    names: dict[int, str],
    standard: dict[int, Floats],
    chosen: Sequence[int],
    rows: NDArray[np.bool_],
) -> tuple[Floats, NDArray[np.int64]]:
    values = [standard[j][rows] for j in chosen]
    places = [cells.names.index(f"z:{names[j]}") for j in chosen]
    empty = np.zeros((int(rows.sum()), 0))
    return np.column_stack(values) if values else empty, np.array(places, dtype=np.int64)


def _coded(
    cells: CauseCells,
    bins: Sequence[FieldBins],
    codes: dict[int, NDArray[np.int64]],
    chosen: Sequence[int],
    rows: NDArray[np.bool_],
) -> tuple[Floats, NDArray[np.int64]]:
    """A column a bin that some of the rows are in."""
    parts, places = [], []
    for j in chosen:
        held = np.eye(bins[j].size)[codes[j][rows]]
        there = np.flatnonzero(held.any(axis=0))
        parts.append(held[:, there])
        places.append(cells.bins[j][1] + there)
    if not parts:
        return np.zeros((int(rows.sum()), 0)), np.zeros(0, dtype=np.int64)
    return np.hstack(parts), np.concatenate(places)


def _fit(kind: CauseKind, design: Floats, places: NDArray[np.int64], goal: Floats, own: int) -> Relation:
    """Ridge regression; a day's residual is its sum of the goal less the prediction."""
    middle, mean = design.mean(axis=0), float(goal.mean())
    centred = design - middle
    weights = np.linalg.solve(
        centred.T @ centred + RIDGE * np.eye(centred.shape[1]), centred.T @ (goal - mean)
    )
    left = goal - mean - centred @ weights
    total = float(((goal - mean) ** 2).sum())
    explained = 1 - float((left**2).sum()) / total if total > 0 else 0.0
    constant = float(middle @ weights) - mean
    return Relation(
        kind,
        np.concatenate([places, [own]]).astype(np.int64),
        np.concatenate([-weights, [1.0]]),
        constant,
        explained,
    )


def _ints(table: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.int64)


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)
