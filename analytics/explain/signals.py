"""All that may have changed in a window; each number is judged by how earlier windows differed from the days before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cause_bins import FieldBins
from analytics.aggregates.cause_cells import CauseCells
from analytics.explain.relations import Relation
from analytics.explain.rows import CauseKind
from analytics.stats.windows_before import Judged, judge, moving, share_variance

Floats = NDArray[np.float64]
Statistic = Literal[
    "volume", "again", "copied", "echoed", "failed", "latency", "within", "missing", "new", "repeat", "shape", "level",
    "relation", "unexplained", "flips", "separation", "kinship", "prevalence", "residual", "loss", "wrong",
]  # fmt: skip
LEAST_ROWS = 10.0
EXACT = "exact"
LEAST_ODD = 0.25
"""Values between those that were seen: from this share of rows on."""
LEAST_PAIRS = 30.0
LEAST_PRESENT = 0.6
"""A value of a segment that is there on a smaller share of days (one weekday, say) is not looked at by itself."""


@dataclass(frozen=True)
class Measured:
    """One number of every group, and of the rest of its version, in the window and before it.

    Attributes:
        kind, name, statistic: what it is.
        before, after: shape (2, groups): of the group, and of the rest of its version.
        judged: the same shape.
        n_before, n_after: rows (or labels) behind them, same shape.
        least: the smallest effect worth a word.
        part: which wait it is about.
        told: of a number's level: its means before and in the window, in its own unit, shape (2, groups) each.
        daily: what it is a ratio of, shape (groups, days) each.
        unit: what the effect is measured in when several fields' are laid side by side.
    """

    kind: CauseKind
    name: str | None
    statistic: Statistic
    before: Floats
    after: Floats
    judged: Judged
    n_before: Floats
    n_after: Floats
    least: float
    part: str | None = None
    told: tuple[Floats, Floats] | None = None
    unit: float = 1.0
    daily: tuple[Floats, Floats] | None = None

    @property
    def able(self) -> NDArray[np.bool_]:
        """Which of them can be judged."""
        return (self.n_before >= LEAST_ROWS) & (self.n_after >= LEAST_ROWS) & np.isfinite(self.judged.z)


@dataclass(frozen=True)
class Tolerances:
    """Smallest changes worth a word, as the project file declares them for drift."""

    share: float = 0.02
    values: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str) -> float:
        """Total variation that a field may move by."""
        return self.values.get(name, 0.05)


@dataclass(frozen=True)
class Sides:
    """Sums of each group, and of the rest of its version, moved through the days."""

    cells: CauseCells
    wholes: NDArray[np.int64]
    """Per group, the place of the whole of its version."""

    @classmethod
    def of(cls, cells: CauseCells) -> Sides:
        """Find the wholes."""
        place = {group.version: i for i, group in enumerate(cells.groups) if group.segment is None}
        return cls(cells, np.array([place[group.version] for group in cells.groups], dtype=np.int64))

    def both(self, sums: Floats) -> Floats:
        """Sums (groups, days, …) as (days, 2, groups, …): of the group and of the rest of its version."""
        rest = sums[self.wholes] - sums
        stacked = np.stack([sums, np.maximum(rest, 0.0) if (sums >= 0).all() else rest])
        return np.moveaxis(stacked, 2, 0)

    def judged(
        self, differences: Floats, separate: float, sampling: Floats | float, *, only_more: bool = False
    ) -> Judged:
        """Whole versions by themselves; a value of a segment by how it moved apart from the rest of its version.

        What all rows share (weather, a holiday) is then no change of one value.
        """
        segment = np.array([group.segment is not None for group in self.cells.groups])
        spread = np.broadcast_to(np.asarray(sampling, dtype=np.float64), differences.shape[1:]).copy()
        apart = differences.copy()
        own, rest = differences[:, 0], differences[:, 1]
        both = segment & np.isfinite(rest[-1])
        apart[:, 0] = np.where(both, own - rest, own)
        spread[0] = np.where(both, spread[0] + np.where(np.isfinite(spread[1]), spread[1], 0.0), spread[0])
        return judge(apart, separate, spread, only_more=only_more)

    def moved(self, sums: Floats) -> tuple[Floats, Floats, float]:
        """Windows and the days before them, shape (P, 2, groups, …)."""
        found = moving(self.both(sums), self.cells.window)
        return found.after, found.before, found.separate


def measures(
    cells: CauseCells, relations: Mapping[tuple[str | None, str], Relation], tolerances: Tolerances
) -> list[Measured]:
    """Every number there is, in the order of `Statistic`."""
    sides = Sides.of(cells)
    found = [_volume(sides)]
    found += _service(sides)
    found += _labels_in_time(sides)
    for place, (item, _) in enumerate(cells.bins):
        found += _field(sides, place, item, tolerances)
    found += _relations(sides, relations)
    found += _outcomes(sides)
    return found


def _ratio(  # noqa: PLR0913  # what a share or a mean is made of
    sides: Sides,
    top: Floats,
    bottom: Floats,
    *,
    kind: CauseKind,
    name: str | None,
    statistic: Statistic,
    least: float,
    variance: float | None = None,
    part: str | None = None,
) -> Measured:
    """A share (its variance by its rows follows from itself) or a mean of values with a known variance."""
    top_after, top_before, separate = sides.moved(top)
    after_n, before_n, _ = sides.moved(bottom)
    with np.errstate(divide="ignore", invalid="ignore"):
        after, before = top_after / after_n, top_before / before_n
        gap = after - before
    short = (after_n < 1) | (before_n < 1)
    differences = np.where(short, np.nan, gap)
    last_n, first_n = after_n[-1], before_n[-1]
    if variance is None:
        sampling = share_variance(top_before[-1], first_n, last_n)
    else:
        with np.errstate(divide="ignore"):
            sampling = variance * (1 / np.maximum(last_n, 1e-9) + 1 / np.maximum(first_n, 1e-9))
    judged = sides.judged(differences, separate, sampling)
    return Measured(
        kind, name, statistic, np.nan_to_num(before[-1]), np.nan_to_num(after[-1]), judged, first_n, last_n, least,
        part, daily=(top, bottom),
    )  # fmt: skip


def _volume(sides: Sides) -> Measured:
    """Rows against those that the weekday and the days before let expect, as a logarithm of their ratio."""
    cells = sides.cells
    counts = sides.both(cells.of("n"))
    expected = _weekday_share(counts, cells)
    after_n, before_n, separate = sides.moved(cells.of("n"))
    length = moving(np.ones(len(cells.days)), cells.window)
    factor = moving(expected, cells.window)
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = before_n * factor.after / factor.before
        differences = np.log((after_n + 0.5) / (usual + 0.5))
    differences = np.where((factor.before > 0) & (factor.after > 0), differences, np.nan)
    with np.errstate(divide="ignore"):
        sampling = 1 / np.maximum(usual[-1], 1.0) + 1 / np.maximum(before_n[-1], 1.0)
    judged = sides.judged(differences, separate, np.nan_to_num(sampling, nan=1.0))
    days = float(length.after[-1])
    judged = replace(judged, effect=np.where(np.isfinite(differences[-1]), differences[-1], 0.0))
    return Measured(
        "traffic", None, "volume", np.nan_to_num(usual[-1]) / days, after_n[-1] / days, judged,
        before_n[-1], np.maximum(after_n[-1], np.where(usual[-1] >= LEAST_ROWS, LEAST_ROWS, 0.0)), 0.1,
        daily=(cells.of("n"), np.moveaxis(expected[:, 0], 0, 1)),
    )  # fmt: skip


def _weekday_share(counts: Floats, cells: CauseCells) -> Floats:
    """Of every day, what its weekday usually has against an average day; 1 where there are too few weeks."""
    weekday = cells.days % 7
    history = slice(0, len(cells.days) - cells.window)
    factor = np.ones(counts.shape)
    if history.stop < 28:
        return factor
    level = np.maximum(counts[history].mean(axis=0), 1e-9)
    for day in range(7):
        of_day = counts[history][weekday[history] == day]
        factor[weekday == day] = of_day.mean(axis=0) / level
    return factor


def _service(sides: Sides) -> Iterator[Measured]:
    cells = sides.cells
    n = cells.of("n")
    if cells.has("copied"):
        yield _ratio(sides, cells.of("copied"), n, kind="burst", name=None, statistic="copied", least=0.03)
        yield _ratio(sides, cells.of("again"), n, kind="traffic", name=None, statistic="again", least=0.05)
    if cells.has("echoed"):
        yield _ratio(sides, cells.of("echoed"), n, kind="version", name=None, statistic="echoed", least=0.03)
    if cells.has("failed"):
        yield _ratio(
            sides,
            cells.of("failed"),
            cells.of("with_status"),
            kind="errors",
            name=None,
            statistic="failed",
            least=0.005,
        )
    if cells.has("log_latency"):
        yield _ratio(
            sides, cells.of("log_latency"), cells.of("timed"), kind="latency", name=None, statistic="latency",
            least=float(np.log(1.1)), variance=0.25,
        )  # fmt: skip


def _labels_in_time(sides: Sides) -> Iterator[Measured]:
    cells = sides.cells
    for name in cells.names:
        if name.startswith("within:"):
            yield _ratio(
                sides, cells.of(name), cells.of("n"), kind="label_delay", name=None, statistic="within", least=0.05,
                part=name.removeprefix("within:"),
            )  # fmt: skip


def _field(sides: Sides, place: int, item: FieldBins, tolerances: Tolerances) -> Iterator[Measured]:
    cells = sides.cells
    counts, n = cells.counts(place), cells.of("n")
    role = item.field.role
    kind: CauseKind = "feature" if role == "feature" else "score" if role == "score" else "decision"
    name = item.field.name
    about: dict[str, Any] = {"kind": kind, "name": name}
    present = n - counts[..., -1]
    told = _told(sides, item, present) if item.is_numeric else None
    yield _ratio(sides, counts[..., -1], n, statistic="missing", least=tolerances.share, **about)
    new = counts[..., item.values : -1].sum(axis=-1)
    if item.is_numeric or item.known is not None:
        found = _ratio(sides, new, present, statistic="new", least=tolerances.share, **about)
        yield replace(found, told=told)
    if cells.has(f"odd:{name}"):
        found = _ratio(sides, cells.of(f"odd:{name}"), present, statistic="new", least=LEAST_ODD, **about)
        yield replace(found, told=told, part=EXACT)
    if item.is_numeric or kind != "decision":
        yield _ratio(sides, cells.of(f"repeat:{name}"), present, statistic="repeat", least=0.05, **about)
    yield _shape(sides, counts, kind, name, tolerances.of(name))
    if item.is_numeric:
        level = _ratio(
            sides,
            cells.of(f"z:{name}"),
            present,
            statistic="level",
            least=2 * tolerances.of(name),
            variance=1.0,
            **about,
        )
        yield replace(level, told=told)


def _told(sides: Sides, item: FieldBins, present: Floats) -> tuple[Floats, Floats]:
    """Means before and in the window, in the field's own unit."""
    after, before, _ = sides.moved(np.stack([sides.cells.of(f"m:{item.field.name}"), present], axis=-1))
    first, last = (
        item.centre + item.spread * sums[..., 0] / np.maximum(sums[..., 1], 1.0)
        for sums in (before[-1], after[-1])
    )
    return first, last


