"""Expected calibration error: definitions, noise floor, coverage of the interval for the true error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from analytics.stats import calibration


def _binned(score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    position = calibration.score_bins(score)
    n = np.bincount(position, minlength=10).astype(float)
    rows = np.maximum(n, 1)
    return n, np.bincount(position, score, 10) / rows, np.bincount(position, label, 10) / rows


def test_value_and_debiased_value_follow_their_definitions() -> None:
    rng = np.random.default_rng(1)
    score = rng.random(500)
    label = (rng.random(500) < score**2).astype(float)
    position = np.minimum(np.floor(10 * score), 9)
    value = excess = 0.0
    variance = np.zeros(10)
    for b in range(10):
        e = (label - score)[position == b]
        value += e.size / 500 * abs(e.mean())
        excess += e.size / 500 * (e.mean() ** 2 - e.var(ddof=1) / e.size)
        variance[b] = e.var(ddof=1)
    found = calibration.calibration_error(*_binned(score, label), 0.95, residual_variance=variance)
    assert found.value == pytest.approx(value)
    assert found.debiased == pytest.approx(np.sqrt(excess))
    assert found.low <= found.value <= found.high


def test_edges_of_the_bins() -> None:
    assert calibration.score_bins([0, 0.1, 0.7, 0.99999, 1]).tolist() == [0, 1, 7, 9, 9]


@pytest.mark.parametrize(
    "n,p", [(1, 0.3), (7, 0.02), (7, 0.5), (40, 0.9), (3000, 0.001), (50, 0.0), (50, 1.0)]
)
def test_noise_floor_is_the_mean_absolute_deviation(n: int, p: float) -> None:
    k = np.arange(n + 1)
    expected = float(stats.binom.pmf(k, n, p) @ np.abs(k / n - p))
    assert calibration.noise_floor([n], [p]) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_noise_floor_is_what_the_plug_in_gives_without_miscalibration() -> None:
    rng = np.random.default_rng(2)
    values, floors = [], []
    for _ in range(400):
        score = rng.beta(0.3, 3, size=400)
        found = calibration.calibration_error(*_binned(score, rng.random(400) < score), 0.95)
        values.append(found.value)
        floors.append(found.noise_floor)
    assert np.mean(floors) == pytest.approx(np.mean(values), rel=0.03)


def test_debiased_error_is_right_where_the_plug_in_is_not() -> None:
    rng, squares, plug_ins = np.random.default_rng(3), [], []
    for _ in range(400):
        score = rng.random(300)
        found = calibration.calibration_error(*_binned(score, rng.random(300) < score), 0.95)
        squares.append(found.debiased)
        plug_ins.append(found.value)
    assert np.median(squares) < 0.03
    assert np.mean(plug_ins) > 0.05


def test_weights_replicate_rows_and_draws_are_the_same_every_time() -> None:
    n, score, label = np.array([30.0, 0, 70]), np.array([0.1, 0, 0.8]), np.array([0.2, 0, 0.7])
    plain = calibration.calibration_error(n, score, label, 0.95)
    assert calibration.calibration_error(n, score, label, 0.95, share=[0.3, 0, 0.7]) == plain
    assert calibration.calibration_error(n, score, label, 0.95, share=[0.6, 0, 0.4]).value == pytest.approx(
        0.1
    )
    shifted = calibration.calibration_error(n, score, label, 0.95, share=[0.6, 0, 0.4])
    assert shifted.low <= shifted.value <= shifted.high


def test_limits_are_those_of_all_steps_though_fewer_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    cases = []
    for off in (0.0, 0.05, 0.3):
        score = rng.random(2000) ** 2
        cases.append(_binned(score, (rng.random(2000) < np.clip(score + off, 0, 1)).astype(float)))
    found = [calibration.calibration_error(*case, 0.95) for case in cases]
    monkeypatch.setattr(calibration, "_AT_ONCE", 20)
    for few, case in zip(found, cases, strict=True):
        assert few == pytest.approx(calibration.calibration_error(*case, 0.95), abs=1e-12)


@pytest.mark.parametrize("label", [0.0, 0.04, 1.0])
def test_degenerate_bins_give_sensible_limits(label: float) -> None:
    for score in (0.0, 0.04, 1.0):
        found = calibration.calibration_error([25], [score], [label], 0.95)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert all(np.isfinite(found))
    with pytest.raises(ValueError, match="at least one row"):
        calibration.calibration_error([0], [0], [0], 0.95)


def test_a_single_row_says_nothing_about_its_own_noise() -> None:
    assert calibration.debiased_error([1, 0], [1, 0], [0.9, 0], [0, 0]) == 0
    assert calibration.debiased_error([4, 1], [0.8, 0.2], [0.5, 0.9], [0.04, 7]) == pytest.approx(
        np.sqrt(0.8 * (0.25 - 0.01))
    )


@pytest.mark.statistical
def test_upper_limit_where_errors_are_as_small_as_the_noise() -> None:
    """The plug-in's bias is smallest where slight errors are everywhere. Measured: missed .03, not .08."""
    rng, missed = np.random.default_rng(5), []
    every = rng.beta(2, 5, size=400_000)
    n, score, rate = _binned(every, expit(logit(every) + 0.1))
    truth = float(n / n.sum() @ np.abs(score - rate))
    for _ in range(400):
        drawn = rng.beta(2, 5, size=5000)
        label = rng.random(5000) < expit(logit(drawn) + 0.1)
        missed.append(calibration.calibration_error(*_binned(drawn, label), 0.95).high < truth)
    assert np.mean(missed) <= 0.05


MAPS = {
    "perfect": lambda p: p,
    "slight": lambda p: expit(logit(p) + 0.2),
    "overconfident": lambda p: expit(0.7 * logit(p)),
    "strong": lambda p: expit(logit(p) + 1),
    "one bin": lambda p: np.where((p > 0.2) & (p < 0.3), p + 0.15, p),
}


@pytest.mark.statistical
@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (0.3, 3)])
def test_interval_coverage(kind: str, shape: tuple[float, float]) -> None:
    """Measured with 250 draws a cell over four score shapes, seven maps and n = 100 to 5,000: mean .965,
    lowest .93 where ten positives are expected (.85 with a single one).
    """
    rng = np.random.default_rng(4)
    every = np.clip(rng.beta(*shape, size=400_000), 1e-9, 1 - 1e-9)
    n, score, rate = _binned(every, MAPS[kind](every))
    truth = float(n / n.sum() @ np.abs(score - rate))
    covered = []
    for size in (100, 300, 1000, 5000):
        for _ in range(60):
            drawn = np.clip(rng.beta(*shape, size=size), 1e-9, 1 - 1e-9)
            found = calibration.calibration_error(*_binned(drawn, rng.random(size) < MAPS[kind](drawn)), 0.95)
            covered.append(found.low <= truth + 1e-12 and truth <= found.high)
    assert np.mean(covered) >= 0.925
