"""`assay gaps`, `assay splits` and `assay unlike`: as good for everybody, in production, and on new kinds of rows?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("gaps")
@project_argument
@scope_options
@json_option
def gaps_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """How far apart the values of every segment truly are."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("segment"),
        tables.text("notion"),
        tables.text("class", context=True),
        tables.figures("gap"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("p_adjusted", "p adjusted"),
        tables.text("highest", drop=1),
        tables.figures("highest_value", "value there", drop=2),
        tables.text("lowest", drop=1),
        tables.figures("lowest_value", "value there", drop=2),
        tables.figures("gap_observed", "observed", drop=3),
        tables.figures("gap_by_chance", "by chance", drop=3),
        tables.figures("n_values", "values", drop=4),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.gaps(scope), lambda _: columns, as_json=as_json,
        unused=("grain",),
    )  # fmt: skip


@click.command("splits")
@project_argument
@scope_options
@click.option(
    "--metric", metavar="NAME", help="Put the gaps of this metric into words; the loss where left out."
)
@json_option
def splits_command(project: Path | None, metric: str | None, *, as_json: bool, **words: Any) -> None:
    """Train, validation, test and production side by side."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.text("metric"),
        tables.text("class", context=True),
        tables.text("split"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("gap"),
        tables.text("compared_with", "to"),
        tables.between("gap_ci_low", "gap_ci_high", "interval of the gap", drop=2),
        tables.figures("p_adjusted", "p adjusted"),
        tables.text("worse"),
        tables.text("finding"),
        tables.figures("n_labelled", "labelled", drop=4),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.splits(scope, metric=metric), lambda _: columns, as_json=as_json,
        unused=("grain", "by"),
    )  # fmt: skip


@click.command("unlike")
@project_argument
@scope_options
@json_option
def unlike_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """The share of rows unlike the reference, with the loss on them."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.figures("share"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("expected_share", "expected", drop=4),
        tables.figures("p_value", "p"),
        tables.text("carried_by", "carried by", drop=3),
        tables.text("loss", context=True),
        tables.figures("loss_inside", "inside"),
        tables.figures("loss_outside", "outside"),
        tables.between("difference_ci_low", "difference_ci_high", "interval of the difference", drop=2),
        tables.figures("n_sample", "looked at", drop=5),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.unlike(scope), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip
