"""Reads what estimates need and runs the estimators over all windows of each version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.estimated import (
    BinaryCell,
    Key,
    LabelledSums,
    read_binary,
    read_labelled,
    windowed,
)
from analytics.aggregates.keys import block_codes, column
from analytics.aggregates.samples import Sample, read_sample
from analytics.ask.aggregates import edges_of
from analytics.ask.estimate_windows import Plan
from analytics.engines.text import Sql
from analytics.measures import multiclass
from analytics.quality.error_models import fit_error_models
from analytics.quality.estimated import Method
from analytics.quality.estimators import (
    ClassRows,
    ErrorRows,
    Realised,
    Refit,
    Weighted,
    WindowEstimate,
    as_chances,
    measured,
    measured_binary,
    nothing,
    of_binary,
    of_classes,
    of_errors,
    refit,
    too_few_labels,
)
from analytics.stats import expected_quality as expected
from analytics.stats.calibrators import Chosen, block_folds, choose
from analytics.stats.classification import Undefined
from analytics.stats.encoding import Column, Encoder, fit_encoder
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
REFERENCE_ROWS = 20_000
"""Labelled reference rows that are looked at one by one, of each version."""
WEIGHTED_ROWS = 3_000
"""The same where they are weighted anew for every window."""
WINDOW_ROWS = 1_000
"""Rows of each window that are looked at one by one."""
MANY_ROWS = 5_000
QUANTILES = 250
"""Groups that the scores of more reference rows than that are put into before anything is fitted."""
FOLDS = 10
MODEL_FOLDS = 5


@dataclass
class Evidence:
    """What was found for one version.

    Attributes:
        n_reference: labelled reference rows.
        reference_measured: one a window of the reference, in the order of time.
        early: measured on the labels known when mature, one a planned window.
        now: measured on all labels known.
        in_reference: estimates of the reference's windows by fits that did not see them.
        estimates: one a planned window.
    """

    n_reference: int
    reference_measured: list[Realised]
    early: list[Realised]
    now: list[Realised]
    in_reference: dict[Method, list[WindowEstimate]] = field(default_factory=dict)
    estimates: dict[Method, list[WindowEstimate]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """All versions, the metrics in order, and the SQL texts that scanned."""

    metrics: tuple[str, ...]
    versions: dict[str | None, Evidence]
    sql: tuple[str, ...]


def read_evidence(
    catalog: Catalog, plan: Plan, versions: Sequence[str | None], methods: Sequence[Method]
) -> Reading:
    """Read and estimate, by the model's task."""
    rows = windowed(scoped_rows(catalog, plan.reading), plan.span)
    reference = None
    if "reference" in catalog.sources:
        whole = replace(plan.scope, start=None, end=None, as_of=None, versions=())
        reference = scoped_rows(catalog, whole, "reference")
    reader: _Reader = {"binary": _Binary, "multiclass": _Multiclass, "regression": _Regression}[
        catalog.predictions.task
    ](catalog, plan, rows, reference, tuple(methods))
    return Reading(reader.metrics, {name: reader.evidence(name) for name in versions}, tuple(reader.sql))


class _Reader:
    """What the three tasks share."""

    metrics: tuple[str, ...]

    def __init__(
        self, catalog: Catalog, plan: Plan, rows: Sql, reference: Sql | None, methods: tuple[Method, ...]
    ) -> None:
        self.catalog, self.plan, self.methods = catalog, plan, methods
        self.rows, self.reference = rows, reference
        self.sql: list[str] = []
        self.keys = [planned.window.key for planned in plan.windows]
        self.read()

    def read(self) -> None:
        """Read everything of all versions."""
        raise NotImplementedError

    def evidence(self, version: str | None) -> Evidence:
        """Estimate all windows of one version."""
        raise NotImplementedError

    def windowed_reference(self, *, keyed: bool) -> Sql | None:
        """The reference's rows, cut like the windows."""
        return None if self.reference is None else windowed(self.reference, self.plan.span, keyed=keyed)

    def sample(self, rows: Sql, size: int, where: str, *, features: bool) -> Sample:
        """Rows one by one, with what they are cut by."""
        drawn = read_sample(
            self.catalog, rows, size, where=where, features=self.catalog.features if features else (),
            columns={"window_of": "window_of"},
        )  # fmt: skip
        self.sql.append(drawn.sql)
        return drawn

    def reference_sample(self, size: int, *, features: bool) -> Sample | None:
        """Labelled rows of the reference."""
        rows = self.windowed_reference(keyed=False)
        if rows is None:
            return None
        return self.sample(rows, size, "scored AND label IS NOT NULL", features=features)

    def columns(self, table: pa.Table) -> dict[str, Column]:
        """The features, and the scores on a scale that classifiers can use."""
        found: dict[str, Column] = {}
        for name in table.column_names:
            if name.startswith("feature:"):
                values = table.column(name)
                numeric = pa.types.is_floating(values.type)
                found[name] = column(table, name) if numeric else values.to_pylist()
            elif name == "score" or name.startswith("score:"):
                score = column(table, name)
                found[name] = score if self.catalog.predictions.task == "regression" else _logit(score)
        return found


