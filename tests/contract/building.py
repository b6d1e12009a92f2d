"""A small project to build, and whether two builds of it are one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from analytics.aggregates.day_facts import midnight
from analytics.aggregates.stored_days import attached
from analytics.building.build import kept_up_to_date
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import WHOLE, Stored
from tests.contract.logs import write
from tests.contract.questions import differences

Parts = dict[tuple[str, str], Stored]
_PAIRS = '\n[aggregates]\npairs = [["country", "amount"]]\n'


def one_segment(folder: Path) -> Path:
    """A project that is split by one segment: fewer questions."""
    file = write(folder)
    text = file.read_text().replace('segments = ["country", "amount"]', 'segments = ["country"]')
    file.write_text(text.replace(_PAIRS, ""))
    return file


def stored_parts(file: Path) -> Parts:
    """Every stored part by definition, as a page of this process reads it."""
    with closing(Catalog(read_project(file))) as catalog:
        parts = attached(catalog)
        found: Parts = {}
        for definition in kept_up_to_date(catalog).values():
            days = [midnight(day) for day in parts.refresh().days]
            wanted = days if definition.source == "predictions" else [WHOLE]
            found[definition.name, definition.key] = parts.read(definition, wanted)
        return found


def same_parts(mine: Parts, theirs: Parts) -> list[str]:
    """What differs between two stores."""
    assert mine.keys() == theirs.keys()
    found = []
    for key, stored in mine.items():
        other = theirs[key]
        if not stored.days or stored.days != other.days:
            found.append(f"{key}: days {sorted(stored.days)} and {sorted(other.days)}")
        elif (stored.table is None) != (other.table is None):
            found.append(f"{key}: one has no rows")
        elif stored.table is not None and other.table is not None:
            found += [f"{key}: {text}" for text in differences(stored.table, other.table)]
    return found
