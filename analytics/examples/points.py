"""A map of rows in two dimensions, and clusters of the costliest ones named by what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.errors import ScopeError
from analytics.examples.marks import Column, Marks
from analytics.results import Status
from analytics.stats.blocks import Independence, block_variance, largest_variance, unit_variance
from analytics.stats.encoding import Encoder
from analytics.stats.intervals import effective_n, wilson
from analytics.stats.principal import Principal, principal

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Method = Literal["pca", "umap"]
COSTLY = 0.2
"""The share of the labelled rows that count as errors: those of the highest loss."""
LEAST_COSTLY = 40
MOST_CLUSTERS = 8
MOST_CONDITIONS = 2
LEAST_DIFFERENCE = 0.15
_COMPONENTS = 10
_SEED = 11


@dataclass(frozen=True)
class PointRow:
    """One sampled row on the map.

    Attributes:
        x, y: its place.
        loss: log loss, or absolute error; None without a label.
        costly: whether its loss is among the highest fifth of the sampled labelled rows; None without a label.
        cluster: the number of the cluster whose region it lies in; None where there are none.
    """

    x: float
    y: float
    id: str | None
    timestamp: datetime
    version: str | None
    label: str | None
    decision: str | None
    score: float | None
    loss: float | None
    costly: bool | None
    cluster: int | None
    file: str
    row: int


@dataclass(frozen=True)
class ClusterRow:
    """One cluster of costly rows, and the region of all rows that are nearer to it than to any other.

    Attributes:
        cluster: 1 holds most costly rows.
        name: what its rows have in common, as ``--where`` reads it.
        where: the first of it alone; None where nothing distinguishes the cluster.
        also: the second of it; None where there is none.
        share_inside: the share of the cluster's costly rows that it is true of.
        share_elsewhere: the same of all other sampled rows.
        n_costly: costly rows in it; share_of_costly of all there are.
        n: labelled rows in its region.
        value: the share of these that are costly, with its interval; .2 everywhere were losses spread evenly.
        mean_loss: of the region's labelled rows.
        x, y: its middle on the map.
        independence: what the interval took as independent.
    """

    cluster: int
    name: str
    where: str | None
    also: str | None
    share_inside: float | None
    share_elsewhere: float | None
    n_costly: int
    share_of_costly: float
    n: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    mean_loss: float | None
    x: float
    y: float
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class Condition:
    """What rows of a cluster have in common: a slice, the share inside and the share elsewhere."""

    text: str
    inside: float
    elsewhere: float


def encoded_names(encoder: Encoder) -> tuple[str, ...]:
    """What each column of the encoded matrix speaks of."""
    names = []
    for name, (_, _, missing) in encoder.numbers.items():
        names += [name, f"{name} missing"] if missing else [name]
    return (*names, *(f"{name} {value}" for name, values in encoder.texts.items() for value in values))


def axis_names(found: Principal, names: Sequence[str]) -> tuple[str, str]:
    """The two columns that weigh most along either component, with the sign they have."""
    said = []
    for line in found.loadings[:2]:
        order = [place for place in np.argsort(-np.abs(line))[:2].tolist() if abs(line[place]) > 0.1]
        said.append(", ".join(f"{'+' if line[place] > 0 else '−'}{names[place]}" for place in order))
    first, second = said
    return first, second


def methods() -> tuple[Method, ...]:
    """How a map can be made here: by UMAP only where it is installed."""
    return ("pca", "umap") if find_spec("umap") is not None else ("pca",)


def places(matrix: Floats, method: Method) -> tuple[Floats, Principal]:
    """Each row's place in two dimensions (n, 2), and its leading principal components.

    Raises:
        ScopeError: UMAP is asked for and not installed.
    """
    found = principal(matrix, min(_COMPONENTS, max(matrix.shape[1], 2)))
    if method == "pca" or len(matrix) < 20:
        return found.places[:, :2], found
    with one_thread():
        return _umap(found.places), found


def _umap(matrix: Floats) -> Floats:
    try:
        umap = import_module("umap")  # heavy, and optional
    except ModuleNotFoundError as error:
        raise ScopeError(
            'UMAP is not installed; install it with `pip install "assay-ml[maps]"`, or ask for pca'
        ) from error
    return np.asarray(
        umap.UMAP(n_components=2, n_epochs=200, random_state=_SEED, n_jobs=1).fit_transform(matrix),
        dtype=np.float64,
    )


def costly_rows(loss: Floats) -> Flags:
    """The fifth of the rows with the highest loss; none where all losses are alike."""
    known = np.isfinite(loss)
    if not known.any():
        return np.zeros(len(loss), dtype=bool)
    limit = float(np.quantile(loss[known], 1 - COSTLY, method="higher"))
    return np.asarray(known & (loss >= limit) & (loss > loss[known].min()), dtype=bool)


def regions(space: Floats, costly: Flags) -> Integers:
    """The region of each row, from 0, the one with most costly rows first; -1 everywhere where there are too few.

    Costly rows are grouped by k-means; of 2 to 8 groups those with the best silhouette are taken.
    """
    if costly.sum() < LEAST_COSTLY or np.unique(space[costly].round(9), axis=0).shape[0] <= MOST_CLUSTERS:
        return np.full(len(space), -1, dtype=np.int64)
    with one_thread():
        centres = _centres(space[costly])
    nearest = np.square(space[:, None, :] - centres[None, :, :]).sum(axis=2).argmin(axis=1)
    order = np.argsort(-np.bincount(nearest[costly], minlength=len(centres)), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return np.asarray(rank[nearest], dtype=np.int64)


def _centres(points: Floats) -> Floats:
    from sklearn.cluster import KMeans  # noqa: PLC0415  # half a second, only where needed
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    best: tuple[float, Floats] | None = None
    for k in range(2, MOST_CLUSTERS + 1):
        fitted = KMeans(k, n_init=4, random_state=_SEED).fit(points)
        if len(np.unique(fitted.labels_)) < 2:
            continue
        score = float(silhouette_score(points, fitted.labels_, sample_size=500, random_state=_SEED))
        if best is None or score > best[0]:
            best = score, np.asarray(fitted.cluster_centers_, dtype=np.float64)
    return best[1] if best is not None else points.mean(axis=0, keepdims=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Threads would cost more than they bring on so few rows; the library is loaded first, or it is not limited."""
    import sklearn.cluster  # noqa: F401, PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        yield


