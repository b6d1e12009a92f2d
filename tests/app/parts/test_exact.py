"""Exact answers on their way: one for all who want it, stopped when nobody does."""

from __future__ import annotations

import threading
import time

import pytest

from analytics.engines.stopping import stopping
from analytics.errors import QueryStoppedError, ScopeError
from app.parts import exact as module
from app.parts.exact import Exact, Job


class Work:
    """An answer that takes until it is let go, or stopped."""

    def __init__(self) -> None:
        self.let_go, self.began, self.stopped, self.runs = threading.Event(), threading.Event(), False, 0

    def __call__(self) -> None:
        self.runs += 1
        self.began.set()
        stop = stopping()
        assert stop is not None
        while not self.let_go.wait(0.01):
            if stop.stopped:
                self.stopped = True
                raise QueryStoppedError("stopped")


def _begun(exact: Exact, session: str, key: str, work: Work) -> Job:
    job = exact.want(session, key, work, 5.0)
    assert work.began.wait(10)
    return job


def test_who_wants_the_same_shares_one_job() -> None:
    exact, work = Exact(), Work()
    one = _begun(exact, "anna", "key", work)
    assert exact.want("bert", "key", work, 5.0) is one
    assert not one.done
    assert 1.0 <= one.left <= 5.0
    work.let_go.set()
    assert one.over.wait(10)
    assert work.runs == 1
    assert exact.look("anna") == exact.look("bert") == [one]


def test_a_question_that_changed_is_stopped_unless_somebody_else_wants_it() -> None:
    exact, mine, shared = Exact(), Work(), Work()
    lonely, both = _begun(exact, "anna", "mine", mine), _begun(exact, "anna", "shared", shared)
    exact.want("bert", "shared", shared, 5.0)
    exact.begin("anna", goes_on=True)
    # not before the new page is drawn, which counts what it waits for at its top: it may still ask for the same
    assert exact.look("anna") == [lonely, both]
    again = exact.want("anna", "other", Work(), 5.0)
    assert not lonely.stop.stopped
    assert exact.look("anna") == [again]
    assert lonely.over.wait(10)
    assert mine.stopped
    assert not both.stop.stopped
    exact.begin("bert", goes_on=False)
    assert both.over.wait(10)
    assert shared.stopped
    # asked for anew, it is computed anew
    fresh = Work()
    fresh.let_go.set()
    assert exact.want("bert", "shared", fresh, 5.0).over.wait(10)
    assert fresh.runs == 1


def test_a_page_that_asks_again_keeps_its_job() -> None:
    exact, work = Exact(), Work()
    job = _begun(exact, "anna", "key", work)
    for _ in range(2):
        exact.begin("anna", goes_on=True)
        assert exact.look("anna") == [job]
        assert exact.want("anna", "key", work, 5.0) is job
        assert exact.look("anna") == [job]
    assert not job.stop.stopped
    work.let_go.set()
    assert job.over.wait(10)
    assert exact.look("anna") == [job]
    # its answer is kept by now, and no page asks for it again
    exact.begin("anna", goes_on=True)
    assert exact.look("anna") == exact.look("anna") == []


def test_another_page_or_scope_stops_at_once_what_the_one_before_wanted() -> None:
    exact, work = Exact(), Work()
    job = _begun(exact, "anna", "key", work)
    exact.begin("anna", goes_on=True, same=False)
    assert job.over.wait(10)
    assert work.stopped
    assert exact.look("anna") == []


def test_what_failed_is_told_once_and_not_tried_again_at_every_drawing(monkeypatch) -> None:
    tries, drawn = [], threading.Event()

    def fails() -> None:
        tries.append(1)
        assert drawn.wait(10)
        raise ScopeError("no such thing")

    exact = Exact()
    job = exact.want("anna", "key", fails, 5.0)
    drawn.set()
    assert job.over.wait(10)
    assert exact.look("anna") == [job]  # the page is drawn anew for it
    for _ in range(3):
        exact.begin("anna", goes_on=True)
        assert exact.look("anna") == []
        assert exact.want("anna", "key", fails, 5.0) is job
        assert exact.look("anna") == []
    assert isinstance(job.error, ScopeError)
    assert len(tries) == 1
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)
    exact.begin("anna", goes_on=True)
    assert exact.want("anna", "key", fails, 5.0).over.wait(10)
    assert len(tries) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_breaks_has_an_error_instead_of_being_awaited_for_ever() -> None:
    exact = Exact()
    job = exact.want("anna", "key", lambda: {}["nothing"], 5.0)
    assert job.over.wait(10)
    assert "log of the server" in str(job.error)


def test_a_closed_window_wants_nothing(monkeypatch) -> None:
    monkeypatch.setattr(module, "GONE_SECONDS", 0.2)
    monkeypatch.setattr(module, "_SWEEP_SECONDS", 0.05)
    exact, work = Exact(), Work()
    job = _begun(exact, "anna", "key", work)
    assert job.over.wait(10)
    assert work.stopped


def test_who_waited_and_slept_is_not_known_any_more(monkeypatch) -> None:
    monkeypatch.setattr(module, "GONE_SECONDS", 0.2)
    monkeypatch.setattr(module, "_SWEEP_SECONDS", 0.05)
    exact, work = Exact(), Work()
    assert not exact.knows("anna")
    job = _begun(exact, "anna", "key", work)
    assert exact.knows("anna")
    assert job.over.wait(10)
    assert not exact.knows("anna")
    exact.want("anna", "key", Work(), 5.0)
    assert exact.knows("anna")


def test_errors_are_told_and_those_who_wait_for_a_turn_are_counted() -> None:
    def fails() -> None:
        raise ScopeError("no such thing")

    exact, work = Exact(at_once=1), Work()
    first = _begun(exact, "anna", "first", work)
    second = exact.want("anna", "second", fails, 7.0)
    time.sleep(0.05)
    assert second.begun is None
    assert second.left == pytest.approx(7.0)
    work.let_go.set()
    assert second.over.wait(10)
    assert first.done
    assert isinstance(second.error, ScopeError)
