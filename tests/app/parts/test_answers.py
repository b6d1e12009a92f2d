"""Answers are computed once, shared, and bounded by bytes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from analytics.ask.sizes import bytes_of
from analytics.errors import QueryStoppedError, ScopeError
from app.parts.answers import Answers


def test_thirty_who_ask_the_same_at_once_cost_one_computation() -> None:
    answers, computed, together = Answers(), [], threading.Barrier(30)

    def ask() -> object:
        computed.append(1)
        time.sleep(0.1)
        return object()

    def one(_: int) -> object:
        together.wait(10)
        return answers.get("key", ask)

    with ThreadPoolExecutor(30) as pool:
        found = set(pool.map(one, range(30)))
    assert len(found) == 1
    assert computed == [1]
    assert answers.get("key", ask) in found
    assert answers.get("other", ask) not in found


def test_a_question_that_cannot_be_answered_is_asked_again_later() -> None:
    answers, asked = Answers(), []

    def ask() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise ScopeError("no such segment")
        return "answer"

    with pytest.raises(ScopeError):
        answers.get("key", ask)
    assert answers.get("key", ask) == "answer"


@pytest.mark.parametrize("end", [SystemExit, QueryStoppedError])
def test_who_waits_for_somebody_that_is_stopped_computes_it(end) -> None:
    answers, began, stopped = Answers(), threading.Event(), threading.Event()

    def stop() -> str:
        began.set()
        stopped.wait(10)
        raise end

    def first() -> None:
        with pytest.raises(end):
            answers.get("key", stop)

    with ThreadPoolExecutor(2) as pool:
        gone = pool.submit(first)
        assert began.wait(10)
        waits = pool.submit(answers.get, "key", lambda: "answer")
        stopped.set()
        gone.result(10)
        assert waits.result(10) == "answer"


def test_memory_is_bounded_by_bytes_and_the_one_not_asked_for_goes() -> None:
    answers = Answers(most_bytes=2_500_000)
    for key in "abc":
        answers.get(key, lambda: np.zeros(100_000) + 1)
        answers.get("a", lambda: np.zeros(100_000) + 1)
    assert answers.n_bytes <= 2_500_000
    assert answers.get("a", lambda: None) is not None
    assert answers.get("c", lambda: None) is not None
    for key in range(20):
        answers.get(key, lambda: np.zeros(100_000) + 1)
        assert answers.n_bytes <= 2_500_000
    assert answers.get("a", lambda: None) is None
    assert answers.get("too large", lambda: np.zeros(10_000_000) + 1) is not None
    assert answers.get("too large", lambda: None) is None


def test_bytes_of_nested_values_are_those_of_what_they_hold() -> None:
    rows = [{"name": f"row {i}", "values": np.zeros(1000) + i} for i in range(500)]
    assert 4_000_000 < bytes_of(rows) < 6_000_000
    assert bytes_of(rows[:1]) < 12_000
    mine: list[object] = []
    mine.append(mine)
    assert bytes_of(mine) < 10_000


def test_an_answer_that_came_from_aside_meanwhile_is_counted_once() -> None:
    answers = Answers()

    def ask() -> str:
        assert answers.put("key", "from aside")
        return "own"

    assert answers.get("key", ask) == "own"
    assert answers.n_bytes == bytes_of("own")
    assert answers.items() == [("key", "own")]
