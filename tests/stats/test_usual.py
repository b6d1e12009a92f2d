from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.stats.usual import place_of

KNOWN = np.arange(1000.0)


@pytest.mark.parametrize(
    "value,finding",
    [(500.0, "usual"), (2.0, "low"), (-1.0, "lowest"), (997.0, "high"), (1e9, "highest"), (np.nan, "missing"),
     (np.inf, "infinite"), (None, "missing")],
)  # fmt: skip
def test_numbers(value, finding):
    assert place_of(value, KNOWN).finding == finding


def test_a_value_that_many_rows_have_is_usual_at_the_end_of_the_range():
    assert place_of(0.0, np.repeat([0.0, 1.0, 2.0], 100)).finding == "usual"


def test_missing_is_usual_where_it_is_common():
    assert place_of(np.nan, np.array([np.nan, 1.0] * 100)).finding == "usual"


def test_texts():
    known = ["a"] * 995 + ["b"] * 5
    assert [place_of(value, known).finding for value in ("a", "b", "c", None)] == [
        "usual",
        "rare",
        "unseen",
        "missing",
    ]


def test_where_every_value_is_new_a_new_value_is_not_unusual():
    assert not place_of("another", [f"id {place}" for place in range(1000)]).unusual


@pytest.mark.parametrize("known", [np.zeros(0), [], np.full(5, np.nan), ["a"] * 5, np.arange(5.0)])
@pytest.mark.parametrize("value", [1.0, np.nan])
def test_few_known_values_make_nothing_unusual(known, value):
    wanted = value if isinstance(known, np.ndarray) else "b"
    assert not place_of(wanted, known).unusual or np.isnan(value)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_one_in_a_hundred_is_unusual(seed):
    draw = np.random.default_rng(seed)
    known = draw.normal(size=2000)
    found = np.mean([place_of(float(value), known).unusual for value in draw.normal(size=300)])
    assert found < 0.05
