"""How many false alarms to expect: the promise, what one reference does to it, and the simulation on a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.drift.false_alarms import repeats
from analytics.errors import ProjectError, ScopeError
from analytics.workbench import Workbench
from app.headlines.false_alarms import expected_sentence, simulated_sentences, small_reference_sentence
from tests.drift.projects import open_project

DAYS, A_DAY = 40, 60


def project(folder, *, days=DAYS, effect=0.0, trend=0.0, keys=(), seed=1):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), A_DAY)
    moved = (rng.normal(0, effect, days) + trend * np.arange(days) / days)[day]
    frame = pd.DataFrame({
        "ts": pd.Timestamp("2024-02-01T01:00", tz="UTC") + pd.to_timedelta(day, unit="D"),
        **{name: rng.normal(size=day.size) + moved for name in "ab"},
        "c": rng.choice(["u", "v", "w"], day.size),
    })  # fmt: skip
    open_project(folder, frame.head(50), frame, 'features = ["a", "b", "c"]', *keys).close()
    return Workbench(folder)


def test_the_promise_is_one_in_twenty_windows_times_windows_and_segments(tmp_path):
    bench = project(tmp_path / "p")
    (day,) = bench.false_alarms(bench.scope(grain="day"))
    (week,) = bench.false_alarms(bench.scope(grain="week"), segments=9)
    assert (day.share, day.per_week, day.windows_per_week) == (0.05, pytest.approx(0.35), 7)
    assert (week.window_blocks, week.per_week) == (7, pytest.approx(0.5))
    assert week.n_fields == day.n_fields == 4  # three features and the score


@pytest.mark.parametrize("own, n_fields, bins", [(0.1, 20, 10), (0.5, 5, 20), (0.8, 30, 3)])
def test_what_one_reference_does_equals_a_brute_force_simulation(own, n_fields, bins):
    rng = np.random.default_rng(7)
    limit = stats.chi2.isf(1 - 0.95 ** (1 / n_fields), bins - 1)
    reference = rng.standard_normal((500, 1, n_fields, bins - 1))
    window = rng.standard_normal((500, 60, n_fields, bins - 1))
    alarms = ((np.sqrt(own) * reference + np.sqrt(1 - own) * window) ** 2).sum(axis=-1).max(axis=-1) > limit
    pairs = (alarms.sum(axis=1) * (alarms.sum(axis=1) - 1)).sum() / (alarms.sum() * 59)
    again, unlucky = repeats(own * 100 and (1 - own) * 100, own * 100, n_fields, bins)
    assert again == pytest.approx(pairs, abs=0.04)
    assert unlucky == pytest.approx(np.quantile(alarms.mean(axis=1), 0.95), abs=0.05)


def test_days_shuffled_keep_the_promise_and_a_trend_inside_the_reference_shows(tmp_path):
    calm = project(tmp_path / "calm", effect=0.3)
    scope = calm.scope(grain="week")
    _, shuffled, stretches = calm.false_alarms(scope, runs=12)
    assert (shuffled.runs, shuffled.n) == (12, 12)
    assert shuffled.ci_low <= shuffled.share <= shuffled.ci_high
    assert shuffled.ci_low < 0.05
    # too few days to tell whether they follow one another: from 20 on a trend widens what chance gives instead
    moving = project(tmp_path / "moving", trend=3.0, days=26)
    _, _, stretches = moving.false_alarms(scope, runs=1)
    assert stretches.share > 0.05
    assert "trends or seasons" in simulated_sentences([replace(stretches, ci_low=0.1)])[0]


def test_a_short_reference_says_so(tmp_path):
    bench = project(tmp_path / "p", days=12)
    expected, shuffled, stretches = bench.false_alarms(bench.scope(grain="week"), runs=3)
    assert expected.status == "ok"
    assert (shuffled.status, shuffled.share, stretches.status) == ("too_few", None, "too_few")
    assert "12 blocks" in simulated_sentences([shuffled])[0]


def test_rows_taken_as_independent_cannot_be_shuffled_by_day(tmp_path):
    bench = project(tmp_path / "p", keys=('block = "none"',))
    rows = bench.false_alarms(bench.scope(), runs=2)
    assert rows[1].status == "undefined"
    assert rows[1].per_week is None


def test_what_cannot_be_asked_is_said(tmp_path):
    bench = project(tmp_path / "p")
    with pytest.raises(ScopeError, match="shorter than a day"):
        bench.false_alarms(bench.scope(grain="hour"))
    with pytest.raises(ScopeError, match="runs"):
        bench.false_alarms(runs=-1)
    bare = tmp_path / "p" / "assay.toml"
    bare.write_text(bare.read_text().replace('[reference]\npath = "reference.parquet"\n', ""))
    with pytest.raises(ProjectError, match="reference"):
        Workbench(tmp_path / "p").false_alarms()


def test_sentences(tmp_path):
    bench = project(tmp_path / "p")
    (row,) = bench.false_alarms(bench.scope(grain="week"))
    assert expected_sentence(row).startswith(
        "At most one false alarm in 20 weeks is promised: one weekly window a week"
    )
    (many,) = bench.false_alarms(bench.scope(grain="day"), segments=9)
    assert expected_sentence(many).startswith("At most 3.50 false alarms a week are promised")
    assert "40 independent observations" in small_reference_sentence(row)
