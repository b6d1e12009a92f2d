"""From everything that moved to what is at fault: what is beyond chance, where, and which of it follows from which.

Numbers are corrected (Bonferroni) within ten families with a tenth of the error each: traffic, service, features, model
and labels, of whole versions and of values of segments. A change that
the rest of its version does not share is told of its segment. What is upstream explains what is downstream, unless it
is much weaker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cause_cells import CauseCells, Group
from analytics.explain.rows import CauseKind
from analytics.explain.signals import Measured, Statistic, looked_at

ALPHA = 0.05
FAMILIES: tuple[tuple[CauseKind, ...], ...] = (
    ("traffic", "mix"), ("burst", "version", "errors", "latency", "label_delay"), ("feature",), ("score", "decision"),
    ("concept", "labels"),
)  # fmt: skip
CONCENTRATED = 0.25
"""The rest of a version moved by less than this share of what a segment's value moved: then it is that value's."""
REST_MOVED = 0.5
"""The same for a number that moved in the whole, where another one names a value."""
FEW = 0.2
"""What touches fewer rows than this share of those that something else touches does not explain it."""
MUCH_WEAKER = 0.5
"""In orders of magnitude of p."""
SWAP_SLACK = 0.75
SWAPPED_GAP = 0.75
"""Of two fields that change places in a quarter of the rows, half of the distance between their means stays."""
STRONG = 12.0
"""Beyond so many orders of magnitude of p, what counts is how many rows are touched."""
MOST_STRONG = 30.0
ALIKE = 0.3
PARTS: tuple[Statistic, ...] = ("separation", "kinship")
"""Numbers that another one is made of: they say what happened, not whether something did."""
WHOLE: tuple[Statistic, ...] = ("copied", "again", "echoed")
LEAST_FLIPPED = 0.1
FLIPPED_RISE = 0.3
LEAST_KINSHIP = 0.05
KINSHIP_SLACK = 0.6
EVERYWHERE: tuple[CauseKind, ...] = ("burst", "version")
"""Copies of one request all lie in one value of each segment, and that says nothing."""
PRIORITY: tuple[Statistic, ...] = (
    "volume", "again", "copied", "echoed", "failed", "latency", "within", "missing", "new", "repeat", "unexplained",
    "relation",
    "level", "shape", "flips", "separation", "kinship", "prevalence", "residual", "wrong", "loss",
)  # fmt: skip
UPSTREAM: dict[CauseKind, tuple[CauseKind, ...]] = {
    "burst": (
        "traffic", "mix", "feature", "score", "decision", "labels", "concept", "label_delay", "latency", "errors"
    ),
    "traffic": ("mix", "feature", "score", "decision", "concept", "label_delay"),
    "mix": ("feature", "score", "decision", "concept", "label_delay"),
    "feature": ("score", "decision", "concept", "errors"),
    "version": ("score", "decision", "concept"),
    "score": ("decision", "concept"),
    "labels": ("concept",),
    "label_delay": ("labels", "concept"),
}  # fmt: skip
"""What each kind may explain."""


@dataclass(frozen=True)
class Signal:
    """One thing that moved beyond chance, and where.

    Attributes:
        measure: the number.
        place: of its group among the groups.
        group: whose rows.
        p_adjusted: over everything that was looked at.
        same: versions that show it.
        beside: other numbers of the same thing that moved.
        consequences: what follows from it.
        other: the field it changed places with.
        together: other fields that broke with it, in the same rows as far as can be told.
    """

    measure: Measured
    place: int
    group: Group
    p_adjusted: float
    strength: float
    same: tuple[str | None, ...]
    beside: tuple[Signal, ...] = ()
    consequences: tuple[Signal, ...] = field(default=())
    kind: CauseKind = "feature"
    other: str | None = None
    together: tuple[str, ...] = ()

    @property
    def before(self) -> float:
        """Value before."""
        return float(self.measure.before[0, self.place])

    @property
    def after(self) -> float:
        """Value in the window."""
        return float(self.measure.after[0, self.place])

    @property
    def effect(self) -> float:
        """After less before, as judged."""
        return float(self.measure.judged.effect[0, self.place])

    @property
    def z(self) -> float:
        """How far out, in standard deviations of earlier windows."""
        return abs(float(self.measure.judged.z[0, self.place]))

    @property
    def key(self) -> tuple[CauseKind, str | None, Statistic]:
        """What it is about."""
        return self.measure.kind, self.measure.name, self.measure.statistic


def find(
    cells: CauseCells, measures: Sequence[Measured], versions: Sequence[str | None], *, shared: bool = False
) -> list[Signal]:
    """Roots, the strongest first, each with what follows from it.

    Args:
        cells: what was counted.
        measures: of `signals.measures`.
        versions: that are asked about.
        shared: versions answer the same requests, so that features need to be looked at once only.
    """
    moved = _beyond_chance(cells, measures, versions, shared=shared)
    located = _located(cells, measures, moved)
    things = _things(cells, located)
    return _rooted(cells, _together(_kinds(cells, measures, things)))


def n_tested(cells: CauseCells, measures: Sequence[Measured]) -> int:
    """How many numbers were looked at."""
    there = looked_at(cells)
    return int(sum((measure.able[0] & there).sum() for measure in measures))


def _beyond_chance(
    cells: CauseCells, measures: Sequence[Measured], versions: Sequence[str | None], *, shared: bool
) -> list[tuple[int, int, float]]:
    """Place of measure and of group, and adjusted p."""
    asked = np.array([group.version in versions for group in cells.groups])
    there = looked_at(cells) & asked
    whole = np.array([group.segment is None for group in cells.groups])
    able = np.stack([measure.able[0] & there for measure in measures])
    if shared and len(versions) > 1:
        able &= _once(cells, measures, versions)
    numeric = {item.field.name for item, _ in cells.bins if item.is_numeric}
    for i, measure in enumerate(measures):
        # a segment that is cut from the field itself tells nothing of it
        able[i] &= np.array(
            [group.segment is None or group.segment != measure.name for group in cells.groups]
        )
        able[i] &= measure.statistic not in PARTS
        if (measure.statistic == "shape" and measure.name in numeric) or measure.statistic in WHOLE:
            # what moves a number in one value of a segment moves its level or its relation to others
            able[i] &= whole
    p = np.stack([measure.judged.p_value[0] for measure in measures])
    large = np.stack([_large(measure) for measure in measures])
    more = np.stack(
        [
            measure.judged.z[0] > 0 if _only_more(measure) else np.full(len(whole), True)
            for measure in measures
        ]
    )
    adjusted = np.ones(p.shape)
    for family in FAMILIES:
        of = np.array([measure.kind in family for measure in measures])[:, None]
        for part in (whole, ~whole):
            cells_of = able & of & part
            adjusted = np.where(of & part, p * cells_of.sum() * 2 * len(FAMILIES), adjusted)
    adjusted = np.minimum(adjusted, 1.0)
    found = np.argwhere(able & large & more & (adjusted < ALPHA))
    return [(int(i), int(g), float(adjusted[i, g])) for i, g in found]


def _large(measure: Measured) -> NDArray[np.bool_]:
    """Worth a word, and not only because the rest moved the other way."""
    enough = np.abs(measure.judged.effect[0]) >= measure.least
    if measure.statistic in {"volume", "shape", "flips"}:
        return np.asarray(enough)
    own = np.abs(measure.after[0] - measure.before[0])
    return np.asarray(enough & (own >= measure.least / 2))


def _once(
    cells: CauseCells, measures: Sequence[Measured], versions: Sequence[str | None]
) -> NDArray[np.bool_]:
    """Requests and their features on the version that has most of them."""
    rows = cells.of("n").sum(axis=1)
    of_window = cells.of("n")[:, -cells.window :].sum(axis=1)
    wholes = [
        i
        for i, g in enumerate(cells.groups)
        if g.segment is None and g.version in versions and of_window[i] > 0
    ]
    best = cells.groups[max(wholes, key=lambda i: rows[i])].version if wholes else None
    main = np.array([group.version == best for group in cells.groups])
    alike = np.array(
        [
            measure.kind in {"feature", "burst"} or measure.statistic in {"again", "kinship", "prevalence"}
            for measure in measures
        ]
    )
    # a version that loses its traffic shows in its whole; which requests are lost is the same for all
    of_request = np.array([measure.statistic in {"volume", "within"} for measure in measures])
    whole = np.array([group.segment is None for group in cells.groups])
    elsewhere = alike[:, None] | (of_request[:, None] & ~whole[None, :])
    return np.asarray(~elsewhere | main[None, :])


def _only_more(measure: Measured) -> bool:
    """Numbers of which only a rise is a fault."""
    return measure.statistic in {
        "missing",
        "new",
        "repeat",
        "again",
        "copied",
        "echoed",
        "failed",
        "shape",
        "latency",
        "flips",
    }


def _located(
    cells: CauseCells, measures: Sequence[Measured], moved: Sequence[tuple[int, int, float]]
) -> list[Signal]:
    """One signal a number and version: of the whole, or of the value of a segment that alone moved."""
    grouped: dict[tuple[int, str | None], list[tuple[int, float]]] = {}
    for i, g, p in moved:
        grouped.setdefault((i, cells.groups[g].version), []).append((g, p))
    found = []
    for (i, version), members in grouped.items():
        measure = measures[i]
        best = _where(cells, measure, [g for g, _ in members])
        p = dict(members).get(best, min(p for _, p in members))
        raw = float(measure.judged.p_value[0, best])
        found.append(
            Signal(measure, best, cells.groups[best], p, _strength(raw), (version,), kind=measure.kind)
        )
    return found


def _strength(p: float) -> float:
    return min(-float(np.log10(max(p, 1e-300))), MOST_STRONG)


def _where(cells: CauseCells, measure: Measured, members: Sequence[int]) -> int:
    """The group that alone moved; else the whole, where it moved; else the group that moved furthest."""
    wholes = [g for g in members if cells.groups[g].segment is None]
    if wholes and measure.kind in EVERYWHERE:
        return wholes[0]
    effect, z = measure.judged.effect, measure.judged.z
    alone = [
        g
        for g in members
        if cells.groups[g].segment not in {None, measure.name}
        and measure.able[1, g]
        and np.sign(effect[0, g]) * effect[1, g] < CONCENTRATED * abs(effect[0, g])
    ]
    if alone:
        # of values that overlap, the one whose rest moved least
        return min(alone, key=lambda g: abs(z[1, g]) - 0.5 * abs(z[0, g]))
    return wholes[0] if wholes else max(members, key=lambda g: abs(z[0, g]))


def _things(cells: CauseCells, located: Sequence[Signal]) -> list[Signal]:
    """One signal a thing: several numbers of it, and several versions that show it, together."""
    grouped: dict[tuple[CauseKind, str | None], list[Signal]] = {}
    for signal in located:
        grouped.setdefault((signal.measure.kind, signal.measure.name), []).append(signal)
    found = []
    for members in grouped.values():
        strongest = max(signal.strength for signal in members)
        telling = [signal for signal in members if signal.strength >= MUCH_WEAKER * strongest]
        # what moved everywhere is not told of the one place where values got out of all bounds
        first = min(
            telling, key=lambda s: (s.group.segment is not None, PRIORITY.index(s.measure.statistic), -s.z)
        )
        first = _narrowed(cells, first, telling)
        versions = tuple(dict.fromkeys(v for s in members if s.key == first.key for v in s.same))
        others = tuple(s for s in members if s is not first)
        found.append(replace(first, strength=strongest, same=versions, beside=others))
    return found


def _narrowed(cells: CauseCells, signal: Signal, telling: Sequence[Signal]) -> Signal:
    """The same in the value of a segment that another number of it names, where the rest of the rows hardly moved."""
    if signal.group.segment is not None or signal.kind in EVERYWHERE:
        return signal
    measure = signal.measure
    effect = measure.judged.effect
    for other in sorted(telling, key=lambda s: -s.strength):
        group = Group(signal.group.version, other.group.segment, other.group.value)
        if other.group.segment is None or group not in cells.groups:
            continue
        g = cells.groups.index(group)
        rest = np.sign(signal.effect) * effect[1, g]
        if measure.able[:, g].all() and rest < REST_MOVED * abs(signal.effect):
            return replace(signal, place=g, group=group)
    return signal


def _kinds(cells: CauseCells, measures: Sequence[Measured], things: Sequence[Signal]) -> list[Signal]:
    """Name what the numbers together say: a mix instead of traffic, flipped labels instead of a new concept, a swap."""
    found = []
    for thing in things:
        signal = thing
        if thing.kind == "traffic" and thing.group.segment is not None and _is_mix(cells, thing):
            signal = replace(thing, kind="mix")
        if thing.kind == "concept" and flipped(measures, thing.place) is not None:
            signal = replace(thing, kind="labels")
        found.append(signal)
    return _swapped(measures, found)


def _is_mix(cells: CauseCells, signal: Signal) -> bool:
    """The whole stayed as it was: what one value lost, others have."""
    measure = signal.measure
    whole = next(
        i for i, g in enumerate(cells.groups) if g.segment is None and g.version == signal.group.version
    )
    share = float(measure.before[0, signal.place] / max(float(measure.before[0, whole]), 1e-9))
    moved = float(measure.after[0, signal.place] - measure.before[0, signal.place]) / max(
        float(measure.before[0, whole]), 1e-9
    )
    of_whole = float(measure.after[0, whole] / max(float(measure.before[0, whole]), 1e-9)) - 1
    return share > 0 and abs(of_whole) < 0.3 * abs(moved) and abs(moved) > 0


def flipped(measures: Sequence[Measured], place: int) -> tuple[float, float, float] | None:
    """Share of labels that say the opposite, its least and its most, where all that is known says so; None otherwise.

    With a share f flipped, a share of positives q becomes q + f (1 - 2 q), the slope of labels on scores 1 - 2 f of
    itself, and the correlation of the labels of one unit the square of that of itself.
    """
    by_name = {measure.statistic: measure for measure in measures if measure.kind == "concept"}
    slope, prevalence, kinship = (by_name.get(name) for name in ("separation", "prevalence", "kinship"))
    if slope is None or prevalence is None or not slope.able[0, place]:
        return None
    steep, now = _unchanged(slope, place, times=True), float(slope.after[0, place])
    q, after = _unchanged(prevalence, place, times=False), float(prevalence.after[0, place])
    if not (steep > 0 and 0 < q < 1):
        return None
    share = min(max((1 - now / steep) / 2, 0.0), 1.0)
    shares = [share]
    rises = (after - q) * np.sign(1 - 2 * q)
    if abs(1 - 2 * q) > LEAST_KINSHIP:
        shares.append(min(max((after - q) / (1 - 2 * q), 0.0), 1.0))
    if share < LEAST_FLIPPED or rises < FLIPPED_RISE * share * abs(1 - 2 * q):
        return None
    if kinship is not None and kinship.able[0, place] and float(kinship.before[0, place]) > LEAST_KINSHIP:
        left = float(kinship.after[0, place]) / max(_unchanged(kinship, place, times=True), 1e-9)
        if left > (1 - 2 * share) ** 2 + KINSHIP_SLACK:
            return None
        if share <= 0.5:
            shares.append((1 - min(max(left, 0.0), 1.0) ** 0.5) / 2)
    return float(np.median(shares)), float(min(shares)), float(max(shares))


def _unchanged(measure: Measured, place: int, *, times: bool) -> float:
    """What the value would be had it gone with the rest of its version, where there is a rest that can tell."""
    before, past, now = (
        float(part) for part in (measure.before[0, place], measure.before[1, place], measure.after[1, place])
    )
    if not measure.able[1, place]:
        return before
    if not times:
        return before + now - past
    return before * min(max(now / past, 0.25), 4.0) if past > 0 and now > 0 else before


def _swapped(measures: Sequence[Measured], signals: list[Signal]) -> list[Signal]:
    """Two numbers whose means came nearer to each other, or changed places, while their sum stayed."""
    means = {(m.name): m.told for m in measures if m.told is not None}
    features = [
        s
        for s in signals
        if s.kind == "feature"
        and s.measure.name in means
        and s.measure.statistic not in {"missing", "repeat"}
    ]
    for i, one in enumerate(features):
        for two in features[i + 1 :]:
            if _mirrored(_means(means, one), _means(means, two, one.place)):
                first, second = (one, two) if one.z >= two.z else (two, one)
                merged = replace(first, other=second.measure.name, beside=(*first.beside, second))
                return [merged if s is first else s for s in signals if s is not second]
    return signals


def _mirrored(one: tuple[float, float], two: tuple[float, float]) -> bool:
    (a0, a1), (b0, b1) = one, two
    gap, moved = a0 - b0, (a1 - b1) - (a0 - b0)
    if gap == 0 or (a1 - b1) / gap > SWAPPED_GAP:
        return False
    return abs((a1 + b1) - (a0 + b0)) <= SWAP_SLACK * abs(moved)


def _means(
    told: Mapping[str | None, tuple[Any, Any] | None], signal: Signal, place: int | None = None
) -> tuple[float, float]:
    """Mean before and in the window, in the field's own unit."""
    before, after = told[signal.measure.name] or (np.zeros((2, 1)), np.zeros((2, 1)))
    at = signal.place if place is None else place
    return float(before[0, at]), float(after[0, at])