def _logit(score: Floats) -> Floats:
    clipped = np.clip(score, 1e-4, 1 - 1e-4)
    answer: Floats = np.log(clipped) - np.log1p(-clipped)
    return answer


def _of_version(table: pa.Table, version: str | None) -> pa.Table:
    names = table.column("version").to_pylist()
    return table.take(pa.array([i for i, name in enumerate(names) if name == version], pa.int64()))


def _by_window(table: pa.Table, name: str = "window_key") -> dict[datetime, Integers]:
    if table.num_rows == 0:
        return {}
    encoded = table.column(name).combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return {key: np.flatnonzero(codes == i) for i, key in enumerate(encoded.dictionary.to_pylist())}


class _Binary(_Reader):
    def read(self) -> None:
        costs = self.catalog.project.costs
        self.earned = None
        if costs is not None and costs.matrix is None:
            self.earned = np.array(
                [[costs.true_negative, costs.false_positive], [costs.false_negative, costs.true_positive]]
            )
        self.metrics = (*expected.BINARY, "cost") if self.earned is not None else expected.BINARY
        edges = edges_of(self.catalog.predictions)
        self.cells, text = read_binary(self.catalog, self.rows, edges)
        self.sql.append(text)
        self.reference_cells: dict[Key, BinaryCell] = {}
        known = self.windowed_reference(keyed=True)
        if known is not None:
            self.reference_cells, text = read_binary(self.catalog, known, edges, blocks=True)
            self.sql.append(text)
        self.reference_rows: Sample | None = None
        self.window_rows: Sample | None = None
        if "pape" in self.methods:
            self.reference_rows = self.reference_sample(WEIGHTED_ROWS, features=True)
            self.window_rows = self.sample(self.rows, WINDOW_ROWS // 2, "scored", features=True)

    def evidence(self, version: str | None) -> Evidence:
        mine = sorted((key[0], cell) for key, cell in self.reference_cells.items() if key[1] == version)
        cells = [self.cells.get((key, version)) for key in self.keys]
        reference = [cell for _, cell in mine]
        found = Evidence(
            int(sum(cell.rows.n[cell.label >= 0].sum() for cell in reference)),
            [self._measured(cell, early=False) for cell in reference],
            [self._measured(cell, early=True) for cell in cells],
            [self._measured(cell, early=False) for cell in cells],
        )
        chosen, fold_of = self._calibration(reference)
        found.in_reference["cbpe"] = [self._crossed(cell, chosen, fold_of) for cell in reference]
        found.estimates["cbpe"] = [self._estimate(cell, chosen) for cell in cells]
        if "pape" in self.methods:
            self._weighted(found, version, [key for key, _ in mine], reference, cells)
        return found

    def _measured(self, cell: BinaryCell | None, *, early: bool) -> Realised:
        if cell is None:
            return _no_labels(self.metrics)
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
        fold = np.array([fold_of.get(block, 0) for block in cell.block.tolist()], dtype=np.int64)
        return of_binary(cell.rows, chosen.cross_fitted(score, fold), (), self.metrics, self.earned)

    def _estimate(self, cell: BinaryCell | None, chosen: Chosen | None) -> WindowEstimate:
        if cell is None:
            return _no_rows(self.metrics)
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
        weigher = _Weigher.of(self, self.reference_rows, self.window_rows, version)
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


@dataclass
class _Weigher:
    """Refits the calibration of one version for each window."""

    reference: Weighted | None
    inside_rows: dict[datetime, Integers]
    windows: dict[datetime, Floats]

    @classmethod
    def of(
        cls, reader: _Reader, reference: Sample | None, windows: Sample | None, version: str | None
    ) -> _Weigher:
        """Of one version's samples."""
        if reference is None or windows is None:
            return cls(None, {}, {})
        known, rows = _of_version(reference.table, version), _of_version(windows.table, version)
        if known.num_rows == 0:
            return cls(None, {}, {})
        encoder = fit_encoder(reader.columns(known))
        classes = reader.catalog.predictions.classes
        score, label = _scores_and_labels(known, classes)
        weighted = Weighted(
            encoder(reader.columns(known), squares=True),
            score,
            label,
            column(known, "weight"),
            block_folds(block_codes(known), MODEL_FOLDS),
        )
        features = encoder(reader.columns(rows), squares=True)
        by_window = {key: features[index] for key, index in _by_window(rows).items()}
        return cls(weighted, _by_window(known, "window_of"), by_window)

    def inside(self, key: datetime) -> Refit:
        """For a window of the reference, from all its other rows."""
        rows = self.inside_rows.get(key)
        if self.reference is None or rows is None:
            return Refit(None, 0.0, _NOTHING_TO_WEIGHT)
        mine = np.zeros(len(self.reference.weight), dtype=np.bool_)
        mine[rows] = True
        return refit(self.reference.without(mine), self.reference.features[mine])

    def outside(self, key: datetime) -> Refit:
        """For a window of the logs."""
        features = self.windows.get(key)
        if self.reference is None or features is None:
            return Refit(None, 0.0, _NOTHING_TO_WEIGHT)
        return refit(self.reference, features)


_NOTHING_TO_WEIGHT = "no labelled reference rows of this version, so nothing was weighted"


def _scores_and_labels(table: pa.Table, classes: Sequence[str]) -> tuple[Floats, Integers]:
    if not classes:
        return column(table, "score"), column(table, "label").astype(np.int64)
    place = {name: i for i, name in enumerate(classes)}
    score = np.column_stack([column(table, f"score:{name}") for name in classes])
    return score, _numbers(table.column("label").to_pylist(), place)


def _numbers(names: Iterable[str | None], place: Mapping[str, int]) -> Integers:
    return np.array([-1 if name is None else place.get(name, -1) for name in names], dtype=np.int64)


def _no_rows(metrics: tuple[str, ...]) -> WindowEstimate:
    return nothing(metrics, "no_data", "no rows with a usable score in this window")


def _no_labels(metrics: tuple[str, ...]) -> Realised:
    return too_few_labels(0, metrics) or measured(np.full(len(metrics), np.nan), {}, 0)


class _Sampled(_Reader):
    """Tasks whose rows are looked at one by one, with exact sums over all labelled rows beside."""

    statistics: dict[str, str]

    def read_samples(self, *, features: bool) -> None:
        """Samples of the reference and of the windows, and the labelled rows' sums."""
        classes = self.catalog.predictions.classes
        self.labelled, text = read_labelled(self.catalog, self.rows, self.statistics, classes)
        self.sql.append(text)
        self.reference_rows = self.reference_sample(REFERENCE_ROWS, features=features)
        self.window_rows = self.sample(self.rows, WINDOW_ROWS, "scored", features=features)
        self.totals = {(key[0], key[1]): n for key, n in self.window_rows.totals.items()}

    def measured_windows(self, version: str | None) -> tuple[list[Realised], list[Realised]]:
        """Measured on early labels, and on all of them, one a planned window."""
        sums = [self.labelled.get((key, version)) for key in self.keys]
        both = [[self.measure(one, which) for one in sums] for which in (0, 1)]
        return both[0], both[1]

    def measure(self, sums: LabelledSums | None, which: int) -> Realised:
        """The metrics from exact sums."""
        if sums is None:
            return _no_labels(self.metrics)
        n = int(sums.n[which])
        problem = too_few_labels(n, self.metrics)
        return problem if problem is not None else self.from_sums(sums.sums[which], sums.table[which], n)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:
        """The metrics of the task."""
        raise NotImplementedError


class _Multiclass(_Sampled):
    def read(self) -> None:
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
        self.statistics = {"weight": "1e0", **{name: known[name] for name in ("log_loss", "brier_score")}}
        self.read_samples(features="pape" in self.methods)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:
        found = expected.matrix_metrics(table, self.earned)
        values = [sums[1] / sums[0], sums[2] / sums[0]]
        values += [np.nan if isinstance(part, Undefined) else part.value for part in found.values()]
        reasons = {name: part.reason for name, part in found.items() if isinstance(part, Undefined)}
        return measured(np.array(values), reasons, n)

    def evidence(self, version: str | None) -> Evidence:
        early, now = self.measured_windows(version)
        found = Evidence(0, [], early, now, {"cbpe": []}, {"cbpe": []})
        windows = self._windows(version)
        chosen = None
        if self.reference_rows is not None:
            chosen = self._reference(found, _of_version(self.reference_rows.table, version))
        found.estimates["cbpe"] = [self._estimate(rows, chosen) for rows in windows]
        if "pape" in self.methods:
            self._weighted(found, version, windows)
        return found

    def _windows(self, version: str | None) -> list[ClassRows | None]:
        table = _of_version(self.window_rows.table, version)
        rows = {key: self._rows(table.take(pa.array(index))) for key, index in _by_window(table).items()}
        return [
            replace(rows[key], total=self.totals[key, version]) if key in rows else None for key in self.keys
        ]

    def _rows(self, table: pa.Table) -> ClassRows:
        place = {name: i for i, name in enumerate(self.classes)}
        score, label = _scores_and_labels(table, self.classes)
        decision = _numbers(table.column("decision").to_pylist(), place)
        return ClassRows(score, decision, column(table, "weight"), label, table.num_rows)

    def _reference(self, found: Evidence, table: pa.Table) -> Chosen | None:
        found.n_reference = table.num_rows
        if table.num_rows == 0:
            return None
        rows, fold = self._rows(table), block_folds(block_codes(table), FOLDS)
        chosen = choose(rows.score, rows.label, rows.weight, fold)
        chance = chosen.cross_fitted(rows.score, fold)
        self.reference_windows = sorted(_by_window(table, "window_of").items(), key=lambda one: str(one[0]))
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
            return _no_rows(self.metrics)
        if chosen is None:
            return of_classes(rows, as_chances(rows.score), (), self.metrics, self.earned)
        chance, others = chosen.chances(rows.score), chosen.left_out(rows.score)
        return replace(of_classes(rows, chance, others, self.metrics, self.earned), calibration=chosen.kind)

    def _weighted(self, found: Evidence, version: str | None, windows: Sequence[ClassRows | None]) -> None:
        known = _first(self.reference_rows, WEIGHTED_ROWS, version)
        weigher = _Weigher.of(self, known, self.window_rows, version)
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
    table = _of_version(sample.table, version)
    chosen = np.unique(np.linspace(0, max(table.num_rows - 1, 0), min(size, table.num_rows)).astype(np.int64))
    return replace(sample, table=table.take(pa.array(chosen)))


class _Regression(_Sampled):
    metrics = expected.REGRESSION

    def read(self) -> None:
        self.statistics = {
            "weight": "1e0", "absolute": "abs(score - label)", "square": "(score - label) * (score - label)"
        }  # fmt: skip
        self.read_samples(features=True)

    def from_sums(self, sums: Floats, table: Floats, n: int) -> Realised:  # noqa: ARG002  # errors need no table
        return measured(np.array([sums[1] / sums[0], np.sqrt(sums[2] / sums[0])]), {}, n)

    def evidence(self, version: str | None) -> Evidence:
        early, now = self.measured_windows(version)
        found = Evidence(0, [], early, now, {"dle": []}, {"dle": []})
        known = None
        if self.reference_rows is not None:
            known = _of_version(self.reference_rows.table, version)
        if known is None or known.num_rows < 2 * MODEL_FOLDS:
            reason = "no labelled reference rows of this version to learn its errors from"
            found.estimates["dle"] = [
                nothing(self.metrics, "undefined", reason, self._total(key, version)) for key in self.keys
            ]
            return found
        found.n_reference = known.num_rows
        encoder = fit_encoder(self.columns(known))
        rows_of = self._learn(found, known, encoder)
        table = _of_version(self.window_rows.table, version)
        features, weight = encoder(self.columns(table)), column(table, "weight")
        index = _by_window(table)
        every = rows_of(features, weight, len(weight))
        found.estimates["dle"] = [
            of_errors(_part(every, index[key], self._total(key, version)), self.metrics)
            if key in index
            else _no_rows(self.metrics)
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
        for _, index in sorted(_by_window(known, "window_of").items(), key=lambda one: str(one[0])):
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
