"""Sets of pinned rows: which of them each version gets right, and the share with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.examples.card_rows import RegressionRow
from analytics.stats.intervals import wilson


@dataclass(frozen=True)
class Answered:
    """What one version made of one pinned row: passed is None where that cannot be said."""

    version: str | None
    passed: bool | None


def judged(
    task: str, label: object, decision: object, score: float | None, tolerance: float | None
) -> tuple[bool | None, str]:
    """Whether a version got a row right, and why.

    >>> judged("binary", 1, 0, 0.2, None)
    (False, 'decided 0 where 1 was true')
    >>> judged("regression", 10.0, None, 14.0, 5.0)
    (True, '4 off, within 5')
    """
    if label is None:
        return None, "no label yet"
    if task == "regression":
        if score is None or tolerance is None:
            return None, "no usable prediction" if score is None else "no tolerance is known"
        error = abs(float(score) - float(label))  # type: ignore[arg-type]
        within = error <= tolerance
        return within, f"{error:.4g} off, {'within' if within else 'beyond'} {tolerance:.4g}"
    if decision is None:
        return None, "no decision was logged"
    if str(label) == str(decision):
        return True, f"decided {decision}, which was true"
    return False, f"decided {decision} where {label} was true"


def rates(
    name: str, n_pinned: int, answers: Sequence[Answered], versions: Sequence[str | None], confidence: float
) -> list[RegressionRow]:
    """The share of one set that each version passed."""
    rows = []
    for version in versions:
        known = [one.passed for one in answers if one.version == version and one.passed is not None]
        n, passed = len(known), sum(known)
        if not n:
            seen = any(one.version == version for one in answers)
            why = "none of its answers can be judged yet" if seen else "it has answered none of these rows"
            rows.append(RegressionRow(name, version, n_pinned, 0, 0, None, None, None, "no_data", why))
            continue
        low, high = wilson(passed / n, n, confidence)
        rows.append(
            RegressionRow(name, version, n_pinned, n, passed, passed / n, float(low), float(high), "ok", None)
        )
    return rows
