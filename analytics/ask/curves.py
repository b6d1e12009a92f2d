"""Confusion, ROC, calibration and histograms of a scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cells import DecisionCells, read_decision_cells
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, read_row_moments
from analytics.aggregates.pairs import PairHistogram, read_pairs
from analytics.aggregates.reliability import BINS, ReliabilityBins, read_reliability
from analytics.aggregates.scores import ScoreHistogram, read_score_histograms
from analytics.aggregates.stored_pairs import read_stored_pairs
from analytics.aggregates.unit_groups import read_group_sums
from analytics.ask.score_bins import score_histograms
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.engines.text import Sql, literal
from analytics.errors import ScopeError
from analytics.measures import binary, multiclass
from analytics.measures.estimate import among_class, of_cells, ratio
from analytics.measures.standard_quality import decides, edges_of, kept_quality, kept_units, regression_sums
from analytics.quality.rows import CalibrationRow, ConfusionRow, PairBinRow, RocRow, ScoreBinRow
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.classification import Linearised
from analytics.stats.intervals import wilson
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Column:
    """One score to look at: the score of a binary model, or one class's against the rest."""

    class_: str | None
    score: str
    positive: str


def confusion_of(catalog: Catalog, scope: Scope) -> Results[ConfusionRow]:
    """True class by decided class, at the decisions that were logged.

    Raises:
        ScopeError: the task has no classes, or no decisions are known.
    """
    classes = _classes(catalog)
    if not decides(catalog.predictions):
        raise ScopeError(binary.NO_DECISIONS)
    scope, windows = resolve(catalog, scope)
    found, sql = _decisions(catalog, scoped_rows(catalog, scope), classes)
    rows = tuple(
        row
        for window in windows
        for version in versions_of(catalog, scope)
        for value in _values(found, scope)
        for row in _confusion_rows(
            found.get(CellKey(window.key, version, value)), window, version, value, scope, classes
        )
    )
    return Results(rows, catalog.project.zone, (sql,))


def roc_of(catalog: Catalog, scope: Scope) -> Results[RocRow]:
    """What each threshold would have given, and what the logged decisions gave; curves are not split by segment."""
    scope, windows = resolve(catalog, replace(scope, by=None))
    rows = scoped_rows(catalog, scope)
    edges = np.asarray(edges_of(catalog.predictions))
    answers: list[RocRow] = []
    texts = []
    cells: dict[CellKey, DecisionCells] = {}
    if decides(catalog.predictions):
        cells, text = _decisions(catalog, rows, _classes(catalog))
        texts.append(text)
    for position, score in enumerate(_columns(catalog)):
        found, text = _binned(catalog, scope, windows, score, edges)
        texts.append(text)
        for window, version in _pairs(catalog, scope, windows):
            key = CellKey(window.key, version, None)
            if key in found:
                answers += _roc_rows(found[key], edges, window, version, score.class_)
            if key in cells:
                k = position if score.class_ is not None else 1
                point = _operating_point(cells[key], k, window, version, score.class_)
                answers += [point] if point is not None else []
    return Results(tuple(answers), catalog.project.zone, tuple(texts))


def calibration_of(catalog: Catalog, scope: Scope) -> Results[CalibrationRow]:
    """Mean label by tenth of the score, each class against the rest for a multiclass model."""
    scope, windows = resolve(catalog, scope)
    rows = scoped_rows(catalog, scope)
    answers: list[CalibrationRow] = []
    texts = []
    effects_of = _design_effects(catalog, rows)
    for score in _columns(catalog):
        stored = kept_quality(catalog, rows).reliability() if score.class_ is None else None
        found, text = read_reliability(
            catalog, rows, score=score.score, positive=score.positive, stored=stored
        )
        effects = effects_of[score.class_]
        texts.append(text)
        values: list[str | None] = [None]
        if scope.by is not None:
            values = list(in_order(key.segment or "" for key in effects)) or [None]
        for window, version in _pairs(catalog, scope, windows):
            for value in values:
                key = CellKey(window.key, version, value)
                bins = _calibration_rows(
                    found.get(key), effects.get(key, 1.0), window, version, score.class_, scope.confidence
                )
                answers += [replace(row, segment=scope.by, segment_value=value) for row in bins]
    return Results(tuple(answers), catalog.project.zone, tuple(texts))


