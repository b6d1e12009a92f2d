"""Slices found and confirmed: what is planted is found, what is luck is not, and every number is that of its filter."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.slice_codes import read_slice_codes
from analytics.aggregates.slice_losses import row_losses
from analytics.ask.slice_reading import read_for_slices
from analytics.ask.slices import slices_in
from analytics.errors import ScopeError
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, SAMPLES, dumps, times, write_project

VERSION = "gbm-2013.03"
SUMMER = {"start": "2013-06-01", "end": "2013-09-01"}
PLANTED = 'decision = "decision"\nfeatures = ["temp", "site", "kind", "noise"]\nsegments = ["site"]\n'


def planted(n: int = 12_000, days: int = 40, seed: int = 1, *, effect: float = 0.35) -> pd.DataFrame:
    """Errors are more frequent in the hottest quarter at site b."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "ts": times(n, days),
            "temp": np.where(rng.random(n) < 0.05, np.nan, np.round(rng.normal(15, 5, n), 1)),
            "site": rng.choice(["a", "a", "b", "c"], n),
            "kind": rng.choice(["x", "y", None], n),
            "noise": rng.normal(size=n),
            "score": rng.uniform(0.05, 0.95, n),
        }
    )
    hot = frame["temp"] >= frame["temp"].quantile(0.75)
    wrong = rng.random(n) < 0.1 + effect * (hot & (frame["site"] == "b"))
    frame["decision"] = (frame["score"] > 0.5).astype(int)
    frame["label"] = np.where(wrong, 1 - frame["decision"], frame["decision"])
    return frame


@pytest.fixture(scope="module")
def flights():
    opened = Workbench(SAMPLES / "flights")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    opened = write_project(tmp_path_factory.mktemp("planted"), planted(), BINARY + PLANTED)
    yield opened
    opened.close()


def test_finds_what_is_planted(bench):
    found = bench.slices(bench.scope(), "accuracy")
    dumps(found)
    first = found[0]
    assert first.confirmed
    assert {word.partition("=")[0] for word in first.where} == {"temp", "site"}
    assert "site=b" in first.where
    assert first.value < first.value_elsewhere
    assert first.difference_ci_low <= -0.35 <= first.difference_ci_high
    # quarters end at the last twentieth, so it is two slices
    assert all(
        {word.partition("=")[0] for word in row.where} == {"temp", "site"} for row in found if row.confirmed
    )
    assert "slices counted" in found.notes[0]


def test_numbers_are_those_of_the_filter(flights):
    """n is what ``--where`` gives, and the SQL selects the same rows; intervals hold their values."""
    found = flights.slices(flights.scope(versions=[VERSION], **SUMMER), "log_loss")
    files = [str(file.path) for file in flights.catalog.feeds["predictions"].files]
    assert any(len(row.where) > 1 for row in found)
    for row in found[:4]:
        scope = flights.scope(versions=[VERSION], where=row.where, **SUMMER)
        (same,) = (one for one in flights.quality(scope) if one.metric == "log_loss")
        assert row.n == same.n_labelled
        with duckdb.connect() as connection:
            inside = "timestamp >= '2013-06-01 04:00Z' AND timestamp < '2013-09-01 04:00Z'"
            query = f"SELECT count(*) FROM read_parquet(?) WHERE model_version = ? AND {inside} AND {row.sql}"
            (n,) = connection.execute(query, [files, VERSION]).fetchone()
        assert n == same.n
        assert row.ci_low <= row.value <= row.ci_high
        assert row.difference_ci_low <= row.difference <= row.difference_ci_high
        assert row.share_of_loss_ci_low <= row.share_of_loss <= row.share_of_loss_ci_high
        assert row.confirmed == (row.p_adjusted < 0.05 and row.value > row.value_elsewhere), row.reason
        assert row.n_confirming < row.n


def test_parts_share_no_unit_and_no_day(flights):
    codes = read_for_slices(flights.catalog, flights.scope(**SUMMER), VERSION, "log_loss").codes
    assert codes.split == "units and days"
    first, second = codes.part == 1, codes.part == 2
    assert 0.15 < first.mean() < 0.35
    assert 0.15 < second.mean() < 0.35
    assert not set(codes.unit[first]) & set(codes.unit[second])
    assert not set(codes.block[first]) & set(codes.block[second])


def test_labels_at_random_bring_no_slice(flights):
    """The loss of every row drawn from another one: whatever is found is luck, and hardly any is confirmed."""
    reading = read_for_slices(flights.catalog, flights.scope(**SUMMER), VERSION, "log_loss")
    rng, runs, alarms = np.random.default_rng(11), 20, 0
    for _ in range(runs):
        codes = replace(reading.codes, value=rng.permutation(reading.codes.value))
        rows, _ = slices_in(replace(reading, codes=codes), depth=2)
        alarms += any(row.confirmed for row in rows)
    # 5 % at most; more than 4 of 20 has a chance of 0.3 %
    assert alarms <= 4


def test_three_days_are_no_slice(tmp_path):
    """Whatever went wrong on three days went wrong for what was there on those days; that says nothing about it."""
    frame = planted(8_000, effect=0.0)
    day = (frame["ts"] - frame["ts"].min()).dt.days
    frame["kind"] = np.where(day.isin([3, 8, 12, 20, 30, 33]), "storm", frame["kind"])
    bad = (frame["kind"] == "storm") & (np.random.default_rng(0).random(len(frame)) < 0.4)
    frame["label"] = np.where(bad, 1 - frame["decision"], frame["label"])
    bench = write_project(tmp_path, frame, BINARY + PLANTED)
    found = bench.slices(bench.scope(), "accuracy")
    bench.close()
    (storm,) = (row for row in found if row.where == ("kind=storm",))
    assert storm.confirmed is None
    assert storm.p_value is None
    assert "days" in storm.reason


