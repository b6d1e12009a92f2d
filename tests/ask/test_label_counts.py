"""Coverage, expectation, delays, sources and contradictions of small projects, by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ProjectError
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, START, dumps, times, write_project
from tests.labels.projects import late_project

QUESTIONS = (
    "labels", "label_delay", "label_coverage", "label_sources", "label_changes", "label_feed", "label_weighted",
)  # fmt: skip
KEYS = 'task = "binary"\nscore = "score"\nid = "id"\n'
FEED = '[labels]\npath = "labels.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "ts"\n'


def two_days_old(delays_hours: np.ndarray, days: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    n = len(delays_hours)
    frame = pd.DataFrame({"ts": times(n, days), "score": 0.4, "id": np.arange(n).astype(str)})
    came = np.isfinite(delays_hours)
    feed = pd.DataFrame({
        "id": frame["id"][came], "label": (np.arange(n)[came] % 2),
        "ts": frame["ts"][came] + pd.to_timedelta(delays_hours[came], unit="h"),
    })  # fmt: skip
    return frame, feed


def test_counts_and_delays_by_hand(tmp_path):
    hours = np.where(np.arange(1000) % 10 == 0, np.inf, np.where(np.arange(1000) % 10 < 6, 2.0, 5.0))
    frame, feed = two_days_old(hours)
    bench = write_project(tmp_path, frame, KEYS, feed=feed)
    rows = bench.labels(bench.scope(grain="day", as_of="2024-01-10T12:00"))
    last, before = rows[-1], rows[-2]
    assert (before.n, before.n_labelled, before.status) == (100, 90, "ok")
    assert before.coverage == pytest.approx(0.9)
    assert before.ci_low < 0.9 < before.ci_high
    assert (before.delay_p50_seconds, before.delay_p95_seconds) == (7200, 18_000)
    assert before.delay_p50_ci_low <= 7200 <= before.delay_p50_ci_high
    assert before.expected_coverage == pytest.approx(0.9, abs=1e-6)
    assert before.short is False
    # 50 predictions from midnight to noon: those before 7 have every label, those from 7 to 10 the quick ones
    assert last.status == "immature"
    ages = 12 - (np.arange(50) + 0.5) * 0.24
    expected = np.mean(np.where(ages >= 5, 0.9, np.where(ages >= 2, 0.5, 0.0)))
    assert last.n == 50
    assert last.expected_coverage == pytest.approx(expected, abs=0.02)
    assert last.arrived_share == pytest.approx(last.expected_coverage / 0.9, abs=1e-6)
    assert rows[0].expected_coverage is None
    assert "earlier predictions" in rows[0].reason
    assert last.learned_from == "version"
    assert last.n_learned == 900
    bench.close()


def test_a_window_is_expected_from_earlier_predictions_only(tmp_path):
    hours = np.where(np.arange(1000) < 900, 1.0, np.inf)
    frame, feed = two_days_old(hours)
    bench = write_project(tmp_path, frame, KEYS, feed=feed)
    last = bench.labels(bench.scope(grain="day"))[-1]
    assert last.coverage == 0
    assert last.expected_coverage == pytest.approx(1.0)
    assert last.short is True
    assert last.p_adjusted < 1e-3
    bench.close()


def test_a_declared_outage_is_not_learned_from(tmp_path):
    hours = np.full(2000, 1.0)
    frame, feed = two_days_old(hours, days=20)
    start, end = START + timedelta(days=5), START + timedelta(days=8)
    stuck = (feed["ts"] >= start) & (feed["ts"] < end)
    feed.loc[stuck, "ts"] = end + timedelta(hours=10)
    outage = f"outages = [{{ start = {start:%Y-%m-%dT%H:%M:%SZ}, end = {end:%Y-%m-%dT%H:%M:%SZ} }}]\n"
    learned = {}
    for name, more in (("plain", ""), ("declared", outage)):
        bench = write_project(tmp_path / name, frame, KEYS, more, feed)
        row = bench.labels(bench.scope(start="2024-01-20", end="2024-01-21", as_of="2024-01-20T06:00"))[0]
        learned[name] = row.expected_coverage
        bench.close()
    # an hour of six is too young
    assert learned["declared"] == pytest.approx(5 / 6, abs=0.01)
    assert learned["plain"] < learned["declared"] - 0.05


def test_outages_are_checked(tmp_path):
    frame, feed = two_days_old(np.full(10, 1.0))
    with pytest.raises(ProjectError, match=r"labels.outages\[0\].end: must be after its start"):
        write_project(tmp_path, frame, KEYS, "outages = [{ start = 2024-01-03, end = 2024-01-02 }]\n", feed)
    with pytest.raises(ProjectError, match=r'unknown key \(did you mean "end"\?\); accepted: start, end'):
        write_project(tmp_path, frame, KEYS, "outages = [{ start = 2024-01-03, ende = 2024-01-02 }]\n", feed)


def test_versions_stay_apart_and_a_new_one_learns_from_all(tmp_path):
    bench, _ = late_project(tmp_path, versions=2, days=8, never=0.2)
    frame = pd.read_parquet(tmp_path / "predictions.parquet")
    frame = frame[(frame["version"] == "v0000") | (frame["ts"] >= START + timedelta(days=7))]
    bench.close()
    frame.to_parquet(tmp_path / "predictions.parquet")
    bench = Workbench(tmp_path)
    rows = bench.labels(bench.scope(start="2024-01-08", end="2024-01-09"))
    assert [(row.version, row.learned_from) for row in rows] == [
        ("v0000", "version"),
        ("v0001", "all versions"),
    ]
    bench.close()


def test_labels_as_columns_known_at_once(tmp_path):
    frame = pd.DataFrame({"ts": times(400), "score": 0.4, "label": np.arange(400) % 2})
    frame["label"] = frame["label"].where(np.arange(400) % 4 > 0)
    bench = write_project(tmp_path, frame, BINARY)
    row = bench.labels(bench.scope())[0]
    assert (row.n, row.n_labelled, row.delay_p50_seconds, row.status) == (400, 300, 0.0, "ok")
    found = bench.labels(bench.scope())
    assert "known at once" in found.notes[0]
    assert bench.label_delay(bench.scope())[-1].arrived == pytest.approx(0.75)
    bench.close()


def test_weights_count(tmp_path):
    hours = np.where(np.arange(1000) % 2 == 0, 1.0, np.inf)
    frame, feed = two_days_old(hours)
    frame["w"] = np.where(np.arange(1000) % 2 == 0, 3.0, 1.0)
    bench = write_project(tmp_path, frame, KEYS + 'weight = "w"\n', feed=feed)
    row = bench.labels(bench.scope())[0]
    assert row.n_labelled == 500
    assert row.coverage == pytest.approx(0.75)
    assert bench.label_delay(bench.scope())[-1].arrived == pytest.approx(0.75)
    bench.close()


def sources_project(folder, agree: float = 0.9, n: int = 600, task: str = "binary"):
    draw = np.random.default_rng(5)
    frame = pd.DataFrame({"ts": times(n), "score": draw.uniform(size=n), "id": np.arange(n).astype(str)})
    truth = draw.integers(0, 2, n) if task == "binary" else draw.normal(10, 3, n)
    other = np.where(draw.uniform(size=n) < agree, truth, 1 - truth) if task == "binary" else truth + 0.5
    parts = [
        pd.DataFrame({"id": frame["id"], "label": label, "ts": frame["ts"] + timedelta(hours=h), "who": who})
        for who, label, h in (("annotator", truth, 30), ("user", other, 2))
    ]
    frame.to_parquet(folder / "predictions.parquet")
    pd.concat([parts[0][: n // 2], parts[1]]).to_parquet(folder / "labels.parquet")
    text = (
        f'name = "t"\n[predictions]\npath = "predictions.parquet"\ntimestamp = "ts"\ntask = "{task}"\n'
        f'score = "score"\nid = "id"\n{FEED}source = "who"\nsources = ["annotator", "user"]\n'
    )
    (folder / "assay.toml").write_text(text)
    return Workbench(folder), truth[: n // 2], np.asarray(other[: n // 2])


def test_sources_side_by_side(tmp_path):
    bench, truth, other = sources_project(tmp_path)
    trusted, user = bench.label_sources(bench.scope())
    assert (trusted.source, trusted.trusted_source, trusted.n, trusted.n_both) == ("annotator", None, 300, 0)
    assert (user.source, user.trusted_source, user.n, user.n_both) == ("user", "annotator", 600, 300)
    agree = (truth == other).mean()
    chance = truth.mean() * other.mean() + (1 - truth.mean()) * (1 - other.mean())
    assert user.agreement == pytest.approx(agree)
    assert user.kappa == pytest.approx((agree - chance) / (1 - chance))
    assert user.kappa_ci_low < user.kappa < user.kappa_ci_high
    assert user.mean_difference == pytest.approx(other.mean() - truth.mean())
    assert (trusted.delay_p50_seconds, user.delay_p50_seconds) == (30 * 3600, 2 * 3600)
    changes = bench.label_changes(bench.scope(end="2024-02-01"))[0]
    assert changes.n_contradictions == (truth != other).sum()
    assert changes.n_repeats == 300
    # the annotator's word comes last and wins
    assert changes.mean_change == pytest.approx((truth - other)[truth != other].mean())
    bench.close()


def test_kappa_has_the_error_of_the_textbook(tmp_path):
    from statsmodels.stats.inter_rater import cohens_kappa

    bench, truth, other = sources_project(tmp_path, agree=0.8)
    row = bench.label_sources(bench.scope())[1]
    table = np.array([[((truth == i) & (other == j)).sum() for j in (0, 1)] for i in (0, 1)])
    theirs = cohens_kappa(table)
    assert row.kappa == pytest.approx(theirs.kappa)
    if row.independence == "rows":
        half = (row.kappa_ci_high - row.kappa_ci_low) / 2
        assert half == pytest.approx(1.96 * theirs.std_kappa, rel=0.1)
    bench.close()


def test_sources_of_numbers(tmp_path):
    bench, _, _ = sources_project(tmp_path, task="regression")
    row = bench.label_sources(bench.scope())[1]
    assert row.mean_difference == pytest.approx(0.5)
    assert row.agreement is None
    assert row.kappa is None
    bench.close()


def test_one_decision_gets_no_labels(tmp_path):
    bench, frame = late_project(tmp_path, days=10)
    feed = pd.read_parquet(tmp_path / "labels.parquet")
    refused = set(frame["id"][(frame["decision"] == 1) & (np.arange(len(frame)) % 10 > 0)])
    bench.close()
    feed[~feed["id"].isin(refused)].to_parquet(tmp_path / "labels.parquet")
    bench = Workbench(tmp_path)
    rows = {(row.by, row.group): row for row in bench.label_coverage(bench.scope())}
    assert rows["decision", "0"].coverage == pytest.approx(1.0)
    assert rows["decision", "1"].coverage == pytest.approx(0.1, abs=0.04)
    assert rows["decision", "1"].selected is True
    assert rows["decision", "1"].difference == pytest.approx(-0.9, abs=0.04)
    bench.close()


def test_labels_alike_everywhere_are_not_selected(tmp_path):
    bench, _ = late_project(tmp_path, days=10, never=0.3, seed=4)
    assert not any(row.selected for row in bench.label_coverage(bench.scope()))
    bench.close()


def test_a_feed_that_stops_is_silent_and_one_that_goes_on_is_not(tmp_path):
    bench, _ = late_project(tmp_path, days=14)
    feed = pd.read_parquet(tmp_path / "labels.parquet")
    bench.close()
    stop = START + timedelta(days=12)
    alive = {}
    for name, kept in (("whole", feed), ("stopped", feed[feed["ts"] < stop])):
        kept.to_parquet(tmp_path / "labels.parquet")
        bench = Workbench(tmp_path)
        alive[name] = bench.label_feed(bench.scope(as_of="2024-01-14T00:00"))[0]
        bench.close()
    assert alive["whole"].silent is False
    assert alive["stopped"].silent is True
    assert alive["stopped"].p_value < 1e-6
    # a day of predictions, nearly all of which would have a label by now, and what was still to come
    assert alive["stopped"].expected_since == pytest.approx(100, abs=10)
    assert alive["stopped"].last < stop
    bench = Workbench(tmp_path)
    # minutes after it stopped nobody can know
    assert bench.label_feed(bench.scope(as_of="2024-01-13T00:10"))[0].silent is False
    bench.close()


def test_labels_that_take_longer_than_they_did(tmp_path):
    hours = np.where(np.arange(3000) < 1500, 2.0, 8.0) * np.random.default_rng(1).uniform(0.5, 1.5, 3000)
    frame, feed = two_days_old(hours, days=30)
    bench = write_project(tmp_path, frame, KEYS, feed=feed)
    row = bench.label_feed(bench.scope())[0]
    assert row.delay_changed is True
    assert row.share_recent < 0.2
    assert row.share_before > 0.8
    bench.close()


def test_positive_first_labels_have_bounds_and_flips(tmp_path):
    draw = np.random.default_rng(2)
    n = 2000
    frame = pd.DataFrame({"ts": times(n), "score": draw.uniform(size=n), "id": np.arange(n).astype(str)})
    frame["decision"] = (frame["score"] > 0.5).astype(int)
    fraud = draw.uniform(size=n) < 0.2
    hours = draw.uniform(0, 240, n)
    feed = pd.DataFrame({
        "id": frame["id"][fraud], "label": 1, "ts": frame["ts"][fraud] + pd.to_timedelta(hours[fraud], unit="h"),
    })  # fmt: skip
    keys = KEYS + 'decision = "decision"\n'
    bench = write_project(tmp_path, frame, keys, 'absent_after = "5 days"\nabsent_means = 0\n', feed)
    scope = bench.scope(start="2024-01-18", end="2024-01-21", as_of="2024-01-21T00:00", grain="all")
    found = {row.metric: row for row in bench.label_weighted(scope)}
    today = (frame["ts"] >= START + timedelta(days=17)).to_numpy()
    for metric, true in (
        ("prevalence", fraud[today].mean()),
        ("precision", fraud[today & (frame["decision"] == 1)].mean()),
        ("accuracy", (fraud == (frame["decision"] == 1))[today].mean()),
        ("recall", (frame["decision"] == 1)[today & fraud].mean()),
    ):
        row = found[metric]
        assert row.lowest <= true <= row.highest, metric
        assert row.weighted_value is None
    assert found["precision"].value is None or found["precision"].value == 1.0
    curve = bench.label_delay(bench.scope(as_of="2024-02-20T00:00"))
    five = min(curve, key=lambda row: abs(row.seconds - 5 * 86_400))
    assert five.later == pytest.approx((fraud & (hours > five.seconds / 3600)).mean(), abs=0.005)
    assert five.later_ci_low <= five.later <= five.later_ci_high
    # after five days every prediction has a label
    old = bench.labels(bench.scope(start="2024-01-01", end="2024-01-05", as_of="2024-02-01T00:00"))[0]
    assert old.coverage == 1.0
    assert old.expected_coverage is None
    bench.close()


def test_hostile_labels(tmp_path):
    """Before their prediction, in the future, twice, contradicting, orphaned: counted, never a traceback."""
    n = 300
    frame = pd.DataFrame({"ts": times(n), "score": 0.4, "id": np.arange(n).astype(str)})
    late = frame["ts"] + timedelta(hours=3)
    late[:10] = frame["ts"][:10] - timedelta(days=40)
    late[10:20] = pd.Timestamp("2190-01-01", tz="UTC")
    feed = pd.DataFrame({"id": frame["id"], "label": np.arange(n) % 2, "ts": late})
    again = feed[20:50].assign(
        label=lambda rows: 1 - rows["label"], ts=lambda rows: rows["ts"] + timedelta(days=1)
    )
    same = feed[50:70]
    orphans = feed[:15].assign(id=lambda rows: "x" + rows["id"])
    feed = pd.concat([feed, again, same, orphans])
    bench = write_project(tmp_path, frame, KEYS, feed=feed)
    row = bench.label_feed(bench.scope())[0]
    assert (row.n_early, row.n_future, row.n_orphans) == (10, 10, 10)
    assert row.n_contradictions == 30
    curve = bench.label_delay(bench.scope())
    assert curve[0].seconds == 0
    assert all(0 <= point.ci_low <= point.arrived <= point.ci_high <= 1 for point in curve)
    for question in QUESTIONS:
        for words in (
            {},
            {"grain": "day"},
            {"as_of": "2023-01-01"},
            {"as_of": "2024-01-05", "grain": "hour"},
        ):
            dumps(getattr(bench, question)(bench.scope(**words)))
    bench.close()


@pytest.mark.parametrize("rows", [0, 1, 25])
@pytest.mark.parametrize("labels", ["none", "undeclared", "feed"])
def test_little_or_nothing(tmp_path, rows, labels):
    frame = pd.DataFrame({"ts": times(rows), "score": np.full(rows, 0.4), "id": np.arange(rows).astype(str)})
    feed = pd.DataFrame({
        "id": frame["id"], "label": np.ones(rows, dtype=int), "ts": frame["ts"] + timedelta(hours=3)
    })  # fmt: skip
    if labels == "none":
        feed = feed[:0]
    bench = write_project(tmp_path, frame, KEYS, feed=None if labels == "undeclared" else feed)
    for question in QUESTIONS:
        found = getattr(bench, question)(bench.scope(grain="day"))
        dumps(found)
        for row in found:
            assert row.status == "ok" or row.reason
    bench.close()


def test_names_that_are_not_plain(tmp_path):
    """A version, a source and a class may hold anything."""
    n = 400
    odd = 'it\'s | "odd"; --\n$as_of'
    frame = pd.DataFrame({"ts": times(n), "id": np.arange(n).astype(str), "v": odd})
    frame["p_a"] = np.random.default_rng(0).uniform(size=n)
    frame["p_b"] = 1 - frame["p_a"]
    feed = pd.DataFrame(
        {"id": frame["id"], "label": np.where(np.arange(n) % 3, "a|'", "b"), "ts": frame["ts"], "who": odd}
    )
    feed["ts"] += pd.to_timedelta(np.arange(n) % 12, unit="h")
    feed = pd.concat([feed, feed.assign(who="'", ts=feed["ts"] + timedelta(hours=1))])
    frame.to_parquet(tmp_path / "predictions.parquet")
    feed.to_parquet(tmp_path / "labels.parquet")
    (tmp_path / "assay.toml").write_text(
        'name = "t"\n[predictions]\npath = "predictions.parquet"\ntimestamp = "ts"\ntask = "multiclass"\nid = "id"\n'
        f'score = {{ "a|\'" = "p_a", b = "p_b" }}\nversion = "v"\n{FEED}source = "who"\n'
    )
    bench = Workbench(tmp_path)
    for question in QUESTIONS:
        dumps(getattr(bench, question)(bench.scope(grain="day", as_of="2024-01-20T18:00")))
    rows = bench.label_sources(bench.scope())
    assert {row.source for row in rows} == {odd, "'"}
    assert {row.version for row in rows} == {odd}
    assert rows[1].agreement == 1.0
    bench.close()