def score_histogram_of(catalog: Catalog, scope: Scope) -> Results[ScoreBinRow]:
    """Rows by hundredth of the score and by label ("1", "0" or None for no label yet)."""
    scope, windows = resolve(catalog, replace(scope, by=None))
    edges = np.asarray(edges_of(catalog.predictions))
    answers: list[ScoreBinRow] = []
    texts = []
    for score in _columns(catalog):
        found, text = _binned(catalog, scope, windows, score, edges)
        texts.append(text)
        for window, version in _pairs(catalog, scope, windows):
            histogram = found.get(CellKey(window.key, version, None))
            if histogram is not None:
                answers += _score_rows(histogram, edges, window, version, score.class_)
    return Results(tuple(answers), catalog.project.zone, tuple(texts))


def pairs_of(catalog: Catalog, scope: Scope) -> tuple[Results[PairBinRow], Results[ScoreBinRow]]:
    """Predicted against true, and the errors, of a regression.

    Raises:
        ScopeError: the task is not regression.
    """
    if catalog.predictions.task != "regression":
        raise ScopeError("predicted against true needs a regression project")
    scope, windows = resolve(catalog, replace(scope, by=None))
    rows = scoped_rows(catalog, scope)
    stored = read_stored_pairs(catalog, rows, regression_sums(catalog, rows))
    if stored is None:
        with catalog.engine.kept(rows) as kept:
            stored = read_pairs(catalog, kept)
    found, text = stored
    pairs: list[PairBinRow] = []
    errors: list[ScoreBinRow] = []
    for window, version in _pairs(catalog, scope, windows):
        histogram = found.get(CellKey(window.key, version, None))
        if histogram is not None:
            pairs += _pair_rows(histogram, window, version)
            errors += _error_rows(histogram, window, version)
    zone = catalog.project.zone
    return Results(tuple(pairs), zone, (text,)), Results(tuple(errors), zone, (text,))


def _classes(catalog: Catalog) -> tuple[str, ...]:
    if catalog.predictions.task == "regression":
        raise ScopeError("a regression has no classes; look at predicted against true instead")
    return catalog.predictions.classes or binary.CLASSES


def _columns(catalog: Catalog) -> Iterator[_Column]:
    if catalog.predictions.task == "regression":
        raise ScopeError("a regression has no score of a class; look at predicted against true instead")
    if catalog.predictions.task == "binary":
        yield _Column(None, "score", "label = 1")
    for name in catalog.predictions.classes:
        yield _Column(name, score_column(name), f"label = {literal(name)}")


def _pairs(
    catalog: Catalog, scope: Scope, windows: tuple[Window, ...]
) -> Iterator[tuple[Window, str | None]]:
    for window in windows:
        for version in versions_of(catalog, scope):
            yield window, version


def _values(found: dict[CellKey, DecisionCells], scope: Scope) -> list[str | None]:
    if scope.by is None:
        return [None]
    return list(in_order(key.segment for key in found if key.segment is not None))


def _confusion_rows(
    cells: DecisionCells | None,
    window: Window,
    version: str | None,
    value: str | None,
    scope: Scope,
    classes: tuple[str, ...],
) -> Iterator[ConfusionRow]:
    counts = np.zeros((len(classes), len(classes))) if cells is None else cells.counts[:, :-1].sum(axis=0)
    weights = counts if cells is None else cells.labelled
    for i, true in enumerate(classes):
        of_true = weights[i].sum()
        for j, decided in enumerate(classes):
            share = low = high = None
            if cells is not None and of_true > 0:
                share = float(weights[i, j] / of_true)
                influence = np.zeros((len(classes) + 1, len(classes)))
                influence[i] = ((np.arange(len(classes)) == j) - share) / of_true
                among = among_class(len(classes), i, "recall")
                estimate = of_cells("share", cells, Linearised(share, influence), influence, among=among)
                low, high, _ = estimate.interval(scope.confidence)
            yield ConfusionRow(
                window.start, window.end, version, scope.by, value, true, decided, int(counts[i, j]),
                float(weights[i, j]), share, low, high,
            )  # fmt: skip


