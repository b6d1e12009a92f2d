"""How often experiments that are looked at more than once raise a false alarm, by every stopping rule.

Streams of units arrive day by day; comparisons go through `compare` and the wrapper that `choose` puts around it. The
tests are short; the figures published in docs/methods/experiments are printed by
`python -m tests.statistical.test_stopping` (about three minutes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy import special

from analytics.aggregates.arms import COVARIATE, RATIO, VALUE
from analytics.experiments.compare import compare
from analytics.experiments.design import Design
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments
from analytics.experiments.stopping import LookComparison, always_valid
from analytics.stats.bayes import normal_posterior
from analytics.stats.group_sequential import Boundary, Looks, boundaries, repeated_look
from analytics.stats.moments import Comoments

pytestmark = pytest.mark.statistical

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
STREAMS = 500
DAYS = 28
DAILY = 60
"""Units of one arm a day."""


def buyers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """One in twenty buys."""
    return (rng.random(shape) < 0.05)[..., None].astype(np.float64)


def revenue(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Nothing for most, lognormal for the rest: skewness about 9."""
    return (np.where(rng.random(shape) < 0.3, rng.lognormal(3, 0.9, shape), 0.0))[..., None]


def clicks_per_visit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Clicks over visits; users differ in how they click."""
    visits = 1 + rng.poisson(3, shape)
    return np.stack([rng.binomial(visits, rng.beta(1, 9, shape)), visits], axis=-1).astype(np.float64)


def with_past(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Skewed values of units, and their values from before."""
    past = rng.gamma(2, 1, shape)
    return np.stack([past + rng.normal(0, 1.5, shape) + 3, past], axis=-1)


METRICS: dict[str, tuple[Draw, str, bool]] = {
    "proportion": (buyers, "proportion", False),
    "mean": (revenue, "mean", False),
    "ratio": (clicks_per_visit, "ratio", False),
    "cuped": (with_past, "mean", True),
}


def looks(
    draw: Draw, columns: tuple[str, ...], sizes: np.ndarray, seed: list[int]
) -> Iterator[list[PairMoments]]:
    """Of every stream, both arms at the end of each day; ``sizes``: units of one arm by then."""
    rng = np.random.default_rng(seed)
    steps = np.diff(np.concatenate([[0], sizes]))
    while True:
        sides = []
        for _ in range(2):
            values = draw(rng, (int(sizes[-1]),))
            centre = values.mean(axis=0)
            about = values - centre
            first = np.cumsum(about, axis=0)[sizes - 1]
            products = np.cumsum(about[:, :, None] * about[:, None, :], axis=0)[sizes - 1]
            shift = first / sizes[:, None]
            spread = products - sizes[:, None, None] * shift[:, :, None] * shift[:, None, :]
            sides.append(
                [
                    Comoments(float(n), float(n), float(n), centre + moved, one)
                    for n, moved, one in zip(sizes.tolist(), shift, spread, strict=True)
                ]
            )
        assert steps.min() >= 0
        yield [PairMoments(a, b, columns=columns) for a, b in zip(*sides, strict=True)]


def daily(name: str, seed: int = 5) -> Iterator[list[PairMoments]]:
    draw, kind, adjusted = METRICS[name]
    own = RATIO if kind == "ratio" else VALUE
    return looks(draw, own + COVARIATE * adjusted, DAILY * np.arange(1, DAYS + 1), [seed, len(name)])


def alarms(name: str, streams: int, planned: int | None = None) -> tuple[float, float, float]:
    """Shares of streams in which 0 was left out on any day: always-valid, naive; and days that were tested."""
    _, kind, adjusted = METRICS[name]
    design = Design("x", "A", {"A": 0.5, "B": 0.5}, planned_units=planned or 2 * DAILY * DAYS)
    always, naive, tested = 0, 0, 0
    for _, days in zip(range(streams), daily(name), strict=False):
        crossed = fixed_crossed = False
        for two in days:
            fixed = compare(two, kind, adjusted=adjusted)
            if isinstance(fixed, NotTested):
                continue
            sequence = always_valid(design, "B", fixed, two.arm.n + two.control.n)
            if sequence is None:
                continue
            tested += 1
            crossed |= sequence.p_value < 0.05
            fixed_crossed |= fixed.p_value < 0.05
        always += crossed
        naive += fixed_crossed
    return always / streams, naive / streams, tested / (streams * DAYS)


