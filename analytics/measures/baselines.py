"""What a rule that knows nothing would have reached on the same rows: one answer for all, or the last label again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.moments import RowMoments, Statistic
from analytics.engines.text import literal
from analytics.measures.binary import EPSILON
from analytics.measures.estimate import Estimate, of_moments, ratio
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
_LABELLED = "scored AND label IS NOT NULL"
MOST_CLASSES = 5
"""Up to how many classes the last label's log loss is read: its table has the square of that."""

Earned = Mapping[tuple[str, str], float]
"""(true, decided) -> what the decision earned."""


@dataclass(frozen=True)
class Classes:
    """The classes of a project as SQL.

    Attributes:
        names: in order.
        came: SQL that the label is each.
        last: SQL that the last label is each.
        true_score: SQL of the score given to the true class.
        squares: SQL of the Brier loss.
        binary: whether the Brier loss counts one class only.
        decides: whether decisions are known.
        earned: what decisions earn, where declared.
    """

    names: tuple[str, ...]
    came: tuple[str, ...]
    last: tuple[str, ...]
    true_score: str
    squares: str
    binary: bool
    decides: bool
    earned: Earned | None


def binary_classes(*, decides: bool, earned: Earned | None) -> Classes:
    """Those of a binary project."""
    return Classes(
        ("0", "1"), ("label = 0", "label = 1"), ("last_label = 0", "last_label = 1"),
        "CASE WHEN label = 1 THEN score ELSE 1e0 - score END", "(score - label) * (score - label)", True, decides,
        earned,
    )  # fmt: skip


def multiclass_classes(names: Sequence[str], earned: Earned | None) -> Classes:
    """Those of a multiclass project."""
    cases = " ".join(f"WHEN {literal(name)} THEN {score_column(name)}" for name in names)
    squares = " + ".join(
        f"power({score_column(name)} - CASE WHEN label = {literal(name)} THEN 1e0 ELSE 0e0 END, 2)"
        for name in names
    )
    return Classes(
        tuple(names), tuple(f"label = {literal(name)}" for name in names),
        tuple(f"last_label = {literal(name)}" for name in names), f"CASE label {cases} END", squares, False, True,
        earned,
    )  # fmt: skip


