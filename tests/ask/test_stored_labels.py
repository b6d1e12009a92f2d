"""Labels from stored parts: counts to the digit, delays within a bin, expectations as close, and no row is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.additive import Standard
from analytics.aggregates.arrival_parts import coverage_parts, standard_labels
from analytics.aggregates.label_feed import standard_reports
from analytics.aggregates.label_groups import standard_groups
from analytics.ask.label_counts import label_delay_of, labels_of
from analytics.ask.label_feed import label_coverage_of, label_feed_of
from analytics.ask.labels import maturity_of
from analytics.scope import Scope
from tests.aggregates.memory_parts import Known, MemoryParts, plain_and_stored
from tests.ask.projects import BINARY, START, dumps, times, write_project
from tests.labels.projects import late_project

FIRST = START.to_pydatetime()
DAYS = 20
END = FIRST + timedelta(days=DAYS)


def kept(catalog):
    """What a build keeps of it."""
    return [*standard_labels(catalog), *standard_reports(catalog), *standard_groups(catalog)]


def both(bench, ask, parts=MemoryParts):
    """The answer from the rows, that from parts, and what was read for it."""
    return plain_and_stored(bench.catalog, kept, ask, parts)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("late")
    made, _ = late_project(folder, versions=2, days=DAYS, per_day=300, never=0.1)
    return made


@pytest.mark.parametrize("grain", ["day", "week", "all"])
def test_counts_are_those_of_the_rows(bench, grain):
    scope = Scope(start=FIRST + timedelta(days=6), end=END, grain=grain)
    plain, stored, read = both(bench, lambda catalog: labels_of(catalog, scope))
    assert not read
    for one, other in zip(plain, stored, strict=True):
        assert (one.n, one.n_labelled, one.n_learned, one.status) == (
            other.n, other.n_labelled, other.n_learned, other.status,
        )  # fmt: skip
        for name in ("coverage", "ci_low", "ci_high", "expected_coverage", "arrived_share"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9), name
        assert other.delay_p50_seconds == pytest.approx(one.delay_p50_seconds, rel=0.06)
        assert other.delay_p95_seconds == pytest.approx(one.delay_p95_seconds, rel=0.06)
        assert other.short == one.short
    assert stored.sql[0]
    dumps(stored)


@pytest.mark.parametrize("grain", ["hour", "all"])
def test_a_day_that_begins_at_noon(bench, grain):
    start = FIRST + timedelta(days=11, hours=12)
    scope = Scope(start=start, end=start + timedelta(hours=24), grain=grain)
    plain, stored, read = both(bench, lambda catalog: labels_of(catalog, scope))
    assert not read
    for one, other in zip(plain, stored, strict=True):
        assert (one.n, one.n_labelled) == (other.n, other.n_labelled)
        assert other.ci_low == pytest.approx(one.ci_low, rel=1e-9)
        assert other.expected_coverage == pytest.approx(one.expected_coverage, abs=0.01)


def test_while_labels_still_come_ages_are_known_to_minutes(bench):
    as_of = END + timedelta(hours=2)
    scope = Scope(start=FIRST + timedelta(days=12), end=END, grain="day", as_of=as_of)
    plain, _, _ = both(bench, lambda catalog: labels_of(catalog, scope))
    # what was known then, as if the log had ended there
    frame = pd.read_parquet(bench.catalog.project.folder / "labels.parquet")
    folder = bench.catalog.project.folder.parent / "cut"
    folder.mkdir(exist_ok=True)
    for name in ("predictions.parquet", "assay.toml"):
        (folder / name).write_bytes((bench.catalog.project.folder / name).read_bytes())
    frame[frame.ts <= as_of].to_parquet(folder / "labels.parquet")
    cut = type(bench)(folder)
    _, stored, read = both(cut, lambda catalog: labels_of(catalog, scope), Known)
    assert not read
    assert any(row.status == "immature" for row in plain)
    for one, other in zip(plain, stored, strict=True):
        assert (one.n, one.n_labelled, one.status) == (other.n, other.n_labelled, other.status)
        assert other.expected_coverage == pytest.approx(one.expected_coverage, abs=0.01)
    cut.close()


@pytest.mark.parametrize("when", [None, END + timedelta(days=4)])
def test_the_usual_delay_is_that_of_the_rows(bench, when):
    plain, stored, read = both(bench, lambda catalog: maturity_of(catalog, Scope(as_of=when)), Known)
    assert not read
    assert stored.delay == plain.delay


def test_a_declared_outage_is_left_out_of_parts_too(tmp_path):
    start, end = START + timedelta(days=5), START + timedelta(days=8)
    outage = f"outages = [{{ start = {start:%Y-%m-%dT%H:%M:%SZ}, end = {end:%Y-%m-%dT%H:%M:%SZ} }}]\n"
    made, _ = late_project(tmp_path, days=DAYS)
    made.close()
    feed = pd.read_parquet(tmp_path / "labels.parquet")
    feed.loc[(feed.ts >= start) & (feed.ts < end), "ts"] = end + timedelta(hours=30)
    feed.to_parquet(tmp_path / "labels.parquet")
    text = (tmp_path / "assay.toml").read_text()
    delays = {}
    for more in ("", outage):
        (tmp_path / "assay.toml").write_text(text + more)
        found = type(made)(tmp_path)
        plain, stored, _ = both(found, lambda catalog: maturity_of(catalog, Scope()))
        assert stored.delay == pytest.approx(plain.delay, abs=timedelta(minutes=30))
        delays[more] = stored.delay
        found.close()
    assert delays[outage] < delays[""] - timedelta(hours=10)


def test_the_curve_of_arrivals(bench):
    plain, stored, read = both(bench, lambda catalog: label_delay_of(catalog, Scope(start=FIRST, end=END)))
    assert not read
    assert len(plain) == len(stored) > 20
    for one, other in zip(plain, stored, strict=True):
        assert vars(other) == {
            name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in vars(one).items()
        }


def test_the_feed_is_judged_from_parts(bench):
    asked = Scope(start=FIRST, end=END, versions=("v0001",))
    plain, stored, read = both(bench, lambda catalog: label_feed_of(catalog, asked))
    assert [text for text in read if "label" not in text] == []
    assert len(read) == 1  # reports about no row, which files tell where they are looked at
    (one,), (other,) = plain, stored
    for name in ("version", "n_reports", "n_early", "n_contradictions", "first", "last", "silent", "status"):
        assert getattr(other, name) == getattr(one, name), name
    for name in ("share_before", "share_recent", "delay_p50_seconds"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9), name
    for name in ("mean_label_early", "mean_label_late", "mean_label_difference_ci_low"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=0.005), name
    assert other.usual_silence_seconds == pytest.approx(one.usual_silence_seconds, rel=0.05)
    dumps(stored)


def test_a_feed_that_stopped_is_silent_from_parts_too(tmp_path):
    made, _ = late_project(tmp_path, days=DAYS, per_day=400)
    folder = made.catalog.project.folder
    made.close()
    as_of = END + timedelta(hours=1)
    frame = pd.read_parquet(folder / "labels.parquet")
    frame[frame.ts <= END - timedelta(days=1)].to_parquet(folder / "labels.parquet")
    stopped = type(made)(folder)
    asked = Scope(start=FIRST, end=END, as_of=as_of)
    plain, stored, _ = both(stopped, lambda catalog: label_feed_of(catalog, asked)[0], Known)
    assert plain.silent is True
    assert stored.silent is True
    assert stored.expected_since == pytest.approx(plain.expected_since, rel=0.02)
    assert stored.silent_seconds == plain.silent_seconds
    stopped.close()


@pytest.mark.parametrize("hours", [6.0, 60.0])
def test_who_gets_a_label(tmp_path, hours):
    """With slow labels, too: the newest predictions are left out to the instant."""
    made, _ = late_project(tmp_path, versions=2, days=DAYS, hours={(1, 1): hours}, never=0.2)
    scope = Scope(start=FIRST, end=END, as_of=END + timedelta(days=12))
    plain, stored, read = both(made, lambda catalog: label_coverage_of(catalog, scope), Known)
    assert not read
    assert len(plain) == 2 * 12
    for one, other in zip(plain, stored, strict=True):
        for name, value in vars(one).items():
            expected = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert getattr(other, name) == expected, name
    early = replace(scope, as_of=END + timedelta(hours=1))
    plain, stored, read = both(made, lambda catalog: label_coverage_of(catalog, early), Known)
    assert read  # the day in which predictions become old enough
    assert [row.n for row in stored] == [row.n for row in plain]
    young = Scope(start=END - timedelta(hours=2), end=END, as_of=END + timedelta(hours=1))
    plain, stored, _ = both(made, lambda catalog: label_coverage_of(catalog, young), Known)
    assert list(plain) == list(stored)
    made.close()


def test_later_reports_are_read_when_the_feed_changes(tmp_path):
    made, _ = late_project(tmp_path, versions=2, days=DAYS, per_day=100)
    made.close()
    feed = pd.read_parquet(tmp_path / "labels.parquet")
    again = feed.iloc[::7].assign(label=1)
    again["ts"] += pd.to_timedelta(30, unit="h")
    pd.concat([feed, again]).to_parquet(tmp_path / "labels.parquet")
    relabelled = type(made)(tmp_path)
    plain, stored, read = both(
        relabelled, lambda catalog: label_feed_of(catalog, Scope(start=FIRST, end=END))
    )
    assert [text for text in read if "place > 1" not in text and "l LEFT JOIN" not in text] == []
    for one, other in zip(plain, stored, strict=True):
        assert other.n_contradictions > 50
        for name in ("n_reports", "n_early", "n_contradictions", "first", "last", "n_orphans"):
            assert getattr(other, name) == getattr(one, name), name
    counted, kept_counts, _ = both(
        relabelled, lambda catalog: labels_of(catalog, Scope(start=FIRST, end=END))
    )
    assert [row.n_labelled for row in kept_counts] == [row.n_labelled for row in counted]
    relabelled.close()


def test_labels_as_columns_of_regressions_with_weights(tmp_path):
    random = np.random.default_rng(4)
    n = 3000
    frame = pd.DataFrame({"ts": times(n), "score": random.normal(size=n), "w": random.choice([1.0, 3.0], n)})
    frame["label"] = np.where(random.random(n) < 0.8, frame.score + random.normal(size=n), np.nan)
    frame["known"] = frame.ts + pd.to_timedelta(random.gamma(2, 3, n), unit="h")
    roles = BINARY.replace("binary", "regression") + 'label_timestamp = "known"\nweight = "w"\n'
    own = write_project(tmp_path, frame, roles)
    scope = Scope(start=FIRST, end=END, grain="week")
    plain, stored, read = both(own, lambda catalog: labels_of(catalog, scope))
    assert not read
    for one, other in zip(plain, stored, strict=True):
        assert (other.n, other.n_labelled) == (one.n, one.n_labelled)
        assert other.coverage == pytest.approx(one.coverage, rel=1e-9)
        assert other.ci_high == pytest.approx(one.ci_high, rel=1e-9)
    one, other, _ = both(own, lambda catalog: label_feed_of(catalog, replace(scope, grain="all"))[0])
    assert other.mean_label_early == pytest.approx(one.mean_label_early, abs=0.02)
    assert other.mean_label_difference_ci_high == pytest.approx(one.mean_label_difference_ci_high, abs=0.03)
    own.close()


def test_without_parts_of_labels_the_rows_are_read_as_before(bench):
    catalog = bench.catalog
    scope = Scope(start=FIRST, end=END)
    plain = labels_of(catalog, scope)
    MemoryParts(catalog, [Standard(coverage_parts(catalog))])
    catalog.answered.clear()
    assert list(labels_of(catalog, scope)) == list(plain)
    catalog.parts = None
