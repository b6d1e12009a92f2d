"""`assay slices`: slices worth believing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

_METRIC = click.option(
    "--metric",
    metavar="NAME",
    help="A mean of one number a row: log_loss, brier_score, accuracy, cost, mean_absolute_error, mean_squared_error, "
    "error_rate, mean_latency. The loss of the task where left out.",
)


@click.command("slices")
@project_argument
@scope_options
@_METRIC
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 3), help="Conditions at most.")
@click.option("--support", default=0.01, show_default=True, type=float, help="Smallest share of the rows.")
@click.option(
    "-k", default=10, show_default=True, type=click.IntRange(1, 100), help="Slices of each version."
)
@json_option
def slices_command(
    project: Path | None,
    metric: str | None,
    *,
    depth: int,
    support: float,
    k: int,
    as_json: bool,
    **words: Any,
) -> None:
    """Slices of up to three conditions that are worse, found on some rows and confirmed on others."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.figures("rank", "#"),
        tables.text("slice"),
        tables.text("confirmed"),
        tables.figures("n"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=4),
        tables.figures("value_elsewhere", "elsewhere"),
        tables.figures("difference", drop=1),
        tables.between("difference_ci_low", "difference_ci_high", "its interval", drop=2),
        tables.figures("p_adjusted", "p adjusted"),
        tables.figures("share_of_loss", "share of loss", drop=3),
        tables.figures("value_shrunken", "luck taken out", drop=5),
        tables.figures("n_confirming", "confirmed on", drop=6),
        tables.text("reason", drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.slices(scope, metric=metric, depth=depth, support=support, k=k),
        lambda _: columns,
        as_json=as_json,
        unused=("grain", "by"),
    )
