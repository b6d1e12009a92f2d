"""`assay metrics`: what the product is for, over time, outside experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

NAMES = click.option(
    "--metric",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this metric; repeatable. All of [metrics] if left out.",
)


@click.command("metrics")
@project_argument
@scope_options
@NAMES
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


@click.command("metric-changes")
@project_argument
@scope_options
@NAMES
@json_option
def metric_changes_command(
    project: Path | None, names: tuple[str, ...], *, as_json: bool, **words: Any
) -> None:
    """Every metric of [metrics] by day: did it change, since when, and where does it go."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("field", "metric"),
        tables.text("kind"),
        tables.day("change_at", "since"),
        tables.days("change_low", "change_high", "interval", drop=3),
        tables.figures("before", drop=2),
        tables.figures("after", drop=2),
        tables.figures("p_adjusted", "p adjusted", drop=4),
        tables.figures("trend_per_month", "a month", drop=5),
        tables.text("worse", drop=6),
        tables.figures("n", drop=7),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.metric_changes(scope, names=names), lambda _: columns,
        as_json=as_json, unused=("grain", "by"),
    )  # fmt: skip
