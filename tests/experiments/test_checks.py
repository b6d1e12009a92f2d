"""Checks of trust: a sound experiment passes, and every planted fault is found by the check that looks for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from analytics.aggregates.arms import ExperimentAggregates, Split
from analytics.aggregates.log_state import LogState
from analytics.aggregates.unit_ages import Ages
from analytics.experiments.checks import blocking, checks_of
from analytics.experiments.checks.ages import age_checks, age_rows, stretches
from analytics.experiments.checks.balance import balance_check, before_rows
from analytics.experiments.checks.logs import crossed_check, logs_check
from analytics.experiments.checks.mix import change_check, weekday_check
from analytics.experiments.checks.overlap import mates_check, overlap_checks
from analytics.experiments.checks.size import leverage_checks, past_lifts, twyman_check
from analytics.experiments.checks.split import (
    onset_check,
    segment_checks,
    segment_parts,
    split_check,
    split_days,
)
from analytics.experiments.checks.words import trust_sentence
from analytics.experiments.design import RampPhase
from tests.experiments.trust_worlds import (
    ages_of,
    aggregates,
    cut_of,
    design,
    draw,
    mates_of,
    moments,
    overlaps_of,
)

SEED = np.random.SeedSequence(7)


@pytest.fixture
def world():
    return draw(np.random.default_rng(7))


def lost(world, chosen):
    """The units whose exposure was logged."""
    kept = ~chosen
    fields = {
        name: getattr(world, name)[kept]
        for name in ("arm", "day", "orders", "revenue", "before", "segment", "cluster")
    }
    return replace(world, **fields, others={name: arm[kept] for name, arm in world.others.items()})


def only(rows, name):
    return [row for row in rows if row.name == name]


def test_a_sound_experiment_passes(world):
    rows = checks_of(design(), aggregates(world))
    assert not blocking(rows)
    assert {row.name for row in rows} == {"srm", "balance", "crossed", "logs", "split_change", "weekdays"}
    assert trust_sentence(rows).startswith("This comparison can be trusted as far as the logs tell: 6 checks")


def test_a_segment_whose_split_is_broken_warns_even_where_another_makes_up_for_it():
    generator = np.random.default_rng(2)
    world = draw(generator, 12_000)
    for segment, share in (("phone", 0.55), ("desktop", 0.4167)):
        own = world.segment == segment
        world.arm[own] = generator.random(own.sum()) < share
    rows = checks_of(design(), aggregates(world))
    assert not blocking(rows)
    assert {row.segment_value for row in only(rows, "srm_segment")} == {"phone", "desktop"}
    assert "segments of the split" in trust_sentence(rows)


def test_arms_of_the_logs_that_are_not_those_of_the_plan_warn(world):
    found = aggregates(world)
    split = replace(found.split, n_unknown=400, unknown=(("C", 400),))
    rows = checks_of(design(), replace(found, split=split))
    [logs] = only(rows, "logs")
    assert logs.level == "warns"
    assert "are in arms that are not declared (C (400)) and are left out" in logs.sentence
    assert "bear in mind: the logs" in trust_sentence(rows)
    few = replace(found.split, n_unknown=4, unknown=(("C", 4),))
    assert only(checks_of(design(), replace(found, split=few)), "logs")[0].level == "fine"


def test_an_arm_of_the_plan_that_nobody_saw_warns(world):
    planned = replace(design(), shares={"A": 0.5, "B": 0.499, "C": 0.001})
    found = aggregates(world)
    split = replace(found.split, n={**found.split.n, "C": 0})
    [logs] = only(checks_of(planned, replace(found, split=split)), "logs")
    assert (logs.level, "nobody was exposed to C" in logs.sentence) == ("warns", True)


def test_nothing_is_said_of_trust_where_nobody_was_exposed():
    rows = checks_of(design(), ExperimentAggregates(Split({"A": 0, "B": 0}), ()))
    assert trust_sentence(rows) == "No unit was exposed, so there is nothing to trust or to doubt."


def test_typed_numbers_have_no_checks(world):
    assert checks_of(design(), aggregates(world), test_split=False) == ()


def test_a_split_that_breaks_on_day_5_on_phones_is_found_there(world):
    generator = np.random.default_rng(1)
    world = draw(generator, 12_000)
    gone = (world.arm == 1) & (world.day >= 4) & (world.segment == "phone") & (generator.random(12_000) < 0.5)
    found = aggregates(lost(world, gone))
    rows = checks_of(design(), found)
    assert [row.name for row in rows][:3] == ["srm", "srm_onset", "srm_segment"]
    split, onset, segment = rows[:3]
    assert split.level == "blocks"
    assert split.p_value is not None
    assert split.p_value < 1e-4
    assert abs((onset.day - date(2026, 1, 9)).days) <= 1
    assert (segment.segment, segment.segment_value) == ("device", "phone")
    assert len(only(rows, "srm_segment")) == 1
    assert "without it the split is as planned" in segment.sentence
    assert trust_sentence(rows).startswith("Do not trust this comparison: the split is not as planned")


def test_parts_of_a_segment_sum_to_the_statistic_of_the_whole(world):
    found = aggregates(world)
    parts = segment_parts(design(), found.split)
    counts = np.array([found.split.n[arm] for arm in ("A", "B")], float)
    statistic = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert sum(part.contribution for part in parts) == pytest.approx(statistic)
    assert segment_checks(parts, broken=False) == []


def test_a_ramp_that_is_planned_is_no_broken_split():
    generator = np.random.default_rng(3)
    first, second = draw(generator, 2000, days=7, share=0.1), draw(generator, 2000, days=7, share=0.5)
    ramp = [
        RampPhase(datetime(2026, 1, 5, tzinfo=UTC), {"A": 0.9, "B": 0.1}),
        RampPhase(datetime(2026, 1, 12, tzinfo=UTC), {"A": 0.5, "B": 0.5}),
    ]
    one, two = aggregates(first).split.daily, aggregates(second).split.daily
    later = replace(two, days=two.days + 7, phases=two.phases + 1)
    split = Split(
        {"A": int((one + later).n[:, 0].sum()), "B": int((one + later).n[:, 1].sum())}, daily=one + later
    )
    planned = split_check(replace(design(), phases=tuple(ramp)), split)
    assert planned.level == "fine"
    assert split_check(design(), split).level == "blocks"
    days = split_days(replace(design(), phases=tuple(ramp)), split)
    shares = [
        row.expected / (row.expected + other.expected)
        for row, other in zip(days[::2], days[1::2], strict=True)
    ]
    assert shares == pytest.approx([0.9] * 7 + [0.5] * 7)


def test_strata_with_shares_of_their_own_are_tested_by_their_own():
    generator = np.random.default_rng(4)
    plans = {"BR": {"A": 0.2, "B": 0.8}, "DE": {"A": 0.7, "B": 0.3}}
    parts = []
    for name, shares in plans.items():
        daily = aggregates(draw(generator, 3000, share=shares["B"])).split.daily
        parts.append(replace(daily, strata=np.full(len(daily.days), name)))
    daily = parts[0] + parts[1]
    split = Split({arm: int(n) for arm, n in zip(("A", "B"), daily.n.sum(axis=0), strict=True)}, daily=daily)
    assert split_check(replace(design(), strata=plans), split).level == "fine"
    swapped = {"BR": plans["DE"], "DE": plans["BR"]}
    assert split_check(replace(design(), strata=swapped), split).level == "blocks"


def test_without_times_there_is_one_look_and_the_plain_test():
    found = split_check(design(), Split({"A": 560, "B": 440}))
    assert found.level == "blocks"
    assert found.p_value == pytest.approx(0.000148, rel=0.01)
    assert onset_check(design(), Split({"A": 560, "B": 440})) is None


@pytest.mark.parametrize(
    "counts,said", [({"A": 0, "B": 0}, "no unit"), ({"A": 3, "B": 1}, "expected to have 2 only")]
)
def test_a_split_that_cannot_be_tested_says_why(counts, said):
    found = split_check(design(), Split(counts))
    assert found.level == "unknown"
    assert found.p_value is None
    assert said in found.sentence


def test_arms_that_differed_before_block(world):
    world.before[world.arm == 1] += 0.3 * (np.random.default_rng(1).random((world.arm == 1).sum()) < 0.5)
    rows = before_rows(design(), aggregates(world))
    found = balance_check(rows, sequential=True)
    assert found.level == "blocks"
    assert found.variant == "B"
    assert found.p_value is not None
    assert found.p_value == pytest.approx(min(row.p_value for row in rows) * 2)


def test_the_test_of_before_is_the_larger_error_in_a_confidence_sequence(world):
    """With one variance for both arms, and with each its own: the more doubtful one counts."""
    from analytics.stats.confidence_sequences import mixture_width, sequence_p_value

    world.arm[:] = np.random.default_rng(2).random(3000) < 0.1
    one, two = (world.before[world.arm == i] for i in (1, 0))
    welch = np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
    within = ((one - one.mean()) ** 2).sum() + ((two - two.mean()) ** 2).sum()
    pooled = np.sqrt(within / (len(one) + len(two) - 2) * (1 / len(one) + 1 / len(two)))
    z = abs(one.mean() - two.mean()) / max(welch, pooled)
    row = before_rows(design(0.1), aggregates(world))[0]
    assert row.p_value == pytest.approx(sequence_p_value(z, 3000.0, mixture_width(10_000, 0.001)), rel=1e-6)


def test_nothing_from_before_cannot_be_told(world):
    found = aggregates(world)
    bare = replace(found, metrics=tuple(replace(one, before=None) for one in found.metrics))
    assert balance_check(before_rows(design(), bare), sequential=True).level == "unknown"


@pytest.mark.parametrize("n,level", [(0, "fine"), (4, "fine"), (29, "fine"), (31, "blocks")])
def test_crossed_units_block_above_the_limit(n, level):
    found = crossed_check(design(), Split({"A": 1500, "B": 1500}, n_multiple=n))
    assert found.level == level
    assert found.value == pytest.approx(n / 3000)


def test_the_limit_of_crossed_units_is_declared():
    split = Split({"A": 1500, "B": 1500}, n_multiple=100)
    assert crossed_check(replace(design(), crossed_limit=0.05), split).level == "fine"


START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "logs,silent,said",
    [
        (LogState(unreadable=("exposures: a.parquet (truncated)",)), (), "a.parquet (truncated) cannot be read"),
        (LogState(rejected={"events": (30, 1000)}), (), "3% of the rows of events"),
        (LogState(), ("only 2% of the units in a have a row",), "only 2%"),
        (
            LogState((), {}, START, datetime(2026, 1, 20, tzinfo=UTC), {"events": datetime(2026, 1, 12, tzinfo=UTC)},
                     {"events": 700}),
            (),
            "events end on 12 Jan 2026, while units are exposed until 20 Jan 2026",
        ),
    ],
)  # fmt: skip
def test_broken_logs_block(logs, silent, said):
    found = logs_check(ExperimentAggregates(Split({}), (), logs=logs), silent)
    assert found.level == "blocks"
    assert said in found.sentence


@pytest.mark.parametrize(
    "logs",
    [
        LogState(),
        LogState(rejected={"events": (3, 1000)}),
        # two days of silence where a row comes every third day
        LogState((), {}, START, datetime(2026, 1, 20, tzinfo=UTC), {"events": datetime(2026, 1, 18, tzinfo=UTC)},
                 {"events": 5}),
    ],
)  # fmt: skip
def test_logs_that_are_fine(logs):
    assert logs_check(ExperimentAggregates(Split({}), (), logs=logs), ()).level == "fine"


def test_a_split_changed_midway_is_seen_and_both_estimates_are_told():
    """Early units are worth more, and the arm gets more units later: pooled, it looks worse than it is."""
    generator = np.random.default_rng(5)
    world = draw(generator, 4000, days=28)
    late = world.day >= 14
    world.arm[:] = generator.random(4000) < np.where(late, 0.5, 0.1)
    world.orders[~late] += 2.0
    found = change_check(design(), aggregates(world))
    assert found.level == "warns"
    assert found.day == date(2026, 1, 19)
    assert "where each period is compared by itself" in found.sentence


def test_weekdays():
    generator = np.random.default_rng(6)
    short = aggregates(draw(generator, 2000, days=5))
    assert weekday_check(design(), short, ends_later=False).level == "warns"
    assert "leaves out Saturday and Sunday" in weekday_check(design(), short, ends_later=False).sentence
    assert weekday_check(design(), short, ends_later=True).level == "fine"
    whole = weekday_check(design(), aggregates(draw(generator, 2000, days=28)), ends_later=False)
    assert "4 whole weeks" in whole.sentence
    world = draw(generator, 9000, days=10)
    assert weekday_check(design(), aggregates(world), ends_later=False).level == "fine"
    world.orders[(world.arm == 1) & (world.day % 7 >= 5)] += 0.2
    told = weekday_check(design(), aggregates(world), ends_later=False)
    assert told.level == "warns"
    assert told.metric == "orders"


def test_an_effect_that_wears_off_is_novelty_and_one_that_grows_is_not():
    generator = np.random.default_rng(8)
    ages = np.arange(14)
    fading = age_checks(design(), ages_of(draw(generator, 20_000, effect=1 + 1.0 * np.exp(-ages / 3))))
    assert [row.level for row in fading if row.metric == "orders"] == ["warns"]
    assert fading[0].cause == "novelty"
    growing = age_checks(design(), ages_of(draw(generator, 20_000, effect=1 + 0.06 * ages)))
    assert growing[0].level == "warns"
    assert growing[0].cause == "primacy"


def test_a_constant_lift_is_neither_though_units_do_less_every_day():
    found = age_checks(design(), ages_of(draw(np.random.default_rng(9), 20_000, effect=1.3)))
    assert [row.level for row in found] == ["fine"]


def test_ages_by_day_have_an_interval_that_holds_the_effect():
    rows = age_rows(design(), ages_of(draw(np.random.default_rng(10), 2000)))
    assert [row.day for row in rows if row.metric == "orders"] == list(range(14))
    assert all(row.ci_low <= row.difference <= row.ci_high for row in rows if row.status == "ok")
    assert stretches(14) == (0, 1, 3, 7, 14)
    assert [row.level for row in age_checks(design(), Ages(reason="no metric counts rows by day"))] == [
        "unknown"
    ]


def test_an_interaction_is_found_with_the_other_experiment():
    generator = np.random.default_rng(11)
    world = draw(generator, 6000)
    both = (world.arm == 1) & (world.others["banner"] == 1)
    world.orders[both] *= 0.5
    rows = overlap_checks(design(), overlaps_of(world), frozenset())
    told = [row for row in rows if row.level == "warns"]
    assert {(row.name, row.segment) for row in told} == {("interaction", "banner")}
    assert "depends on banner, which ran at the same time" in told[0].sentence


def test_a_shared_hash_is_carry_over():
    world = draw(np.random.default_rng(12), 4000)
    same = np.random.default_rng(1).random(4000) < 0.3
    world.others["badge"][same] = world.arm[same]
    rows = overlap_checks(design(), overlaps_of(world), frozenset({"badge"}))
    told = only(rows, "carry_over")
    assert [(row.level, row.segment) for row in told] == [("warns", "badge")]
    assert "which was before" in told[0].sentence


def test_no_other_experiment_is_fine():
    assert {row.level for row in overlap_checks(design(), (), frozenset())} == {"fine"}


def test_what_reaches_the_control_through_its_cluster_is_interference():
    world = draw(np.random.default_rng(13), 8000)
    assert world.cluster is not None
    assert mates_check(design(), mates_of(world), randomised=False).level == "fine"
    treated = np.zeros(world.cluster.max() + 1)
    np.maximum.at(treated, world.cluster, world.arm)
    world.orders[(world.arm == 0) & (treated[world.cluster] == 1)] += 0.1
    told = mates_check(design(), mates_of(world), randomised=False)
    assert told.level == "warns"
    assert told.metric == "orders"
    assert mates_check(design(), None, randomised=True).level == "fine"
    assert mates_check(design(), None, randomised=False).level == "unknown"


def test_a_finding_that_stands_on_few_units_is_told():
    world = draw(np.random.default_rng(14), 4000)
    top = np.flatnonzero(world.arm == 1)[:4]
    world.revenue[top, 0] += 20_000 + 100 * np.arange(4)
    whole = moments(world, world.revenue.sum(axis=1))
    assert whole.arm("B").means[0] > whole.arm("A").means[0]
    rows = leverage_checks(design(alpha=0.2), aggregates(world), cut_of(world))
    told = [row for row in rows if row.level == "warns"]
    assert [row.metric for row in told] == ["revenue"]
    assert "winsorize = 0.999" in told[0].sentence
    sound = leverage_checks(design(), aggregates(draw(np.random.default_rng(15))), {})
    assert [row.level for row in sound] == ["fine"]


def card_row(lift, low, high):
    from analytics.experiments.drafts import untested

    return replace(
        untested("t", "orders", "unadjusted", "welch"), role="primary", variant="B", control="A", n=100, n_control=100,
        lift=lift, lift_ci_adjusted_low=low, lift_ci_adjusted_high=high, p_adjusted=0.001,
    )  # fmt: skip


def test_a_lift_beyond_everything_seen_is_doubted():
    past = [0.01, 0.02, 0.05, 0.08, 0.1] * 2
    assert twyman_check([card_row(0.3, 0.2, 0.4)], past)[0].level == "warns"
    assert twyman_check([card_row(0.3, 0.05, 0.5)], past)[0].level == "fine"
    assert twyman_check([card_row(0.3, 0.2, 0.4)], past[:9])[0].level == "fine"  # too few to hold it against
    assert twyman_check([card_row(0.8, 0.6, 1.0)], [])[0].level == "warns"
    assert twyman_check([card_row(-0.8, -0.9, -0.6)], [])[0].level == "warns"
    assert twyman_check([card_row(None, None, None)], [])[0].level == "unknown"


def test_past_lifts_leave_out_what_cannot_be_believed():
    means = {"orders": {"A": (1.0,), "B": (1.2,)}, "revenue": {"A": (0.0,), "B": (3.0,)}}
    assert past_lifts(design(), {"A": 500, "B": 510}, means) == [pytest.approx(0.2)]
    assert past_lifts(design(), {"A": 500, "B": 900}, means) == []
