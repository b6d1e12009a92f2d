"""A cause as a row: the sentence a person would say, what to do, and where to look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np

from analytics.aggregates.cause_cells import CauseCells
from analytics.explain.causes import Signal, flipped
from analytics.explain.rows import Action, CauseKind, CauseRow
from analytics.explain.signals import EXACT, Measured
from analytics.scope import MISSING, Scope, format_instant

ACTIONS: dict[CauseKind, Action] = {
    "labels": "relabel", "label_delay": "wait", "feature": "fix_upstream", "score": "roll_back",
    "decision": "roll_back", "latency": "fix_upstream", "errors": "fix_upstream", "traffic": "fix_upstream",
    "version": "roll_back", "burst": "fix_upstream", "mix": "look", "concept": "retrain", "release": "roll_back",
}  # fmt: skip
AFTER_RELEASE = timedelta(hours=36)
SHOWN_NAMES = 3
STOPPED = 0.02
"""Fewer labels than this share of what came before, at every wait, have stopped."""


@dataclass(frozen=True)
class Released:
    """A release as the sentence names it."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Said:
    """Numbers of a sentence, in its own unit."""

    text: str
    before: float
    after: float
    effect: float
    low: float
    high: float


def cause_row(  # noqa: PLR0917  # what a row is made of
    rank: int,
    root: Signal,
    cells: CauseCells,
    measures: Sequence[Measured],
    scope: Scope,
    since: datetime | None,
    zone: ZoneInfo,
    releases: Sequence[Released] = (),
) -> CauseRow:
    """The row of one root."""
    said = _said(root, measures)
    release = _release(root, since, releases)
    kind: CauseKind = "release" if release is not None else root.kind
    name = release.name if release is not None else root.measure.name
    sentence = said.text + _when(since, release, zone) + _in_versions(root, cells)
    measure = root.measure
    return CauseRow(
        rank=rank,
        kind=kind,
        name=name,
        segment=root.group.segment,
        segment_value=root.group.value,
        sentence=_started(sentence, root) + ".",
        action=ACTIONS[kind],
        value_before=said.before,
        value_after=said.after,
        effect=said.effect,
        ci_low=said.low,
        ci_high=said.high,
        p_adjusted=min(max(root.p_adjusted, 0.0), 1.0),
        n_before=round(float(measure.n_before[0, root.place])),
        n_after=round(float(measure.n_after[0, root.place])),
        since=since,
        consequences=_names(root),
        evidence=evidence_words(root, cells, scope, zone),
    )


def _started(sentence: str, root: Signal) -> str:
    """A capital to begin with, but not of a field's name."""
    name = root.measure.name
    return sentence if name and sentence.startswith(name) else sentence[:1].upper() + sentence[1:]


def _names(root: Signal) -> tuple[str, ...]:
    of = {
        "concept": "quality", "labels": "labels", "label_delay": "how soon labels come", "traffic": "traffic",
        "mix": "mix", "latency": "latency", "errors": "errors", "burst": "copies", "version": "version",
    }  # fmt: skip
    names = [signal.measure.name or of.get(signal.kind, signal.kind) for signal in root.consequences]
    return tuple(dict.fromkeys([*root.together, *names]))


def _release(root: Signal, since: datetime | None, releases: Sequence[Released]) -> Released | None:
    """The release just before, of what a release can change."""
    if since is None or root.kind not in {"score", "decision", "concept"}:
        return None
    near = [r for r in releases if timedelta(hours=-1) <= since - r.at <= AFTER_RELEASE]
    of_version = [r for r in near if root.group.version in {None, r.name}]
    return max(of_version, key=lambda r: r.at) if of_version else None


def _when(since: datetime | None, release: Released | None, zone: ZoneInfo) -> str:
    if since is None:
        return ""
    local = since.astimezone(zone)
    clock = f" {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""
    after = "" if release is None else f", right after release {release.name}"
    return f", since {local.day} {local:%b}{clock}{after}"


def _in_versions(root: Signal, cells: CauseCells) -> str:
    known = [group.version for group in cells.groups if group.segment is None]
    if (
        len(known) < 2
        or len(root.same) != 1
        or root.same[0] is None
        or root.kind not in {"score", "decision", "version", "concept"}
    ):
        return ""
    return f" (version {root.same[0]})"


def _of(root: Signal) -> str:
    return "" if root.group.segment is None else f" where {root.group.segment} is {root.group.value}"


def _said(root: Signal, measures: Sequence[Measured]) -> Said:
    half = _half(root)
    before, after = root.before, root.after
    plain = Said("", before, after, after - before, after - before - half, after - before + half)
    if root.other is not None:
        return _told(
            replace(plain, text=f"{root.measure.name} and {root.other} have changed places{_of(root)}"), root
        )
    return _SENTENCES[root.measure.statistic](root, plain, measures)


def _half(root: Signal) -> float:
    low, high = root.measure.judged.interval()
    return float((high - low)[0, root.place] / 2)


