"""Every metric beside what a rule that knows nothing reaches on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import CellKey, key_columns
from analytics.aggregates.last_values import with_cell_mean, with_last_label
from analytics.aggregates.moments import RowMoments, Statistic, read_row_moments
from analytics.aggregates.scores import (
    ScoreHistogram,
    keeps_scores,
    read_score_histograms,
    read_score_unit_squares,
    rows_with_scores,
)
from analytics.ask.aggregates import decides, edges_of
from analytics.ask.calibration import Place, ScoredEvent, places_of, scored_events
from analytics.ask.labels import maturity_of
from analytics.ask.windows import resolve
from analytics.directions import worse_by
from analytics.engines.text import Sql
from analytics.measures import baselines as measure
from analytics.measures.baselines import Compared
from analytics.measures.binary import few_rows
from analytics.measures.calibration import Settled, settled
from analytics.measures.estimate import Estimate, with_units
from analytics.measures.ranking import ranking_estimates
from analytics.quality.calibration import BaselineRow
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
_COUNTS = ("scored", "labelled")


def baselines_of(catalog: Catalog, scope: Scope) -> Results[BaselineRow]:
    """The model, the best constant and the last known label, on the same rows, with paired intervals."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    rows = scoped_rows(catalog, scope)
    past = replace(scope, start=None, grain="all", by=None, versions=(), filters=())
    wide = with_last_label(catalog.predictions, rows, scoped_rows(catalog, past))
    maturity = maturity_of(catalog, scope)
    with catalog.engine.kept(wide) as kept:
        if catalog.predictions.task == "regression":
            moments, text = _value_moments(catalog, kept)
            compared = {key: _values(one) for key, one in _enough(moments).items()}
            ranked: dict[tuple[CellKey, str | None], list[tuple[Compared, Settled]]] = {}
        else:
            classes = _classes(catalog)
            statistics = measure.class_statistics(classes)
            moments, text = read_row_moments(catalog, kept, statistics, measure.class_together(statistics))
            compared = {
                key: [*measure.constant_baselines(one, classes), *measure.last_baselines(one, classes)]
                for key, one in _enough(moments).items()
            }
            ranked = _ranked(catalog, kept, {key: moments[key] for key in compared})
    found = _by_cell(_settled(compared, moments), ranked)
    loss = "mean_absolute_error" if catalog.predictions.task == "regression" else "log_loss"
    answers = [
        row if row.metric else replace(row, metric=loss)
        for place, key in places_of(catalog, scope, windows, moments)
        for row in _cell(
            place, moments.get(key), found.get(key, []), maturity.reason(place.window.end), scope.confidence
        )
    ]
    return Results(tuple(answers), zone, (text.replace(kept.text, wide.text),), maturity.notes)


def _classes(catalog: Catalog) -> measure.Classes:
    costs = catalog.project.costs
    if catalog.predictions.task == "binary":
        earned = None
        if costs is not None:
            earned = {
                ("0", "0"): costs.true_negative, ("0", "1"): costs.false_positive, ("1", "0"): costs.false_negative,
                ("1", "1"): costs.true_positive,
            }  # fmt: skip
        return measure.binary_classes(decides=decides(catalog.predictions), earned=earned)
    matrix = costs.matrix if costs is not None else None
    earned = (
        {(true, taken): value for true, line in matrix.items() for taken, value in line.items()}
        if matrix
        else None
    )
    return measure.multiclass_classes(catalog.predictions.classes, earned)


def _enough(moments: Mapping[CellKey, RowMoments]) -> dict[CellKey, RowMoments]:
    return {
        key: one
        for key, one in moments.items()
        if few_rows(one.n, *(one.count(name) for name in _COUNTS)) is None
    }


def _value_moments(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, RowMoments], str]:
    when = "scored AND label IS NOT NULL"
    sums = tuple(
        Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END")
        for name, then in (("labelled", "1e0"), ("label", "label"))
    )
    found, _ = read_row_moments(catalog, rows, sums, (("labelled", "label"),))
    keys = list(found)
    columns = key_columns(keys)
    means = [
        one.total("label") / one.total("labelled") if one.total("labelled") else 0.0 for one in found.values()
    ]
    columns["cell_mean"] = pa.array(means, pa.float64())
    return read_row_moments(
        catalog,
        with_cell_mean(rows),
        measure.value_statistics(),
        measure.VALUE_TOGETHER,
        tables={"cell_means": pa.table(columns)},
    )


def _values(moments: RowMoments) -> list[Compared]:
    return [
        *measure.value_baselines(moments, "mean", "mean", "labelled"),
        *measure.value_baselines(moments, "last", "last_value", "known"),
    ]


def _settled(
    compared: Mapping[CellKey, list[Compared]], moments: Mapping[CellKey, RowMoments]
) -> dict[tuple[CellKey, str | None], list[tuple[Compared, Settled]]]:
    """The variance to use of every comparison; windows of few days borrow from the others."""
    answers: dict[tuple[CellKey, str | None], list[tuple[Compared, Settled]]] = {}
    kinds = dict.fromkeys((one.metric, one.baseline) for found in compared.values() for one in found)
    for kind in kinds:
        mine = {
            key: one for key, found in compared.items() for one in found if (one.metric, one.baseline) == kind
        }
        rows = next(iter(mine.values())).denominator
        chosen = settled({key: one.difference for key, one in mine.items()}, moments, rows)
        for key, one in mine.items():
            answers.setdefault((key, None), []).append((one, chosen[key]))
    return answers


