"""Answers kept with the open logs: so many, and safe for the threads of many sessions."""

from __future__ import annotations

from collections.abc import Iterator
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


class _Busy(dict[object, object]):
    """Another session adds an answer whenever somebody begins to walk through it."""

    def __iter__(self) -> Iterator[object]:
        found = super().__iter__()
        self[object()] = "of another session"
        return found


def test_another_session_may_add_an_answer_while_this_one_makes_room() -> None:
    logs: Any = SimpleNamespace(answered=_Busy())
    for number in range(10):
        remember(logs, number, number, 4)
    assert list(logs.answered.keys()) == [6, 7, 8, 9]