def in_common(inside: Flags, marks: Marks, columns: Mapping[str, Column]) -> list[Condition]:
    """What distinguishes some rows from all others: at most two slices of different columns, the most telling first.

    Neighbouring fifths of a column of numbers are joined where that tells more.
    """
    flags, elsewhere = marks.of(columns), ~inside
    if not inside.any() or not elsewhere.any():
        return []
    shares = flags[inside].mean(axis=0), flags[elsewhere].mean(axis=0)
    found: list[tuple[float, str, Condition]] = []
    for name, text, slices in _runs(marks):
        p, q = (float(side[slices].sum()) for side in shares)
        if p - q >= LEAST_DIFFERENCE and p >= 0.5:
            # the difference of shares is largest for broad slices and the ratio for rare ones: a balance of both
            found.append(((p - q) / np.sqrt(max(q, 0.01)), name, Condition(text, p, q)))
    found.sort(key=lambda one: -one[0])
    chosen: dict[str, Condition] = {}
    for _, name, condition in found:
        chosen.setdefault(name, condition)
    return list(chosen.values())[:MOST_CONDITIONS]


def _runs(marks: Marks) -> Iterator[tuple[str, str, list[int]]]:
    """Column, slice in words, and the numbers of the marks that make it up."""
    start = 0
    for name, edges in marks.edges.items():
        ends = (-np.inf, *edges, np.inf)
        bins = len(edges) + 1
        for first in range(bins):
            for last in range(first, bins):
                if last - first + 1 < bins:
                    sign = "(" if first == 0 else "["
                    text = f"{name}={sign}{ends[first]:.6g}, {ends[last + 1]:.6g})"
                    yield name, text, list(range(start + first, start + last + 1))
        yield name, f"{name}=", [start + bins]
        start += bins + 1
    for name, values in marks.values.items():
        for value in values:
            yield name, f"{name}={value or ''}", [start]
            start += 1


def share_costly(
    costly: Flags, blocks: Integers, units: Integers | None, confidence: float
) -> tuple[float, float, float, Independence]:
    """The share of some rows that are costly, with its interval: rows, units or days, whichever varies most."""
    n, share = len(costly), float(costly.mean())
    influence = (costly - share) / n
    _, day = np.unique(blocks, return_inverse=True)
    totals = np.bincount(day, influence)
    block = float(block_variance(totals)) if len(totals) > 1 else None
    unit, n_units = None, 0
    if units is not None:
        _, which = np.unique(units, return_inverse=True)
        sums = np.bincount(which, influence)
        n_units = len(sums)
        unit = float(unit_variance(float(np.square(sums).sum()), n_units)) if n_units > 1 else None
    variance, freedom, independence = largest_variance(
        share * (1 - share) / n, unit, block, len(totals), n_units
    )
    size = effective_n(share, variance, float(n))
    low, high = wilson(share, size, confidence, freedom)
    return share, float(low), float(high), independence
