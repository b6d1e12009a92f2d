"""Pages over many rows answer from a sample first, say so on the card, and show the exact answer when it is here."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from analytics.ask import subsets as module
from analytics.ask.subsets import Subsets
from analytics.errors import QueryTimeoutError
from analytics.telemetry import facts
from analytics.workbench import Workbench
from app.parts import sampled
from app.parts.ask import ask_bench, forget
from app.parts.sampled import exacts
from tests.ask.projects import BINARY, START, values, write_project

ROWS = 6000


@pytest.fixture
def project(monkeypatch, tmp_path):
    monkeypatch.setattr(facts, "LARGE_BYTES", 1000)
    monkeypatch.setattr(module, "LARGE_ROWS", 1000)
    monkeypatch.setattr(module, "DRAWN", 3000)
    rng = np.random.default_rng(7)
    score = rng.random(ROWS)
    frame = pd.DataFrame(
        {
            "ts": START + pd.to_timedelta(np.arange(ROWS) * 300, unit="s"),
            "id": [f"i{k}" for k in range(ROWS)],
            "score": score,
            "label": (rng.random(ROWS) < score).astype(int),
            "place": rng.choice(["a", "b"], ROWS),
            "kind": rng.choice(["x", "y", "z"], ROWS, p=[0.5, 0.49, 0.01]),
        }
    )
    words = BINARY + 'id = "id"\nthreshold = 0.5\nsegments = ["place", "kind"]\nfeatures = ["place"]\n'
    write_project(tmp_path / "large", frame, words).close()
    forget()
    yield tmp_path / "large"
    forget()


@pytest.fixture
def held_back(monkeypatch):
    """The exact answer does not come before it is let go."""
    let_go, exact = threading.Event(), Subsets.exact

    def late(subsets, scope):
        assert let_go.wait(60)
        return exact(subsets, scope)

    monkeypatch.setattr(Subsets, "exact", late)
    yield let_go
    let_go.set()


TWO = {"where": ["place=a", "kind=x"], "range": "all"}


def _said(page) -> list[str]:
    return [one.value for one in page.markdown if "of the rows" in one.value]


def test_a_page_says_that_it_is_from_a_sample_and_then_is_exact(open_page, project, held_back) -> None:
    page = open_page("quality", project, **TWO)
    said = _said(page)
    assert len(said) >= 3  # the first line, the tiles and every card of a chart
    assert all("from 50 % of the rows" in one and "exact in about" in one for one in said)
    bench = Workbench(project)
    exact = values(bench.quality(bench.scope(where=TWO["where"])))["log_loss"]
    tile = next(one for one in page.metric if one.label == "Log loss")
    drawn = values(bench.over(bench.subsets.sample()).quality(bench.scope(where=TWO["where"])))["log_loss"]
    assert tile.value == f"{drawn.value:.3f}"
    assert drawn.n < 0.6 * exact.n
    assert drawn.ci_low <= exact.value <= drawn.ci_high
    under_way = dict(exacts()._jobs)
    assert under_way
    page.run()  # nothing that is under way begins anew because somebody clicked
    assert {key: exacts()._jobs.get(key) for key in under_way} == under_way
    held_back.set()
    for job in list(exacts()._jobs.values()):
        assert job.over.wait(60)
    page.run()
    assert not page.exception
    for _ in range(20):
        for job in list(exacts()._jobs.values()):
            assert job.over.wait(60)
        page.run()
        if not _said(page):
            break
    assert not _said(page)
    assert next(one for one in page.metric if one.label == "Log loss").value == f"{exact.value:.3f}"


def test_hours_of_stored_days_come_from_a_sample_until_they_are_exact(open_page, project, held_back) -> None:
    Workbench(project).aggregate()
    page = open_page("quality", project, range="all", grain="day")
    assert not _said(page)
    page = open_page("quality", project, range="all", grain="hour")
    assert "exact in about" in _said(page)[0]
    # what is not cut into hours is there
    assert 0 < len(_said(page)) < len(_said(open_page("quality", project, **TWO)))
    held_back.set()
    for _ in range(20):
        for job in list(exacts()._jobs.values()):
            assert job.over.wait(60)
        page.run()
        if not _said(page):
            break
    assert not _said(page)


class _DrawnAnewError(Exception):
    """Stands for a page that begins again."""


def test_a_window_that_slept_asks_again(open_page, project, held_back, monkeypatch) -> None:
    page = open_page("quality", project, **TWO)
    assert _said(page)
    known = exacts()
    (session,) = {name for job in known._jobs.values() for name in job.claims}

    def again() -> None:
        raise _DrawnAnewError

    # what Streamlit calls every second while the window is open
    monkeypatch.setattr(sampled, "session", lambda: session)
    monkeypatch.setattr(sampled.st, "session_state", page.session_state)
    monkeypatch.setattr(sampled.st, "rerun", again)
    look = sampled._counted.__wrapped__
    look()
    known._sessions.pop(session)
    with pytest.raises(_DrawnAnewError):
        look()
    page.session_state[sampled._AWAITED] = False  # drawn without a line that says when the exact answer comes
    look()
    held_back.set()
    for job in list(known._jobs.values()):
        assert job.over.wait(60)


def test_exact_answers_that_take_too_long_are_tried_once(open_page, project, monkeypatch) -> None:
    tries = []

    def late(subsets, scope):
        tries.append(scope)
        raise QueryTimeoutError("the query was stopped after 60 s")

    monkeypatch.setattr(Subsets, "exact", late)
    page = open_page("quality", project, **TWO)
    known = -1
    for _ in range(20):
        for job in list(exacts()._jobs.values()):
            assert job.over.wait(60)
        if known == len(tries):
            break  # a run asked for nothing anew; how many ask for something depends on who was quicker
        known = len(tries)
        page.run()
    assert not page.exception
    assert len(tries) == known > 0
    assert _said(page)
    assert all("took too long and was stopped" in one for one in _said(page))


def test_other_callers_and_few_rows_are_answered_exactly(open_page, project) -> None:
    bench = Workbench(project)
    scope = bench.scope(where=TWO["where"])
    assert bench.subsets.is_worth_it("quality", scope)
    # nobody could say on which card a sample answers: exact
    assert ask_bench(bench, "quality", scope).to_records() == bench.quality(scope).to_records()
    # three rows in a hundred pass: a sample of them says too little
    page = open_page("quality", project, where=["place=a", "kind=z"], range="all")
    assert not page.exception
    assert not _said(page)


def test_times_and_shares_as_people_say_them() -> None:
    assert [sampled.time_words(one) for one in (0.2, 9.1, 11, 61, 91)] == [
        "1 s",
        "10 s",
        "15 s",
        "65 s",
        "2 min",
    ]
