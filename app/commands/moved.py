"""`assay moved` and `assay first`: what is different about some rows, and who was first?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from analytics.explain.moved import MovedRow
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench


@click.command("moved")
@project_argument
@scope_options
@click.option(
    "--rest-where",
    multiple=True,
    metavar="SEGMENT=VALUE",
    help="Compare with these rows instead (repeatable).",
)
@click.option("--rest-start", metavar="TIME", help="Compare with another window.")
@click.option("--rest-end", metavar="TIME", help="First instant after it.")
@click.option(
    "--rest-version", multiple=True, metavar="NAME", help="Compare with another version (repeatable)."
)
@json_option
def moved_command(  # one argument an option
    project: Path | None,
    rest_where: tuple[str, ...],
    rest_start: str | None,
    rest_end: str | None,
    rest_version: tuple[str, ...],
    *,
    as_json: bool,
    **words: Any,
) -> None:
    """What is different about a selection (--where outcome=fp, a window, a score range), against the rest.

    The rest is the same window without the selection; of a selection without --where, the 28 days before it.
    """
    from app.commands import tables

    def question(bench: Workbench, scope: Scope) -> Results[MovedRow]:
        if not (rest_where or rest_start or rest_end or rest_version):
            return bench.moved(scope)
        other = {
            "start": rest_start or words["start"],
            "end": rest_end or words["end"],
            "as_of": words["as_of"],
            "versions": rest_version or words["versions"],
            "where": rest_where,
        }
        return bench.moved(scope, rest=bench.scope(**other))

    columns = (
        tables.figures("rank", "#"),
        tables.text("field"),
        tables.text("role", drop=5),
        tables.figures("gain", "bits"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("p_adjusted", "p adjusted", drop=2),
        tables.text("carried_by", "carried by (selection against rest)"),
        tables.figures("n", drop=6),
        tables.figures("n_rest", "n rest", drop=7),
        tables.remark(drop=1),
    )
    answer(project, words, question, lambda _: columns, as_json=as_json, unused=("by", "grain"))


@click.command("first")
@project_argument
@scope_options
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Rows, and units.")
@json_option
def first_command(project: Path | None, k: int, *, as_json: bool, **words: Any) -> None:
    """The first rows and units that show a change: those that pass --where, else those of the likeliest cause."""
    from app.commands import tables

    columns = (
        tables.text("shows", context=True),
        tables.text("part"),
        tables.figures("rank", "#"),
        tables.moment("timestamp"),
        tables.text("unit"),
        tables.figures("n", drop=3),
        tables.text("id", drop=2),
        tables.text("version", drop=4),
        tables.text("label", drop=5),
        tables.text("decision", drop=6),
        tables.figures("score", drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.first(scope, k), lambda _: columns, as_json=as_json,
        unused=("by", "grain", "confidence"),
    )  # fmt: skip
