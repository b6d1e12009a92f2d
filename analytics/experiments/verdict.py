"""The verdict: one word for programs, and a sentence with numbers for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.experiments.badges import gains
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.family import NOT_REACHED
from analytics.experiments.health import broken, split_p, split_sentence, unknown_arms
from analytics.experiments.rows import Badge, Call, Check, Decision, ExperimentRow, Health, headline
from analytics.experiments.words import listed, number, p_value, percent, signed
from analytics.project import SHARES

_TOLD = 2
"""Of more undecided metrics only the names are told."""
_ORDER: tuple[Call, ...] = ("won", "harmed", "mixed", "undecided", "too small", "lost", "unknown")
_SMALL: tuple[Badge, ...] = ("too small to matter", "no difference that matters")
_OPEN: tuple[Badge, ...] = ("no difference shown", "no improvement shown")
"""Of several arms the first of these speaks for the whole comparison."""


@dataclass(frozen=True)
class _Arm:
    """One arm's rows, by what they say."""

    variant: str
    primary: tuple[ExperimentRow, ...]
    guardrails: tuple[ExperimentRow, ...]
    secondary: tuple[ExperimentRow, ...]

    def with_badge(self, *badges: Badge) -> list[ExperimentRow]:
        return [row for row in (*self.primary, *self.guardrails) if row.badge in badges]

    @property
    def call(self) -> Call:
        if self.with_badge("harmed"):
            return "harmed"
        better, worse = self.with_badge("better"), self.with_badge("worse")
        if better or worse:
            return "mixed" if better and worse else "won" if better else "lost"
        if self.with_badge(*_OPEN):
            return "undecided"
        return "too small" if self.with_badge(*_SMALL) else "unknown"

    @property
    def gain(self) -> float:
        """What the first primary metric gains at least, to put arms with the same call in order."""
        found = gains(self.primary[0]) if self.primary else None
        return -math.inf if found is None else found[0]


def decide(
    design: Design, rows: Sequence[ExperimentRow], health: Health, checks: Sequence[Check] = ()
) -> Decision:
    """What the whole comparison comes to; it stands on the corrected intervals of the rows that are shown.

    A check that blocks leaves no win: what it found is said instead.
    """
    p = split_p(health.srm)
    if p is not None and broken(health.srm):
        split = split_sentence(health.arms, p)
        return Decision("invalid", f"No verdict: {split}. Find the cause before reading any difference.")
    if not health.n_units and health.n_unknown:
        return Decision("unknown", f"Nobody is in a declared arm: {unknown_arms(health)}.")
    shown = headline(rows)
    metrics = {metric.name: metric for metric in design.metrics}
    arms = [
        _Arm(
            variant,
            *(
                tuple(row for row in shown if row.variant == variant and row.role == role)
                for role in ("primary", "guardrail", "secondary")
            ),
        )
        for variant in design.variants
    ]
    if not arms:
        return Decision("unknown", "There is no arm to compare with the control.")
    first = min(arms, key=lambda arm: (_ORDER.index(arm.call), -arm.gain))
    others = [_short(arm) for arm in arms if arm is not first]
    sentence = f"{'; '.join([_long(first, metrics), *others])}."
    if not sentence.startswith(first.variant):  # a name stays as it was logged
        sentence = f"{sentence[0].upper()}{sentence[1:]}"
    blocking = [check for check in checks if check.level == "blocks"]
    if blocking and first.call in {"won", "mixed"}:
        return Decision("invalid", f"No verdict: {blocking[0].sentence}", first.variant)
    if health.doubts and first.call in {"won", "mixed"}:
        return Decision("invalid", f"No verdict: {health.doubts[0]}", first.variant)
    doubts = [f"{doubt[0].upper()}{doubt[1:]}" for doubt in health.doubts]
    return Decision(first.call, " ".join([sentence, *doubts, *filter(None, [design.early])]), first.variant)


def _long(arm: _Arm, metrics: dict[str, MetricDesign]) -> str:
    match arm.call:
        case "won":
            parts = [_moved(arm, "wins on", "better")]
        case "lost":
            parts = [_moved(arm, "loses on", "worse")]
        case "mixed":
            parts = [
                f"{_moved(arm, 'wins on', 'better')}, but it {_moved(arm, 'loses on', 'worse', again=True)}"
            ]
        case "harmed":
            parts = [_harm(arm, metrics)]
        case "undecided":
            parts = [_no_difference(arm)]
        case "too small":
            parts = [_small(arm, metrics)]
        case _:
            return _unknown(arm)
    parts += _rest(arm)
    return "; ".join(parts)