@pytest.mark.parametrize("name", METRICS)
def test_always_valid_raises_few_false_alarms_over_500_streams_looked_at_every_day(name: str) -> None:
    always, naive, tested = alarms(name, STREAMS)
    assert always <= 0.05
    assert naive > 0.15, "a fixed horizon looked at daily must be seen to fail"
    assert tested > 0.99


@pytest.mark.parametrize("planned", [400, 20_000])
def test_always_valid_holds_however_wrong_the_plan_was(planned: int) -> None:
    assert alarms("mean", STREAMS, planned)[0] <= 0.05


def coverage(streams: int) -> tuple[float, float]:
    """Shares of streams whose interval holds the true difference on every day: always-valid, fixed."""
    design = Design("x", "A", {"A": 0.5, "B": 0.5}, planned_units=2 * DAILY * DAYS)
    rng = np.random.default_rng(17)
    sizes = DAILY * np.arange(1, DAYS + 1)
    shares = rng.random((2, streams, int(sizes[-1]))) < np.array([0.13, 0.1])[:, None, None]
    counts = np.cumsum(shares, axis=2)[:, :, sizes - 1]
    held = np.ones((2, streams), dtype=bool)
    for i in range(streams):
        for k, n in enumerate(sizes.tolist()):
            sides = [
                Comoments(n, n, n, np.array([x / n]), np.array([[x * (1 - x / n)]]))
                for x in counts[:, i, k].astype(float)
            ]
            fixed = compare(PairMoments(*sides), "proportion")
            assert not isinstance(fixed, NotTested)
            sequence = always_valid(design, "B", fixed, 2 * n)
            assert sequence is not None
            for which, one in enumerate((sequence, fixed)):
                low, high = one.interval(0.95) if which == 0 else (0.0, 0.0)
                if which == 1:
                    half = 1.96 * sequence.standard_error
                    low, high = fixed.difference - half, fixed.difference + half
                held[which, i] &= low <= 0.03 <= high
    return float(held[0].mean()), float(held[1].mean())


def test_a_sequence_covers_at_every_look_and_a_fixed_interval_does_not() -> None:
    always, naive = coverage(STREAMS)
    assert always >= 0.95
    assert naive < 0.85


FAMILIES: tuple[Boundary, ...] = (
    "obrien-fleming",
    "pocock",
    "lan-demets-obrien-fleming",
    "lan-demets-pocock",
    "power",
)
PATTERNS = {
    "unequal": ((0.13, 0.37, 0.52, 0.86, 1.0), False),
    "overrun": ((0.22, 0.41, 0.66, 1.17), True),
    "ended early": ((0.21, 0.45, 0.71), True),
}


def crossing(boundary: Boundary, pattern: str, runs: int, seed: int = 3) -> tuple[float, float]:
    """Share of runs without effect that cross, and its standard error."""
    fractions, final = PATTERNS[pattern]
    plan = Looks(boundary, (0.2, 0.4, 0.6, 0.8, 1.0))
    bounds = boundaries(plan, 0.05, fractions, final=final)
    steps = np.diff(np.concatenate([[0.0], fractions]))
    walk = np.cumsum(np.random.default_rng(seed).normal(size=(runs, len(steps))) * np.sqrt(steps), axis=1)
    share = float((np.abs(walk / np.sqrt(fractions)) > bounds).any(axis=1).mean())
    return share, (share * (1 - share) / runs) ** 0.5


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("boundary", FAMILIES)
def test_every_boundary_spends_five_percent_at_unequal_looks_and_overrun(
    boundary: Boundary, pattern: str
) -> None:
    share, error = crossing(boundary, pattern, 200_000)
    assert abs(share - 0.05) < 4 * error


