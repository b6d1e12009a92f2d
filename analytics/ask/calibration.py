"""Calibration of a scope: tests by window, version, segment value and class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import held_rows, shown
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import Centre, RowMoments, needed_columns, read_centre, read_row_moments
from analytics.aggregates.reliability import ReliabilityBins, read_reliability
from analytics.aggregates.scores import ScoreHistogram, read_score_histograms
from analytics.ask.aggregates import read_score_squares
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.engines.text import Sql, literal
from analytics.measures import calibration as measure
from analytics.measures import multiclass
from analytics.measures.binary import few_rows, reliability_error
from analytics.measures.calibration import Settled
from analytics.measures.estimate import Estimate, with_units
from analytics.measures.standard_quality import edges_of, kept_quality, kept_unit_scores
from analytics.quality.calibration import CalibrationTestRow, adjusted_tests
from analytics.results import Results, Status
from analytics.scope import Scope, Window
from analytics.stats.recalibration import NoFit
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredEvent:
    """One score and the event it is about.

    Attributes:
        class_: None for a binary model and for the top class.
        score: SQL of the score.
        positive: SQL that says the event came.
    """

    class_: str | None
    score: str
    positive: str


def scored_events(catalog: Catalog) -> tuple[ScoredEvent, ...]:
    """The scores of a project: of a multiclass one the top class's first, then each class against the rest."""
    classes = catalog.predictions.classes
    if catalog.predictions.task == "binary":
        return (ScoredEvent(None, "score", "label = 1"),)
    top = ScoredEvent(None, multiclass.top_score(classes), f"label = {multiclass.top_class(classes)}")
    return (top, *(ScoredEvent(name, score_column(name), f"label = {literal(name)}") for name in classes))


def calibration_tests_of(catalog: Catalog, scope: Scope) -> Results[CalibrationTestRow]:
    """Gap, Spiegelhalter's test, calibration line and error of every window, version, segment value and class."""
    zone = catalog.project.zone
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    rows = scoped_rows(catalog, scope)
    maturity = maturity_of(catalog, scope)
    with held_rows(catalog, rows, partial(needed_columns, catalog.predictions)) as held:
        found = (
            _regression(catalog, held, scope) if _is_regression(catalog) else _scores(catalog, held, scope)
        )
        texts = tuple(shown(rows, held, text) for text in found.sql)
    classes = [None] if _is_regression(catalog) else [event.class_ for event in scored_events(catalog)]
    answers = [
        _row(found.get((key, class_)), found.counts.get(key, (0, 0, 0)), place, class_, maturity)
        for place, key in places_of(catalog, scope, windows, found.counts)
        for class_ in classes
    ]
    return Results(adjusted_tests(answers), zone, texts, maturity.notes)


def _is_binary(catalog: Catalog) -> bool:
    return catalog.predictions.task == "binary"


def _is_regression(catalog: Catalog) -> bool:
    return catalog.predictions.task == "regression"


@dataclass(frozen=True)
class Place:
    """Where a cell stands in the answer."""

    window: Window
    version: str | None
    segment: str | None
    value: str | None


def places_of(
    catalog: Catalog, scope: Scope, windows: Iterable[Window], known: Iterable[CellKey]
) -> Iterator[tuple[Place, CellKey]]:
    """Every window, version and segment value that is answered for, and its key in the aggregates."""
    values: tuple[str | None, ...] = (None,)
    if scope.by is not None:
        values = in_order(key.segment for key in known if key.segment is not None) or (None,)
    for window in windows:
        for version in versions_of(catalog, scope):
            for value in values:
                yield Place(window, version, scope.by, value), CellKey(window.key, version, value)


@dataclass
class _Facts:
    """What is known of one cell and class, before it becomes a row."""

    mean_score: float
    mean_label: float
    gap: Settled
    limits: tuple[float, float]
    gap_p: float | None
    z: float | None
    p_value: float | None
    intercept: Settled | None = None
    slope: Settled | None = None
    line_limits: tuple[tuple[float, float], tuple[float, float]] | None = None
    error: tuple[float, float, float, float, float] | None = None
    reason: str | None = None


@dataclass
class _Found:
    moments: Mapping[CellKey, RowMoments] = field(default_factory=dict)
    cells: dict[tuple[CellKey, str | None], _Facts] = field(default_factory=dict)
    counts: dict[CellKey, tuple[int, int, int]] = field(default_factory=dict)
    sql: list[str] = field(default_factory=list)

    def get(self, place: tuple[CellKey, str | None]) -> _Facts | None:
        return self.cells.get(place)


