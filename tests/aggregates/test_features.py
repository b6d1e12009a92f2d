"""The reference's bins, and counts on them, against numpy and pandas on the rows."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.features import CellHistogram, FeatureHistograms, feature_histograms
from analytics.aggregates.reference_bins import (
    LISTED,
    ReferenceBins,
    feature_bins,
    reference_version_of,
    watched_fields,
)
from analytics.errors import ProjectError
from analytics.project import read_project
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from tests.drift.projects import open_project

EVERYTHING = Scope()
RNG = np.random.default_rng(20)


def order_statistics(x: np.ndarray, k: range) -> tuple[float, ...]:
    """Of rank ceil(k n / 20), in whole numbers: numpy's inverted_cdf takes the 56th of 100 for 0.55."""
    return tuple(np.sort(x)[[-(-i * len(x) // 20) - 1 for i in k]].tolist())


def bins_of(catalog: Catalog, name: str, version: str | None = None) -> ReferenceBins:
    return next(item for item in feature_bins(catalog, version) if item.field.name == name)


def counts_of(
    catalog: Catalog, name: str, scope: Scope = EVERYTHING, source: str = "predictions"
) -> dict[str, float]:
    bins = feature_bins(catalog, None)
    index = next(i for i, item in enumerate(bins) if item.field.name == name)
    cells = feature_histograms(catalog, scope, bins, [None], source).cells  # type: ignore[arg-type]
    total = cells[next(iter(cells))].field(index).counts.sum(axis=0)
    return dict(zip(bins[index].names, total.tolist(), strict=True))


def test_edges_are_the_reference_order_statistics(tmp_path: Path) -> None:
    x = RNG.lognormal(size=173)
    catalog = open_project(tmp_path, pd.DataFrame({"x": x}), pd.DataFrame({"x": x}))
    item = bins_of(catalog, "x")
    assert item.edges == order_statistics(x, range(1, 20))
    assert [item.edges[i] for i in np.flatnonzero(item.coarse)] == list(order_statistics(x, range(2, 20, 2)))


@pytest.mark.parametrize("n", [1, 7, 20, 21, 40, 399, 400, 401])
def test_equal_quantiles_are_merged_and_kept_for_psi_where_one_of_them_is_second(
    tmp_path: Path, n: int
) -> None:
    x = RNG.integers(0, max(2, n // 3), n).astype(float)
    catalog = open_project(tmp_path, pd.DataFrame({"x": x}), pd.DataFrame({"x": x}))
    item = bins_of(catalog, "x")
    values, counts = np.unique(x, return_counts=True)
    heavy = set(values[counts * 20 >= n])
    after = {math.nextafter(value, math.inf) for value in heavy}
    quantiles = set(order_statistics(x, range(1, 20)))
    second = set(order_statistics(x, range(2, 20, 2)))
    assert set(item.edges) == quantiles | heavy | after
    assert {item.edges[i] for i in np.flatnonzero(item.coarse)} == second | heavy | after
    assert list(item.edges) == sorted(item.edges)


def test_a_heavy_value_is_a_bin_of_its_own(tmp_path: Path) -> None:
    x = np.concatenate([np.zeros(50), RNG.uniform(1, 2, 50)])
    catalog = open_project(tmp_path, pd.DataFrame({"x": x}), pd.DataFrame({"x": x}))
    item = bins_of(catalog, "x")
    assert item.names[:2] == ("(-inf, 0)", "0")
    assert item.limits[1] == (0.0, 0.0)
    assert counts_of(catalog, "x")["0"] == 50


def test_counts_equal_numpy_with_missing_and_infinite_values_apart(tmp_path: Path) -> None:
    x = RNG.normal(size=500)
    y = RNG.normal(0.3, 2, size=300)
    y[:7], y[7:10], y[10:12] = np.nan, np.inf, -np.inf
    catalog = open_project(tmp_path, pd.DataFrame({"x": y}), pd.DataFrame({"x": x}))
    item = bins_of(catalog, "x")
    expected = np.histogram(y[12:], np.array([-1e300, *item.edges, 1e300]))[0]
    found = counts_of(catalog, "x")
    assert list(found.values()) == [*expected, 7, 3, 2]


def test_sums_beyond_the_outer_edges(tmp_path: Path) -> None:
    x, y = RNG.normal(size=400), RNG.normal(size=200) * 5
    y[0] = np.inf
    catalog = open_project(tmp_path, pd.DataFrame({"x": y}), pd.DataFrame({"x": x}))
    bins = feature_bins(catalog, None)
    cell = next(iter(feature_histograms(catalog, Scope(), bins, [None]).cells.values()))
    low, high = bins[0].edges[0], bins[0].edges[-1]
    assert cell.field(0).below.sum() == pytest.approx(np.maximum(low - y[1:], 0).sum())
    assert cell.field(0).above.sum() == pytest.approx(np.maximum(y[1:] - high, 0).sum())


def test_the_largest_double_and_tiny_numbers_are_binned(tmp_path: Path) -> None:
    big = float(np.finfo(float).max)
    x = np.array([5e-324] * 10 + [0.0] * 10 + [big] * 10 + [-big] * 10)
    catalog = open_project(tmp_path, pd.DataFrame({"x": x}), pd.DataFrame({"x": x}))
    found = counts_of(catalog, "x")
    assert sorted(value for value in found.values() if value) == [10, 10, 10, 10]
    assert found["inf"] == found["-inf"] == 0


def test_categories_by_name_missing_and_unseen(tmp_path: Path) -> None:
    reference = pd.DataFrame({"c": ["a"] * 5 + ["b'; DROP"] * 3 + [None] * 2, "flag": [True] * 9 + [None]})
    rows = pd.DataFrame(
        {"c": ["a", "b'; DROP", "b'; DROP", "new", "", None], "flag": [True, False, False, None, None, True]}
    )
    catalog = open_project(tmp_path, rows, reference)
    assert counts_of(catalog, "c") == {"a": 1, "b'; DROP": 2, "(missing)": 2, "(unseen)": 1}
    assert counts_of(catalog, "flag") == {"true": 2, "(missing)": 2, "(unseen)": 2}
    assert counts_of(catalog, "c", source="reference") == {
        "a": 5,
        "b'; DROP": 3,
        "(missing)": 2,
        "(unseen)": 0,
    }


def test_many_categories_are_pooled_but_unseen_ones_are_counted_exactly(tmp_path: Path) -> None:
    names = np.array([f"k{i}" for i in range(LISTED + 300)])
    reference = pd.DataFrame({"c": np.concatenate([np.repeat(names[:LISTED], 3), names[LISTED:]])})
    rows = pd.DataFrame({"c": [*names, "never seen", "never seen either", None]})
    catalog = open_project(tmp_path, rows, reference)
    found = counts_of(catalog, "c")
    assert set(found) == {*names[:LISTED], "(other)", "(missing)", "(unseen)"}
    assert (found["(other)"], found["(missing)"], found["(unseen)"]) == (300, 1, 2)
    assert all(found[name] == 1 for name in names[:LISTED])


def test_lone_values_of_the_pooled_ones_are_counted_in_the_reference(tmp_path: Path) -> None:
    names = np.array([f"k{i}" for i in range(LISTED)])
    twice, once = ["t1", "t2"], ["o1", "o2", "o3"]
    reference = pd.DataFrame({"c": [*np.repeat(names, 3), *twice, *once, *twice]})
    reference["ts"] = pd.Timestamp("2024-02-01", tz="UTC")
    reference.loc[reference.index[-1], "ts"] += pd.Timedelta("1D")  # t2 lives in two blocks, t1 in one
    catalog = open_project(tmp_path, reference, reference)
    bins = feature_bins(catalog, None)
    cell = next(iter(feature_histograms(catalog, Scope(), bins, [None], "reference").cells.values()))
    counts = cell.field(0)
    assert (counts.once.sum(), counts.twice.sum()) == (3, 4)
    assert (counts.in_one_block.sum(), counts.in_two_blocks.sum()) == (5, 2)
    assert bins[0].rows == (3,) * LISTED
    assert bins[0].blocks == (1,) * LISTED


def test_windows_blocks_and_filters(tmp_path: Path) -> None:
    n = 4000
    ts = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(
        np.sort(RNG.uniform(0, 21 * 86400, n)), unit="s"
    )
    rows = pd.DataFrame({"ts": ts, "x": RNG.normal(size=n), "c": RNG.choice(["a", "b"], n)})
    catalog = open_project(tmp_path, rows, rows, 'segments = ["c"]')
    bins = feature_bins(catalog, None)
    scope = Scope(
        datetime(2024, 3, 4, tzinfo=UTC),
        datetime(2024, 3, 18, tzinfo=UTC),
        "week",
        filters=(Filter("segment", "c", "a"),),
    )
    cells = feature_histograms(catalog, scope, bins, [None]).cells
    chosen = rows[(rows.c == "a") & (rows.ts >= scope.start) & (rows.ts < scope.end)]
    per_day = chosen.groupby([chosen.ts.dt.date]).size()
    assert len(cells) == 2
    found = np.concatenate([cells[key].field(0).rows for key in sorted(cells)])
    assert found.tolist() == per_day.tolist()
    for cell in cells.values():
        assert (cell.field(0).counts.sum(axis=1) == cell.field(0).rows).all()
        assert np.all(np.diff(cell.blocks) == timedelta(days=1) / timedelta(microseconds=1))


def test_two_halves_added_equal_the_whole(tmp_path: Path) -> None:
    n = 900
    rows = pd.DataFrame({"x": RNG.normal(size=n), "c": RNG.choice(list("abc"), n), "w": RNG.uniform(1, 3, n)})
    catalog = open_project(tmp_path, rows, rows.iloc[::-1], 'weight = "w"')
    bins = feature_bins(catalog, None)
    start = datetime(2024, 3, 1, tzinfo=UTC)

    def part(first: int, last: int) -> FeatureHistograms:
        scope = Scope(start + timedelta(minutes=first), start + timedelta(minutes=last))
        return feature_histograms(catalog, scope, bins, [None])

    whole, added = part(0, n), part(0, 333) + part(333, n)
    assert whole.cells.keys() == added.cells.keys()
    for key, cell in whole.cells.items():
        np.testing.assert_array_equal(cell.blocks, added.cells[key].blocks)
        np.testing.assert_allclose(cell.values, added.cells[key].values, rtol=1e-12)


def test_histograms_on_other_bins_do_not_add(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": RNG.normal(size=50)})
    bins = feature_bins(open_project(tmp_path, rows, rows), None)
    other = tuple(replace(item, version="v2") for item in bins)
    with pytest.raises(ValueError, match="different bins"):
        CellHistogram.empty(bins) + CellHistogram.empty(other)


def test_weights_are_summed_and_rows_without_a_usable_one_left_out(tmp_path: Path) -> None:
    rows = pd.DataFrame({"c": ["a", "a", "b", "b", "new"], "w": [1.5, 2.0, np.nan, 4.0, 0.25]})
    reference = pd.DataFrame({"c": ["a", "b"], "w": [1.0, 1.0]})
    catalog = open_project(tmp_path, rows, reference, 'weight = "w"')
    bins = feature_bins(catalog, None)
    counts = next(iter(feature_histograms(catalog, Scope(), bins, [None]).cells.values())).field(0)
    assert counts.counts.sum(axis=0).tolist() == [3.5, 4.0, 0.0, 0.25]
    assert counts.rows.sum() == 4
    assert counts.squares.sum() == pytest.approx(1.5**2 + 2**2 + 4**2 + 0.25**2)


def test_failed_requests_without_a_score_take_no_part(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"c": list("aaab"), "status": ["ok", "error", "error", "ok"], "score": [0.1, None, 0.3, None]}
    )
    catalog = open_project(tmp_path, rows, rows, 'status = "status"', 'ok_status = ["ok"]')
    assert counts_of(catalog, "c") == {"a": 2, "b": 1, "(missing)": 0, "(unseen)": 0}
    assert counts_of(catalog, "score")["(missing)"] == 1


def test_labels_count_labelled_rows_only(tmp_path: Path) -> None:
    rows = pd.DataFrame({"c": list("aaab"), "y": [1, 0, None, 1]})
    catalog = open_project(tmp_path, rows, rows, 'label = "y"')
    assert counts_of(catalog, "label") == {"1": 2, "0": 1, "(missing)": 0, "(unseen)": 0}


def test_what_is_watched(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": [1.0], "c": ["a"], "p_a": [0.2], "p_b": [0.8], "y": ["A"]})
    catalog = open_project(tmp_path, rows, rows, 'label = "y"', task="multiclass")
    assert [(field.name, field.role, field.kind) for field in watched_fields(catalog)] == [
        ("x", "feature", "numeric"),
        ("c", "feature", "categorical"),
        ("score:A", "score", "numeric"),
        ("score:B", "score", "numeric"),
        ("decision", "decision", "categorical"),
        ("label", "label", "categorical"),
    ]
    assert counts_of(catalog, "decision") == {"B": 1, "(missing)": 0, "(unseen)": 0}


def test_a_version_without_reference_rows_uses_the_first_version_of_the_reference(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": RNG.normal(size=300), "v": ["old", "new", "newer"] * 100})
    rows.loc[rows.v == "new", "x"] += 3
    reference = rows[rows.v != "newer"].reset_index(drop=True)
    catalog = open_project(tmp_path, rows, reference, 'version = "v"')
    assert reference_version_of(catalog, "new") == "new"
    assert reference_version_of(catalog, "newer") == "old"
    for version in ("old", "new"):
        own = reference.x[reference.v == version].to_numpy()
        assert bins_of(catalog, "x", version).edges == order_statistics(own, range(1, 20))


@pytest.mark.parametrize("shift, shared", [(0.0, True), (0.5, False)])
def test_versions_that_are_much_alike_share_the_edges_of_the_first(
    tmp_path: Path, shift: float, shared: bool
) -> None:
    own = {"old": RNG.normal(0, 1, 4000), "new": RNG.normal(shift, 1, 8000)}
    rows = pd.DataFrame({
        "x": np.concatenate(list(own.values())),
        "v": np.repeat(list(own), [len(x) for x in own.values()]),
    })  # fmt: skip
    catalog = open_project(tmp_path, rows, rows, 'version = "v"')
    first = catalog.reference_versions[0]
    for version, x in own.items():
        bins = feature_bins(catalog, version)
        edges = bins[0].edges
        assert bins[0].shared is shared
        assert edges == order_statistics(own[first] if shared else x, range(1, 20))
        found = feature_histograms(catalog, Scope(), bins, [version])
        assert [key[1] for key in found] == [version]
        counts = next(iter(found.cells.values())).field(0).counts.sum(axis=0)
        expected = np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1)
        assert counts[: len(edges) + 1].tolist() == expected.tolist()


def test_a_heavy_value_of_one_version_is_a_bin_of_its_own_for_it(tmp_path: Path) -> None:
    x = np.concatenate([np.zeros(80), RNG.normal(size=920), RNG.normal(size=4000)])
    rows = pd.DataFrame({"x": x, "v": ["old"] * 1000 + ["new"] * 4000})
    catalog = open_project(tmp_path, rows, rows, 'version = "v"')
    assert {0.0, math.nextafter(0.0, math.inf)} <= set(bins_of(catalog, "x", "old").edges)


def test_values_that_only_another_version_of_the_reference_had_are_unseen(tmp_path: Path) -> None:
    reference = pd.DataFrame({"c": list("aabb") + list("bbbc"), "v": ["old"] * 4 + ["new"] * 4})
    rows = pd.DataFrame({"c": list("abcd") * 2, "v": ["old"] * 4 + ["new"] * 4})
    catalog = open_project(tmp_path, rows, reference, 'version = "v"')
    old, new = (bins_of(catalog, "c", version) for version in ("old", "new"))
    assert (old.categories, old.rows) == (("a", "b"), (2, 2))
    assert (new.categories, new.rows) == (("b", "c"), (3, 1))
    for version, expected in (("old", [1, 1, 0, 2]), ("new", [1, 1, 0, 2])):
        found = feature_histograms(catalog, Scope(), feature_bins(catalog, version), [version])
        assert next(iter(found.cells.values())).field(0).counts.sum(axis=0).tolist() == expected


def test_a_feature_the_reference_does_not_log_is_absent(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": RNG.normal(size=30), "late": RNG.normal(size=30)})
    catalog = open_project(tmp_path, rows, rows[["x"]])
    assert bins_of(catalog, "late").absent
    assert not bins_of(catalog, "x").absent


def test_no_reference_is_one_clear_line(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": RNG.normal(size=30)})
    open_project(tmp_path, rows, rows).close()
    file = tmp_path / "assay.toml"
    file.write_text(file.read_text().replace('[reference]\npath = "reference.parquet"', ""))
    catalog = Catalog(read_project(file))
    with pytest.raises(ProjectError, match=r"drift compares with a \[reference\], and there is none"):
        reference_version_of(catalog, None)