def _moved(arm: _Arm, verb: str, badge: Badge, *, again: bool = False) -> str:
    told = "; ".join(f"{row.metric}: {numbers(row)}" for row in arm.with_badge(badge))
    return f"{verb} {told}" if again else f"{arm.variant} {verb} {told}"


def _harm(arm: _Arm, metrics: dict[str, MetricDesign]) -> str:
    told = []
    for row in arm.with_badge("harmed"):
        metric = metrics[row.metric]
        accepted = ""
        if metric.margin_absolute:
            accepted = f", where {_harm_of(row)} of {_points(row, metric.margin_absolute)} is accepted"
        elif metric.margin:
            accepted = f", where {_harm_of(row)} of {percent(metric.margin)} is accepted"
        told.append(f"{row.metric}: {numbers(row)}{accepted}")
    return f"{arm.variant} harms {'; '.join(told)}"


def _no_difference(arm: _Arm) -> str:
    """What is open; in a one-sided design a fall is told as what it is, no improvement."""
    fallen = arm.with_badge("no improvement shown")
    told = [f"{row.metric}: {numbers(row)}" for row in fallen]
    parts = (
        [f"{arm.variant} does not improve {'; '.join(told)}; only an improvement is tested"] if told else []
    )
    if arm.with_badge("no difference shown"):
        control = arm.primary[0].control
        parts.append(f"no difference shown between {arm.variant} and {control} on {_open(arm)}")
    return "; ".join(parts)


def _small(arm: _Arm, metrics: dict[str, MetricDesign]) -> str:
    """Effects that were shown, or ruled out, below what matters."""
    told = []
    for row in arm.with_badge(*_SMALL):
        metric = metrics[row.metric]
        least = metric.smallest_difference
        matters = percent(metric.smallest_lift or 0.0) if least is None else _shown(row, least)
        better = (row.difference or 0.0) * (1 if row.direction == "up" else -1) > 0
        what = f"is {'better' if better else 'worse'} on"
        if row.badge == "no difference that matters":
            what = "shows no difference that matters on"
        less = ", less than matters" if row.badge == "too small to matter" else ""
        told.append(f"{what} {row.metric}{less}: {numbers(row)}, where {matters} matters")
    return f"{arm.variant} {'; it '.join(told)}"


def _harm_of(row: ExperimentRow) -> str:
    return "a fall" if row.direction == "up" else "a rise"


def _open(arm: _Arm) -> str:
    rows = arm.with_badge("no difference shown")
    if len(rows) > _TOLD:
        return f"any of {len(rows)} primary metrics: {listed([row.metric for row in rows])}"
    return "; on ".join(_undecided(row) for row in rows)


def _undecided(row: ExperimentRow) -> str:
    return f"{row.metric}: {numbers(row)}, so {_ruled_out(row)}"


def _ruled_out(row: ExperimentRow) -> str:
    low, high, relative = _interval(row)
    show = percent if relative else lambda value: _points(row, value)
    # nothing falls by more than all, and no share moves by more than 1
    bounded = row.kind in SHARES or relative
    rise = [] if bounded and not relative and high >= 1 else [f"a rise beyond {show(abs(high))}"]
    fall = [] if bounded and low <= -1 else [f"a fall beyond {show(abs(low))}"]
    told = " and ".join([*rise, *fall])
    return f"{told} {'are' if rise and fall else 'is'} ruled out" if told else "nothing is ruled out"


