"""Estimates of a binary model, from sums by score and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.estimated import (
    USABLE,
    BinaryCell,
    Key,
    read_binary,
    read_reference,
)
from analytics.aggregates.estimated_parts import read_estimated
from analytics.aggregates.samples import Sample
from analytics.ask.aggregates import edges_of
from analytics.ask.estimate_base import (
    FOLDS,
    MANY_ROWS,
    QUANTILES,
    WEIGHTED_ROWS,
    WINDOW_ROWS,
    Evidence,
    Reader,
    Weigher,
    no_labels,
    no_rows,
)
from analytics.measures.standard_estimates import kept_estimates
from analytics.quality.estimators import (
    Realised,
    Refit,
    WindowEstimate,
    measured_binary,
    of_binary,
)
from analytics.stats import expected_quality as expected
from analytics.stats.calibrators import Chosen, block_folds, choose
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Binary(Reader):
    """Binary models."""

    def read(self) -> None:
        """Rows by score, decision and label, and samples where the reference is weighted."""
        costs = self.catalog.project.costs
        self.earned = None
        if costs is not None and costs.matrix is None:
            self.earned = np.array(
                [[costs.true_negative, costs.false_positive], [costs.false_negative, costs.true_positive]]
            )
        self.metrics = (*expected.BINARY, "cost") if self.earned is not None else expected.BINARY
        edges = edges_of(self.catalog.predictions)
        stored = self._stored()
        self.cells, text = stored if stored is not None else read_binary(self.catalog, self.rows, edges)
        self.sql.append(text)
        self.reference_cells: dict[Key, BinaryCell] = {}
        if self.reference is not None:
            self.reference_cells, text = read_reference(self.catalog, self.reference, self.plan.span, edges)
            self.sql.append(text)
        self.reference_rows: Sample | None = None
        self.window_rows: Sample | None = None
        if "pape" in self.methods:
            self.reference_rows = self.reference_sample(WEIGHTED_ROWS, features=True)
            self.window_rows = self.sample(self.rows, WINDOW_ROWS // 2, USABLE, features=True)

    def _stored(self) -> tuple[dict[Key, BinaryCell], str] | None:
        """The cells from stored parts, of windows that are days and of which no stretch is left out."""
        plan = self.plan
        if plan.scope.grain != "day" or plan.span.gap is not None:
            return None
        rows = scoped_rows(self.catalog, replace(plan.reading, grain="day"))
        return read_estimated(self.catalog, rows, kept_estimates(self.catalog), plan.span.known_after)

    def evidence(self, version: str | None) -> Evidence:
        """Calibrated scores of all windows, weighted to each where asked for."""
        mine = sorted((key[0], cell) for key, cell in self.reference_cells.items() if key[1] == version)
        cells = [self.cells.get((key, version)) for key in self.keys]
        reference = [cell for _, cell in mine]
        realised = [self._measured(cell, early=False) for cell in cells]
        early = [
            self._measured(cell, early=True) if _has_late_labels(cell) else whole
            for cell, whole in zip(cells, realised, strict=True)
        ]
        found = Evidence(
            int(sum(cell.rows.n[cell.label >= 0].sum() for cell in reference)),
            [self._measured(cell, early=False) for cell in reference],
            early,
            realised,
        )
        chosen, fold_of = self._calibration(reference)
        found.in_reference["cbpe"] = [self._crossed(cell, chosen, fold_of) for cell in reference]
        found.estimates["cbpe"] = [self._estimate(cell, chosen) for cell in cells]
        if "pape" in self.methods:
            self._weighted(found, version, [key for key, _ in mine], reference, cells)
        return found

    def _measured(self, cell: BinaryCell | None, *, early: bool) -> Realised:
        if cell is None:
            return no_labels(self.metrics)
        rows = (cell.label >= 0) & (cell.early | (not early))
        return measured_binary(cell.rows.only(rows), cell.label[rows], self.metrics, self.earned)

    def _calibration(self, cells: Sequence[BinaryCell]) -> tuple[Chosen | None, dict[int, int]]:
        if not cells:
            return None, {}
        label = np.concatenate([cell.label for cell in cells])
        known = label >= 0
        block = np.concatenate([cell.block for cell in cells])[known]
        if not known.any():
            return None, {}
        fold = block_folds(block, FOLDS)
        score = np.concatenate([cell.rows.score for cell in cells])[known]
        weight = np.concatenate([cell.rows.w for cell in cells])[known]
        chosen = choose(*_thinned(score, label[known], weight, fold))
        return chosen, dict(zip(block.tolist(), fold.tolist(), strict=True))

    def _crossed(self, cell: BinaryCell, chosen: Chosen | None, fold_of: Mapping[int, int]) -> WindowEstimate:
        score = cell.rows.score
        if chosen is None:
            return self._estimate(cell, None)
        blocks, place = np.unique(cell.block, return_inverse=True)
        fold = np.array([fold_of.get(block, 0) for block in blocks.tolist()], dtype=np.int64)[place]
        return of_binary(cell.rows, chosen.cross_fitted(score, fold), (), self.metrics, self.earned)

    def _estimate(self, cell: BinaryCell | None, chosen: Chosen | None) -> WindowEstimate:
        if cell is None:
            return no_rows(self.metrics)
        score = cell.rows.score
        if chosen is None:
            return of_binary(cell.rows, score, (), self.metrics, self.earned)
        found = of_binary(cell.rows, chosen.chances(score), chosen.left_out(score), self.metrics, self.earned)
        return replace(found, calibration=chosen.kind)

    def _weighted(
        self,
        found: Evidence,
        version: str | None,
        keys: Sequence[datetime],
        reference: Sequence[BinaryCell],
        cells: Sequence[BinaryCell | None],
    ) -> None:
        weigher = Weigher.of(self, self.reference_rows, self.window_rows, version)
        found.in_reference["pape"] = [
            self._refitted(cell, weigher.inside(key), plain)
            for key, cell, plain in zip(keys, reference, found.in_reference["cbpe"], strict=True)
        ]
        found.estimates["pape"] = [
            self._refitted(cell, weigher.outside(key), plain)
            for key, cell, plain in zip(self.keys, cells, found.estimates["cbpe"], strict=True)
        ]

    def _refitted(self, cell: BinaryCell | None, fitted: Refit, plain: WindowEstimate) -> WindowEstimate:
        if cell is None or fitted.chosen is None:
            return replace(plain, effective_n=fitted.effective_n or None, note=fitted.reason)
        return replace(self._estimate(cell, fitted.chosen), effective_n=fitted.effective_n)


def _has_late_labels(cell: BinaryCell | None) -> bool:
    """Whether what was known when the window was mature is less than what is known now."""
    return cell is not None and bool(((cell.label >= 0) & ~cell.early).any())


def _thinned(
    score: Floats, label: Integers, weight: Floats, fold: Integers
) -> tuple[Floats, Integers, Floats, Integers]:
    """Rows of one fold and label whose scores lie in one of the quantile groups, as one."""
    if len(score) <= MANY_ROWS:
        return score, label, weight, fold
    edges = np.unique(np.quantile(score, np.linspace(0, 1, QUANTILES + 1)[1:-1]))
    folds = int(fold.max()) + 1
    cell = (np.searchsorted(edges, score, side="right") * folds + fold) * 2 + label
    kept, place = np.unique(cell, return_inverse=True)
    total = np.bincount(place, weight)
    mean = np.bincount(place, weight * score) / total
    rest = kept // 2
    return (
        mean,
        np.asarray(kept % 2, np.int64),
        np.asarray(total, np.float64),
        np.asarray(rest % folds, np.int64),
    )
