"""Questions of pages, answered once: results are kept by project, scope and digest of the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from analytics.errors import AssayError, QueryTimeoutError
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.parts import empty
from app.parts.view import View

KEPT_ANSWERS = 500


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
    file, digest = str(bench.project.file), bench.digest
    answer = _answer(bench, question, scope, tuple(sorted(words.items())), file, digest)
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
        yield
    except QueryTimeoutError as error:
        empty.timed_out(view, error, key, forget)
    except AssayError as error:
        empty.failed(error, key)


def forget() -> None:
    """Ask everything anew."""
    _answer.clear()


@st.cache_resource(max_entries=KEPT_ANSWERS, show_spinner=False, hash_funcs={Scope: repr})
def _answer(
    _bench: Workbench, question: str, scope: Scope, words: tuple[tuple[str, Any], ...], file: str, digest: str
) -> Any:
    del file, digest  # part of the key: another file or other data is another question
    method = getattr(_bench, question)
    try:
        return method() if question == "telemetry" else method(scope=scope, **dict(words))
    except QueryTimeoutError as error:
        # kept, too: a page must not run into the same limit at every click
        return error
