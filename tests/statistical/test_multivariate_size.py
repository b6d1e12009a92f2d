"""False alarms and finds of drift over many columns: `python -m tests.statistical.test_multivariate_size 300`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from analytics.drift.multivariate import Rows, bring_together, map_of
from analytics.stats.domain_classifier import classify
from analytics.stats.mutual_information import dependence, plug_in
from analytics.stats.reconstruction import reconstruction

RUNS = 50
N_FEATURES = 6
Draw = Callable[[np.random.Generator], tuple[Rows, Rows]]


def draw(
    rng: np.random.Generator,
    days: tuple[int, int] = (30, 8),
    rows: tuple[int, int] = (30, 30),
    alike: float = 0.0,
    shift: float = 0.0,
    correlation: float = 0.0,
    unit_rows: int = 0,
) -> tuple[Rows, Rows]:
    """Rows of the reference and of the window: days of rows that share a part of their variance."""
    sides = []
    for late, (n_days, size) in enumerate(zip(days, rows, strict=True)):
        day = np.repeat(np.arange(n_days), size)
        x = np.sqrt(alike) * rng.normal(size=(n_days, N_FEATURES))[day]
        x += np.sqrt(1 - alike) * rng.normal(size=(len(day), N_FEATURES))
        unit = None
        if unit_rows:
            unit = np.arange(len(day)) // unit_rows
            x = np.sqrt(0.3) * rng.normal(size=(len(day), N_FEATURES))[unit] + np.sqrt(0.7) * x
        if late:
            x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
            x[:, 0] += shift
        columns = {f"x{i}": x[:, i] for i in range(N_FEATURES)}
        names = None if unit is None else unit.astype(object)
        sides.append(Rows(columns, day, names, np.ones(len(day)), np.arange(len(day))))
    return sides[0], sides[1]


def p_classifier(sides: tuple[Rows, Rows]) -> float:
    both = bring_together(*sides, 10_000)
    return classify(map_of(both).design(), both.sides, draws=99)[0].p_value


def p_reconstruction(sides: tuple[Rows, Rows]) -> float:
    both = bring_together(*sides, 10_000)
    found = reconstruction(
        [both.column(name) for name in both.names], both.sides.side, both.stretch, both.sides.weight
    )
    return found.p_value


SIZE: dict[str, Draw] = {
    "rows, one block": partial(draw, days=(1, 1), rows=(600, 300)),
    "units of 5 rows alike (.3), one block": partial(draw, days=(1, 1), rows=(600, 300), unit_rows=5),
    "days not alike, 30 and 8": draw,
    "days alike (.1), 30 and 8": partial(draw, alike=0.1),
    "days alike (.4), 30 and 8": partial(draw, alike=0.4),
    "days alike (.1), 59 and 7": partial(draw, days=(59, 7), rows=(20, 20), alike=0.1),
    "days alike (.1), 40 and 2": partial(draw, days=(40, 2), alike=0.1),
    "days alike (.1), 39 and 1": partial(draw, days=(39, 1), alike=0.1),
    "days alike (.1), the window's days three times as full": partial(draw, rows=(30, 90), alike=0.1),
    "days alike (.1), 8 and 8": partial(draw, days=(8, 8), alike=0.1),
}
POWER: dict[str, Draw] = {
    "one feature shifted by .25, days not alike": partial(draw, rows=(60, 60), shift=0.25),
    "one feature shifted by .7, days alike (.1)": partial(draw, alike=0.1, shift=0.7),
    "correlation 0 to .5, days not alike": partial(draw, rows=(60, 60), correlation=0.5),
    "correlation 0 to .7, days alike (.1)": partial(draw, rows=(60, 60), alike=0.1, correlation=0.7),
}
METHODS = {"classifier": p_classifier, "reconstruction": p_reconstruction}


def rate(how: Draw, method: str, runs: int) -> float:
    """Part of the runs with p <= .05."""
    return float(np.mean([METHODS[method](how(np.random.default_rng(seed))) <= 0.05 for seed in range(runs)]))


def rate_of_naive(runs: int, alike: float) -> float:
    """The same where rows are taken as independent: what the peers do."""
    hits = []
    for seed in range(runs):
        reference, window = draw(np.random.default_rng(seed), alike=alike)
        flat = [
            Rows(one.columns, np.zeros_like(one.block), None, one.weight, one.place)
            for one in (reference, window)
        ]
        hits.append(p_classifier((flat[0], flat[1])) <= 0.05)
    return float(np.mean(hits))


@pytest.mark.statistical
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SIZE)
def test_no_drift_is_seldom_called_drift(name: str, method: str) -> None:
    allowed = 0.05 if method == "classifier" else 0.07
    assert rate(SIZE[name], method, RUNS) <= allowed + 2.6 * np.sqrt(allowed * (1 - allowed) / RUNS)


@pytest.mark.statistical
def test_rows_taken_as_independent_would_nearly_always_alarm() -> None:
    assert rate_of_naive(30, 0.1) > 0.5


@pytest.mark.statistical
@pytest.mark.parametrize("name", POWER)
def test_drift_is_found(name: str) -> None:
    assert rate(POWER[name], "classifier", 40) >= 0.5


def exchanged(rng: np.random.Generator, alike: float, slope: float) -> tuple[float, float, float, float]:
    """Mutual information of a feature and a loss that are alike within days: p, value and interval."""
    day = np.repeat(np.arange(60), 40)
    x = np.sqrt(alike) * rng.normal(size=60)[day] + np.sqrt(1 - alike) * rng.normal(size=len(day))
    loss = np.sqrt(alike) * rng.normal(size=60)[day] + np.sqrt(1 - alike) * rng.normal(size=len(day))
    loss = slope * x + np.sqrt(1 - slope**2) * loss
    found = dependence(*_codes(x, loss), day, np.ones(len(day)), draws=99)
    return tuple(float(value[0]) for value in (found.p_value, found.value, found.ci_low, found.ci_high))


def _codes(x: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    tenths = np.searchsorted(np.quantile(x, np.arange(1, 10) / 10), x)
    return tenths[:, None], np.searchsorted(np.quantile(loss, [0.25, 0.5, 0.75]), loss)


def truth(slope: float) -> float:
    """The same of very many rows."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=1_000_000)
    tenths, fourths = _codes(x, slope * x + np.sqrt(1 - slope**2) * rng.normal(size=x.size))
    table = np.bincount(tenths[:, 0] * 4 + fourths, minlength=40).reshape(10, 4).astype(float)
    return float(plug_in(table))


