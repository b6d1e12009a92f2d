"""What a cluster builds is what this process builds, under the same keys: pages read either."""

from __future__ import annotations

import re
import shutil
from contextlib import closing

import pytest

from analytics.building.build import bring_up_to_date
from analytics.project import read_project
from analytics.workbench import open_workbench
from tests.contract.building import one_segment, same_parts, stored_parts


def test_a_build_on_sail_stores_the_same_parts(tmp_path, monkeypatch, sail_address) -> None:
    file = one_segment(tmp_path / "project")
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "here"))
    alone = bring_up_to_date(read_project(file))
    here = stored_parts(file)
    assert len(here) > 5

    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "there"))
    monkeypatch.setenv("ASSAY_ENGINE", sail_address)
    together = bring_up_to_date(read_project(file))
    monkeypatch.delenv("ASSAY_ENGINE")
    assert together.parts == alone.parts > 0
    assert same_parts(here, stored_parts(file)) == []

    # a rerun makes nothing; a file of late labels makes only the days it is about
    monkeypatch.setenv("ASSAY_ENGINE", sail_address)
    assert bring_up_to_date(read_project(file)).parts == 0
    late = file.parent / "labels" / "third.parquet"
    shutil.copy(late, late.with_name("fourth.parquet"))
    assert 0 < bring_up_to_date(read_project(file)).parts < alone.parts


def test_a_live_question_goes_to_the_cluster_and_says_how_long_it_took(
    tmp_path, monkeypatch, sail_address
) -> None:
    file = one_segment(tmp_path / "project")
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "none"))
    with closing(open_workbench(file)) as bench:
        alone = bench.quality(bench.scope(by="country"))
    monkeypatch.setenv("ASSAY_ENGINE", sail_address)
    with closing(open_workbench(file)) as bench:
        there = bench.quality(bench.scope(by="country"))
    assert alone.notes == ()
    assert re.fullmatch(rf"{sail_address} answered \d+ questions in \d+\.\d s", there.notes[-1])
    assert len(there) == len(alone) > 0
    for mine, theirs in zip(alone, there, strict=True):
        assert (mine.metric, mine.segment, mine.n, mine.status) == (
            theirs.metric, theirs.segment, theirs.n, theirs.status
        )  # fmt: skip
        assert (mine.value or 0) == pytest.approx(theirs.value or 0, rel=1e-9), mine.metric