@pytest.mark.statistical
def test_the_interval_of_a_confirmed_difference_covers(tmp_path):
    """What is shown is not what was chosen for being large: the true difference lies inside in 95 % of runs."""
    bench = write_project(tmp_path, planted(6_000, seed=5), BINARY + PLANTED)
    reading = read_for_slices(bench.catalog, bench.scope(), None, "accuracy")
    bench.close()
    fields = [field.name for field in reading.codes.fields]
    site = reading.codes.codes[fields.index("site")]
    bad = site == 1 + [value.word for value in reading.codes.fields[fields.index("site")].values].index("b")
    rng, inside, seen = np.random.default_rng(3), 0, 0
    for _ in range(100):
        chance = np.where(bad, 0.83, 0.9)
        codes = replace(reading.codes, value=(rng.random(len(bad)) < chance).astype(float))
        rows, _ = slices_in(replace(reading, codes=codes), depth=1, k=1)
        for row in rows:
            if row.where == ("site=b",):
                seen += 1
                inside += row.difference_ci_low <= -0.07 <= row.difference_ci_high
    assert seen > 70
    assert inside / seen > 0.95 - 3 * (0.95 * 0.05 / seen) ** 0.5


@pytest.mark.parametrize("name", ["flights", "flights_delay_class", "flights_minutes"])
def test_every_metric_can_be_asked(name):
    opened = Workbench(SAMPLES / name)
    version = [name for name in opened.catalog.versions if name][:1]
    scope = opened.scope(start="2013-06-01", end="2013-07-01", versions=version)
    for metric in row_losses(opened.catalog):
        found = opened.slices(scope, metric, depth=1, k=3)
        dumps(found)
        assert found, metric
        assert all(row.metric == metric for row in found)
    opened.close()


def test_what_cannot_be_asked(bench):
    with pytest.raises(ScopeError, match="no mean of one number"):
        bench.slices(bench.scope(), "roc_auc")
    for words in ({"depth": 4}, {"support": 0.0001}, {"support": float("nan")}, {"k": 0}):
        with pytest.raises(ScopeError):
            bench.slices(bench.scope(), **words)


def test_sampled_when_there_are_too_many_rows(bench):
    reading = read_for_slices(bench.catalog, bench.scope(), None, "accuracy")
    rows = bench.catalog.engine.query("SELECT 1 AS one")
    assert rows.num_rows == 1
    from analytics.telemetry.rows import scoped_rows

    codes = read_slice_codes(
        bench.catalog,
        scoped_rows(bench.catalog, reading.scope),
        reading.codes.fields,
        reading.loss,
        most_rows=3_000,
    )
    assert codes.n == 12_000
    assert 2_700 < len(codes.value) < 3_300
    _, notes = slices_in(replace(reading, codes=codes))
    assert "were drawn" in notes[1]


HOSTILE = 'a "b"\'; DROP TABLE x; --'
ODD = {
    "no labels": lambda rows: rows.assign(label=None).astype({"label": "Int64"}),
    "one class": lambda rows: rows.assign(label=0, decision=0),
    "one row": lambda rows: rows.head(1),
    "all equal": lambda rows: rows.assign(score=0.5, label=1, temp=3.0, site="a", kind="x", noise=0.0),
    "infinite": lambda rows: rows.assign(temp=np.inf, noise=-np.inf),
    "hostile": lambda rows: rows.assign(**{HOSTILE: "v'\"; <script>[1, 2)=="}),
    "many categories": lambda rows: rows.assign(kind=[f"k{i}" for i in range(len(rows))]),
    "no features": lambda rows: rows,
}
WORDS = {
    "hostile": f"decision = \"decision\"\nfeatures = ['''{HOSTILE}''', \"temp\"]\n",
    "no features": 'decision = "decision"\nfeatures = []\n',
}


@pytest.mark.parametrize("kind", list(ODD))
def test_odd_data_has_a_status_and_a_reason(tmp_path, kind):
    bench = write_project(tmp_path, ODD[kind](planted(600)), BINARY + WORDS.get(kind, PLANTED))
    for metric in ("log_loss", "accuracy"):
        found = bench.slices(bench.scope(), metric)
        dumps(found)
        for row in found:
            assert row.confirmed or row.reason
            assert not row.where or bench.quality(bench.scope(where=row.where))
    bench.close()


def test_a_value_with_an_equals_sign_and_an_interval_can_be_filtered(tmp_path):
    frame = planted(4_000)
    frame["kind"] = np.where(np.arange(4_000) % 2 == 0, "[1, 2)", "a=b")
    frame["label"] = np.where(
        (frame["kind"] == "a=b") & (np.arange(4_000) % 3 == 0), 1 - frame["decision"], frame["label"]
    )
    bench = write_project(tmp_path, frame, BINARY + PLANTED)
    first = bench.slices(bench.scope(), "accuracy")[0]
    assert first.where == ("kind=a=b",)
    (same,) = (row for row in bench.quality(bench.scope(where=first.where)) if row.metric == "accuracy")
    assert same.n_labelled == first.n == 2_000
    bench.close()
