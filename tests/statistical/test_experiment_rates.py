"""How often ratios, CUPED, families, splits, guardrails and repeated looks err.

Comparisons go through `compare`, as on a scorecard. The tests are short; the longer runs published in
docs/methods/experiments are printed by `python -m tests.statistical.test_experiment_rates` (about two minutes).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analytics.aggregates.arms import COVARIATE, RATIO, RATIO_COVARIATE, VALUE
from analytics.experiments.compare import compare
from analytics.experiments.health import SRM_ALARM
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments
from analytics.stats import means
from analytics.stats.moments import Comoments
from analytics.stats.multiplicity import holm
from analytics.stats.sample_ratio import sample_ratio_test

pytestmark = pytest.mark.statistical

Draw = Callable[[np.random.Generator, int], np.ndarray]
SIZES = [(400, 400), (100, 60), (30, 30)]


def sessions(rng, users, level=2.0):
    """Sum over a user's sessions, and their number: sessions of one user are alike."""
    n = 1 + rng.poisson(4, users)
    own = rng.normal(size=users)
    return np.column_stack([n * (level + own) + np.sqrt(n) * rng.normal(size=users), n])


def with_past(rng, users, correlation=0.7):
    """Skewed values of units, and their values from before."""
    past = rng.gamma(2, 1, users)
    spread = np.sqrt(2 * (1 / correlation**2 - 1))
    return np.column_stack([past + rng.normal(0, spread, users) + 3, past])


def sessions_with_past(rng, users):
    """The same for sessions; the users' own levels stay."""
    n, before = 1 + rng.poisson(4, users), 1 + rng.poisson(4, users)
    level = 2 + rng.normal(size=users)
    noise = rng.normal(size=(2, users))
    return np.column_stack(
        [n * level + np.sqrt(n) * noise[0], n, before * level + np.sqrt(before) * noise[1], before]
    )


def compared(draw: Draw, kind, sizes, replicates, *, adjusted=False, seed=11):
    """Coverage of the difference 0 and of the lift 0, and the mean standard error."""
    rng = np.random.default_rng([seed, *sizes])
    covered, lifted, errors = [], [], []
    own = RATIO if kind == "ratio" else VALUE
    columns = own + (RATIO_COVARIATE if kind == "ratio" else COVARIATE) * adjusted
    for _ in range(replicates):
        two = PairMoments(*(Comoments.from_values(draw(rng, n)) for n in sizes), columns=columns)
        found = compare(two, kind, adjusted=adjusted)
        assert not isinstance(found, NotTested)
        low, high = found.interval(0.95)
        lift = found.lift(0.95)
        covered.append(low <= 0 <= high)
        lifted.append(lift is not None and lift[1].low <= 0 <= lift[1].high)
        errors.append(found.standard_error)
    assert covered == lifted  # difference and lift are one statement
    return float(np.mean(covered)), float(np.mean(errors))


def rows_as_independent(replicates, users, seed=12):
    """Coverage where sessions, not users, are taken as independent."""
    rng = np.random.default_rng([seed, users])
    covered = []
    for _ in range(replicates):
        arms = []
        for _side in range(2):
            n = 1 + rng.poisson(4, users)
            arms.append(2 + np.repeat(rng.normal(size=users), n) + rng.normal(size=n.sum()))
        covered.append(stats.ttest_ind(*arms, equal_var=False).pvalue >= 0.05)
    return float(np.mean(covered))


def families(replicates, n=500, arms=3, metrics=3, alike=0.5, seed=13):
    """Share of experiments without any effect in which anything is called different: uncorrected, and by Holm."""
    rng = np.random.default_rng(seed)
    mix = np.linalg.cholesky(np.full((metrics, metrics), alike) + (1 - alike) * np.eye(metrics))
    raw, corrected = 0, 0
    for _ in range(replicates):
        # means and variances of normal values; the control is shared by all comparisons
        centre = rng.normal(size=(arms, metrics)) @ mix.T / np.sqrt(n)
        spread = rng.chisquare(n - 1, (arms, metrics)) / (n - 1)
        sizes = np.full((arms - 1, metrics), float(n))
        p = means.welch(
            centre[1:],
            spread[1:],
            sizes,
            np.broadcast_to(centre[0], sizes.shape),
            np.broadcast_to(spread[0], sizes.shape),
            sizes,
        ).p_value.ravel()
        raw += p.min() < 0.05
        corrected += holm(p).min() < 0.05
    return raw / replicates, corrected / replicates


def alarms(units, share, planned=0.5):
    """Exact chance that the split of two arms raises the alarm when one gets ``share`` of the units."""
    counts = np.arange(units + 1)
    statistic = (counts - planned * units) ** 2 / (planned * (1 - planned) * units)
    mass = stats.binom(units, share).pmf(counts)
    return float(mass[stats.chi2.sf(statistic, 1) < SRM_ALARM].sum())


