"""Feature histograms and summaries from stored parts equal those from the rows; labels and parts stay apart."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import reference_bins
from analytics.aggregates.features import feature_histograms, standard_drift, stored_histograms
from analytics.aggregates.reference_bins import LISTED, feature_bins, reference_version_of
from analytics.ask import features
from analytics.ask.drift import drift_of
from analytics.drift.summary_rows import FeatureRow
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from tests.aggregates.memory_parts import MemoryParts, counting
from tests.drift.projects import open_project

START, END = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 8, tzinfo=UTC)
WHOLE = Scope(start=START, end=END)
FEATURES = 'features = ["x", "whole", "c", "many", "flag"]'


def _frame(rows: int, *, seed: int, shift: float) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.normal(shift, 2, rows)
    x[::50], x[1::97], x[2::101] = np.nan, np.inf, -np.inf
    many = generator.integers(0, LISTED + 150, rows)
    return pd.DataFrame({
        "x": x,
        "whole": generator.poisson(3, rows),
        "c": generator.choice(["a", "b", "c", None, ""], rows),
        "many": [f"m{i}" for i in np.minimum(many, generator.integers(0, LISTED + 150, rows))],
        "flag": generator.random(rows) < 0.3,
        "score": generator.random(rows),
        "y": generator.random(rows) < 0.2,
        "v": generator.choice(["old", "new"], rows),
        "w": generator.uniform(0.5, 2.0, rows),
        "c2": generator.choice(["p", "q"], rows),
    })  # fmt: skip


def _open(folder: Path, *keys: str) -> Catalog:
    rows, reference = _frame(6000, seed=1, shift=0.2), _frame(3000, seed=2, shift=0.0)
    rows["ts"] = START + pd.to_timedelta(
        np.linspace(0, (END - START).total_seconds() - 1, len(rows)), unit="s"
    )
    return open_project(
        folder, rows, reference, 'label = "y"', 'version = "v"', FEATURES, 'segments = ["c2"]', *keys
    )


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory):
    opened = _open(tmp_path_factory.mktemp("stored"))
    MemoryParts(opened, standard_drift(opened))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory):
    opened = _open(tmp_path_factory.mktemp("weighted"), 'weight = "w"')
    MemoryParts(opened, standard_drift(opened))
    yield opened
    opened.close()


def _counted(read: list[str]) -> list[str]:
    """Of the texts that read the logs, those that count rows by bin; others ask once what versions there are."""
    return [text for text in read if "count_if" in text]


def _both(catalog: Catalog, scope: Scope, versions: list[str | None], source: str = "predictions"):
    bins = feature_bins(catalog, reference_version_of(catalog, versions[0]))
    with counting(catalog) as read:
        stored = feature_histograms(catalog, scope, bins, versions, source)
    parts, catalog.parts = catalog.parts, None
    plain = feature_histograms(catalog, scope, bins, versions, source)
    catalog.parts = parts
    return stored, plain, _counted(read)


def _equal(stored, plain) -> None:
    assert sorted(stored.cells, key=str) == sorted(plain.cells, key=str) != []
    for key, cell in plain.cells.items():
        np.testing.assert_array_equal(stored.cells[key].blocks, cell.blocks)
        np.testing.assert_allclose(stored.cells[key].values, cell.values, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("project", ["catalog", "weighted"])
@pytest.mark.parametrize(
    "scope",
    [WHOLE, replace(WHOLE, grain="day"), replace(WHOLE, grain="week"), replace(WHOLE, versions=("old",))],
)
@pytest.mark.parametrize("version", ["old", "new"])
def test_histograms_from_parts_equal_those_from_the_rows(
    request: pytest.FixtureRequest, project: str, scope: Scope, version: str
) -> None:
    opened = request.getfixturevalue(project)
    if scope.versions and version not in scope.versions:
        return
    stored, plain, read = _both(opened, scope, [version])
    assert read == []
    _equal(stored, plain)


def test_counts_without_weights_are_whole_and_equal_exactly(catalog: Catalog) -> None:
    stored, plain, _ = _both(catalog, WHOLE, ["old"])
    for key, cell in plain.cells.items():
        for i in range(len(cell.bins)):
            np.testing.assert_array_equal(stored.cells[key].field(i).counts, cell.field(i).counts)
            assert np.all(cell.field(i).counts == np.round(cell.field(i).counts))


def test_the_reference_is_stored_as_well(catalog: Catalog) -> None:
    stored, plain, read = _both(catalog, Scope(), ["new"], "reference")
    assert read == []
    _equal(stored, plain)


def test_part_of_a_day_is_read_and_added(catalog: Catalog) -> None:
    scope = replace(
        WHOLE, start=datetime(2024, 3, 2, 7, 30, tzinfo=UTC), end=datetime(2024, 3, 6, 1, tzinfo=UTC)
    )
    stored, plain, read = _both(catalog, scope, ["new"])
    # two edges: of what predictions hold, of a field whose many values each version lists for itself, and of labels
    assert len(read) == 6
    _equal(stored, plain)


def test_a_filter_is_answered_from_the_rows(catalog: Catalog) -> None:
    scope = replace(WHOLE, filters=(Filter("segment", "c2", "p"),))
    stored, plain, read = _both(catalog, scope, ["new"])
    assert len(read) == 3
    _equal(stored, plain)
    bins = feature_bins(catalog, reference_version_of(catalog, "new"))
    assert stored_histograms(catalog, scope, bins, ["new"]) is None


def test_only_the_text_of_labels_reads_labels(catalog: Catalog) -> None:
    kinds = {(one.additive.name, one.source): one.additive for one in standard_drift(catalog)}
    assert {key: one.labelled for key, one in kinds.items()} == {
        ("drift", "predictions"): False,
        ("drift", "reference"): False,
        ("drift of labels", "predictions"): True,
        ("drift of labels", "reference"): True,
    }
    # rare values are looked up in the reference
    assert kinds["drift", "predictions"].reference
    assert not kinds["drift of labels", "predictions"].reference


def test_drift_is_the_same_from_parts(catalog: Catalog) -> None:
    with counting(catalog) as read:
        stored = drift_of(catalog, WHOLE)
    assert _counted(read) == []
    parts, catalog.parts = catalog.parts, None
    plain = drift_of(catalog, WHOLE)
    catalog.parts = parts
    assert len(stored) == len(plain) > 0
    for one, other in zip(stored, plain, strict=True):
        assert (one.n, one.drifted, one.status) == (other.n, other.drifted, other.status)
        for name in ("p_value", "wasserstein", "total_variation"):
            expected = getattr(other, name)
            assert getattr(one, name) == (expected if expected is None else pytest.approx(expected, rel=1e-9))


def test_summaries_from_counts_on_bins(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = replace(WHOLE, versions=("new",))
    bins = feature_bins(catalog, reference_version_of(catalog, "new"))
    plain = features.features_of(catalog, scope)
    monkeypatch.setattr(features, "MANY_ROWS", 100)
    with counting(catalog) as read:
        stored = features.features_of(catalog, scope)
    assert read == []
    assert any("stored counts" in note for note in stored.notes)
    exact = {
        field.name for field in fields(FeatureRow)
    } - {"p05", "p50", "p95", "top_value", "top_share", "n_values"}  # fmt: skip
    for one, other in zip(stored, plain, strict=True):
        for name in exact:
            found, expected = getattr(one, name), getattr(other, name)
            assert found == (
                pytest.approx(expected, rel=1e-9, abs=1e-12) if isinstance(expected, float) else expected
            )
        if one.kind == "numeric":
            edges = next(item.edges for item in bins if item.field.name == one.feature)
            for name in ("p05", "p50", "p95"):
                # in the bin of the exact one, or at its edge
                low, high = np.sort([getattr(one, name), getattr(other, name)])
                assert sum(low < edge < high for edge in edges) == 0, (one.feature, name)
            assert one.top_value is one.top_share is one.n_values is None
        elif one.feature != "many":
            assert (one.top_value, one.n_values) == (other.top_value, other.n_values)
            assert one.top_share == pytest.approx(other.top_share)


def test_weights_are_summarised_from_the_rows(weighted: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MANY_ROWS", 100)
    with counting(weighted) as read:
        found = features.features_of(weighted, WHOLE, feature="x")
    assert found[0].top_value is not None or read


@pytest.mark.parametrize("name", ["x", "many", "c"])
def test_distributions_of_windows_come_from_parts(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(features, "MANY_ROWS", 100)
    scope = replace(WHOLE, grain="day", versions=("new",))
    with counting(catalog) as read:
        found = features.distribution_of(catalog, scope, name)
    assert _counted(read) == []
    for start in {row.window_start for row in found}:
        rows = [row for row in found if row.window_start == start]
        assert sum(row.share for row in rows) == pytest.approx(1)
        assert {row.n for row in rows} != {0}
    said = {row.bin: row.share for row in found if row.window_start == START}
    if name == "c":
        day = features.distribution_of(
            catalog, replace(scope, end=START + timedelta(days=1), grain="all"), name
        )
        assert said == {row.bin: pytest.approx(row.share) for row in day}


def test_bins_of_very_many_logged_rows_are_of_some_of_them(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = feature_bins(catalog, "new", "predictions")
    monkeypatch.setattr(reference_bins, "MOST_ROWS", 2000)
    some = feature_bins(catalog, "new", "predictions")
    assert some[0].edges != whole[0].edges
    assert np.allclose(some[0].edges, whole[0].edges, atol=0.8)
    # of the reference all rows count
    monkeypatch.setattr(reference_bins, "MOST_ROWS", 10)
    assert feature_bins(catalog, "new")[0].edges == pytest.approx(_edges(catalog))


def _edges(catalog: Catalog) -> tuple[float, ...]:
    first = catalog.reference_versions[0]
    text = f'SELECT "column:x" AS x FROM reference WHERE version = \'{first}\' AND isfinite("column:x") ORDER BY 1'
    x = catalog.engine.query(text).column("x").to_numpy()
    return tuple(x[[-(-k * len(x) // 20) - 1 for k in range(1, 20)]].tolist())