def repeated(name: str, streams: int, boundary: Boundary = "lan-demets-obrien-fleming") -> float:
    """Share of streams in which a repeated interval left the true difference, 0, out at any look."""
    draw, kind, adjusted = METRICS[name]
    own = RATIO if kind == "ratio" else VALUE
    sizes, planned = np.array([250, 690, 1010, 1400, 1960]), 1680
    plan = Looks(boundary, (0.2, 0.4, 0.6, 0.8, 1.0))
    fractions = tuple(round(n / planned, 3) for n in sizes.tolist())
    out = 0
    for i, taken in zip(
        range(streams), looks(draw, own + COVARIATE * adjusted, sizes, [23, len(name)]), strict=False
    ):
        for k, two in enumerate(taken):
            fixed = compare(two, kind, adjusted=adjusted)
            assert not isinstance(fixed, NotTested)
            look = repeated_look(plan, fractions[: k + 1], final=k == len(sizes) - 1)
            shown = LookComparison(fixed, look)
            crossed = shown.p_value < 0.05
            if i % 20 == 0:  # the score interval is found by a search
                low, high = shown.interval(0.95)
                assert crossed == (low > 0 or high < 0)
            if crossed:
                out += 1
                break
    return out / streams


@pytest.mark.parametrize("name", METRICS)
def test_repeated_intervals_cover_at_every_look(name: str) -> None:
    # 1,000 streams: three standard errors above 5 %
    assert repeated(name, 1000) <= 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def peeked(runs: int, looks_taken: int, prior: float | None, seed: int = 9) -> tuple[float, float]:
    """Share of null experiments that are called once the posterior's tail is under 2.5 %, and of all the wrong calls.

    The prior's deviation is in standard errors of the last look. The second number is of experiments whose effects are
    drawn from that very prior: the share of calls in the wrong direction.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(1, looks_taken + 1) / looks_taken
    walk = np.cumsum(rng.normal(size=(runs, looks_taken)) / np.sqrt(looks_taken), axis=1)
    errors = 1 / np.sqrt(t)

    def called(drift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        estimate = walk / t + drift[:, None]
        weight = 1.0 if prior is None else prior**2 / (prior**2 + errors**2)
        z = estimate * weight / (errors * np.sqrt(weight))
        over = np.abs(z) > -special.ndtri(0.025)
        first = over.argmax(axis=1)
        return over.any(axis=1), np.sign(z[np.arange(runs), first])

    stopped, _ = called(np.zeros(runs))
    if prior is None:
        return float(stopped.mean()), float("nan")
    effects = rng.normal(0, prior, runs)
    calls, signs = called(effects)
    return float(stopped.mean()), float((signs != np.sign(effects))[calls].mean())


@pytest.mark.parametrize("taken, expected", [(1, 0.05), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_a_flat_prior_peeks_exactly_as_badly_as_a_p_value(taken: int, expected: float) -> None:
    assert peeked(40_000, taken, None)[0] == pytest.approx(expected, abs=0.008)


def test_a_prior_that_is_true_keeps_its_word_under_peeking_and_a_wide_one_does_not_help() -> None:
    null, wrong = peeked(40_000, 20, 1.0)
    assert wrong < 0.025
    assert null < 0.15
    assert peeked(40_000, 20, 20.0)[0] > 0.2
    assert normal_posterior(2.0, 1.0, 0.0, 1.0).mean == pytest.approx(1.0)


def main() -> None:
    """Print the published figures."""
    print("always-valid, any day of 28, 2,000 streams: always, naive")
    for name in METRICS:
        print(f"  {name:12} {alarms(name, 2000)[:2]}")
    print(
        "always-valid, mean, planned 400 and 20,000:",
        alarms("mean", 2000, 400)[0],
        alarms("mean", 2000, 20_000)[0],
    )
    print("coverage of 3 pp on every day, 2,000 streams: always, naive", coverage(2000))
    for boundary in FAMILIES:
        print(
            f"  {boundary:26}", [round(crossing(boundary, pattern, 1_000_000)[0], 4) for pattern in PATTERNS]
        )
    for name in METRICS:
        print(f"repeated intervals, {name}: {repeated(name, 4000)}")
    for taken in (1, 5, 10, 20, 28):
        print(f"posterior, {taken} looks: flat {peeked(400_000, taken, None)[0]:.4f},", end=" ")
        print(
            ", ".join(
                f"prior {prior:g} s.e. {peeked(400_000, taken, prior)}" for prior in (0.5, 1.0, 2.0, 5.0)
            )
        )


if __name__ == "__main__":
    main()
