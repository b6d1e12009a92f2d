"""Tolerances in plain units, shifts, and the p-value of "more than tolerated"."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from analytics.ask.drift import drift_of
from analytics.errors import ProjectError, TelemetryError
from analytics.project import Drift, Tolerance
from analytics.scope import Scope
from tests.drift.histograms import drift_of_arrays
from tests.drift.projects import open_project

RNG = np.random.default_rng(17)
NORMAL = special.ndtri((np.arange(20_000) + 0.5) / 20_000)


def test_a_tolerance_is_a_share_or_a_shift_alone_or_by_feature() -> None:
    assert Drift().declared("x") == Tolerance(0.05)
    assert Drift(tolerance="0.2 sd").declared("x") == (0.2, "sd")
    table = Drift(tolerance={"default": ".1 quantiles", "x": "1 sd", "y": 0.3})
    assert [table.declared(name) for name in ("x", "y", "z")] == [
        (1, "sd"),
        (0.3, "share"),
        (0.1, "quantile"),
    ]
    assert (table.tolerance_of("x"), table.tolerance_of("y")) == (0.05, 0.3)


@pytest.mark.parametrize("text", ["0.2", "0.2 sigma", "-1 sd", "sd", "", "0.6 quantile"])
def test_what_is_no_tolerance_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"0\.2 sd|no shift"):
        Drift(tolerance=text)
    with pytest.raises(ValueError, match=r"0\.2 sd|no shift"):
        Drift(tolerance={"x": text})


@pytest.mark.parametrize("shift", [0.1, 0.2, 0.5, 1.0])
def test_a_shift_of_a_normal_feature_moves_what_it_should(shift: float) -> None:
    """Total variation of two normals a shift apart: 2 Phi(shift / 2) - 1, as far as bins show it."""
    row = drift_of_arrays(NORMAL, NORMAL + shift, settings=Drift(tolerance=f"{shift} sd"))
    assert (row.tolerance, row.tolerance_unit) == (shift, "sd")
    assert row.tolerance_share == pytest.approx(2 * special.ndtr(shift / 2) - 1, rel=0.07)
    assert row.shift_sd == pytest.approx(shift, rel=1e-3)
    assert row.shift_quantiles == pytest.approx(special.ndtr(shift / math.sqrt(2)) - 0.5, rel=0.02)


@pytest.mark.parametrize("shift", [0.05, 0.2, 0.4])
def test_a_shift_by_quantiles_is_one_of_the_mean_rank(shift: float) -> None:
    away = math.sqrt(2) * special.ndtri(0.5 + shift)
    row = drift_of_arrays(NORMAL, NORMAL + away, settings=Drift(tolerance=f"{shift} quantile"))
    assert row.shift_quantiles == pytest.approx(shift, rel=0.03)
    assert row.tolerance_share == pytest.approx(row.total_variation, rel=0.1)


def test_shifts_are_those_of_the_rows() -> None:
    reference, window = RNG.integers(0, 8, 900).astype(float), RNG.integers(1, 10, 400).astype(float)
    row = drift_of_arrays(reference, window)
    assert row.shift_sd == pytest.approx((window.mean() - reference.mean()) / reference.std())
    larger = stats.mannwhitneyu(window, reference).statistic / (900 * 400)
    assert row.shift_quantiles == pytest.approx(larger - 0.5)


def test_a_large_mean_does_not_swallow_the_spread() -> None:
    x = RNG.normal(size=2000)
    row = drift_of_arrays(1e9 + x, 1e9 + x + 0.5)
    assert row.shift_sd == pytest.approx(0.5 / x.std(), rel=1e-5)


def test_features_with_few_values_keep_a_sensible_tolerance() -> None:
    """No room between the values is asked for: half zeros do not all move with a shift of a fifth of a spread."""
    zeros = np.where(RNG.random(5000) < 0.5, 0.0, RNG.exponential(1, 5000))
    for tolerance, low, high in (("0.2 sd", 0.05, 0.12), ("0.1 quantile", 0.1, 0.25)):
        row = drift_of_arrays(zeros, zeros, settings=Drift(tolerance=tolerance))
        assert row.tolerance_share is not None
        assert low < row.tolerance_share < high


def test_a_constant_feature_and_texts() -> None:
    row = drift_of_arrays(np.full(300, 4.0), np.full(200, 4.0), settings=Drift(tolerance="0.2 sd"))
    assert (row.tolerance_share, row.shift_sd, row.shift_quantiles) == (0, None, 0)
    texts = RNG.choice(list("abc"), 500)
    row = drift_of_arrays(texts, texts, settings=Drift(tolerance="0.2 sd"))
    assert (row.tolerance, row.tolerance_unit, row.tolerance_share) == (0.05, "share", 0.05)
    assert (row.shift_sd, row.shift_quantiles) == (None, None)


def test_a_shift_below_the_tolerance_is_no_drift() -> None:
    reference, window = RNG.normal(size=20_000), RNG.normal(0.35, 1, 5000)
    rows = {t: drift_of_arrays(reference, window, settings=Drift(tolerance=t)) for t in ("0.2 sd", "0.5 sd")}
    assert [row.drifted for row in rows.values()] == [True, False]
    beyond = [row.p_beyond_tolerance for row in rows.values()]
    assert beyond[0] is not None
    assert beyond[0] < 1e-3
    assert beyond[1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "key, words",
    [
        (
            'tolerance = { c = "0.2 sd" }',
            'drift.tolerance.c: a shift in "sd" needs numbers, and c is categorical',
        ),
        ('tolerance = { decision = "0.2 quantile" }', "drift.tolerance.decision: a shift"),
        ('tolerance = "0.2 sigma"', "drift.tolerance: should be a valid number"),
        ('tolerance = { x = "much" }', "drift.tolerance.x: should be a valid number"),
    ],
)
def test_the_key_is_named_where_a_tolerance_makes_no_sense(tmp_path: Path, key: str, words: str) -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=100), "c": RNG.choice(["a", "b"], 100), "d": 1})
    with pytest.raises((ProjectError, TelemetryError)) as caught:
        open_project(tmp_path, frame, frame, 'features = ["x", "c"]', 'decision = "d"', "[drift]", key)
    assert words in str(caught.value)


def test_a_tolerance_in_the_project_file_reaches_the_records(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=600), "c": RNG.choice(["a", "b"], 600)})
    keys = ('features = ["x", "c"]', "[drift]", 'tolerance = { default = 0.1, x = "0.25 sd" }')
    catalog = open_project(tmp_path, frame, frame, *keys)
    records = {record["feature"]: record for record in drift_of(catalog, Scope()).to_records()}
    catalog.close()
    assert (records["x"]["tolerance"], records["x"]["tolerance_unit"]) == (0.25, "sd")
    assert (records["c"]["tolerance"], records["c"]["tolerance_unit"]) == (0.1, "share")
    assert records["x"]["tolerance_share"] == pytest.approx(0.1, abs=0.02)
    assert records["x"]["shift_sd"] == 0


@pytest.mark.statistical
@pytest.mark.parametrize("tolerance", ["0.2 sd", "0.1 quantile", "share"])
@pytest.mark.parametrize("sizes", [(1000, 500), (20_000, 5000)])
def test_the_tolerated_shift_is_rarely_called_more(tolerance: str, sizes: tuple[int, int]) -> None:
    shift = math.sqrt(2) * special.ndtri(0.6) if tolerance == "0.1 quantile" else 0.2
    declared = 2 * special.ndtr(0.1) - 1 if tolerance == "share" else tolerance
    rng, runs = np.random.default_rng(3), 150
    settings = Drift(tolerance=float(declared) if tolerance == "share" else declared)

    def rate(move: float) -> float:
        found = [
            drift_of_arrays(rng.normal(size=sizes[0]), rng.normal(move, 1, sizes[1]), settings=settings)
            for _ in range(runs)
        ]
        return float(np.mean([(row.p_beyond_tolerance or 0.0) <= 0.05 for row in found]))

    assert rate(shift) <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / runs)
    assert rate(shift * 1.6 + 6 / math.sqrt(sizes[1])) > 0.8
