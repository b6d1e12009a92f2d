"""Read every quality aggregate of a scope and turn it into estimates by cell: shared by quality and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates import error_bins
from analytics.aggregates.additive import Additive, HeldRows, held_rows, shown
from analytics.aggregates.cells import (
    DecisionCells,
    decided_statistics,
    read_decision_cells,
    read_unit_squares,
)
from analytics.aggregates.class_pairs import stored_macro_squares
from analytics.aggregates.keys import CellKey
from analytics.aggregates.macro_squares import ClassInfluences, MacroSquares, read_macro_squares
from analytics.aggregates.moments import RowMoments, needed_columns, read_centre, read_row_moments
from analytics.aggregates.ranks import read_above_median, read_median_errors, read_medians
from analytics.aggregates.reliability import ReliabilityBins, read_reliability
from analytics.aggregates.scores import (
    ScoreHistogram,
    keeps_scores,
    read_score_histograms,
    read_score_unit_squares,
    rows_with_scores,
    takes_seconds,
)
from analytics.aggregates.unit_groups import GroupSums, read_group_sums
from analytics.aggregates.unit_scores import ScoreTotals, stored_score_totals
from analytics.ask.score_bins import score_histograms
from analytics.engines.text import Sql, literal
from analytics.measures import binary, macro, multiclass, regression
from analytics.measures.estimate import Estimate, with_units
from analytics.measures.standard_quality import decides, edges_of, kept_quality, kept_unit_scores, kept_units
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
__all__ = ["CellEstimates", "Estimates", "decides", "edges_of", "read_estimates"]


@dataclass(frozen=True)
class CellEstimates:
    """What is known of one window, version and segment value."""

    n: int
    n_labelled: int
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Estimates:
    """All cells with rows, and the SQL texts that scanned."""

    cells: dict[CellKey, CellEstimates]
    sql: tuple[str, ...]


def read_estimates(
    catalog: Catalog, rows: Sql, confidence: float, only: frozenset[str] | None = None
) -> Estimates:
    """Read and estimate every quality metric of scoped rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        confidence: of the intervals that are not in closed form.
        only: metrics that are asked for: aggregates that no one of them needs are not read (those of several classes
            all are), and no other metric is answered.
    """
    wanted = _Wanted(only)
    # labels are joined and text logs parsed once, not once an aggregate
    with held_rows(catalog, rows, partial(needed_columns, catalog.predictions)) as held:
        match catalog.predictions.task:
            case "binary":
                found = _binary(catalog, held, confidence, wanted)
            case "multiclass":
                found = _multiclass(catalog, held, confidence)
            case "regression":
                found = _regression(catalog, held, confidence, wanted)
        found = replace(found, sql=tuple(shown(rows, held, text) for text in found.sql))
    if only is not None:
        found = replace(found, cells={key: _narrowed(cell, only) for key, cell in found.cells.items()})
    return found


def _narrowed(cell: CellEstimates, only: frozenset[str]) -> CellEstimates:
    return replace(cell, estimates=tuple(each for each in cell.estimates if each.metric in only))


@dataclass(frozen=True)
class _Wanted:
    """Which metrics are asked for; None for all."""

    only: frozenset[str] | None

    def any_of(self, *metrics: str) -> bool:
        """Whether one of these is."""
        return self.only is None or not self.only.isdisjoint(metrics)

    def other_than(self, *metrics: str) -> bool:
        """Whether one is that is not among these."""
        return self.only is None or not self.only <= set(metrics)


def _binary(catalog: Catalog, rows: Sql, confidence: float, wanted: _Wanted) -> Estimates:
    # beside each reader's own query, the same as it is kept: one family of four that shares its scans
    kept = kept_quality(catalog, rows)
    groups = read_group_sums(catalog, rows, kept_units(catalog, rows))
    moments, sums_sql = read_row_moments(
        catalog, rows, binary.STATISTICS, binary.TOGETHER, stored=kept.moments(), groups=groups
    )
    edges = edges_of(catalog.predictions)
    scores: dict[CellKey, ScoreHistogram] = {}
    reliability: dict[CellKey, ReliabilityBins] = {}
    cells: dict[CellKey, DecisionCells] = {}
    scores_sql = reliability_sql = cells_sql = ""
    if wanted.any_of(*_RANKED):
        keeps = _keeps(moments, "label")
        chosen = rows_with_scores(catalog, rows, keeps, moments)
        scores, scores_sql = score_histograms(catalog, chosen, keeps, edges, kept.scores())
    if wanted.any_of("expected_calibration_error"):
        reliability, reliability_sql = read_reliability(catalog, rows, stored=kept.reliability())
    decided = wanted.other_than(*_RANKED, *_SUMS, "expected_calibration_error")
    if decided and decides(catalog.predictions):
        cells, cells_sql = read_decision_cells(catalog, rows, binary.CLASSES, stored=kept.decisions())
    found = {
        key: binary.binary_estimates(
            binary.BinaryAggregates(moment, cells.get(key), scores.get(key), reliability.get(key)),
            confidence=confidence,
            costs=catalog.project.costs,
            decides=decided and decides(catalog.predictions),
        )
        for key, moment in moments.items()
    }
    if catalog.predictions.unit is not None:
        found = _cells_with_units(catalog, rows, found, binary.CLASSES, groups)
        found = _scores_with_units(catalog, rows, found, scores, None)
    return _answer(found, moments, (sums_sql, scores_sql, reliability_sql, cells_sql))


def _multiclass(catalog: Catalog, rows: Sql, confidence: float) -> Estimates:
    classes = catalog.predictions.classes
    groups = read_group_sums(catalog, rows, kept_units(catalog, rows))
    moments, sums_sql = read_row_moments(
        catalog, rows, multiclass.statistics(classes), multiclass.together(classes), groups=groups
    )
    edges = edges_of(catalog.predictions)
    scores: dict[str, dict[CellKey, ScoreHistogram]] = {}
    scores_sql = ""
    for i, name in enumerate(classes):
        keeps = _keeps(moments, f"label_{i}")
        score, positive = score_column(name), f"label = {literal(name)}"
        chosen = rows_with_scores(catalog, rows, keeps, moments)
        scores[name], scores_sql = read_score_histograms(
            catalog, chosen, keeps, edges, score=score, positive=positive
        )
    top = multiclass.top_class(classes)
    reliability, reliability_sql = read_reliability(
        catalog, rows, score=multiclass.top_score(classes), positive=f"label = {top}"
    )
    cells, cells_sql = read_decision_cells(catalog, rows, classes)
    found = {
        key: multiclass.multiclass_estimates(
            multiclass.MulticlassAggregates(
                moment,
                cells.get(key),
                {name: scores[name][key] for name in classes if key in scores[name]},
                reliability.get(key),
            ),
            classes,
            confidence=confidence,
            costs=catalog.project.costs,
        )
        for key, moment in moments.items()
    }
    if catalog.predictions.unit is not None:
        found = _cells_with_units(catalog, rows, found, classes, groups)
        for name in classes:
            found = _scores_with_units(catalog, rows, found, scores[name], name)
    many = _reads_many(rows, moments)
    found = _macro_exact(catalog, rows, found, scores, edges, many=many)
    return _answer(found, moments, (sums_sql, scores_sql, reliability_sql, cells_sql))


def _reads_many(rows: Sql, moments: Mapping[CellKey, RowMoments]) -> bool:
    """Whether parts answered everything so far, and whoever reads rows now would be the first to, of many."""
    untouched = isinstance(rows, HeldRows) and not rows.is_held
    labelled = sum(one.count("labelled") for one in moments.values())
    many = labelled > error_bins.MANY_ROWS or takes_seconds(moments)
    return untouched and many


def _keeps(moments: Mapping[CellKey, RowMoments], positive: str) -> dict[CellKey, bool]:
    return {key: keeps_scores(one.count("labelled"), one.count(positive)) for key, one in moments.items()}


_RANKED = ("roc_auc", "average_precision")
_SUMS = ("log_loss", "brier_score", "prevalence", "mean_score")


def _macro_exact(
    catalog: Catalog,
    rows: Sql,
    found: Mapping[CellKey, list[Estimate]],
    scores: Mapping[str, Mapping[CellKey, ScoreHistogram]],
    edges: Sequence[float],
    *,
    many: bool,
) -> dict[CellKey, list[Estimate]]:
    """Means over classes with the variance that the classes have together; of ``many`` rows from stored bins."""
    by_class: dict[str, dict[CellKey, ClassInfluences]] = {}
    for key, estimates in found.items():
        if any(e.metric == "roc_auc_macro" and e.value is not None for e in estimates):
            for name, influence in macro.macro_influences(estimates, _RANKED).items():
                by_class.setdefault(name, {})[key] = ClassInfluences(scores[name][key], influence)
    squares = stored_macro_squares(catalog, rows, by_class, edges) if many else None
    if squares is not None and catalog.predictions.unit is not None:
        squares = _with_groups(catalog, rows, by_class, squares)
    if squares is None:
        squares = read_macro_squares(catalog, rows, by_class, edges)
    declared = catalog.predictions.unit is not None
    return {
        key: [_macro_of(e, estimates, squares.get(key), units=declared) for e in estimates]
        for key, estimates in found.items()
    }


def _with_groups(
    catalog: Catalog,
    rows: Sql,
    classes: Mapping[str, Mapping[CellKey, ClassInfluences]],
    squares: Mapping[CellKey, MacroSquares],
) -> dict[CellKey, MacroSquares] | None:
    """Squares over rows with those over groups of units, who move all classes' estimates together."""
    added: dict[CellKey, ScoreTotals] = {}
    for name, cells in classes.items():
        kept = kept_unit_scores(catalog, rows, name)
        histograms = {key: one.histogram for key, one in cells.items()}
        influences = {key: one.influence for key, one in cells.items()}
        totals = (
            stored_score_totals(catalog, rows, kept, histograms, influences) if kept is not None else None
        )
        if totals is None:
            return None
        for key, one in totals.items():
            added[key] = added[key].plus(one) if key in added else one
    return {
        key: MacroSquares(one.rows, *added[key].squares()) for key, one in squares.items() if key in added
    }


