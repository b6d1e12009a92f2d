from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alerts.rows import Reading, Target
from analytics.alerts.states import replay
from analytics.drills.backtest import Incident, backtest_of, belongs
from analytics.drills.faults import Fault, inject
from analytics.drills.limits import ladder_of
from analytics.drills.replayed import told_by
from analytics.errors import ProjectError, ScopeError
from analytics.project import Alert, read_project
from analytics.stats.event_counts import likely_counts, poisson_interval
from analytics.telemetry.catalog import Catalog
from tests.ask.projects import BINARY, START, times, write_project

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2024, 1, 21, tzinfo=UTC)
LOW = Alert(metric="accuracy", below=0.5)


def readings(seen: str) -> list[Reading]:
    """One look a day: b(reach), f(ine), u(nsure), w(aiting), n(o data)."""
    words = {"b": "breach", "f": "fine", "u": "unsure", "w": "waiting", "n": "no_data"}
    return [
        Reading(
            "rule", FIRST + (k + 1) * DAY, FIRST + k * DAY, FIRST + (k + 1) * DAY, Target(), "accuracy", 0.4, 0.3, 0.45,
            100, 0.5, None, words[sign], None, "",
        )
        for k, sign in enumerate(seen)
    ]  # fmt: skip


def told(seen: str, rule: Alert = LOW) -> list[tuple[str, int, int | None]]:
    """State, day it was told, day it ended."""
    found = told_by(replay(rule, readings(seen)))
    return [
        (one.state, (one.at - FIRST).days, None if one.ended is None else (one.ended - FIRST).days)
        for one in found
    ]


def test_firings_begin_and_end_with_looks():
    assert told("ffbbfff") == [("firing", 3, 5)]
    assert told("fbfb") == [("firing", 2, 3), ("firing", 4, None)]
    assert told("ffnnb") == [("no_data", 3, 5), ("firing", 5, None)]
    # what waits or is unsure neither begins nor ends anything
    assert told("fbuwb") == [("firing", 2, None)]


