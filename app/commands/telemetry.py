"""`assay telemetry`: what arrived, and what of it was left out?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.common import answer, json_option, project_argument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from zoneinfo import ZoneInfo

    from app.commands.tables import Column


@click.command("telemetry")
@project_argument
@json_option
def telemetry_command(project: Path | None, *, as_json: bool) -> None:
    """Every log file: rows, rejected lines, invalid values, duplicates, first and last timestamp, problems.

    What it adds up to is said on standard error. Damaged files are listed and do not change the exit status.
    """
    from app.commands import tables

    columns = (
        tables.text("feed"),
        tables.text("path"),
        tables.figures("rows"),
        tables.figures("rejected", drop=2),
        tables.figures("invalid"),
        tables.figures("left_out", "left out", drop=3),
        tables.figures("duplicates", drop=1),
        tables.figures("future", drop=5),
        tables.figures("orphans", drop=4),
        _day("first", drop=6),
        _day("last"),
        tables.text("problem"),
    )
    answer(project, {}, lambda bench, _: bench.telemetry(), lambda _: columns, as_json=as_json)


def _day(name: str, *, drop: int = 0) -> Column:
    """An instant to the minute; nothing where there is none."""
    from datetime import datetime

    from app.commands import tables
    from app.formats import NONE

    def cell(record: Mapping[str, Any], zone: ZoneInfo) -> str:
        moment = record.get(name)
        return NONE if moment is None else f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"

    return tables.Column(name, cell, drop=drop)