def _macro_of(
    estimate: Estimate, estimates: Sequence[Estimate], squares: MacroSquares | None, *, units: bool
) -> Estimate:
    metric = estimate.metric.removesuffix("_macro")
    if estimate.class_ is not None or metric not in _RANKED or squares is None:
        return estimate
    k = _RANKED.index(metric)
    of_units = (float(squares.units[k]), int(squares.n_units[k])) if units else None
    return macro.macro_squares(estimate, estimates, float(squares.rows[k]), of_units)


def _regression(catalog: Catalog, rows: Sql, confidence: float, wanted: _Wanted) -> Estimates:
    centre = read_centre(catalog, rows)
    groups = read_group_sums(catalog, rows, kept_units(catalog, rows))
    moments, sums_sql = read_row_moments(
        catalog, rows, regression.statistics(centre), regression.TOGETHER, groups=groups
    )
    if not wanted.any_of("median_absolute_error"):
        plain = {
            key: regression.regression_estimates(regression.RegressionAggregates(moment, centre, None))
            for key, moment in moments.items()
        }
        return _answer(plain, moments, (sums_sql,))
    stored = error_bins.stored_errors(catalog, rows) if _reads_many(rows, moments) else None
    by_unit = None
    if stored is not None and catalog.predictions.unit is not None:
        by_unit = error_bins.above_with_groups(catalog, rows, stored[0])
        stored = None if by_unit is None else stored
    if stored is None:
        counted = read_above_median(catalog, rows, read_medians(catalog, rows))
    else:
        counted = by_unit or {key: error_bins.above_from_bins(one) for key, one in stored[0].items()}
    above = {key: regression.above_median(one) for key, one in counted.items()}
    reach = {key: regression.median_reach(share, confidence) for key, share in above.items()}
    if stored is None:
        medians, medians_sql = read_median_errors(catalog, rows, reach)
    else:
        medians, medians_sql = error_bins.medians_from_bins(stored[0], reach), stored[1]
    found = {
        key: regression.regression_estimates(
            regression.RegressionAggregates(moment, centre, medians.get(key), above.get(key))
        )
        for key, moment in moments.items()
    }
    return _answer(found, moments, (sums_sql, medians_sql))


