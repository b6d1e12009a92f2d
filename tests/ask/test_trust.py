"""Trust on the simulated shop: every planted fault is found where it was planted, and nothing else is."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.scope import Scope
from analytics.workbench import open_workbench


@pytest.fixture(scope="module")
def shop(request):
    bench = open_workbench(Path(request.config.rootpath) / "sample_logs" / "shop")
    yield bench
    bench.close()


def warned(rows):
    return {row.name for row in rows if row.level in {"blocks", "warns"}}


def test_the_lost_exposures_of_one_browser_since_day_five(shop):
    rows = shop.health("express_checkout")
    assert warned(rows) == {"srm", "srm_onset", "srm_segment", "srm_cause"}
    named = {row.name: row for row in reversed(rows.rows)}
    assert named["srm"].level == "blocks"
    assert named["srm_onset"].day == date(2026, 3, 27)
    assert (named["srm_segment"].segment, named["srm_segment"].segment_value) == ("browser", "Safari")
    causes = [row for row in rows if row.name == "srm_cause"]
    assert [row.value for row in causes if row.level == "warns"] == [1.0, 2.0]
    assert causes[0].cause == "one app version, browser or country"
    assert "without ever being exposed from 27 Mar on" in causes[1].sentence
    assert causes[1].query.startswith("SELECT")
    assert rows.notes[0].startswith("Do not trust this comparison: the split is not as planned")
    assert shop.scorecard(name="express_checkout").decision.call == "invalid"


def test_novelty_wears_off(shop):
    rows = shop.health("badges")
    assert warned(rows) == {"novelty", "twyman"}
    told = next(row for row in rows if row.name == "novelty")
    assert (told.metric, told.variant, told.cause) == ("carts", "B", "novelty")
    assert told.query == "assay experiment-ages badges --json"
    days = [row for row in shop.ages("badges") if row.metric == "carts"]
    assert [row.day for row in days] == list(range(len(days)))
    assert days[0].lift > 0.5
    assert sum(row.lift for row in days[7:]) / len(days[7:]) < 0.2
    assert all(row.lift_ci_low <= row.lift <= row.lift_ci_high for row in days if row.lift is not None)


@pytest.mark.parametrize(
    "name,other", [("shipping_banner", "price_badge"), ("price_badge", "shipping_banner")]
)
def test_two_that_interact_name_each_other(shop, name, other):
    rows = shop.health(name)
    assert warned(rows) == {"interaction"}
    assert {row.segment for row in rows if row.name == "interaction" and row.level == "warns"} == {other}


@pytest.mark.parametrize("name", ["same_twice", "family_basket", "new_search", "local_payments"])
def test_sound_experiments_are_trusted(shop, name):
    """An A/A, whole households, a ramp, and shares by country."""
    rows = shop.health(name)
    assert warned(rows) == set()
    assert rows.notes[0].startswith("This comparison can be trusted as far as the logs tell")


def test_what_was_known_before_the_bug_was_fine(shop):
    """As of its fourth day nothing was wrong, and of what came later nothing is used."""
    start = shop.project.instant(shop.project.require_experiment("express_checkout").start)
    rows = shop.health("express_checkout", Scope(as_of=start + timedelta(days=4)))
    assert not [row for row in rows if row.level == "blocks"]
    found = {row.name: row for row in rows}
    assert found["novelty"].level == "unknown"
    later = shop.health("express_checkout", Scope(as_of=start + timedelta(days=21)))
    assert next(row for row in later if row.name == "srm").level == "blocks"


def test_the_split_by_day_adds_up(shop):
    found = shop.trust("express_checkout")
    card = shop.scorecard(name="express_checkout")
    for arm in card.health.arms:
        assert sum(row.n for row in found.days if row.variant == arm.variant) == arm.n
    p = [row.p_value for row in found.days if row.variant == "A"]
    assert p == sorted(p, reverse=True)
    assert p[-1] == card.health.srm.p_adjusted
