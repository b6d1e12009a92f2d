"""Saved views: one a name, for everybody, gone when deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics.errors import StoreError
from analytics.store import Store
from analytics.store.views import remove_view, save_view, saved_views


def test_a_view_comes_back_by_name(store):
    assert saved_views(store) == ()
    second = save_view(store, name=" Night  shift ", page="quality", query="range=24h&by=carrier", by="Ana")
    first = save_view(store, name="Drift of June", page="drift", query="")
    assert saved_views(Store(store.place)) == (first, second)
    assert (second.name, second.page, second.query) == ("Night shift", "quality", "range=24h&by=carrier")


def test_a_name_is_taken_until_it_is_free(store):
    kept = save_view(store, name="Night", page="quality", query="", token="t")
    assert save_view(store, name="Night", page="quality", query="", token="t") == kept
    with pytest.raises(StoreError, match='called "Night" already'):
        save_view(store, name="Night", page="drift", query="")
    remove_view(store, view_id=kept.id, by="Bo")
    remove_view(store, view_id=kept.id)
    assert saved_views(store) == ()
    assert save_view(store, name="Night", page="drift", query="").page == "drift"


def test_two_take_one_name(place):
    def save(page):
        try:
            return save_view(Store(place), name="Night", page=page, query="")
        except StoreError as problem:
            return str(problem)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(save, map(str, range(6))))
    assert sum(not isinstance(each, str) for each in found) == 1
    assert len(saved_views(Store(place))) == 1