def _cells_with_units(
    catalog: Catalog,
    rows: Sql,
    found: Mapping[CellKey, list[Estimate]],
    classes: Sequence[str],
    groups: GroupSums | None,
) -> dict[CellKey, list[Estimate]]:
    metrics = _places(found, "cells")
    if not metrics:
        return dict(found)
    influences = {}
    for key, estimates in found.items():
        by_name = {(e.metric, e.class_): e.influence for e in estimates if e.place == "cells"}
        if by_name:
            empty = np.zeros((len(classes) + 1, len(classes)))
            influences[key] = np.stack([_given(by_name.get(name), empty) for name in metrics])
    decided = [one.name for one in decided_statistics(classes)]
    if groups is not None and set(decided) <= set(groups.names):
        flat = {key: each.reshape(len(each), -1) for key, each in influences.items()}
        squares = {key: groups.squares(key, decided, each) for key, each in flat.items()}
    else:
        squares = read_unit_squares(catalog, rows, influences, classes)
    return _filled(found, squares, metrics, "cells")


def _scores_with_units(
    catalog: Catalog,
    rows: Sql,
    found: Mapping[CellKey, list[Estimate]],
    scores: Mapping[CellKey, ScoreHistogram],
    class_: str | None,
) -> dict[CellKey, list[Estimate]]:
    metrics = [(name, class_) for name in _RANKED]
    influences = {}
    for key, estimates in found.items():
        by_name = {
            (e.metric, e.class_): e.influence for e in estimates if e.place == "scores" and e.class_ == class_
        }
        if by_name:
            empty = np.zeros((2, len(scores[key].keys)))
            influences[key] = np.stack([_given(by_name.get(name), empty) for name in metrics])
    if not influences:
        return dict(found)
    event = ("score", "label = 1") if class_ is None else (score_column(class_), f"label = {literal(class_)}")
    kept = kept_unit_scores(catalog, rows, class_)
    squares = read_score_squares(catalog, rows, (scores, influences), event, kept)
    return _filled(found, squares, metrics, "scores")