def _shape(sides: Sides, counts: Floats, kind: CauseKind, name: str, least: float) -> Measured:
    """Total variation between the window and the days before, and the bin that gained most."""
    after, before, separate = sides.moved(counts)
    after_n, before_n = after.sum(axis=-1), before.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = after / after_n[..., None] - before / before_n[..., None]
    apart = np.abs(gap).sum(axis=-1) / 2
    short = (after_n < LEAST_ROWS) | (before_n < LEAST_ROWS)
    differences = np.where(short, np.nan, apart)
    judged = sides.judged(differences, separate, 1e-6, only_more=True)
    middle = np.where(np.isfinite(judged.z), judged.effect - judged.z * judged.scale, 0.0)
    zero = np.nan_to_num(np.maximum(middle, 0.0))
    return Measured(
        kind, name, "shape", zero, judged.effect, replace(judged, effect=judged.effect - zero), before_n[-1],
        after_n[-1], least,
    )  # fmt: skip


def _relations(sides: Sides, relations: Mapping[tuple[str | None, str], Relation]) -> Iterator[Measured]:
    """How far a field is from what the others let expect."""
    cells = sides.cells
    n = cells.of("n")
    names = dict.fromkeys(name for _, name in relations)
    for name in names:
        residual = np.zeros(n.shape)
        known = np.zeros(len(cells.groups), dtype=bool)
        kind: CauseKind = "feature"
        unit = 1.0
        for i, group in enumerate(cells.groups):
            relation = relations.get((group.version, name))
            if relation is not None:
                residual[i] = relation.residual_sums(cells.sums[i], n[i])
                kind, known[i], unit = relation.kind, True, float(np.sqrt(max(1 - relation.explained, 0.0)))
        if not known.any():
            continue
        found = _ratio(
            sides, residual, np.where(known[:, None], n, 0.0), kind=kind, name=name,
            statistic="relation" if kind == "feature" else "unexplained",
            least=0.02 if kind == "decision" else 0.15, variance=0.1,
        )  # fmt: skip
        yield replace(found, unit=max(unit, 0.05))


