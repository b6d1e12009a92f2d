"""The sentence of What changed: how much, since when, mix or model, where, and what happened just before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.ask.explain_onset import When
from analytics.directions import DIRECTIONS, worse_by
from analytics.explain.rows import ExplainRow
from app.formats import day, interval, local, number, percent, stretch
from app.glossary import inside, show, title, unit
from app.headlines.verdict import State, Verdict

_FRACTIONS = (
    (0.25, "A quarter"),
    (1 / 3, "A third"),
    (0.5, "Half"),
    (2 / 3, "Two thirds"),
    (0.75, "Three quarters"),
)
_NEARLY = 0.04
_ALL = 0.95
_WORTH_NAMING = 0.2


def explain_verdict(rows: Sequence[ExplainRow], when: When | None, *, zone: ZoneInfo) -> Verdict:
    """One to four sentences; nothing is claimed that an interval does not bear out.

    Args:
        rows: of one version.
        when: its onset.
        zone: of the project.
    """
    whole = next((row for row in rows if row.part == "whole"), None)
    if whole is None:
        return Verdict("unknown", "There is nothing to compare.")
    name = title(whole.metric)
    if whole.total_effect is None or whole.ci_low is None or whole.ci_high is None:
        return Verdict("unknown", f"Whether {inside(name)} changed cannot be told: {whole.reason}.")
    late = " Labels still arrive, so this may change." if whole.status == "immature" else ""
    if whole.ci_low <= 0.0 <= whole.ci_high:
        return Verdict("same", f"{_unchanged(whole)}{_yet(rows, zone)}{late}")
    onset = _onset(rows, whole)
    everywhere = onset if onset is not None and onset.segment is None else None
    parts = [_change(whole, everywhere, zone), _shift(rows, whole), _where(rows), _inside(onset, zone)]
    parts.append(_near(onset, when))
    return Verdict(_state(whole), " ".join(part for part in parts if part) + late)


def _unchanged(whole: ExplainRow) -> str:
    share = unit(whole.metric) == "share"
    values = f"{show(whole.metric, whole.value_before)} before, {show(whole.metric, whole.value_after)} now"
    ends = interval(whole.ci_low, whole.ci_high, share=share)
    said = f"{title(whole.metric)} did not change beyond chance against {whole.compared_with}"
    return f"{said}: {values} (difference {ends})."


def _yet(rows: Sequence[ExplainRow], zone: ZoneInfo) -> str:
    """Parts that changed against each other."""
    first = next((row for row in rows if row.part == "slice" and row.rank == 1), None)
    if first is None:
        return ""
    values = f"{show(first.metric, first.value_before)} before, {show(first.metric, first.value_after)} now"
    onset = next((row for row in rows if row.part == "onset" and row.segment is not None), None)
    since = "" if onset is None or onset.since is None else f", since about {moment(onset.since, zone)}"
    return f" But not everywhere alike: {slice_words(first)} had {values}{since}."


def _change(whole: ExplainRow, onset: ExplainRow | None, zone: ZoneInfo) -> str:
    effect, low, high = whole.total_effect or 0.0, whole.ci_low or 0.0, whole.ci_high or 0.0
    share = unit(whole.metric) == "share"
    verb = "rose" if effect > 0 else "fell"
    ends = sorted((abs(low), abs(high)))
    size = (
        f"{_size(abs(effect), share=share)} ({_size(ends[0], share=share)} to {_size(ends[1], share=share)})"
    )
    values = f"from {show(whole.metric, whole.value_before)} to {show(whole.metric, whole.value_after)}"
    if onset is not None and onset.since is not None:
        since = f"since {moment(onset.since, zone)}"
        return f"{title(whole.metric)} {verb} by {size} {since}, {values} against {whole.compared_with}."
    return f"{title(whole.metric)} {verb} by {size} against {whole.compared_with}, {values}."


def _size(value: float, *, share: bool) -> str:
    return f"{percent(value).removesuffix('%')} pp" if share else number(value)


def _onset(rows: Sequence[ExplainRow], whole: ExplainRow) -> ExplainRow | None:
    """The moment, where what happened then goes the way of the whole change."""
    row = next((row for row in rows if row.part == "onset" and row.since is not None), None)
    if row is None or row.value_before is None or row.value_after is None:
        return None
    same_way = (row.value_after - row.value_before) * (whole.total_effect or 0.0) > 0
    return row if same_way else None


def _shift(rows: Sequence[ExplainRow], whole: ExplainRow) -> str:
    """Mix or model, as far as either is beyond chance."""
    parts = {row.segment: row for row in rows if row.part == "shift"}
    mix, model = parts.get("covariate"), parts.get("concept")
    if mix is None or model is None or mix.share_of_change is None or model.share_of_change is None:
        return ""
    told = _model_words(whole)
    if not _beyond(model) and not _beyond(mix):
        return "Whether the mix or the model did it cannot be told apart beyond chance."
    share = model.share_of_change
    if share >= 1.0:
        against = " and more: the mix alone would have moved it the other way" if _beyond(mix) else ""
        return f"All of it is {told}{against}."
    if share <= 0.0:
        return "All of it is a different mix of inputs."
    return f"{percent(round(share, 2))} is {told}, {percent(round(1 - share, 2))} a different mix of inputs."


def _model_words(whole: ExplainRow) -> str:
    worse = _worse(whole)
    if whole.metric in {"mean_score", "mean_prediction", "decision_rate", "mean_top_score"}:
        return "the model answering differently at the same inputs"
    if whole.metric in {"prevalence", "mean_label"}:
        return "other labels at the same inputs"
    if whole.metric in {"mean_latency", "error_rate", "label_coverage"}:
        return "a change at the same inputs"
    return "the model changing at the same inputs" if worse is None else (
        "the model getting worse at the same inputs" if worse else "the model getting better at the same inputs"
    )  # fmt: skip


def _beyond(row: ExplainRow) -> bool:
    return row.ci_low is not None and row.ci_high is not None and not row.ci_low <= 0.0 <= row.ci_high


def _where(rows: Sequence[ExplainRow]) -> str:
    slices = [row for row in rows if row.part == "slice" and row.rank is not None]
    if not any(row.part in {"segment", "feature"} for row in rows):
        return ""
    if not slices:
        return "No segment stands out: it is spread over all."
    first = slices[0]
    share = first.share_of_change
    if share is None or share < _WORTH_NAMING or not _beyond(first):
        return ""
    return f"{fraction(share)} {'comes' if _one(share) else 'come'} from {slice_words(first)}."


def fraction(share: float) -> str:
    """A share of a change in words.

    >>> fraction(0.66), fraction(0.98), fraction(1.3), fraction(0.42)
    ('Two thirds', 'Nearly all of it', 'All of it', '42%')
    """
    if share > 1.0:
        return "All of it"
    if share >= _ALL:
        return "Nearly all of it"
    known = next((word for value, word in _FRACTIONS if abs(share - value) <= _NEARLY), None)
    return known or percent(round(share, 2))


def _one(share: float) -> bool:
    return fraction(share) not in {"Two thirds", "Three quarters"}


def slice_words(row: ExplainRow) -> str:
    """A slice as a sentence says it: "temp 27 or more", "carrier UA with origin JFK"."""
    if row.segment is None:
        return str(row.segment_value)
    names, values = row.segment.split(" × "), str(row.segment_value).split(" × ")
    if len(names) != len(values):
        return f"{row.segment} {row.segment_value}"
    return " with ".join(f"{name} {stretch(value)}" for name, value in zip(names, values, strict=True))


def _inside(onset: ExplainRow | None, zone: ZoneInfo) -> str:
    """When it began in the slice that adds most, where all rows tell no moment."""
    if onset is None or onset.segment is None or onset.since is None:
        return ""
    return f"There it began about {moment(onset.since, zone)}."


def _near(onset: ExplainRow | None, when: When | None) -> str:
    """What happened just before: a hint, not a proof."""
    if onset is None or onset.since is None or when is None or when.near is None:
        return ""
    mark = when.near
    what = {
        "release": f"release {mark.name}",
        "chaos": f'the declared fault "{mark.name}"',
        "outage": "labels stopped",
    }
    gap = onset.since - mark.start
    if abs(gap) < timedelta(minutes=30):
        return f"It began with {what[mark.kind]}."
    if gap > timedelta():
        return f"It began {span(gap)} after {what[mark.kind]}."
    return f"It began about the time of {what[mark.kind]}."


def span(gap: timedelta) -> str:
    """A length of time: minutes, hours or days.

    >>> span(timedelta(hours=3)), span(timedelta(minutes=45)), span(timedelta(days=3))
    ('3 h', '45 min', '3 days')
    """
    hours = gap.total_seconds() / 3600
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{round(hours)} h" if hours < 48 else f"{round(hours / 24)} days"


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """An instant in a sentence: its day, and its time where that is not midnight."""
    shown = local(instant, zone)
    time = "" if (shown.hour, shown.minute) == (0, 0) else f" {shown:%H:%M}"
    return f"{day(shown)}{time}"


def _worse(whole: ExplainRow) -> bool | None:
    if whole.metric not in DIRECTIONS or whole.value_after is None or whole.value_before is None:
        return None
    worse = worse_by(whole.metric, whole.value_after, whole.value_before)
    return None if worse is None else worse > 0


def _state(whole: ExplainRow) -> State:
    worse = _worse(whole)
    return "changed" if worse is None else "worse" if worse else "better"
