"""Questions of pages, answered once: results are kept by project, scope and digest of the data."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import streamlit as st

from analytics.errors import AssayError, QueryTimeoutError
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.parts import empty, sampled
from app.parts.answers import Answers
from app.parts.view import View


def ask(view: View, question: str, scope: Scope | None = None, **words: Any) -> Any:
    """The answer of a method of `Workbench`, from memory where nothing has changed.

    Args:
        view: of the page.
        question: the name of the method.
        scope: instead of the view's.
        words: what the method takes besides, by name.

    Raises:
        QueryTimeoutError: it took too long, now or a moment ago.
        AssayError: it cannot be answered.
    """
    return ask_bench(view.bench, question, view.scope if scope is None else scope, **words)


def ask_bench(bench: Workbench, question: str, scope: Scope, **words: Any) -> Any:
    """The same of any project, for pages about several."""
    # by value: scopes and words that say the same are the same question, also of another session
    said = pickle.dumps(sorted(words.items()))
    key = (str(bench.project.file), bench.digest, question, repr(scope), said)
    if sampled.is_sampled(bench, question, scope, words):
        asked = partial(_answer, question=question, scope=scope, words=words)
        answer = sampled.ask_sampled(bench, question, scope, answers(), key, asked)
    else:
        answer = answers().get(key, partial(_answer, bench, question, scope, words))
    if isinstance(answer, QueryTimeoutError):
        raise QueryTimeoutError(str(answer))
    return answer


@contextmanager
def guarded(view: View, key: str) -> Iterator[None]:
    """Turn what a question could not answer into a card at this place; the rest of the page goes on.

    Args:
        view: of the page.
        key: of the card's buttons, its own on the page.
    """
    try:
        with sampled.card():
            yield
    except QueryTimeoutError as error:
        empty.timed_out(view, error, key, forget)
    except AssayError as error:
        empty.failed(error, key)


def forget() -> None:
    """Ask everything anew."""
    answers().clear()


@st.cache_resource(show_spinner=False)
def answers() -> Answers:
    """The answers of this process, shared by all sessions."""
    return Answers()


def _answer(bench: Workbench, question: str, scope: Scope, words: Mapping[str, Any]) -> Any:
    method = getattr(bench, question)
    try:
        return method() if question == "telemetry" else method(scope=scope, **words)
    except QueryTimeoutError as error:
        # kept, too: a page must not run into the same limit at every click
        return error
