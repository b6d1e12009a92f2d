"""What recalibration would bring: logistic and isotonic maps tried forward in time, on mature labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import held_rows, shown
from analytics.aggregates.folds import read_fold_unit_squares
from analytics.aggregates.keys import CellKey, block_codes
from analytics.aggregates.moments import needed_columns
from analytics.aggregates.samples import read_sample
from analytics.aggregates.scores import read_score_histograms
from analytics.ask.calibration import ScoredEvent, scored_events
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.measures.calibration import Settled, mean_scores
from analytics.measures.estimate import LEAST_ROWS, Estimate, with_units
from analytics.measures.standard_quality import edges_of, kept_quality
from analytics.quality import recalibration as trial_of
from analytics.quality.calibration import MapRow, Method, RecalibrationRow, adjusted_recalibration
from analytics.quality.recalibration import Entries, Fold, Map, Trial
from analytics.results import Results
from analytics.scope import Scope, Window
from analytics.stats.arrays import as_floats
from analytics.stats.recalibration import NoFit
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
SAMPLE = 50_000
"""Rows of a version that maps of a regression are fitted to and judged on; all where there are fewer."""
_LOSSES = ("log_loss", "brier_score")
_VALUE_LOSSES = ("mean_squared_error", "mean_absolute_error")
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = {
    "5min": timedelta(minutes=5), "15min": timedelta(minutes=15), "hour": timedelta(hours=1), "day": timedelta(days=1),
    "week": timedelta(days=7), "month": timedelta(days=31),
}  # fmt: skip
_POINTS = 101


@dataclass(frozen=True)
class _Case:
    """One version and class on trial."""

    version: str | None
    class_: str | None
    confidence: float


def recalibration_of(catalog: Catalog, scope: Scope) -> tuple[Results[RecalibrationRow], Results[MapRow]]:
    """What each method would have brought, and its map fitted to all mature rows.

    Args:
        catalog: the project's views.
        scope: the question; its whole stretch is cut into six parts, so grain and segment have no effect.
    """
    zone = catalog.project.zone
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        nothing = ("The logs hold no prediction.",)
        return Results((), zone, notes=nothing), Results((), zone, notes=nothing)
    rows = scoped_rows(catalog, scope)
    maturity = maturity_of(catalog, scope)
    if catalog.predictions.task == "regression":
        return _regression(catalog, rows, scope, windows[0], maturity)
    found: list[RecalibrationRow] = []
    maps: list[MapRow] = []
    texts = []
    with held_rows(catalog, rows, partial(needed_columns, catalog.predictions)) as kept:
        for event in scored_events(catalog):
            if catalog.predictions.task == "multiclass" and event.class_ is None:
                continue  # the top class is a mixture; its classes are mapped one by one
            answers, points, text = _of_event(catalog, kept, scope, windows[0], maturity, event)
            found += answers
            maps += points
            texts.append(shown(rows, kept, text))
    return (
        Results(adjusted_recalibration(found), zone, tuple(texts), maturity.notes),
        Results(tuple(maps), zone, tuple(texts)),
    )


def _of_event(
    catalog: Catalog, rows: Sql, scope: Scope, window: Window, maturity: Maturity, event: ScoredEvent
) -> tuple[list[RecalibrationRow], list[MapRow], str]:
    edges = edges_of(catalog.predictions)
    keys = {version: CellKey(window.key, version, None) for version in versions_of(catalog, scope)}
    histograms, text = read_score_histograms(
        catalog, rows, dict.fromkeys(keys.values(), False), edges, score=event.score, positive=event.positive,
        stored=kept_quality(catalog, rows).scores() if event.class_ is None else None, fine=True,
    )  # fmt: skip
    found: list[RecalibrationRow] = []
    maps: list[MapRow] = []
    for version, key in keys.items():
        case = _Case(version, event.class_, scope.confidence)
        histogram = histograms.get(key)
        entries = None
        if histogram is not None:
            every = trial_of.entries_of(histogram, mean_scores(histogram))
            entries = _mature(every, histogram.blocks, catalog, maturity)
        problem = _too_few(entries)
        if entries is None or histogram is None or problem is not None:
            found += _nothing(case, trial_of.SCORE_METHODS, (*_LOSSES, _ECE), problem or "no labelled rows")
            continue
        folds = _folds(entries, histogram.blocks, catalog, maturity)
        if not folds:
            found += _nothing(case, trial_of.SCORE_METHODS, (*_LOSSES, _ECE), _FEW_BLOCKS)
            continue
        folds = trial_of.fittable(entries, folds, trial_of.SCORE_METHODS, of_scores=True)
        trial = trial_of.tried(entries, folds, trial_of.SCORE_METHODS, of_scores=True)
        means = _means(trial, _LOSSES)
        if catalog.predictions.unit is not None:
            starts = [_moment(histogram.blocks[fold.first]) for fold in folds]
            end = _moment(histogram.blocks[folds[-1].after - 1]) + _length(catalog)
            influences = _influences(trial, means, len(folds), len(edges) + 1)
            squares = read_fold_unit_squares(
                catalog, rows, {key: influences}, {key: [*starts, end]}, edges, score=event.score,
                positive=event.positive,
            )  # fmt: skip
            if key in squares:
                means = _filled(means, squares[key])
        finals = {m: trial_of.fit_score_map(m, entries) for m in trial_of.SCORE_METHODS}
        found += _rows(case, trial, means, trial_of.SCORE_METHODS, finals)
        maps += _points(case, finals, np.linspace(0.0, 1.0, _POINTS), entries.score)
    return found, maps, text


_ECE = "expected_calibration_error"
_FEW_BLOCKS = f"fewer than {trial_of.FOLDS + 1} blocks of time with mature labels; a longer window has more"
Key = tuple[Method, str, bool]
"""Method, loss, and whether it is the difference to the scores as they are."""


def _too_few(entries: Entries | None) -> str | None:
    n = 0 if entries is None else int(entries.n.sum())
    return f"{n} rows with mature labels; at least {LEAST_ROWS} are needed" if n < LEAST_ROWS else None


def _length(catalog: Catalog) -> timedelta:
    return _LENGTH.get(catalog.predictions.block, timedelta(0))


def _moment(block: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=int(block))  # noqa: DTZ001  # local wall-clock time


def _instant(moment: datetime, catalog: Catalog) -> datetime:
    # days are cut in the project's zone, hours in UTC
    zone = catalog.project.zone if catalog.predictions.block in {"day", "week", "month"} else UTC
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _mature(entries: Entries, blocks: NDArray[np.int64], catalog: Catalog, maturity: Maturity) -> Entries:
    length = _length(catalog)
    ripe = np.array(
        [maturity.reason(_instant(_moment(block) + length, catalog)) is None for block in blocks],
        dtype=np.bool_,
    )
    return entries.among(ripe[entries.block]) if len(ripe) else entries


def _folds(
    entries: Entries, blocks: NDArray[np.int64], catalog: Catalog, maturity: Maturity
) -> tuple[Fold, ...]:
    length = _length(catalog) // _MICROSECOND
    delay = (maturity.delay or timedelta(0)) // _MICROSECOND
    weights = as_floats(np.bincount(entries.block, entries.w, entries.n_blocks))
    last = int(np.flatnonzero(weights > 0).max()) + 1
    return trial_of.folds_of(weights[:last], blocks[:last] + length, blocks[:last], delay)


def _means(trial: Trial, metrics: Sequence[str]) -> dict[Key, Estimate]:
    found: dict[Key, Estimate] = {}
    for metric in metrics:
        before = trial_of.losses(metric, trial.mapped["none"], trial.rows.label)
        for method, scores in trial.mapped.items():
            values = trial_of.losses(metric, scores, trial.rows.label)
            found[method, metric, False] = trial_of.mean_of(trial, values, metric)
            if method != "none":
                found[method, metric, True] = trial_of.mean_of(trial, values - before, metric)
    return found


def _influences(trial: Trial, means: Mapping[Key, Estimate], folds: int, bins: int) -> Floats:
    """Influences by fold, label and bin, shape (M, folds, 2, bins)."""
    table = np.zeros((len(means), folds, 2, bins))
    label = trial.rows.label.astype(np.int64)
    for i, estimate in enumerate(means.values()):
        if estimate.influence is not None:
            table[i, trial.fold, label, trial.rows.tag] = estimate.influence
    return table


def _filled(means: Mapping[Key, Estimate], squares: tuple[Floats, Floats]) -> dict[Key, Estimate]:
    sums, units = squares
    return {
        key: with_units(estimate, float(sums[i]), int(units[i]))
        for i, (key, estimate) in enumerate(means.items())
    }


def _rows(
    case: _Case,
    trial: Trial,
    means: Mapping[Key, Estimate],
    methods: Sequence[Method],
    finals: Mapping[Method, Map | NoFit],
) -> Iterator[RecalibrationRow]:
    metrics = list(dict.fromkeys(metric for _, metric, _ in means))
    for method in methods:
        final = finals[method]
        parameters = None if isinstance(final, NoFit) else trial_of.words(final)
        problem = trial.problems.get(method)
        if problem is not None:
            yield from _nothing(case, (method,), metrics, problem)
            continue
        for metric in metrics:
            whole = trial_of.settle(means[method, metric, False])
            gap = trial_of.settle(means[method, metric, True]) if method != "none" else None
            yield _row(case, trial, (method, metric, parameters), whole, gap)
        if "log_loss" in metrics:
            yield _error_row(case, trial, method, parameters)


def _row(
    case: _Case, trial: Trial, of: tuple[Method, str, str | None], whole: Settled, gap: Settled | None
) -> RecalibrationRow:
    method, metric, parameters = of
    low, high = whole.interval(case.confidence)
    gap_low, gap_high = gap.interval(case.confidence) if gap is not None else (None, None)
    return RecalibrationRow(
        case.version, case.class_, method, metric, whole.estimate.value, low, high,
        gap.estimate.value if gap is not None else None, gap_low, gap_high,
        gap.p_value if gap is not None else None, None, int(trial.rows.n.sum()), _days(trial), trial.n_fitted,
        parameters, (gap or whole).chosen.independence, "ok", None,
    )  # fmt: skip


def _error_row(case: _Case, trial: Trial, method: Method, parameters: str | None) -> RecalibrationRow:
    scores = trial.mapped[method]
    error = trial_of.error_of(trial, scores, case.confidence)
    gap = None
    if method != "none":
        gap = trial_of.error_difference(trial, scores, trial.mapped["none"], case.confidence)
    independence = trial_of.settle(
        trial_of.mean_of(trial, scores - trial.rows.label, "gap")
    ).chosen.independence
    reason = "the difference needs ten blocks of time" if gap is None and method != "none" else None
    value, low, high, p_value = gap if gap is not None else (None, None, None, None)
    return RecalibrationRow(
        case.version, case.class_, method, _ECE, error.value, error.low, error.high, value, low, high, p_value, None,
        int(trial.rows.n.sum()), _days(trial), trial.n_fitted, parameters, independence, "ok", reason,
    )  # fmt: skip


def _days(trial: Trial) -> int:
    return len(np.unique(trial.rows.block))


def _nothing(
    case: _Case, methods: Sequence[Method], metrics: Sequence[str], reason: str
) -> Iterator[RecalibrationRow]:
    nothing = dict.fromkeys(RecalibrationRow.__dataclass_fields__)
    for method in methods:
        for metric in metrics:
            known = {
                "version": case.version, "class_": case.class_, "method": method, "metric": metric, "n": 0,
                "n_days": 0, "n_fitted": 0, "status": "too_few", "reason": reason,
            }  # fmt: skip
            yield RecalibrationRow(**(nothing | known))  # type: ignore[arg-type]


def _points(
    case: _Case, finals: Mapping[Method, Map | NoFit], scores: Floats, seen: Floats
) -> Iterator[MapRow]:
    inside = scores[(scores >= seen.min()) & (scores <= seen.max())]
    for method, final in finals.items():
        if isinstance(final, NoFit) or final is None:
            continue
        for score, value in zip(inside, trial_of.apply_map(final, inside), strict=True):
            yield MapRow(case.version, case.class_, method, float(score), float(value))


def _regression(
    catalog: Catalog, rows: Sql, scope: Scope, window: Window, maturity: Maturity
) -> tuple[Results[RecalibrationRow], Results[MapRow]]:
    sample = read_sample(catalog, rows, SAMPLE, where="scored AND label IS NOT NULL")
    blocks, place = np.unique(block_codes(sample.table), return_inverse=True)
    weight = sample.column("weight")
    every = Entries(
        place.astype(np.int64), sample.column("score"), sample.column("label"), weight, weight**2,
        np.ones(len(weight)), _units(sample.table), len(blocks),
    )  # fmt: skip
    version = np.array(sample.table.column("version").to_pylist(), dtype=object)
    found: list[RecalibrationRow] = []
    maps: list[MapRow] = []
    notes = []
    for name in versions_of(catalog, scope):
        case = _Case(name, None, scope.confidence)
        mine = every.among(np.asarray(version == name, dtype=np.bool_)) if name is not None else every
        entries = _mature(mine, blocks, catalog, maturity)
        total = sample.totals.get((window.key, name, None), 0)
        if total > SAMPLE:
            notes.append(f"{name}: a sample of {SAMPLE:,} of {total:,} labelled rows.")
        problem = _too_few(entries)
        folds = () if problem is not None else _folds(entries, blocks, catalog, maturity)
        if not folds:
            found += _nothing(case, trial_of.VALUE_METHODS, _VALUE_LOSSES, problem or _FEW_BLOCKS)
            continue
        folds = trial_of.fittable(entries, folds, trial_of.VALUE_METHODS, of_scores=False)
        trial = trial_of.tried(entries, folds, trial_of.VALUE_METHODS, of_scores=False)
        means = _means(trial, _VALUE_LOSSES)
        if catalog.predictions.unit is not None:
            means = {key: trial_of.over_units(one, trial.rows) for key, one in means.items()}
        finals = {m: trial_of.fit_value_map(m, entries) for m in trial_of.VALUE_METHODS}
        found += _rows(case, trial, means, trial_of.VALUE_METHODS, finals)
        maps += _points(case, finals, np.quantile(entries.score, np.linspace(0, 1, _POINTS)), entries.score)
    zone = catalog.project.zone
    kept = (*maturity.notes, *notes)
    return (
        Results(adjusted_recalibration(found), zone, (sample.sql,), kept),
        Results(tuple(maps), zone, (sample.sql,)),
    )


def _units(table: pa.Table) -> NDArray[np.int64]:
    """Each row's unit as a number; a row without one stands for itself."""
    encoded = table.column("unit").combine_chunks().dictionary_encode()
    code: NDArray[np.int64] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    own = len(encoded.dictionary) + np.arange(len(code))
    return np.where(code < 0, own, code)
