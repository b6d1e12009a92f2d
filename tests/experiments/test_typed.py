"""Typed numbers: what is refused, and with which words."""

from __future__ import annotations

import pytest

from analytics.errors import AssayError, ExperimentError
from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts, compare_means

A, B = TypedArm("A", 100, 10), TypedArm("B", 100, 20)


def mean(name, n=10, value=1.0, deviation=1.0):
    return TypedArm(name, n, mean=value, standard_deviation=deviation)


@pytest.mark.parametrize(
    "arms,options,word",
    [
        ([A], {}, "at least two arms; 1 given"),
        ([A, A], {}, "A is given twice"),
        ([A, B], {"control": "C"}, "'C' is none of the arms: A, B"),
        ([A, TypedArm("B", 10, 11)], {}, "11 successes among 10"),
        ([A, TypedArm("B", 10, -1)], {}, "successes of B must be a whole number"),
        ([A, TypedArm("B", 10, 2.5)], {}, "found 2.5"),
        ([A, TypedArm("B", -10, 0)], {}, "n of B must be a whole number"),
        ([A, TypedArm("B", 10.5, 1)], {}, "found 10.5"),
        ([A, TypedArm("B", float("nan"), 1)], {}, "found nan"),
        ([A, TypedArm("B", 10)], {}, "B has no number of successes"),
        ([A, B], {"alpha": 0.0}, "alpha must lie between 0 and 1"),
        ([A, B], {"alpha": 1e-16}, "alpha must lie between 0 and 1, from 1e-09 on"),
        ([A, B], {"shares": {"A": 1.0}}, "shares are needed for every arm"),
        ([A, B], {"shares": {"A": 1.0, "B": 0.0}}, "share of B must be above 0"),
    ],
)
def test_counts_that_cannot_be_are_refused(arms, options, word):
    with pytest.raises(ExperimentError, match=word):
        compare_counts(arms, **{"control": "A", **options})


@pytest.mark.parametrize(
    "arm,word",
    [
        (mean("B", deviation=-1.0), "deviation of B must be a number, 0 or more; found -1"),
        (mean("B", deviation=None), "found None"),
        (mean("B", value=float("inf")), "The mean of B must be a number; found inf"),
        (mean("B", value=None), "The mean of B must be a number"),
        (mean("B", n=2.5), "n of B must be a whole number"),
    ],
)
def test_means_that_cannot_be_are_refused(arm, word):
    with pytest.raises(ExperimentError, match=word):
        compare_means([mean("A"), arm], "A")


def test_the_error_is_one_a_user_can_mend():
    assert issubclass(ExperimentError, AssayError)


def test_a_row_for_every_arm_but_the_control():
    card = compare_counts([TypedArm("C", 90, 12), B, A], "A")
    assert card.name is None
    assert card.variants == ("C", "B")
    assert [(row.metric, row.variant, row.control) for row in card.rows] == [
        ("conversion", "C", "A"),
        ("conversion", "B", "A"),
    ]
    assert card.rows[0].experiment is None
    assert card.health.srm is None
    assert [(arm.variant, arm.n) for arm in card.health.arms] == [("C", 90), ("B", 100), ("A", 100)]
    assert [arm.variant for arm in card.arms] == ["A", "C", "B"]
    assert card.days == card.bins == ()


def test_shares_ask_for_the_test_of_the_split():
    card = compare_counts(
        [TypedArm("B", 1000, 100), TypedArm("A", 500, 50)], "A", shares={"B": 0.5, "A": 0.5}
    )
    assert card.rows[-1].metric == "srm"
    assert card.decision.call == "invalid"
    fine = compare_counts([TypedArm("B", 1000, 100), TypedArm("A", 500, 50)], "A", shares={"A": 1, "B": 2})
    assert fine.health.srm.p_value == 1.0


def test_direction_turns_the_verdict():
    assert compare_counts([B, A], "A").decision.call == "won"
    assert compare_counts([B, A], "A", direction="down").decision.call == "lost"


def test_means_are_told_in_their_own_units():
    card = compare_means([mean("B", 400, 0.0123, 0.002), mean("A", 400, 0.0118, 0.002)], "A")
    assert card.decision.sentence.startswith("B wins on value: 0.0123 against 0.0118, +4.2% (1.9% to 6.7%)")
