"""Drift asked of logs: versions, windows, filters, labels, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.reference_bins import feature_bins
from analytics.ask.drift import _References, drift_of, histogram_of
from analytics.drift.rows import DriftRow
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from tests.drift.histograms import drift_of_arrays
from tests.drift.projects import open_project

KEYS = ('version = "v"', 'segments = ["c"]', 'label = "y"', 'decision = "d"', 'features = ["x", "c"]')


def made(n: int, start: str, days: float, versions: list[str], shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(n)
    ts = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.sort(rng.uniform(0, days * 86_400, n)), unit="s")
    x = rng.normal(shift, 1, n)
    score = 1 / (1 + np.exp(-x))
    return pd.DataFrame({
        "ts": ts, "x": x, "c": rng.choice(["a", "b"], n), "v": rng.choice(versions, n), "score": score,
        "d": (score > 0.5).astype(int), "y": np.where(rng.random(n) < 0.3, np.nan, (rng.random(n) < score)),
    })  # fmt: skip


REFERENCE = made(4000, "2024-02-01", 20, ["v1", "v2"], 0)
ROWS = pd.concat(
    [made(3000, "2024-03-04", 10, ["v1", "v3"], 0), made(2000, "2024-03-18", 7, ["v1"], 1.5)],
    ignore_index=True,
)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_project(tmp_path, ROWS, REFERENCE, *KEYS)
    yield opened
    opened.close()


def pick(rows: Results[DriftRow], **values: object) -> list[DriftRow]:
    return [row for row in rows if all(getattr(row, name) == value for name, value in values.items())]


def test_a_row_for_every_window_version_and_field(catalog: Catalog) -> None:
    rows = drift_of(catalog, Scope(grain="week"))
    assert len(rows) == 3 * 2 * 5
    assert {(row.feature, row.role) for row in rows} == {
        ("x", "feature"), ("c", "feature"), ("score", "score"), ("decision", "decision"), ("label", "label"),
    }  # fmt: skip
    assert [row.status for row in pick(rows, version="v3", feature="x")] == ["ok", "ok", "no_data"]
    assert len(rows.to_records()) == len(rows)
    assert "of these 5 would" in rows.notes[0]
    assert all("SELECT" in text for text in rows.sql)


def test_the_numbers_are_those_of_the_rows(catalog: Catalog) -> None:
    row = pick(drift_of(catalog, Scope(grain="week", versions=("v1",))), feature="x")[2]
    window = ROWS[(ROWS.v == "v1") & (ROWS.ts >= "2024-03-18")]
    reference = REFERENCE[REFERENCE.v == "v1"]
    day, window_day = (frame.ts.dt.floor("D").astype("int64").to_numpy() for frame in (reference, window))
    bins = replace(next(item for item in feature_bins(catalog, "v1") if item.field.name == "x"), version=None)
    expected = drift_of_arrays(reference.x.to_numpy(), window.x.to_numpy(), day, window_day, bins=bins)
    same = (
        "n",
        "n_reference",
        "psi",
        "js_distance",
        "ks",
        "wasserstein",
        "total_variation",
        "p_value",
        "noise_floor",
    )
    for name in same:
        assert getattr(row, name) == pytest.approx(getattr(expected, name)), name
    assert row.drifted is True
    assert row.independence == "blocks"


def test_a_version_new_to_the_reference_is_compared_with_its_first_version(catalog: Catalog) -> None:
    rows = pick(drift_of(catalog, Scope(grain="all")), version="v3")
    first = REFERENCE.v.iloc[0]
    assert {row.reference_version for row in rows} == {first}
    assert {row.role: row.status for row in rows} == {
        "feature": "ok", "score": "undefined", "decision": "undefined", "label": "ok",
    }  # fmt: skip


def test_missing_labels_are_no_drift(catalog: Catalog) -> None:
    row = pick(drift_of(catalog, Scope(grain="all", versions=("v3",))), feature="label")[0]
    window = ROWS[ROWS.v == "v3"]
    assert row.n == window.y.notna().sum()
    assert row.missing_rate is None


def test_filters_apply_to_both_sides(catalog: Catalog) -> None:
    scope = Scope(grain="all", versions=("v1",), filters=(Filter("segment", "c", "a"),))
    row = pick(drift_of(catalog, scope), feature="x")[0]
    assert row.n == ((ROWS.v == "v1") & (ROWS.c == "a")).sum()
    assert row.n_reference == ((REFERENCE.v == "v1") & (REFERENCE.c == "a")).sum()


def test_some_references_stay_prepared_each_under_its_filters(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = _References()
    monkeypatch.setattr("analytics.ask.drift._PREPARED", 2)
    a, b = ((Filter("segment", "c", value),) for value in "ab")
    whole, of_a = references.prepared(catalog, "v1", ()), references.prepared(catalog, "v1", a)
    assert references.prepared(catalog, "v1", a) is of_a
    assert references.prepared(catalog, "v1", ()) is whole
    assert whole.sides[0].side.rows > of_a.sides[0].side.rows
    references.prepared(catalog, "v1", b)
    assert references.prepared(catalog, "v1", ()) is whole
    assert references.prepared(catalog, "v1", a) is not of_a


def test_as_of_leaves_the_reference_as_it_is(catalog: Catalog) -> None:
    early = drift_of(catalog, Scope(grain="all", as_of=pd.Timestamp("2024-03-05", tz="UTC").to_pydatetime()))
    late = drift_of(catalog, Scope(grain="all"))
    for before, after in zip(early, late, strict=True):
        assert before.n < after.n
        assert before.n_reference == after.n_reference


def test_a_cell_reads_the_same_whatever_else_is_asked_for(catalog: Catalog) -> None:
    everything = drift_of(catalog, Scope(grain="week"))
    alone = drift_of(catalog, Scope(grain="week", versions=("v1",)))
    assert pick(everything, version="v1") == list(alone)


def test_histograms_share_out_all_rows_of_each_side(catalog: Catalog) -> None:
    rows = histogram_of(catalog, Scope(grain="all", versions=("v1",)), "x")
    assert sum(row.share or 0 for row in rows) == pytest.approx(1)
    assert sum(row.share_reference or 0 for row in rows) == pytest.approx(1)
    assert len(rows) == 20 + 3


def test_a_changed_reference_is_read_anew(tmp_path: Path) -> None:
    before = drift_of(open_project(tmp_path, ROWS, REFERENCE, *KEYS), Scope(versions=("v1",)))
    shifted = REFERENCE.assign(x=REFERENCE.x + 3)
    after = drift_of(open_project(tmp_path, ROWS, shifted, *KEYS), Scope(versions=("v1",)))
    assert before[0].psi != after[0].psi


def test_weights_count_as_many_rows_as_they_are_worth(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"x": rng.normal(size=900), "w": rng.choice([1.0, 9.0], 900)})
    catalog = open_project(
        tmp_path, rows, rows.assign(w=2.0), 'weight = "w"', 'features = ["x"]', 'block = "none"'
    )
    row = drift_of(catalog, Scope())[0]
    assert row.n == 900
    assert row.n_effective == pytest.approx(rows.w.sum() ** 2 / (rows.w**2).sum())


def test_a_reference_window_of_the_predictions(tmp_path: Path) -> None:
    catalog = open_project(tmp_path, ROWS, REFERENCE, *KEYS)
    file = tmp_path / "assay.toml"
    file.write_text(
        file.read_text().replace('path = "reference.parquet"', "start = 2024-03-04\nend = 2024-03-11", 1)
    )
    again = Catalog(replace_project(catalog, file))
    rows = pick(drift_of(again, Scope(grain="week", versions=("v1",))), feature="x")
    assert [row.drifted for row in rows] == [False, False, True]
    assert rows[0].total_variation == 0


def replace_project(catalog: Catalog, file: Path):  # type: ignore[no-untyped-def]
    from analytics.project import read_project

    catalog.close()
    return read_project(file)


def test_by_and_unknown_features_are_refused(catalog: Catalog) -> None:
    with pytest.raises(ScopeError, match="by: drift is not split by segment"):
        drift_of(catalog, replace(Scope(), by="c"))
    with pytest.raises(ScopeError, match='"z" is not watched; known: x, c, score, decision, label'):
        histogram_of(catalog, Scope(), "z")
