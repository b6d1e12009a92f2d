"""First lines of the sections that search, map and compare slices."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.ask.slices import stretch_words
from analytics.slices.rows import MapCellRow, SliceCompareRow, SliceRow, TreeRow
from app.formats import listed, percent, plural
from app.glossary import inside, show, title
from app.headlines.verdict import Verdict

_NAMES = 3


def found_verdict(rows: Sequence[SliceRow]) -> Verdict:
    """Where it is worse, how much of the loss that is, and how many slices are confirmed."""
    searched = [row for row in rows if row.rank is not None]
    if not searched:
        reason = next((row.reason for row in rows if row.reason), None)
        text = "Where it is worse cannot be told"
        # nothing that stood out is an answer
        if not rows:
            return Verdict(
                "same", "No slice stands out: none is worse than the rest by more than luck gives."
            )
        return Verdict("unknown", f"{text}: {reason}." if reason else f"{text}.")
    confirmed = [row for row in searched if row.confirmed]
    if not confirmed:
        tested = (
            "the slice that stood out"
            if len(searched) == 1
            else f"the {len(searched)} slices that stood out most"
        )
        return Verdict(
            "same", f"No slice is worse beyond luck: of {tested}, none was confirmed on other rows."
        )
    first = confirmed[0]
    lost = (
        f", {percent(first.share_of_loss)} of all loss on {percent(first.share)} of the rows"
        if first.share_of_loss is not None
        else ""
    )
    more = f" {plural(len(confirmed), 'slice')} confirmed." if len(confirmed) > 1 else ""
    return Verdict(
        "worse",
        f"{title(first.metric)} is worse where {first.slice}: {show(first.metric, first.value)} against "
        f"{show(first.metric, first.value_elsewhere)} elsewhere{lost}.{more}",
    )


def map_verdict(rows: Sequence[MapCellRow]) -> Verdict:
    """Which cell is worst beyond luck."""
    if not rows:
        return Verdict("unknown", "A map needs two features or segments.")
    known = [row for row in rows if row.value is not None]
    if not known:
        return Verdict("unknown", "No cell has enough rows for a value.")
    metric = inside(title(known[0].metric))
    worse = sorted((row for row in known if row.worse), key=lambda row: -abs(row.difference or 0.0))
    if not worse:
        return Verdict("same", f"No cell is worse beyond luck: {metric} by {rows[0].x} and {rows[0].y}.")
    first = worse[0]
    where = f"{first.x} {stretch_words(first.x_value)} and {first.y} {stretch_words(first.y_value)}"
    others = f"; {plural(len(worse) - 1, 'more cell')} worse than the rest" if worse[1:] else ""
    return Verdict(
        "worse",
        f"Worst where {where}: {metric} {show(first.metric, first.value_shrunken or first.value)} with luck taken out, "
        f"{show(first.metric, first.value_whole)} over all{others}.",
    )


def tree_verdict(rows: Sequence[TreeRow]) -> Verdict:
    """The worst leaf that differs from its sibling beyond luck, and what it holds."""
    root = next((row for row in rows if row.node == 1), None)
    if root is None or root.value is None:
        reason = f": {root.reason}" if root is not None and root.reason else ""
        return Verdict("unknown", f"Where it is worse cannot be told{reason}.")
    by_node = {row.node: row for row in rows}
    told = [
        row
        for row in rows
        if row.gap_p_value is not None and row.gap_p_value < 0.05 and row.node % 2 and row.value is not None
    ]
    if not told:
        return Verdict("same", "No question splits the rows into better and worse beyond luck.")
    # the second child is the worse one; the deepest of them on a path of such is the worst
    last = max(told, key=lambda row: (_path_holds(row, by_node), row.depth, row.node))
    path = " and ".join(row.condition for row in _path(last, by_node))
    lost = (
        f", {percent(last.share_of_loss)} of all loss on {percent(last.share)} of the rows"
        if last.share_of_loss is not None
        else ""
    )
    return Verdict(
        "worse",
        f"{title(root.metric)} is worst where {path}: {show(root.metric, last.value)} against "
        f"{show(root.metric, root.value)} over all{lost}.",
    )


def _path(row: TreeRow, by_node: dict[int, TreeRow]) -> list[TreeRow]:
    path = []
    while row.parent is not None:
        path.append(row)
        row = by_node[row.parent]
    return path[::-1]


def _path_holds(row: TreeRow, by_node: dict[int, TreeRow]) -> bool:
    """Whether every step on the way to a node is the worse one, beyond luck."""
    return all(
        one.node % 2 and one.gap_p_value is not None and one.gap_p_value < 0.05 for one in _path(row, by_node)
    )


def compare_verdict(rows: Sequence[SliceCompareRow], name: str) -> Verdict:
    """On which metrics a slice is worse, and which features set it apart."""
    quality = [row for row in rows if row.kind in {"quality", "service"} and row.differs is not None]
    features = sorted(
        (row for row in rows if row.kind == "feature" and row.differs),
        key=lambda row: -(row.difference or 0.0),
    )
    worse = [row for row in quality if row.worse]
    apart = f" Its rows differ most in {listed([row.name for row in features[:_NAMES]])}." if features else ""
    if not quality and not features:
        reason = next((row.reason for row in rows if row.reason), None)
        return Verdict("unknown", f"How {name} compares cannot be told{f': {reason}' if reason else ''}.")
    if not worse:
        return Verdict(
            "changed" if features else "same",
            f"On no metric is {name} worse than the rest beyond luck.{apart}",
        )
    first, said = worse[0], f"{name[:1].upper()}{name[1:]}"
    others = f" and on {plural(len(worse) - 1, 'more metric')}" if worse[1:] else ""
    return Verdict(
        "worse",
        f"{said} is worse than the rest on {inside(title(first.name))} ({show(first.name, first.value)} against "
        f"{show(first.name, first.value_elsewhere)}){others}.{apart}",
    )