def _together(signals: Sequence[Signal]) -> list[Signal]:
    """Features that went missing, or got stuck, in the same place and about as often are one broken source."""
    grouped: dict[tuple[Any, ...], list[Signal]] = {}
    for signal in signals:
        broken = (
            signal.kind == "feature"
            and signal.measure.statistic in {"missing", "repeat"}
            and signal.other is None
        )
        where = (signal.group.segment, signal.group.value)
        key = (signal.measure.statistic, where) if broken else (id(signal),)
        grouped.setdefault(key, []).append(signal)
    found = []
    for members in grouped.values():
        first = max(members, key=lambda s: (s.strength, s.z))
        near = [
            s for s in members if s is not first and abs(s.effect - first.effect) <= ALIKE * abs(first.effect)
        ]
        names = tuple(str(s.measure.name) for s in near)
        found.append(replace(first, together=names, beside=(*first.beside, *near)))
        found += [s for s in members if s is not first and s not in near]
    return found


def _rooted(cells: CauseCells, signals: Sequence[Signal]) -> list[Signal]:
    ordered = sorted(signals, key=lambda s: (-s.strength, -s.z))
    touched = [weight(cells, signal) for signal in ordered]
    parent: dict[int, int] = {}
    for c, signal in enumerate(ordered):
        ups = [
            u
            for u, other in enumerate(ordered)
            if u != c
            and _explains(other, signal)
            and other.strength >= MUCH_WEAKER * signal.strength
            and touched[u] >= FEW * touched[c]
        ]
        if ups:
            parent[c] = min(ups, key=lambda u: _tier(ordered[u].kind))
    roots = [i for i in range(len(ordered)) if i not in parent]

    def top(i: int) -> int:
        seen = set()
        while i in parent and i not in seen:
            seen.add(i)
            i = parent[i]
        return i

    following: dict[int, list[Signal]] = {}
    for c in parent:
        following.setdefault(top(c), []).append(ordered[c])
    found = [replace(ordered[r], consequences=tuple(following.get(r, ()))) for r in roots]
    return sorted(found, key=lambda s: -min(s.strength, STRONG) * weight(cells, s) ** 0.5)