def percent(share: float) -> str:
    """A share as a person says it.

    >>> percent(0.481), percent(0.0032), percent(0.0), percent(1.0)
    ('48 %', '0.3 %', '0 %', '100 %')
    """
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or value < 0.05 else f"{value:.1f} %"


def _missing(root: Signal, said: Said, _: Any) -> Said:
    return replace(
        said,
        text=f"{_names_of(root)} missing in {percent(said.after)} of rows{_of(root)}, {percent(said.before)} before",
    )


def _names_of(root: Signal) -> str:
    """One field is, several are."""
    names = [str(root.measure.name), *root.together]
    if len(names) == 1:
        return f"{names[0]} is"
    shown = names[:SHOWN_NAMES]
    rest = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    listed = ", ".join(shown) + rest if rest else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"{listed} are"


def _new(root: Signal, said: Said, _: Any) -> Said:
    text = f"{percent(said.after)} of the values of {root.measure.name}{_of(root)} are unlike any before"
    return _told(replace(said, text=text), root) if root.measure.told else replace(said, text=text)


def _repeat(root: Signal, said: Said, _: Any) -> Said:
    thing = "the score is" if root.kind == "score" else _names_of(root)
    text = f"{thing} stuck: {percent(said.after)} of rows{_of(root)} repeat the value before"
    return replace(said, text=f"{text}, {percent(said.before)} did")


def _relation(root: Signal, said: Said, _: Any) -> Said:
    way = "high" if said.effect > 0 else "low"
    text = f"{root.measure.name} no longer fits the other features{_of(root)}"
    text += f": {abs(said.effect):.2g} standard deviations too {way}"
    return replace(said, text=text)


def _level(root: Signal, said: Said, _: Any) -> Said:
    thing = "the score" if root.kind == "score" else root.measure.name
    return _told(
        replace(said, text=f"{thing} is {'higher' if said.effect > 0 else 'lower'}{_of(root)}"), root
    )


def _told(said: Said, root: Signal) -> Said:
    """With the means in the field's own unit."""
    told = root.measure.told
    if told is None:
        return said
    before, after = (float(part[0, root.place]) for part in told)
    if not (math.isfinite(before) and math.isfinite(after)):
        return said
    return replace(said, text=f"{said.text}: mean {after:.4g}, {before:.4g} before")


def _shape(root: Signal, said: Said, _: Any) -> Said:
    thing = {"score": "scores", "decision": "decisions"}.get(root.kind, f"values of {root.measure.name}")
    text = f"the {thing} are distributed differently{_of(root)}: {percent(said.after)} of rows lie elsewhere"
    text += f", usually {percent(said.before)}"
    return replace(said, text=text)


def _unexplained(root: Signal, said: Said, _: Any) -> Said:
    way = "higher" if said.effect > 0 else "lower"
    if root.kind == "decision":
        text = f"the same scores are decided differently{_of(root)}: by {percent(abs(said.effect))} of rows"
    else:
        text = f"scores are {way} than the features let expect{_of(root)}"
        text += f", by {abs(said.effect):.2g} standard deviations"
    return replace(said, text=text)


def _flips(root: Signal, said: Said, measures: Sequence[Measured]) -> Said:
    share = flipped(measures, root.place)
    if root.kind == "labels" and share is not None:
        middle, low, high = share
        text = f"about {percent(middle)} of the labels say the opposite{_of(root)}"
        return Said(text, 0.0, middle, middle, low, high)
    text = f"labels go less with the scores than before{_of(root)}"
    text += f": the slope is {said.after:.2g}, {said.before:.2g} before"
    return replace(said, text=text)


def _quality(root: Signal, said: Said, measures: Sequence[Measured]) -> Said:
    if root.kind == "labels":
        return _flips(root, said, measures)
    what = {
        "wrong": f"{percent(said.after)} of decisions are wrong{_of(root)}, {percent(said.before)} before",
        "loss": f"the loss is {said.after:.3g}{_of(root)}, {said.before:.3g} before",
        "prevalence": f"the mean label is {said.after:.3g}{_of(root)}, {said.before:.3g} before",
        "residual": f"labels lie {abs(said.after):.3g} {'above' if said.after > 0 else 'below'} the scores{_of(root)}, "
        f"{abs(said.before):.3g} {'above' if said.before > 0 else 'below'} before",
        "kinship": f"labels of one unit go less with each other{_of(root)} "
        f"({said.after:.2g}, {said.before:.2g} before)",
    }.get(root.measure.statistic, f"labels go less with the scores{_of(root)}")
    return replace(said, text=f"{what}, at features that did not change")


