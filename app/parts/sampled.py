"""Answers from a sample first, where the exact ones would read many rows: they follow, and take the place."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from analytics.ask.subsets import LEAST_ROWS, Outlook, believable
from analytics.errors import QueryTimeoutError
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.formats import count, plural
from app.parts import words
from app.parts.answers import Answers
from app.parts.exact import AT_ONCE, Exact, Job

PATIENCE_SECONDS = 0.2
"""An exact answer that is here so soon is waited for."""
LOOK_EVERY = 1.0
_SEEN = "_exact_seen"
_AWAITED = "_exact_awaited"
_card: ContextVar[set[Hashable] | None] = ContextVar("card", default=None)


def is_sampled(bench: Workbench, question: str, scope: Scope, said: Mapping[str, Any]) -> bool:
    """Whether a question of a page is answered from a sample first: only where a card can say so."""
    if _card.get() is None:
        return False
    of_rows = said.get("source", "predictions") == "predictions"
    # another window, version or segment to compare with is not among the rows that are held
    return (
        of_rows
        and said.get("against", "reference") == "reference"
        and bench.subsets.is_worth_it(question, scope)
    )


def ask_sampled(
    bench: Workbench,
    question: str,
    scope: Scope,
    answers: Answers,
    key: Hashable,
    answer: Callable[[Workbench], Any],
) -> Any:
    """The exact answer where it is here, else the sample's, with a line that says so; the exact one is on its way.

    Args:
        bench: the open project.
        question: the name of the method.
        scope: of it.
        answers: where answers are kept.
        key: of the exact one.
        answer: asks any of the benches.
    """
    exact = answers.kept(key)
    if exact is not None and not isinstance(exact, QueryTimeoutError):
        return exact
    subsets = bench.subsets
    if subsets.rows(scope) < LEAST_ROWS:
        return answers.get(key, partial(_of_all, bench, scope, answer))
    sampled, seconds = answers.get(("sampled", key), partial(_timed, answer, bench))
    if isinstance(sampled, QueryTimeoutError):
        raise sampled
    outlook = subsets.outlook(question, scope, seconds)
    if exact is not None:
        _say(key, outlook, words.EXACT_STOPPED)
        return sampled
    expected = outlook.seconds
    job = exacts().want(
        session(), key, partial(_exactly, bench, scope, answers, key, answer, expected), expected
    )
    if job.over.wait(PATIENCE_SECONDS) and (found := answers.kept(key)) is not None:
        return found
    if job.error is not None:
        raise job.error
    _say(key, outlook, words.EXACT_IN.format(time=time_words(waiting(job))))
    st.session_state[_AWAITED] = True
    return sampled


def _timed(answer: Callable[[Workbench], Any], bench: Workbench) -> tuple[Any, float]:
    drawn = bench.over(bench.subsets.sample())
    start = time.monotonic()
    return believable(answer(drawn)), time.monotonic() - start


def _exactly(
    bench: Workbench,
    scope: Scope,
    answers: Answers,
    key: Hashable,
    answer: Callable[[Workbench], Any],
    expected: float,
) -> None:
    start = time.monotonic()
    answers.get(key, partial(_of_all, bench, scope, answer))
    bench.subsets.took(expected, time.monotonic() - start)


def _of_all(bench: Workbench, scope: Scope, answer: Callable[[Workbench], Any]) -> Any:
    try:
        rows = bench.subsets.exact(scope)
    except QueryTimeoutError as error:
        return error  # kept, as that of a question is: it would take too long again
    return answer(bench.over(rows))


def waiting(job: Job) -> float:
    """Seconds until a job is done, those before it in the queue included."""
    if job.begun is not None:
        return job.left
    ahead = [one for one in exacts().jobs(session()) if not one.done and one is not job]
    return job.left + sum(one.left for one in ahead) / AT_ONCE


# ------------------------------------------------------------------ what pages show


@contextmanager
def card() -> Iterator[None]:
    """A card of a page: every question that it answers from a sample is said once in it."""
    token = _card.set(set())
    try:
        yield
    finally:
        _card.reset(token)


def _say(key: Hashable, outlook: Outlook, then: str) -> None:
    said = _card.get()
    if said is None or key in said:
        return
    said.add(key)
    share = words.FROM_SAMPLE.format(share=share_words(outlook.share))
    rows = words.OF_SAMPLE.format(rows=plural(outlook.n, "row"))
    st.markdown(f":blue-badge[:material/grain: {share}] {rows} · {then}")


def share_words(share: float) -> str:
    """A share of rows as people say it.

    >>> share_words(0.02), share_words(0.001)
    ('2 %', '0.1 %')
    """
    return f"{100 * share:.6g} %"


def time_words(seconds: float) -> str:
    """A time that is only known roughly.

    >>> time_words(0.4), time_words(7.4), time_words(23), time_words(100)
    ('1 s', '8 s', '25 s', '2 min')
    """
    if seconds > 90:
        return f"{round(seconds / 60)} min"
    step = 1 if seconds <= 10 else 5
    return f"{max(int(-(-seconds // step) * step), 1)} s"


def watch(page: str, bench: Workbench | None, scopes: Callable[[], Scope | None]) -> None:
    """A line below the scope bar that counts exact answers in, and draws the page anew when some are here.

    Args:
        page: its address.
        bench: the project on screen; None for pages about several.
        scopes: gives the scope on screen, cut into its windows.
    """
    scope = scopes() if bench is not None else None
    goes_on = bench is not None and scope is not None and may_be_sampled(bench, scope)
    # windows of another length change what some cards ask, and the others go on waiting
    whole = None if scope is None else replace(scope, grain="all")
    place = "" if bench is None else repr((page, bench.project.file, whole))
    same = st.session_state.get(_SEEN, ("", 0))[0] == place
    exacts().begin(session(), goes_on=goes_on, same=same)
    st.session_state[_AWAITED] = False
    if goes_on:
        if not same:
            st.session_state[_SEEN] = place, 0
        _counted()


def may_be_sampled(bench: Workbench, scope: Scope) -> bool:
    """Whether any question of a page would be answered from a sample first."""
    return any(bench.subsets.is_worth_it(question, scope) for question in ("quality", "segments", "drift"))


@st.fragment(run_every=LOOK_EVERY)
def _counted() -> None:
    if st.session_state[_AWAITED] and not exacts().knows(session()):
        st.rerun()  # the window slept, and what it waits for was stopped: ask for it again
    jobs = exacts().look(session())
    place, before = st.session_state[_SEEN]
    done = sum(job.done for job in jobs)
    if done:
        st.session_state[_SEEN] = place, before + done
        st.rerun()
    if not jobs:
        return
    pending = [job.left for job in jobs]
    left = max(*pending, sum(pending) / AT_ONCE)
    undone = sum(pending) / sum(max(job.expected, job.left) for job in jobs)
    share = (before + len(jobs) * (1 - undone)) / (before + len(jobs))
    all_ = count(before + len(jobs))
    st.progress(
        min(max(share, 0.0), 0.99),
        words.EXACT_COMING.format(done=count(before), all=all_, time=time_words(left)),
    )


def session() -> str:
    """Whose page is drawn."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


@st.cache_resource(show_spinner=False)
def exacts() -> Exact:
    """The exact answers of this process that are on their way."""
    return Exact()