@given(st.text(alphabet="bfuwn", max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_what_is_told_is_ordered_and_never_overlaps_itself(seen, for_, recover_for):
    rule = Alert.model_validate({"metric": "accuracy", "below": 0.5, "for": for_, "recover_for": recover_for})
    for state in ("firing", "no_data"):
        spans = [(at, ended) for one, at, ended in told(seen, rule) if one == state]
        for (_, ended), (begins, _) in pairwise(spans):
            assert ended is not None
            assert ended <= begins


@pytest.fixture(scope="module")
def broken(small, tmp_path_factory):
    """Labels flipped for three days from the 12th on, on the small project."""
    fault = Fault("labels_flipped", 1.0, datetime(2024, 1, 12, tzinfo=UTC), datetime(2024, 1, 15, tzinfo=UTC))
    catalog = Catalog(read_project(inject(small, fault, tmp_path_factory.mktemp("broken"))))
    yield catalog
    catalog.close()


def test_a_rule_is_late_by_its_window_and_its_labels(broken):
    fault = Incident("flip", datetime(2024, 1, 12, tzinfo=UTC), datetime(2024, 1, 15, tzinfo=UTC))
    rows = backtest_of(broken, LOW, END, incidents=[fault])
    whole, incident = rows[0], rows[1]
    assert whole.part == "whole"
    assert whole.n == 1
    assert whole.n_false == 0
    assert whole.ci_low <= whole.value <= whole.ci_high
    assert incident.part == "incident"
    # a window of a day is over at midnight in Berlin and its labels take five hours
    assert 24 <= incident.delay_hours <= 24 + 24 + 6
    firings = [row for row in rows if row.part == "firing"]
    assert {row.version for row in firings} == {"a", "b"}
    assert all(row.false_alarm is False for row in firings)
    assert all(row.ci_high < 0.5 for row in firings)
    assert "would have fired once in 3 weeks" in whole.sentence


def test_a_page_outside_of_what_is_declared_is_false(broken):
    elsewhere = Incident("other", datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC))
    rows = backtest_of(broken, LOW, END, incidents=[elsewhere])
    assert rows[0].n_false == rows[0].n == 1
    assert rows[1].fired_at is None
    undeclared = backtest_of(broken, LOW, END)
    assert undeclared[0].n_false is None
    assert any("no incident is declared" in note for note in undeclared.notes)


def test_nothing_later_is_known(broken):
    assert backtest_of(broken, LOW, datetime(2024, 1, 12, 12, tzinfo=UTC))[0].n == 0


def test_belonging_to_an_incident_needs_shared_time():
    one = told_by(replay(LOW, readings("ffb")))[0]
    assert belongs(one, [Incident("i", FIRST + 2 * DAY, FIRST + 3 * DAY)]) is not None
    assert belongs(one, [Incident("i", FIRST + 3 * DAY, FIRST + 4 * DAY)]) is None
    assert belongs(one, [Incident("i", FIRST, FIRST + 2 * DAY)]) is None


def test_limits_go_from_the_most_sensitive_to_one_that_never_fires():
    looks = [replace(one, ci_high=0.45 + k / 100) for k, one in enumerate(readings("bbbb"))]
    ladder = ladder_of(LOW, looks)
    assert ladder.limits == (0.48, 0.47, 0.46, 0.45)
    assert [rule.below for rule in ladder.rules] == list(ladder.limits)
    above = ladder_of(Alert(metric="log_loss", above=1.0), looks)
    assert above.limits == (0.3,)
    moved = ladder_of(
        Alert(metric="accuracy", worse_than_reference_by=0.1), [replace(looks[0], baseline=0.6)]
    )
    assert moved.key == "worse_than_reference_by"
    assert moved.limits == (0.0, 0.2)
    assert "two limits" in ladder_of(Alert(metric="accuracy", below=0.4, above=0.9), looks)
    assert "no limit" in ladder_of(Alert(labels_stopped=True), looks)
    assert ladder_of(LOW, []) == "no window of the first half has a number with an interval"


def test_a_limit_is_suggested_from_four_weeks_on(broken):
    short = backtest_of(broken, LOW, END, pages_per_month=2)
    limit = next(row for row in short if row.part == "limit")
    assert (limit.status, limit.threshold) == ("too_few", None)
    assert "No limit can be suggested" in limit.sentence


def test_a_suggested_limit_sends_no_more_than_asked_on_the_half_it_is_chosen_on(tmp_path):
    """Eighty days whose share of right decisions varies from day to day."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"ts": times(8_000, days=80)})
    right = rng.beta(8, 2, 80)[np.arange(8_000) // 100]
    frame["label"] = rng.integers(0, 2, len(frame))
    frame["decided"] = np.where(rng.random(len(frame)) < right, frame["label"], 1 - frame["label"])
    frame["score"] = 0.5
    bench = write_project(tmp_path, frame, BINARY + 'decision = "decided"\n')
    rule = Alert(metric="accuracy", below=0.75)
    end = START.to_pydatetime() + 80 * DAY
    rows = backtest_of(bench.catalog, rule, end, pages_per_month=1)
    bench.close()
    whole, limit = rows[0], rows[1]
    assert whole.n >= 4
    assert limit.part == "limit"
    assert limit.n_chosen <= 40 / 30.4 + 0.1
    assert limit.threshold < 0.75
    assert limit.limit_low <= limit.threshold <= limit.limit_high
    assert limit.ci_low <= limit.value <= limit.ci_high
    assert "below = " in limit.sentence
    # the rule with that limit sends what is said
    again = backtest_of(bench.catalog, rule.model_copy(update={"below": limit.threshold}), end, limit.start)
    bench.close()
    assert abs(again[0].n - limit.n) <= 1


def test_what_cannot_be_asked_is_refused(broken):
    with pytest.raises(ScopeError, match="must end after"):
        backtest_of(broken, LOW, FIRST - DAY)
    with pytest.raises(ScopeError, match="0 or more"):
        backtest_of(broken, LOW, END, pages_per_month=-1)
    with pytest.raises(ProjectError, match=r"needs an \[alerts.NAME\] section"):
        backtest_of(broken, "nothing", END)


@pytest.mark.statistical
def test_the_interval_of_a_count_covers():
    counts = np.random.default_rng(3).poisson(4.0, 2_000)
    held = np.mean(
        [low <= 2.0 <= high for low, high in (poisson_interval(int(k), 2.0, 0.95) for k in counts)]
    )
    assert held >= 0.945
    assert likely_counts(4.0, 0.95) == (1, 8)
    assert poisson_interval(0, 2.0, 0.95).low == 0
    with pytest.raises(ValueError, match="exposure"):
        poisson_interval(1, 0.0, 0.95)