def _within(root: Signal, said: Said, measures: Sequence[Measured]) -> Said:
    waits = [m for m in measures if m.statistic == "within" and m.able[0, root.place]]
    stopped = all(
        float(m.after[0, root.place]) < STOPPED * max(float(m.before[0, root.place]), 1e-9)
        for m in waits if float(m.before[0, root.place]) > 0.1
    )  # fmt: skip
    wait = int(root.measure.part or 0)
    shown = f"{wait // 86_400} days" if wait > 86_400 else "a day" if wait == 86_400 else f"{wait // 3600} h"
    longest = waits and max(int(m.part or 0) for m in waits) == wait
    verb = (
        "no label comes any more"
        if stopped and longest
        else "labels come later"
        if said.effect < 0
        else "labels come sooner"
    )
    return replace(
        said,
        text=f"{verb}{_of(root)}: {percent(said.after)} of rows have one within {shown}, {percent(said.before)} did",
    )


def _latency(root: Signal, said: Said, _: Any) -> Said:
    times, low, high = (float(np.exp(value)) for value in (said.effect, said.low, said.high))
    text = f"answers take {times:.2g} times as long{_of(root)}"
    return Said(text, float(np.exp(said.before)), float(np.exp(said.after)), times, low, high)


def _failed(root: Signal, said: Said, _: Any) -> Said:
    return replace(
        said, text=f"{percent(said.after)} of requests fail{_of(root)}, {percent(said.before)} before"
    )


def _volume(root: Signal, said: Said, _: Any) -> Said:
    times = max(said.after, 1e-9) / max(said.before, 1e-9)
    half = _half(root)
    low, high = times * math.exp(-half), times * math.exp(min(half, 50.0))
    text = f"{said.after:,.0f} requests a day{_of(root)} where {said.before:,.0f} were to be expected"
    if root.kind == "mix":
        text = f"the mix changed: {text}, and the total stayed"
    return Said(text, said.before, said.after, times, low, high)


def _again(root: Signal, said: Said, _: Any) -> Said:
    text = f"requests come twice: {percent(said.after)} of them{_of(root)} have a twin on the same day"
    text += f", {percent(said.before)} before"
    return replace(said, text=text)


def _copied(_: Signal, said: Said, __: Any) -> Said:
    text = f"a burst of near-identical requests: {percent(said.after)} are copies of a few"
    text += f", {percent(said.before)} before"
    return replace(said, text=text)


def _echoed(root: Signal, said: Said, _: Any) -> Said:
    text = f"{percent(said.after)} of the scores under the name {root.group.version} are those of another version"
    text += f", {percent(said.before)} before"
    return replace(said, text=text)


_SENTENCES: dict[str, Callable[[Signal, Said, Sequence[Measured]], Said]] = {
    "missing": _missing, "new": _new, "repeat": _repeat, "relation": _relation, "level": _level, "shape": _shape,
    "unexplained": _unexplained, "flips": _flips, "separation": _quality, "kinship": _quality, "prevalence": _quality,
    "residual": _quality, "loss": _quality, "wrong": _quality, "within": _within, "latency": _latency,
    "failed": _failed, "volume": _volume, "again": _again, "copied": _copied, "echoed": _echoed,
}  # fmt: skip


def evidence_words(root: Signal, cells: CauseCells, scope: Scope, zone: ZoneInfo) -> str:
    """Words of a link that shows the rows: the window, the segment, and where they can be told the rows at fault."""
    where = [*(condition.text for condition in scope.filters), *filters_of(root, cells)]
    words: dict[str, Any] = {
        "range": "custom",
        "start": None if scope.start is None else format_instant(scope.start, zone),
        "end": None if scope.end is None else format_instant(scope.end, zone),
        "as_of": None if scope.as_of is None else format_instant(scope.as_of, zone),
        "version": [name for name in root.same if name is not None] if len(root.same) == 1 else [],
        "where": where,
        "feature": root.measure.name if root.kind == "feature" else None,
    }
    return urlencode({word: value for word, value in words.items() if value}, doseq=True)


def filters_of(root: Signal, cells: CauseCells) -> list[str]:
    """Filters that the rows of a cause pass: its segment, and what single rows of it show."""
    place = [] if root.group.segment is None else [f"{root.group.segment}={root.group.value}"]
    return [*place, *rows_at_fault(root, cells)]


def rows_at_fault(root: Signal, cells: CauseCells) -> list[str]:
    """The filter that single rows of this cause pass, where one filter can say it."""
    name, statistic = root.measure.name, root.measure.statistic
    if root.kind != "feature":
        return ["outcome=wrong"] if statistic == "wrong" else []
    if statistic == "missing":
        return [f"{name}={MISSING}"]
    item = next((bins for bins, _ in cells.bins if bins.field.name == name), None)
    if (
        statistic == "new"
        and root.measure.part != EXACT
        and item is not None
        and item.is_numeric
        and root.measure.told is not None
    ):
        rises = float((root.measure.told[1] - root.measure.told[0])[0, root.place]) > 0
        return [f"{name}=({item.high!r}, inf)" if rises else f"{name}=(-inf, {item.low!r})"]
    return []