def weight(cells: CauseCells, signal: Signal) -> float:
    """About what share of the version's rows it touches."""
    measure, effect = signal.measure, abs(signal.effect)
    rows = cells.of("n")[:, -cells.window :].sum(axis=1)
    whole = next(
        i for i, g in enumerate(cells.groups) if g.segment is None and g.version == signal.group.version
    )
    before = cells.of("n")[:, : -cells.window].mean(axis=1) * cells.window
    share = max(float(rows[signal.place]), float(before[signal.place])) / max(
        float(rows[whole]), float(before[whole]), 1.0
    )
    size = effect
    if measure.statistic == "volume":
        size = abs(1 - float(np.exp(min(effect, 1.0))))
    elif measure.statistic in {"relation", "level"} or (
        measure.statistic == "unexplained" and signal.kind == "score"
    ):
        size = effect / 3
    elif measure.statistic == "repeat":
        # a row shows it only where the one before it was hit as well
        size = effect**0.5
    elif measure.statistic in {"loss", "prevalence", "residual", "wrong", "separation", "kinship", "flips"}:
        size = 0.5
    return min(size, 1.0) * min(share, 1.0)


def _tier(kind: CauseKind) -> int:
    order: tuple[CauseKind, ...] = (
        "burst",
        "traffic",
        "mix",
        "version",
        "feature",
        "score",
        "label_delay",
        "labels",
    )
    return order.index(kind) if kind in order else len(order)


def _spreads(signal: Signal) -> float:
    """The effect in standard deviations of what the other fields leave open."""
    return abs(signal.effect) / signal.measure.unit


def _explains(upstream: Signal, signal: Signal) -> bool:
    if upstream.kind == "feature" and signal.kind == "feature":
        # a field that only no longer fits the others follows from the one among these that is broken
        if signal.measure.statistic != "relation":
            return False
        return upstream.measure.statistic != "relation" or _spreads(upstream) > _spreads(signal)
    if signal.kind not in UPSTREAM.get(upstream.kind, ()):
        return False
    if upstream.group.segment is None or signal.group.segment is None:
        return True
    same = (upstream.group.segment, upstream.group.value) == (signal.group.segment, signal.group.value)
    return same or upstream.group.segment != signal.group.segment
