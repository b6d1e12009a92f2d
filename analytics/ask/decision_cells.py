"""What questions about decisions share: which score, which goals, which cells, and why one cannot be answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.decisions import CellCounts, ScoreColumn
from analytics.aggregates.keys import CellKey
from analytics.ask.quality import CellPlace
from analytics.ask.windows import in_order, versions_of
from analytics.engines.text import literal
from analytics.errors import ScopeError
from analytics.measures.estimate import LEAST_OF_A_CLASS, LEAST_ROWS
from analytics.project import Costs
from analytics.quality.thresholds import Wish
from analytics.results import Status
from analytics.scope import Scope, Window
from analytics.stats.thresholds import Amounts, Goal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
GOALS: tuple[Goal, ...] = ("cost", "precision", "recall", "budget")
NO_COSTS = "no earnings are declared; say in [costs] what each outcome earns or costs"
NO_MATRIX = (
    "no earnings are declared; say in [costs] matrix what deciding each class earns for each true class"
)
NO_THRESHOLD = (
    "a regression predicts a number and takes no decision at a threshold, so there is none to choose"
)
NOT_REVIEWED = "a regression has no positive class to look for; sort by predicted value in Examples instead"
NOT_SURE = (
    "a regression logs one number and not how sure it is of it, so no row can be called doubtful; the size of a "
    "prediction is not doubt"
)
BY_ROW = (
    "costs of several classes have no one threshold; the class with the largest expected earnings is taken"
)


def score_columns(catalog: Catalog, refusal: str) -> Iterator[ScoreColumn]:
    """The score of a binary model, or each class's against the rest.

    Raises:
        ScopeError: the task is regression, with the reason given.
    """
    if catalog.predictions.task == "regression":
        raise ScopeError(refusal)
    if catalog.predictions.task == "binary":
        yield ScoreColumn(None, "score", "label = 1", "decision = 1")
    for name in catalog.predictions.classes:
        text = literal(name)
        yield ScoreColumn(name, score_column(name), f"label = {text}", f"decision = {text}")


def amounts_of(costs: Costs | None) -> Amounts | None:
    """What the outcomes of a binary model earn."""
    if costs is None:
        return None
    return Amounts(costs.true_positive, costs.false_positive, costs.false_negative, costs.true_negative)


def matrix_of(costs: Costs | None, classes: Sequence[str]) -> Floats | None:
    """What deciding j earns where i is true, shape (K, K); None where no matrix is declared."""
    if costs is None or not costs.matrix:
        return None
    matrix = costs.matrix
    return np.array([[matrix.get(true, {}).get(decided, 0.0) for decided in classes] for true in classes])


def wishes_of(catalog: Catalog, texts: Iterable[str]) -> tuple[Wish, ...]:
    """Goals as typed: cost, precision=.8, recall=.9, budget=50; the usual ones where none is.

    Raises:
        ScopeError: a goal cannot be understood.
    """
    wishes = tuple(_wish(text) for text in texts)
    if wishes:
        return wishes
    usual = [Wish("recall", 0.9), Wish("precision", 0.8)]
    if catalog.project.costs is not None:
        usual.insert(0, Wish("cost"))
    budget = catalog.project.quality.review_budget
    if budget is not None:
        usual.append(Wish("budget", float(budget)))
    return tuple(usual)


def _wish(text: str) -> Wish:
    name, _, wanted = text.partition("=")
    goal = next((known for known in GOALS if known == name.strip()), None)
    if goal is None:
        raise ScopeError(f'goal "{text}" is not known; write cost, precision=0.8, recall=0.9 or budget=50')
    if goal == "cost":
        if wanted:
            raise ScopeError("the goal cost takes no number: it earns as much as [costs] allow")
        return Wish("cost")
    try:
        target = float(wanted)
    except ValueError:
        raise ScopeError(f'goal "{text}" needs a number, as in {goal}=0.8') from None
    if goal == "budget":
        if not 0 < target < float("inf"):
            raise ScopeError("a budget is a number of rows a day, above 0")
    elif not 0 < target <= 1:
        raise ScopeError(f"a {goal} lies above 0 and is at most 1; 80 % is written 0.8")
    return Wish(goal, target)


def places_of(
    catalog: Catalog, scope: Scope, windows: Sequence[Window], cells: Iterable[CellKey]
) -> Iterator[CellPlace]:
    """Every window, version and segment value that must have a row, empty ones too."""
    values: tuple[str | None, ...] = (None,)
    if scope.by is not None:
        values = in_order(key.segment for key in cells if key.segment is not None) or (None,)
    for window in windows:
        for version in versions_of(catalog, scope):
            for value in values:
                yield CellPlace(window, version, value)


def problem_of(
    counts: CellCounts | None, of_class: Sequence[int] | None, *, decided: bool
) -> tuple[Status, str] | None:
    """Why nothing can be said about thresholds in a cell.

    Args:
        counts: of the cell.
        of_class: negative and positive labels that count; None where they do not matter.
        decided: whether only rows with a decision count.
    """
    if counts is None or counts.n == 0:
        return "no_data", "no rows in this window"
    if counts.n_scored == 0:
        return "no_data", f"none of {counts.n:,} rows has a usable score"
    labelled = counts.n_decided if decided else counts.n_labelled
    if labelled == 0:
        return "no_data", f"none of {counts.n:,} rows has a label"
    if labelled < LEAST_ROWS:
        return "too_few", f"{labelled} labelled rows; at least {LEAST_ROWS} are needed"
    if of_class is not None and min(of_class) < LEAST_OF_A_CLASS:
        return "too_few", (
            f"{of_class[1]} positive and {of_class[0]} negative labels; at least {LEAST_OF_A_CLASS} of each are needed"
            f"{_more(min(of_class), sum(of_class))}"
        )
    return None


def _more(rarer: int, labelled: int) -> str:
    """How many labels that takes at the share there is."""
    if rarer == 0:
        return ""
    more = -(-(LEAST_OF_A_CLASS - rarer) * labelled // rarer)
    return f": about {more:,} more labels at this share of them"
