"""Answers kept with the open logs: so many, and safe for the threads of many sessions."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

from analytics.ask.kept import KEPT, kept, remember


def _logs() -> Any:
    return SimpleNamespace(answered={})


def test_the_oldest_go_and_what_is_kept_is_not_asked_again() -> None:
    logs, asked = _logs(), []
    for key in range(KEPT + 5):
        kept(logs, key, str, lambda key=key: asked.append(key) or str(key))
    assert len(logs.answered) == KEPT
    assert min(logs.answered) == 5
    assert kept(logs, KEPT, str, lambda: "asked again") == str(KEPT)


def test_sessions_that_keep_answers_at_once_do_not_fail() -> None:
    logs, problems = _logs(), []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def many(first: int) -> None:
        try:
            for number in range(3_000):
                remember(logs, (first, number), number, 4)
        except RuntimeError as problem:  # "dictionary changed size during iteration"
            problems.append(problem)

    try:
        threads = [threading.Thread(target=many, args=(first,)) for first in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not problems
    assert len(logs.answered) <= 4 + len(threads)