def _ranked(
    catalog: Catalog, rows: Sql, cells: Mapping[CellKey, RowMoments]
) -> dict[tuple[CellKey, str | None], list[tuple[Compared, Settled]]]:
    """ROC AUC beside a coin's half, average precision beside the prevalence: each class against the rest."""
    answers: dict[tuple[CellKey, str | None], list[tuple[Compared, Settled]]] = {}
    edges = edges_of(catalog.predictions)
    for event in scored_events(catalog):
        if catalog.predictions.task == "multiclass" and event.class_ is None:
            continue
        classes = catalog.predictions.classes
        came = f"came_{classes.index(event.class_) if event.class_ is not None else 1}"
        # as `quality` reads them, so that both say the same number
        keeps = {key: keeps_scores(one.count("labelled"), one.count(came)) for key, one in cells.items()}
        chosen = rows_with_scores(catalog, rows, keeps, cells)
        histograms, _ = read_score_histograms(
            catalog, chosen, keeps, edges, score=event.score, positive=event.positive
        )
        found = {key: ranking_differences(one) for key, one in histograms.items() if key in cells}
        found = {key: pair for key, pair in found.items() if pair}
        found = _with_units(catalog, rows, event, histograms, found)
        for key, pair in found.items():
            counts = int(histograms[key].counts[:2].sum())
            for estimate, value in pair:
                one = Compared(
                    estimate.metric,
                    "constant",
                    value,
                    value - (estimate.value or 0.0),
                    estimate,
                    "labelled",
                    counts,
                )
                answers.setdefault((key, event.class_), []).append(
                    (one, Settled(estimate, estimate.chosen()))
                )
    return answers


def ranking_differences(histogram: ScoreHistogram) -> list[tuple[Estimate, float]]:
    """ROC AUC less one half and average precision less the prevalence, with the values themselves."""
    area, average = ranking_estimates(histogram)
    if area.value is None or average.value is None or area.influence is None or average.influence is None:
        return []
    weights = histogram.weights[:2].sum(axis=1)
    prevalence = float(weights[1] / weights.sum())
    of_prevalence = np.array([[-prevalence], [1.0 - prevalence]]) / weights.sum()
    influence = average.influence - of_prevalence
    blocks, totals = histogram.block_totals(influence)
    paired = replace(
        average, value=average.value - prevalence, influence=influence, blocks=blocks, block_totals=totals,
        row_variance=float((histogram.squares[:2] * influence**2).sum()), family="mean",
    )  # fmt: skip
    return [(replace(area, value=area.value - 0.5, family="mean"), area.value), (paired, average.value)]


def _with_units(
    catalog: Catalog,
    rows: Sql,
    event: ScoredEvent,
    histograms: Mapping[CellKey, ScoreHistogram],
    found: Mapping[CellKey, list[tuple[Estimate, float]]],
) -> dict[CellKey, list[tuple[Estimate, float]]]:
    if catalog.predictions.unit is None or not found:
        return dict(found)
    influences = {
        key: np.stack([one.influence for one, _ in pair if one.influence is not None])
        for key, pair in found.items()
    }
    squares = read_score_unit_squares(
        catalog, rows, histograms, influences, edges_of(catalog.predictions), score=event.score,
        positive=event.positive,
    )  # fmt: skip
    answers = dict(found)
    for key, (sums, units) in squares.items():
        answers[key] = [
            (with_units(one, float(sums[i]), int(units[i])), value)
            for i, (one, value) in enumerate(found[key])
        ]
    return answers


def _by_cell(
    *groups: Mapping[tuple[CellKey, str | None], list[tuple[Compared, Settled]]],
) -> dict[CellKey, list[tuple[str | None, Compared, Settled]]]:
    answers: dict[CellKey, list[tuple[str | None, Compared, Settled]]] = {}
    for found in groups:
        for (key, class_), pairs in found.items():
            answers.setdefault(key, []).extend((class_, one, chosen) for one, chosen in pairs)
    return answers


def _cell(
    place: Place,
    moments: RowMoments | None,
    found: list[tuple[str | None, Compared, Settled]],
    late: str | None,
    confidence: float,
) -> Iterator[BaselineRow]:
    counts = (0, 0, 0) if moments is None else (moments.n, moments.count("scored"), moments.count("labelled"))
    few = few_rows(*counts)
    where = {
        "window_start": place.window.start,
        "window_end": place.window.end,
        "version": place.version,
        "segment": place.segment,
        "segment_value": place.value,
    }
    nothing = dict.fromkeys(BaselineRow.__dataclass_fields__)
    if few is not None:
        said = {"metric": "", "baseline": "constant", "n": counts[2], "status": few[0], "reason": few[1]}
        yield BaselineRow(**(nothing | where | said))  # type: ignore[arg-type]
        return
    for class_, one, chosen in found:
        low, high = chosen.interval(confidence)
        known = {
            "class_": class_, "metric": one.metric, "value": one.value, "baseline": one.baseline,
            "baseline_value": one.baseline_value, "difference": chosen.estimate.value, "difference_ci_low": low,
            "difference_ci_high": high, "better": _better(one, low, high), "n": one.n,
            "independence": chosen.chosen.independence, "status": "ok" if late is None else "immature",
            "reason": late,
        }  # fmt: skip
        yield BaselineRow(**(nothing | where | known))  # type: ignore[arg-type]


def _better(one: Compared, low: float, high: float) -> bool | None:
    worse = worse_by(one.metric, one.value, one.baseline_value)
    return None if low <= 0.0 <= high or worse is None else worse < 0.0
