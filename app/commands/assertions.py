"""`assay assertions`: rows that break what is always expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import Answer, answer, json_option, project_argument, scope_options


@click.command("assertions")
@project_argument
@scope_options
@click.option("--assertion", "names", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@click.option(
    "--examples",
    type=click.IntRange(1, 10_000),
    metavar="K",
    help="The first K rows that break each, instead.",
)
@json_option
def assertions_command(
    project: Path | None, names: tuple[str, ...], examples: int | None, *, as_json: bool, **words: Any
) -> None:
    """How many rows break what is always expected, or the rows themselves."""
    if examples is not None:
        _examples(project, names, examples, words, as_json=as_json)
        return
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("assertion"),
        tables.text("over", drop=5),
        tables.text("version"),
        tables.segment(),
        tables.figures("n"),
        tables.figures("n_broken", "broken"),
        tables.figures("n_unknown", "unknown", drop=4),
        tables.figures("value", "share"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.day("first", drop=6),
        tables.day("last", drop=6),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.assertions(scope, names),
        lambda _: columns,
        as_json=as_json,
    )


def _examples(
    project: Path | None, names: tuple[str, ...], k: int, words: dict[str, Any], *, as_json: bool
) -> None:
    from app.commands import tables

    answer(
        project,
        words,
        lambda bench, scope: bench.broken(scope, names, k),
        lambda found: (
            tables.text("assertion", context=True),
            tables.text("timestamp"),
            tables.text("version"),
            tables.text("unit"),
            tables.text("file", drop=5),
            tables.figures("row"),
            *(tables.text(name) for name in _named(found)),
        ),
        as_json=as_json,
        unused=("grain", "confidence"),
    )


def _named(found: Answer) -> list[str]:
    """The columns that the conditions name."""
    return [
        name
        for name in dict.fromkeys(name for record in found.records for name in record)
        if name not in _FIELDS
    ]


_FIELDS = ("project", "assertion", "rank", "timestamp", "version", "unit", "file", "row")
