"""Kappa against scikit-learn and statsmodels, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from analytics.review.agreement import agreements, kappa

A = ["cat", "cat", "dog", "dog", "bird", "cat", "dog", "bird", "cat", "dog", "cat", "bird"]
B = ["cat", "dog", "dog", "dog", "bird", "cat", "cat", "bird", "cat", "dog", "cat", "cat"]


def answers(*people):
    names = ("Ana", "Bo", "Cy")
    return [
        (f"row {i}", name, label)
        for name, labels in zip(names, people, strict=False)
        for i, label in enumerate(labels)
        if label is not None
    ]


def test_kappa_is_scikit_learns():
    value, low, high = kappa(
        list(zip(A, B, strict=True)), ["bird", "cat", "dog"], symmetric=False, confidence=0.95
    )
    assert value == pytest.approx(cohen_kappa_score(A, B))
    assert low < value < high


def test_over_all_pairs_it_does_not_matter_who_is_first():
    both = list(zip(A, B, strict=True))
    names = ["bird", "cat", "dog"]
    there = kappa(both, names, symmetric=True, confidence=0.95)
    back = kappa([(b, a) for a, b in both], names, symmetric=True, confidence=0.95)
    assert there == pytest.approx(back)
    # the pooled form is that of both orders together
    assert there[0] == pytest.approx(cohen_kappa_score(A + B, B + A))


def test_pairs_of_people_and_all_of_them():
    third = ["cat"] * 6 + [None] * 6
    rows = agreements("q", answers(A, B, third), 0.95)
    assert [(row.first, row.second, row.n) for row in rows] == [
        (None, None, 24), ("Ana", "Bo", 12), ("Ana", "Cy", 6), ("Bo", "Cy", 6),
    ]  # fmt: skip
    assert [row.status for row in rows] == ["ok", "ok", "too_few", "too_few"]
    assert rows[1].kappa == pytest.approx(cohen_kappa_score(A, B))


def test_nobody_twice_and_one_label_only():
    (row,) = agreements("q", [("row 1", "Ana", "cat")], 0.95)
    assert (row.status, row.kappa, row.n) == ("no_data", None, 0)
    same = agreements("q", answers(["cat"] * 12, ["cat"] * 12), 0.95)
    assert {row.status for row in same} == {"undefined"}
    assert same[0].agreement == 1.0


def test_complete_agreement_has_a_lower_limit():
    labels = ["cat", "dog"] * 6
    row = agreements("q", answers(labels, labels), 0.95)[0]
    assert row.kappa == 1.0
    assert row.ci_low is not None
    assert row.ci_low < 0.95
    assert row.ci_high == 1.0


@pytest.mark.statistical
def test_intervals_hold_kappa():
    generator = np.random.default_rng(8)
    held, runs = 0, 400
    for _ in range(runs):
        truth = generator.random(120) < 0.4
        one = np.where(generator.random(120) < 0.15, ~truth, truth)
        other = np.where(generator.random(120) < 0.15, ~truth, truth)
        _, low, high = kappa(
            list(zip(one.astype(str), other.astype(str), strict=True)), ["False", "True"], symmetric=False,
            confidence=0.95,
        )  # fmt: skip
        # the true margins are .43 and .57 on both sides
        share = 0.4 * 0.85 + 0.6 * 0.15
        chance = share**2 + (1 - share) ** 2
        agree = 0.85**2 + 0.15**2
        held += low <= (agree - chance) / (1 - chance) <= high
    assert 0.92 <= held / runs <= 0.98
