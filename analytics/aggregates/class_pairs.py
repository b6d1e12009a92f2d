"""How the scores of two classes lie together, on coarse bins: what a mean over classes needs to know its variance.

A row moves every class's AUC, as a positive of one and a negative of the others. How much it moves each is known from
that class's own histogram, to a bin; how these moves go together is told here, with the mean move of a coarse bin for
that of its rows. The variances themselves stay those of the fine bins. Where rows can be read,
`analytics.aggregates.macro_squares` needs no bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.macro_squares import ClassInfluences, MacroSquares
from analytics.aggregates.moments import weighs_one
from analytics.aggregates.scores import ScoreHistogram
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
MOST_CLASSES = 6
"""Of more, there are too many pairs to store."""
_FIRST, _STEP = 9, 20  # odd places: an edge as well where two neighbouring bins are one


def coarse_edges(edges: Sequence[float] | Floats) -> Floats:
    """The edges of the coarse bins, some of those of the fine ones.

    >>> from analytics.aggregates.edges import score_edges
    >>> len(coarse_edges(score_edges()))
    15
    """
    return np.asarray(edges, dtype=np.float64)[_FIRST::_STEP]


def pair_parts(edges: Sequence[float] | Floats, one: str, other: str, *, plain: bool) -> Additive:
    """Labelled rows by the coarse bins of two classes' scores; ``kind`` 1: of the one class, 2: the other, 0: neither.

    Args:
        edges: inner edges of the fine bins.
        one, other: the classes.
        plain: whether every row weighs 1.
    """
    coarse = coarse_edges(edges)
    squares = "" if plain else ", sum(weight * weight) AS w2"

    def query(rows: Sql) -> Sql:
        kind = f"CASE WHEN label = {literal(one)} THEN 1 WHEN label = {literal(other)} THEN 2 ELSE 0 END"
        text = (
            f"SELECT {KEYS}, here, there, kind, count(*) AS n{squares} FROM (SELECT {KEYS}, weight, "
            f"{bin_expression(score_column(one), coarse)} AS here, "
            f"{bin_expression(score_column(other), coarse)} AS there, {kind} AS kind "
            f"FROM ({rows.text}) WHERE scored AND label IS NOT NULL) GROUP BY {KEYS}, here, there, kind"
        )
        return Sql(text, rows.parameters)

    return Additive("class pairs", query, ("n",) if plain else ("n", "w2"))


def standard_pairs(
    classes: Sequence[str], edges: Sequence[float] | Floats, *, plain: bool
) -> Iterator[Additive]:
    """Every two classes; none where they are too many."""
    if len(classes) <= MOST_CLASSES:
        yield from (pair_parts(edges, one, other, plain=plain) for one, other in combinations(classes, 2))


def stored_macro_squares(
    catalog: Catalog,
    rows: Sql,
    classes: Mapping[str, Mapping[CellKey, ClassInfluences]],
    edges: Sequence[float] | Floats,
) -> dict[CellKey, MacroSquares] | None:
    """As `analytics.aggregates.macro_squares.read_macro_squares`, from stored parts; None where there are none.

    Of independent rows: units are not told apart.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        classes: class -> cell -> influences on the mean over classes.
        edges: inner edges of the score bins.
    """
    if len(catalog.predictions.classes) > MOST_CLASSES:
        return None
    plain, coarse = weighs_one(catalog, rows), coarse_edges(edges)
    sums: dict[CellKey, Floats] = {}
    for cells in classes.values():
        for key, cell in cells.items():
            own = (cell.influence**2 * cell.histogram.squares[:2]).sum(axis=(1, 2))
            sums[key] = sums[key] + own if key in sums else own
    for one, other in combinations((name for name in catalog.predictions.classes if name in classes), 2):
        stored = read_stored(catalog, rows, pair_parts(edges, one, other, plain=plain))
        if stored is None:
            return None
        for key, counted in _counted(stored[0], len(coarse) + 1).items():
            if key in classes[one] and key in classes[other]:
                mine = _coarsened(classes[one][key], coarse, edges)
                theirs = _coarsened(classes[other][key], coarse, edges)
                sums[key] = sums[key] + 2.0 * _products(counted, mine, theirs)
    zero = np.zeros(len(next(iter(sums.values())))) if sums else np.zeros(0)
    return {key: MacroSquares(np.maximum(total, 0.0), zero, zero) for key, total in sums.items()}


def _counted(table: pa.Table, size: int) -> dict[CellKey, Floats]:
    """Sums of squared weights by cell, of shape (3, C, C): kind, bin of the one, bin of the other."""
    values = column(table, "w2" if "w2" in table.column_names else "n")
    places = tuple(column(table, name).astype(np.int64) for name in ("kind", "here", "there"))
    found = {}
    for key, index in group(table).rows.items():
        counted = np.zeros((3, size, size))
        np.add.at(counted, tuple(place[index] for place in places), values[index])
        found[key] = counted
    return found


def _coarsened(one: ClassInfluences, coarse: Floats, edges: Sequence[float] | Floats) -> Floats:
    """The mean influence of the rows of each coarse bin, shape (M, 2, C)."""
    histogram = one.histogram
    place = np.searchsorted(coarse, _lowest(histogram, edges), side="right")
    found = np.zeros((len(one.influence), 2, len(coarse) + 1))
    for label in (0, 1):
        held = histogram.squares[label]
        whole = np.bincount(place, held, len(coarse) + 1)
        for metric, influence in enumerate(one.influence[:, label]):
            summed = np.bincount(place, held * influence, len(coarse) + 1)
            found[metric, label] = np.divide(summed, whole, out=np.zeros_like(whole), where=whole > 0)
    return found


def _lowest(histogram: ScoreHistogram, edges: Sequence[float] | Floats) -> Floats:
    """Of each bin a score that no score of it lies below, by the bins' edges."""
    if histogram.exact:
        return histogram.keys
    inner = np.asarray(edges, dtype=np.float64)[histogram.every - 1 :: histogram.every]
    return np.asarray(np.concatenate([[-np.inf], inner])[histogram.keys.astype(np.int64)])


def _products(counted: Floats, mine: Floats, theirs: Floats) -> Floats:
    """Sum over rows of the products of their two influences, shape (M,)."""
    moved = ((0, 0), (1, 0), (0, 1))  # the label each class takes a row of a kind to have
    return np.asarray(
        sum(
            np.einsum("ab,ma,mb->m", counted[kind], mine[:, own], theirs[:, other])
            for kind, (own, other) in enumerate(moved)
        )
    )
