"""Texts and embeddings as a matrix; measures without a language."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.domain_classifier import classify, fold_sides
from analytics.stats.text_maps import MEASURES, embedding_design, measures, text_design


def test_measures_of_any_script():
    found = measures(["Grüße aus 東京!", "", None, "ABC 123"])
    assert found["tokens"][0] == 3
    assert found["characters"].tolist()[:2] == [13, 0]
    assert found["non_ascii"][0] == pytest.approx(4 / 13)
    assert found["digits"][3] == pytest.approx(3 / 7)
    assert found["upper_case"][3] == 1
    assert np.isnan([found[name][2] for name in MEASURES]).all()
    assert np.isnan(found["digits"][1]), "a share of nothing is not 0"


@pytest.mark.parametrize(
    "texts", [["", ""] * 30, ["same words"] * 60, ["a"] * 59 + ["\ud800 b"], ["x"] * 30 + [None] * 30]
)
def test_odd_texts_give_a_matrix(texts):
    assert np.isfinite(text_design(texts)).all()


def test_other_words_of_the_same_length_are_found():
    rng = np.random.default_rng(0)
    old, new = ["alpha", "bravo", "delta"], ["gamma", "kappa", "sigma"]
    side = np.arange(400) >= 200
    texts = [" ".join(rng.choice(new if late else old, 4)) for late in side]
    sides = fold_sides(side, np.arange(400) // 10, np.ones(400))
    found, _ = classify(text_design(texts), sides)
    assert found.auc > 0.95
    same = [" ".join(np.random.default_rng(i).choice(old, 4)) for i in range(400)]
    assert classify(text_design(same), sides)[0].p_value > 0.05


def test_embeddings_that_spread_more_are_found_though_their_mean_stays():
    rng = np.random.default_rng(1)
    side = np.arange(600) >= 300
    vectors = rng.normal(size=(600, 12)) * np.where(side, 1.6, 1.0)[:, None]
    found, _ = classify(embedding_design(vectors), fold_sides(side, np.arange(600) // 10, np.ones(600)))
    assert found.p_value == pytest.approx(1 / 200)
