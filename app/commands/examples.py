"""`assay examples`: the rows behind the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import Answer, answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from analytics.examples.rows import ExampleKind
    from app.commands.tables import Column

KINDS = ("worst", "uncertain", "best", "random", "disagreeing", "suspected-labels", "unlike")


@click.command("examples")
@project_argument
@click.option(
    "--kind",
    default="worst",
    show_default=True,
    type=click.Choice(KINDS),
    help="Highest loss; nearest to the decision; lowest loss; a draw that is always the same; requests that versions "
    "see differently; labels that are likely wrong; rows unlike the reference.",
)
@click.option("-k", default=20, show_default=True, type=click.IntRange(min=1), help="How many rows.")
@click.option(
    "--per-class", is_flag=True, help="That many of each true class (uncertain, random: decided class)."
)
@click.option("--diverse", is_flag=True, help="So many rows for as many problems as there are.")
@scope_options
@json_option
def examples_command(
    project: Path | None,
    kind: ExampleKind,
    k: int,
    *,
    per_class: bool,
    diverse: bool,
    as_json: bool,
    **words: Any,
) -> None:
    """The worst, most uncertain, best, random … predictions, with their logged columns."""
    answer(
        project,
        words,
        lambda bench, scope: bench.examples(scope, kind, k, per_class=per_class, diverse=diverse),
        example_columns,
        as_json=as_json,
        unused=("by", "grain", "confidence"),
    )


def example_columns(found: Answer) -> list[Column]:
    """What is known of every example, then as many logged columns as fit."""
    from app.commands import tables

    known = [
        tables.figures("rank"),
        tables.text("id"),
        tables.moment("timestamp"),
        tables.text("version", context=True, drop=2),
        tables.text("label"),
        tables.text("decision"),
        tables.figures("score"),
        tables.figures("loss"),
        tables.text("problem", drop=1),
        tables.text("reason", drop=1),
    ]
    told = {"file", "row", "suggested_label", "problem_share", "usual_share", "distance", "differs"}
    shown = {column.title for column in known} | told
    names = found.records[0] if found.records else ()
    logged = [name for name in names if name not in shown | found.roles and not name.startswith("column.")]
    return [*known, *(tables.text(name, name, extra=True) for name in logged)]
