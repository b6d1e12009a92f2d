"""Objectives on small logs: counted by hand, as known at the instant, by version, with labels that come late."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.ask.assertions import assertions_of
from analytics.ask.objectives import burns_of, objectives_of
from analytics.errors import ExpressionError, ProjectError
from analytics.scope import Scope
from tests.ask.projects import START, dumps, write_project

NOW = (START + timedelta(days=12)).to_pydatetime()
ROLES = """
task = "binary"
score = "score"
unit = "who"
version = "version"
latency = "ms"
status = "status"
ok_status = ["ok"]
id = "id"
"""
OBJECTIVES = """
[objectives.answered]
kind = "availability"
share = 0.99
period = "10 days"
[objectives.quick]
kind = "latency"
below = 100
share = 0.9
[objectives.kind]
good = "ms < 100 AND size > 0"
share = 0.99
"""


@pytest.fixture(scope="module")
def frame():
    """A request a minute for twelve days; in the last 40 minutes half of version b fails."""
    n = 12 * 24 * 60
    random = np.random.default_rng(3)
    at = START + pd.to_timedelta(np.arange(n), unit="min")
    version = np.where(np.arange(n) % 2, "b", "a")
    status = np.where(random.random(n) < 0.002, "failed", "ok")
    late = np.arange(n) >= n - 40
    status[late & (version == "b")] = ["failed", "ok"] * 10
    return pd.DataFrame(
        {
            "ts": at, "id": [f"r{i}" for i in range(n)], "version": version, "status": status,
            "who": [f"u{i % 700}" for i in range(n)], "score": random.random(n),
            "ms": random.gamma(4, 12, n), "size": np.where(np.arange(n) % 3 == 0, np.nan, 1.0),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def bench(frame, tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("objectives"), frame, ROLES, OBJECTIVES)


def picked(results, **words):
    (row,) = [row for row in results if all(getattr(row, name) == value for name, value in words.items())]
    return row


def test_windows_and_budget_are_counted_by_hand(bench, frame):
    found = objectives_of(bench.catalog, Scope(), NOW, ["answered"])
    assert len(found) == 2 * 4
    for version in ("a", "b"):
        own = frame[frame.version == version]
        row = picked(found, version=version, pair="period")
        inside = own[own.ts >= NOW - timedelta(days=10)]
        assert (row.n, row.n_bad) == (len(inside), (inside.status == "failed").sum())
        assert row.good_share == pytest.approx((inside.status == "ok").mean())
        assert row.budget_left == pytest.approx(1 - (inside.status == "failed").mean() / 0.01)
        assert (row.budget_left_ci_low, row.budget_left_ci_high) == (row.budget_left, row.budget_left)
        assert row.good_share_ci_low < row.good_share < row.good_share_ci_high
        for pair, hours in (("fast", 1), ("slow", 6), ("creeping", 72)):
            row = picked(found, version=version, pair=pair)
            inside = own[own.ts >= NOW - timedelta(hours=hours)]
            assert (row.n, row.n_bad) == (len(inside), (inside.status == "failed").sum())
    dumps(found)


def test_the_failing_version_pages_and_the_other_does_not(bench):
    found = objectives_of(bench.catalog, Scope(), NOW, ["answered"])
    assert picked(found, version="b", pair="fast").verdict == "breach"
    assert picked(found, version="a", pair="fast").verdict == "fine"
    before = objectives_of(bench.catalog, Scope(), NOW - timedelta(hours=1), ["answered"])
    assert picked(before, version="b", pair="fast").verdict == "fine"
    assert picked(found, version="b", pair="period").gone_at is not None


def test_many_instants_say_what_one_says(bench):
    moments = [NOW - timedelta(hours=k) for k in (0, 1, 30)]
    together = burns_of(bench.catalog, Scope(), "answered", moments)
    for moment in moments:
        alone = [r for r in objectives_of(bench.catalog, Scope(), moment, ["answered"]) if r.pair != "period"]
        assert [r for r in together if r.looked_at == moment] == alone
    for severity in ("page", "ticket"):
        mine = burns_of(bench.catalog, Scope(), "answered", moments, severity)
        assert list(mine) == [row for row in together if row.severity == severity] != []


def test_a_condition_that_is_neither_counts_for_nothing(bench, frame):
    row = picked(objectives_of(bench.catalog, Scope(), NOW, ["kind"]), version="a", pair="period")
    own = frame[(frame.version == "a") & (frame.ts >= NOW - timedelta(days=30))]
    # ms < 100 fails or size is missing: false AND missing is false, true AND missing is neither
    counted = own[(own.ms >= 100) | own["size"].notna()]
    assert (row.n, row.n_bad) == (len(counted), (counted.ms >= 100).sum())
    assert "of the 30 days" in row.reason


def test_a_pair_that_cannot_burn_says_so(bench):
    row = picked(objectives_of(bench.catalog, Scope(), NOW, ["quick"]), version="a", pair="fast")
    assert (row.status, row.value, row.verdict) == ("undefined", None, None)
    assert "can never burn" in row.reason


def test_nothing_logged_is_no_data(bench):
    found = objectives_of(bench.catalog, Scope(), NOW + timedelta(days=90), ["answered"])
    assert {row.status for row in found} == {"no_data"}
    assert {row.value for row in found} == {None}


def test_right_decisions_wait_for_their_labels_and_are_known_when_they_come(tmp_path):
    n = 6_000
    at = START + pd.to_timedelta(np.arange(n) * 2, unit="min")
    frame = pd.DataFrame(
        {"ts": at, "id": [f"r{i}" for i in range(n)], "score": 0.7, "decided": 1, "status": "ok"}
    )
    label = (np.arange(n) % 10 > 0).astype(int)
    feed = pd.DataFrame({"id": frame.id, "label": label, "ts": at + pd.to_timedelta(3, unit="h")})
    text = 'task = "binary"\nscore = "score"\ndecision = "decided"\nid = "id"\n'
    section = (
        '[objectives.right]\nkind = "right_decision"\nshare = 0.95\n'
        '[objectives.same]\ngood = "label = decision"\nshare = 0.95\n'
    )
    bench = write_project(tmp_path / "right", frame, text, section, feed)
    now = at[-1].to_pydatetime() + timedelta(minutes=2)
    found = objectives_of(bench.catalog, Scope(), now, ["right"])
    period = picked(found, pair="period")
    assert now - timedelta(hours=4) < period.window_end <= now - timedelta(hours=3)
    inside = (at >= period.window_start) & (at < period.window_end)
    assert period.n == inside.sum()
    assert period.value == pytest.approx(2.0, abs=0.05)
    same = objectives_of(bench.catalog, Scope(), now, ["same"])
    assert [(row.n, row.value) for row in same] == [(row.n, row.value) for row in found]


@pytest.mark.parametrize(
    "section, said",
    [
        ('good = "nothing > 1"\nshare = 0.9', "objectives.x.good: 'nothing > 1'"),
        ('good = "(SELECT 1)"\nshare = 0.9', "objectives.x.good"),
        ('kind = "availability"\nshare = 0.9', "ok_status"),
        ('kind = "latency"\nbelow = 5\nshare = 0.9', "predictions.latency"),
        ('kind = "right_decision"\nshare = 0.9', "needs labels"),
    ],
)
def test_what_the_logs_cannot_tell_is_refused_with_its_key(tmp_path, section, said):
    frame = pd.DataFrame({"ts": [START], "score": [0.5]})
    bench = write_project(
        tmp_path / "p", frame, 'task = "binary"\nscore = "score"\n', f"[objectives.x]\n{section}\n"
    )
    with pytest.raises((ProjectError, ExpressionError), match=r"objectives\.x") as error:
        objectives_of(bench.catalog, Scope(), NOW)
    assert said in str(error.value)


def test_without_objectives_the_section_is_named(bench, tmp_path, frame):
    plain = write_project(tmp_path / "plain", frame.head(10), ROLES)
    with pytest.raises(ProjectError, match=r"\[objectives.NAME\]"):
        objectives_of(plain.catalog, Scope(), NOW)
    with pytest.raises(ProjectError, match="declared: answered, quick, kind"):
        objectives_of(bench.catalog, Scope(), NOW, ["other"])


@pytest.mark.parametrize("days", [7, 11])
def test_what_came_later_is_in_no_look(tmp_path, days):
    """Logs cut off at an instant say what whole logs say of it, also where labels are taken back later."""
    random = np.random.default_rng(5)
    n = 3_000
    at = START + pd.to_timedelta(np.sort(random.uniform(0, 12 * 86_400, n)), unit="s").round("s")
    came = at + pd.to_timedelta(random.exponential(1_800, n), unit="s").round("s")
    frame = pd.DataFrame(
        {"ts": at, "id": [f"r{i}" for i in range(n)], "score": 0.7, "decided": 1, "came": came}
    )
    late = pd.to_timedelta(random.exponential(20_000, n), unit="s").round("s")
    feed = pd.DataFrame({"id": frame.id, "label": random.integers(0, 2, n), "ts": at + late})
    again = feed.sample(300, random_state=1).assign(
        label=lambda f: 1 - f.label, ts=lambda f: f.ts + pd.Timedelta(days=1)
    )
    feed = pd.concat([feed, again])
    roles = 'task = "binary"\nscore = "score"\ndecision = "decided"\nid = "id"\nreceived = "came"\n'
    section = (
        '[objectives.right]\nkind = "right_decision"\nshare = 0.6\nperiod = "5 days"\n'
        '[objectives.any]\ngood = "score > 0.5"\nshare = 0.99\nperiod = "5 days"\n'
        '[assertions.any]\nexpect = "label = 1"\n'
    )
    then = (START + timedelta(days=days, hours=3)).to_pydatetime()
    whole = write_project(tmp_path / "whole", frame, roles, section, feed)
    cut = write_project(tmp_path / "cut", frame[frame.came <= then], roles, section, feed[feed.ts <= then])
    for name in ("right", "any"):
        one, other = (
            tuple(objectives_of(bench.catalog, Scope(as_of=then), then, [name])) for bench in (whole, cut)
        )
        assert one == other
        assert one[0].n > 0
        replayed = burns_of(whole.catalog, Scope(), name, [then, then + timedelta(days=1)])
        assert [row for row in replayed if row.looked_at == then] == [
            row for row in one if row.pair != "period"
        ]
    scope = Scope(start=START.to_pydatetime(), end=then, as_of=then)
    assert tuple(assertions_of(whole.catalog, scope)) == tuple(assertions_of(cut.catalog, scope))
