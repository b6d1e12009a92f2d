"""The looks of a group-sequential design: which were reached, when, on how many units.

Information is counted in units, as the plan was: the share of the planned units that have entered a metric. A look is
taken at the end of the first day on which its share is reached, on the units first exposed until then, and spends what
its actual share says. The last look is taken when the declared end has passed (on all units), or, where no end is
declared, on the first day on which the planned units are reached; it spends what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import Design
from analytics.experiments.words import count, percent
from analytics.stats.group_sequential import Looks, RepeatedLook, repeated_look


@dataclass(frozen=True)
class Reached:
    """Where a group-sequential design stands.

    Attributes:
        plan: its boundary and planned fractions.
        planned: fraction of each look that was taken, as planned.
        fractions: the same as they were, in thousandths.
        days: on which; None where exposures carry no time.
        n: units of all arms at each.
        n_now: units of all arms by now.
        planned_units: of all arms.
        final: whether the last look is among them.
        waits: whether the last one waits for the declared end.
    """

    plan: Looks
    planned: tuple[float, ...]
    fractions: tuple[float, ...]
    days: tuple[date | None, ...]
    n: tuple[int, ...]
    n_now: int
    planned_units: int
    final: bool
    waits: bool

    @property
    def look(self) -> RepeatedLook | None:
        """The boundary of the last look that was taken; None before the first."""
        return repeated_look(self.plan, self.fractions, final=self.final) if self.fractions else None

    @property
    def next_planned(self) -> float | None:
        """The share of the planned units at which the next look is; None after the last one."""
        if self.final:
            return None
        later = [t for t in self.plan.fractions if t > max([*self.planned, 0.0])]
        return later[0]

    @property
    def next_words(self) -> str:
        """When the next look is, as a sentence."""
        at = self.next_planned
        if at is None:
            return "This was the last look."
        if at == 1.0 and self.waits:
            return "The next look is the last one, at the planned end."
        return f"The next look is at {count(at * self.planned_units)} units ({percent(at)} of those planned)."


def plan_of(design: Design) -> Looks:
    """The boundary a group-sequential design declares."""
    return Looks(design.boundary, design.looks, design.boundary_power)


def reached(design: Design, moments: ArmMoments, day: date | None = None) -> Reached:
    """Which looks a metric's units have reached.

    Args:
        design: group-sequential, so with planned units.
        moments: of all arms.
        day: until the end of which one looks; until now where None.
    """
    planned_units = design.planned_units or 1
    days, totals = _so_far(moments)
    until = len(totals) if day is None else int(np.searchsorted(days, np.datetime64(day), side="right"))
    taken = _taken(design, (totals / planned_units)[:until], whole=until == len(totals))
    known = not moments.known_days or bool(len(days))
    return Reached(
        plan_of(design),
        tuple(planned for planned, _, _ in taken),
        tuple(fraction for _, fraction, _ in taken),
        tuple(_date(days[i]) if known else None for _, _, i in taken),
        tuple(int(totals[i]) for _, _, i in taken),
        int(totals[until - 1]) if until else 0,
        planned_units,
        bool(taken) and taken[-1][0] == 1.0,
        waits=design.ended is False,
    )


def _date(day: np.datetime64) -> date | None:
    found: date | None = day.astype(object)
    return found


def _so_far(moments: ArmMoments) -> tuple[np.ndarray, np.ndarray]:
    """Days of first exposure, and units of all arms until each; one day that is none where there are no days."""
    days, place = np.unique(moments.days, return_inverse=True)
    return days, np.bincount(place, moments.n, len(days)).cumsum()


def _taken(design: Design, shares: np.ndarray, *, whole: bool) -> list[tuple[float, float, int]]:
    """Looks as (planned fraction, actual fraction, index of the day)."""
    taken: list[tuple[float, float, int]] = []
    for planned in design.looks:
        if planned == 1.0:
            i = _last_look(design, shares, whole=whole)
        else:
            passed = np.flatnonzero(shares >= planned - 1e-9)
            # what has all planned units is the last look's
            i = int(passed[0]) if passed.size and shares[passed[0]] < 1.0 else None
        if i is None:
            continue
        fraction = max(round(float(shares[i]), 3), 0.001)
        # looks that fall on one day are one look
        taken = [one for one in taken if one[1] < fraction]
        taken.append((planned, fraction, i))
    return taken


def _last_look(design: Design, shares: np.ndarray, *, whole: bool) -> int | None:
    if not len(shares):
        return None
    if design.ended is not None:
        return len(shares) - 1 if design.ended and whole else None
    passed = np.flatnonzero(shares >= 1.0 - 1e-9)
    return int(passed[0]) if passed.size else None


def at_last_look(design: Design, found: MetricAggregates) -> MetricAggregates:
    """What of a metric a group-sequential verdict stands on: the units first exposed until the last look."""
    if design.stopping != "group-sequential":
        return found
    state = reached(design, found.moments)
    day = state.days[-1] if state.days else None
    if day is None:
        return found
    parts = {
        name: getattr(found, name) for name in ("moments", "with_covariate", "pairs", "uncapped", "steps")
    }
    cut: dict[str, Any] = {name: one.until(day) for name, one in parts.items() if one is not None}
    cut["segments"] = {name: moments.until(day) for name, moments in found.segments.items()}
    if found.observations is not None:
        n_units = {arm: cut["moments"].count(arm) for arm in found.observations.n_units}
        cut["observations"] = replace(found.observations.until(day), n_units=n_units)
    # single units carry no day, so they cannot be cut
    values = found.values if state.n[-1] == state.n_now else None
    return replace(found, **cut, values=values)


def before_first(state: Reached) -> str:
    """Why nothing is tested before the first look."""
    return (
        f"the first look is at {count(state.plan.fractions[0] * state.planned_units)} units, and "
        f"{count(state.n_now)} have entered: nothing is tested before"
    )
