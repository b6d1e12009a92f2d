"""Distances on bins: scipy's values, properties, and noise floors against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from analytics.stats import distances

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=12).filter(
    lambda rows: sum(a for a, _ in rows) > 0 and sum(b for _, b in rows) > 0
)


def _shares(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    counts = np.array(rows, dtype=float).T
    return counts[0] / counts[0].sum(), counts[1] / counts[1].sum()


@given(rows=COUNTS)
def test_distances_match_scipy_and_are_symmetric(rows: list[tuple[int, int]]) -> None:
    p, q = _shares(rows)
    assert distances.js_distance(p, q) == pytest.approx(np.nan_to_num(jensenshannon(p, q, base=2)), abs=1e-7)
    for measure in (distances.js_distance, distances.psi, distances.total_variation):
        assert measure(p, q) == pytest.approx(measure(q, p), abs=1e-12)
        assert measure(p, p) == pytest.approx(0, abs=1e-7)
        assert measure(p, q) >= 0
        order = np.random.default_rng(0).permutation(p.size)
        assert measure(p[order], q[order]) == pytest.approx(measure(p, q), abs=1e-9)
    assert distances.js_distance(p, q) <= 1
    assert distances.total_variation(p, q) <= 1 + 1e-12


def test_psi_raises_zeros_and_does_not_renormalise() -> None:
    expected = (
        (0.5 - 0.3) * np.log(0.5 / 0.3) + (0.5 - 0.7) * np.log(0.5 / 0.7) + (1e-4 - 0.2) * np.log(1e-4 / 0.2)
    )
    assert distances.psi([0.5, 0.5, 0], [0.3, 0.5, 0.2]) == pytest.approx(
        expected - (0.5 - 0.7) * np.log(0.5 / 0.7)
    )
    both = distances.psi([[0.5, 0.5], [1, 0]], [[0.4, 0.6], [0, 1]])
    assert both == pytest.approx([0.040547, 2 * 0.9999 * np.log(1e4)], rel=1e-4)


@given(seed=st.integers(0, 10_000), shift=st.floats(-2, 2))
def test_ks_of_the_rows_lies_within_the_bound(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=120), rng.normal(size=70) + shift
    edges = np.quantile(left, np.linspace(0.05, 0.95, 19), method="inverted_cdf")
    a, b = (np.bincount(np.searchsorted(edges, side, side="right"), minlength=20) for side in (left, right))
    found = distances.ks_from_bins(a, b)
    exact = stats.ks_2samp(left, right).statistic
    assert found.statistic - 1e-9 <= exact <= found.statistic + found.bound + 1e-9
    assert found.bound <= max(a.max() / 120, b.max() / 70) + 1e-9


def test_ks_is_exact_at_edges_and_missing_without_rows() -> None:
    found = distances.ks_from_bins([[2, 3, 5], [1, 0, 0]], [[5, 3, 2], [0, 0, 0]])
    assert found.statistic[0] == pytest.approx(0.3)
    assert np.isnan(found.statistic[1])


def _wasserstein(left: np.ndarray, right: np.ndarray, edges: np.ndarray) -> float:
    positions = [np.searchsorted(edges, side, side="right") for side in (left, right)]
    counts = [np.bincount(position, minlength=edges.size + 1) for position in positions]
    means = [
        [side[position == k].mean() if (position == k).any() else 0.0 for k in (0, edges.size)]
        for side, position in zip((left, right), positions, strict=True)
    ]
    return distances.wasserstein_from_bins(edges, counts[0], counts[1], means[0], means[1])


@pytest.mark.parametrize("kind", ["shifted", "scaled", "heavy tails", "far away", "one-sided"])
def test_wasserstein_matches_rows_tails_included(kind: str) -> None:
    rng = np.random.default_rng(1)
    left = rng.normal(size=20_000)
    right = {
        "shifted": rng.normal(size=8000) + 0.4,
        "scaled": rng.normal(size=8000) * 2,
        "heavy tails": rng.standard_t(1.5, size=8000),
        "far away": rng.normal(size=8000) + 50,
        "one-sided": rng.exponential(5, size=8000),
    }[kind]
    edges = np.unique(np.quantile(left, np.linspace(0.05, 0.95, 19), method="inverted_cdf"))
    assert _wasserstein(left, right, edges) == pytest.approx(
        stats.wasserstein_distance(left, right), rel=0.02
    )


@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 100), offset=st.floats(-1e3, 1e3))
def test_wasserstein_is_exact_between_spikes_and_moves_with_the_unit(
    seed: int, factor: float, offset: float
) -> None:
    """Values with bins of their own: nothing is interpolated, so rows and bins agree."""
    rng = np.random.default_rng(seed)
    values = np.array([-2.0, 0.0, 1.0, 7.0])
    left, right = rng.choice(values, 60), rng.choice(values, 45, p=[0.1, 0.4, 0.4, 0.1])
    edges = np.sort(np.concatenate([values, np.nextafter(values, np.inf)]))
    expected = stats.wasserstein_distance(left, right)
    assert _wasserstein(left, right, edges) == pytest.approx(expected, abs=1e-9)
    assert _wasserstein(right, left, edges) == pytest.approx(expected, abs=1e-9)
    scaled = values * factor + offset
    edges = np.sort(np.concatenate([scaled, np.nextafter(scaled, np.inf)]))
    left, right = (scaled[np.searchsorted(values, side)] for side in (left, right))
    assert _wasserstein(left, right, edges) == pytest.approx(expected * factor, rel=1e-6, abs=1e-7)


def test_wasserstein_where_the_distribution_functions_cross_inside_a_bin() -> None:
    assert distances.wasserstein_from_bins([0, 1], [2, 0, 2], [0, 4, 0], [0, 1], [0, 1]) == pytest.approx(
        0.25
    )
    assert distances.wasserstein_from_bins([0, 1], [1, 0, 3], [0, 4, 0], [0, 1], [0, 1]) == pytest.approx(
        (0.25**2 + 0.75**2) / 2
    )


def test_wasserstein_refuses_what_it_cannot_read() -> None:
    with pytest.raises(ValueError, match="one bin more than edges"):
        distances.wasserstein_from_bins([0.0], [1, 1, 1], [1, 1, 1], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="rows on both sides"):
        distances.wasserstein_from_bins([0.0], [1, 1], [0, 0], [0, 1], [0, 1])


@pytest.mark.statistical
@pytest.mark.parametrize("n", [50, 300, 5000])
def test_psi_exceeds_its_noise_floor_in_one_window_of_twenty(n: int) -> None:
    """Measured: .045 to .055; the pooled shares stand for the true ones."""
    rng = np.random.default_rng(2)
    shares = np.array([0.02, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2])
    above = []
    for _ in range(600):
        a, b = rng.multinomial(3000, shares), rng.multinomial(n, shares)
        floor = distances.noise_floor_psi((a + b) / (3000 + n), 3000, n)
        above.append(distances.psi(a / 3000, b / n) > floor)
    assert np.mean(above) == pytest.approx(0.05, abs=0.022)


def test_noise_floor_in_closed_form_and_simulated_agree_where_they_meet() -> None:
    shares = np.array([0.1999, 0.8001])
    closed, drawn = (distances.noise_floor_psi(shares, 10_000, n) for n in (101, 100))
    assert drawn == pytest.approx(closed, rel=0.1)
    assert distances.noise_floor_psi(shares, 10_000, 100) == drawn, "seeded"
    assert distances.noise_floor_psi([1.0, 0.0], 100, 100) == 0


@pytest.mark.statistical
@pytest.mark.parametrize("n", [40, 500])
def test_mean_total_variation_without_drift(n: int) -> None:
    rng = np.random.default_rng(3)
    shares = np.array([0.05, 0.05, 0.1, 0.2, 0.6])
    drawn = distances.total_variation(
        rng.multinomial(800, shares, size=4000) / 800, rng.multinomial(n, shares, size=4000) / n
    )
    assert distances.mean_total_variation_under_null(shares, 800, n) == pytest.approx(drawn.mean(), rel=0.03)
