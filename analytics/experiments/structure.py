"""How units were put into arms, where that was not one coin for all: strata, phases of a ramp, pairs.

Where planned shares differ by stratum or changed on the way, arms differ in who is in them, and a pooled difference
mixes that in. Comparing within strata (or phases, or both) and combining takes it out. Where units come in pairs, one
in each arm, what differs between pairs is the same for both arms, and their differences are what is independent.

Sources: those of `analytics.stats.stratified` and `analytics.stats.paired`; Student, Biometrika 6 (1908), for pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.compare import compare_strata
from analytics.experiments.design import Design
from analytics.experiments.methods import Comparison, NotTested, PairedComparison, TComparison
from analytics.experiments.pairs import PairMoments, cumulative, pair
from analytics.experiments.rows import Kind, Method
from analytics.experiments.sides import sides
from analytics.project import SHARES
from analytics.stats.moments import Comoments
from analytics.stats.paired import PairedShares

STRUCTURES: tuple[Method, ...] = ("paired", "stratified", "post-stratified")
BEFORE = "before the first phase"
SMALL = "(small strata)"
LEAST_UNITS = 20
"""Units of an arm below which a stratum that only serves precision is put together with other small ones."""
_LEAST = 2
Strata = Mapping[str, PairMoments]
"""Both arms in each stratum, by its name."""


@dataclass(frozen=True)
class LeftOut:
    """Strata that cannot be compared, because an arm has fewer than two units (or clusters) there.

    Attributes:
        strata: their names.
        n: units of both arms in them.
        used: strata that enter.
    """

    strata: tuple[str, ...] = ()
    n: int = 0
    used: int = 0


def structure_of(design: Design, found: MetricAggregates) -> Method | None:
    """How a metric is compared where arms were not drawn by one coin for all units; None where they were.

    A stratum that is declared, or phases, make the pooled comparison doubtful, so units are compared within. With
    ``post_stratify`` and the same shares everywhere the same is done for precision only.
    """
    if found.pairs is not None:
        return "paired"
    if found.moments.strata is None and found.moments.phases is None:
        return None
    return "post-stratified" if only_precision(design) else "stratified"


def only_precision(design: Design) -> bool:
    """Whether strata serve precision only: shares are the same in all of them."""
    return design.post_stratify and not design.strata and not design.phases


def labels(moments: ArmMoments) -> NDArray[np.str_]:
    """The stratum of each cell: its stratum, its phase, or both together."""
    parts: list[NDArray[np.str_]] = []
    if moments.strata is not None:
        parts.append(moments.strata)
    if moments.phases is not None:
        names = np.array([BEFORE, *(f"phase {i + 1}" for i in range(int(moments.phases.max(initial=0)) + 1))])
        parts.append(names[moments.phases + 1])
    if not parts:
        return np.full(len(moments.n), "", dtype=np.str_)
    return parts[0] if len(parts) == 1 else np.char.add(np.char.add(parts[0], ", "), parts[1])


def left_out(design: Design, moments: ArmMoments, variant: str) -> LeftOut:
    """The strata that do not enter."""
    return strata(design, moments, variant, design.control)[1]


def strata(
    design: Design, moments: ArmMoments, variant: str, control: str
) -> tuple[dict[str, PairMoments], LeftOut]:
    """Both arms in each stratum that can be compared, by name, and what is left out."""
    both = moments.of(variant, control)
    names = labels(both)
    if only_precision(design):
        names = _merged(names, both, (variant, control))
    found = {name: pair(both.only(names == name), variant, control) for name in np.unique(names).tolist()}
    used = {name: one for name, one in found.items() if _compares(one)}
    gone = [name for name in found if name not in used]
    n = sum(found[name].arm.n + found[name].control.n for name in gone)
    return used, LeftOut(tuple(gone), round(n), len(used))


def cumulative_strata(moments: ArmMoments, variant: str, control: str) -> Iterator[Strata]:
    """Both arms in each stratum, of the units first exposed up to and including each day; every cell is added once."""
    both = moments.of(variant, control)
    names, days = labels(both), np.unique(moments.days[~np.isnat(moments.days)])
    running = {
        name: cumulative(both.only(names == name), variant, control, days=days)
        for name in np.unique(names).tolist()
    }
    for _ in days:
        yield {name: next(one)[1] for name, one in running.items()}


def entering(given: Strata) -> tuple[PairMoments, ...]:
    """The strata that can be compared: two units (or clusters) of either arm in each."""
    return tuple(one for one in given.values() if _compares(one))


def compare_within(
    design: Design, moments: ArmMoments, variant: str, kind: Kind, *, adjusted: bool = False
) -> Comparison | NotTested:
    """Compare one arm with the control within strata, combined by the units of both arms in each."""
    used, left = strata(design, moments, variant, design.control)
    if used:
        return compare_strata(tuple(used.values()), kind, adjusted=adjusted)
    plain = compare_strata((pair(moments, variant, design.control),), kind)
    if not left.strata or (isinstance(plain, NotTested) and plain.status in {"no_data", "too_few"}):
        return plain
    reason = "in no stratum have both arms two units or more"
    return NotTested("too_few", reason, plain.mean, plain.mean_control)


def compare_pairs(
    moments: ArmMoments, variant: str, kind: Kind, *, adjusted: bool = False
) -> Comparison | NotTested:
    """Compare one arm with the control over pairs.

    Args:
        moments: over complete pairs of each arm: the columns of the arm's unit, then those of the control's.
        variant: the arm.
        kind: of the metric.
        adjusted: by the covariates.
    """
    whole = moments.arm(variant)
    width = len(moments.columns) // 2
    arm, control = (_half(whole, side * width, width) for side in (0, 1))
    if whole.n < _LEAST:
        return (
            NotTested("too_few", "one pair only") if whole.n else NotTested("no_data", "no pair is complete")
        )
    if kind in SHARES and not adjusted:
        return _paired_shares(whole, width)
    found = sides((PairMoments(arm, control, columns=moments.columns[:width]),), kind, adjusted=adjusted)
    if isinstance(found, NotTested):
        return found
    weights = np.zeros((2, 2 * width))
    weights[0, :width], weights[1, width:] = found[0].weights, found[1].weights
    covariance = weights @ whole.covariance @ weights.T * found[0].slack / whole.n
    variance = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    if not variance > 1e-13 * float(covariance[0, 0] + covariance[1, 1]):
        return NotTested(
            "undefined",
            "every pair differs by the same: there is nothing to test",
            found[0].value,
            found[1].value,
        )
    return TComparison(
        found[0].value,
        found[1].value,
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
        whole.n - 1.0,
        "paired delta t" if kind == "ratio" else "paired t",
    )


def _half(whole: Comoments, start: int, width: int) -> Comoments:
    rows = slice(start, start + width)
    return Comoments(whole.n, whole.w, whole.w2, whole.means[rows], whole.comoments[rows, rows])


def _paired_shares(whole: Comoments, width: int) -> Comparison | NotTested:
    n, arm, control = whole.n, float(whole.means[0]), float(whole.means[width])
    both = float(whole.comoments[0, width]) + n * arm * control
    counts = both, n * arm - both, n * control - both
    if max(abs(count - round(count)) for count in counts) > 1e-6:
        return NotTested(
            "undefined",
            "some pairs have several units of an arm, so shares cannot be paired one by one",
            arm,
            control,
        )
    a, b, c = (float(round(count)) for count in counts)
    if b + c == 0:
        return NotTested(
            "undefined", "both units of every pair agree: there is nothing to test", arm, control
        )
    return PairedComparison(PairedShares(a, b, c, float(round(n)) - a - b - c))


def _compares(one: PairMoments) -> bool:
    enough = min(one.arm.n, one.control.n) >= _LEAST
    return enough and (one.clusters is None or min(one.clusters.by_side) >= _LEAST)


def _merged(names: NDArray[np.str_], both: ArmMoments, arms: tuple[str, str]) -> NDArray[np.str_]:
    """Strata with few units put together, so that none has to be left out."""
    unique, place = np.unique(names, return_inverse=True)
    sizes = np.array([np.bincount(place, both.n * (both.variants == arm), len(unique)) for arm in arms])
    small = (sizes < LEAST_UNITS).any(axis=0)
    return np.where(small, SMALL, unique)[place]


def misleads(pooled: Comparison | NotTested, within: Comparison | NotTested, confidence: float) -> bool:
    """Whether a pooled comparison says something else than the one within strata (Simpson's paradox).

    It does where its estimate lies outside the interval within strata, or both exclude 0 on different sides.
    """
    if isinstance(pooled, NotTested) or isinstance(within, NotTested):
        return False
    low, high = within.interval(confidence)
    return not (low <= pooled.difference <= high) and math.isfinite(pooled.difference)
