"""Do predictions keep the mix they should: share predicted and share expected against share that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.aggregates.moments import Statistic
from analytics.aggregates.tenths import tenth_of
from analytics.engines.text import literal
from analytics.project import Predictions
from analytics.telemetry.typed import score_column

_LABELLED = "scored AND label IS NOT NULL"


@dataclass(frozen=True)
class MixClass:
    """One class to count.

    Attributes:
        name: of the class.
        came: SQL: the label is this class.
        decided: SQL: it was decided; None where nobody decides.
        score: SQL of its score; None for a regression.
    """

    name: str
    came: str
    decided: str | None
    score: str | None


def mix_classes(predictions: Predictions, *, decides: bool) -> tuple[MixClass, ...]:
    """The classes of a binary or multiclass project; of a binary one the positive class only."""
    if predictions.task == "binary":
        return (MixClass("1", "label = 1", "decision = 1" if decides else None, "score"),)
    return tuple(
        MixClass(name, f"label = {literal(name)}", f"decision = {literal(name)}", score_column(name))
        for name in predictions.classes
    )


def mix_tenths(edges: Sequence[float]) -> tuple[MixClass, ...]:
    """The tenths of a regression's labels as classes: in which of them predictions lie, and labels."""
    bounds = [None, *edges, None]
    return tuple(
        MixClass(
            _interval(bounds[i], bounds[i + 1]),
            f"{tenth_of('label', {None: tuple(edges)})} = {i}",
            f"{tenth_of('score', {None: tuple(edges)})} = {i}",
            None,
        )
        for i in range(len(edges) + 1)
    )


def _interval(low: float | None, high: float | None) -> str:
    first = "(-inf" if low is None else f"[{low:g}"
    return f"{first}, {'inf' if high is None else f'{high:g}'})"


def mix_statistics(classes: Sequence[MixClass]) -> tuple[Statistic, ...]:
    """What is summed; all over rows with score, label and (where there are any) decision, so that shares are paired."""
    when = usable(classes)
    found = [
        Statistic("scored", "CASE WHEN scored THEN 1e0 ELSE 0e0 END"),
        Statistic("labelled", f"CASE WHEN {when} THEN 1e0 ELSE 0e0 END"),
    ]
    for i, one in enumerate(classes):
        came = f"CASE WHEN {one.came} THEN 1e0 ELSE 0e0 END"
        parts = {f"came_{i}": came}
        if one.decided is not None:
            decided = f"CASE WHEN {one.decided} THEN 1e0 ELSE 0e0 END"
            parts |= {f"decided_{i}": decided, f"decided_gap_{i}": f"{decided} - {came}"}
        if one.score is not None:
            parts |= {f"expected_{i}": one.score, f"expected_gap_{i}": f"{one.score} - {came}"}
        found += [
            Statistic(name, f"CASE WHEN {when} THEN {then} ELSE 0e0 END") for name, then in parts.items()
        ]
    return tuple(found)


def usable(classes: Sequence[MixClass]) -> str:
    """SQL: the row has all that is compared."""
    decided = any(one.decided is not None and one.score is not None for one in classes)
    return f"{_LABELLED} AND decision IS NOT NULL" if decided else _LABELLED


def mix_together(statistics: Sequence[Statistic]) -> tuple[tuple[str, ...], ...]:
    """Each against the number of rows."""
    return tuple(("labelled", one.name) for one in statistics if one.name not in {"scored", "labelled"})