def class_statistics(classes: Classes) -> tuple[Statistic, ...]:
    """What is summed over rows of a project with classes.

    ``labelled`` rows have score and label, ``decided`` ones a decision too, ``known`` ones a last label too.
    """
    log_loss = f"-ln(least(greatest({classes.true_score}, {EPSILON}), 1e0 - {EPSILON}))"
    decided, known = f"{_LABELLED} AND decision IS NOT NULL", f"{_LABELLED} AND last_label IS NOT NULL"
    both = f"{decided} AND last_label IS NOT NULL"
    same = "CASE WHEN label = last_label THEN 1e0 ELSE 0e0 END"
    right = "CASE WHEN decision = label THEN 1e0 ELSE 0e0 END"
    brier_last = f"{'1e0' if classes.binary else '2e0'} * (1e0 - {same})"
    parts = [
        ("scored", "scored", "1e0"),
        ("labelled", _LABELLED, "1e0"),
        ("log_loss", _LABELLED, log_loss),
        ("brier_score", _LABELLED, classes.squares),
        ("known", known, "1e0"),
        ("known_log_loss", known, log_loss),
        ("known_brier_score", known, classes.squares),
        ("last_brier_score", known, brier_last),
        ("gap_brier_score", known, f"{classes.squares} - {brier_last}"),
    ]
    parts += [(f"came_{i}", f"{_LABELLED} AND {came}", "1e0") for i, came in enumerate(classes.came)]
    if len(classes.names) <= MOST_CLASSES:
        parts += [
            (f"last_{j}_came_{i}", f"{known} AND {last} AND {came}", "1e0")
            for j, last in enumerate(classes.last)
            for i, came in enumerate(classes.came)
        ]
    if classes.decides:
        parts += [
            ("decided", decided, "1e0"),
            ("accuracy", decided, right),
            ("both", both, "1e0"),
            ("known_accuracy", both, right),
            ("last_accuracy", both, same),
            ("gap_accuracy", both, f"{right} - {same}"),
        ]
        parts += [
            (f"decided_came_{i}", f"{decided} AND {came}", "1e0") for i, came in enumerate(classes.came)
        ]
    if classes.decides and classes.earned is not None:
        cost, last_cost = (_earned(classes, column) for column in ("decision", "last_label"))
        parts += [
            ("cost", decided, cost),
            ("known_cost", both, cost),
            ("last_cost", both, last_cost),
            ("gap_cost", both, f"{cost} - {last_cost}"),
        ]
    return tuple(Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END") for name, when, then in parts)


def _earned(classes: Classes, column: str) -> str:
    earned = classes.earned or {}
    chosen = (name.replace("last_label", column) for name in classes.last)
    decided = dict(zip(classes.names, chosen, strict=True))
    came = dict(zip(classes.names, classes.came, strict=True))
    cases = " ".join(
        f"WHEN {came[true]} AND {decided[taken]} THEN {literal(float(value))}"
        for (true, taken), value in earned.items()
        if true in came and taken in decided
    )
    return f"CASE {cases} ELSE 0e0 END" if cases else "0e0"


def class_together(statistics: Sequence[Statistic]) -> tuple[tuple[str, ...], ...]:
    """Which of these one number depends on."""
    names = {one.name for one in statistics}
    came = [name for name in names if name.startswith("came_")]
    decided_came = [name for name in names if name.startswith("decided_came_")]
    tables = [name for name in names if name.startswith("last_") and "_came_" in name]
    groups = [
        ("labelled", "log_loss", *came),
        ("labelled", "brier_score", *came),
        ("known", "gap_brier_score"),
        ("known", "known_log_loss", *tables),
        ("decided", "accuracy", *decided_came),
        ("decided", "cost", *decided_came),
        ("both", "gap_accuracy"),
        ("both", "gap_cost"),
    ]
    return tuple(tuple(sorted(group)) for group in groups if set(group) <= names)


class Compared(NamedTuple):
    """A metric of the model and of a baseline on the same rows, and their difference as an estimate."""

    metric: str
    baseline: str
    value: float
    baseline_value: float
    difference: Estimate
    denominator: str
    n: int


def constant_baselines(moments: RowMoments, classes: Classes) -> list[Compared]:
    """The best single answer for all rows, with hindsight: prevalences for losses, the commonest class for accuracy."""
    found = [
        _constant(moments, metric, "labelled", "came", classes) for metric in ("log_loss", "brier_score")
    ]
    if classes.decides and moments.count("decided"):
        found.append(_constant(moments, "accuracy", "decided", "decided_came", classes))
        if classes.earned is not None:
            found.append(_constant(moments, "cost", "decided", "decided_came", classes))
    return found


def best_constant(metric: str, shares: Floats, classes: Classes) -> tuple[float, Floats]:
    """What the best single answer reaches, and its derivative by the classes' shares."""
    match metric:
        case "log_loss":
            logs = np.log(np.where(shares > 0, shares, 1.0))
            return float(-(shares @ logs)), -logs
        case "brier_score":
            scale = 0.5 if classes.binary else 1.0
            return scale * (1.0 - float(shares @ shares)), -2.0 * scale * shares
        case "accuracy":
            return float(shares.max()), (np.arange(len(shares)) == shares.argmax()).astype(np.float64)
    table = np.zeros((len(classes.names), len(classes.names)))
    for (true, taken), value in (classes.earned or {}).items():
        if true in classes.names and taken in classes.names:
            table[classes.names.index(true), classes.names.index(taken)] = value
    earned = shares @ table
    return float(earned.max()), table[:, int(earned.argmax())]


def _constant(moments: RowMoments, metric: str, rows: str, came: str, classes: Classes) -> Compared:
    total = moments.total(rows)
    names = [name for name in moments.names if name.startswith(f"{came}_")]
    shares = np.array([moments.total(name) for name in names]) / total
    value = moments.total(metric) / total
    baseline, slope = best_constant(metric, shares, classes)
    gradient = {metric: 1.0 / total, rows: (-value + float(slope @ shares)) / total}
    gradient |= {name: -float(one) / total for name, one in zip(names, slope, strict=True)}
    difference = of_moments(metric, moments, value - baseline, gradient)
    return Compared(metric, "constant", value, baseline, difference, rows, moments.count(rows))


def last_baselines(moments: RowMoments, classes: Classes) -> list[Compared]:
    """The last label again: for losses, as certainty (Brier) or with the rates that followed it (log loss)."""
    if not moments.count("known"):
        return []
    found = [_last_log_loss(moments, len(classes.names))] if len(classes.names) <= MOST_CLASSES else []
    found.append(_last(moments, "brier_score", "known"))
    if classes.decides and moments.count("both"):
        found.append(_last(moments, "accuracy", "both"))
        if classes.earned is not None:
            found.append(_last(moments, "cost", "both"))
    return found


def _last(moments: RowMoments, metric: str, rows: str) -> Compared:
    total = moments.total(rows)
    difference = ratio(f"gap_{metric}", moments, f"gap_{metric}", rows)
    value, last = (moments.total(f"{side}_{metric}") / total for side in ("known", "last"))
    return Compared(metric, "last_value", value, last, difference, rows, moments.count(rows))


def _last_log_loss(moments: RowMoments, classes: int) -> Compared:
    names = [[f"last_{j}_came_{i}" for i in range(classes)] for j in range(classes)]
    table = np.array([[moments.total(name) for name in line] for line in names])
    of_last = table.sum(axis=1, keepdims=True)
    rates = table / np.where(of_last > 0, of_last, 1.0)
    logs = np.log(np.where(rates > 0, rates, 1.0))
    total = moments.total("known")
    value, baseline = moments.total("known_log_loss") / total, float(-(table * logs).sum() / total)
    gradient = {"known_log_loss": 1.0 / total, "known": (baseline - value) / total}
    gradient |= {names[j][i]: float(logs[j, i]) / total for j in range(classes) for i in range(classes)}
    difference = of_moments("log_loss", moments, value - baseline, gradient)
    return Compared("log_loss", "last_value", value, baseline, difference, "known", moments.count("known"))


def value_statistics() -> tuple[Statistic, ...]:
    """What is summed over rows of a regression; ``cell_mean`` is the mean label of the row's window and version."""
    known = f"{_LABELLED} AND last_label IS NOT NULL"
    parts = [("scored", "scored", "1e0"), ("labelled", _LABELLED, "1e0"), ("known", known, "1e0")]
    for name, when, other in (("mean", _LABELLED, "cell_mean"), ("last", known, "last_label")):
        parts += [
            (f"{name}_mean_absolute_error", when, f"abs(score - label) - abs({other} - label)"),
            (f"{name}_model_absolute", when, "abs(score - label)"),
            (f"{name}_other_absolute", when, f"abs({other} - label)"),
            (f"{name}_model_squared", when, "(score - label) * (score - label)"),
            (f"{name}_other_squared", when, f"({other} - label) * ({other} - label)"),
        ]
    return tuple(Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END") for name, when, then in parts)


VALUE_TOGETHER = tuple(
    group
    for name, rows in (("mean", "labelled"), ("last", "known"))
    for group in (
        (rows, f"{name}_mean_absolute_error"),
        (rows, f"{name}_model_squared", f"{name}_other_squared"),
    )
)


def value_baselines(moments: RowMoments, name: str, baseline: str, rows: str) -> list[Compared]:
    """Errors of a regression beside those of the mean label, or of the last one.

    Args:
        moments: of the cell.
        name: ``mean`` or ``last``.
        baseline: as it is called in results.
        rows: the statistic that counts them.
    """
    total = moments.total(rows)
    if not total > 0:
        return []
    n = moments.count(rows)
    absolute = ratio("mean_absolute_error", moments, f"{name}_mean_absolute_error", rows)
    values = [moments.total(f"{name}_{side}_absolute") / total for side in ("model", "other")]
    roots = [(moments.total(f"{name}_{side}_squared") / total) ** 0.5 for side in ("model", "other")]
    gradient = {rows: 0.0}
    for root, side, sign in zip(roots, ("model", "other"), (1.0, -1.0), strict=True):
        slope = sign / (2.0 * root) if root > 0 else 0.0
        gradient[f"{name}_{side}_squared"] = slope / total
        gradient[rows] -= slope * root**2 / total
    squared = of_moments("root_mean_squared_error", moments, roots[0] - roots[1], gradient)
    return [
        Compared("mean_absolute_error", baseline, values[0], values[1], absolute, rows, n),
        Compared("root_mean_squared_error", baseline, roots[0], roots[1], squared, rows, n),
    ]
