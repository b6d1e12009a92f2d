"""`assay segments`: where is the model worse than elsewhere?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("segments")
@project_argument
@scope_options
@click.option(
    "--metric", metavar="NAME", help="Compare this metric; log loss or absolute error where left out."
)
@json_option
def segments_command(project: Path | None, metric: str | None, *, as_json: bool, **words: Any) -> None:
    """Every value of every segment against the rest."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.text("where"),
        tables.figures("n_labelled", "labelled"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("value_shrunken", "luck taken out", drop=4),
        tables.figures("value_elsewhere", "elsewhere", drop=2),
        tables.figures("difference"),
        tables.figures("p_adjusted", "p adjusted"),
        tables.text("worse"),
        tables.figures("impact", drop=4),
        tables.figures("n", drop=5),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.segments(scope, metric=metric),
        lambda _: columns,
        as_json=as_json,
        unused=("grain",),
    )
