"""Counts and means typed by hand: the same scorecard as from logs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from analytics.aggregates.arms import VALUE, ArmMoments, ExperimentAggregates, MetricAggregates, Split
from analytics.errors import ExperimentError
from analytics.experiments.analyse import scorecard
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.method_rows import other_rows
from analytics.experiments.rows import Direction, Scorecard, TypedArm
from analytics.project import LEAST_ALPHA

_UTC = ZoneInfo("UTC")


def compare_counts(
    arms: Sequence[TypedArm],
    control: str,
    alpha: float = 0.05,
    direction: Direction = "up",
    shares: Mapping[str, float] | None = None,
    zone: ZoneInfo = _UTC,
    *,
    methods: Sequence[str] = (),
) -> Scorecard:
    """Compare shares given as successes of n, by the score test.

    Args:
        arms: every arm with its n and successes.
        control: the name of the arm the others are compared with.
        alpha: the chance of a false alarm that is accepted.
        direction: which way is better.
        shares: arm -> planned share; the split is tested only where they are given.
        zone: of the scorecard.
        methods: others whose comparisons stand beside, such as ``fisher``.

    Raises:
        ExperimentError: numbers that cannot be, or no such method.

    >>> card = compare_counts([TypedArm("B", 3568, 462), TypedArm("A", 3662, 378)], "A")
    >>> card.decision.sentence
    'B wins on conversion: 12.9% against 10.3%, +25.4% (10.4% to 42.6%), p = .00049.'
    """
    metric = MetricDesign("conversion", "proportion", direction, definition="successes / n, as typed")
    design = _design(arms, control, alpha, metric, shares)
    moments = []
    for arm in arms:
        successes = _successes(arm)
        share = successes / arm.n if arm.n else 0.0
        moments.append((share, arm.n * share * (1.0 - share)))
    return _scorecard(
        arms, replace(design, methods=tuple(methods)), moments, zone, test_split=shares is not None
    )


def compare_means(
    arms: Sequence[TypedArm],
    control: str,
    alpha: float = 0.05,
    direction: Direction = "up",
    shares: Mapping[str, float] | None = None,
    zone: ZoneInfo = _UTC,
    *,
    methods: Sequence[str] = (),
) -> Scorecard:
    """Compare means given with standard deviation and n, by Welch's t.

    Args:
        arms: every arm with its n, mean and standard deviation (divisor n - 1).
        control, alpha, direction, shares, zone, methods: as in `compare_counts`.

    Raises:
        ExperimentError: numbers that cannot be, or no such method.

    >>> arms = [TypedArm("B", 2158, mean=11.2, standard_deviation=3.1), TypedArm("A", 10, None, 10.9, 2.8)]
    >>> row = compare_means(arms, "A").rows[0]
    >>> round(row.statistic, 4), round(row.df, 3), round(row.p_value, 4)
    (0.3378, 9.103, 0.7432)
    """
    metric = MetricDesign("value", "mean", direction, definition="mean, as typed")
    design = _design(arms, control, alpha, metric, shares)
    moments = []
    for arm in arms:
        mean, deviation = _mean(arm)
        moments.append((mean, deviation**2 * max(arm.n - 1, 0)))
    return _scorecard(
        arms, replace(design, methods=tuple(methods)), moments, zone, test_split=shares is not None
    )


def _design(
    arms: Sequence[TypedArm],
    control: str,
    alpha: float,
    metric: MetricDesign,
    shares: Mapping[str, float] | None,
) -> Design:
    names = [arm.name for arm in arms]
    if len(arms) < 2:
        raise ExperimentError(f"A comparison needs at least two arms; {len(arms)} given.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ExperimentError(f"Every arm needs a name of its own; {', '.join(twice)} is given twice.")
    if control not in names:
        raise ExperimentError(f"The control {control!r} is none of the arms: {', '.join(names)}.")
    if not LEAST_ALPHA <= alpha < 1:
        raise ExperimentError(f"alpha must lie between 0 and 1, from {LEAST_ALPHA:g} on; found {alpha:g}.")
    for arm in arms:
        _whole(arm.name, "n", arm.n)
    return Design(None, control, _shares(names, shares), alpha, (metric,))


def _shares(names: Sequence[str], shares: Mapping[str, float] | None) -> dict[str, float]:
    if shares is None:
        return dict.fromkeys(names, 1.0)
    if set(shares) != set(names):
        raise ExperimentError(
            f"Planned shares are needed for every arm and no other: {', '.join(names)}; "
            f"found {', '.join(shares) or 'none'}."
        )
    for name, share in shares.items():
        if not (math.isfinite(share) and share > 0):
            raise ExperimentError(f"The planned share of {name} must be above 0; found {share:g}.")
    return {name: shares[name] for name in names}


def _whole(name: str, what: str, value: float) -> int:
    if not (math.isfinite(value) and float(value).is_integer() and value >= 0):
        raise ExperimentError(f"{what} of {name} must be a whole number, 0 or more; found {value:g}.")
    return int(value)


def _successes(arm: TypedArm) -> int:
    if arm.successes is None:
        raise ExperimentError(f"{arm.name} has no number of successes.")
    successes = _whole(arm.name, "The number of successes", arm.successes)
    if successes > arm.n:
        raise ExperimentError(
            f"{arm.name} has {successes:,} successes among {arm.n:,}; successes cannot exceed n. "
            "Write successes first, then n."
        )
    return successes


def _mean(arm: TypedArm) -> tuple[float, float]:
    mean, deviation = arm.mean, arm.standard_deviation
    if mean is None or not math.isfinite(mean):
        raise ExperimentError(f"The mean of {arm.name} must be a number; found {mean}.")
    if deviation is None or not math.isfinite(deviation) or deviation < 0:
        raise ExperimentError(
            f"The standard deviation of {arm.name} must be a number, 0 or more; found {deviation}."
        )
    return mean, deviation


def _scorecard(
    arms: Sequence[TypedArm],
    design: Design,
    moments: Sequence[tuple[float, float]],
    zone: ZoneInfo,
    *,
    test_split: bool,
) -> Scorecard:
    """The scorecard of moments (mean, sum of squared deviations), one pair an arm."""
    cells = ArmMoments(
        VALUE,
        np.array([arm.name for arm in arms], dtype=np.str_),
        np.full(len(arms), np.datetime64("NaT"), dtype="datetime64[D]"),
        None,
        np.array([arm.n for arm in arms], dtype=np.float64),
        np.array([[mean] for mean, _ in moments], dtype=np.float64),
        np.array([[[spread]] for _, spread in moments], dtype=np.float64),
    )
    found = ExperimentAggregates(
        Split({arm.name: int(arm.n) for arm in arms}), (MetricAggregates(design.metrics[0].name, cells),)
    )
    card = scorecard(design, found, zone, test_split=test_split)
    return replace(card, others=other_rows(design, found, card.confidence))
