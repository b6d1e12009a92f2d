"""`assay damage`: does what moved matter?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("damage")
@project_argument
@scope_options
@json_option
def damage_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every feature by how far it moved and by how much quality depends on it."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("feature"),
        tables.text("quadrant"),
        tables.figures("beyond_chance", "moved beyond chance"),
        tables.text("method", context=True),
        tables.figures("value", "dependence"),
        tables.figures("ci_low", "low", drop=4),
        tables.figures("ci_high", "high", drop=4),
        tables.figures("p_adjusted", "p adjusted", drop=5),
        tables.text("measured_on", context=True, drop=6),
        tables.figures("n", drop=7),
        tables.remark(drop=2),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.damage(scope),
        lambda _: columns,
        as_json=as_json,
        unused=("by",),
    )
