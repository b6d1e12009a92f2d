"""First lines of the sections Since when, and Releases and age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from analytics.directions import DIRECTIONS
from app.formats import day, interval, listed, local, number, percent, plural
from app.glossary import inside, show, title, unit
from app.headlines.verdict import State, Verdict

_FIRST = ("roc_auc", "log_loss", "mean_absolute_error", "accuracy")
_CHANGED = ("sudden", "gradual", "changed")
_NAMES = 4


def changes_verdict(rows: Sequence[ChangeRow], *, zone: ZoneInfo) -> Verdict:
    """Since when the model is worse, else which fields changed; slow decay and its floor in their own words."""
    judged = [row for row in rows if row.kind is not None]
    if not judged:
        reason = next((row.reason for row in rows if row.reason), None)
        text = "Since when things are as they are cannot be told"
        return Verdict(
            "unknown", f"{text}: {reason}." if reason else f"{text}: there are no days to look at."
        )
    worse = sorted((row for row in judged if row.worse), key=_rank)
    better = sorted((row for row in judged if row.worse is False and row.kind in _CHANGED), key=_rank)
    fields = [row for row in judged if row.role != "metric"]
    moved = [row for row in fields if row.kind in _CHANGED and not row.tolerated]
    also = _fields(moved, len(fields), zone)
    if worse:
        first = worse[0]
        others = f" (and {plural(len(worse) - 1, 'other metric')} worse)" if worse[1:] else ""
        return Verdict("worse", f"{_metric(first, zone)}{others}.{also}{_floor(judged, first, zone)}")
    if better:
        return Verdict("better", f"{_metric(better[0], zone)}.{also}{_floor(judged, None, zone)}")
    metrics = sum(row.role == "metric" for row in judged)
    said = f"None of {plural(metrics, 'metric')} changed beyond chance." if metrics else ""
    state: State = "changed" if moved else "same"
    return Verdict(state, f"{said}{also}{_floor(judged, None, zone)}".strip())


def _rank(row: ChangeRow) -> tuple[bool, int, float]:
    place = _FIRST.index(row.field) if row.field in _FIRST else len(_FIRST)
    return row.floor is None, place, row.p_adjusted or 0.0


def _metric(row: ChangeRow, zone: ZoneInfo) -> str:
    name = title(row.field)
    if row.kind == "gradual":
        return f"{name} {_trend(row)}"
    values = f"{show(row.field, row.before)} before, {show(row.field, row.after)} since"
    return f"{name} changed about {when(row, zone)}: {values}"


def _trend(row: ChangeRow) -> str:
    slope, share = row.trend_per_month or 0.0, unit(row.field) == "share"
    size, ends = (
        _size(abs(slope), share=share),
        sorted(abs(v) for v in (row.trend_low, row.trend_high) if v is not None),
    )
    crosses = row.trend_low is not None and row.trend_high is not None and row.trend_low < 0 < row.trend_high
    about = "" if crosses or len(ends) < 2 else f" ({interval(ends[0], ends[1], share=share)})"
    return f"{_moves(row.field, slope)} {size} a month{about}"


def _moves(field: str, slope: float) -> str:
    """What should be high loses and gains; anything else falls and rises: lower may be better."""
    if DIRECTIONS.get(field) == "higher":
        return "loses" if slope < 0 else "gains"
    return "falls by" if slope < 0 else "rises by"


def _size(value: float, *, share: bool) -> str:
    return percent(value) if share else number(value)


def when(row: ChangeRow, zone: ZoneInfo) -> str:
    """The day of a change with its interval."""
    if row.change_at is None:
        return "no single day"
    low, high = _day(row.change_low, zone), _day(row.change_high, zone)
    return f"{_day(row.change_at, zone)} ({low} to {high})"


def _day(moment: datetime | None, zone: ZoneInfo) -> str:
    return "–" if moment is None else day(local(moment, zone))


def _fields(moved: Sequence[ChangeRow], fields: int, zone: ZoneInfo) -> str:
    if not fields:
        return ""
    if not moved:
        return f" None of {plural(fields, 'field')} changed."
    dated = sorted((r for r in moved if r.change_at is not None), key=lambda r: r.change_at or r.window_end)
    if not dated:
        names = listed([row.field for row in moved[:_NAMES]])
        return f" {len(moved)} of {plural(fields, 'field')} changed slowly: {names}."
    last = f", last {dated[-1].field} about {_day(dated[-1].change_at, zone)}" if dated[1:] else ""
    first = f"first {dated[0].field} about {_day(dated[0].change_at, zone)}"
    return f" {len(moved)} of {plural(fields, 'field')} changed: {first}{last}."


def _floor(rows: Sequence[ChangeRow], but: ChangeRow | None, zone: ZoneInfo) -> str:
    """When slow decay reaches the floor."""
    found = [row for row in rows if row.floor is not None and row.reaches_floor_at is not None]
    if not found:
        return ""
    row = found[0]
    end = f"not after {_day(row.reaches_floor_high, zone)}" if row.reaches_floor_high else "perhaps never"
    ends = f"not before {_day(row.reaches_floor_low, zone)}, {end}" if row.reaches_floor_low else end
    name = "It" if row is but else title(row.field)
    loses = "" if row is but and row.kind == "gradual" else f" {_trend(row)} and"
    past = row.reaches_floor_at is not None and row.reaches_floor_at <= row.window_end
    verb = "reached" if past else "reaches"
    return f" {name}{loses} {verb} {show(row.field, row.floor)} about {_day(row.reaches_floor_at, zone)} ({ends})."


def release_verdict(rows: Sequence[ReleaseRow], metric: str, *, zone: ZoneInfo) -> Verdict:
    """What to do about the newest release: the main metric speaks, metrics that say roll back are named."""
    judged = [row for row in rows if row.version_before is not None]
    if not judged:
        return Verdict("unknown", "There is no release to judge: none went live after another version.")
    newest = max(row.released_at for row in judged)
    mine = [row for row in judged if row.released_at == newest]
    row = next((row for row in mine if row.metric == metric), mine[0])
    since = f"{row.version}, live since {_day(row.released_at, zone)}"
    harmed = [title(r.metric) for r in mine if r.recommendation == "roll back" and r is not row]
    but = (
        f" But {listed(harmed[:_NAMES])} say roll back."
        if harmed and row.recommendation != "roll back"
        else ""
    )
    if row.recommendation is None or row.recommendation == "too early":
        return Verdict("unknown", f"Too early to judge {since}: {row.reason}.{but}")
    words: dict[str, tuple[State, str]] = {
        "keep": ("better" if _better(row) else "same", "Keep"),
        "watch": ("changed", "Watch"),
        "roll back": ("worse", "Roll back"),
    }
    state, call = words[row.recommendation]
    return Verdict("worse" if harmed else state, f"{call} {since}: {evidence_words(row)}{_wait(row)}.{but}")


def _better(row: ReleaseRow) -> bool:
    return bool(row.reason and row.reason.startswith("better"))


def evidence_words(row: ReleaseRow) -> str:
    """The difference that a recommendation stands on."""
    paired = row.evidence == "paired"
    value = row.paired_difference if paired else (
        row.same_weekday_difference if row.same_weekday_difference is not None else row.difference
    )  # fmt: skip
    share = unit(row.metric) == "share"
    ends = interval(row.evidence_low, row.evidence_high, share=share)
    less = "less" if (value or 0.0) < 0 else "more"
    how = (
        f"on the same days as {row.version_before} in shadow"
        if paired
        else f"than {row.version_before} before it, weekday by weekday"
    )
    return f"{inside(title(row.metric))} is {_size(abs(value or 0.0), share=share)} {less} {how} ({ends})"


def _wait(row: ReleaseRow) -> str:
    if row.recommendation != "watch":
        return ""
    if row.days_needed is None:
        return "; a year of days would not tell"
    return f"; about {plural(row.days_needed, 'day')} after the release would tell"


def ageing_sentence(rows: Sequence[AgeingRow], version: str | None) -> str:
    """How the version ages, and when to retrain it."""
    mine = [row for row in rows if row.version == version]
    slope = next((row for row in mine if row.part == "slope"), None)
    retrain = next((row for row in mine if row.part == "retrain"), None)
    told = _retrain(retrain)
    if retrain is not None and retrain.value is None:
        # what older versions have lived through says more than what this one has not
        older = next((row for row in rows if row.part == "retrain" and row.value is not None), None)
        told = f"{told} {_beaten(older)}" if older is not None else told
    return " ".join(part for part in (_slope(slope), told) if part)


def _beaten(row: AgeingRow) -> str:
    ends = (
        f"{number(row.ci_low)} to {number(row.ci_high)}"
        if row.ci_high is not None
        else f"from {number(row.ci_low)}"
    )
    if row.compared_with is None:
        return f"{row.version} meets the floor at an age of about {number(row.value)} days ({ends})."
    return f"{row.version} was beaten by {row.compared_with} on the same days, beyond chance, at an age of {ends} days."


def _slope(row: AgeingRow | None) -> str:
    if row is None:
        return ""
    if row.value is None or row.ci_low is None or row.ci_high is None:
        return f"How {row.version or 'the model'} ages cannot be told: {row.reason}."
    share = unit(row.metric) == "share"
    name = title(row.metric)
    if row.ci_low <= 0 <= row.ci_high:
        return f"{name} shows no trend with age ({interval(row.ci_low, row.ci_high, share=share)} a month)."
    verb = _moves(row.metric, row.value)
    ends = sorted(abs(v) for v in (row.ci_low, row.ci_high))
    size = _size(abs(row.value), share=share)
    return f"{name} {verb} {size} a month of age ({interval(*ends, share=share)}); the season is in it."


def _retrain(row: AgeingRow | None) -> str:
    if row is None:
        return ""
    if row.value is None:
        return f"How often to retrain: {row.reason}."
    low = number(row.ci_low)
    ends = (
        f"{low} to {number(row.ci_high)} days"
        if row.ci_high is not None
        else f"not before {low}, perhaps never"
    )
    return f"Retrain by an age of about {number(row.value)} days ({ends}): {row.reason}."
