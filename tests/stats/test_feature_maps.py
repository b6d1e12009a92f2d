"""The matrix of many columns: balanced, blind to sides, and whole with whatever values come."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.feature_maps import MOST_FACTORS, encode_numbers, encode_texts, feature_map


def test_every_feature_weighs_the_same():
    rng = np.random.default_rng(0)
    numbers = encode_numbers(rng.normal(size=500)).own
    texts = encode_texts(list(rng.choice(list("abcdef"), 500))).own
    for own in (numbers, texts):
        assert own.mean(axis=0) == pytest.approx(np.zeros(own.shape[1]), abs=1e-5)
        assert np.square(own).mean(axis=0).sum() == pytest.approx(1, abs=1e-3)


def test_missing_and_infinite_values_are_values():
    x = np.array([1.0, np.nan, np.inf, -np.inf, 2.0, np.nan])
    own = encode_numbers(x).own
    assert np.isfinite(own).all()
    assert (own[1] == own[5]).all()
    assert (own[1] != own[0]).any()


def test_a_constant_column_has_nothing_to_say():
    found = feature_map([np.ones(50), ["a"] * 50])
    assert found.design().shape == (50, 0)


def test_missing_text_is_not_the_empty_text_and_many_values_are_hashed():
    values = [f"v{i}" for i in range(500)] + [None] * 20
    own = encode_texts(values).own
    assert np.isfinite(own).all()
    assert own.shape[1] < 40
    assert (own[500] != own[0]).any()


def test_pairs_are_there_and_a_shuffle_breaks_those_of_one_feature_only():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    found = feature_map([x[:, i] for i in range(3)])
    whole = found.design()
    order = rng.permutation(200)
    shuffled = found.design(0, order)
    width = found.columns[0].own.shape[1]
    assert (shuffled[:, :width] == whole[order, :width]).all()
    changed = [not np.allclose(whole[:, -k], shuffled[:, -k]) for k in (1, 2, 3)]
    assert changed == [False, True, True], "of the pairs 01, 02, 12 only the last is without feature 0"


def test_many_features_are_paired_by_their_components():
    rng = np.random.default_rng(2)
    found = feature_map([rng.normal(size=300) for _ in range(40)])
    assert found.mixing.shape == (40, MOST_FACTORS)
    assert np.isfinite(found.design()).all()
