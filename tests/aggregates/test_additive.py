"""Two halves added equal the whole, whatever the halves; what is subtracted is gone; the order of rows is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.aggregates.cells import DecisionCells, read_decision_cells
from analytics.aggregates.moments import RowMoments, read_row_moments
from analytics.aggregates.scores import ScoreHistogram, read_score_histograms
from analytics.ask.aggregates import edges_of
from analytics.measures import binary
from analytics.project import read_project
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows
from tests.ask.projects import BINARY, times, write_project

ROWS = st.integers(min_value=2, max_value=60)


def drawn(seed: int, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n).astype(float)
    return pd.DataFrame(
        {
            "ts": times(n, 6),
            "score": rng.choice([0.0, 0.25, 0.999, 1.0, rng.random()], n),
            "label": np.where(label == 2, np.nan, label),
            "decision": rng.integers(0, 2, n),
            "w": rng.choice([0.5, 1.0, 3.0], n),
            "u": [f"u{i}" for i in rng.integers(0, 5, n)],
            "half": rng.choice(["first", "second"], n),
        }
    )


KEYS = BINARY + 'decision = "decision"\nweight = "w"\nunit = "u"\nsegments = ["half"]\n'


def read(folder, frame, exact=True):
    """All aggregates of the whole and of both halves."""
    write_project(folder, frame, KEYS)
    catalog = Catalog(read_project(folder))
    found = []
    try:
        for segment in (None, "half"):
            rows = scoped_rows(catalog, Scope(), segment=segment)
            moments, _ = read_row_moments(
                catalog, rows, binary.STATISTICS, binary.TOGETHER, slices=segment is not None
            )
            cells, _ = read_decision_cells(catalog, rows, binary.CLASSES)
            scores, _ = read_score_histograms(
                catalog, rows, dict.fromkeys(moments, exact), edges_of(catalog.predictions)
            )
            found.append({key.segment: (moments[key], cells.get(key), scores.get(key)) for key in moments})
    finally:
        catalog.close()
    whole, halves = found
    return whole[None], halves["first"], halves["second"]


def same_moments(one: RowMoments, other: RowMoments, *, units: bool) -> None:
    assert one.n == other.n
    # a loss of about 1e-16 may round to 0 in one order of summing and not in another; flags are 0 or 1
    for name in ("scored", "labelled"):
        assert one.count(name) == other.count(name)
    np.testing.assert_array_equal(one.blocks, other.blocks)
    np.testing.assert_allclose(one.sums, other.sums, atol=1e-9)
    np.testing.assert_allclose(one.products, other.products, atol=1e-9)
    if units:
        np.testing.assert_allclose(one.unit_products, other.unit_products, atol=1e-9)
        flags = [one.names.index(name) for name in ("scored", "labelled")]
        np.testing.assert_array_equal(one.n_units[flags], other.n_units[flags])


def dense(histogram: ScoreHistogram) -> dict[tuple[int, int, float], np.ndarray]:
    found: dict[tuple[int, int, float], np.ndarray] = {}
    for i, (block, label, place) in enumerate(
        zip(histogram.block, histogram.label, histogram.place, strict=True)
    ):
        key = (int(histogram.blocks[block]), int(label), float(histogram.keys[place]))
        found[key] = found.get(key, 0) + histogram.sums[:, i]
    return found


def same_scores(one: ScoreHistogram, other: ScoreHistogram) -> None:
    left, right = dense(one), dense(other)
    assert left.keys() == right.keys()
    for key, sums in left.items():
        np.testing.assert_allclose(sums, right[key], atol=1e-9)


def same_cells(one: DecisionCells, other: DecisionCells) -> None:
    for name in ("counts", "weights", "squares"):
        mine, theirs = (
            {
                int(block): table
                for block, table in zip(cells.blocks, getattr(cells, name), strict=True)
                if np.abs(table).max() > 1e-9
            }
            for cells in (one, other)
        )
        assert mine.keys() == theirs.keys()
        for block, table in mine.items():
            np.testing.assert_allclose(table, theirs[block], atol=1e-9)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), n=ROWS, exact=st.booleans())
def test_halves_add_and_subtract(tmp_path, seed, n, exact):
    frame = drawn(seed, n)
    frame.loc[0, "half"], frame.loc[1, "half"] = "first", "second"
    (moments, cells, scores), first, second = read(tmp_path, frame, exact)
    same_moments(first[0] + second[0], moments, units=False)
    same_scores(first[2] + second[2], scores)
    same_cells(first[1] + second[1], cells)
    # the rest has its units too, known from the slice and the whole
    rest = moments - first[0]
    present = np.isin(rest.blocks, second[0].blocks)
    trimmed = replace(rest, blocks=rest.blocks[present], sums=rest.sums[present])
    assert np.abs(rest.sums[~present]).max(initial=0) < 1e-9
    same_moments(trimmed, second[0], units=True)
    same_scores(scores - first[2], second[2])
    same_cells(cells - first[1], second[1])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31))
def test_the_order_of_rows_is_nothing(tmp_path, seed):
    frame = drawn(seed, 50)
    frame.loc[0, "half"], frame.loc[1, "half"] = "first", "second"
    ordered, *_ = read(tmp_path, frame)
    shuffled, *_ = read(tmp_path, frame.sample(frac=1, random_state=seed % 2**31))
    same_moments(ordered[0], shuffled[0], units=True)
    same_scores(ordered[2], shuffled[2])
    same_cells(ordered[1], shuffled[1])


def test_only_alike_aggregates_add(tmp_path):
    frame = drawn(1, 40)
    (moments, cells, scores), *_ = read(tmp_path, frame)
    (_, _, binned), *_ = read(tmp_path, frame, exact=False)
    with pytest.raises(ValueError, match="do not add"):
        scores + binned
    with pytest.raises(ValueError, match="same classes"):
        cells + replace(cells, classes=("a", "b"))
    other = replace(moments, names=tuple(reversed(moments.names)))
    with pytest.raises(ValueError, match="add"):
        moments + other
    with pytest.raises(ValueError, match="subtract"):
        moments - other


def test_large_cells_are_sparse(tmp_path):
    """A cell of n rows over many days holds n combinations, not days x scores."""
    rng = np.random.default_rng(3)
    n = 3000
    frame = pd.DataFrame(
        {
            "ts": times(n, 300),
            "score": rng.random(n),
            "label": rng.integers(0, 2, n),
            "decision": 1,
            "w": 1.0,
            "u": "u",
        }
    )
    frame["half"] = "first"
    frame.loc[:1500, "half"] = "second"
    (_, _, scores), *_ = read(tmp_path, frame)
    assert scores.sums.shape == (4, n)
    totals = scores.block_totals(np.ones((2, len(scores.keys))))
    np.testing.assert_allclose(totals[1], 10)
