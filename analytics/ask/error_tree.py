"""An error tree: grown on one part of the rows, every node measured on another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.aggregates.slice_codes import Among, SliceCodes
from analytics.aggregates.slice_fields import SliceField
from analytics.ask.slice_reading import (
    Reading,
    everyone,
    mean_of,
    metric_of,
    read_for_slices,
    share_of_loss,
    sides,
)
from analytics.ask.slices import LEAST, SUPPORT, stretch_words
from analytics.ask.windows import versions_of
from analytics.errors import ScopeError
from analytics.measures.estimate import LEAST_ROWS
from analytics.results import Results
from analytics.scope import Scope, is_interval
from analytics.segments.compare import difference
from analytics.slices.rows import TreeRow
from analytics.stats.error_tree import Node, grow, holds
from analytics.stats.slice_search import Rows
from analytics.telemetry.catalog import Catalog

DEPTH = 3
HELD_BELOW = 0.05
"""A split stands where the second part of the rows differs by it with a p-value under this."""
MOST_WORDS = 40
"""Values a link may name of one field."""
_NAMED = 5


def error_tree_of(
    catalog: Catalog, scope: Scope, metric: str | None = None, *, depth: int = DEPTH
) -> Results[TreeRow]:
    """Where the metric differs most, as a tree of yes or no questions.

    Args:
        catalog: the project's views.
        scope: the question; each version has a tree of its own.
        metric: a mean of one number a row; the loss of the task where left out.
        depth: questions on the way to a leaf at most.

    Raises:
        ScopeError: the metric is no mean of rows, or the depth is not 1 to 3.
    """
    if depth not in {1, 2, 3}:
        raise ScopeError(f"depth {depth} is not 1, 2 or 3")
    metric = metric_of(catalog, metric)
    rows: list[TreeRow] = []
    texts: list[str] = []
    notes: list[str] = []
    for version in versions_of(catalog, scope):
        reading = read_for_slices(catalog, scope, version, metric)
        if reading is None:
            return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
        texts += [text for text in reading.codes.sql if text not in texts]
        looked, confirming = reading.part(1), reading.part(2)
        rows += _confirmed(_measured(reading, confirming, _grown(reading, looked, depth)))
        grown = f"Grown on {len(looked.value):,} rows, measured on {len(confirming.value):,} others "
        notes.append(f"{f'{version}: ' if version else ''}{grown}(halves of {reading.codes.split}).")
    return Results(tuple(rows), catalog.project.zone, tuple(texts), tuple(notes))


def _grown(reading: Reading, looked: SliceCodes, depth: int) -> tuple[Node, ...]:
    ordered = [len(field.values) if field.is_numeric else None for field in looked.fields]
    least = max(math.ceil(SUPPORT * len(looked.value)), LEAST)
    rows = Rows(looked.codes, reading.loss.sign * looked.value, looked.weight)
    known = [frozenset(np.unique(codes).tolist()) for codes in reading.codes.codes]
    return grow(rows, ordered, least=least, depth=depth, known=known)


def _measured(reading: Reading, codes: SliceCodes, nodes: Sequence[Node]) -> list[TreeRow]:
    by_number = {node.number: node for node in nodes}
    whole = everyone(codes)
    among = {
        node.number: Among(codes, holds(codes.codes, node) if node.number > 1 else whole.rows)
        for node in nodes
    }
    weight = float(codes.weight.sum())
    rows = []
    for node in nodes:
        mine = among[node.number]
        estimate = mean_of(reading.loss, mine.moments)
        confidence = reading.scope.confidence
        low = high = independence = None
        if estimate.value is not None:
            low, high, independence = estimate.interval(confidence)
        lost = share_of_loss(reading, mine.rows, whole) if mine.moments.n >= LEAST_ROWS else None
        lost_low, lost_high = lost.interval(confidence)[:2] if lost is not None else (None, None)
        parent = node.number // 2
        gap = difference(sides(reading, mine.rows, among[parent]).pair, confidence) if parent else None
        sibling = by_number.get(node.number ^ 1)
        rows.append(TreeRow(
            window_start=reading.window.start, window_end=reading.window.end, version=reading.version,
            metric=reading.loss.metric, node=node.number, parent=parent or None, depth=node.depth, leaf=node.leaf,
            field=codes.fields[node.field].name if node.field is not None else None,
            condition=_condition(codes.fields, node, sibling), where=_where(codes.fields, node),
            sql=_sql(codes.fields, node), n=mine.moments.n,
            share=mine.moments.total("rows") / weight if weight > 0 else None, value=estimate.value, ci_low=low,
            ci_high=high, share_of_loss=lost.value if lost is not None else None, share_of_loss_ci_low=lost_low,
            share_of_loss_ci_high=lost_high, gap=gap.value if gap else None, gap_ci_low=gap.low if gap else None,
            gap_ci_high=gap.high if gap else None, gap_p_value=gap.p_value if gap else None,
            independence=independence, status=estimate.status, reason=estimate.reason,
        ))  # fmt: skip
    return rows


def _confirmed(rows: Sequence[TreeRow]) -> list[TreeRow]:
    """The tree without splits that the second part of the rows does not show: the best of many is often lucky."""
    shown = {row.node for row in rows if row.gap_p_value is not None and row.gap_p_value < HELD_BELOW}
    kept = {1}
    for row in sorted(rows, key=lambda row: row.node):
        if row.parent in kept and row.node in shown:
            kept.add(row.node)
    # a parent keeps both children or none
    kept -= {node for node in kept if node > 1 and node ^ 1 not in kept}
    return [
        replace(row, leaf=2 * row.node not in kept)
        for row in rows
        if row.node in kept and all(row.node >> up in kept for up in range(row.depth + 1))
    ]


# --- words


def _condition(fields: Sequence[SliceField], node: Node, sibling: Node | None) -> str:
    """What sets a node apart from its sibling, in words."""
    if node.field is None:
        return ""
    field, codes = fields[node.field], node.codes[node.field] or frozenset()
    if field.is_numeric:
        return f"{field.name} {' or '.join(stretch_words(word) for word in _words(field, codes) or ())}"
    other = (sibling.codes[node.field] if sibling is not None else None) or frozenset()
    if 0 in codes or len(codes) > len(other) > 0:
        return f"{field.name} not {_listed(field, other)}"
    return f"{field.name} = {_listed(field, codes)}"


def _listed(field: SliceField, codes: frozenset[int]) -> str:
    names = [field.values[code - 1].word for code in sorted(codes) if code]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED + 1 else ""
    return ", ".join(names[:_NAMED] if more else names) + more


def _where(fields: Sequence[SliceField], node: Node) -> tuple[str, ...] | None:
    """The node as ``--where`` takes it; None where it holds values that are not known by name, or too many."""
    found: list[str] = []
    for field, codes in zip(fields, node.codes, strict=True):
        if codes is None:
            continue
        words = _words(field, codes)
        if words is None or len(words) > MOST_WORDS:
            return None
        found += [f"{field.name}={word}" for word in words]
    return tuple(found)


def _words(field: SliceField, codes: frozenset[int]) -> list[str] | None:
    """Values as filters take them; stretches that follow one another as one."""
    if not field.is_numeric:
        return None if 0 in codes else [field.values[code - 1].word for code in sorted(codes)]
    return [
        field.values[run[0] - 1].word if len(run) == 1 else _joined(field, run) for run in _runs(field, codes)
    ]


def _joined(field: SliceField, run: Sequence[int]) -> str:
    first, last = field.values[run[0] - 1].word, field.values[run[-1] - 1].word
    return f"{first.split(', ')[0]}, {last.split(', ')[1]}"


def _runs(field: SliceField, codes: frozenset[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for code in sorted(code for code in codes if 0 < code <= len(field.values)):
        joins = is_interval(field.values[code - 1].word)
        if runs and joins and runs[-1][-1] == code - 1 and is_interval(field.values[code - 2].word):
            runs[-1].append(code)
        else:
            runs.append([code])
    return runs


def _sql(fields: Sequence[SliceField], node: Node) -> str:
    parts = []
    for field, codes in zip(fields, node.codes, strict=True):
        if codes is None:
            continue
        if 0 in codes:
            rest = [one.sql for code, one in enumerate(field.values, start=1) if code not in codes]
            parts.append(f"coalesce(NOT ({' OR '.join(rest)}), TRUE)" if rest else "TRUE")
            continue
        parts.append(
            "(" + " OR ".join(f"({field.values[code - 1].sql})" for code in sorted(codes) if code) + ")"
        )
    return " AND ".join(parts) or "TRUE"
