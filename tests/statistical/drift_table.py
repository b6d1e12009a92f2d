"""How often the tests behind `p_value` reject where nothing differs, at a nominal 5 %.

docs/methods/drift.md has the table.

``python -m tests.statistical.drift_table 20000 [PART OF A NAME]`` prints it anew. No rows are needed: bins of numbers
are order statistics of the reference, so for any continuous feature, however heavy its tail, the reference's counts are
fixed and the bins' true shares are Dirichlet; ties, atoms and categories are multinomial.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

from analytics.stats.two_sample import (
    FIRST_DRAWS,
    anderson_darling_binned,
    chi_squared,
    combine,
    share_test,
    sparse,
)

ALPHA = 0.05
Tables = Iterator[tuple[np.ndarray, np.ndarray]]
Draw = Callable[[np.random.Generator, int, int, int], tuple[np.ndarray, np.ndarray]]


def continuous(rng: np.random.Generator, runs: int, m: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts in bins whose edges are the reference's own order statistics of rank ceil(k m / 20)."""
    ranks = -(-np.arange(1, 20) * m // 20)
    gaps = np.diff(np.concatenate([[0], ranks, [m + 1]])).astype(float)
    reference = gaps.copy()
    reference[0] -= 1
    shares = rng.dirichlet(gaps, size=runs)
    return np.broadcast_to(reference, (runs, 20)), rng.multinomial(n, shares).astype(float)


def fixed(shares: np.ndarray) -> Draw:
    """Counts of values that are what they are: categories, ties, atoms."""
    shares = shares / shares.sum()

    def draw(rng: np.random.Generator, runs: int, m: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        return tuple(rng.multinomial(size, shares, size=runs).astype(float) for size in (m, n))  # type: ignore[return-value]

    return draw


@dataclass(frozen=True)
class Cell:
    """One line of the table: what is drawn, how many rows a side, ordered bins or categories, and what is missing."""

    draw: Draw
    m: int
    n: int
    ordered: bool
    missing: float = 0.0


def zipf(k: int) -> np.ndarray:
    return 1 / np.arange(1, k + 1)


TIES = fixed(np.array([0.006, 0.061, 0.242, 0.382, 0.242, 0.061, 0.006]))
ATOM = fixed(np.array([0.5, *[0.05] * 10]))
NUMBERS = {
    f"any continuous, {m} and {n}": Cell(continuous, m, n, ordered=True)
    for m, n in (
        (50, 50), (200, 200), (1000, 300), (1001, 50), (20_000, 5000), (100_000, 500), (100_000, 100_000),
    )
}  # fmt: skip
CELLS: dict[str, Cell] = {
    **NUMBERS,
    "continuous, 5 % missing, 1000 and 300": Cell(continuous, 1000, 300, ordered=True, missing=0.05),
    "7 tied values, 50 and 50": Cell(TIES, 50, 50, ordered=True),
    "7 tied values, 1000 and 300": Cell(TIES, 1000, 300, ordered=True),
    "half zeros, 200 and 200": Cell(ATOM, 200, 200, ordered=True),
    "half zeros, 100000 and 5000": Cell(ATOM, 100_000, 5000, ordered=True),
    "2 categories (10 %), 50 and 50": Cell(fixed(np.array([0.9, 0.1])), 50, 50, ordered=False),
    "2 categories (2 %), 1000 and 300": Cell(fixed(np.array([0.98, 0.02])), 1000, 300, ordered=False),
    "2 categories (10 %), 200 and 200": Cell(fixed(np.array([0.9, 0.1])), 200, 200, ordered=False),
    "2 categories (10 %), 100000 and 1000": Cell(fixed(np.array([0.9, 0.1])), 100_000, 1000, ordered=False),
    "3 categories, 50 and 50": Cell(fixed(np.ones(3)), 50, 50, ordered=False),
    "3 categories, 1000 and 1000": Cell(fixed(np.ones(3)), 1000, 1000, ordered=False),
    "10 categories, 1000 and 1000": Cell(fixed(np.ones(10)), 1000, 1000, ordered=False),
    "10 categories (Zipf), 1000 and 50": Cell(fixed(zipf(10)), 1000, 50, ordered=False),
    "50 categories, 1000 and 1000": Cell(fixed(np.ones(50)), 1000, 1000, ordered=False),
    "50 categories (Zipf), 100000 and 100000": Cell(fixed(zipf(50)), 100_000, 100_000, ordered=False),
    "50 categories (Zipf), 200 and 50": Cell(fixed(zipf(50)), 200, 50, ordered=False),
}


def decided(observed: float, draw: Callable[[int], np.ndarray]) -> float:
    """What `permutation_p_value` says of one in twenty, from the same shuffles, but no more of them than needed."""
    least = observed - 1e-9 * max(abs(observed), 1.0)
    larger, drawn = 0, 0
    while drawn < FIRST_DRAWS and (1 + larger) / (1 + FIRST_DRAWS) <= ALPHA:
        times = min(100, FIRST_DRAWS - drawn)
        larger, drawn = larger + int((draw(times) >= least).sum()), drawn + times
    return (1 + larger) / (1 + FIRST_DRAWS)


@dataclass(frozen=True)
class Found:
    """Part of the runs rejected, part by asymptotics, and the largest level under 6 % that two cells can attain."""

    size: float
    asymptotic: float
    attainable: float | None


def measure(cell: Cell, runs: int, seed: int = 41) -> Found:
    """Run one line; equal tables are tested once."""
    rng = np.random.default_rng(seed)
    left, right = cell.draw(rng, runs, cell.m, cell.n)
    test = anderson_darling_binned if cell.ordered else chi_squared
    known: dict[bytes, float] = {}
    rejected, plain = 0, 0
    for a, b in zip(left, right, strict=True):
        key = a.tobytes() + b.tobytes()
        if key not in known:
            with patch("analytics.stats.two_sample.permutation_p_value", decided):
                known[key] = test(a, b).p_value
        p = known[key]
        if cell.missing:
            gone, now = (int(rng.binomial(n, cell.missing)) for n in (cell.m, cell.n))
            p = combine(p, [share_test(gone, cell.m - gone, now, cell.n - now)])
        used = a + b > 0
        rejected += p <= ALPHA
        plain += not sparse(a[used], b[used])
    return Found(rejected / runs, plain / runs, _attainable(left, right) if left.shape[1] == 2 else None)


def _attainable(left: np.ndarray, right: np.ndarray, most: int = 500) -> float:
    """Mean over tables of the largest level below 6 % that a test of two cells can have, given the margins."""
    found = []
    for a, b in zip(left[:most], right[:most], strict=True):
        test = share_test(int(a[1]), int(a[0]), int(b[1]), int(b[0]))
        levels = np.array([test.attained(p) for p in test.p_values])
        found.append(levels[levels < 0.06].max(initial=0.0))
    return float(np.mean(found))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for name, line in CELLS.items():
        if len(sys.argv) < 3 or any(part in name for part in sys.argv[2:]):
            got = measure(line, count)
            own = "" if got.attainable is None else f"{got.attainable:.1%}"
            print(f"| {name} | {got.size:.1%} | {got.asymptotic:.0%} | {own} |", flush=True)
