"""Drift against an earlier window, another version or segment: how often it cries wolf when there is nothing.

``python -m tests.statistical.test_against_size 1000`` prints the table of docs/methods/drift-against.md anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from analytics.aggregates.features import CellHistogram
from analytics.drift.against import PairedStretch, Stretch, earlier, paired, with_unseen_listed
from analytics.drift.compute import drift_rows
from analytics.drift.rows import DriftRow
from analytics.project import Drift
from tests.drift.histograms import KEY, WINDOW, category_bins, cell, numeric_bins

RUNS = 75
Draw = Callable[[np.random.Generator], DriftRow]
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def logged(
    rng: np.random.Generator,
    days: int,
    *,
    alike: float,
    apart: float = 0.0,
    small: float = 0.3,
    shift: float = 0.0,
    follow: float = 0.0,
) -> Rows:
    """Value, day and side of about 160 rows a day.

    Args:
        alike: part of the variance that all rows of a day share.
        apart: part that rows of one side of a day share.
        small: part of the rows that are on the second side.
        shift: by which the second side lies higher.
        follow: correlation of what a day shares with that of the day before.
    """
    day = np.repeat(np.arange(days), rng.poisson(155, days) + 5)
    side = (rng.random(len(day)) < small).astype(int)
    effect = rng.normal(size=days)
    for later in range(1, days):
        effect[later] = follow * effect[later - 1] + np.sqrt(1 - follow**2) * effect[later]
    x = np.sqrt(alike) * effect[day] + np.sqrt(apart) * rng.normal(size=(days, 2))[day, side]
    x += np.sqrt(1 - alike - apart) * rng.normal(size=len(day)) + shift * side
    return x, day.astype(float), side


def counted(rows: Rows, keep: np.ndarray, kind: str) -> CellHistogram:
    x, day, _ = rows
    if kind == "numeric":
        x = np.where(np.abs(x) < 0.05, np.nan, x)
        return with_unseen_listed(cell((numeric_bins(x),), [x[keep]], day[keep]))
    words = np.array([f"k{i}" for i in range(12)])[np.clip(((x + 2.5) / 5 * 12).astype(int), 0, 11)]
    return with_unseen_listed(cell((category_bins(words, day),), [words[keep]], day[keep]))


def one_before(
    window: int, stretch: int, *, alike: float, kind: str = "numeric", shift: float = 0.0, follow: float = 0.0
) -> Draw:
    """A window of some days against as many before it, in logs of `stretch` days."""

    def draw(rng: np.random.Generator) -> DriftRow:
        x, day, side = logged(rng, stretch, alike=alike, follow=follow)
        x = x + shift * (day >= stretch - window)
        rows = (x, day, side)
        parts = [
            counted(rows, keep, kind)
            for keep in (
                (day >= stretch - 2 * window) & (day < stretch - window), day >= stretch - window, day >= 0,
            )
        ]  # fmt: skip
        compared = earlier(None, (KEY, parts[1]), parts[0], Stretch.of(parts[2]))
        return drift_rows([compared], [WINDOW], Drift())[0]

    return draw


def same_days(
    window: int,
    stretch: int,
    *,
    alike: float = 0.3,
    apart: float = 0.0,
    small: float = 0.3,
    kind: str = "numeric",
    shift: float = 0.0,
) -> Draw:
    """Two sides of the same days."""

    def draw(rng: np.random.Generator) -> DriftRow:
        rows = logged(rng, stretch, alike=alike, apart=apart, small=small, shift=shift)
        _, day, side = rows
        late = day >= stretch - window
        left, right, all_left, all_right = (
            counted(rows, keep, kind)
            for keep in (late & (side == 0), late & (side == 1), side == 0, side == 1)
        )
        longer = PairedStretch.of(all_left, all_right) if stretch > window else None
        return drift_rows([paired(None, (KEY, right), left, longer)], [WINDOW], Drift())[0]

    return draw


SIZE: dict[str, Draw] = {
    "the day before, days alike (.3), learnt from 60": one_before(1, 60, alike=0.3),
    "the week before, days alike (.3), learnt from 60": one_before(7, 60, alike=0.3),
    "the day before, 12 categories, days alike (.3)": one_before(1, 60, alike=0.3, kind="categories"),
    "the day before, rows independent": one_before(1, 60, alike=0.0),
    "same 30 days, alike (.3)": same_days(30, 30),
    "same 30 days, alike (.3), sides apart (.1)": same_days(30, 30, apart=0.1),
    "same 9 days, alike (.3), sides apart (.1)": same_days(9, 9, apart=0.1),
    "same 30 days, 12 categories, sides apart (.1)": same_days(30, 30, apart=0.1, kind="categories"),
    "same day, alike (.3), learnt from 30": same_days(1, 30, small=0.5),
    "same day, sides apart (.1), learnt from 30": same_days(1, 30, apart=0.1, small=0.5),
    "same 5 days, sides apart (.1), a tenth, learnt from 30": same_days(5, 30, apart=0.1, small=0.1),
}
BEYOND: dict[str, Draw] = {
    "the day before, days that follow one another (.3)": one_before(1, 60, alike=0.3, follow=0.3),
    "the week before, days that follow one another (.3)": one_before(7, 60, alike=0.3, follow=0.3),
    "the week before, days that follow one another (.6)": one_before(7, 60, alike=0.3, follow=0.6),
}
POWER: dict[str, Draw] = {
    "the week before, days alike (.05), shifted by .7": one_before(7, 60, alike=0.05, shift=0.7),
    "same 30 days, alike (.3), shifted by .5": same_days(30, 30, shift=0.5),
    "same day, alike (.3), shifted by 1.5, learnt from 30": same_days(1, 30, small=0.5, shift=1.5),
}


def rates(draw: Draw, runs: int) -> tuple[float, float, float]:
    """Parts of the runs with p <= .05, with p <= .01, and called drift."""
    rng = np.random.default_rng(17)
    rows = [draw(rng) for _ in range(runs)]
    p = np.array([row.p_value for row in rows], dtype=float)
    return float((p <= 0.05).mean()), float((p <= 0.01).mean()), float(np.mean([row.drifted for row in rows]))


@pytest.mark.statistical
@pytest.mark.parametrize("name", SIZE)
def test_no_drift_is_called_drift_about_one_time_in_twenty(name: str) -> None:
    small, tiny, drifted = rates(SIZE[name], RUNS)
    assert small <= 0.06 + 2.6 * np.sqrt(0.06 * 0.94 / RUNS)
    assert tiny <= 0.02 + 2.6 * np.sqrt(0.02 * 0.98 / RUNS)
    assert drifted <= small


@pytest.mark.statistical
@pytest.mark.parametrize("name", POWER)
def test_real_differences_are_seen(name: str) -> None:
    assert rates(POWER[name], 40)[2] >= 0.6


@pytest.mark.statistical
def test_sides_of_the_same_days_are_no_two_samples_of_days() -> None:
    """Shuffling days between the sides would miss what the day-by-day difference shows at once."""
    draw = same_days(30, 30, alike=0.6, shift=0.25)
    rng = np.random.default_rng(3)
    assert np.mean([(draw(rng).p_value or 1) <= 0.05 for _ in range(30)]) >= 0.8


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for title, table in (("no drift", SIZE), ("no drift, but", BEYOND), ("drift", POWER)):
        for name, draw in table.items():
            small, tiny, drifted = rates(draw, runs)
            print(f"| {title}; {name} | {small:.1%} | {tiny:.1%} | {drifted:.1%} |", flush=True)
