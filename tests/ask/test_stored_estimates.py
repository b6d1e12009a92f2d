"""Estimates by day from stored parts equal those from the rows, and no row of the logs is read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analytics.aggregates import estimated, estimated_parts
from analytics.aggregates.day_facts import Facts, update_facts
from analytics.aggregates.estimated_parts import HOURS, settled
from analytics.aggregates.shelf import FolderShelf
from analytics.aggregates.store import PartStore
from analytics.ask.estimate import estimates_of
from analytics.building.standard import standard
from analytics.measures.standard_estimates import keep_estimates, standard_estimates
from analytics.scope import Filter, Scope
from analytics.telemetry.rows import labelled_rows, scoped_rows
from analytics.workbench import open_workbench
from tests.aggregates.memory_parts import MemoryParts, counting
from tests.ask.projects import write_project

DAYS, A_DAY = 40, 120
START = pd.Timestamp("2024-03-01", tz="UTC")
"""Clocks go forward on the last day of the month."""
WORDS = (
    'task = "binary"\nid = "id"\nscore = "score"\ndecision = "decision"\nfeatures = ["x"]\nversion = "version"\n'
    'segments = ["place"]\n'
)


def _drawn(start, days, seed):
    rng = np.random.default_rng(seed)
    n = days * A_DAY
    ts = start + pd.to_timedelta(np.sort(rng.uniform(0, days * 86_400, n)), unit="s")
    x = rng.normal(-0.5, 1.2, n)
    score = expit(x)
    score[::41] = np.nan
    label = (rng.random(n) < expit(1.2 * x)).astype(float)
    label[rng.random(n) < 0.1] = np.nan
    decision = (np.nan_to_num(score) > 0.4).astype(float)
    decision[::29] = np.nan
    # from minutes to weeks, so that labels lie in many stretches after their day's end
    known = ts + pd.to_timedelta(rng.exponential(1, n) ** 2 * 15 * 3600, unit="s")
    return pd.DataFrame({
        "id": [f"{start.date()}-{i}" for i in range(n)], "ts": ts, "x": x, "score": score, "decision": decision,
        "version": np.where(rng.random(n) < 0.3, "b", "a"), "place": rng.choice(["north", "south"], n),
        "label": label, "known": known, "w": rng.choice([0.5, 1.0, 3.0], n),
    })  # fmt: skip


def _project(folder, more="", zone="Europe/Berlin"):
    frame = _drawn(START, DAYS, 4)
    reference = _drawn(START - pd.Timedelta(days=30), 30, 5)
    for name, of in (("labels", frame), ("labels_of_reference", reference)):
        of[["id", "label", "known"]].dropna().to_parquet(folder / f"{name}.parquet")
    reference.drop(columns=["label", "known"]).to_parquet(folder / "reference.parquet")
    text = (
        '[labels]\npath = "labels*.parquet"\nid = "id"\nlabel = "label"\ntimestamp = "known"\n'
        '[reference]\npath = "reference.parquet"\n'
    )
    write_project(folder, frame.drop(columns=["label", "known"]), WORDS + more, text).close()
    file = folder / "assay.toml"
    file.write_text(f'time_zone = "{zone}"\n' + file.read_text())
    return open_workbench(folder)


@pytest.fixture(scope="module", params=["", 'weight = "w"\n'], ids=["plain", "weighted"])
def catalog(request, tmp_path_factory):
    bench = _project(tmp_path_factory.mktemp("estimates"), request.param)
    yield bench.catalog
    bench.close()


@pytest.fixture(autouse=True)
def _in_bins(monkeypatch):
    # both ways look at score bins, so that every number can be compared
    monkeypatch.setattr(estimated, "EXACT_ROWS", 0)
    monkeypatch.setattr(estimated_parts, "FEW_ROWS", 0)


def _both(catalog, scope, methods=("cbpe",), **more):
    catalog.parts = None
    plain = estimates_of(catalog, scope, methods)
    MemoryParts(catalog, list(standard_estimates(catalog)), **more)
    try:
        with counting(catalog) as texts:
            found = estimates_of(catalog, scope, methods)
    finally:
        catalog.parts = None
    return plain, found, [text for text in texts if "label_early" in text and "FROM predictions" in text]


def _same(one, other):
    assert len(one) == len(other) > 0
    for mine, theirs in zip(one, other, strict=True):
        for name, value in dataclasses.asdict(mine).items():
            expected = getattr(theirs, name)
            if isinstance(value, float) and isinstance(expected, float):
                assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), (mine, name)
            else:
                assert value == expected, (mine, name)


def test_they_equal_those_of_the_rows(catalog):
    plain, found, read = _both(catalog, Scope(grain="day"))
    _same(found.rows, plain.rows)
    _same(found.scorecard, plain.scorecard)
    assert not read
    assert {row.version for row in found.rows} == {"a", "b"}
    assert sum(row.status == "ok" for row in found.rows) > 200


def test_days_without_a_part_are_read(catalog):
    without = [datetime.fromisoformat("2024-03-12"), datetime.fromisoformat("2024-03-31")]
    plain, found, _ = _both(catalog, Scope(grain="day"), without=without)
    _same(found.rows, plain.rows)


@pytest.mark.parametrize(
    "more",
    [
        {"versions": ("b",)},
        {"start": datetime(2024, 3, 18, tzinfo=UTC), "end": datetime(2024, 3, 27, 5, tzinfo=UTC)},
        {"filters": (Filter("segment", "place", "north"),)},
    ],
)
def test_any_scope_is_answered_alike(catalog, more):
    plain, found, _ = _both(catalog, Scope(grain="day", **more))
    _same(found.rows, plain.rows)


def test_weeks_are_read_from_the_rows(catalog):
    plain, found, read = _both(catalog, Scope(grain="week"))
    _same(found.rows, plain.rows)
    assert read


def test_few_rows_keep_every_score(catalog, monkeypatch):
    monkeypatch.setattr(estimated_parts, "FEW_ROWS", DAYS * A_DAY)
    monkeypatch.setattr(estimated, "EXACT_ROWS", 5000)
    plain, found, read = _both(catalog, Scope(grain="day"))
    assert read
    _same(found.rows, plain.rows)


def test_a_label_that_came_later_is_not_early(catalog):
    first, last = catalog.extent
    scope = Scope(start=first - timedelta(days=1), end=last + timedelta(days=1), grain="day")
    (parts,) = standard_estimates(catalog)
    MemoryParts(catalog, [parts])
    rows = scoped_rows(catalog, scope)
    known = {}
    for hours in (0, 24, 240):
        cells, _ = estimated_parts.read_estimated(catalog, rows, parts.additive, timedelta(hours=hours))
        known[f"h{hours}"] = sum(cell.rows.n[cell.early].sum() for cell in cells.values())
    catalog.parts = None
    zone = "AT TIME ZONE 'Europe/Berlin'"
    end = f"date_trunc('day', ts {zone}) + INTERVAL 1 DAY"
    items = ", ".join(
        f"count(*) FILTER (label_ts {zone} <= {end} + INTERVAL {hours} HOUR) AS h{hours}"
        for hours in (0, 24, 240)
    )
    every = labelled_rows(catalog, Scope(), "predictions", last).text
    (counts,) = catalog.engine.query(
        f"SELECT {items} FROM ({every}) WHERE scored AND label IS NOT NULL"
    ).to_pylist()
    assert known == counts
    assert known["h0"] < known["h24"] < known["h240"]


def test_days_settle_at_whole_stretches_and_longer_windows_at_once():
    assert settled("day", timedelta(hours=20)) == timedelta(hours=12)
    assert settled("day", timedelta()) == timedelta()
    assert settled("week", timedelta(hours=20)) == timedelta(hours=20)
    assert all(settled("day", timedelta(hours=hours)) == timedelta(hours=hours) for hours in HOURS)


def test_they_are_kept_up_to_date(catalog):
    assert "estimated" in {one.additive.name for one in standard(catalog)}


def test_the_reference_is_kept_until_a_file_of_it_changes(catalog, tmp_path):
    store = PartStore(FolderShelf(tmp_path))
    catalog.parts, catalog.memory = None, store
    try:
        with counting(catalog) as texts:
            keep_estimates(catalog, update_facts(catalog, Facts()))
        # labels of predictions are not read for it: of long logs these are nearly all
        (asked,) = [text for text in texts if "label_early" in text]
        assert "labels_of_reference.parquet'" in asked
        assert "labels.parquet'" not in asked
        with counting(catalog) as texts:
            kept = estimates_of(catalog, Scope(grain="day"), ["cbpe"])
        assert not [text for text in texts if "label_early" in text and "FROM reference" in text]
    finally:
        catalog.memory = None
    with counting(catalog) as texts:
        plain = estimates_of(catalog, Scope(grain="day"), ["cbpe"])
    assert [text for text in texts if "label_early" in text and "FROM reference" in text]
    _same(kept.rows, plain.rows)
