"""`assay metrics`: what the product is for, over time, outside experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("metrics")
@project_argument
@scope_options
@click.option(
    "--metric",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this metric; repeatable. All of [metrics] if left out.",
)
@json_option
def metrics_command(project: Path | None, names: tuple[str, ...], *, as_json: bool, **words: Any) -> None:
    """Every metric of [metrics] over time, outside experiments, with intervals and targets."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("metric"),
        tables.text("version", context=True),
        tables.text("segment_value", "segment"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("target", drop=4),
        tables.text("reached", drop=3),
        tables.figures("n", drop=2),
        tables.figures("n_rows", "rows", drop=6),
        tables.text("independence", drop=7),
        tables.text("kind", drop=8),
        tables.text("source", drop=9),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.metrics(scope, names=names),
        lambda _: columns,
        as_json=as_json,
    )
