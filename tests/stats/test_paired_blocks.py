"""Paired blocks: known answers, and that what both sides share does not count."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from analytics.stats.paired_blocks import PairedSpread, influences, paired_f, shared_blocks, sign_flips
from analytics.stats.two_sample import anderson_darling_statistic, chi_squared_statistic

RNG = np.random.default_rng(5)
LEFT = RNG.multinomial(60, [0.4, 0.3, 0.2, 0.1], size=9).astype(float)
RIGHT = RNG.multinomial(40, [0.3, 0.3, 0.2, 0.2], size=9).astype(float)


def test_influences_add_up_to_the_difference_of_shares() -> None:
    gap = RIGHT.sum(axis=0) / RIGHT.sum() - LEFT.sum(axis=0) / LEFT.sum()
    assert influences(LEFT, RIGHT).sum(axis=0) == pytest.approx(gap)


@pytest.mark.parametrize(
    "ordered, statistic", [(False, chi_squared_statistic), (True, anderson_darling_statistic)]
)
def test_the_statistic_is_that_of_two_samples(ordered, statistic) -> None:
    m, n = LEFT.sum(), RIGHT.sum()
    wanted = float(statistic(LEFT.sum(axis=0), RIGHT.sum(axis=0)))
    assert sign_flips(LEFT, RIGHT, ordered=ordered).observed * m * n / (m + n) == pytest.approx(wanted)


def test_flips_are_those_of_all_signs() -> None:
    flipped = sign_flips(LEFT, RIGHT, ordered=False)
    single = influences(LEFT, RIGHT)
    pooled = (LEFT + RIGHT).sum(axis=0) / (LEFT.sum() + RIGHT.sum())
    every = np.array([
        (np.square(np.array(signs) @ single) / pooled).sum() for signs in product([-1.0, 1.0], repeat=9)
    ])  # fmt: skip
    assert flipped.arrangements == 2**8
    assert np.isin(np.round(flipped.draws, 9), np.round(every, 9)).all()
    assert (flipped.draws >= flipped.observed).mean() == pytest.approx(
        (every >= flipped.observed).mean(), abs=0.05
    )


def test_the_same_rows_on_both_sides_differ_in_nothing() -> None:
    flipped = sign_flips(LEFT, LEFT, ordered=True)
    assert flipped.observed == 0
    spread = PairedSpread.of(LEFT, LEFT)
    assert spread is not None
    assert paired_f(LEFT[:1], LEFT[:1], spread, ordered=True) == 1


def test_too_few_shared_blocks_teach_nothing() -> None:
    alone = LEFT.copy()
    alone[:3] = 0
    assert shared_blocks(alone, RIGHT) == 6
    assert PairedSpread.of(alone, RIGHT) is None


def test_what_sides_of_a_day_do_on_their_own_is_found_and_what_they_share_is_not() -> None:
    rng = np.random.default_rng(11)
    days, n = 400, 200
    shared = rng.normal(0, 0.08, days)
    own = rng.normal(0, 0.05, (days, 2))
    shares = np.clip(0.5 + shared[:, None] + own, 0.01, 0.99)
    left, right = (
        np.column_stack([hits := rng.binomial(n, shares[:, side]).astype(float), n - hits]) for side in (0, 1)
    )
    spread = PairedSpread.of(left, right)
    assert spread is not None
    assert spread.own[0, 0] == pytest.approx(2 * 0.05**2, rel=0.25)
    assert spread.common[0, 0] == pytest.approx(0.08**2 + 0.05**2 / 2, rel=0.25)
    jumped = PairedSpread.of(left, np.where(np.arange(days)[:, None] < 200, right, right[:, ::-1]))
    assert jumped is not None
    one = spread.covariance(left[:1], right[:1])[0, 0]
    assert one == pytest.approx(2 * 0.05**2 + 0.5 * 0.5 * 2 / n, rel=0.25)