def _decisions(
    catalog: Catalog, rows: Sql, classes: tuple[str, ...]
) -> tuple[dict[CellKey, DecisionCells], str]:
    binary_ = catalog.predictions.task == "binary"
    stored = kept_quality(catalog, rows).decisions() if binary_ else None
    return read_decision_cells(catalog, rows, classes, stored=stored)


def _binned(
    catalog: Catalog, scope: Scope, windows: tuple[Window, ...], score: _Column, edges: Floats
) -> tuple[dict[CellKey, ScoreHistogram], str]:
    # curves are read at fixed thresholds, also where few rows would allow every distinct score
    large = {CellKey(window.key, version, None): False for window, version in _pairs(catalog, scope, windows)}
    rows = scoped_rows(catalog, scope)
    if score.class_ is None:
        return score_histograms(catalog, rows, large, edges, kept_quality(catalog, rows).scores(), fine=True)
    return read_score_histograms(
        catalog, rows, large, edges, score=score.score, positive=score.positive, fine=True
    )


def _dense(histogram: ScoreHistogram, bins: int) -> tuple[Floats, Floats]:
    """Weights and counts of shape (3, bins) over all bins, empty ones too."""
    place = histogram.keys.astype(int)
    weights, counts = np.zeros((3, bins)), np.zeros((3, bins))
    weights[:, place] = histogram.weights
    counts[:, place] = histogram.counts
    return weights, counts


def _roc_rows(
    histogram: ScoreHistogram, edges: Floats, window: Window, version: str | None, class_: str | None
) -> Iterator[RocRow]:
    weights, counts = _dense(histogram, len(edges) + 1)
    above = np.cumsum(weights[:2, ::-1], axis=1)[:, ::-1]
    rows_above = np.cumsum(counts[:2].sum(axis=0)[::-1])[::-1]
    negatives, positives = above[0, 0], above[1, 0]
    if positives + negatives == 0:
        return
    thresholds = np.concatenate([[0.0], edges])
    for i, threshold in enumerate(thresholds):
        fp, tp = float(above[0, i]), float(above[1, i])
        table = (tp, fp, float(positives - tp), float(negatives - fp))
        yield _roc_row((window, version, class_), float(threshold), table, int(rows_above[i]))


def _roc_row(
    place: tuple[Window, str | None, str | None],
    threshold: float | None,
    table: tuple[float, float, float, float],
    n: int,
) -> RocRow:
    """One row from weights of true and false positives, false and true negatives; no threshold: as decided."""
    window, version, class_ = place
    tp, fp, fn, tn = table
    return RocRow(
        window_start=window.start,
        window_end=window.end,
        version=version,
        class_=class_,
        threshold=threshold,
        true_positive_rate=_over(tp, tp + fn),
        false_positive_rate=_over(fp, fp + tn),
        precision=_over(tp, tp + fp),
        decision_rate=_over(tp + fp, tp + fp + fn + tn),
        true_positives=tp,
        false_positives=fp,
        false_negatives=fn,
        true_negatives=tn,
        n=n,
        operating_point=threshold is None,
    )


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _operating_point(
    cells: DecisionCells, k: int, window: Window, version: str | None, class_: str | None
) -> RocRow | None:
    table = cells.labelled
    tp = float(table[k, k])
    fp, fn = float(table[:, k].sum() - tp), float(table[k].sum() - tp)
    tn = float(table.sum() - tp - fp - fn)
    if table.sum() == 0:
        return None
    n = int(cells.counts[:, :-1, k].sum())
    return _roc_row((window, version, class_), None, (tp, fp, fn, tn), n)


