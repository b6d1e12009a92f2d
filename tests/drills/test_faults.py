from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.drills.copies import toml_text
from analytics.drills.faults import KINDS, Fault, Injector, inject
from analytics.errors import ProjectError, ScopeError
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, times, write_project
from tests.drills.projects import digests

START, END = datetime(2024, 1, 12, tzinfo=UTC), datetime(2024, 1, 15, tzinfo=UTC)
NORTH = ("place=north",)


@pytest.fixture(scope="module")
def injector(small):
    with Injector(small) as one:
        yield one


@pytest.fixture(scope="module")
def plain(small):
    return read(small)


def read(file: Path) -> pd.DataFrame:
    """Rows as the pipeline sees them, with the label that counts."""
    bench = Workbench(file)
    text = (
        "SELECT p.*, l.label AS label, l.ts AS label_at FROM predictions AS p LEFT JOIN labels AS l ON p.id = l.id "
        "ORDER BY p.ts, p.version, p.id"
    )
    frame = bench.catalog.engine.query(text).to_pandas()
    bench.close()
    return frame.set_index("id", drop=False)


def planted(injector, tmp_path, kind, severity=1.0, **more):
    fault = Fault(kind, severity, START, END, **{"where": NORTH, **more})
    file, said = injector.plant(fault, tmp_path / "copy")
    return read(file), said


def inside(frame, version=None):
    """The rows of the place and time of the fault."""
    where = frame["ts"].ge(START) & frame["ts"].lt(END) & frame["column:place"].eq("north")
    return where & frame["version"].eq(version) if version else where


