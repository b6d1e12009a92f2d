"""Units seen in more than one arm: what keeping them in the first one does to a comparison, and what leaving out does.

Kept, they dilute an effect: part of what they did, they did in another arm. Left out, they are missing from small
arms more than from large ones: a unit that draws its arm again lands in another arm with the share of all the others.
What draws again is no random unit (several devices, cleared cookies, heavy use), so arms of unequal size differ
although nothing was done to them.
"""

from __future__ import annotations

from analytics.aggregates.arms import Split
from analytics.experiments.design import Design
from analytics.experiments.words import percent, plural

UNEVEN = 0.01
"""Planned shares that differ by more than this are not equal."""
BIASING = 0.001
"""Share of crossed units from which leaving them out of uneven arms is said to bias, whatever limit is declared."""


def crossed_share(split: Split) -> float:
    """The part of all units of declared arms that saw another arm, too."""
    units = sum(split.n.values()) + (split.n_multiple if split.leaves_crossed_out else 0)
    return split.n_multiple / units if units else 0.0


def redrawn(design: Design) -> tuple[str, str, float] | None:
    """The smallest and the largest arm, and how many times as often a unit of the small one is left out.

    A unit of an arm with share p that draws again lands elsewhere with 1 - p. None where shares are equal.

    >>> redrawn(Design(None, "A", {"A": 0.9, "B": 0.1}))
    ('B', 'A', 9.0)
    """
    planned = {arm: share for arm, share in design.planned.items() if share > 0}
    small, large = min(planned, key=planned.__getitem__), max(planned, key=planned.__getitem__)
    if planned[large] - planned[small] <= UNEVEN:
        return None
    # rounded, so that shares as they are written give the number a person would
    return small, large, round((1 - planned[small]) / (1 - planned[large]), 9)


def crossed_problem(design: Design, split: Split) -> str | None:
    """What is to be said of crossed units where there are more than the limit; None where there are few."""
    share, uneven = crossed_share(split), redrawn(design)
    biased = split.leaves_crossed_out and uneven is not None
    limit = min(design.crossed_limit, BIASING) if biased else design.crossed_limit
    if not split.n_multiple or share < limit:
        return None
    begin = f"{plural(split.n_multiple, 'unit')} ({percent(share)}) saw more than one arm"
    if not split.leaves_crossed_out:
        since = ", since leaving them out would bias arms of unequal size" if uneven is not None else ""
        return f"{begin} and are kept in the one they saw first{since}"
    if uneven is None:
        return (
            f"{begin} and are left out of both"
            if len(design.shares) == 2
            else f"{begin} and are left out of all"
        )
    small, large, times = uneven
    return (
        f"{begin} and are left out, which biases arms of unequal size: a unit that draws its arm again is left out "
        f"{round(times, 1):g} times as often from {small} as from {large}, so {small} lacks the kind of unit that does "
        '(crossed = "first" keeps them)'
    )
