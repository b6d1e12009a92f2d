"""Which rows are chosen, and what is said of those left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.ask.examples import MOST_EXAMPLES, examples_of
from analytics.errors import ScopeError
from analytics.scope import Filter, Scope

IDS = ('id = "id"',)
LABELLED = (*IDS, 'label = "label"')
DECIDED = (*LABELLED, 'decision = "decision"')


def rows_of(n: int = 60, threshold: float = 0.3) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    score = draw.uniform(size=n)
    return pd.DataFrame({
        "id": [f"r{i}" for i in range(n)],
        "score": score,
        "label": (draw.uniform(size=n) < score).astype(float),
        "decision": (score >= threshold).astype(int),
        "version": draw.choice(["v1", "v2"], n),
        "place": draw.choice(["north", "south"], n),
    })  # fmt: skip


def test_rows_without_label_or_score_are_left_out_and_counted(open_project):
    rows = rows_of()
    rows.loc[:9, "label"] = np.nan
    rows.loc[10, "score"] = np.nan
    rows.loc[11, "score"] = 1.5
    found = examples_of(open_project(rows, "binary", *DECIDED), Scope(), "worst", 100)
    assert len(found) == 48
    assert not {row.id for row in found} & {f"r{i}" for i in range(12)}
    assert found.notes == (
        "2 of 60 rows have no usable score and are left out",
        "10 of 60 rows have a score but no label and are left out",
    )


def test_k_larger_than_the_rows_gives_all_of_them(open_project):
    found = examples_of(open_project(rows_of(3), "binary", *DECIDED), Scope(), "random", 1000)
    assert sorted(row.id for row in found) == ["r0", "r1", "r2"]
    assert [row.rank for row in found] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["worst", "uncertain", "best", "random"])
def test_one_row(open_project, kind):
    found = examples_of(open_project(rows_of(1), "binary", *DECIDED), Scope(), kind, 5)
    assert [(row.rank, row.id) for row in found] == [(1, "r0")]


def test_no_labels_at_all(open_project):
    catalog = open_project(rows_of().drop(columns="label"), "binary", *IDS)
    worst = examples_of(catalog, Scope(), "worst", 5)
    assert len(worst) == 0
    assert worst.notes == (
        "the project declares no labels, so there is no loss; ask for uncertain or random",
    )
    drawn = examples_of(catalog, Scope(), "random", 5)
    assert [row.loss for row in drawn] == [None] * 5


def test_nothing_in_the_window_says_so(open_project):
    catalog = open_project(rows_of(), "binary", *DECIDED, 'segments = ["place"]')
    nowhere = Scope(filters=(Filter("segment", "place", "nowhere"),))
    for kind in ("worst", "uncertain", "random"):
        found = examples_of(catalog, nowhere, kind, 5)
        assert len(found) == 0
        assert found.notes[0] == "no prediction in this window with these filters"


def test_filters_and_versions(open_project):
    rows = rows_of()
    catalog = open_project(rows, "binary", *DECIDED, 'segments = ["place"]', 'version = "version"')
    scope = Scope(versions=("v2",), filters=(Filter("segment", "place", "north"),))
    found = examples_of(catalog, scope, "best", 100)
    kept = rows[(rows["version"] == "v2") & (rows["place"] == "north")]
    assert {row.id for row in found} == set(kept["id"])
    assert {row.version for row in found} == {"v2"}
    with pytest.raises(ScopeError, match='version "v3" is not in the logs; known: '):
        examples_of(catalog, Scope(versions=("v3",)), "best", 5)


@pytest.mark.parametrize(
    "kind, by", [("worst", "label"), ("best", "label"), ("uncertain", "decision"), ("random", "decision")]
)
def test_per_class_gives_k_of_each(open_project, kind, by):
    rows = rows_of()
    catalog = open_project(rows, "binary", *DECIDED)
    found = examples_of(catalog, Scope(), kind, 4, per_class=True)
    assert [(getattr(row, by), row.rank) for row in found] == [
        (name, rank) for name in "01" for rank in (1, 2, 3, 4)
    ]
    for name in (0, 1):
        alone = Scope(filters=(Filter(by, by, str(name)),))
        same = [row.id for row in found if getattr(row, by) == str(name)]
        assert [row.id for row in examples_of(catalog, alone, kind, 4)] == same


def test_per_class_of_several_classes(open_project):
    rows = pd.DataFrame({
        "id": list("abcdef"), "p_a": [0.8, 0.6, 0.1, 0.2, 0.1, 0.2], "p_b": [0.1, 0.2, 0.8, 0.6, 0.1, 0.1],
        "p_c": [0.1, 0.2, 0.1, 0.2, 0.8, 0.7], "label": ["A", "A", "B", "B", "C 'c", None],
    })  # fmt: skip
    found = examples_of(open_project(rows, "multiclass", *LABELLED), Scope(), "worst", 1, per_class=True)
    assert [(row.label, row.id) for row in found] == [("A", "b"), ("B", "d"), ("C 'c", "e")]
    assert found[2].score == 0.8
    assert found[2].reason == "gave its true class C 'c a probability of 0.800: log loss 0.223"


def test_rows_without_decision_are_in_no_class(open_project):
    found = examples_of(open_project(rows_of(), "binary", *LABELLED), Scope(), "random", 5, per_class=True)
    assert len(found) == 0
    assert found.notes == ("60 of 60 rows have no decision and are in no class",)


def test_a_random_draw_is_the_same_every_time_and_looks_random(open_project):
    rows = rows_of(600)
    catalog = open_project(rows, "binary", *DECIDED)
    drawn = examples_of(catalog, Scope(), "random", 200)
    assert [row.id for row in drawn] == [row.id for row in examples_of(catalog, Scope(), "random", 200)]
    assert drawn.notes == ()
    # the first half of the log is drawn from as often as the second: within 4 standard deviations
    early = sum(int(row.id[1:]) < 300 for row in drawn)
    assert abs(early - 100) < 4 * np.sqrt(200 * 0.25 * (400 / 599))
    shuffled = rows.sample(frac=1, random_state=5)
    again = examples_of(open_project(shuffled, "binary", *DECIDED), Scope(), "random", 200)
    assert {row.id for row in again} == {row.id for row in drawn}


def test_without_ids_rows_are_drawn_by_their_place(open_project):
    catalog = open_project(rows_of().drop(columns="id"), "binary")
    found = examples_of(catalog, Scope(), "random", 7)
    assert len({row.row for row in found}) == 7
    assert {(row.id, row.file) for row in found} == {(None, "rows.parquet")}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_columns_belong_to_the_row_in_every_format(open_project, suffix):
    rows = rows_of(500)
    found = examples_of(open_project(rows, "binary", *DECIDED, suffix=suffix), Scope(), "worst", 50)
    logged = rows.set_index("id")
    assert len(found) == 50
    for row in found:
        assert row.columns["id"] == row.id
        assert float(row.columns["score"]) == row.score == pytest.approx(logged.loc[row.id, "score"])
        assert row.columns["place"] == logged.loc[row.id, "place"]


def test_what_a_regression_has_not(open_project):
    rows = pd.DataFrame({"score": [1.0, 2.0], "label": [1.5, 2.0]})
    catalog = open_project(rows, "regression", 'label = "label"')
    with pytest.raises(ScopeError, match="not how sure it is"):
        examples_of(catalog, Scope(), "uncertain", 5)
    with pytest.raises(ScopeError, match="has no classes"):
        examples_of(catalog, Scope(), "worst", 5, per_class=True)


@pytest.mark.parametrize("k", [0, -1, MOST_EXAMPLES + 1])
def test_k_out_of_range_is_refused(open_project, k):
    with pytest.raises(ScopeError, match="must be from 1 to 10,000"):
        examples_of(open_project(rows_of(3), "binary", *DECIDED), Scope(), "random", k)


def test_an_unknown_kind_is_refused(open_project):
    with pytest.raises(ScopeError, match='kind "funny" is not one of: worst, uncertain, best, random'):
        examples_of(open_project(rows_of(3), "binary", *DECIDED), Scope(), "funny", 5)