def _outcomes(sides: Sides) -> Iterator[Measured]:
    cells = sides.cells
    if not cells.has("loss"):
        return
    if cells.has("y_logit"):
        yield from _bonds(sides)
    if cells.has("y"):
        n = cells.of("with_loss")
        level = 0.25 if cells.has("y_logit") else _spread(cells) ** 2
        least = 0.03 if cells.has("y_logit") else 0.1 * _spread(cells)
        about: dict[str, Any] = {"name": None, "kind": "concept", "least": least, "variance": level}
        yield _ratio(sides, cells.of("y"), n, statistic="prevalence", **about)
        yield _ratio(sides, cells.of("y") - cells.of("p"), n, statistic="residual", **about)
    loss = cells.of("loss")
    mean = float(loss.sum() / max(float(cells.of("with_loss").sum()), 1.0))
    yield _ratio(
        sides, loss, cells.of("with_loss"), kind="concept", name=None, statistic="loss", least=0.05 * mean,
        variance=mean**2,
    )  # fmt: skip
    if cells.has("wrong"):
        yield _ratio(
            sides,
            cells.of("wrong"),
            cells.of("decided"),
            kind="concept",
            name=None,
            statistic="wrong",
            least=0.03,
        )


def _spread(cells: CauseCells) -> float:
    """Of the labels of a regression, about: their mean loss."""
    return max(float(cells.of("loss").sum() / max(float(cells.of("with_loss").sum()), 1.0)), 1e-12)


