"""Estimates of multiclass models and regressions, whose rows are looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.estimated import ERRORS, WEIGHT
from analytics.aggregates.keys import block_codes, column
from analytics.aggregates.samples import Sample
from analytics.ask.estimate_base import (
    FOLDS,
    MODEL_FOLDS,
    WEIGHTED_ROWS,
    Evidence,
    Sampled,
    Weigher,
    by_window,
    no_rows,
    numbers,
    of_version,
    scores_and_labels,
)
from analytics.measures import multiclass
from analytics.quality.error_models import fit_error_models
from analytics.quality.estimators import (
    ClassRows,
    ErrorRows,
    Realised,
    WindowEstimate,
    as_chances,
    measured,
    nothing,
    of_classes,
    of_errors,
    too_few_labels,
)
from analytics.stats import expected_quality as expected
from analytics.stats.calibrators import Chosen, block_folds, choose
from analytics.stats.classification import Undefined
from analytics.stats.encoding import Encoder, fit_encoder

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Multiclass(Sampled):
    """Models of several classes."""

    def read(self) -> None:
        """Samples of rows, and tables of true and decided class."""
        self.classes = self.catalog.predictions.classes
        costs = self.catalog.project.costs
        self.earned = None
        if costs is not None and costs.matrix is not None:
            matrix = costs.matrix
            self.earned = np.array(
                [
                    [matrix.get(true, {}).get(decided, 0.0) for decided in self.classes]
                    for true in self.classes
                ]
            )
        self.metrics = (*expected.MULTICLASS, "cost") if self.earned is not None else expected.MULTICLASS
        known = {one.name: one.expression for one in multiclass.statistics(self.classes)}
        self.statistics = {**WEIGHT, **{name: known[name] for name in ("log_loss", "brier_score")}}
        self.read_samples(features="pape" in self.methods)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:
        """Losses from sums, all else from the table."""
        found = expected.matrix_metrics(table, self.earned)
        values = [sums[1] / sums[0], sums[2] / sums[0]]
        values += [np.nan if isinstance(part, Undefined) else part.value for part in found.values()]
        reasons = {name: part.reason for name, part in found.items() if isinstance(part, Undefined)}
        return measured(np.array(values), reasons, n)

    def evidence(self, version: str | None) -> Evidence:
        """Calibrated scores of all windows, weighted to each where asked for."""
        early, now = self.measured_windows(version)
        found = Evidence(0, [], early, now, {"cbpe": []}, {"cbpe": []})
        windows = self._windows(version)
        chosen = None
        if self.reference_rows is not None:
            chosen = self._reference(found, of_version(self.reference_rows.table, version))
        found.estimates["cbpe"] = [self._estimate(rows, chosen) for rows in windows]
        if "pape" in self.methods:
            self._weighted(found, version, windows)
        return found

    def _windows(self, version: str | None) -> list[ClassRows | None]:
        table = of_version(self.window_rows.table, version)
        rows = {key: self._rows(table.take(pa.array(index))) for key, index in by_window(table).items()}
        return [
            replace(rows[key], total=self.totals[key, version]) if key in rows else None for key in self.keys
        ]

    def _rows(self, table: pa.Table) -> ClassRows:
        place = {name: i for i, name in enumerate(self.classes)}
        score, label = scores_and_labels(table, self.classes)
        decision = numbers(table.column("decision").to_pylist(), place)
        return ClassRows(score, decision, column(table, "weight"), label, table.num_rows)

    def _reference(self, found: Evidence, table: pa.Table) -> Chosen | None:
        found.n_reference = table.num_rows
        if table.num_rows == 0:
            return None
        rows, fold = self._rows(table), block_folds(block_codes(table), FOLDS)
        chosen = choose(rows.score, rows.label, rows.weight, fold)
        chance = chosen.cross_fitted(rows.score, fold)
        self.reference_windows = sorted(by_window(table, "window_of").items(), key=lambda one: str(one[0]))
        for _, index in self.reference_windows:
            part = ClassRows(
                rows.score[index], rows.decision[index], rows.weight[index], rows.label[index], len(index)
            )
            found.in_reference["cbpe"].append(of_classes(part, chance[index], (), self.metrics, self.earned))
            found.reference_measured.append(self._from_rows(part))
        return chosen

    def _from_rows(self, rows: ClassRows) -> Realised:
        problem = too_few_labels(len(rows.label), self.metrics)
        if problem is not None:
            return problem
        certain = np.eye(len(self.classes))[rows.label]
        exact = expected.multiclass(rows.score, rows.decision, rows.weight, certain, self.earned)
        return measured(exact.values, exact.reasons, len(rows.label))

    def _estimate(self, rows: ClassRows | None, chosen: Chosen | None) -> WindowEstimate:
        if rows is None:
            return no_rows(self.metrics)
        if chosen is None:
            return of_classes(rows, as_chances(rows.score), (), self.metrics, self.earned)
        chance, others = chosen.chances(rows.score), chosen.left_out(rows.score)
        return replace(of_classes(rows, chance, others, self.metrics, self.earned), calibration=chosen.kind)

    def _weighted(self, found: Evidence, version: str | None, windows: Sequence[ClassRows | None]) -> None:
        known = _first(self.reference_rows, WEIGHTED_ROWS, version)
        weigher = Weigher.of(self, known, self.window_rows, version)
        # the reference's own windows are too small in the sample to be refitted one by one: the plain fits' errors
        # there stand for the weighted ones, which differ from them where the window does
        found.in_reference["pape"] = list(found.in_reference["cbpe"])
        found.estimates["pape"] = []
        for key, rows, plain in zip(self.keys, windows, found.estimates["cbpe"], strict=True):
            fitted = weigher.outside(key)
            if rows is None or fitted.chosen is None:
                answer = replace(plain, effective_n=fitted.effective_n or None, note=fitted.reason)
            else:
                answer = replace(self._estimate(rows, fitted.chosen), effective_n=fitted.effective_n)
            found.estimates["pape"].append(answer)


def _first(sample: Sample | None, size: int, version: str | None) -> Sample | None:
    """Some rows of one version, spread evenly over the sample."""
    if sample is None:
        return None
    table = of_version(sample.table, version)
    chosen = np.unique(np.linspace(0, max(table.num_rows - 1, 0), min(size, table.num_rows)).astype(np.int64))
    return replace(sample, table=table.take(pa.array(chosen)))


class Regression(Sampled):
    """Regressions."""

    metrics = expected.REGRESSION

    def read(self) -> None:
        """Samples of rows with their features, and sums of errors."""
        self.statistics = ERRORS
        self.read_samples(features=True)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:  # noqa: ARG002  # errors need no table
        """Mean absolute error and root mean squared error."""
        return measured(np.array([sums[1] / sums[0], np.sqrt(sums[2] / sums[0])]), {}, n)

    def evidence(self, version: str | None) -> Evidence:
        """Expected errors of all windows."""
        early, now = self.measured_windows(version)
        found = Evidence(0, [], early, now, {"dle": []}, {"dle": []})
        known = None
        if self.reference_rows is not None:
            known = of_version(self.reference_rows.table, version)
        if known is None or known.num_rows < 2 * MODEL_FOLDS:
            reason = "no labelled reference rows of this version to learn its errors from"
            found.estimates["dle"] = [
                nothing(self.metrics, "undefined", reason, self._total(key, version)) for key in self.keys
            ]
            return found
        found.n_reference = known.num_rows
        encoder = fit_encoder(self.columns(known))
        rows_of = self._learn(found, known, encoder)
        table = of_version(self.window_rows.table, version)
        features, weight = encoder(self.columns(table)), column(table, "weight")
        index = by_window(table)
        every = rows_of(features, weight, len(weight))
        found.estimates["dle"] = [
            of_errors(_part(every, index[key], self._total(key, version)), self.metrics)
            if key in index
            else no_rows(self.metrics)
            for key in self.keys
        ]
        return found

    def _total(self, key: datetime, version: str | None) -> int:
        return self.totals.get((key, version), 0)

    def _learn(
        self, found: Evidence, known: pa.Table, encoder: Encoder
    ) -> Callable[[Floats, Floats, int], ErrorRows]:
        features, weight = encoder(self.columns(known)), column(known, "weight")
        error = column(known, "score") - column(known, "label")
        fold = block_folds(block_codes(known), MODEL_FOLDS)
        models = fit_error_models(features, error, weight, fold)
        left_out = models.left_out(features, weight, fold)
        for _, index in sorted(by_window(known, "window_of").items(), key=lambda one: str(one[0])):
            found.in_reference["dle"].append(of_errors(_part(left_out, index, len(index)), self.metrics))
            found.reference_measured.append(self._from_rows(error[index], weight[index]))
        return models.rows

    def _from_rows(self, error: Floats, weight: Floats) -> Realised:
        problem = too_few_labels(len(error), self.metrics)
        if problem is not None:
            return problem
        mean, square = np.average(np.abs(error), weights=weight), np.average(np.square(error), weights=weight)
        return measured(np.array([float(mean), float(np.sqrt(square))]), {}, len(error))


def _part(rows: ErrorRows, index: Integers, total: int) -> ErrorRows:
    return replace(
        rows,
        absolute=rows.absolute[:, index],
        square=rows.square[:, index],
        weight=rows.weight[index],
        total=total,
    )
