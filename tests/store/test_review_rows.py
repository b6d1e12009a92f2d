"""Labels of a review and pinned rows: one a person and row, whoever writes how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from analytics.errors import StoreError
from analytics.store import Store
from analytics.store.regression import pin, pinned, unpin
from analytics.store.review import add_label, remove_label, review_labels
from tests.store.test_ledger import HOSTILE


def test_a_label_comes_back(store):
    assert review_labels(store, "Shop") == ()
    at = datetime(2026, 7, 5, 3, tzinfo=UTC)
    kept = add_label(
        store, project="Shop", prediction_id="17", label="1", by="Ana", inclusion_probability=0.25,
        reason="uncertain", note="clear", at=at,
    )  # fmt: skip
    assert review_labels(store, "Shop") == (kept,)
    assert (kept.label, kept.inclusion_probability, kept.labelled_at) == ("1", 0.25, at)
    assert review_labels(store, "Other") == ()


def test_a_second_label_takes_the_place_of_the_first(store):
    first = add_label(
        store,
        project="Shop",
        prediction_id="17",
        label="1",
        by="Ana",
        inclusion_probability=0.1,
        reason="random",
    )
    second = add_label(
        store, project="Shop", prediction_id="17", label=None, by="Ana", inclusion_probability=0.9
    )
    other = add_label(store, project="Shop", prediction_id="17", label="0", by="Bo")
    assert second.id == first.id
    # the chance with which the row was drawn does not change by looking again
    assert (second.label, second.inclusion_probability, second.reason) == (None, 0.1, "random")
    assert review_labels(store, "Shop") == (second, other)
    remove_label(store, project="Shop", prediction_id="17", by="Ana")
    remove_label(store, project="Shop", prediction_id="17", by="Ana")
    assert review_labels(store, "Shop") == (other,)


@pytest.mark.parametrize("chance", [0.0, -0.5, 1.5, float("nan")])
def test_a_chance_is_a_chance(store, chance):
    with pytest.raises(StoreError, match="above 0 and at most 1"):
        add_label(
            store, project="Shop", prediction_id="17", label="1", by="Ana", inclusion_probability=chance
        )


def test_several_people_label_at_once(place):
    def label(number):
        for _ in range(2):
            add_label(
                Store(place), project="Shop", prediction_id=str(number % 6), label="1", by=f"w{number // 6}"
            )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(label, range(24)))
    assert len(review_labels(Store(place), "Shop")) == 24


def test_rows_are_pinned_once(store):
    assert pinned(store, "Shop") == ()
    first = pin(store, project="Shop", name=" hard  ones", by="Ana", prediction_id="17", note="late")
    again = pin(store, project="Shop", name="hard ones", by="Bo", prediction_id="17")
    assert again == first
    second = pin(store, project="Shop", name="hard ones", by="Ana", file="a.parquet", file_row=3)
    other = pin(store, project="Shop", name=HOSTILE[:60], by=HOSTILE, prediction_id=HOSTILE, note=HOSTILE)
    assert pinned(store, "Shop") == (first, second, other)
    assert pinned(store, "Shop", "hard ones") == (first, second)
    unpin(store, project="Other", pinned_id=first.id, by="Ana")
    unpin(store, project="Shop", pinned_id=first.id, by="Ana")
    unpin(store, project="Shop", pinned_id=first.id, by="Ana")
    assert pinned(store, "Shop", "hard ones") == (second,)
    assert pin(store, project="Shop", name="hard ones", by="Bo", prediction_id="17").id > other.id


@pytest.mark.parametrize("said", [{}, {"file": "a"}, {"prediction_id": "1", "file": "a", "file_row": 1}])
def test_a_pinned_row_is_one_row(store, said):
    with pytest.raises(StoreError, match="say which row"):
        pin(store, project="Shop", name="hard", by="Ana", **said)
