"""Effects by segment in a sentence, with how many false ones chance alone would show."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.experiments.words import listed, number, p_value, percent, plural, signed
from analytics.project import SHARES

_TOLD = 3


def segments_sentence(rows: Sequence[SegmentEffectRow]) -> str:
    """What the effects of one metric by segment come to, and how much was looked at."""
    return " ".join(part for part in (finding(rows), looked_at(rows)) if part)


def finding(rows: Sequence[SegmentEffectRow]) -> str:
    """What the effects of one metric by segment come to."""
    if not rows:
        return "No segment is declared, so effects cannot be told apart by one."
    tested = [row for row in rows if row.different_p_value is not None]
    if tested:
        return _finding(tested)
    reason = next((row.reason for row in rows if row.reason), "each segment has one value only")
    return f"No effects by segment can be compared: {reason}."


def looked_at(rows: Sequence[SegmentEffectRow]) -> str:
    """How many values were looked at, how many would look different by chance, and how many do.

    Of a segment with two values one comparison is counted.
    """
    tested = [row for row in rows if row.different_p_value is not None]
    if not tested:
        return ""
    alpha = 1.0 - tested[0].confidence
    groups: dict[tuple[str, str], list[SegmentEffectRow]] = {}
    for row in tested:
        groups.setdefault((row.variant, row.segment), []).append(row)
    asked = [row for mine in groups.values() for row in (mine if len(mine) > 2 else mine[:1])]
    chance = len(asked) * alpha
    look = sum((row.different_p_value or 0.0) < alpha for row in asked)
    stay = sum((row.different_p_adjusted or 0.0) < alpha for row in asked)
    segments = plural(len({row.segment for row in tested}), "segment")
    return (
        f"Looked at {plural(len(tested), 'value')} of {segments}: were the effect the same everywhere, "
        f"{chance:.2g} would look different by chance (p below {alpha:g}); {look or 'none'} "
        f"{'do' if look > 1 else 'does'}, and {stay or 'none'} after correction."
    )


def _finding(tested: Sequence[SegmentEffectRow]) -> str:
    alpha = 1.0 - tested[0].confidence
    found: dict[tuple[str, str], float] = {}
    for row in tested:
        if row.segment_p_adjusted is not None and row.segment_p_adjusted < alpha:
            found[row.variant, row.segment] = row.segment_p_adjusted
    several = len({row.variant for row in tested}) > 1
    metric = tested[0].metric
    if not found:
        single = [row for row in tested if row.differs]
        if single:
            named = listed([_named(row) for row in single[:_TOLD]])
            return f"{metric}: the effect among {named} differs from elsewhere."
        return f"{metric}: no segment shows an effect that differs from the others'."
    parts = []
    for (variant, segment), p in sorted(found.items(), key=lambda item: item[1])[:_TOLD]:
        mine = [row for row in tested if (row.variant, row.segment) == (variant, segment)]
        ordered = sorted(mine, key=lambda row: row.shrunken or 0.0)
        ends = [_effect(ordered[-1]), _effect(ordered[0])]
        arm = f" of {variant}" if several else ""
        parts.append(
            f"the effect{arm} differs by {segment} ({p_value(p)} after correction): {' to '.join(ends)}"
        )
    return f"{metric}: {'; '.join(parts)}."


def _named(row: SegmentEffectRow) -> str:
    return f"{row.segment} = {row.segment_value} ({_shown(row, row.shrunken)})"


def _effect(row: SegmentEffectRow) -> str:
    return f"{_shown(row, row.shrunken)} in {row.segment_value}"


def _shown(row: SegmentEffectRow, value: float | None) -> str:
    if value is None:
        return "–"
    if row.kind in SHARES:
        return f"{signed(percent(value)).removesuffix('%')} pp"
    return signed(number(value))
