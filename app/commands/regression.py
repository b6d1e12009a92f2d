"""`assay pin`, `unpin` and `regression`: rows pinned into sets, and how each version does on them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import (
    Answer,
    answer,
    json_option,
    one_project,
    project_and_word,
    project_argument,
    say,
)
from app.commands.example_rows import AS_OF

if TYPE_CHECKING:
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column

WHO = click.option("--by", required=True, metavar="WHO", help="Who does it; there is no log-in.")
NAME = click.option("--set", "name", metavar="NAME", help="Only this set.")


@click.command("pin")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] ROW")
@click.option("--set", "name", required=True, metavar="NAME", help="The set; it begins with its first row.")
@WHO
@click.option("--note", default="", help="Why.")
@AS_OF
@json_option
def pin_command(
    words: tuple[str, ...], name: str, by: str, note: str, as_of: str | None, *, as_json: bool
) -> None:
    """Pin a row into a regression set, and say what each version makes of it.

    ROW is its id, or FILE:ROW as `assay examples` gives them. A row that is there already stays as it is.
    """
    project, key = project_and_word(words, "row")

    def asked(bench: Workbench, scope: Scope) -> Results[Any]:
        found = bench.pin(name, key, by=by, note=note, scope=scope)
        say(f"row {found[0].pinned_id} of {name} is kept in {bench.store.place.shown}")
        return found

    answer(one_project(project), {"as_of": as_of}, asked, pinned_columns, as_json=as_json)


@click.command("unpin")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] NUMBER")
@WHO
def unpin_command(words: tuple[str, ...], by: str) -> None:
    """Take a row out of its regression set, by the number that `assay regression --rows` gives as pinned_id."""
    from analytics.workbench import open_workbench

    project, number = project_and_word(words, "number of a pinned row")
    if not number.isascii() or not number.isdigit():
        raise click.UsageError(f'"{number}" is no number of a pinned row')
    with closing(open_workbench(one_project(project))) as bench:
        bench.unpin(int(number), by=by)
    say(f"row {number} is pinned no more")


@click.command("regression")
@project_argument
@NAME
@click.option("--rows", is_flag=True, help="Every pinned row as every version answered it.")
@AS_OF
@click.option("--version", "versions", multiple=True, metavar="NAME", help="Only this version (repeatable).")
@click.option("--confidence", default=0.95, show_default=True, type=float, help="Of every interval.")
@json_option
def regression_command(
    project: Path | None, name: str | None, *, rows: bool, as_json: bool, **words: Any
) -> None:
    """The share of each regression set that each version gets right."""
    if rows:
        answer(
            project,
            words,
            lambda bench, scope: bench.pinned(scope, name=name),
            pinned_columns,
            as_json=as_json,
        )
        return
    answer(
        project, words, lambda bench, scope: bench.regression(scope, name=name), rate_columns, as_json=as_json
    )


def pinned_columns(_: Answer) -> list[Column]:
    """A pinned row and what a version made of it."""
    from app.commands import tables

    return [
        tables.text("set"),
        tables.figures("pinned_id", "number"),
        tables.text("version"),
        tables.text("id"),
        tables.text("label"),
        tables.text("decision"),
        tables.figures("score"),
        tables.text("passed"),
        tables.text("reason", drop=1),
        tables.text("pinned_by", drop=2),
        tables.text("note", drop=2),
    ]


def rate_columns(_: Answer) -> list[Column]:
    """A set and how a version does on it."""
    from app.commands import tables

    return [
        tables.text("set"),
        tables.text("version"),
        tables.figures("n_pinned", "pinned"),
        tables.figures("n", "answered"),
        tables.figures("n_passed", "passed"),
        tables.figures("value", "pass rate"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.remark(),
    ]