def _design_effects(catalog: Catalog, rows: Sql) -> dict[str | None, dict[CellKey, float]]:
    """By class (None of a binary model) and cell: how much more a residual's mean varies than of independent rows."""
    groups = read_group_sums(catalog, rows, kept_units(catalog, rows))
    if catalog.predictions.task == "binary":
        stored = kept_quality(catalog, rows).moments()
        moments, _ = read_row_moments(
            catalog, rows, binary.STATISTICS, binary.TOGETHER, stored=stored, groups=groups
        )
        return {None: {key: _design_effect(moment, "residual") for key, moment in moments.items()}}
    classes = catalog.predictions.classes
    moments, _ = read_row_moments(
        catalog,
        rows,
        multiclass.class_residuals(classes),
        multiclass.residuals_together(classes),
        groups=groups,
    )
    return {
        name: {key: _design_effect(moment, f"residual_{i}") for key, moment in moments.items()}
        for i, name in enumerate(classes)
    }


def _design_effect(moment: RowMoments, residual: str) -> float:
    if moment.count("labelled") <= 1:
        return 1.0
    estimate = ratio(residual, moment, residual, "labelled")
    variance = estimate.chosen().variance
    return max(variance / estimate.row_variance, 1.0) if estimate.row_variance > 0 else 1.0


def _calibration_rows(
    bins: ReliabilityBins | None,
    effect: float,
    window: Window,
    version: str | None,
    class_: str | None,
    confidence: float,
) -> Iterator[CalibrationRow]:
    for i in range(BINS):
        low_edge, high_edge = i / BINS, (i + 1) / BINS
        if bins is None or bins.n[i] == 0:
            yield CalibrationRow(
                window.start, window.end, version, class_, low_edge, high_edge, 0, None, None, None, None
            )
            continue
        kish = float(bins.w[i] ** 2 / bins.w2[i]) / effect
        label = float(np.clip(bins.mean_label[i], 0.0, 1.0))
        low, high = wilson(label, kish, confidence)
        yield CalibrationRow(
            window.start, window.end, version, class_, low_edge, high_edge, int(bins.n[i]), float(bins.mean_score[i]),
            label, min(low, label), max(high, label),
        )  # fmt: skip


def _score_rows(
    histogram: ScoreHistogram, edges: Floats, window: Window, version: str | None, class_: str | None
) -> Iterator[ScoreBinRow]:
    weights, counts = _dense(histogram, len(edges) + 1)
    lows = np.concatenate([[0.0], edges])
    # 1e-9: a hundredth is an edge, and must not fall into the bin below by rounding
    hundredth = np.minimum(np.floor(lows * 100 + 1e-9).astype(int), 99)
    for code, label in enumerate(("0", "1", None)):
        by_count = np.bincount(hundredth, counts[code], 100)
        by_weight = np.bincount(hundredth, weights[code], 100)
        if by_count.sum() == 0:
            continue
        for i in range(100):
            yield ScoreBinRow(
                window.start,
                window.end,
                version,
                class_,
                label,
                i / 100,
                (i + 1) / 100,
                int(by_count[i]),
                float(by_weight[i]),
            )


def _pair_rows(histogram: PairHistogram, window: Window, version: str | None) -> Iterator[PairBinRow]:
    edges = histogram.edges
    for i, j in np.argwhere(histogram.counts > 0):
        yield PairBinRow(
            window.start, window.end, version, float(edges[i]), float(edges[i + 1]), float(edges[j]),
            float(edges[j + 1]),
            int(histogram.counts[i, j]),
        )  # fmt: skip


def _error_rows(histogram: PairHistogram, window: Window, version: str | None) -> Iterator[ScoreBinRow]:
    edges = histogram.error_edges
    for i, n in enumerate(histogram.errors):
        yield ScoreBinRow(
            window.start,
            window.end,
            version,
            "residual",
            None,
            float(edges[i]),
            float(edges[i + 1]),
            int(n),
            float(n),
        )
