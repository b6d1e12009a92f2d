"""How much knowing one thing tells of another, in bits, with what chance alone would give taken off.

Both are in bins. The plug-in estimate is biased upwards, the more so where rows of one block are alike; so the mean
of estimates with the blocks of one of them exchanged is subtracted. Its error is the jackknife's over blocks.

Sources: Cover and Thomas, Elements of Information Theory, 2; Efron and Stein, Annals of Statistics 9 (1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from .arrays import FloatArray, IntArray
from .blocks import Independence

DRAWS = 199
LEAST_BLOCKS = 8
_GROUPS = 50
_SEED = 1717


@dataclass(frozen=True)
class Dependence:
    """What each feature tells of the outcome.

    Attributes:
        value: bits beyond chance, never below 0; one a feature.
        ci_low: of the value.
        ci_high: of the value.
        by_chance: bits that chance alone gives.
        p_value: (1 + exchanges that give as much) / (1 + exchanges).
        independence: what was exchanged: blocks or rows.
    """

    value: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    by_chance: FloatArray
    p_value: FloatArray
    independence: Independence


def plug_in(tables: npt.NDArray[np.float64]) -> FloatArray:
    """Mutual information of tables of counts, bins on the last two axes, in bits.

    >>> plug_in(np.array([[1.0, 0.0], [0.0, 1.0]])).item(), plug_in(np.ones((2, 2))).item()
    (1.0, 0.0)
    """
    total = np.maximum(tables.sum(axis=(-2, -1), keepdims=True), 1e-300)
    shares = tables / total
    product = shares.sum(axis=-1, keepdims=True) * shares.sum(axis=-2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log2(shares / product), 0.0)
    return np.asarray(np.maximum(terms.sum(axis=(-2, -1)), 0.0))


def dependence(
    features: IntArray,
    outcome: IntArray,
    block: IntArray,
    weight: FloatArray,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = _SEED,
) -> Dependence:
    """Measure what each feature tells of the outcome.

    Args:
        features: bin numbers, shape (n, d).
        outcome: bin numbers, shape (n,).
        block: of each row; with fewer than 8, rows count as independent.
        weight: of each row.
        confidence: of the intervals.
        draws: exchanges of blocks.
        seed: of the exchanges.
    """
    generator = np.random.default_rng(seed)
    _, places = np.unique(block, return_inverse=True)
    n_blocks = int(places.max()) + 1
    by_block = n_blocks >= LEAST_BLOCKS
    if not by_block:
        places = generator.permutation(len(outcome)) % min(_GROUPS, len(outcome))
        n_blocks = int(places.max()) + 1
    shape = (features.shape[1], int(features.max()) + 1, int(outcome.max()) + 1)
    tables = np.zeros((n_blocks, *shape))
    for one in range(n_blocks):
        rows = places == one
        tables[one] = _table(features[rows], outcome[rows], weight[rows], shape)
    whole = tables.sum(axis=0)
    raw = plug_in(whole)
    without = plug_in(whole - tables)
    error = np.sqrt((n_blocks - 1) / n_blocks * np.square(without - without.mean(axis=0)).sum(axis=0))
    exchange = _exchanges(places, generator, draws) if by_block else _orders(len(outcome), generator, draws)
    null = np.stack([plug_in(_table(features, outcome[order], weight, shape)) for order in exchange])
    chance = null.mean(axis=0)
    error = np.maximum(error, null.std(axis=0))
    half = float(stats.t.ppf((1 + confidence) / 2, n_blocks - 1)) * error
    beyond = raw - chance
    value = np.maximum(beyond, 0.0)
    p_value = (1 + (null >= raw - 1e-12).sum(axis=0)) / (1 + draws)
    return Dependence(
        value, np.maximum(beyond - half, 0.0), np.maximum(beyond + half, value), chance, p_value,
        "blocks" if by_block else "rows",
    )  # fmt: skip


def _table(
    features: IntArray, outcome: IntArray, weight: FloatArray, shape: tuple[int, int, int]
) -> FloatArray:
    d, bins, outcomes = shape
    places = (np.arange(d) * bins + features) * outcomes + outcome[:, None]
    flat = np.bincount(places.ravel(), np.repeat(weight, d), minlength=d * bins * outcomes)
    return flat.reshape(shape).astype(np.float64)


def _orders(n: int, generator: np.random.Generator, draws: int) -> list[IntArray]:
    return [generator.permutation(n) for _ in range(draws)]


def _exchanges(places: IntArray, generator: np.random.Generator, draws: int) -> list[IntArray]:
    """Rows to take the outcome from: each block gets those of another one, in random order, over again if too few."""
    sizes = np.bincount(places)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    by_block = np.argsort(places, kind="stable")
    within = np.empty(len(places), dtype=np.int64)
    within[by_block] = np.arange(len(places)) - np.repeat(starts, sizes)
    found = []
    for _ in range(draws):
        shuffled = np.lexsort((generator.random(len(places)), places))
        other = generator.permutation(len(sizes))[places]
        found.append(shuffled[starts[other] + within % sizes[other]])
    return found
