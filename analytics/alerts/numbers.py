"""The numbers that rules look at, whatever they are about: a value with its interval, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.directions import DIRECTIONS, Direction
from analytics.results import Status

Better = Direction


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


_SIGNED = ("mean_error", "matthews_corrcoef", "r2", "cost", "mean_label", "mean_prediction")


def least_of(metric: str) -> float | None:
    """The least a number can be; None where it may be anything.

    >>> least_of("log_loss"), least_of("mean_error")
    (0.0, None)
    """
    return 0.0 if metric in {**DIRECTIONS, **_MORE_DIRECTIONS} and metric not in _SIGNED else None