@pytest.mark.statistical
@pytest.mark.parametrize("alike", [0.0, 0.3])
def test_days_alike_are_no_dependence(alike: float) -> None:
    p = [exchanged(np.random.default_rng(seed), alike, 0.0)[0] for seed in range(60)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 60)


@pytest.mark.statistical
def test_intervals_of_dependence_hold() -> None:
    real = truth(0.3)
    found = [exchanged(np.random.default_rng(seed), 0.0, 0.3) for seed in range(60)]
    assert np.mean([one[1] for one in found]) == pytest.approx(real, abs=0.006)
    assert np.mean([low <= real <= high for _, _, low, high in found]) >= 0.85


def main(runs: int) -> None:
    print("| | classifier | reconstruction error |\n| --- | --- | --- |")
    for kind, cases in (("no drift", SIZE), ("drift", POWER)):
        for name, how in cases.items():
            found = [rate(how, method, runs) for method in METHODS]
            print(f"| {kind}; {name} | {found[0]:.1%} | {found[1]:.1%} |", flush=True)
    print("rows taken as independent, days alike (.1):", f"{rate_of_naive(min(runs, 100), 0.1):.1%}")
    for alike in (0.0, 0.3):
        p = np.array([exchanged(np.random.default_rng(seed), alike, 0.0)[0] for seed in range(runs)])
        print(
            f"mutual information, no dependence, days alike ({alike}): {np.mean(p <= 0.05):.1%}", flush=True
        )
    real = truth(0.3)
    found = np.array([exchanged(np.random.default_rng(seed), 0.0, 0.3) for seed in range(runs)])
    inside = (found[:, 2] <= real) & (real <= found[:, 3])
    print(
        f"correlation .3: {real:.4f} bits, mean estimate {found[:, 1].mean():.4f}, intervals hold {inside.mean():.1%}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