def _scores(catalog: Catalog, rows: Sql, scope: Scope) -> _Found:
    found = _Found()
    events = scored_events(catalog)
    prefixes = [f"e{i}_" for i in range(len(events))]
    statistics = tuple(
        one
        for event, prefix in zip(events, prefixes, strict=True)
        for one in measure.score_statistics(event.score, event.positive, prefix)
    )
    together = tuple(group for prefix in prefixes for group in measure.score_together(prefix))
    counting = (measure.SCORED, *statistics)
    moments, text = read_row_moments(catalog, rows, counting, together)
    found.sql.append(text)
    for key, one in moments.items():
        found.counts[key] = (one.n, one.count("scored"), one.count("e0_labelled"))
    found.moments = {key: one for key, one in moments.items() if few_rows(*found.counts[key]) is None}
    for event, prefix in zip(events, prefixes, strict=True):
        _of_event(catalog, rows, scope, (event, prefix), found)
    return found


def _of_event(catalog: Catalog, rows: Sql, scope: Scope, of: tuple[ScoredEvent, str], found: _Found) -> None:
    event, prefix = of
    moments = found.moments
    labelled = f"{prefix}labelled"
    gaps = measure.settled({k: measure.gap_of(m, prefix) for k, m in moments.items()}, moments, labelled)
    excesses = measure.settled(
        {k: measure.excess_of(m, prefix) for k, m in moments.items()}, moments, labelled
    )
    bins, text = read_reliability(
        catalog, rows, score=event.score, positive=event.positive,
        stored=kept_quality(catalog, rows).reliability() if _is_binary(catalog) else None,
    )  # fmt: skip
    found.sql.append(text)
    lines = _lines(catalog, rows, event, list(moments), found)
    for key, one in moments.items():
        total = one.total(labelled)
        facts = _Facts(
            one.total(f"{prefix}score") / total,
            one.total(f"{prefix}label") / total,
            gaps[key],
            gaps[key].interval(scope.confidence),
            gaps[key].p_value,
            excesses[key].z,
            excesses[key].p_value,
        )
        _judge(facts, one, prefix)
        if key in lines:
            _add_line(facts, lines[key], scope.confidence)
        if key in bins:
            facts.error = _error(bins[key], facts.gap, scope.confidence)
        found.cells[key, event.class_] = facts


def _judge(facts: _Facts, moments: RowMoments, prefix: str) -> None:
    expected = measure.expected_events(moments, prefix)
    if expected < measure.LEAST_EXPECTED:
        facts.gap_p = facts.z = facts.p_value = None
        facts.reason = (
            f"not tested: scores so near to 0 or 1 leave {expected:.1f} events to chance; "
            f"{measure.LEAST_EXPECTED:.0f} are needed"
        )
    elif facts.z is None:
        facts.reason = "Spiegelhalter's test needs scores other than 0, 0.5 and 1"


def _error(
    bins: ReliabilityBins, gap: Settled, confidence: float
) -> tuple[float, float, float, float, float]:
    error = reliability_error(bins, gap.design_effect, confidence)
    return error.value, error.low, error.high, error.noise_floor, error.debiased


def _lines(
    catalog: Catalog, rows: Sql, event: ScoredEvent, keys: list[CellKey], found: _Found
) -> dict[CellKey, tuple[Estimate, Estimate]]:
    edges = edges_of(catalog.predictions)
    histograms, text = read_score_histograms(
        catalog, rows, dict.fromkeys(keys, False), edges, score=event.score, positive=event.positive,
        stored=kept_quality(catalog, rows).scores() if _is_binary(catalog) else None,
    )  # fmt: skip
    found.sql.append(text)
    lines = {key: measure.line_estimates(one) for key, one in histograms.items() if key in set(keys)}
    if catalog.predictions.unit is None:
        return lines
    return _with_units(catalog, rows, event, histograms, lines)


def _with_units(
    catalog: Catalog,
    rows: Sql,
    event: ScoredEvent,
    histograms: Mapping[CellKey, ScoreHistogram],
    lines: Mapping[CellKey, tuple[Estimate, Estimate]],
) -> dict[CellKey, tuple[Estimate, Estimate]]:
    influences: dict[CellKey, Floats] = {}
    for key, (intercept, slope) in lines.items():
        if intercept.influence is not None and slope.influence is not None:
            influences[key] = np.stack([intercept.influence, slope.influence])
    of_top = event.class_ is None and not _is_binary(catalog)
    kept = None if of_top else kept_unit_scores(catalog, rows, event.class_)
    squares = read_score_squares(catalog, rows, (histograms, influences), (event.score, event.positive), kept)
    answers = dict(lines)
    for key, (sums, units) in squares.items():
        intercept, slope = lines[key]
        answers[key] = (
            with_units(intercept, float(sums[0]), int(units[0])),
            with_units(slope, float(sums[1]), int(units[1])),
        )
    return answers


