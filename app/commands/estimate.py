"""`assay estimate`: how good is the model likely to be where labels are still to come, and can that be believed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from app.commands.tables import Column


@click.command("estimate")
@project_argument
@scope_options
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice(["cbpe", "pape", "dle"]),
    help="Only this method (repeatable): cbpe and pape for classes, dle for a regression.",
)
@click.option(
    "--scorecard", is_flag=True, help="How each estimator has fared on windows whose labels are in."
)
@json_option
def estimate_command(
    project: Path | None, *, methods: tuple[str, ...], scorecard: bool, as_json: bool, **words: Any
) -> None:
    """Quality before labels arrive: estimates, bands for the measured metric, and what came of them."""
    answer(
        project,
        words,
        lambda bench, scope: bench.estimates(scope, methods=methods)[1 if scorecard else 0],
        lambda _: _fared() if scorecard else _estimates(),
        as_json=as_json,
        unused=("by",),
    )


def _estimates() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric"),
        tables.text("method", drop=4),
        tables.figures("value", "estimated"),
        tables.between("ci_low", "ci_high", "band"),
        tables.figures("realised", "measured"),
        tables.text("held", drop=3),
        tables.figures("n", drop=5),
        tables.figures("held_backtests", "held before", drop=2),
        tables.figures("n_backtests", "of", drop=2),
        tables.text("calibration", drop=6),
        tables.remark(drop=1),
    )


def _fared() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.text("version", context=True),
        tables.text("metric"),
        tables.text("method"),
        tables.figures("n_backtests", "back-tests"),
        tables.figures("held_backtests", "held"),
        tables.figures("mean_interval_score", "interval score"),
        tables.figures("mean_interval_score_last_value", "repeating the last value"),
        tables.figures("mean_width", "mean width", drop=2),
        tables.figures("mean_error", "measured - estimated", drop=1),
        tables.text("standing"),
    )
