"""Size and coverage of every method by seeded simulation.

`python -m tests.statistical.test_method_rates` prints the tables of docs/methods/experiments/tests.md and
quantiles.md (some minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from analytics.stats import equivalence, lift, poisson, quantile_difference, two_by_two
from analytics.stats.means import t_interval, welch_df
from analytics.stats.poisson import Rates
from analytics.stats.quantile_difference import quantile_of
from analytics.stats.rank_tests import Shift, mann_whitney
from analytics.stats.two_by_two import Counts

pytestmark = pytest.mark.statistical


def within(rate, expected, replicates):
    """Four standard errors of a simulated rate."""
    return abs(rate - expected) < 4 * np.sqrt(expected * (1 - expected) / replicates)


# rates of events


def overdispersed(rng, mean, ratio, shape):
    """Counts of units whose variance is ``ratio`` times their mean."""
    if ratio == 1:
        return rng.poisson(mean, shape)
    scale = ratio - 1
    return rng.poisson(rng.gamma(mean / scale, scale, shape))


RATE_TESTS: dict[str, Callable[[Rates], float]] = {
    "poisson": lambda rates: poisson.score_test(rates).p_value,
    "poisson-exact": poisson.conditional_test,
    "e-test": poisson.e_test,
}


def rate_sizes(ratio, n=(200, 200), mean=0.5, replicates=2000, seed=1):
    """False alarms at 5 % of the tests of rates, of Welch, and how often dispersion is noticed."""
    rng = np.random.default_rng(seed)
    arm, control = (overdispersed(rng, mean, ratio, (replicates, size)) for size in n)
    found = dict.fromkeys(RATE_TESTS, 0.0)
    for x, y in zip(arm.sum(axis=1), control.sum(axis=1), strict=True):
        rates = Rates(int(x), float(n[0]), int(y), float(n[1]))
        for name, test in RATE_TESTS.items():
            found[name] += bool(test(rates) < 0.05) / replicates
    v, v_control = arm.var(axis=1, ddof=1) / n[0], control.var(axis=1, ddof=1) / n[1]
    df = welch_df(v, float(n[0]), v_control, float(n[1]))
    low, high = t_interval(arm.mean(axis=1) - control.mean(axis=1), np.sqrt(v + v_control), df, 0.95)
    found["welch"] = float(np.mean((low > 0) | (high < 0)))
    noticed = [
        poisson.dispersion([a.mean(), b.mean()], [a.var(ddof=1), b.var(ddof=1)], list(n)).p_value < 0.05
        for a, b in zip(arm, control, strict=True)
    ]
    found["dispersion rejected"] = float(np.mean(noticed))
    return found


def test_at_twice_the_mean_the_tests_of_rates_raise_16_percent_of_false_alarms():
    found = rate_sizes(2.0)
    # P(|N(0, 2)| > 1.96) = 16.6 %
    for name in ("poisson", "e-test"):
        assert within(found[name], 0.166, 2000), found
    assert 0.12 < found["poisson-exact"] < 0.18
    assert within(found["welch"], 0.05, 2000), found
    assert found["dispersion rejected"] > 0.99


def test_poisson_counts_are_tested_at_their_level():
    found = rate_sizes(1.0)
    for name in ("poisson", "e-test", "welch"):
        assert within(found[name], 0.05, 2000), found
    assert found["poisson-exact"] < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 2000)
    assert within(found["dispersion rejected"], 0.05, 2000), found


def rate_coverage(means, exposures, replicates=2000, seed=2):
    rng = np.random.default_rng(seed)
    counts = [
        rng.poisson(mean * exposure, replicates) for mean, exposure in zip(means, exposures, strict=True)
    ]
    held = {"difference": 0.0, "ratio": 0.0, "exact ratio": 0.0}
    for x, y in zip(*counts, strict=True):
        rates = Rates(int(x), exposures[0], int(y), exposures[1])
        if not rates.total:
            continue
        truth = means[0] - means[1], means[0] / means[1]
        for name, of, true in (
            ("difference", poisson.score_difference, truth[0]),
            ("ratio", poisson.score_ratio, truth[1]),
            ("exact ratio", poisson.conditional_ratio, truth[1]),
        ):
            low, high = of(rates, 0.95)
            held[name] += (low <= true <= high) / replicates
    return held


def test_intervals_of_rates_hold_the_truth():
    for means, exposures in (
        ((0.3, 0.2), (100.0, 150.0)),
        ((2.0, 2.0), (10.0, 5.0)),
        ((0.05, 0.02), (400.0, 100.0)),
    ):
        held = rate_coverage(means, exposures)
        assert held["exact ratio"] > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 2000)
        assert 0.925 < held["difference"] < 0.985, held
        assert 0.925 < held["ratio"] < 0.985, held


# shares

SHARE_TESTS: dict[str, Callable[[Counts], float]] = {
    "pooled-z": lambda counts: two_by_two.pooled_z(counts)[2],
    "newcombe": two_by_two.newcombe_p,
    "fisher": two_by_two.fisher_p,
    "boschloo": two_by_two.boschloo_p,
    "barnard": two_by_two.barnard_p,
}


def exact_sizes(share, n, names=("pooled-z", "newcombe", "fisher")):
    """False alarms at 5 %, exactly: summed over all tables; z unpooled beside."""
    from scipy import stats

    weights = [stats.binom.pmf(np.arange(size + 1), size, share) for size in n]
    found = dict.fromkeys([*names, "z"], 0.0)
    for x, wx in enumerate(weights[0]):
        for y, wy in enumerate(weights[1]):
            if wx * wy < 1e-7:
                continue
            counts = Counts(x, n[0], y, n[1])
            for name in names:
                found[name] += wx * wy * bool(SHARE_TESTS[name](counts) < 0.05)
            error = np.sqrt(sum(counts.variances))
            found["z"] += wx * wy * bool(error > 0 and abs(counts.difference) > 1.959964 * error)
    return found


def test_exact_tests_of_shares_never_raise_more_false_alarms_than_they_say():
    for share, n in ((0.1, (30, 30)), (0.5, (20, 40)), (0.02, (60, 60))):
        found = exact_sizes(share, n)
        assert found["fisher"] <= 0.05 + 1e-9
        assert found["pooled-z"] < 0.075
        assert found["newcombe"] < 0.065


# ranks and lifts


def rank_rates(draw, shift, n=(60, 80), replicates=1500, seed=3):
    """False alarms of Mann-Whitney, and how often the interval of the shift holds it."""
    rng = np.random.default_rng(seed)
    alarms, held, there = 0, 0, 0
    for _ in range(replicates):
        arm, control = draw(rng, n[0]), draw(rng, n[1])
        alarms += mann_whitney(arm, control).p_value < 0.05
        interval = Shift(arm + shift, control).interval(0.95)
        if interval is not None:
            there += 1
            held += interval.low <= shift <= interval.high
    return alarms / replicates, held / max(there, 1), there / replicates


def test_ranks_hold_their_level_also_with_wild_tails_and_ties():
    for draw in (
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.standard_cauchy(n),
        lambda rng, n: rng.poisson(2, n) * 1.0,
    ):
        size, _, _ = rank_rates(draw, 0.0)
        assert within(size, 0.05, 1500), size
    _, coverage, there = rank_rates(lambda rng, n: rng.standard_cauchy(n), 1.0)
    assert there == 1.0
    assert within(coverage, 0.95, 1500), coverage


def lift_rates(cv, n, replicates=20_000, seed=4):
    """False alarms of the other tests of the lift, arms alike, at a coefficient of variation of a unit."""
    rng = np.random.default_rng(seed)
    means = 1 + cv / np.sqrt(n) * rng.standard_normal((2, replicates))
    variance = cv**2 / n
    delta = np.abs(means[0] / means[1] - 1) / np.sqrt(
        variance / means[1] ** 2 * (1 + (means[0] / means[1]) ** 2)
    )
    difference = np.abs(means[0] - means[1]) / np.sqrt(2 * variance)
    positive = (means > 0).all(axis=0)
    log = np.abs(np.log(np.where(positive, means[0] / means[1], 1))) / np.sqrt(
        variance * (1 / means**2).sum(axis=0)
    )
    crossed = (delta > 1.96) != (difference > 1.96)
    return {
        "difference": np.mean(difference > 1.96),
        "delta-lift": np.mean(delta > 1.96),
        "log-lift": np.mean((log > 1.96) & positive),
        "delta contradicts the difference": np.mean(crossed),
    }


def test_the_other_tests_of_the_lift_are_those_of_large_samples_and_contradict_in_small_ones():
    large, small = lift_rates(2.0, 10_000), lift_rates(2.0, 50)
    for name in ("delta-lift", "log-lift"):
        assert within(large[name], 0.05, 20_000), large
    assert large["delta contradicts the difference"] < 0.01
    assert small["delta contradicts the difference"] > 0.01
    test = lift.delta_test(lift.Means(1.2, 1.0, 0.01, 0.01), np.inf)
    assert test.standard_error == pytest.approx(np.sqrt(0.01 * (1 + 1.44)))


# margins


def test_a_guardrail_at_its_margin_is_called_safe_in_half_of_alpha():
    """Harm exactly at the margin: the two-sided interval at 95 % clears it in 2.5 %."""
    rng = np.random.default_rng(5)
    n, replicates = 200, 4000
    arm, control = rng.normal(-0.1, 1, (replicates, n)), rng.normal(0, 1, (replicates, n))
    v, v0 = arm.var(axis=1, ddof=1) / n, control.var(axis=1, ddof=1) / n
    df, error = welch_df(v, 200.0, v0, 200.0), np.sqrt(v + v0)
    gap = arm.mean(axis=1) - control.mean(axis=1)
    low, _ = t_interval(gap, error, df, 0.95)
    assert within(np.mean(low > -0.1), 0.025, replicates)
    p = [
        2
        * equivalence.above_margin(
            lambda level, i=i: t_interval(gap[i], error[i], df[i], level), gap[i], -0.1
        )
        for i in range(300)
    ]
    assert [one < 0.05 for one in p] == list(low[:300] > -0.1)


# quantiles

VALUES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(10, 1, n),
    "lognormal(0, 1)": lambda rng, n: rng.lognormal(0, 1, n),
    "lognormal(0, 2)": lambda rng, n: rng.lognormal(0, 2, n),
    "whole milliseconds": lambda rng, n: np.round(rng.lognormal(5, 0.5, n)),
    "tens of milliseconds": lambda rng, n: np.round(rng.lognormal(5, 0.5, n), -1),
    "5 % at a time-out": lambda rng, n: np.where(rng.random(n) < 0.05, 30_000, rng.lognormal(5, 0.5, n)),
    "half spend nothing": lambda rng, n: np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(3, 1, n)),
}


def clustered(rng, n, size=8):
    """Rows of users: slow and fast ones, some with many rows."""
    rows = rng.poisson(size - 1, n) + 1
    of = np.repeat(np.arange(n), rows)
    return np.exp(0.6 * rng.normal(size=n)[of] + 0.4 * rng.normal(size=of.size)), of


def quantile_rates(draw, probability, n, replicates=1000, seed=6, *, groups=False):
    """False alarms at 5 % among the runs that are told, and how many are told."""
    rng = np.random.default_rng(seed)
    z = []
    for _ in range(replicates):
        sides = [draw(rng, n) for _ in range(2)]
        found = [
            quantile_of(*((side[0], probability, side[1]) if groups else (side, probability)))
            for side in sides
        ]
        errors = [one.standard_error for one in found]
        if None not in errors:
            z.append(abs(found[0].value - found[1].value) / np.hypot(*errors))
    told = len(z) / replicates
    return (float(np.mean(np.array(z) > 1.959964)) if z else np.nan), told


@pytest.mark.parametrize("name", ["normal", "lognormal(0, 1)", "whole milliseconds"])
def test_quantiles_hold_their_level(name):
    for probability in (0.5, 0.9):
        size, told = quantile_rates(VALUES[name], probability, 500, 600)
        assert told > 0.9
        assert size < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 600), (name, probability, size)


def test_where_values_have_gaps_or_are_alike_nothing_wrong_is_told():
    for name, probability in (
        ("5 % at a time-out", 0.95),
        ("half spend nothing", 0.5),
        ("tens of milliseconds", 0.9),
    ):
        size, told = quantile_rates(VALUES[name], probability, 1000, 600)
        assert told * (0.0 if np.isnan(size) else size) < 0.05, (name, size, told)


def test_rows_of_users_are_tested_by_users():
    size, told = quantile_rates(clustered, 0.9, 200, 600, groups=True)
    assert told == 1.0
    assert within(size, 0.05, 600), size
    naive, _ = quantile_rates(lambda rng, n: clustered(rng, n)[0], 0.9, 200, 300)
    assert naive > 0.2


def unguarded_rates(draw, probability, n, replicates=2000):
    """The same without the rules about values that are alike or far apart."""
    kept = quantile_difference.FEWEST_VALUES, quantile_difference.MOST_UNEVEN
    quantile_difference.FEWEST_VALUES, quantile_difference.MOST_UNEVEN = 2, np.inf
    try:
        return quantile_rates(draw, probability, n, replicates)
    finally:
        quantile_difference.FEWEST_VALUES, quantile_difference.MOST_UNEVEN = kept


UNGUARDED: dict[str, tuple[Callable[[np.random.Generator, int], np.ndarray], float]] = {
    "5 % near a time-out": (
        lambda rng, n: np.where(rng.random(n) < 0.05, rng.normal(30_000, 100, n), rng.lognormal(5, 0.5, n)),
        0.95,
    ),
    "rounded, two values left": (lambda rng, n: np.round(2 * rng.normal(size=n)), 0.9),
}


def main() -> None:
    write = sys.stdout.write
    for name, (draw, probability) in UNGUARDED.items():
        size, told = unguarded_rates(draw, probability, 1000)
        write(f"without rules: {name} | {probability} | 1000 | {100 * size:.1f} | {100 * told:.0f}\n")
    write("variance / mean | poisson | poisson-exact | e-test | welch | dispersion rejected\n")
    for ratio in (1.0, 1.2, 1.5, 2.0, 4.0):
        found = rate_sizes(ratio, replicates=5000)
        write(f"{ratio} | " + " | ".join(f"{100 * value:.1f}" for value in found.values()) + "\n")
    write("\nshare | n | pooled-z | newcombe | fisher | boschloo | barnard | z\n")
    for share, n in ((0.5, (20, 20)), (0.1, (30, 30)), (0.05, (50, 25)), (0.3, (60, 60))):
        # unconditional exact tests take long: one small table
        names = tuple(SHARE_TESTS) if n == (20, 20) else ("pooled-z", "newcombe", "fisher")
        found = exact_sizes(share, n, names)
        cells = [f"{100 * found[name]:.1f}" if name in found else "–" for name in (*SHARE_TESTS, "z")]
        write(f"{share} | {n} | " + " | ".join(cells) + "\n")
    write("\ncv | n | difference | delta-lift | log-lift | delta contradicts\n")
    for cv, n in ((1.0, 1000), (2.0, 1000), (2.0, 200), (2.0, 50)):
        write(
            f"{cv} | {n} | "
            + " | ".join(f"{100 * value:.1f}" for value in lift_rates(cv, n, 200_000).values())
            + "\n"
        )
    write("\nvalues | quantile | n | false alarms | told\n")
    for name, draw in VALUES.items():
        for probability, n in ((0.5, 200), (0.5, 2000), (0.9, 500), (0.95, 200), (0.95, 2000)):
            size, told = quantile_rates(draw, probability, n, 2000)
            write(f"{name} | {probability} | {n} | {100 * size:.1f} | {100 * told:.0f}\n")
    for users in (50, 200, 1000):
        size, told = quantile_rates(clustered, 0.9, users, 2000, groups=True)
        naive, _ = quantile_rates(lambda rng, n: clustered(rng, n)[0], 0.9, users, 1000)
        alone = f"rows as independent {100 * naive:.1f}"
        write(f"rows of users | 0.9 | {users} | {100 * size:.1f} | {100 * told:.0f} | {alone}\n")


if __name__ == "__main__":
    main()