def _bonds(sides: Sides) -> Iterator[Measured]:
    """How far labels go with scores, and with the label before of the same unit; within days, whose levels differ.

    Both are covariances over what they would be at most (a slope, a correlation). With a share f of the labels flipped
    the first falls to 1 - 2 f of itself and the second to its square, whatever share of the labels is positive.
    """
    cells = sides.cells

    def within(product: str, one: str, other: str, rows: str) -> Floats:
        n = np.maximum(cells.of(rows), 1.0)
        return np.asarray(cells.of(product) - cells.of(one) * cells.of(other) / n)

    parts: list[tuple[Statistic, Floats, Floats, Floats]] = [
        (
            "separation", within("y_logit", "y_there", "logit", "with_logit"),
            within("logit_squared", "logit", "logit", "with_logit"), cells.of("with_logit"),
        )
    ]  # fmt: skip
    if cells.has("pairs"):
        n = np.maximum(cells.of("pairs"), 1.0)
        ones = [cells.of(name) for name in ("pair_y", "pair_last")]
        most = np.sqrt(np.prod([np.maximum(one - one**2 / n, 0.0) for one in ones], axis=0))
        both = within("pair_both", "pair_y", "pair_last", "pairs")
        parts.append(("kinship", both, most, cells.of("pairs")))
    found = [_slope(sides, top, bottom, rows, statistic) for statistic, top, bottom, rows in parts]
    series = [differences / _usual(differences) for _, differences in found]
    yield from (measure for measure, _ in found)
    yield _flips(sides, [-one for one in series], found[0][0])


