"""The first line of the Quality page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.directions import direction, worse_by
from analytics.quality.rows import MetricRow
from analytics.stats.intervals import normal_quantile
from app.formats import count, in_window, interval, plural
from app.glossary import inside, show, title, unit
from app.headlines.verdict import State, Verdict

SLIGHT = 0.02
"""A difference below this share of the reference's value is called slight."""


class Difference(NamedTuple):
    """A value minus the reference's, with its interval."""

    value: float
    low: float
    high: float


def difference(row: MetricRow, reference: MetricRow, widening: float = 1.0) -> Difference | None:
    """The difference of two independent estimates, from their intervals alone.

    Each end adds the squared distances of both estimates to the limits that lie that way (MOVER: Zou and
    Donner, Statistics in Medicine 27, 2008), so that skewed intervals stay skewed. None where one has no
    interval.

    Args:
        row: the window.
        reference: what it is compared with.
        widening: factor of every distance, for several comparisons at once.
    """
    ends = (row.value, row.ci_low, row.ci_high, reference.value, reference.ci_low, reference.ci_high)
    if any(end is None for end in ends):
        return None
    value, low, high, base, base_low, base_high = (end for end in ends if end is not None)
    down = widening * math.hypot(value - low, base_high - base)
    up = widening * math.hypot(high - value, base - base_low)
    return Difference(value - base, value - base - down, value - base + up)


def quality_verdict(
    rows: Sequence[MetricRow],
    reference_rows: Iterable[MetricRow],
    *,
    metric: str,
    zone: ZoneInfo,
    confidence: float = 0.95,
) -> Verdict:
    """How quality stands against the reference, over all windows and versions of the rows.

    Every mature window of every version is compared with its own version's reference. Because so many
    comparisons are made, each is made at the confidence that keeps the chance of any false claim at
    1 - confidence (Bonferroni).
    """
    rows = [row for row in rows if row.metric == metric and row.segment is None and row.class_ is None]
    references = {
        row.version: row
        for row in reference_rows
        if row.metric == metric and row.segment is None and row.class_ is None and row.value is not None
    }
    versions = list(dict.fromkeys(row.version for row in rows))
    comparisons = sum(row.status == "ok" and row.version in references for row in rows)
    widening = _widening(comparisons, confidence)
    found = [
        _Line(
            [row for row in rows if row.version == version], references.get(version), widening, zone
        ).verdict()
        for version in versions
    ]
    if not found:
        return Verdict("unknown", "There is nothing to judge in this window.")
    order: list[State] = ["worse", "changed", "better", "same", "unknown"]
    place = min(range(len(found)), key=lambda index: order.index(found[index].state))
    if len(found) == 1:
        return found[0]
    worse = sum(verdict.state == "worse" for verdict in found)
    others = f" {worse} of {len(found)} versions are worse." if worse > 1 else ""
    return Verdict(found[place].state, f"{versions[place]}: {inside(found[place].sentence)}{others}")


def quality_headline(
    rows: Sequence[MetricRow],
    reference_rows: Iterable[MetricRow],
    *,
    metric: str,
    zone: ZoneInfo,
    confidence: float = 0.95,
) -> str:
    """The sentence of `quality_verdict`."""
    return quality_verdict(rows, reference_rows, metric=metric, zone=zone, confidence=confidence).sentence


def _widening(comparisons: int, confidence: float) -> float:
    if comparisons <= 1:
        return 1.0
    return normal_quantile(1 - (1 - confidence) / comparisons) / normal_quantile(confidence)