def untouched(before, after, *but):
    """Whatever lies outside is as it was; of what lies inside, all columns but some are."""
    shared = [name for name in before if name not in {"file", "row", *but}]
    pd.testing.assert_frame_equal(
        after.loc[before.index[~inside(before)], shared],
        before.loc[~inside(before), shared],
        check_dtype=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_logs_are_never_touched_and_all_else_stays(kind, injector, plain, small, tmp_path, monkeypatch):
    before = digests(small.parent)
    frame, said = planted(injector, tmp_path, kind, 0.5, feature="x" if KINDS[kind].of_feature else None)
    assert digests(small.parent) == before
    assert said.n_hit > 0
    untouched(plain, frame[frame["id"].isin(plain["id"])] if kind != "traffic_lost" else frame)
    assert {path.name for path in tmp_path.iterdir()} == {"copy"}
    text = (tmp_path / "copy/assay.toml").read_text()
    assert str(small.parent / "reference.parquet") in text
    # the file without a row that is hit is read where it lies
    assert (
        kind in {"labels_flipped", "labels_delayed"} or str(small.parent / "predictions/one.parquet") in text
    )


def test_a_share_of_requests_is_hit_the_same_for_every_version(injector, plain, tmp_path):
    frame, said = planted(injector, tmp_path, "feature_null", 0.25, feature="y")
    gone = frame["column:y"].isna()
    assert gone[inside(plain)].mean() == pytest.approx(0.25, abs=0.08)
    assert said.n_hit == gone.sum()
    assert not gone[~inside(plain)].any()
    by_version = {name: set(frame.loc[gone & (frame["version"] == name), "request"]) for name in ("a", "b")}
    assert by_version["a"] == by_version["b"]


def test_a_larger_severity_hits_those_of_the_smaller_one_and_more(injector, tmp_path):
    few, _ = planted(injector, tmp_path / "1", "feature_null", 0.25, feature="y")
    many, _ = planted(injector, tmp_path / "2", "feature_null", 0.5, feature="y")
    other, _ = planted(injector, tmp_path / "3", "feature_null", 0.25, feature="y", seed=1)
    hit = [set(frame.loc[frame["column:y"].isna(), "id"]) for frame in (few, many, other)]
    assert hit[0] < hit[1]
    assert hit[0] != hit[2]


def test_numbers_scaled_shifted_and_swapped(injector, plain, tmp_path, small):
    where = inside(plain)
    scaled, _ = planted(injector, tmp_path / "1", "feature_scaled", 0.5, feature="y")
    np.testing.assert_allclose(scaled["column:y"][where], plain["column:y"][where] * 10**0.5)
    shifted, _ = planted(injector, tmp_path / "2", "feature_shifted", 0.5, feature="y")
    spread = pd.read_parquet(small.parent / "reference.parquet")["y"].std()
    np.testing.assert_allclose((shifted["column:y"] - plain["column:y"])[where], spread)
    swapped, _ = planted(injector, tmp_path / "3", "feature_swapped", 1.0, feature="x")
    np.testing.assert_allclose(swapped["column:x"][where], plain["column:y"][where])
    np.testing.assert_allclose(swapped["column:y"][where], plain["column:x"][where])


def test_a_stale_feature_keeps_its_units_last_value(injector, plain, tmp_path):
    frame, _ = planted(injector, tmp_path, "feature_stale", feature="y")
    earlier = plain[plain["ts"] < START]
    last = earlier.groupby("unit")["column:y"].last()
    of_all = earlier["column:y"].iloc[-1]
    hit = frame[inside(frame)]
    np.testing.assert_allclose(hit["column:y"], hit["unit"].map(last).fillna(of_all))


def test_a_broken_input_moves_score_and_decision_as_the_model_would(injector, plain, tmp_path):
    frame, said = planted(injector, tmp_path, "feature_scaled", 1.0, feature="x")
    assert said.explained > 0.95
    of_a = inside(plain, "a")
    # version a answers the logistic of 2x: ten times x makes it sure, beyond what trees can reach outside their sample
    moved = frame.loc[of_a, "score"] - plain.loc[of_a, "score"]
    x = plain.loc[of_a, "column:x"]
    assert (moved[(x > 0.3) & (x < 1.5)] > 0).mean() > 0.9
    assert (moved[(x < -0.3) & (x > -1.5)] < 0).mean() > 0.9
    np.testing.assert_array_equal(frame.loc[of_a, "decision"], (frame.loc[of_a, "score"] >= 0.4).astype(int))
    kept, _ = planted(injector, tmp_path / "other", "feature_scaled", 1.0, feature="y")
    # nothing depends on y, so the score hardly moves
    assert (kept["score"] - plain["score"]).abs().max() < 0.1


def test_without_a_stand_in_scores_stay(small, plain, tmp_path):
    fault = Fault("feature_null", 1.0, START, END, feature="x")
    frame = read(inject(small, fault, tmp_path, rescored=False))
    np.testing.assert_array_equal(frame["score"], plain["score"])
    assert frame["column:x"].isna().sum() == (plain["ts"].ge(START) & plain["ts"].lt(END)).sum()


def test_labels_flipped_and_delayed(injector, plain, tmp_path):
    where = inside(plain)
    flipped, said = planted(injector, tmp_path / "1", "labels_flipped")
    assert said.n_hit == where.sum()
    np.testing.assert_array_equal(flipped["label"][where], 1 - plain["label"][where])
    np.testing.assert_array_equal(flipped["label"][~where], plain["label"][~where])
    late, _ = planted(injector, tmp_path / "2", "labels_delayed", 0.25)
    assert (late["label_at"] - plain["label_at"])[where].eq(timedelta(days=2)).all()
    assert (late["label_at"] == plain["label_at"])[~where].all()


def test_scores_biased_and_frozen(injector, plain, tmp_path):
    where = inside(plain)
    biased, _ = planted(injector, tmp_path / "1", "scores_biased", 0.5)
    odds = np.log(plain["score"] / (1 - plain["score"])) + 1
    np.testing.assert_allclose(biased["score"][where], (1 / (1 + np.exp(-odds)))[where], rtol=1e-9)
    np.testing.assert_array_equal(biased["decision"][where], (biased["score"] >= 0.4).astype(int)[where])
    frozen, _ = planted(injector, tmp_path / "2", "scores_frozen")
    for version in ("a", "b"):
        last = plain[plain["ts"].lt(START) & plain["version"].eq(version)].iloc[-1]
        hit = frozen[inside(frozen, version)]
        assert set(hit["score"]) == {last["score"]}
        assert set(hit["decision"]) == {last["decision"]}


def test_traffic_lost_doubled_and_a_burst(injector, plain, tmp_path):
    where = inside(plain)
    lost, _ = planted(injector, tmp_path / "1", "traffic_lost")
    assert set(lost["id"]) == set(plain.loc[~where, "id"])
    doubled, _ = planted(injector, tmp_path / "2", "traffic_doubled")
    new = doubled[~doubled["id"].isin(plain["id"])]
    assert len(new) == where.sum()
    assert new["label"].notna().all()
    np.testing.assert_array_equal(
        new["label"], plain.loc[where].loc[new["id"].str.split(":").str[0], "label"]
    )
    burst, _ = planted(injector, tmp_path / "3", "burst", 0.5)
    new = burst[~burst["id"].isin(plain["id"])]
    assert len(new) == where.sum()
    assert new.groupby("version")[["column:x", "score", "label"]].nunique().eq(1).all(axis=None)
    assert sorted(new["ts"]) == sorted(plain.loc[where, "ts"])


def test_a_version_answers_for_another(injector, plain, tmp_path):
    frame, said = planted(injector, tmp_path, "version_swapped", version="a")
    assert said.notes == ("b answers under the name of a",)
    where = inside(plain, "a")
    answers = plain[plain["version"] == "b"].set_index("request")["score"]
    np.testing.assert_allclose(frame.loc[where, "score"], answers[plain.loc[where, "request"]])
    assert (frame["version"] == plain["version"]).all()


def test_requests_delayed(injector, plain, tmp_path):
    frame, _ = planted(injector, tmp_path, "requests_delayed", 0.5)
    middle = plain.loc[plain["ts"] < START, "latency"].quantile(0.5, interpolation="lower")
    np.testing.assert_allclose((frame["latency"] - plain["latency"])[inside(plain)], 5 * middle, rtol=0.02)


def test_several_faults_act_one_after_the_other(small, plain, tmp_path):
    file = inject(
        small,
        [Fault("feature_null", 1.0, START, END, feature="y"), Fault("traffic_lost", 1.0, START, END, NORTH)],
        tmp_path,
    )
    frame = read(file)
    assert not inside(frame).any()
    assert frame.loc[frame["ts"].ge(START) & frame["ts"].lt(END), "column:y"].isna().all()


def test_text_logs_keep_their_types(tmp_path):
    file = inject(
        "sample_logs/flights_minutes/assay.toml",
        Fault(
            "feature_scaled",
            1.0,
            datetime(2013, 7, 1, tzinfo=UTC),
            datetime(2013, 7, 8, tzinfo=UTC),
            feature="distance",
        ),
        tmp_path,
        rescored=False,
    )
    copy, logs = Workbench(file), Workbench("sample_logs/flights_minutes")
    assert [(f.name, f.kind) for f in copy.catalog.features] == [
        (f.name, f.kind) for f in logs.catalog.features
    ]
    count = "SELECT count(*) AS n, sum(score) AS s, min(ts) AS first, max(ts) AS last FROM predictions"
    one, other = (bench.catalog.engine.query(count).to_pylist()[0] for bench in (copy, logs))
    assert one.pop("s") == pytest.approx(other.pop("s"))
    assert one == other


@pytest.mark.parametrize(
    "fault,says",
    [
        (Fault("feature_null", 0.5, START, END, feature="z"), '"z" is not a feature'),
        (Fault("feature_null", 0.5, START, END), "needs a feature"),
        (Fault("feature_scaled", 0.5, START, END, feature="place"), "try feature_null"),
        (Fault("feature_swapped", 0.5, START, END, feature="place"), "no other feature"),
        (Fault("feature_null", 1.5, START, END, feature="x"), "between 0 and 1"),
        (Fault("feature_null", 0.5, END, START, feature="x"), "end after"),
        (Fault("traffic_lost", 0.5, START, END, version="c"), "not a version"),
        (Fault("traffic_lost", 0.5, START, END, where=("outcome=fp",)), "not at labels"),
        (Fault("quake", 0.5, START, END), "no kind of fault"),
        (Fault("traffic_lost", 0.5, START.replace(tzinfo=None), END), "time zone"),
    ],
)
def test_what_makes_no_sense_is_refused(fault, says, injector, tmp_path):
    with pytest.raises(ScopeError, match=says):
        injector.plant(fault, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_copy_never_lands_on_the_project(injector, small):
    with pytest.raises(ProjectError, match="must not stand"):
        injector.plant(Fault("labels_flipped", 0.5, START, END), small.parent)


def test_toml_reads_back():
    data = {
        "name": 'a "b" \\ \x7f\n\té', "empty": [], "a b": [1, 2.5, True, {"x": "y", "z": [[1], ["q"]]}],
        "t": {"k": START, "n": {"m": float("inf")}, "day": START.date()},
    }  # fmt: skip
    assert tomllib.loads(toml_text(data)) == data


def test_odd_columns_and_hostile_names(tmp_path):
    """Infinite, empty and quoted columns: a fault is planted, or refused in a sentence."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "ts": times(400, days=10), 'x "q"; DROP': rng.normal(size=400), "c'é": rng.choice(["a'; --", "ü", None], 400),
        "score": rng.random(400), "label": rng.integers(0, 2, 400), "nothing": np.nan,
        "endless": np.where(rng.random(400) < 0.2, np.inf, 1.0),
    })  # fmt: skip
    bench = write_project(tmp_path / "odd", frame, BINARY + 'segments = ["c\'é"]\n')
    bench.close()
    window = datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 8, tzinfo=UTC)
    with Injector(tmp_path / "odd") as one:
        for name in ('x "q"; DROP', "c'é", "nothing", "endless"):
            file, said = one.plant(
                Fault("feature_null", 0.5, *window, ("c'é=a'; --",), name), tmp_path / "copy"
            )
            assert said.n_hit
            assert any("understated" in note for note in said.notes)
            copy = Workbench(file)
            assert copy.quality()[0].n == 400
            copy.close()
        with pytest.raises(ScopeError, match="no value before"):
            one.plant(Fault("feature_stale", 0.5, *window, feature="nothing"), tmp_path / "copy")
        with pytest.raises(ScopeError, match="does not vary"):
            one.plant(Fault("feature_shifted", 0.5, *window, feature="nothing"), tmp_path / "copy")
