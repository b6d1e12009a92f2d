"""What estimated quality is made of, by day: rows of a binary model by score bin, decision, label and its lateness.

Read from the rows, whether a label was known when its window was mature is one comparison with the usual delay, which
is learned anew as labels come in. What is stored must not depend on that: it says in which of some fixed stretches
after the day's end a label became known, and windows of a day count labels as early up to the last of these that is no
longer than the usual delay (`settled`), whoever reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Steps, read_stored
from analytics.aggregates.condensed import Condensed, parts_of_code
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.estimated import CLIPPED, BinaryCell, Key, by_key
from analytics.aggregates.keys import column
from analytics.engines.text import Sql, literal
from analytics.scope import Grain
from analytics.stats.arrays import as_floats
from analytics.stats.expected_quality import ScoredRows
from analytics.telemetry.catalog import Catalog

HOURS = (0, 3, 6, 12, 24, 48, 72, 96, 120, 168, 240, 336, 504, 720, 1080, 1440, 2160, 4320, 8760)
"""Ends of the stretches after a day's end in which labels become known."""
FEW_ROWS = 50_000
"""Rows of a question that are read rather than their parts, so that small windows keep every distinct score."""
_MICROSECONDS = 3_600_000_000
_SUMS = ("n", "ws", "q0", "l0", "l1")
_WEIGHED = ("n", "w", "w2", "ws", "q0", "l0", "l1")
Floats = NDArray[np.float64]


def settled(grain: Grain, delay: timedelta) -> timedelta:
    """How long after a window's end its labels count as early, where they usually take so long.

    >>> settled("day", timedelta(hours=20)), settled("week", timedelta(hours=20))
    (datetime.timedelta(seconds=43200), datetime.timedelta(seconds=72000))
    """
    if grain != "day":
        return delay
    return max((length for length in _lengths() if length <= delay), default=delay)


def _lengths() -> list[timedelta]:
    return [timedelta(hours=hours) for hours in HOURS]


@dataclass(frozen=True)
class _Condense:
    """Prepared rows by day, version, code (bin, label, decision) and lateness."""

    zone: str
    plain: bool

    def __call__(self, rows: Sql) -> Sql:
        # by the clock on the wall, as an instant cannot be made of a local time on every engine; at UTC these are one
        clock = "label_ts" if self.zone == "UTC" else f"label_ts AT TIME ZONE {literal(self.zone)}"
        after_end = f"epoch_us({clock}) - epoch_us(window_key) - {24 * _MICROSECONDS}"
        # later than a stretch by less than a microsecond is nothing
        late = bin_expression("after_end", [hours * _MICROSECONDS + 1.0 for hours in HOURS])
        weight = "" if self.plain else "weight * "
        sums = "count(*) AS n" + ("" if self.plain else ", sum(weight) AS w, sum(weight * weight) AS w2")
        keys = "window_key, version, code, late"
        return Sql(
            f"SELECT {keys}, {sums}, sum({weight}score) AS ws, sum({weight}score * score) AS q0, "
            f"sum(-{weight}ln(1e0 - clipped)) AS l0, sum(-{weight}ln(clipped)) AS l1 FROM ("
            f"SELECT window_key, version, code_1 AS code, weight, score, {CLIPPED} AS clipped, "
            f"CASE WHEN label IS NULL THEN 0 ELSE {late} END AS late FROM ("
            f"SELECT window_key, version, code_1, weight, score, label, {after_end} AS after_end "
            f"FROM ({rows.text}) WHERE scored)) "
            f"GROUP BY {keys}",
            rows.parameters,
        )


def estimated_parts(kept: Condensed, zone: str) -> Additive:
    """The sums of a binary model's estimates by day; in a build they share the prepared rows of its quality.

    Args:
        kept: the aggregates of its quality.
        zone: in which days are cut.
    """
    plain = kept.sums.plain
    steps = Steps(kept.prepare, _Condense(zone, plain), _as_they_are)
    return Additive("estimated", steps, _SUMS if plain else _WEIGHED)


def _as_they_are(groups: Sql) -> Sql:
    return groups


def read_estimated(
    catalog: Catalog, rows: Sql, parts: Additive, known_after: timedelta
) -> tuple[dict[Key, BinaryCell], str] | None:
    """The cells of `analytics.aggregates.estimated.read_binary` from stored parts, all of them in score bins.

    Args:
        catalog: the project's views.
        rows: scoped rows, cut by day.
        parts: from `estimated_parts`.
        known_after: one of the `settled` lengths.

    Returns:
        The cells and the SQL text that says what they are; None where no parts answer, or rows are so few that they
        are read better.
    """
    if known_after not in _lengths():
        return None
    found = read_stored(catalog, rows, parts)
    if found is None:
        return None
    table, text = found
    if column(table, "n").sum() <= FEW_ROWS:
        return None
    return _cells(table, _lengths().index(known_after)), text


def _cells(table: pa.Table, latest: int) -> dict[Key, BinaryCell]:
    values = {name: column(table, name) for name in _WEIGHED if name in table.column_names}
    values = {"w": values["n"], "w2": values["n"], **values}
    # scores of exactly 1 leave rounding, which may fall below 0
    values["q1"] = np.maximum(values["w"] - 2 * values["ws"] + values["q0"], 0.0)
    place, label, decision = parts_of_code(column(table, "code").astype(np.int64))
    early = (column(table, "late") <= latest) & (label >= 0)
    answers = {}
    for key, index in by_key(table).items():
        # stretches on one side of the limit are one
        unique, at = np.unique(
            ((place[index] * 3 + label[index] + 1) * 3 + decision[index] + 1) * 2 + early[index],
            return_inverse=True,
        )
        v = {name: as_floats(np.bincount(at, some[index], len(unique))) for name, some in values.items()}
        rest = unique // 2
        scored = ScoredRows(
            (rest // 9).astype(np.float64), rest % 3 - 1, v["n"], v["w"], v["w2"], v["ws"] / v["w"], v["l0"], v["l1"],
            v["q0"], v["q1"],
        )  # fmt: skip
        block = np.zeros(len(unique), dtype=np.int64)
        answers[key] = BinaryCell(scored, rest // 3 % 3 - 1, unique % 2 == 1, block)
    return answers
