"""Every state a unit, an exposure or a row can be in, with how many are: what counts, what does not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates, Split
from analytics.experiments.design import Design
from analytics.experiments.silence import shares_differ
from analytics.experiments.words import count, percent, plural

State = Literal[
    "judged",
    "crossed",
    "no_units",
    "unknown_arm",
    "before_start",
    "after_end",
    "future",
    "unusable",
    "open_window",
    "done_before",
    "no_value",
    "no_number",
    "waiting",
]
Counted = Literal["units", "exposures", "rows"]
_MEANS: Mapping[State, str] = {
    "judged": "first exposed to the arm",
    "crossed": "saw another arm later",
    "no_units": "a declared arm that nobody was exposed to",
    "unknown_arm": "first exposed to an arm that is not declared",
    "before_start": "before the start of the experiment",
    "after_end": "at its end or later",
    "future": "dated after now, which only a wrong clock can write",
    "unusable": "without unit or time, or a copy of a unit",
    "open_window": "first exposed so late that the metric's window is still open",
    "done_before": "did it between the start and their first exposure, which does not count",
    "no_value": "without a value",
    "no_number": "whose value is no finite number",
    "waiting": "whose label is not there yet",
}


@dataclass(frozen=True)
class StateRow:
    """How many are in one state.

    Attributes:
        experiment: its name.
        state: in one word.
        counted: what is counted.
        metric: the metric it is about; None where it is about all.
        variant: the arm; None where it is about none, or about all.
        n: how many.
        share: of the arm's units (of all units, where there is no arm); None where exposures or rows are counted.
        enters: whether they enter the comparison.
        meaning: the state in words.
    """

    experiment: str | None
    state: State
    counted: Counted
    metric: str | None
    variant: str | None
    n: int
    share: float | None
    enters: bool
    meaning: str


def state_rows(design: Design, found: ExperimentAggregates) -> tuple[StateRow, ...]:
    """The arms with their units, then whatever else there is; states nobody is in are left out."""
    split = found.split
    rows = [*_of_arms(design, split), *_of_exposures(design, split)]
    metrics = {metric.name: metric for metric in found.metrics}
    for metric in design.ordered_metrics:
        rows += _of_metric(design, split, metrics[metric.name])
    return tuple(rows)


def _of_arms(design: Design, split: Split) -> Iterator[StateRow]:
    kept = not split.leaves_crossed_out
    for arm in design.shares:
        n, crossed = split.n.get(arm, 0), split.crossed.get(arm, 0)
        exposed = n if kept else n + crossed
        if not exposed:
            yield _row(design, "no_units", "units", 0, variant=arm, enters=False)
            continue
        yield _row(design, "judged", "units", n, variant=arm, of=exposed)
        if crossed:
            yield _row(design, "crossed", "units", crossed, variant=arm, of=exposed, enters=kept)


def _of_exposures(design: Design, split: Split) -> Iterator[StateRow]:
    everyone = sum(split.n.values()) + split.n_unknown
    known = sum(n for _, n in split.unknown)
    for arm, n in split.unknown:
        yield _row(design, "unknown_arm", "units", n, variant=arm, of=everyone, enters=False)
    if split.n_unknown > known:
        yield _row(design, "unknown_arm", "units", split.n_unknown - known, of=everyone, enters=False)
    counted: dict[State, int] = {
        "before_start": split.n_before_start,
        "after_end": split.n_outside - split.n_before_start,
        "future": split.n_future,
        "unusable": split.n_rows_left_out,
    }
    for state, n in counted.items():
        if n:
            yield _row(design, state, "exposures", n, enters=False)


def _of_metric(design: Design, split: Split, found: MetricAggregates) -> Iterator[StateRow]:
    by_arm: tuple[tuple[State, Mapping[str, int], bool], ...] = (
        ("open_window", found.open_windows, not found.leaves_open_out),
        ("done_before", found.n_early, True),
        ("no_value", found.moments.missing, False),
    )
    for state, numbers, enters in by_arm:
        for arm in design.shares:
            n = numbers.get(arm, 0)
            if n:
                yield _row(
                    design,
                    state,
                    "units",
                    n,
                    metric=found.name,
                    variant=arm,
                    of=split.n.get(arm),
                    enters=enters,
                )
    rows: dict[State, int] = {"no_number": found.n_rows_left_out, "waiting": found.n_rows_waiting}
    for state, n in rows.items():
        if n:
            yield _row(design, state, "rows", n, metric=found.name, enters=False)


def _row(
    design: Design,
    state: State,
    counted: Counted,
    n: int,
    *,
    metric: str | None = None,
    variant: str | None = None,
    of: int | None = None,
    enters: bool = True,
) -> StateRow:
    share = n / of if of else None
    return StateRow(design.name, state, counted, metric, variant, n, share, enters, _MEANS[state])


def empty_arms(design: Design, split: Split) -> list[str]:
    """Declared arms that should have units and have none, a sentence each."""
    if not sum(split.n.values()):
        return []
    return [
        f"nobody was exposed to {arm}, which was to get {percent(share)}"
        for arm, share in design.planned.items()
        if share > 0 and not split.n.get(arm) and not split.crossed.get(arm)
    ]


def outside(split: Split) -> list[str]:
    """Exposures that do not count because of when they are."""
    notes = []
    if split.n_future:
        notes.append(
            f"{plural(split.n_future, 'exposure')} dated after now {_does(split.n_future)} not count"
        )
    before, after = split.n_before_start, split.n_outside - split.n_before_start
    if before and after:
        notes.append(
            f"{plural(before, 'exposure')} before the start and {count(after)} after the end do not count"
        )
    elif before or after:
        where = "before the start" if before else "after the end"
        notes.append(f"{plural(before or after, 'exposure')} {where} {_does(before or after)} not count")
    return notes


def _does(n: int) -> str:
    return "does" if n == 1 else "do"


def too_young(metrics: Sequence[MetricAggregates]) -> list[str]:
    """Units that are left out since their window is still open, metrics of the same number together."""
    names: dict[int, list[str]] = {}
    for metric in metrics:
        if metric.leaves_open_out and metric.n_open_window:
            names.setdefault(metric.n_open_window, []).append(metric.name)
    return [
        f"{', '.join(found)}: {plural(n, 'unit')} whose window is still open {'is' if n == 1 else 'are'} left out"
        for n, found in names.items()
    ]


def unlabelled(metrics: Sequence[MetricAggregates]) -> list[str]:
    """Rows of predictions that wait for their label."""
    return [
        f"{metric.name}: {plural(metric.n_rows_waiting, 'row')} without a label yet "
        f"{'is' if metric.n_rows_waiting == 1 else 'are'} left out"
        for metric in metrics
        if metric.n_rows_waiting
    ]


def exposed_late(metrics: Sequence[MetricAggregates], split: Split) -> list[str]:
    """Metrics that units of one arm had met before their exposure more often than those of another.

    Who met it in the experiment's time and was exposed afterwards is a matter of when exposure is logged. If that
    happens in one arm more than in another, the arms have lost different parts of what their units did.
    """
    told = []
    for metric in metrics:
        arms = [arm for arm, n in split.n.items() if n]
        if len(arms) < 2 or not metric.n_early:
            continue
        early = [min(metric.n_early.get(arm, 0), split.n[arm]) for arm in arms]
        table = np.array(
            [early, [split.n[arm] - n for arm, n in zip(arms, early, strict=True)]], dtype=np.float64
        )
        if not shares_differ(table):
            continue
        shares = {arm: n / split.n[arm] for arm, n in zip(arms, early, strict=True)}
        most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
        told.append(
            f"{metric.name}: {percent(shares[most])} of the units in {most} had it before their exposure, against "
            f"{percent(shares[least])} in {least}: is the exposure logged at another moment there?"
        )
    return told


def keeps_growing(design: Design) -> list[str]:
    """Metrics of which no unit is ever complete, in a design that is looked at early."""
    if design.stopping not in {"group-sequential", "always-valid"}:
        return []
    names = [metric.name for metric in design.ordered_metrics if metric.keeps_growing]
    return [
        f"{name}: has no window, so the values of units keep growing while the experiment runs; "
        'window = "7 days" makes looks comparable'
        for name in names
    ]
