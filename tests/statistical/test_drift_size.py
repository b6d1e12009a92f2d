"""How often the drift test cries wolf, and how often it sees what is there; docs/methods/drift.md has the table.

``python -m tests.statistical.test_drift_size 1000`` prints the table anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from analytics.drift.rows import DriftRow
from tests.drift.histograms import drift_of_arrays

RUNS = 100
Draw = Callable[[np.random.Generator], DriftRow]


def categories(codes: np.ndarray) -> np.ndarray:
    return np.array([f"k{i}" for i in range(codes.max() + 1)])[codes]


def independent(kind: str, n_reference: int, n: int, *, missing: float = 0.0, shift: float = 0.0) -> Draw:
    """Rows that have nothing to do with one another."""

    def sample(rng: np.random.Generator, size: int, move: float) -> np.ndarray:
        gone = rng.random(size) < missing
        if kind == "normal":
            return np.where(gone, np.nan, rng.normal(move, 1, size))
        if kind == "half zeros":
            return np.where(
                gone, np.nan, np.where(rng.random(size) < 0.5, 0.0, rng.exponential(1 + move, size))
            )
        k = int(kind.split(maxsplit=1)[0])
        shares = 1 / np.arange(1, k + 1) if kind.endswith("zipf") else np.ones(k)
        return np.where(gone, "", categories(rng.choice(k, size, p=shares / shares.sum())))

    return lambda rng: drift_of_arrays(sample(rng, n_reference, 0.0), sample(rng, n, shift))


def days(
    kind: str, reference_days: int, window_days: int, *, alike: float, follow: float = 0.0, shift: float = 0.0
) -> Draw:
    """About 60 rows a day that share an effect with this part of the variance; it follows that of the day before."""

    def draw(rng: np.random.Generator) -> DriftRow:
        total = reference_days + window_days
        effect = np.empty(total)
        effect[0] = rng.normal()
        for day in range(1, total):
            effect[day] = follow * effect[day - 1] + np.sqrt(1 - follow**2) * rng.normal()
        day = np.repeat(np.arange(total), rng.poisson(55, total) + 5).astype(float)
        late = day >= reference_days
        x = np.sqrt(alike) * effect[day.astype(int)] + np.sqrt(1 - alike) * rng.normal(size=len(day))
        x += shift * late
        if kind == "8 categories":
            x = categories(np.clip(((x + 2.5) / 5 * 8).astype(int), 0, 7))
        return drift_of_arrays(x[~late], x[late], day[~late], day[late])

    return draw


def units(
    kind: str, sides: str, *, alike: float, n_units: int = 300, rows: float = 8.0, shift: float = 0.0
) -> Draw:
    """Units with an effect of their own and some rows each, on several days; 40 days against 10 (or one stretch).

    ``sides``: every unit is on one side only ("apart"), or on both with rows on any day ("both"), or half of them.
    """

    def draw(rng: np.random.Generator) -> DriftRow:
        size = rng.poisson(rng.gamma(1.0, rows, n_units)) + 1  # some have many rows
        unit = np.repeat(np.arange(n_units), size)
        late = rng.random(len(unit)) < 0.25
        alone = np.arange(n_units) < {"apart": n_units, "both": 0, "half": n_units // 2}[sides]
        late = np.where(alone[unit], (rng.random(n_units) < 0.25)[unit], late)
        day = np.where(late, 40 + rng.integers(0, 10, len(unit)), rng.integers(0, 40, len(unit))).astype(
            float
        )
        x = np.sqrt(alike) * rng.normal(size=n_units)[unit] + np.sqrt(1 - alike) * rng.normal(size=len(unit))
        x += shift * late
        if kind == "8 categories":
            x = categories(np.clip(((x + 2.5) / 5 * 8).astype(int), 0, 7))
        if kind == "missing":
            x = np.where(x < -1, np.nan, rng.normal(size=len(unit)))
        return drift_of_arrays(
            x[~late],
            x[late],
            day[~late],
            day[late],
            units=(unit[~late].astype(float), unit[late].astype(float)),
        )

    return draw


SIZE: dict[str, Draw] = {
    "rows: normal, 1000 and 300": independent("normal", 1000, 300),
    "rows: normal with 5 % missing, 1000 and 300": independent("normal", 1000, 300, missing=0.05),
    "rows: half zeros, 1000 and 300": independent("half zeros", 1000, 300),
    "rows: normal, 40 and 35": independent("normal", 40, 35),
    "rows: 5 categories, 1000 and 300": independent("5 zipf", 1000, 300),
    "rows: 100 categories, 200 and 50": independent("100 zipf", 200, 50),
    "rows: 3000 categories, 300 and 1000": independent("3000 even", 300, 1000),
    "days alike (.3), 59 and 1": days("normal", 59, 1, alike=0.3),
    "days alike (.3), 59 and 7": days("normal", 59, 7, alike=0.3),
    "days alike (.3), 59 and 30": days("normal", 59, 30, alike=0.3),
    "days alike (.02), 59 and 30": days("normal", 59, 30, alike=0.02),
    "days alike (.3), 8 categories, 59 and 7": days("8 categories", 59, 7, alike=0.3),
    "days alike (.3), 8 categories, 59 and 30": days("8 categories", 59, 30, alike=0.3),
    "days alike (.3), 10 and 7": days("normal", 10, 7, alike=0.3),
    "units alike (.3) on one side each": units("normal", "apart", alike=0.3),
    "units alike (.3) on both sides": units("normal", "both", alike=0.3),
    "units alike (.3), half of them on both sides": units("normal", "half", alike=0.3),
    "units alike (.9) on one side each": units("normal", "apart", alike=0.9),
    "units alike (.3), 8 categories": units("8 categories", "apart", alike=0.3),
    "units alike (.5) in what is missing": units("missing", "apart", alike=0.5),
    "units alike (.3), 40 units": units("normal", "apart", alike=0.3, n_units=40, rows=40),
    "units not alike": units("normal", "half", alike=0.0),
}
BEYOND: dict[str, Draw] = {
    "days that follow one another (.3), 59 and 7": days("normal", 59, 7, alike=0.1, follow=0.3),
    "days that follow one another (.6), 59 and 7": days("normal", 59, 7, alike=0.1, follow=0.6),
    "days that follow one another (.6), 59 and 30": days("normal", 59, 30, alike=0.1, follow=0.6),
}
POWER: dict[str, Draw] = {
    "rows: normal shifted by .5, 1000 and 300": independent("normal", 1000, 300, shift=0.5),
    "rows: half zeros, the others doubled, 1000 and 300": independent("half zeros", 1000, 300, shift=1.0),
    "days alike (.05) shifted by .5, 59 and 7": days("normal", 59, 7, alike=0.05, shift=0.5),
    "days alike (.05) shifted by .5, 59 and 30": days("normal", 59, 30, alike=0.05, shift=0.5),
}


def rates(draw: Draw, runs: int) -> tuple[float, float, float]:
    """Parts of the runs with p <= .05, with p <= .01, and called drift."""
    rng = np.random.default_rng(7)
    rows = [draw(rng) for _ in range(runs)]
    p = np.array([row.p_value for row in rows], dtype=float)
    return float((p <= 0.05).mean()), float((p <= 0.01).mean()), float(np.mean([row.drifted for row in rows]))


@pytest.mark.statistical
@pytest.mark.parametrize("name", SIZE)
def test_no_drift_is_called_drift_at_most_one_time_in_twenty(name: str) -> None:
    small, tiny, drifted = rates(SIZE[name], RUNS)
    assert small <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / RUNS)
    assert tiny <= 0.01 + 2.6 * np.sqrt(0.01 * 0.99 / RUNS) + 1 / RUNS
    assert drifted <= small


@pytest.mark.statistical
def test_rows_taken_as_independent_would_cry_wolf_over_days_that_are_alike() -> None:
    rng = np.random.default_rng(8)
    found = []
    for _ in range(50):
        effect = np.sqrt(0.3) * rng.normal(size=66).repeat(60)
        x = effect + np.sqrt(0.7) * rng.normal(size=66 * 60)
        found.append(drift_of_arrays(x[: 59 * 60], x[59 * 60 :]).p_value)
    assert np.mean(np.array(found, dtype=float) <= 0.05) > 0.5


@pytest.mark.statistical
@pytest.mark.parametrize("name", POWER)
def test_real_drift_is_seen(name: str) -> None:
    assert rates(POWER[name], 60)[2] >= 0.85


@pytest.mark.statistical
def test_p_beyond_all_shuffles_is_right_to_a_factor() -> None:
    from analytics.drift.draws import BlockDraws, tail
    from analytics.stats.two_sample import anderson_darling_statistic

    rng = np.random.default_rng(9)
    blocks = rng.multinomial(60, np.full(10, 0.1), size=60).astype(float)
    blocks += rng.poisson(6, (60, 1)) * np.eye(10)[rng.integers(0, 10, 60)]
    order = np.argsort(rng.random((200_000, 60)), axis=1)[:, :25]
    chosen = np.zeros((200_000, 60))
    np.put_along_axis(chosen, order, 1.0, axis=1)
    drawn = chosen @ blocks
    null = np.sort(anderson_darling_statistic(blocks.sum(axis=0) - drawn, drawn))
    draws = BlockDraws.of(35, 25)
    few = draws.windows(blocks[:35], blocks[35:])
    statistics = anderson_darling_statistic(blocks.sum(axis=0) - few, few)
    for p in (3e-4, 1e-4, 3e-5):
        observed = float(null[-round(p * len(null))])
        if observed > statistics.max():
            assert p / 6 <= tail(observed, statistics, draws.arrangements) <= 6 * p


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for title, table in (("no drift", SIZE), ("outside the assumptions", BEYOND), ("drift", POWER)):
        for name, draw in table.items():
            small, tiny, drifted = rates(draw, runs)
            print(f"| {title} | {name} | {small:.1%} | {tiny:.1%} | {drifted:.1%} |", flush=True)
