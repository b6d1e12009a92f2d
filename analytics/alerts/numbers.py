"""The numbers that rules look at, whatever they are about: a value with its interval, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.alerts.rows import Target
from analytics.directions import DIRECTIONS, Direction
from analytics.results import Status

Better = Direction
Counted = Literal["rows", "requests", "predictions", "readings", "labels"]


@dataclass(frozen=True)
class Number:
    """One number of one window and target.

    Attributes:
        value, ci_low, ci_high: None unless the status is ok; a number that is a plain count of what was logged is
            exact, and both limits are the value.
        n: rows behind the window, labelled or not.
        n_used: rows that the number itself stands on.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_used: int
    status: Status = "ok"
    reason: str | None = None

    @property
    def known(self) -> tuple[float, float, float] | None:
        """Value and limits, where there are all three."""
        if self.value is None or self.ci_low is None or self.ci_high is None:
            return None
        return self.value, self.ci_low, self.ci_high


NOTHING = Number(None, None, None, 0, 0, "no_data", "no rows in this window")
Numbers = Mapping[tuple[datetime, Target], Number]
"""By the window's end and the target."""


@dataclass(frozen=True)
class Watched:
    """Everything that was read for a rule.

    Attributes:
        metric: the word of the contract, or what the rule watches.
        better: which way is good news.
        numbers: of every window that was read, by its end and target.
        of_reference: of the reference, by target.
        targets: in order.
        sql: the texts that scanned.
    """

    metric: str
    better: Better
    numbers: Numbers
    of_reference: Mapping[Target, Number]
    targets: tuple[Target, ...]
    sql: tuple[str, ...] = ()


_MORE_DIRECTIONS: dict[str, Direction] = {
    **dict.fromkeys(
        ("psi", "js_distance", "ks", "wasserstein", "total_variation", "missing_rate", "unseen_rate"), "lower"
    ),
    "label_contradictions": "lower",
    "label_delay_p95": "lower",
}


def better_way(metric: str) -> Direction:
    """Which way is better of any number a rule can look at.

    >>> better_way("psi"), better_way("roc_auc"), better_way("prevalence")
    ('lower', 'higher', 'none')
    """
    return _MORE_DIRECTIONS.get(metric) or DIRECTIONS.get(metric, "none")
