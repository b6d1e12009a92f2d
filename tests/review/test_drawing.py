"""Rows are drawn with the chances that are kept, and weighting by them undoes the choice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.measures.rows import Together, mean_of_rows
from analytics.review.drawing import draw, inclusion

N = 400


def criteria(seed=0, n=N):
    generator = np.random.default_rng(seed)
    return {"uncertain": generator.random(n), "error_model": generator.random(n) ** 3}


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 60), k=st.integers(1, 80), even=st.floats(0.01, 1), seed=st.integers(0, 2**31), gap=st.booleans()
)  # fmt: skip
def test_as_many_as_wanted_each_once_and_chances_sum_to_them(n, k, even, seed, gap):
    values = np.random.default_rng(seed).random(n)
    if gap:
        values[0] = np.nan
    drawn = draw({"uncertain": values}, n, k, even=even, seed=seed)
    assert len(drawn.places) == min(n, k)
    assert len(set(drawn.places.tolist())) == min(n, k)
    assert np.all((drawn.chances > 0) & (drawn.chances <= 1))


@pytest.mark.parametrize("even", [0.1, 0.5, 1.0])
def test_no_row_has_less_than_its_even_share(even):
    parts = {name: values**9 for name, values in criteria().items()}
    chances, _ = inclusion(parts, N, 40, even)
    assert chances.sum() == pytest.approx(40)
    assert chances.min() >= even * 40 / N * (1 - 1e-12)
    if even == 1.0:
        assert chances == pytest.approx(np.full(N, 40 / N))


def test_rows_come_as_often_as_their_chance_says():
    found = criteria()
    times = np.zeros(N)
    runs = 1_500
    for seed in range(runs):
        times[draw(found, N, 40, even=0.2, seed=seed).places] += 1
    drawn = draw(found, N, N, even=0.2, seed=1)
    assert np.all(drawn.chances == 1.0)
    parts = {name: (values.argsort().argsort() + 1) / N for name, values in found.items()}
    chances, _ = inclusion({name: ranks**9 for name, ranks in parts.items()}, N, 40, 0.2)
    error = (times / runs - chances) / np.sqrt(chances * (1 - chances) / runs)
    assert np.abs(error).max() < 4.5
    assert np.square(error).mean() == pytest.approx(1.0, abs=0.25)


def test_without_criteria_every_row_is_as_likely_and_the_reason_is_chance():
    drawn = draw({}, 50, 10, even=0.2, seed=3)
    assert drawn.chances == pytest.approx(np.full(10, 0.2))
    assert set(drawn.reasons) == {"random"}


def test_a_row_that_stands_out_says_by_what():
    values = np.zeros(100)
    values[7] = 1.0
    drawn = draw({"unlike": values}, 100, 60, even=0.1, seed=0)
    assert dict(zip(drawn.places.tolist(), drawn.reasons, strict=True))[7] == "unlike"


def test_the_order_is_random_so_that_the_first_half_is_a_fair_draw_too():
    values = np.arange(N, dtype=float)
    firsts = [
        draw({"uncertain": values}, N, 60, even=0.2, seed=seed).places[:30].mean() for seed in range(200)
    ]
    lasts = [
        draw({"uncertain": values}, N, 60, even=0.2, seed=seed).places[30:].mean() for seed in range(200)
    ]
    assert np.mean(firsts) == pytest.approx(np.mean(lasts), abs=6)


def test_an_even_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="even share"):
        draw({}, 10, 2, even=0.0, seed=0)


@pytest.mark.statistical
@pytest.mark.parametrize("labelled", [200, 100])
def test_weighted_intervals_hold_the_truth_where_the_plain_mean_is_far_off(labelled):
    """Also where only the first half of the queue was labelled."""
    generator = np.random.default_rng(5)
    n, k, runs = 4_000, 200, 400
    doubt = generator.random(n)
    wrong = (generator.random(n) < 0.05 + 0.5 * doubt**4).astype(float)
    truth, held, plain = wrong.mean(), 0, []
    for seed in range(runs):
        drawn = draw({"uncertain": doubt}, n, k, even=0.3, seed=seed)
        places, chances = drawn.places[:labelled], drawn.chances[:labelled]
        rows = Together(1 / chances, np.arange(len(places)))
        low, high, _ = mean_of_rows("wrong", wrong[places], rows).interval(0.95)
        held += low <= truth <= high
        plain.append(wrong[places].mean())
    assert 0.9 <= held / runs <= 0.985
    assert np.mean(plain) > truth + 0.1
