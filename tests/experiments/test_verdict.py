"""Badges, the verdict's word, and its sentence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analytics.aggregates.arms import VALUE, ArmMoments, ExperimentAggregates, MetricAggregates, Split
from analytics.experiments.analyse import scorecard
from analytics.experiments.design import Design, MetricDesign
from tests.experiments.arms import UTC, card, moments


def cells(by_arm):
    """Arm -> (mean, standard deviation, n) as moments."""
    return ArmMoments(
        VALUE,
        np.array(list(by_arm)),
        np.full(len(by_arm), np.datetime64("NaT"), dtype="datetime64[D]"),
        None,
        np.array([float(n) for _, _, n in by_arm.values()]),
        np.array([[mean] for mean, _, _ in by_arm.values()]),
        np.array([[[deviation**2 * (n - 1)]] for _, deviation, n in by_arm.values()]),
    )


def share(p, n=2000):
    return p, math.sqrt(p * (1 - p) * n / (n - 1)), n


def near(mean, half, n=10_000):
    """An arm whose interval of the difference from another of the same kind is about +- half wide."""
    return mean, half / 1.96 / math.sqrt(2 / n), n


def judged(metrics, by_metric, **options):
    """Metric designs, and metric -> arm -> (mean, standard deviation, n)."""
    arms = tuple(next(iter(by_metric.values())))
    found = [MetricAggregates(name, cells(values)) for name, values in by_metric.items()]
    return card(metrics, found, arms=arms, test_split=False, **options)


BUY = MetricDesign("conversion", "proportion")
WIN, SAME, LOSS = share(0.15), share(0.103), share(0.06)
COST = MetricDesign("cost", "mean", "down")


def badge_of(metric, control, arm):
    return judged([metric], {metric.name: {"A": control, "B": arm}}).rows[0].badge


@pytest.mark.parametrize(
    "direction,mean,expected",
    [
        ("up", 12, "better"),
        ("up", 8, "worse"),
        ("up", 10, "no difference shown"),
        ("down", 12, "worse"),
        ("down", 8, "better"),
    ],
)
def test_a_badge_reads_the_interval(direction, mean, expected):
    assert badge_of(MetricDesign("m", "mean", direction), near(10, 1), near(mean, 1)) == expected


@pytest.mark.parametrize("direction,sign", [("up", 1), ("down", -1)])
@pytest.mark.parametrize(
    "gain,half,margin,expected",
    [
        (0.0, 1.0, 2.0, "safe"),  # inside the margin
        (-1.0, 0.5, 2.0, "safe"),  # worse, but by less than was accepted beforehand
        (-1.0, 0.5, 1.2, "harmed"),  # worse, and perhaps by more
        (0.0, 3.0, 2.0, "not shown safe"),
        (0.0, 1.0, 0.0, "not shown safe"),
        (2.0, 1.0, 0.0, "safe"),  # better is safe without any margin
        (-2.0, 1.0, 0.0, "harmed"),
    ],
)
@pytest.mark.parametrize("relative", [True, False])
def test_a_guardrail_is_read_against_its_margin(direction, sign, gain, half, margin, expected, relative):
    given = {"margin": margin / 100} if relative else {"margin_absolute": margin}
    metric = MetricDesign("m", "mean", direction, "guardrail", **given)
    assert badge_of(metric, near(100, half), near(100 + sign * gain, half)) == expected


def test_a_guardrail_without_margin_is_safe_only_if_better():
    metric = MetricDesign("m", "mean", "up", "guardrail")
    assert badge_of(metric, near(100, 1), near(100, 1)) == "not shown safe"
    assert badge_of(metric, near(100, 1), near(103, 1)) == "safe"


def test_a_relative_margin_needs_a_lift():
    metric = MetricDesign("m", "mean", "up", "guardrail", margin=0.5)
    assert badge_of(metric, near(0, 1), near(0, 1)) == "not shown safe"
    assert badge_of(metric, near(0, 1), near(3, 1)) == "safe"
    assert badge_of(metric, near(0, 1), near(-3, 1)) == "harmed"


def test_a_win_in_numbers():
    decision = judged([BUY], {"conversion": {"A": SAME, "B": WIN}}).decision
    assert decision.call == "won"
    assert decision.sentence == ("B wins on conversion: 15% against 10.3%, +45.6% (23.4% to 72%), p < .0001.")


def test_the_sentence_has_the_corrected_numbers():
    metrics = [BUY, MetricDesign("again", "proportion", role="secondary")]
    weak = {"A": share(0.100), "B": share(0.121)}
    answer = judged(metrics, {"conversion": weak, "again": {"A": SAME, "B": SAME}})
    alone = judged([BUY], {"conversion": weak})
    assert alone.rows[0].p_value == answer.rows[0].p_value
    assert (alone.decision.call, answer.decision.call) == ("won", "undecided")
    assert f"p = {2 * answer.rows[0].p_value:.2g}".replace("0.", ".") in answer.decision.sentence


def test_a_loss():
    decision = judged([BUY], {"conversion": {"A": SAME, "B": LOSS}}).decision
    assert decision.call == "lost"
    assert decision.sentence.startswith("B loses on conversion: 6% against 10.3%, −41.7% (−53")


def test_undecided_says_what_is_ruled_out():
    decision = judged([BUY], {"conversion": {"A": SAME, "B": share(0.105)}}).decision
    assert decision.call == "undecided"
    assert decision.sentence.startswith(
        "No difference shown between B and A on conversion: 10.5% against 10.3%"
    )
    assert decision.sentence.endswith("so a rise beyond 22.3% and a fall beyond 15% are ruled out.")


def test_without_a_lift_the_difference_is_told():
    decision = judged([MetricDesign("m", "mean")], {"m": {"A": near(0, 1), "B": near(3, 1)}}).decision
    assert "+3.00 (2.00 to 4.00)" in decision.sentence
    bought = judged([BUY], {"conversion": {"A": share(0.0), "B": share(0.05)}}).decision
    assert "5% against 0%, +5 pp (4.1 pp to 6 pp)" in bought.sentence


def test_of_two_primary_metrics_one_may_stay_undecided():
    answer = judged(
        [BUY, COST], {"conversion": {"A": SAME, "B": WIN}, "cost": {"A": near(9, 1), "B": near(9, 1)}}
    )
    assert answer.decision.call == "won"
    assert answer.decision.sentence.endswith("; no difference shown on cost.")


def test_a_win_and_a_loss_are_mixed():
    answer = judged(
        [BUY, COST], {"conversion": {"A": SAME, "B": WIN}, "cost": {"A": near(9, 1), "B": near(12, 1)}}
    )
    assert answer.decision.call == "mixed"
    assert "B wins on conversion: " in answer.decision.sentence
    assert ", but it loses on cost: 12.0 against 9.00" in answer.decision.sentence


def test_harm_comes_before_a_win():
    latency = MetricDesign("latency", "mean", "down", "guardrail", margin=0.02)
    answer = judged(
        [BUY, latency],
        {"conversion": {"A": SAME, "B": WIN}, "latency": {"A": near(100, 1), "B": near(105, 1)}},
    )
    assert answer.decision.call == "harmed"
    assert answer.decision.sentence.startswith("B harms latency: 105 against 100, +5% (4% to 6")
    assert "where a rise of 2% is accepted" in answer.decision.sentence
    assert answer.decision.sentence.endswith("; it wins on conversion.")


def test_a_win_tells_what_is_not_shown_safe():
    latency = MetricDesign("latency", "mean", "down", "guardrail", margin=0.02)
    answer = judged(
        [BUY, latency],
        {"conversion": {"A": SAME, "B": WIN}, "latency": {"A": near(100, 3), "B": near(100, 3)}},
    )
    assert answer.decision.call == "won"
    assert answer.decision.sentence.endswith("; not shown safe: latency (worse by up to 3%).")


def test_the_winner_speaks_for_several_arms():
    answer = judged(
        [BUY], {"conversion": {"A": SAME, "B": share(0.101), "C": LOSS, "D": WIN, "E": share(0.2)}}
    )
    sentence = answer.decision.sentence
    assert answer.decision.call == "won"
    assert sentence.startswith("E wins on conversion: 20% against 10.3%")
    assert "; B shows no difference; C loses on conversion; D wins too, on conversion." in sentence


def test_secondary_metrics_decide_nothing():
    answer = judged(
        [BUY, MetricDesign("extra", "mean", role="secondary")],
        {"conversion": {"A": SAME, "B": SAME}, "extra": {"A": near(9, 1), "B": near(19, 1)}},
    )
    assert answer.decision.call == "undecided"


def test_without_a_primary_metric_there_is_no_verdict():
    extra = MetricDesign("extra", "mean", role="secondary")
    decision = judged([extra], {"extra": {"A": near(9, 1), "B": near(19, 1)}}).decision
    assert decision.call == "unknown"
    assert decision.sentence == "No primary metric is declared, so there is no verdict."


def test_a_metric_that_cannot_be_tested_does_not_hide_the_others():
    answer = judged(
        [BUY, COST], {"conversion": {"A": SAME, "B": WIN}, "cost": {"A": (1.0, 0.0, 50), "B": (1.0, 0.0, 50)}}
    )
    assert answer.decision.call == "won"
    assert "cost cannot be tested: every unit has the same value" in answer.decision.sentence


def test_a_guardrail_that_cannot_be_tested_is_told():
    latency = MetricDesign("latency", "mean", "down", "guardrail", margin=0.02)
    answer = judged(
        [BUY, latency],
        {"conversion": {"A": SAME, "B": WIN}, "latency": {"A": near(100, 1), "B": (0.0, 0.0, 0)}},
    )
    assert answer.decision.call == "won"
    assert answer.decision.sentence.endswith("; latency cannot be tested: the arm has no units.")


def test_a_name_stays_as_it_was_logged():
    design = Design("t", "a", {"a": 0.5, "gbm-2": 0.5}, metrics=(MetricDesign("m", "mean"),))
    values = {
        "a": np.random.default_rng(0).normal(1, 1, 99),
        "gbm-2": np.random.default_rng(1).normal(5, 1, 99),
    }
    found = MetricAggregates("m", moments("mean", values))
    aggregates = ExperimentAggregates(Split({"a": 99, "gbm-2": 99}), (found,))
    assert scorecard(design, aggregates, UTC).decision.sentence.startswith("gbm-2 wins on m: ")


def test_a_look_before_the_end_says_so():
    design = Design("t", "a", {"a": 0.5, "b": 0.5}, metrics=(MetricDesign("m", "mean"),), early="Too early.")
    values = {"a": np.random.default_rng(0).normal(1, 1, 99), "b": np.random.default_rng(1).normal(5, 1, 99)}
    found = MetricAggregates("m", moments("mean", values))
    answer = scorecard(design, ExperimentAggregates(Split({"a": 99, "b": 99}), (found,)), UTC)
    assert answer.decision.sentence.endswith(". Too early.")


def active(arm_a, arm_b, mean_b=5.0):
    values = {
        "a": np.random.default_rng(0).normal(1, 1, 99),
        "b": np.random.default_rng(1).normal(mean_b, 1, 99),
    }
    found = replace(MetricAggregates("m", moments("mean", values)), n_active={"a": arm_a, "b": arm_b})
    design = Design("t", "a", {"a": 0.5, "b": 0.5}, metrics=(MetricDesign("m", "mean"),))
    return scorecard(design, ExperimentAggregates(Split({"a": 99, "b": 99}), (found,)), UTC)


def test_a_win_over_an_arm_whose_outcomes_are_lost_is_none():
    answer = active(2, 90)
    assert answer.decision.call == "invalid"
    broken = "No verdict: The logs are broken: only 2% of the units in a have a row after"
    assert answer.decision.sentence.startswith(broken)
    assert {row.verdict for row in answer.rows} <= {"hold", "inconclusive", None}
    assert "are units written alike" in answer.rows[0].warnings
    assert answer.health.doubts == (answer.health.notes[0],)


def test_a_loss_of_an_arm_whose_outcomes_are_lost_says_so():
    answer = active(90, 0, mean_b=0.0)
    assert answer.decision.call == "lost"
    doubt = "Only 0% of the units in b have a row after their first exposure, against 90.9% in a"
    assert doubt in answer.decision.sentence


def test_arms_of_which_half_is_active_are_sound():
    assert active(50, 90).health.doubts == ()


def test_a_win_tells_which_secondary_metrics_lost():
    values = {"A": near(10, 0.1), "B": near(11, 0.1)}
    answer = judged(
        [MetricDesign("m", "mean"), MetricDesign("s", "mean", role="secondary")],
        {"m": values, "s": {"A": near(11, 0.1), "B": near(10, 0.1)}},
    )
    assert answer.decision.call == "won"
    assert answer.decision.sentence.endswith("; worse on s.")


def test_means_that_read_alike_are_told_apart_by_their_difference():
    answer = judged([MetricDesign("m", "mean")], {"m": {"A": near(1e9, 0.1), "B": near(1e9 - 0.3, 0.1)}})
    assert "−0.300 (" in answer.decision.sentence
