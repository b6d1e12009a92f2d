"""What a cluster builds is what this process builds, under the same keys: pages read either."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

from analytics.aggregates.additive import definition_of
from analytics.aggregates.build import bring_up_to_date, kept_standards
from analytics.aggregates.day_facts import midnight
from analytics.aggregates.stored_days import attached
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from tests.contract.logs import write
from tests.contract.questions import differences

SMALL = '\n[aggregates]\npairs = [["country", "amount"]]\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a single segment, and whose aggregates lie in a folder of its own."""
    file = write(tmp_path / "project")
    text = file.read_text().replace('segments = ["country", "amount"]', 'segments = ["country"]')
    file.write_text(text.replace(SMALL, ""))
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "here"))
    return file


def stored_parts(file):
    """Every stored part by definition, read with DuckDB's catalog."""
    with closing(Catalog(read_project(file))) as catalog:
        parts = attached(catalog)
        found = {}
        for one in kept_standards(catalog):
            definition = definition_of(catalog, one)
            if definition.source == "predictions":
                days = [midnight(day) for day in parts.refresh().days]
                found[definition.name, definition.key] = parts.read(definition, days)
        return found


def same_parts(mine, theirs) -> list[str]:
    assert mine.keys() == theirs.keys()
    found = []
    for key, stored in mine.items():
        other = theirs[key]
        if stored.days != other.days:
            found.append(f"{key}: days {sorted(stored.days)} and {sorted(other.days)}")
        elif (stored.table is None) != (other.table is None):
            found.append(f"{key}: one has no rows")
        elif stored.table is not None:
            found += [f"{key}: {text}" for text in differences(stored.table, other.table)]
    return found


def test_a_build_on_sail_stores_the_same_parts(project, tmp_path, monkeypatch, sail_address) -> None:
    alone = bring_up_to_date(read_project(project))
    here = stored_parts(project)
    assert len(here) > 5
    assert alone.parts > 0

    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "there"))
    monkeypatch.setenv("ASSAY_ENGINE", sail_address)
    together = bring_up_to_date(read_project(project))
    monkeypatch.delenv("ASSAY_ENGINE")
    assert together.parts == alone.parts
    assert same_parts(here, stored_parts(project)) == []

    # a rerun makes nothing; one changed day makes that day
    monkeypatch.setenv("ASSAY_ENGINE", sail_address)
    assert bring_up_to_date(read_project(project)).parts == 0
    late = project.parent / "labels" / "first.parquet"
    shutil.copy(late, late.with_name("again.parquet"))
    assert 0 < bring_up_to_date(read_project(project)).parts < alone.parts
