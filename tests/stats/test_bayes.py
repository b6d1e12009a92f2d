"""Conjugate posteriors: closed forms where there are some, quadrature and draws elsewhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from analytics.stats.bayes import (
    BetaPosterior,
    GammaPosterior,
    NormalPosterior,
    Posterior,
    StudentPosterior,
    beta_posterior,
    chance_above,
    chances_best,
    choice_against_control,
    difference_interval,
    expected_losses,
    gamma_posterior,
    normal_posterior,
    ratio_interval,
    two_sided_tail,
)


def evan_miller(a: BetaPosterior, b: BetaPosterior) -> float:
    """P(b > a) as a sum, for whole numbers (evanmiller.org/bayesian-ab-testing.html, equation 6)."""
    i = np.arange(int(b.a))
    terms = special.betaln(a.a + i, b.b + a.b) - np.log(b.b + i) - special.betaln(1 + i, b.b)
    return float(np.exp(terms - special.betaln(a.a, a.b)).sum())


@pytest.mark.parametrize(
    "counts", [(48, 80, 56, 70), (0, 50, 3, 40), (0, 10, 0, 10), (500, 100_000, 9, 900), (7, 7, 1, 1)]
)
def test_chance_of_shares_is_the_closed_form(counts: tuple[int, int, int, int]) -> None:
    a, b = beta_posterior(*counts[:2]), beta_posterior(*counts[2:])
    assert chance_above(b, a) == pytest.approx(evan_miller(a, b), abs=1e-9)
    assert chance_above(b, a) + chance_above(a, b) == pytest.approx(1.0, abs=1e-9)


def test_chance_of_rates_is_an_incomplete_beta() -> None:
    a, b = gamma_posterior(40, 100), gamma_posterior(60, 110)
    # a gamma over the sum of two with the same rate is beta
    expected = special.betainc(a.shape, b.shape, a.rate / (a.rate + b.rate))
    assert chance_above(b, a) == pytest.approx(float(expected), abs=1e-10)


def test_chance_of_estimates_is_normal() -> None:
    a, b = NormalPosterior(1.0, 0.5), NormalPosterior(1.7, 0.2)
    assert chance_above(b, a) == pytest.approx(float(stats.norm.cdf(0.7 / np.hypot(0.5, 0.2))), abs=1e-10)


def test_a_share_against_quadrature() -> None:
    a, b = BetaPosterior(3.5, 40.2), BetaPosterior(9.1, 60.0)
    loss, _ = integrate.dblquad(
        lambda y, x: (x - y) * stats.beta.pdf(y, b.a, b.b) * stats.beta.pdf(x, a.a, a.b), 0, 1, 0, lambda x: x
    )
    assert expected_losses([a, b])[1] == pytest.approx(loss, abs=1e-7)


def test_losses_differ_by_the_difference_of_the_means() -> None:
    arms: list[Posterior] = [beta_posterior(0, 50), beta_posterior(1, 70), beta_posterior(3, 60)]
    for smallest in (False, True):
        losses = expected_losses(arms, smallest=smallest)
        sign = -1 if smallest else 1
        for (i, one), (j, other) in pairwise(enumerate(arms)):
            assert losses[i] - losses[j] == pytest.approx(sign * (other.mean - one.mean), abs=1e-10)
        assert chances_best(arms, smallest=smallest).sum() == pytest.approx(1.0, abs=1e-9)


def test_three_arms_against_draws() -> None:
    arms = [beta_posterior(20, 200), beta_posterior(25, 210), beta_posterior(18, 190)]
    rng = np.random.default_rng(7)
    drawn = np.stack([rng.beta(arm.a, arm.b, 400_000) for arm in arms])
    best = np.bincount(drawn.argmax(axis=0), minlength=3) / drawn.shape[1]
    assert chances_best(arms) == pytest.approx(best, abs=0.004)
    assert expected_losses(arms) == pytest.approx((drawn.max(axis=0) - drawn).mean(axis=1), abs=2e-4)


@pytest.mark.parametrize("prior", [None, 0.6])
@pytest.mark.parametrize("smallest", [False, True])
def test_arms_that_share_a_control_against_the_joint_posterior(prior: float | None, smallest: bool) -> None:
    gaps, own, control = np.array([0.5, 0.9, -0.2]), np.array([0.3, 0.4, 0.2]), 0.25
    told = np.linalg.inv(np.diag(own) + control)
    covariance = np.linalg.inv(told + (0 if prior is None else np.eye(3) / prior**2))
    rng = np.random.default_rng(3)
    drawn = rng.multivariate_normal(covariance @ told @ gaps, covariance, 400_000)
    drawn = np.column_stack([np.zeros(len(drawn)), drawn]) * (-1 if smallest else 1)
    found = choice_against_control(gaps, own, control, prior, smallest=smallest)
    best = np.bincount(drawn.argmax(axis=1), minlength=4) / len(drawn)
    assert found.best == pytest.approx(best, abs=0.004)
    assert found.losses == pytest.approx((drawn.max(axis=1)[:, None] - drawn).mean(axis=0), abs=0.005)


def test_two_arms_that_share_a_control_are_the_plain_posterior_of_the_difference() -> None:
    posterior = normal_posterior(0.4, np.sqrt(0.5), 0.0, 0.3)
    found = choice_against_control([0.4], [0.3], 0.2, 0.3)
    assert found.best[1] == pytest.approx(float(stats.norm.cdf(posterior.mean / posterior.sd)), abs=1e-9)
    assert found.losses[0] - found.losses[1] == pytest.approx(posterior.mean, abs=1e-9)


def test_intervals_of_estimates_are_normal() -> None:
    a, b = NormalPosterior(10.0, 0.3), NormalPosterior(11.0, 0.4)
    low, high = difference_interval(b, a, 0.9)
    assert (low, high) == pytest.approx((1 - 1.6449 * 0.5, 1 + 1.6449 * 0.5), abs=1e-4)


def test_intervals_of_shares_against_draws() -> None:
    a, b = beta_posterior(48, 80), beta_posterior(56, 70)
    rng = np.random.default_rng(5)
    x, y = rng.beta(a.a, a.b, 1_000_000), rng.beta(b.a, b.b, 1_000_000)
    assert difference_interval(b, a, 0.95) == pytest.approx(np.quantile(y - x, [0.025, 0.975]), abs=6e-4)
    assert ratio_interval(b, a, 0.95) == pytest.approx(np.quantile(y / x, [0.025, 0.975]), abs=3e-3)


counts = st.integers(0, 400)


@settings(max_examples=60, deadline=None)
@given(x=counts, more=counts, x_control=counts, more_control=counts, confidence=st.floats(0.2, 0.999))
def test_interval_lift_and_tail_of_shares_agree(
    x: int, more: int, x_control: int, more_control: int, confidence: float
) -> None:
    arm, control = beta_posterior(x, x + more), beta_posterior(x_control, x_control + more_control)
    tail = two_sided_tail(chance_above(arm, control))
    low, high = difference_interval(arm, control, confidence)
    ratio = ratio_interval(arm, control, confidence)
    if abs(tail - (1 - confidence)) > 1e-9:
        assert (tail < 1 - confidence) == (low > 0 or high < 0)
        assert (tail < 1 - confidence) == (ratio.low > 1 or ratio.high < 1)
    assert -1 <= low < high <= 1


def test_a_flat_prior_with_few_degrees_of_freedom_is_students() -> None:
    posterior = StudentPosterior(1.0, 0.5, 7.0)
    assert posterior.cdf(np.array([0.0]))[0] == pytest.approx(stats.t.cdf(-2, 7))
    s = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    assert posterior.cdf(posterior.at(s)) == pytest.approx(stats.norm.cdf(s), abs=1e-9)


@pytest.mark.parametrize(
    "posterior", [BetaPosterior(0.5, 30.5), GammaPosterior(0.5, 3.0), NormalPosterior(-2.0, 3.0)]
)
def test_quantiles_invert_the_distribution(posterior: Posterior) -> None:
    s = np.linspace(-6, 6, 25)
    assert posterior.cdf(posterior.at(s)) == pytest.approx(special.ndtr(s), rel=1e-7, abs=1e-12)


def test_a_prior_pulls_towards_itself() -> None:
    flat, believed = normal_posterior(2.0, 1.0), normal_posterior(2.0, 1.0, 0.0, 0.5)
    assert flat == NormalPosterior(2.0, 1.0)
    assert believed.mean == pytest.approx(0.4)
    assert believed.sd == pytest.approx(1 / np.sqrt(1 + 4))