def _usual(differences: Floats) -> Floats:
    """Their spread before the window, by group; infinite where nothing came before."""
    before = np.where(np.isfinite(differences[:-1]), differences[:-1], 0.0)
    spread = np.sqrt((before**2).sum(axis=0) / max(len(before), 1))
    return np.where(spread > 0, spread, np.inf)


def _flips(sides: Sides, series: list[Floats], like: Measured) -> Measured:
    """What flipped labels do all at once: both bonds loosen, and the share of positives goes towards a half."""
    cells = sides.cells
    after, before, separate = sides.moved(np.stack([cells.of("y"), cells.of("with_loss")], axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        share, past = after[..., 0] / after[..., 1], before[..., 0] / before[..., 1]
    differences = (share - past) * np.sign(0.5 - past)
    together = np.sum([*series, differences / _usual(differences)], axis=0) / np.sqrt(len(series) + 1)
    judged = sides.judged(together, separate, 1e-6)
    return replace(like, statistic="flips", judged=judged, least=1.0)


def _slope(
    sides: Sides, top: Floats, bottom: Floats, rows: Floats, statistic: Statistic
) -> tuple[Measured, Floats]:
    """A ratio whose numerator may be negative, so the rest of a version is what is left of its whole."""
    after, before, separate = sides.moved(np.stack([top, bottom, rows], axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = after[..., 0] / after[..., 1], before[..., 0] / before[..., 1]
    few = (
        (after[..., 2] < LEAST_PAIRS)
        | (before[..., 2] < LEAST_PAIRS)
        | (after[..., 1] <= 0)
        | (before[..., 1] <= 0)
    )
    differences = np.where(few, np.nan, one - two)
    # for a correlation near 0: one over its rows; a slope is smaller by the spread of the scores
    spread = np.where(few[-1], 1.0, after[-1][..., 1] / np.maximum(after[-1][..., 2], 1e-9))
    sampling = 0.25 / np.maximum(after[-1][..., 2], 1.0) / np.maximum(spread, 0.25)
    judged = sides.judged(differences, separate, sampling)
    least = 0.25 * float(np.nan_to_num(np.abs(two[-1][0])).mean())
    return Measured(
        "concept", None, statistic, np.where(few[-1], 0.0, np.nan_to_num(two[-1])),
        np.where(few[-1], 0.0, np.nan_to_num(one[-1])), judged, before[-1][..., 2], after[-1][..., 2], least,
    ), differences  # fmt: skip


def looked_at(cells: CauseCells) -> NDArray[np.bool_]:
    """Groups that are there on most days before the window."""
    history = cells.of("n")[:, : len(cells.days) - cells.window]
    there = (history > 0).mean(axis=1) if history.shape[1] else np.ones(len(cells.groups))
    whole = np.array([group.segment is None for group in cells.groups])
    return np.asarray(whole | (there >= LEAST_PRESENT))
