"""Best thresholds of a scope: for earnings, a precision, a recall or a review budget, and what they would gain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.decisions import (
    NOTHING,
    CellCounts,
    ChoiceCells,
    DecisionScores,
    ScoreColumn,
    prepared,
    read_choices,
    read_counts,
    read_decision_scores,
)
from analytics.aggregates.keys import CellKey
from analytics.ask import decision_cells as shared
from analytics.ask.aggregates import decides, edges_of
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.quality import CellPlace
from analytics.ask.windows import resolve
from analytics.engines.text import Sql
from analytics.measures.estimate import Estimate
from analytics.quality import choices
from analytics.quality.decision_rows import ThresholdPointRow, ThresholdRow
from analytics.quality.thresholds import METRIC, Answer, Cell, Wish, answer, cell_of, curve
from analytics.results import Results, Status
from analytics.scope import Scope
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.stats.thresholds import simplest_between
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
MOST_POINTS = 120
"""Thresholds of a curve: more than a chart can show."""


@dataclass(frozen=True)
class _Asked:
    """One question about one cell and where its answer stands."""

    scope: Scope
    place: CellPlace
    counts: CellCounts | None
    immature: str | None
    class_: str | None
    wish: Wish

    @property
    def per_day(self) -> float:
        """Scored rows a day, by weight."""
        return self.counts.weight / self.counts.days if self.counts is not None and self.counts.days else 0.0


def thresholds_of(catalog: Catalog, scope: Scope, goals: Iterable[str] = ()) -> Results[ThresholdRow]:
    """The threshold that serves each goal best, with what it would gain over the decisions that were logged.

    Args:
        catalog: the project's views.
        scope: the question.
        goals: cost, precision=.8, recall=.9, budget=50; the usual ones where empty.

    Raises:
        ScopeError: the task is regression, or a goal cannot be understood.
    """
    columns = tuple(shared.score_columns(catalog, shared.NO_THRESHOLD))
    wishes = shared.wishes_of(catalog, goals)
    scope, windows = resolve(catalog, scope)
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    source = scoped_rows(catalog, scope)
    maturity = maturity_of(catalog, scope)
    rows: list[ThresholdRow] = []
    texts: list[str] = []
    with catalog.engine.kept(prepared(catalog, source)) as kept:
        counts, _ = read_counts(catalog, kept)
        places = list(shared.places_of(catalog, scope, windows, counts))
        asked = [
            _Asked(scope, place, *_known(place, counts, maturity), None, Wish("cost")) for place in places
        ]
        if catalog.predictions.task == "multiclass" and Wish("cost") in wishes:
            found, text = _choices(catalog, kept, asked)
            rows += found
            texts.append(text)
            wishes = tuple(wish for wish in wishes if wish.goal != "cost")
        for column in columns if wishes else ():
            cells, text = _cells(catalog, kept, column)
            texts.append(text)
            for one in asked:
                key = CellKey(one.place.window.key, one.place.version, one.place.value)
                mine = [replace(one, class_=column.class_, wish=wish) for wish in wishes]
                rows += _rows(catalog, mine, cells.get(key))
    texts = [text.replace(kept.text, source.text) for text in texts if text]
    notes = (_note(rows),) if scope.by is not None else ()
    return Results(tuple(_corrected(rows)), catalog.project.zone, tuple(texts), notes)


def threshold_curve_of(catalog: Catalog, scope: Scope, goal: str = "cost") -> Results[ThresholdPointRow]:
    """What each threshold gives of the goal's metric, beside the logged decisions; not split by segment.

    Raises:
        ScopeError: the task is regression, the goal cannot be understood, or no earnings are declared.
    """
    columns = tuple(shared.score_columns(catalog, shared.NO_THRESHOLD))
    wish = shared.wishes_of(catalog, [goal])[0]
    if wish.goal == "cost" and catalog.predictions.task == "multiclass":
        columns = ()
    metric = METRIC[wish.goal]
    scope, windows = resolve(catalog, replace(scope, by=None))
    source = scoped_rows(catalog, scope)
    rows: list[ThresholdPointRow] = []
    texts: list[str] = []
    with catalog.engine.kept(prepared(catalog, source)) as kept:
        counts, _ = read_counts(catalog, kept)
        for column in columns:
            cells, text = _cells(catalog, kept, column)
            texts.append(text.replace(kept.text, source.text))
            for place in shared.places_of(catalog, scope, windows, counts):
                mine = cells.get(CellKey(place.window.key, place.version, None))
                if mine is not None and _problem(catalog, counts.get(_key(place)), mine, wish) is None:
                    rows += _points(catalog, scope, place, column.class_, metric, mine)
    return Results(tuple(rows), catalog.project.zone, tuple(texts))


@dataclass(frozen=True)
class _Read:
    """One cell as read."""

    scores: DecisionScores
    units: DecisionScores | None


def _key(place: CellPlace) -> CellKey:
    return CellKey(place.window.key, place.version, place.value)


def _known(
    place: CellPlace, counts: Mapping[CellKey, CellCounts], maturity: Maturity
) -> tuple[CellCounts | None, str | None]:
    found = counts.get(_key(place))
    return found, maturity.reason(place.window.end) if found is not None and found.n else None


def _cells(catalog: Catalog, kept: Sql, column: ScoreColumn) -> tuple[dict[CellKey, _Read], str]:
    edges = edges_of(catalog.predictions)
    by_block, text = read_decision_scores(catalog, kept, column, edges)
    by_unit: dict[CellKey, DecisionScores] = {}
    if catalog.predictions.unit is not None:
        by_unit, _ = read_decision_scores(catalog, kept, column, edges, by="unit_group")
    return {key: _Read(scores, by_unit.get(key)) for key, scores in by_block.items()}, text


def _problem(
    catalog: Catalog, counts: CellCounts | None, read: _Read | None, wish: Wish
) -> tuple[Status, str] | None:
    if wish.goal == "cost" and catalog.project.costs is None:
        return "undefined", shared.NO_COSTS
    decided = decides(catalog.predictions)
    of_class = _of_class(read.scores, decided=decided) if read is not None else None
    return shared.problem_of(counts, of_class, decided=decided)


def _of_class(scores: DecisionScores, *, decided: bool) -> tuple[int, int]:
    usable = (scores.decision != NOTHING) | (not decided)
    negative, positive = (int(scores.n[(scores.label == label) & usable].sum()) for label in (0, 1))
    return negative, positive


def _rows(catalog: Catalog, asked: Sequence[_Asked], read: _Read | None) -> list[ThresholdRow]:
    """The rows of all goals in one cell: the cell is made ready once."""
    ready: Cell | None = None
    rows = []
    for one in asked:
        problem = _problem(catalog, one.counts, read, one.wish)
        if problem is not None or read is None:
            rows.append(_empty(one, *(problem or ("no_data", "no rows in this window"))))
            continue
        ready = ready or cell_of(read.scores, read.units, decided=decides(catalog.predictions))
        amounts = shared.amounts_of(catalog.project.costs)
        found = answer(ready, one.wish, one.per_day, amounts, one.scope.confidence)
        if found is None:
            rows.append(_empty(one, "undefined", _out_of_reach(one.wish)))
            continue
        rows.append(_row(catalog, one, read, found))
    return rows


def _out_of_reach(wish: Wish) -> str:
    if wish.goal == "precision":
        return f"no threshold reaches a precision of {wish.target or 0:.0%}"
    return "no threshold reaches the goal"


def _empty(asked: _Asked, status: Status, reason: str) -> ThresholdRow:
    place, counts = asked.place, asked.counts
    return ThresholdRow(
        place.window.start, place.window.end, place.version, asked.scope.by, place.value, asked.class_,
        asked.wish.goal, asked.wish.target, METRIC[asked.wish.goal],
        rows_per_day=asked.per_day or None,
        n=counts.n_scored if counts else 0,
        n_labelled=counts.n_labelled if counts else 0,
        status=status,
        reason=reason,
    )  # fmt: skip


def _row(catalog: Catalog, asked: _Asked, read: _Read, found: Answer) -> ThresholdRow:
    edges = [0.0, *edges_of(catalog.predictions), None]
    confidence = asked.scope.confidence
    row = _empty(asked, "immature" if asked.immature else "ok", asked.immature or "")
    never = "calling nobody is best" if edges[found.place] is None else None
    precision = _limits(found.precision, confidence)
    recall, rate = _limits(found.recall, confidence), _limits(found.decision_rate, confidence)
    present = _limits(found.present, confidence)
    gain = found.gain_limits or (None, None)
    return replace(
        row,
        threshold=edges[found.place],
        threshold_low=edges[found.low],
        threshold_high=edges[found.high],
        value=found.value.value,
        ci_low=found.value_limits[0],
        ci_high=found.value_limits[1],
        precision=precision[0], precision_ci_low=precision[1], precision_ci_high=precision[2],
        recall=recall[0], recall_ci_low=recall[1], recall_ci_high=recall[2],
        decision_rate=rate[0], decision_rate_ci_low=rate[1], decision_rate_ci_high=rate[2],
        present_threshold=present_threshold(read.scores),
        present_value=present[0], present_ci_low=present[1], present_ci_high=present[2],
        gain=found.gain.value if found.gain is not None else None,
        gain_ci_low=gain[0],
        gain_ci_high=gain[1],
        gain_in_sample=found.gain_in_sample,
        p_value=found.p_value,
        n_labelled=sum(_of_class(read.scores, decided=decides(catalog.predictions))),
        independence=found.value.chosen().independence,
        reason=asked.immature or never,
    )  # fmt: skip


def _limits(estimate: Estimate | None, confidence: float) -> tuple[float | None, float | None, float | None]:
    if estimate is None or estimate.value is None:
        return None, None, None
    low, high, _ = estimate.interval(confidence)
    return estimate.value, low, high


def present_threshold(scores: DecisionScores) -> float | None:
    """The threshold that all logged decisions follow, the shortest number that does; None where none does."""
    no, yes = scores.decision == 0, scores.decision == 1
    if not no.any() or not yes.any():
        return None
    highest, lowest = float(scores.high[no].max()), float(scores.low[yes].min())
    return simplest_between(highest, lowest) if highest < lowest else None


def _points(
    catalog: Catalog, scope: Scope, place: CellPlace, class_: str | None, metric: str, read: _Read
) -> list[ThresholdPointRow]:
    edges = [0.0, *edges_of(catalog.predictions)]
    cell = cell_of(read.scores, read.units, decided=decides(catalog.predictions))
    amounts = shared.amounts_of(catalog.project.costs)
    labelled = sum(_of_class(read.scores, decided=cell.decided))
    rows = []
    for point in curve(cell, metric, amounts, _drawn(cell)):
        value, low, high = _limits(point.estimate, scope.confidence)
        rows.append(
            ThresholdPointRow(
                place.window.start, place.window.end, place.version, class_, metric,
                None if point.place is None else edges[point.place], value, low, high, point.decision_rate,
                point.estimate.chosen().independence, labelled,
            )
        )  # fmt: skip
    return rows


def _drawn(cell: Cell) -> list[int]:
    """Thresholds at which something changes, thinned out evenly in the rows that they call."""
    called = cell.folds.total().rows
    moves = np.flatnonzero(np.append(called[:-1] > called[1:], False))
    if len(moves) > MOST_POINTS:
        # even in place and even in rows: crowded scores and empty stretches both keep their shape
        even = np.unique(np.linspace(0, len(moves) - 1, MOST_POINTS).astype(int))
        moves = moves[even]
    return [int(place) for place in moves]


def _corrected(rows: Sequence[ThresholdRow]) -> list[ThresholdRow]:
    """Benjamini-Hochberg over the segment values of a window, version, class and goal."""
    families: dict[object, list[int]] = {}
    for index, row in enumerate(rows):
        family = (row.window_start, row.version, row.class_, row.goal, row.target)
        families.setdefault(family, []).append(index)
    answers = list(rows)
    for members in families.values():
        adjusted = benjamini_hochberg([rows[index].p_value for index in members])
        for index, p in zip(members, adjusted, strict=True):
            if rows[index].p_value is not None:
                answers[index] = replace(rows[index], p_adjusted=float(p))
    return answers


def _note(rows: Sequence[ThresholdRow]) -> str:
    tested = sum(row.p_value is not None for row in rows)
    return (
        f"{tested} gains are tested; p-values are corrected (Benjamini-Hochberg) over the segment values of a version "
        "and goal, so of those called a gain about 5 % are none."
    )


def _choices(catalog: Catalog, kept: Sql, asked: Sequence[_Asked]) -> tuple[list[ThresholdRow], str]:
    """Several classes: the class with the largest expected earnings against the class that was decided."""
    classes = catalog.predictions.classes
    earned = shared.matrix_of(catalog.project.costs, classes)
    if earned is None:
        return [_empty(one, "undefined", shared.NO_MATRIX) for one in asked], ""
    cells, text = read_choices(catalog, kept, classes, earned)
    units: dict[CellKey, ChoiceCells] = {}
    if catalog.predictions.unit is not None:
        units, _ = read_choices(catalog, kept, classes, earned, by="unit_group")
    rows = []
    for one in asked:
        key = _key(one.place)
        problem = shared.problem_of(one.counts, None, decided=True)
        if problem is not None or key not in cells:
            rows.append(_empty(one, *(problem or ("no_data", "no row has a known class"))))
        else:
            rows.append(_choice_row(one, cells[key], units.get(key), earned))
    return rows, text


def _choice_row(asked: _Asked, cells: ChoiceCells, units: ChoiceCells | None, earned: Floats) -> ThresholdRow:
    found = choices.compared(cells, units, earned)
    confidence = asked.scope.confidence
    value, present = _limits(found.best, confidence), _limits(found.present, confidence)
    gain = _limits(found.gain, confidence)
    return replace(
        _empty(asked, "immature" if asked.immature else "ok", ""),
        value=value[0], ci_low=value[1], ci_high=value[2],
        present_value=present[0], present_ci_low=present[1], present_ci_high=present[2],
        gain=gain[0], gain_ci_low=gain[1], gain_ci_high=gain[2], gain_in_sample=gain[0],
        p_value=choices.p_value(found.gain),
        n_labelled=int(cells.n.sum()),
        independence=found.gain.chosen().independence,
        reason=asked.immature or shared.BY_ROW,
    )  # fmt: skip