def _add_line(facts: _Facts, line: tuple[Estimate, Estimate], confidence: float) -> None:
    intercept, slope = line
    if intercept.value is None or slope.value is None:
        said = f"no calibration line: {slope.reason}"
        facts.reason = f"{facts.reason}; {said}" if facts.reason else said
        return
    facts.intercept, facts.slope = (measure.widened(one, facts.gap) for one in line)
    facts.line_limits = facts.intercept.interval(confidence), facts.slope.interval(confidence)


def _regression(catalog: Catalog, rows: Sql, scope: Scope) -> _Found:
    found = _Found()
    centre = read_centre(catalog, rows)
    statistics = (measure.SCORED, *measure.pair_statistics(centre))
    moments, text = read_row_moments(catalog, rows, statistics, measure.PAIR_TOGETHER)
    found.sql.append(text)
    for key, one in moments.items():
        found.counts[key] = (one.n, one.count("scored"), one.count("labelled"))
    enough = {key: one for key, one in moments.items() if few_rows(*found.counts[key]) is None}
    gaps = measure.settled({key: measure.mean_gap(one) for key, one in enough.items()}, enough)
    for key, one in enough.items():
        found.cells[key, None] = _regression_facts(one, centre, gaps[key], scope.confidence)
    return found


def _regression_facts(moments: RowMoments, centre: Centre, gap: Settled, confidence: float) -> _Facts:
    total = moments.total("labelled")
    facts = _Facts(
        moments.total("prediction") / total + centre.prediction,
        moments.total("label") / total + centre.label,
        gap,
        gap.interval(confidence),
        gap.p_value,
        None,
        None,
    )
    line = measure.regression_line(moments, centre)
    if isinstance(line, NoFit):
        facts.reason = f"no calibration line: {line.reason}"
        return facts
    _add_line(facts, line, confidence)
    facts.p_value = measure.joint_p_value(moments, gap, line[1])
    return facts


def _row(
    facts: _Facts | None,
    counts: tuple[int, int, int],
    place: Place,
    class_: str | None,
    maturity: Maturity,
) -> CalibrationTestRow:
    n, _, labelled = counts
    empty = _empty(place, class_, n, labelled)
    if facts is None:
        status, reason = few_rows(*counts) or ("no_data", "no labelled rows")
        return replace(empty, status=status, reason=reason)
    late = maturity.reason(place.window.end)
    status_: Status = "ok" if late is None else "immature"
    row = replace(
        empty,
        mean_score=facts.mean_score,
        mean_label=facts.mean_label,
        gap=facts.gap.estimate.value,
        gap_ci_low=facts.limits[0],
        gap_ci_high=facts.limits[1],
        gap_p_value=facts.gap_p,
        spiegelhalter_z=facts.z,
        p_value=facts.p_value,
        independence=facts.gap.chosen.independence,
        status=status_,
        reason="; ".join(text for text in (late, facts.reason) if text) or None,
    )
    if facts.line_limits is not None and facts.intercept is not None and facts.slope is not None:
        (low, high), (slope_low, slope_high) = facts.line_limits
        row = replace(
            row, slope=facts.slope.estimate.value, slope_ci_low=slope_low, slope_ci_high=slope_high,
            intercept=facts.intercept.estimate.value, intercept_ci_low=low, intercept_ci_high=high,
        )  # fmt: skip
    if facts.error is not None:
        value, low, high, floor, debiased = facts.error
        row = replace(
            row, expected_calibration_error=value, error_ci_low=low, error_ci_high=high, noise_floor=floor,
            calibration_error_debiased=debiased,
        )  # fmt: skip
    return row


def _empty(place: Place, class_: str | None, n: int, labelled: int) -> CalibrationTestRow:
    nothing = dict.fromkeys(CalibrationTestRow.__dataclass_fields__)
    known = {
        "window_start": place.window.start,
        "window_end": place.window.end,
        "version": place.version,
        "segment": place.segment,
        "segment_value": place.value,
        "class_": class_,
        "n": n,
        "n_labelled": labelled,
        "status": "no_data",
    }
    return CalibrationTestRow(**(nothing | known))  # type: ignore[arg-type]
