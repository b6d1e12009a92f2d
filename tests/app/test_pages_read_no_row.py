"""Every Monitor page of a project whose aggregates are stored, as it opens: which of them read a row of the logs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from analytics.ask.telemetry import day_counts
from analytics.telemetry.report import rows_per_day
from analytics.workbench import Workbench
from app.parts.ask import answers
from app.parts.handed import packed, unpacked
from app.parts.workspace import _workspace
from tests.app.conftest import assert_fine
from tests.app.stored_projects import DAYS, gates_down, reading_rows, stored_project

PAGES = (
    "overview",
    "quality",
    "outcomes",
    "drift",
    "service",
    "features",
    "labels",
    "segments",
    "telemetry",
)


PAGES_WITH_UNITS = ("quality", "segments", "service", "telemetry")


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A task, and a project of it that pages take for a large one."""
    with pytest.MonkeyPatch.context() as patch:
        gates_down(patch)
        yield request.param, stored_project(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.parametrize("page", PAGES)
def test_a_monitor_page_reads_no_row(open_page, stored, page):
    task, project = stored
    answers().clear()
    with reading_rows() as texts:
        shown = open_page(page, project)
    assert_fine(shown)
    # an empty page would read nothing either
    assert shown.metric or shown.dataframe or shown.get("plotly_chart") or page == "outcomes"
    assert not texts, f"{task}: " + "\n\n".join(text[:400] for text in texts)
    # the process that asks ahead can hand over every answer, and so nobody waits for it after the first click
    for key, answer in answers().items():
        assert repr(unpacked(io.BytesIO(packed((key, answer))))) == repr((key, answer))


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def of_units(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same, with a unit declared."""
    with pytest.MonkeyPatch.context() as patch:
        gates_down(patch)
        yield stored_project(tmp_path_factory.mktemp(f"{request.param}_units"), request.param, unit=True)


@pytest.mark.parametrize("page", PAGES_WITH_UNITS)
def test_nor_where_units_go_together(open_page, of_units, page):
    answers().clear()
    with reading_rows() as texts:
        shown = open_page(page, of_units)
    assert_fine(shown)
    assert shown.metric or shown.dataframe or shown.get("plotly_chart")
    assert not texts, "\n\n".join(text[:400] for text in texts)


def test_the_aggregates_are_what_answers(open_page, stored):
    _, project = stored
    open_page("telemetry", project)
    (entry,) = _workspace(str(project)).entries()
    assert entry.bench.catalog.parts is not None
    assert entry.bench.built().missing == 0


def test_a_question_that_parts_do_not_answer_is_seen_to_read_rows(stored):
    with closing(Workbench(stored[1])) as bench, reading_rows() as texts:
        bench.quality(bench.scope(where=["c0=north"]))
        one = len(texts)
        bench.quality(bench.scope(where=["c0=north", "c1=x"]))
    assert len(texts) > one
    assert one == 0 or stored[0] != "binary"


def test_rows_by_day_are_those_of_the_logs(stored):
    with closing(Workbench(stored[1])) as bench:
        assert bench.catalog.parts is not None
        with reading_rows() as texts:
            counts = day_counts(bench.catalog)
        assert not texts
        assert counts == rows_per_day(bench.catalog)
        assert len(counts) == 2 * DAYS