def _rest(arm: _Arm) -> list[str]:
    """What stands beside the main point: other primary metrics, and guardrails that are not shown safe."""
    parts = []
    if arm.call == "harmed":
        parts += [f"it {verb} {listed(names)}" for verb, names in _primaries(arm)]
    elif arm.call != "undecided" and (open_ := arm.with_badge("no difference shown")):
        parts.append(f"no difference shown on {listed([row.metric for row in open_])}")
    if arm.call != "too small" and (small := arm.with_badge(*_SMALL)):
        parts.append(f"too small to matter on {listed([row.metric for row in small])}")
    untested = [row for row in (*arm.primary, *arm.guardrails) if row.status != "ok"]
    if worse := [row for row in arm.secondary if row.badge == "worse"]:
        parts.append(f"worse on {listed([row.metric for row in worse])}")
    parts += [f"{row.metric} cannot be tested: {row.reason}" for row in untested]
    waiting = [row for row in arm.primary if row.reason == NOT_REACHED]
    if waiting:
        parts.append(
            f"{listed([row.metric for row in waiting])}: not tested, as {NOT_REACHED.split(': ')[1]}"
        )
    if unsafe := arm.with_badge("not shown safe"):
        parts.append(f"not shown safe: {', '.join(_unsafe(row) for row in unsafe)}")
    return parts


def _primaries(arm: _Arm) -> list[tuple[str, list[str]]]:
    words: tuple[tuple[str, Badge], ...] = (
        ("wins on", "better"),
        ("loses on", "worse"),
        ("shows no difference on", "no difference shown"),
    )
    found = [(verb, [row.metric for row in arm.primary if row.badge == badge]) for verb, badge in words]
    return [(verb, names) for verb, names in found if names]


def _unsafe(row: ExperimentRow) -> str:
    low, high, relative = _interval(row, even_if_alike=True)
    worst = max(-low, 0.0) if row.direction == "up" else max(high, 0.0)
    return f"{row.metric} (worse by up to {percent(worst) if relative else _points(row, worst)})"


def _unknown(arm: _Arm) -> str:
    if not arm.primary:
        return "no primary metric is declared, so there is no verdict"
    told = "; ".join(f"{row.metric}: {row.reason}" for row in arm.primary)
    return f"nothing can be said about {arm.variant}: {told}"


def _short(arm: _Arm) -> str:
    """One of several arms, in few words."""
    match arm.call:
        case "won":
            return f"{arm.variant} wins too, on {_names(arm, 'better')}"
        case "lost":
            return f"{arm.variant} loses on {_names(arm, 'worse')}"
        case "mixed":
            return f"{arm.variant} wins on {_names(arm, 'better')} but loses on {_names(arm, 'worse')}"
        case "harmed":
            return f"{arm.variant} harms {_names(arm, 'harmed')}"
        case "undecided" | "too small":
            what = "difference" if arm.call == "undecided" else "effect that matters"
            return f"{arm.variant} shows no {what}"
    return f"nothing can be said about {arm.variant}"


def _names(arm: _Arm, badge: Badge) -> str:
    return listed([row.metric for row in arm.with_badge(badge)])


def numbers(row: ExperimentRow) -> str:
    """Both means, the effect with its corrected interval, and the corrected p-value.

    The lift is shown where it exists, the difference otherwise.
    """
    if row.mean is None or row.mean_control is None or row.p_adjusted is None or row.difference is None:
        return row.reason or "nothing was tested"
    low, high, relative = _interval(row)
    if relative and row.lift is not None:
        effect = f"{signed(percent(row.lift))} ({percent(low)} to {percent(high)})"
    else:
        limits = f"{_points(row, low)} to {_points(row, high)}"
        effect = f"{signed(_points(row, row.difference))} ({limits})"
    return f"{_shown(row, row.mean)} against {_shown(row, row.mean_control)}, {effect}, {p_value(row.p_adjusted)}"


def _interval(row: ExperimentRow, *, even_if_alike: bool = False) -> tuple[float, float, bool]:
    """The corrected interval of the lift (True) or, without one or where it reads 0, of the difference."""
    means = {_shown(row, mean) for mean in (row.mean, row.mean_control) if mean is not None}
    if (
        row.lift_ci_adjusted_low is not None
        and row.lift_ci_adjusted_high is not None
        and (even_if_alike or len(means) == 2)
    ):
        return row.lift_ci_adjusted_low, row.lift_ci_adjusted_high, True
    return row.ci_adjusted_low or 0.0, row.ci_adjusted_high or 0.0, False


def _shown(row: ExperimentRow, value: float) -> str:
    return percent(value) if row.kind in SHARES else number(value)


def _points(row: ExperimentRow, difference: float) -> str:
    """A difference; of shares in percentage points."""
    if row.kind in SHARES:
        return f"{percent(difference).removesuffix('%')} pp"
    return number(difference)