class _Line:
    """One version's windows against its reference."""

    def __init__(
        self, rows: list[MetricRow], reference: MetricRow | None, widening: float, zone: ZoneInfo
    ) -> None:
        self.rows = sorted(rows, key=lambda row: row.window_start)
        self.known = [row for row in self.rows if row.status == "ok" and row.value is not None]
        self.reference = reference
        self.widening = widening
        self.zone = zone
        self.name = title(self.rows[0].metric)

    def verdict(self) -> Verdict:
        if not self.known:
            return Verdict("unknown", _unknown(self.rows, self.zone))
        newest = self.known[-1]
        if self.reference is None:
            text = f"{self.name} {self._value(newest)}, from {plural(newest.n_labelled, 'labelled row')}; "
            return Verdict("unknown", f"{text}there is no reference to compare with.{self._late()}")
        states = [self._state(row) for row in self.known]
        if states[-1] in {"worse", "changed", "better"}:
            return Verdict(states[-1], self._now(states) + self._late())
        past = [row for row, state in zip(self.known, states, strict=True) if state in {"worse", "changed"}]
        if past:
            return Verdict("same", self._past(past) + self._late())
        return Verdict("same", f"{self._same(newest)}{self._late()}")

    def _state(self, row: MetricRow) -> State:
        gap = None if self.reference is None else difference(row, self.reference, self.widening)
        if gap is None or gap.low <= 0 <= gap.high or row.value is None:
            return "same"
        if self.reference is None or self.reference.value is None:
            return "same"
        harm = worse_by(row.metric, row.value, self.reference.value)
        if harm is None or harm == 0:
            return "changed"
        return "worse" if harm > 0 else "better"

    def _now(self, states: list[State]) -> str:
        state, newest = states[-1], self.known[-1]
        run = self._run(states)
        first = self.known[-run]
        if len(self.known) == 1:
            return f"{self._subject()} is {self._word(newest, state)}: {self._against(newest)}."
        if run == 1:
            moved = f"{self._moved(newest, state)} {self._when(newest)}"
            return f"{self._subject()} {moved}: {self._against(newest)}."
        since = f"has been {self._word(newest, state)} since {_bare(self._when(first))}"
        return f"{self._subject()} {since}: {self._against(newest, newest)}."

    def _run(self, states: list[State]) -> int:
        """How many of the newest windows lie off to one side, counted from the first that surely does.

        A window that only just fails to be sure does not interrupt a run; one on the other side does.
        """
        side = self._side(self.known[-1])
        run = 1
        for back, (row, state) in enumerate(
            zip(reversed(self.known), reversed(states), strict=True), start=1
        ):
            if self._side(row) != side:
                break
            run = back if state == states[-1] else run
        return run

    def _side(self, row: MetricRow) -> bool:
        base = self.reference.value if self.reference and self.reference.value is not None else 0.0
        return (row.value or 0.0) > base

    def _past(self, past: list[MetricRow]) -> str:
        most = max(past, key=self._size)
        times = (
            f"in {len(past)} of {plural(len(self.known), 'window')}" if len(past) > 1 else self._when(most)
        )
        peak = f", most {self._when(most)}" if len(past) > 1 else ""
        word = (
            "differed from the reference"
            if direction(most.metric) == "none"
            else "was worse than the reference"
        )
        now = f"{self._when(self.known[-1])} no difference shows"
        return f"{self._subject()} {word} {times}{peak}: {self._against(most)}; {now}."

    def _same(self, newest: MetricRow) -> str:
        text = self._against(newest, newest)
        return f"{self._subject()} shows no difference from the reference beyond chance: {text}."

    def _subject(self) -> str:
        return "Quality" if direction(self.rows[0].metric) != "none" else self.name

    def _size(self, row: MetricRow) -> float:
        base = self.reference.value if self.reference and self.reference.value is not None else 0.0
        return abs((row.value or 0.0) - base)

    def _word(self, row: MetricRow, state: State) -> str:
        base = self.reference.value if self.reference and self.reference.value else 0.0
        slight = "slightly " if base and self._size(row) < SLIGHT * abs(base) else ""
        if state == "changed":
            return f"{slight}{'higher' if (row.value or 0.0) > base else 'lower'}"
        return f"{slight}{state}"

    def _moved(self, row: MetricRow, state: State) -> str:
        slight = " slightly" if self._word(row, state).startswith("slightly") else ""
        if state == "changed":
            return f"{'rose' if 'higher' in self._word(row, state) else 'fell'}{slight}"
        return f"{'fell' if state == 'worse' else 'rose'}{slight}"

    def _when(self, row: MetricRow) -> str:
        return in_window(row.window_start, row.window_end, self.zone)

    def _against(self, row: MetricRow, dated: MetricRow | None = None) -> str:
        base = show(row.metric, self.reference.value) if self.reference else "–"
        when = f" {self._when(dated)}" if dated is not None and len(self.known) > 1 else ""
        name = "" if self._subject() == self.name else f"{inside(self.name)} "
        return f"{name}{self._value(row)}{when} against {base} in the reference"

    def _value(self, row: MetricRow) -> str:
        limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
        return f"{show(row.metric, row.value)} ({limits})"

    def _late(self) -> str:
        late = sum(row.status == "immature" for row in self.rows)
        return f" Labels of {plural(late, 'window')} are still arriving." if late else ""


def _unknown(rows: Sequence[MetricRow], zone: ZoneInfo) -> str:
    total, labelled = sum(row.n for row in rows), sum(row.n_labelled for row in rows)
    if total == 0:
        return "No predictions in this window."
    if labelled == 0:
        return (
            f"No labels yet for the {plural(total, 'prediction')} of this window: quality cannot be judged."
        )
    early = [row for row in rows if row.status == "immature" and row.value is not None]
    if early:
        newest = early[-1]
        sofar = f"{inside(title(newest.metric))} {show(newest.metric, newest.value)} so far"
        when = in_window(newest.window_start, newest.window_end, zone)
        return (
            f"Too early to judge quality {when}: labels are still arriving "
            f"({count(newest.n_labelled)} of {count(newest.n)}), {sofar}."
        )
    if any(row.status == "too_few" for row in rows):
        return f"Too few labelled rows to judge quality: {count(labelled)} of {plural(total, 'prediction')}."
    why = next((row.reason for row in rows if row.reason), None)
    return f"{title(rows[0].metric)} is not defined here{': ' + why if why else ''}."


def _bare(when: str) -> str:
    for word in ("in the ", "in ", "on ", "from "):
        if when.startswith(word):
            rest = when.removeprefix(word)
            return f"the {rest}" if word == "in the " else rest.split(" to ")[0] if word == "from " else rest
    return when
