"""Seeded simulations of right scores: how often calibration tests cry wolf, and how often lines cover the truth.

Every replicate is a version of one project. Days and units move the chance of single rows up and down, but not on
average: what is tested is whether scores are right over days like these. docs/methods/calibration.md has the longer
runs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tests.ask.projects import BINARY, START, write_project

pytestmark = pytest.mark.statistical
REPLICATES = 150


class Design(NamedTuple):
    """Rows of one replicate: days x rows a day, with effects that rows of one day or unit share."""

    days: int
    per_day: int
    day_effect: float = 0.0
    units: int = 0
    unit_effect: float = 0.0
    base: float = -1.0
    grain: str = "all"
    replicates: int = REPLICATES


class Rates(NamedTuple):
    """Shares of replicates."""

    spiegelhalter: float
    gap: float
    plain_gap: float
    plain_spiegelhalter: float
    slope: float


def simulate(folder, design: Design, seed: int) -> Rates:
    rng = np.random.default_rng(seed)
    reps, n = design.replicates, design.days * design.per_day
    scores = expit(design.base + rng.normal(size=(reps, n)))
    day = np.repeat(np.arange(design.days), design.per_day)
    moved = (rng.choice([-1, 1], (reps, design.days)) * design.day_effect)[:, day]
    unit = rng.integers(0, max(design.units, 1), (reps, n))
    if design.units:
        of_unit = rng.choice([-1, 1], (reps, design.units)) * design.unit_effect
        moved = moved + np.take_along_axis(of_unit, unit, axis=1)
    labels = (rng.random((reps, n)) < scores + moved * scores * (1 - scores)).astype(int)
    inside = (np.tile(np.arange(design.per_day), design.days) + 0.5) / design.per_day
    frame = pd.DataFrame({
        "ts": np.tile(START + pd.to_timedelta((day + inside) * 86_400, unit="s").round("us"), reps),
        "score": scores.ravel(), "label": labels.ravel(), "u": unit.ravel().astype(str),
        "v": np.repeat([f"r{i}" for i in range(reps)], n),
    })  # fmt: skip
    toml = BINARY + 'version = "v"\n' + ('unit = "u"\n' if design.units else "")
    bench = write_project(folder, frame, toml)
    found = bench.calibration_tests(bench.scope(grain=design.grain))
    bench.close()
    tested = [row for row in found if row.p_value is not None]
    excess, spread = (labels - scores) * (1 - 2 * scores), (1 - 2 * scores) ** 2 * scores * (1 - scores)
    chance = scores * (1 - scores)
    return Rates(
        float(np.mean([row.p_value < 0.05 for row in tested])),
        float(np.mean([row.gap_p_value < 0.05 for row in tested])),
        float(np.mean(abs((scores - labels).sum(1)) > 1.96 * np.sqrt(chance.sum(1)))),
        float(np.mean(abs(excess.sum(1)) > 1.96 * np.sqrt(spread.sum(1)))),
        float(
            np.mean([row.slope_ci_low <= 1 <= row.slope_ci_high for row in tested if row.slope is not None])
        ),
    )


# three standard errors above what is promised: 6 % of independent rows, 10 % with days or units that differ
ROOM = 3 * (0.06 * 0.94 / REPLICATES) ** 0.5


@pytest.mark.parametrize("design", [Design(1, 400), Design(1, 1200, base=-4.0)])
def test_independent_rows_cry_wolf_in_one_of_twenty(tmp_path, design):
    rates = simulate(tmp_path, design, 1)
    assert max(rates.spiegelhalter, rates.gap) < 0.06 + ROOM
    assert rates.slope > 0.88


@pytest.mark.parametrize(
    "design",
    [
        Design(30, 30, day_effect=0.6),
        Design(12, 60, day_effect=0.6),
        Design(5, 100, day_effect=0.6),
        Design(1, 480, units=60, unit_effect=0.8),
        Design(84, 20, day_effect=0.6, grain="week", replicates=20),
    ],
)
def test_days_and_units_that_differ_are_no_fault_of_the_scores(tmp_path, design):
    rates = simulate(tmp_path, design, 2)
    room = 3 * (0.1 * 0.9 / REPLICATES) ** 0.5
    assert max(rates.spiegelhalter, rates.gap) < 0.10 + room
    if design.replicates == REPLICATES:
        # what rows taken as independent would say
        assert rates.plain_gap > rates.gap + 0.05


def test_what_is_off_is_found(tmp_path):
    rng = np.random.default_rng(3)
    reps, days, per_day = 60, 30, 40
    n = days * per_day
    scores = expit(-1 + rng.normal(size=(reps, n)))
    labels = (rng.random((reps, n)) < np.clip(scores + 0.06, 0, 1)).astype(int)
    frame = pd.DataFrame({
        "ts": np.tile(START + pd.to_timedelta(np.arange(n) * 86_400 / per_day, unit="s").round("us"), reps),
        "score": scores.ravel(), "label": labels.ravel(), "v": np.repeat([f"r{i}" for i in range(reps)], n),
    })  # fmt: skip
    bench = write_project(tmp_path, frame, BINARY + 'version = "v"\n')
    found = bench.calibration_tests()
    bench.close()
    assert np.mean([bool(row.miscalibrated) for row in found]) > 0.9
    assert np.mean([row.gap_ci_low <= -0.06 <= row.gap_ci_high for row in found]) > 0.88


TABLE = {
    "400 rows": Design(1, 400),
    "1,200 rows, 2.4 % positive": Design(1, 1200, base=-4.0),
    "600 rows, 2.4 % positive": Design(1, 600, base=-4.0),
    "30 days x 30": Design(30, 30),
    "30 days x 30, days differ": Design(30, 30, day_effect=0.6),
    "12 days x 60, days differ": Design(12, 60, day_effect=0.6),
    "100 days x 20, days differ": Design(100, 20, day_effect=0.6),
    "60 units, 480 rows, units differ": Design(1, 480, units=60, unit_effect=0.8),
    "12 weeks of 7 days x 20, days differ": Design(84, 20, day_effect=0.6, grain="week", replicates=34),
    "60 single days x 40, days differ": Design(60, 40, day_effect=0.6, grain="day", replicates=7),
    "7 days x 100, days differ": Design(7, 100, day_effect=0.6),
    "5 days x 100": Design(5, 100),
    "5 days x 100, days differ": Design(5, 100, day_effect=0.6),
    "3 days x 100, days differ": Design(3, 100, day_effect=0.6),
}
"""What docs/methods/calibration.md shows: `python -m tests.statistical.test_calibration_size`."""


def main(replicates: int = 400) -> None:
    """Print the table."""
    for name, design in TABLE.items():
        many = design if design.replicates != REPLICATES else design._replace(replicates=replicates)
        with tempfile.TemporaryDirectory() as folder:
            rates = simulate(Path(folder), many, 7)
        print(f"| {name} | " + " | ".join(f"{100 * rate:.1f}" for rate in rates) + " |", flush=True)


if __name__ == "__main__":
    main()
