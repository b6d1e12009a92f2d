"""How likely a label was to have come by now, by decision and by label, and what missing labels could do at most."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arrivals import Arrivals
from analytics.aggregates.label_weights import LEAST_ARRIVED, Arrived, Missing
from analytics.labels.learn import LEAST_DAYS, LEAST_ROWS
from analytics.stats.arrivals import arrived_of_ever, follow_up, kaplan_meier

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEAST_ARRIVALS = 50
NOT_LEARNED = "too few earlier predictions to learn from how likely a label was to have come"


@dataclass(frozen=True)
class Chances:
    """The probability that a label had come, by stratum, of all that ever come.

    Attributes:
        by_stratum: stratum -> shape (B,), by the bin of age.
        lowest: of the kinds of rows that get labels, shape (B,).
        by_label: whether labels were told apart.
    """

    by_stratum: dict[str, Floats]
    lowest: Floats
    by_label: bool


def chances(history: Arrivals, version: str | None, before: datetime, *, by_label: bool) -> Chances | None:
    """Learn from days that had ended by a local instant.

    Args:
        history: counts by ``decision|label`` (``|label`` or ``decision|`` where one of them is not known).
        version: whose labels; all versions' where its own are too few.
        before: wall-clock time in the project's zone.
        by_label: whether to tell labels apart, which late labels that differ from early ones make necessary.
    """
    stop = bisect_left(history.days, before)
    if stop and (before - history.days[stop - 1]).total_seconds() < 86_400:
        stop -= 1
    earlier = history.day < stop
    mine = earlier & (history.version == _place(history, version))
    if _too_few(history, mine):
        mine = earlier
    if _too_few(history, mine):
        return None
    pooled = _share(history, mine, by_label=False)
    if pooled is None:
        return None
    found: dict[str, Floats] = {}
    labelled = {history.strata[place] for place in np.unique(history.stratum[history.delay >= 0])}
    for stratum in history.strata:
        decision, _, label = stratum.rpartition("|")
        same = _matches(history, decision=decision, label=label if by_label else None)
        alike = _matches(history, decision=None, label=label) if by_label else same
        tried = (_share(history, mine & part, by_label=by_label) for part in (same, alike))
        found[stratum] = next((one for one in tried if one is not None), pooled)
    lowest = np.min([found[stratum] for stratum in labelled], axis=0)
    return Chances(found, np.asarray(lowest), by_label)


def _place(history: Arrivals, version: str | None) -> int:
    return history.versions.index(version) if version in history.versions else -1


def _too_few(history: Arrivals, mine: Mask) -> bool:
    return bool(history.n[mine].sum() < LEAST_ROWS) or len(np.unique(history.day[mine])) < LEAST_DAYS


def _matches(history: Arrivals, *, decision: str | None, label: str | None) -> Mask:
    fits = []
    for stratum in history.strata:
        own, _, known = stratum.rpartition("|")
        fits.append((decision is None or own == decision) and (label is None or known == label))
    return np.array(fits, dtype=np.bool_)[history.stratum]


def _share(history: Arrivals, mine: Mask, *, by_label: bool) -> Floats | None:
    """The probability by bin of age, between the shares at the bin's edges; None where too few labels came."""
    if history.n[mine & (history.delay >= 0)].sum() < LEAST_ARRIVALS:
        return None
    age, delay, weight = history.age[mine], history.delay[mine], history.weight[mine]
    if by_label:
        share = arrived_of_ever(age, delay, weight)
    else:
        one = np.zeros(len(age), dtype=np.int64)
        curve = kaplan_meier(follow_up(one, 1, age, delay, weight, history.squares[mine]))
        share = curve.share / curve.plateau if curve is not None and curve.plateau > 0 else None
    if share is None:
        return None
    return np.asarray(np.minimum((share + np.append(share[1:], share[-1])) / 2, 1.0))


def probabilities(
    now: Arrivals, window: datetime, version: str | None, learned: Chances
) -> tuple[list[Arrived], int]:
    """The probability of every group of a window's labelled rows, and how many of these are left out.

    Rows are left out by age alone: where any kind of label had a chance below `LEAST_ARRIVED`, none of that age counts.
    Were the slow kinds alone left out, the quick ones would stand for them.
    """
    if window not in now.windows or version not in now.versions:
        return [], 0
    of_window = (now.window == now.windows.index(window)) & (now.version == now.versions.index(version))
    found: dict[tuple[str, int], float] = {}
    left_out = 0
    for row in np.flatnonzero(of_window & (now.delay >= 0)).tolist():
        stratum, age = now.strata[now.stratum[row]], int(now.age[row])
        enough = learned.lowest[age] >= LEAST_ARRIVED
        found[stratum, age] = float(learned.by_stratum[stratum][age]) if enough else 0.0
        if not enough:
            left_out += int(now.n[row])
    return [
        Arrived(window, version, stratum, age, share) for (stratum, age), share in found.items()
    ], left_out


def worst_and_best(metric: str, cell: Missing) -> tuple[float, float] | None:
    """What a metric would be if every missing label were such as to make it smallest, and largest.

    >>> cell = Missing(np.array([[50.0, 10], [5, 20], [10, 5]]), 25.0, 15.0, 30.0, 2.0, 40.0, 100.0)
    >>> worst_and_best("prevalence", cell), worst_and_best("precision", cell)
    ((0.25, 0.4), (0.5714285714285714, 0.7142857142857143))
    """
    (tn, fp), (fn, tp), (open_no, open_yes) = cell.weights.tolist()
    decided = tn + fp + fn + tp + open_no + open_yes
    match metric:
        case "prevalence":
            return _over(cell.positive, cell.positive + cell.missing, cell.scored, cell.scored)
        case "log_loss":
            return _over(cell.loss + cell.least, cell.loss + cell.most, cell.scored, cell.scored)
        case "accuracy":
            return _over(tp + tn, tp + tn + open_no + open_yes, decided, decided)
        case "precision":
            flagged = tp + fp + open_yes
            return _over(tp, tp + open_yes, flagged, flagged)
        case "recall":
            return _over(tp, tp + open_yes, tp + fn + open_no, tp + fn + open_yes)
    return None


def _over(low: float, high: float, below_low: float, below_high: float) -> tuple[float, float] | None:
    if below_low <= 0 or below_high <= 0:
        return None
    return low / below_low, high / below_high
