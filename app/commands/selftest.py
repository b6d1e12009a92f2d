"""`assay selftest`: how many false alarms to expect, and how many come when nothing can have drifted?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

RUNS = 40


@click.command("selftest")
@project_argument
@scope_options
@click.option(
    "--runs",
    default=RUNS,
    show_default=True,
    type=click.IntRange(0, 10_000),
    help="Shuffles of the reference's days; each tests the windows of a week.",
)
@click.option(
    "--segments",
    default=0,
    show_default=True,
    type=click.IntRange(0, 100_000),
    help="Segment values looked at one by one besides all rows together.",
)
@json_option
def selftest_command(project: Path | None, runs: int, segments: int, *, as_json: bool, **words: Any) -> None:
    """Expected against observed false alarms of drift, on the reference."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.text("grain", context=True),
        tables.text("method"),
        tables.figures("promised", drop=3),
        tables.figures("share", "windows with an alarm"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("share_called", "called drifted", drop=1),
        tables.figures("per_week", "a week"),
        tables.between("per_week_low", "per_week_high", "interval a week", drop=2),
        tables.figures("repeat_chance", "next one too", drop=4),
        tables.figures("unlucky_share", "unluckiest 1 of 20", drop=5),
        tables.figures("n", "windows", drop=6),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.false_alarms(scope, runs=runs, segments=segments),
        lambda _: columns, as_json=as_json, unused=("by",),
    )  # fmt: skip
