"""The word of a comparison follows from its badge, and tells how many more units could change it."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.design import MetricDesign
from tests.experiments.arms import card, moments


def values(effect, n=400, seed=5):
    """Two arms of exactly this difference, standard deviation 1 in each."""
    rng = np.random.default_rng(seed)
    arms = {}
    for arm, mean in (("A", 10.0), ("B", 10.0 + effect)):
        drawn = rng.normal(size=n)
        arms[arm] = mean + (drawn - drawn.mean()) / drawn.std(ddof=1)
    return arms


def row(effect, *, role="primary", planned=None, **metric):
    design = MetricDesign("m", "mean", role=role, **metric)
    answer = card([design], [MetricAggregates("m", moments("mean", values(effect)))], planned_units=planned)
    return answer, answer.rows[0]


@pytest.mark.parametrize("effect, word", [(0.5, "ship"), (-0.5, "harm"), (0.05, "inconclusive")])
def test_primary_metrics(effect, word):
    answer, one = row(effect)
    assert one.verdict == word
    assert one.needs_n is None
    assert answer.decision.word == word


@pytest.mark.parametrize(
    "stopping, word", [("fixed", "hold"), ("bayesian", "hold"), ("always-valid", "ship")]
)
def test_before_a_fixed_horizon_no_record_says_ship(stopping, word):
    metrics = [MetricDesign("m", "mean"), MetricDesign("g", "mean", role="guardrail", margin_absolute=0.5)]
    found = [MetricAggregates(one.name, moments("mean", values(1.0))) for one in metrics]
    answer = card(metrics, found, early="This is a look before the planned end.", stopping=stopping)
    assert [row.badge for row in answer.headline_rows()] == ["better", "safe"]
    assert {row.verdict for row in answer.headline_rows()} == {word}
    harm = card(
        metrics[:1], [MetricAggregates("m", moments("mean", values(-1.0)))], early="Early.", stopping=stopping
    )
    assert harm.rows[0].verdict == "harm"


def test_units_that_are_missing_of_the_plan():
    answer, one = row(0.05, planned=2000)
    assert (one.verdict, one.needs_n) == ("needs n", 1200)
    assert answer.decision.word == "needs n"


def test_units_until_the_smallest_effect_that_matters_shows():
    _, one = row(0.05, smallest_difference=0.1)
    # 2 (1.96 + 0.84)^2 / 0.1^2 an arm
    assert one.verdict == "needs n"
    assert 800 + one.needs_n == pytest.approx(2 * 2 * (1.959964 + 0.841621) ** 2 / 0.01, rel=0.001)
    _, enough = row(0.02, smallest_difference=0.5)
    assert (enough.badge, enough.verdict, enough.needs_n) == ("no difference that matters", "hold", None)


def test_an_effect_that_no_number_of_units_shows_is_no_plan():
    for least in (1e-300, 1e-30, 1e-9):
        _, one = row(0.05, smallest_difference=least)
        assert (one.verdict, one.needs_n) == ("inconclusive", None)


def test_guardrails():
    assert row(0.0, role="guardrail", margin_absolute=0.5)[1].verdict == "ship"
    assert row(-0.9, role="guardrail", margin_absolute=0.5)[1].verdict == "harm"
    unsure = row(0.0, role="guardrail", margin_absolute=0.05)[1]
    assert unsure.verdict == "needs n"
    assert 800 + unsure.needs_n == pytest.approx(2 * 2 * (1.959964 + 0.841621) ** 2 / 0.05**2, rel=0.001)


def both(guardrail_effect, **planned):
    metrics = [MetricDesign("m", "mean"), MetricDesign("g", "mean", role="guardrail", margin_absolute=0.3)]
    found = [
        MetricAggregates("m", moments("mean", values(0.5))),
        MetricAggregates("g", moments("mean", values(guardrail_effect, seed=6))),
    ]
    return card(metrics, found, **planned)


def test_a_win_is_shipped_only_with_safe_guardrails_and_at_the_planned_end():
    assert both(0.0).decision.word == "ship"
    unsafe = both(-0.2)
    assert unsafe.decision.call == "harmed" or unsafe.decision.word == "hold"
    assert both(-0.9).decision.word == "harm"
    early = both(0.0, early="This is a look before the planned end.")
    assert early.decision.call == "won"
    assert early.decision.word == "hold"


def test_a_sequence_needs_more_units_than_one_look():
    metric = MetricDesign("m", "mean", smallest_difference=0.1)
    found = MetricAggregates("m", moments("mean", values(0.02)))
    fixed = card([metric], [found]).rows[0]
    watched = card([metric], [found], stopping="always-valid", planned_units=2000).rows[0]
    assert watched.needs_n > 1.5 * fixed.needs_n
