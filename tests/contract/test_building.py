"""What a cluster builds is what this process builds, under the same keys: pages read either."""

from __future__ import annotations

import shutil

from analytics.aggregates.build import bring_up_to_date
from analytics.project import read_project
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