def called_safe(harm, margin, replicates, n=1000, seed=14):
    """Share of guardrails whose interval lies inside the margin, standard deviation 1."""
    rng = np.random.default_rng(seed)
    sizes = np.full(replicates, float(n))
    mean, mean_control = (
        rng.normal(-harm, 1 / np.sqrt(n), replicates),
        rng.normal(0, 1 / np.sqrt(n), replicates),
    )
    variance, variance_control = (rng.chisquare(n - 1, replicates) / (n - 1) for _ in range(2))
    test = means.welch(mean, variance, sizes, mean_control, variance_control, sizes)
    low, _ = means.t_interval(test.difference, test.standard_error, test.df, 0.95)
    return float(np.mean(low > -margin))


def looked(looks, quantile, replicates, *, one_sided=False, seed=15):
    """Chance that an experiment without effect passes the quantile at one of equally spaced looks."""
    rng = np.random.default_rng([seed, looks])
    z = np.cumsum(rng.standard_normal((replicates, looks)), axis=1) / np.sqrt(np.arange(1, looks + 1))
    return float(np.mean(((z if one_sided else np.abs(z)) > quantile).any(axis=1)))


@pytest.mark.parametrize("sizes", SIZES)
def test_ratios_cover(sizes):
    assert 0.93 < compared(sessions, "ratio", sizes, 3000)[0] < 0.965


def test_rows_of_one_user_are_not_independent():
    assert rows_as_independent(800, 200) < 0.75


@pytest.mark.parametrize("sizes", SIZES)
def test_cuped_covers_and_is_narrower(sizes):
    covered, error = compared(with_past, "mean", sizes, 3000, adjusted=True)
    plain = compared(lambda rng, n: with_past(rng, n)[:, :1], "mean", sizes, 500)[1]
    assert 0.93 < covered < 0.965
    # a correlation of .7 halves the variance
    assert (error / plain) ** 2 == pytest.approx(1 - 0.7**2, abs=0.06)


@pytest.mark.parametrize("sizes", SIZES)
def test_cuped_of_ratios_covers(sizes):
    assert 0.925 < compared(sessions_with_past, "ratio", sizes, 3000, adjusted=True)[0] < 0.965


def test_holm_keeps_the_family():
    raw, corrected = families(4000)
    assert raw > 0.15
    assert 0.02 < corrected < 0.055


@pytest.mark.parametrize("units", [1000, 100_000])
def test_a_fair_split_raises_one_alarm_in_a_thousand(units):
    assert 0.0006 < alarms(units, 0.5) < 0.0013
    # the exact sum and the test are about the same alarm
    edge = next(
        n for n in range(units // 2, units) if sample_ratio_test([n, units - n], [1, 1]).p_value < SRM_ALARM
    )
    assert alarms(units, 0.5) == pytest.approx(2 * stats.binom(units, 0.5).sf(edge - 1), rel=1e-6)


def test_harm_as_large_as_the_margin_is_rarely_called_safe():
    assert called_safe(0.1, 0.1, 40_000) == pytest.approx(0.025, abs=0.004)
    assert called_safe(0.2, 0.1, 40_000) < 0.001


@pytest.mark.parametrize("looks, published", [(5, 0.142), (10, 0.193), (20, 0.248)])
def test_looking_often_raises_false_alarms(looks, published):
    assert looked(looks, stats.norm.ppf(0.975), 100_000) == pytest.approx(published, abs=0.005)


def _print() -> None:
    for sizes in SIZES:
        ratio = compared(sessions, "ratio", sizes, 20_000)[0]
        covered, error = compared(with_past, "mean", sizes, 20_000, adjusted=True)
        plain = compared(lambda rng, n: with_past(rng, n)[:, :1], "mean", sizes, 5000)[1]
        ratios = compared(sessions_with_past, "ratio", sizes, 20_000, adjusted=True)[0]
        print(
            f"{sizes}: ratio {ratio:.1%}; cuped {covered:.1%} with {(error / plain) ** 2:.2f} of the variance; "
            f"cuped ratio {ratios:.1%}"
        )
    print(f"sessions as independent: {rows_as_independent(5000, 400):.1%}")
    for arms, metrics in ((2, 3), (3, 3), (5, 4)):
        raw, corrected = families(20_000, arms=arms, metrics=metrics)
        print(f"{arms} arms, {metrics} metrics: {raw:.1%} uncorrected, {corrected:.1%} by Holm")
    for units in (1000, 10_000, 100_000):
        print(
            f"{units} units: " + ", ".join(f"{s}: {alarms(units, s):.2%}" for s in (0.5, 0.505, 0.51, 0.52))
        )
    for harm in (0.0, 0.05, 0.1, 0.15):
        print(f"harm {harm}, margin .1: called safe in {called_safe(harm, 0.1, 100_000):.1%}")
    for looks in (1, 5, 10, 20):
        two, one = looked(looks, 1.959964, 400_000), looked(looks, 1.644854, 400_000, one_sided=True)
        print(f"{looks} looks: {two:.1%} p < .05, {one:.1%} chance above 95 %")


if __name__ == "__main__":
    _print()
