"""`assay service`, `assay objectives`, `assay tail`: load, errors and latency, what is promised, who waits longest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("objectives")
@project_argument
@scope_options
@click.option("--objective", "names", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@json_option
def objectives_command(project: Path | None, names: tuple[str, ...], *, as_json: bool, **words: Any) -> None:
    """What is left of every error budget, and how fast it burns."""
    from app.commands import tables

    columns = (
        tables.text("objective", context=True),
        tables.text("version"),
        tables.segment(),
        tables.text("pair"),
        tables.figures("n"),
        tables.figures("n_bad", "bad"),
        tables.figures("good_share", "good", drop=3),
        tables.figures("target", drop=4),
        tables.figures("value", "burn rate"),
        tables.between("ci_low", "ci_high", "interval", drop=5),
        tables.figures("factor", "limit", drop=2),
        tables.figures("short_value", "short", drop=6),
        tables.figures("budget_left", "budget left"),
        tables.text("verdict"),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.objectives(scope, names), lambda _: columns, as_json=as_json,
        unused=("grain",),
    )  # fmt: skip
