"""Queues of rows to label on both engines: kept whole, handed to several people at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from analytics.errors import StoreError
from analytics.store.queues import HELD, QueueRow, add_queue, next_row, queues, skip_row
from analytics.store.review import add_label

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows_of(n, twice=()):
    return [
        QueueRow(place, f"p{place}", 0.1 * (place % 9 + 1), "random", 2 if place in twice else 1)
        for place in range(1, n + 1)
    ]


@pytest.fixture
def queue(store):
    return add_queue(
        store, project="Flights", name="autumn", version="v1", drawn_by="Ana", candidates=900, content="{}",
        rows=rows_of(4, twice={1}),
    )  # fmt: skip


def label(store, row, by):
    add_label(store, project="Flights", prediction_id=row.prediction_id, label="1", by=by)


def test_a_queue_comes_back_as_it_was_drawn(store, queue):
    assert queues(store, "Flights") == (queue,)
    assert queues(store, "Flights", "autumn")[0].rows == tuple(rows_of(4, twice={1}))
    assert queues(store, "Shop") == ()
    assert queues(store, "Flights", "winter") == ()


def test_a_long_queue_is_kept_whole(store):
    kept = add_queue(
        store, project="Flights", name="long", version=None, drawn_by="Ana", candidates=9_000, content="{}",
        rows=rows_of(1_201),
    )  # fmt: skip
    assert [row.place for row in kept.rows] == list(range(1, 1_202))


def test_a_name_is_taken_once_and_a_token_counts_once(store, queue):
    said = {
        "project": "Flights",
        "name": "autumn",
        "version": None,
        "drawn_by": "Bo",
        "candidates": 1,
        "content": "{}",
    }
    with pytest.raises(StoreError, match='there is a queue "autumn" already'):
        add_queue(store, **said, rows=rows_of(1))
    once = add_queue(store, **{**said, "name": "winter"}, rows=rows_of(1), token="t")
    assert add_queue(store, **{**said, "name": "winter"}, rows=rows_of(1), token="t") == once


def test_two_people_get_different_rows_unless_two_are_wanted(store, queue):
    assert next_row(store, queue, "Ana", at=NOW).place == 1
    assert next_row(store, queue, "Bo", at=NOW).place == 1
    assert next_row(store, queue, "Cy", at=NOW).place == 2
    # asked again before they answered, each has the same row
    assert next_row(store, queue, "Ana", at=NOW).place == 1
    assert next_row(store, queue, "Cy", at=NOW).place == 2
    label(store, queue.rows[0], "Ana")
    assert next_row(store, queue, "Ana", at=NOW).place == 3


def test_a_row_that_was_left_lying_goes_to_somebody_else(store, queue):
    for who in ("Ana", "Bo"):
        next_row(store, queue, who, at=NOW)
    assert next_row(store, queue, "Cy", at=NOW + HELD - timedelta(seconds=1)).place == 2
    assert next_row(store, queue, "Di", at=NOW + HELD + timedelta(seconds=1)).place == 1


def test_a_skipped_row_comes_back_to_others_only(store, queue):
    skip_row(store, queue, next_row(store, queue, "Ana", at=NOW).place, "Ana")
    assert next_row(store, queue, "Ana", at=NOW).place == 2
    assert next_row(store, queue, "Bo", at=NOW).place == 1
    with pytest.raises(StoreError, match="no row 9"):
        skip_row(store, queue, 9, "Ana")


def test_who_cannot_tell_leaves_the_row_to_another(store, queue):
    add_label(store, project="Flights", prediction_id="p2", label=None, by="Ana")
    label(store, queue.rows[0], "Ana")
    assert next_row(store, queue, "Ana", at=NOW).place == 3
    label(store, queue.rows[0], "Bo")
    assert next_row(store, queue, "Bo", at=NOW).place == 2


def test_the_end_of_a_queue(store, queue):
    for row in queue.rows:
        label(store, row, "Ana")
    assert next_row(store, queue, "Ana", at=NOW) is None
    assert next_row(store, queue, "Bo", at=NOW).place == 1
    label(store, queue.rows[0], "Bo")
    assert next_row(store, queue, "Cy", at=NOW) is None


def test_many_at_once_never_label_a_row_too_often(store):
    queue = add_queue(
        store, project="Flights", name="many", version=None, drawn_by="Ana", candidates=99, content="{}",
        rows=rows_of(16, twice={3, 7}),
    )  # fmt: skip

    def work(who):
        found = []
        while (row := next_row(store, queue, who)) is not None:
            label(store, row, who)
            found.append(row.place)
        return found

    with ThreadPoolExecutor(4) as pool:
        done = [place for places in pool.map(work, ["Ana", "Bo", "Cy", "Di"]) for place in places]
    assert sorted(done) == sorted([*range(1, 17), 3, 7])
