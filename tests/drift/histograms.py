"""Histograms straight from arrays, as the scan of a log would give them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analytics.aggregates.features import CellHistogram
from analytics.aggregates.reference_bins import Field, ReferenceBins, Role
from analytics.aggregates.unit_counts import ReferenceUnits, UnitPairs
from analytics.drift.compute import VersionHistograms, drift_rows
from analytics.drift.rows import DriftRow
from analytics.project import Drift
from analytics.scope import Window

KEY = datetime(1970, 1, 1)  # noqa: DTZ001 - keys are wall-clock times
WINDOW = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=30), KEY)


def numeric_bins(x: np.ndarray, name: str = "x", role: Role = "feature") -> ReferenceBins:
    """The bins `feature_bins` would give (tests/aggregates shows that it does)."""
    x = np.sort(x[np.isfinite(x)])
    coarse: dict[float, bool] = {}
    for k in range(1, 20):
        value = float(x[-(-k * len(x) // 20) - 1])
        coarse[value] = coarse.get(value, False) or k % 2 == 0
    values, counts = np.unique(x, return_counts=True)
    for value in values[counts * 20 >= len(x)].tolist():
        coarse[value] = coarse[math.nextafter(value, math.inf)] = True
    edges = tuple(sorted(coarse))
    return ReferenceBins(
        Field(name, role, "numeric", name), None, edges, tuple(coarse[edge] for edge in edges)
    )


def category_bins(x: np.ndarray, blocks: np.ndarray, name: str = "c", listed: int = 200) -> ReferenceBins:
    held = holders(x, blocks)
    order = sorted(held, key=lambda value: (-held[value][0], value))
    return ReferenceBins(
        Field(name, "feature", "categorical", name),
        None,
        categories=tuple(order[:listed]),
        rows=tuple(held[value][0] for value in order[:listed]),
        blocks=tuple(held[value][1] for value in order[:listed]),
        pooled=len(order) > listed,
    )


def holders(x: np.ndarray, blocks: np.ndarray) -> dict[str, tuple[int, int]]:
    """Value -> rows and blocks of the reference that have it."""
    code, values = pd.factorize(x.astype(object))
    place, numbers = pd.factorize(blocks)
    rows = np.bincount(code, minlength=len(values))
    together = np.unique(code * len(numbers) + place) // max(len(numbers), 1)
    seen = np.bincount(together, minlength=len(values))
    found = zip(values.tolist(), zip(rows.tolist(), seen.tolist(), strict=True), strict=True)
    return {value: counts for value, counts in found if value != ""}


def field_values(
    bins: ReferenceBins, x: np.ndarray, blocks: np.ndarray, held: dict[str, tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Block numbers, and per block the columns of one field."""
    numbers, place = np.unique(blocks, return_inverse=True)
    columns = [np.ones(len(x)), np.ones(len(x)), *np.zeros((6, len(x)))]
    gap = np.where(np.isfinite(x), x - bins.centre, 0.0) if bins.is_numeric else np.zeros(len(x))
    if bins.is_numeric:
        code = np.searchsorted(bins.edges, x, side="right")
        code = np.where(np.isnan(x), bins.n_values, code)
        code = np.where(x == np.inf, bins.n_values + 1, np.where(x == -np.inf, bins.n_values + 2, code))
        finite = np.where(np.isfinite(x), x, bins.edges[0])
        columns[2] = np.maximum(bins.edges[0] - finite, 0)
        columns[3] = np.where(np.isfinite(x), np.maximum(finite - bins.edges[-1], 0), 0)
        columns[4], columns[5] = gap, gap**2
    else:
        listed = {name: i for i, name in enumerate(bins.categories)} | {"": bins.n_values}
        other = dict.fromkeys(held, bins.n_values - 1)
        known = other | listed
        which, values = pd.factorize(x.astype(object))
        code = np.array([known.get(value, bins.size - 1) for value in values.tolist()], dtype=np.int64)[which]
        unlisted = [held[v] if v in held and v not in listed else (0, 0) for v in values.tolist()]
        counts = np.array(unlisted, dtype=np.int64).reshape(-1, 2)[which]
        for column, (unit, few) in enumerate(((0, 1), (0, 2), (1, 1), (1, 2))):
            columns[4 + column] = (counts[:, unit] == few).astype(float)
    cells = np.bincount(place * bins.size + code, minlength=len(numbers) * bins.size)
    sums = [np.bincount(place, column, minlength=len(numbers)) for column in columns]
    return numbers, np.column_stack([cells.reshape(len(numbers), bins.size), *sums])


def cell(
    bins: tuple[ReferenceBins, ...],
    columns: list[np.ndarray],
    blocks: np.ndarray,
    held: dict[str, tuple[int, int]] | None = None,
) -> CellHistogram:
    tables = [
        field_values(item, column, blocks, held or {}) for item, column in zip(bins, columns, strict=True)
    ]
    return CellHistogram(bins, tables[0][0].astype(np.int64), np.concatenate([t for _, t in tables], axis=1))


def versions(reference: CellHistogram, window: CellHistogram | None) -> VersionHistograms:
    return VersionHistograms(None, None, reference, {} if window is None else {KEY: window})


def by_unit(
    reference: tuple[CellHistogram, np.ndarray], window: np.ndarray
) -> tuple[ReferenceUnits, UnitPairs]:
    """What the scan by units would give: the sample (counts by unit, and each row's unit), and a window's units."""
    sample, units = reference
    names = np.union1d(units, window)
    left, right = (np.bincount(np.searchsorted(names, x), minlength=len(names)) for x in (units, window))

    def alike(n: np.ndarray) -> float:
        return float((n * (n - 1.0)).sum() / n.sum() ** 2)

    across = float((left * right).sum() / (left.sum() * right.sum()))
    pairs = UnitPairs(int((right > 0).sum()), alike(right), across)
    return ReferenceUnits(int((left > 0).sum()), alike(left), sample), pairs


def drift_of_arrays(
    reference: np.ndarray,
    window: np.ndarray,
    reference_blocks: np.ndarray | None = None,
    window_blocks: np.ndarray | None = None,
    settings: Drift | None = None,
    units: tuple[np.ndarray, np.ndarray] | None = None,
    bins: ReferenceBins | None = None,
) -> DriftRow:
    """Drift of one column; without blocks and units (of the reference, of the window), rows are independent.

    Bins are those that the reference alone would fix, unless others are given.
    """
    left = np.zeros(len(reference)) if reference_blocks is None else reference_blocks
    right = np.ones(len(window)) if window_blocks is None else window_blocks
    own = numeric_bins(reference) if reference.dtype.kind == "f" else category_bins(reference, left)
    item = own if bins is None else bins
    held = {} if item.is_numeric else holders(reference, left)
    found = versions(cell((item,), [reference], left, held), cell((item,), [window], right, held))
    if units is not None:
        sample, pairs = by_unit((cell((item,), [reference], units[0], held), units[0]), units[1])
        found = replace(found, units=sample, unit_pairs={KEY: pairs})
    return drift_rows([found], [WINDOW], settings or Drift())[0]
