"""Slices worth believing: found on one part of the rows, confirmed on another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.moments import RowMoments
from analytics.aggregates.slice_codes import Among, SliceCodes
from analytics.aggregates.slice_fields import SliceField
from analytics.ask.slice_reading import (
    Reading,
    everyone,
    metric_of,
    read_for_slices,
    share_of_loss,
    sides,
)
from analytics.ask.windows import versions_of
from analytics.directions import worse_by
from analytics.errors import ScopeError
from analytics.measures.estimate import LEAST_ROWS
from analytics.results import Results, Status
from analytics.scope import MISSING, Interval, Scope, is_interval
from analytics.segments.compare import ALARM, Difference, corrected, difference, impact
from analytics.segments.rows import SegmentRow
from analytics.slices.rows import SliceRow
from analytics.stats.blocks import MINIMUM_CLUSTERS
from analytics.stats.slice_search import DEPTH, Condition, Rows, Search, search
from analytics.telemetry.catalog import Catalog

Mask = NDArray[np.bool_]
SUPPORT = 0.01
LEAST_SUPPORT = 0.005
"""Smaller slices would be too many to count, and too small to matter."""
LEAST = 30
"""Rows a slice must have where it is looked for, whatever its share."""
MOST = 10
MOST_TESTED = 20
_FIELDS = (10_000, 60, 24)


def slices_of(
    catalog: Catalog,
    scope: Scope,
    metric: str | None = None,
    *,
    depth: int = DEPTH,
    support: float = SUPPORT,
    k: int = MOST,
) -> Results[SliceRow]:
    """Search every conjunction of up to ``depth`` conditions for a worse metric, and confirm the best on other rows.

    Args:
        catalog: the project's views.
        scope: the question; each version is searched by itself, over the whole stretch.
        metric: a mean of one number a row; the loss of the task where left out.
        depth: conditions of a slice at most: 1, 2 or 3.
        support: smallest share of the rows a slice may have.
        k: slices wanted of each version; twice as many are tested.

    Raises:
        ScopeError: the metric is no mean of rows, or an argument is out of its range.
    """
    _check(depth, support, k)
    metric = metric_of(catalog, metric)
    rows: list[SliceRow] = []
    notes: list[str] = []
    texts: list[str] = []
    for version in versions_of(catalog, scope):
        reading = read_for_slices(catalog, scope, version, metric)
        if reading is None:
            return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
        texts += [text for text in reading.codes.sql if text not in texts]
        found, said = slices_in(reading, depth=depth, support=support, k=k)
        rows += found
        notes += [f"{version}: {note}" if version is not None else note for note in said]
    return Results(tuple(rows), catalog.project.zone, tuple(texts), tuple(notes))


def _check(depth: int, support: float, k: int) -> None:
    if depth not in {1, 2, 3}:
        raise ScopeError(f"depth {depth} is not 1, 2 or 3: slices of more conditions are too many to believe")
    if not LEAST_SUPPORT <= support <= 0.5:
        raise ScopeError(f"support {support:g} is not between {LEAST_SUPPORT:g} and 0.5")
    if not 1 <= k <= 100:
        raise ScopeError(f"k {k} is not between 1 and 100")


def slices_in(
    reading: Reading, *, depth: int = DEPTH, support: float = SUPPORT, k: int = MOST
) -> tuple[list[SliceRow], list[str]]:
    """Slices of encoded rows, and notes on how they were found."""
    looked, confirming = reading.part(1), reading.part(2)
    refusal = _refusal(reading, looked, confirming)
    if refusal is not None:
        return [_nothing(reading, *refusal)], []
    least = max(math.ceil(support * len(looked.value)), LEAST)
    found = search(
        Rows(looked.codes, reading.loss.sign * looked.value, looked.weight),
        least=least, depth=depth, most=max(2 * k, MOST_TESTED), most_fields=_FIELDS,
    )  # fmt: skip
    tested = _tested(reading, confirming, found)
    ranked = sorted(tested, key=lambda row: (not row.confirmed, -(row.impact or 0.0), row.where))
    confirmed = sum(row.confirmed is True for row in tested)
    shown = [replace(row, rank=place) for place, row in enumerate(ranked[: max(k, 1)], start=1)]
    return shown, _notes(reading, found, len(tested), confirmed, depth)


def _refusal(reading: Reading, looked: SliceCodes, confirming: SliceCodes) -> tuple[Status, str] | None:
    n = len(reading.codes.value)
    if n == 0:
        return "no_data", "no row in this window has the metric"
    if not reading.codes.fields:
        return "undefined", "there is nothing to slice by: no feature and no segment"
    if len(looked.value) < 2 * LEAST or len(confirming.value) < 2 * LEAST_ROWS:
        reason = (
            f"{n:,} rows, of which {len(looked.value):,} to look at and {len(confirming.value):,} to confirm on; at "
            f"least {2 * LEAST} and {2 * LEAST_ROWS} are needed"
        )
        return "too_few", reason
    if float(np.ptp(looked.value)) == 0.0:
        return "undefined", "the metric is the same in every row that was looked at"
    return None


def _notes(reading: Reading, found: Search, tested: int, confirmed: int, depth: int) -> list[str]:
    codes = reading.codes
    n, m = (int((codes.part == which).sum()) for which in (1, 2))
    said = (
        f"{found.counted:,} slices counted on {n:,} rows; the {tested} that stood out most were tested on {m:,} "
        f"other rows (halves of {codes.split}), {confirmed} confirmed after correction."
    )
    notes = [said]
    if len(codes.value) < codes.n:
        notes.append(f"{len(codes.value):,} of {codes.n:,} rows were drawn (seeded).")
    if depth > 1 and len(codes.fields) > _FIELDS[2]:
        most = [f"two conditions among {_FIELDS[1]}"] if len(codes.fields) > _FIELDS[1] else []
        most += [f"three among {_FIELDS[2]}"] if depth > 2 else []
        if most:
            notes.append(
                f"Of {len(codes.fields)} fields, {' and '.join(most)} whose single conditions tell most."
            )
    return notes


# --- confirming


def _tested(reading: Reading, codes: SliceCodes, found: Search) -> list[SliceRow]:
    """Every slice found, on rows that took no part in finding it."""
    whole = everyone(codes)
    told = np.zeros(len(codes.value), dtype=np.bool_)
    measured = []
    for one in found.found:
        rows = codes.holds(one.conditions)
        tests = _Tests(reading, whole, one.conditions, rows, told)
        measured.append(_measured(reading, codes, tests, one.score))
        p_value = measured[-1].segment.p_value
        if p_value is not None and p_value < ALARM:
            told |= rows
    judged = corrected([one.segment for one in measured], reading.scope.confidence)
    return [_row(one, segment) for one, segment in zip(measured, judged, strict=True)]


@dataclass(frozen=True)
class _Tests:
    """One slice and what it must be worse than."""

    reading: Reading
    whole: Among
    conditions: tuple[Condition, ...]
    rows: Mask
    told: Mask

    def others(self) -> list[tuple[str, Difference | None]]:
        """Against what is left of each parent and, without the rows of better slices, against all others."""
        found = []
        for fewer in (
            combinations(self.conditions, len(self.conditions) - 1) if len(self.conditions) > 1 else ()
        ):
            parent = self.whole.codes.holds(fewer)
            words = " and ".join(_condition_words(self.whole.codes.fields, one) for one in fewer)
            found.append((f"no worse than the rest of {words}", self._against(self.rows, parent)))
        if (self.rows & self.told).any():
            left = ~self.told
            found.append(
                ("nothing is left of it without better slices", self._against(self.rows & left, left))
            )
        return found

    def _against(self, rows: Mask, within: Mask) -> Difference | None:
        among = Among(self.whole.codes, within)
        return difference(sides(self.reading, rows, among).pair, self.reading.scope.confidence)


@dataclass(frozen=True)
class _Measured:
    """A slice with its numbers, before correction."""

    segment: SegmentRow
    row: SliceRow


def _measured(reading: Reading, codes: SliceCodes, tests: _Tests, score: float) -> _Measured:
    confidence = reading.scope.confidence
    found = sides(reading, tests.rows, tests.whole)
    inside, outside = found.pair.inside, found.pair.outside
    gap = difference(found.pair, confidence)
    low = high = independence = None
    if inside.value is not None:
        low, high, independence = inside.interval(confidence)
    everywhere = reading.codes.holds(tests.conditions)
    n = int(np.count_nonzero(everywhere))
    share = float(everywhere @ reading.codes.weight / reading.codes.total_weight)
    few = _few_days(reading, found.part)
    p_value, weak = _largest_p(reading, gap, tests) if gap is not None and few is None else (None, few)
    status, reason = inside.status, inside.reason or weak
    if gap is None and inside.value is not None:
        reason = f"the rest: {outside.reason}" if outside.value is None else "nothing varies"
    lost = share_of_loss(reading, tests.rows, tests.whole) if inside.value is not None else None
    lost_low, lost_high = lost.interval(confidence)[:2] if lost is not None else (None, None)
    words = tuple(codes.fields[field].word(code) for field, code in tests.conditions)
    metric, whole = (
        reading.loss.metric,
        tests.whole.moments.total("value") / tests.whole.moments.total("rows"),
    )
    segment = SegmentRow(
        window_start=reading.window.start, window_end=reading.window.end, version=reading.version, segment="slice",
        segment_value="", where=" and ".join(words), metric=metric, n=n, n_labelled=found.part.n, share=share,
        value=inside.value, ci_low=low, ci_high=high, value_elsewhere=outside.value,
        difference=gap.value if gap else None, difference_ci_low=gap.low if gap else None,
        difference_ci_high=gap.high if gap else None, p_value=p_value, p_adjusted=None, worse=None,
        impact=_impact(metric, inside.value, outside.value, share) if gap else None, status=status, reason=reason,
        value_whole=whole,
    )  # fmt: skip
    row = _empty_row(reading, status, reason)
    return _Measured(segment, replace(
        row, slice=slice_words(codes.fields, tests.conditions), where=words,
        sql=slice_sql(codes.fields, tests.conditions),
        n_conditions=len(words), n=n, share=share, n_confirming=found.part.n,
        share_of_loss=lost.value if lost is not None else None, share_of_loss_ci_low=lost_low,
        share_of_loss_ci_high=lost_high, independence=independence, score=score, value_whole=whole,
    ))  # fmt: skip


def _few_days(reading: Reading, part: RowMoments) -> str | None:
    """Why a slice cannot be told from the whims of the few days, or units, that it lies on."""
    days, split = len(part.blocks), reading.codes.split
    if not split.startswith(("rows", "units")) or " and " in split:
        kind = split.removeprefix("units and ")
        if days < MINIMUM_CLUSTERS:
            return f"its rows lie on {days} {kind}; at least {MINIMUM_CLUSTERS} are needed to tell it from their whims"
    units = int(part.n_units.max()) if part.n_units is not None else 0
    if split.startswith("units") and units < MINIMUM_CLUSTERS:
        return f"its rows are of {units} units; at least {MINIMUM_CLUSTERS} are needed to tell it from their ways"
    return None


def _largest_p(reading: Reading, gap: Difference, tests: _Tests) -> tuple[float, str | None]:
    """A slice must pass all its tests, so the largest p-value is one; and why it is no finding where another is larger.

    A difference in the good direction has no small p-value.
    """
    p_value, reason = _p_worse(reading, gap), None
    if p_value >= ALARM:
        # what fails one test fails; the others could only make it larger
        return p_value, None
    for words, other in tests.others():
        # nothing to compare with (too few rows) is no objection to the slice but none of its merits either
        p_other = 1.0 if other is None else _p_worse(reading, other)
        if p_other > p_value:
            p_value, reason = p_other, words if p_other >= ALARM else None
    return p_value, reason


def _p_worse(reading: Reading, gap: Difference) -> float:
    return gap.p_value if gap.value * reading.loss.sign > 0 else 1.0


def _impact(metric: str, value: float | None, elsewhere: float | None, share: float) -> float | None:
    return None if value is None or elsewhere is None else impact(metric, value, elsewhere, share)


def _row(measured: _Measured, judged: SegmentRow) -> SliceRow:
    confirmed = judged.worse
    reason = judged.reason
    if confirmed is False and reason is None:
        worse = worse_by(judged.metric, judged.value or 0.0, judged.value_elsewhere or 0.0)
        reason = "better than the rest here" if worse is not None and worse <= 0 else "may be luck"
    return replace(
        measured.row,
        value=judged.value, ci_low=judged.ci_low, ci_high=judged.ci_high, value_elsewhere=judged.value_elsewhere,
        difference=judged.difference, difference_ci_low=judged.difference_ci_low,
        difference_ci_high=judged.difference_ci_high, impact=judged.impact, p_value=judged.p_value,
        p_adjusted=judged.p_adjusted, confirmed=confirmed, value_whole=judged.value_whole,
        value_shrunken=judged.value_shrunken, shrunken_ci_low=judged.shrunken_ci_low,
        shrunken_ci_high=judged.shrunken_ci_high, status=judged.status, reason=None if confirmed else reason,
    )  # fmt: skip


def _nothing(reading: Reading, status: Status, reason: str) -> SliceRow:
    return _empty_row(reading, status, reason)


def _empty_row(reading: Reading, status: Status, reason: str | None) -> SliceRow:
    nothing = dict.fromkeys(
        (
            "share", "value", "ci_low", "ci_high", "value_elsewhere", "difference", "difference_ci_low",
            "difference_ci_high", "share_of_loss", "share_of_loss_ci_low", "share_of_loss_ci_high", "impact", "p_value",
            "p_adjusted", "value_whole", "value_shrunken", "shrunken_ci_low", "shrunken_ci_high", "score",
        )
    )  # fmt: skip
    return SliceRow(
        window_start=reading.window.start, window_end=reading.window.end, version=reading.version,
        metric=reading.loss.metric, rank=None, slice="", where=(), sql="", n_conditions=0, n=0, n_confirming=0,
        confirmed=None, independence=None, status=status, reason=reason, **nothing,
    )  # fmt: skip


# --- words


def slice_words(fields: Sequence[SliceField], conditions: Sequence[Condition]) -> str:
    """Conditions as a person says them."""
    return " and ".join(_condition_words(fields, one) for one in conditions)


def _condition_words(fields: Sequence[SliceField], condition: Condition) -> str:
    return condition_words(fields[condition.field], condition.code)


def condition_words(field: SliceField, code: int) -> str:
    """One condition as a person says it."""
    word = field.values[code - 1].word
    return f"{field.name} {stretch_words(word)}" if field.is_numeric else f"{field.name} {_value_words(word)}"


def _value_words(word: str) -> str:
    return "missing" if word == MISSING else f"= {word}"


def stretch_words(word: str) -> str:
    """A stretch of numbers in words, to four digits; the exact limits stand in the filter.

    >>> stretch_words("[10.35702, 20)"), stretch_words("(17, inf)"), stretch_words("(-inf, 5]"), stretch_words("[0, 0]")
    ('from 10.36 to under 20', 'above 17', 'up to 5', '= 0')
    """
    if not is_interval(word):
        return _value_words(word)
    stretch = Interval.parse(word)
    low, high = f"{stretch.low:.4g}", f"{stretch.high:.4g}"
    if stretch.low == stretch.high:
        return f"= {low}"
    if math.isinf(stretch.low) and math.isinf(stretch.high):
        return "not missing"
    if math.isinf(stretch.low):
        return f"{'up to' if stretch.high_closed else 'under'} {high}"
    if math.isinf(stretch.high):
        return f"{'from' if stretch.low_closed else 'above'} {low}{' on' if stretch.low_closed else ''}"
    return f"{'from' if stretch.low_closed else 'above'} {low} to {'' if stretch.high_closed else 'under '}{high}"


def slice_sql(fields: Sequence[SliceField], conditions: Sequence[Condition]) -> str:
    """Conditions as a WHERE clause over logged columns."""
    return " AND ".join(fields[one.field].values[one.code - 1].sql for one in conditions)
