"""Rows of one unit: what the scan counts, and what it does to p."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates import unit_counts
from analytics.aggregates.reference_bins import feature_bins
from analytics.ask.drift import drift_of
from analytics.drift.few_blocks import FewBlocks
from analytics.scope import Filter, Scope
from tests.drift.histograms import drift_of_arrays
from tests.drift.projects import open_project


def logged(seed: int, units: range, rows: int, weight: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    who = rng.choice(list(units), rows)
    effect = np.random.default_rng(99).normal(size=1000)[who]
    frame = pd.DataFrame({"x": effect + rng.normal(size=rows), "who": [f"u{i}" for i in who]})
    frame.loc[rng.random(rows) < 0.05, "who"] = None
    frame["c"] = np.where(frame.x > 0, "yes", "no")
    if weight:
        frame["w"] = rng.choice([1.0, 4.0], rows)
    return frame


REFERENCE, ROWS = logged(1, range(60), 1500), logged(2, range(40, 90), 700)
KEYS = ('unit = "who"', 'features = ["x", "c"]', 'segments = ["c"]', 'block = "none"')


def pairs_by_hand(left: pd.DataFrame, right: pd.DataFrame) -> tuple[float, float, float]:
    """Alike in the reference, alike in the window, across; over all pairs of rows, known unit or not."""
    a, b = (frame.who.dropna().value_counts() for frame in (left, right))
    across = a.mul(b, fill_value=0).sum() / (len(left) * len(right))
    return (a * (a - 1)).sum() / len(left) ** 2, (b * (b - 1)).sum() / len(right) ** 2, across


@pytest.mark.parametrize("filters", [(), (Filter("segment", "c", "yes"),)])
def test_pairs_are_counted_as_by_hand(tmp_path: Path, filters: tuple[Filter, ...]) -> None:
    catalog = open_project(tmp_path, ROWS, REFERENCE, *KEYS)
    scope = Scope(filters=filters)
    bins = feature_bins(catalog, None)
    reference = unit_counts.reference_units(catalog, scope, bins, None)
    pairs = next(iter(unit_counts.unit_pairs(catalog, scope, [None], None)[0].values()))
    catalog.close()
    left, right = (frame[frame.c == "yes"] if filters else frame for frame in (REFERENCE, ROWS))
    alike, window_alike, across = pairs_by_hand(left, right)
    assert reference is not None
    assert (reference.units, pairs.units) == (left.who.nunique(), right.who.nunique())
    assert (reference.alike, pairs.alike, pairs.across) == pytest.approx((alike, window_alike, across))
    assert reference.sample.field(0).counts.sum() == left.who.notna().sum()
    assert len(reference.sample.blocks) == reference.units


def test_only_a_sample_of_the_units_is_read_by_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_counts, "SAMPLED", 25)
    catalog = open_project(tmp_path, ROWS, REFERENCE, *KEYS)
    found = unit_counts.reference_units(catalog, Scope(), feature_bins(catalog, None), None)
    catalog.close()
    assert found is not None
    assert (found.units, len(found.sample.blocks)) == (60, 25)


def test_units_decide_where_their_rows_are_alike(tmp_path: Path) -> None:
    catalog = open_project(tmp_path, ROWS, REFERENCE, *KEYS)
    by_unit = {row.feature: row for row in drift_of(catalog, Scope())}
    catalog.close()
    folder = tmp_path / "without"
    folder.mkdir()
    plain = open_project(folder, ROWS, REFERENCE, *KEYS[1:])
    by_row = {row.feature: row for row in drift_of(plain, Scope())}
    plain.close()
    for name in ("x", "c"):
        one, other = by_unit[name], by_row[name]
        assert (one.independence, other.independence) == ("units", "rows")
        assert one.p_value is not None
        assert other.p_value is not None
        assert one.p_value > other.p_value
        assert (one.n_effective or 0) < 0.8 * (other.n_effective or 0)
        assert one.total_variation == other.total_variation
        assert (one.total_variation_by_chance or 0) > (other.total_variation_by_chance or 0)


def test_weights_count_pairs_by_what_they_are_worth(tmp_path: Path) -> None:
    reference, rows = logged(3, range(50), 800, weight=True), logged(4, range(50), 500, weight=True)
    catalog = open_project(tmp_path, rows, reference, *KEYS, 'weight = "w"')
    pairs = next(iter(unit_counts.unit_pairs(catalog, Scope(), [None], None)[0].values()))
    catalog.close()
    a, b = (frame.dropna(subset="who").groupby("who").w.sum() for frame in (reference, rows))
    squares = (rows.dropna(subset="who").w ** 2).sum()
    assert pairs.alike == pytest.approx((np.square(b).sum() - squares) / rows.w.sum() ** 2)
    assert pairs.across == pytest.approx(a.mul(b, fill_value=0).sum() / (reference.w.sum() * rows.w.sum()))


def test_rows_of_their_own_units_change_nothing_much() -> None:
    rng = np.random.default_rng(5)
    left, right = rng.normal(size=1000), rng.normal(size=300)
    alone = (np.arange(1000.0), np.arange(1000.0, 1300.0))
    plain, units = drift_of_arrays(left, right), drift_of_arrays(left, right, units=alone)
    assert units.p_value == pytest.approx(plain.p_value, abs=0.05)
    assert units.n_effective == pytest.approx(300)


def test_too_few_units_leave_rows_as_they_are() -> None:
    rng = np.random.default_rng(6)
    left, right = rng.normal(size=900), rng.normal(size=300)
    few = (rng.integers(0, 9, 900).astype(float), rng.integers(0, 9, 300).astype(float))
    assert drift_of_arrays(left, right, units=few) == drift_of_arrays(left, right)


def test_blocks_that_follow_one_another_vary_more_together() -> None:
    rng = np.random.default_rng(7)
    level = np.zeros(200)
    for day in range(1, 200):
        level[day] = 0.7 * level[day - 1] + rng.normal()
    share = 1 / (1 + np.exp(-level / 2))
    hits = rng.binomial(100, share)
    blocks = np.column_stack([hits, 100 - hits]).astype(float)
    first, kept = FewBlocks.of(blocks, ordered=False).follows
    assert first == pytest.approx(0.65, abs=0.12)
    assert kept == pytest.approx(0.7, abs=0.15)
    assert FewBlocks.of(blocks, ordered=False).carry(7) > 2
    mixed = FewBlocks.of(rng.permutation(blocks), ordered=False)
    assert mixed.carry(7) < 1.6
