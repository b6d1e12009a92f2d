from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from analytics.errors import ScopeError
from analytics.explain.moved import bin_names
from tests.explain.cause_logs import bench_of, logs


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    def change(frame, late):
        hit = (frame["shop"] == "b").to_numpy() & (np.random.default_rng(1).random(len(frame)) < 0.4)
        frame.loc[hit, "size"] = np.nan
        return frame

    opened = bench_of(tmp_path_factory.mktemp("moved"), change)
    yield opened
    opened.close()


def row_of(rows, field):
    return next(row for row in rows if row.field == field)


def test_the_selection_is_left_out_and_its_mark_found(bench):
    rows = bench.moved(bench.scope(start="2024-01-10", end="2024-02-10", where=["shop=b"]))
    assert rows[0].field == "size"
    assert rows[0].bin == "(missing)"
    assert rows[0].share == pytest.approx(0.4, abs=0.05)
    assert rows[0].share_rest == 0
    assert row_of(rows, "shop").status == "undefined"
    assert row_of(rows, "heat").p_adjusted > 0.01
    rows.to_records()


def test_gain_and_chance_add_up_to_what_scikit_learn_says(bench):
    rows = bench.moved(bench.scope(start="2024-01-10", end="2024-02-10", where=["kind=x"]))
    frame = logs()
    inside = frame[(frame["ts"] >= "2024-01-10T00:00Z") & (frame["ts"] < "2024-02-10T00:00Z")]
    expected = mutual_info_score(inside["kind"] == "x", inside["shop"]) / np.log(2)
    found = row_of(rows, "shop")
    assert found.gain + found.by_chance == pytest.approx(max(expected, found.by_chance), abs=1e-9)
    assert found.n == (inside["kind"] == "x").sum()
    assert found.n + found.n_rest == len(inside)


def test_an_outcome_cell_against_the_rest_of_the_same_rows(bench):
    scope = bench.scope(start="2024-01-10", end="2024-02-10", where=["shop=a", "outcome=fp"])
    rows = bench.moved(scope, rest=bench.scope(start="2024-01-10", end="2024-02-10", where=["shop=a"]))
    score = row_of(rows, "score")
    assert score.rank is not None
    assert score.rank <= 3
    assert {row_of(rows, name).status for name in ("label", "decision")} == {"undefined"}
    # all rows are of shop a on both sides
    assert row_of(rows, "shop").status == "undefined"


def test_a_window_without_a_filter_is_compared_with_the_days_before(bench):
    rows = bench.moved(bench.scope(start="2024-02-10", end="2024-02-20"))
    assert "2024-01-13 to 2024-02-10" in rows.notes[0]
    known = [row for row in rows if row.gain is not None and row.role != "unit"]
    assert known
    assert all(0 <= row.ci_low <= row.gain <= row.ci_high for row in known)


def test_both_sides_the_same_rows_is_an_error(bench):
    scope = bench.scope(start="2024-02-10", end="2024-02-20")
    with pytest.raises(ScopeError, match="same rows"):
        bench.moved(scope, rest=scope)


def test_an_empty_selection_says_why(bench):
    rows = bench.moved(bench.scope(start="2024-02-10", end="2024-02-20", where=["heat=[900, 901)"]))
    assert {row.status for row in rows} <= {"no_data", "undefined"}
    assert all(row.gain is None for row in rows)


def test_names_of_bins_are_all_different():
    from analytics.aggregates.cause_bins import numeric_bins
    from analytics.aggregates.reference_bins import Field

    item = numeric_bins(Field("x", "feature", "numeric", "x"), [1.0, 1.0, 2.0, 3.0], 0.0, 4.0, 2.0, 1e-9)
    names = bin_names(item)
    assert len(names) == item.size
    assert len(set(names)) == len(names)