def read_score_squares(
    catalog: Catalog,
    rows: Sql,
    of: tuple[Mapping[CellKey, ScoreHistogram], Mapping[CellKey, Floats]],
    event: tuple[str, str],
    kept: Additive | None,
) -> dict[CellKey, tuple[Floats, Floats]]:
    """Sums over units of squared influence totals by score: from stored groups of many rows, else from the rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        of: histograms, and influences of shape (M, 2, B) on M estimates.
        event: SQL of the score, and of a label that is positive.
        kept: the same scores by groups of units, where a project keeps them.
    """
    totals = stored_score_totals(catalog, rows, kept, *of) if kept is not None else None
    if totals is not None:
        return {key: one.squares() for key, one in totals.items()}
    edges = edges_of(catalog.predictions)
    return read_score_unit_squares(catalog, rows, *of, edges, score=event[0], positive=event[1])


def _given(influence: Floats | None, empty: Floats) -> Floats:
    return empty if influence is None else influence


def _places(found: Mapping[CellKey, list[Estimate]], place: str) -> list[tuple[str, str | None]]:
    names = {(e.metric, e.class_) for estimates in found.values() for e in estimates if e.place == place}
    return sorted(names, key=lambda name: (name[1] or "", name[0]))


def _filled(
    found: Mapping[CellKey, list[Estimate]],
    squares: Mapping[CellKey, tuple[Floats, Floats]],
    metrics: Sequence[tuple[str, str | None]],
    place: str,
) -> dict[CellKey, list[Estimate]]:
    position = {name: i for i, name in enumerate(metrics)}
    filled: dict[CellKey, list[Estimate]] = {}
    for key, estimates in found.items():
        filled[key] = []
        for estimate in estimates:
            index = position.get((estimate.metric, estimate.class_))
            if estimate.place == place and index is not None and key in squares:
                values, units = squares[key]
                estimate = with_units(estimate, float(values[index]), int(units[index]))  # noqa: PLW2901
            filled[key].append(estimate)
    return filled


def _answer(
    found: Mapping[CellKey, list[Estimate]], moments: Mapping[CellKey, RowMoments], sql: Sequence[str]
) -> Estimates:
    cells = {
        key: CellEstimates(
            moments[key].n,
            moments[key].count("labelled"),
            # arrays are no longer needed once units are in
            tuple(replace(estimate, influence=None) for estimate in estimates),
        )
        for key, estimates in found.items()
    }
    return Estimates(cells, tuple(text for text in sql if text))
