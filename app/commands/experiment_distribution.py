"""`assay experiment-distribution`: where the values of two arms differ, not only their means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.commands.experiment_answers import answer_about, experiment_options

if TYPE_CHECKING:
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench


@click.command("experiment-distribution")
@experiment_options
@click.option("--metric", metavar="NAME", help="Its values; those of the first that is no share if left out.")
@click.option(
    "--shares", is_flag=True, help="The share of values at or below each value instead, with its band."
)
def experiment_distribution_command(
    words: tuple[str, ...], *, metric: str | None, shares: bool, as_json: bool, **asked: Any
) -> None:
    """Quantiles of a metric's values from 5 to 95 % in every arm, with their differences from the control's."""
    from app.commands import tables

    def question(bench: Workbench, name: str, scope: Scope, confidence: float | None) -> Results[Any]:
        from analytics.results import Results

        found = bench.experiment_distribution(name, scope, metric=metric, confidence=confidence)
        rows: tuple[Any, ...] = found.steps if shares else found.quantiles
        return Results(rows, bench.project.zone, found.sql, (f"{found.metric}: {found.sentence}",))

    columns: tuple[tables.Column, ...]
    if shares:
        columns = (
            tables.text("metric", context=True),
            tables.text("variant"),
            tables.figures("value"),
            tables.figures("share"),
            tables.between("ci_low", "ci_high", "band"),
            tables.text("band", "of band", drop=1),
            tables.figures("n", drop=2),
        )
    else:
        columns = (
            tables.text("metric", context=True),
            tables.text("control", context=True),
            tables.text("variant"),
            tables.figures("quantile"),
            tables.figures("value"),
            tables.figures("value_control", "control's", drop=4),
            tables.figures("difference"),
            tables.between("ci_adjusted_low", "ci_adjusted_high", "corrected interval"),
            tables.figures("p_adjusted", "p adjusted"),
            tables.remark(drop=3),
        )
    answer_about(words, asked, question, lambda _: columns, as_json=as_json)
