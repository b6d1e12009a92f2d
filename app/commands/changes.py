"""`assay changes`, `assay ageing`, `assay releases`: since when, how old, and was it the release?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("changes")
@project_argument
@scope_options
@json_option
def changes_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every metric and field by day: did it change, since when, and where does it go."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("grain", context=True),
        tables.text("role", drop=9),
        tables.text("field"),
        tables.text("category", drop=6),
        tables.text("kind"),
        tables.day("change_at", "since"),
        tables.days("change_low", "change_high", "interval", drop=3),
        tables.figures("before", drop=2),
        tables.figures("after", drop=2),
        tables.figures("p_adjusted", "p adjusted", drop=4),
        tables.figures("trend_per_month", "a month"),
        tables.between("trend_low", "trend_high", "its interval", drop=5),
        tables.figures("weekly_share", "weekly", drop=7),
        tables.day("reaches_floor_at", "floor at", drop=8),
        tables.figures("n", drop=10),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.changes(scope),
        lambda _: columns,
        as_json=as_json,
        unused=("by",),
    )


@click.command("ageing")
@project_argument
@scope_options
@click.option(
    "--metric", metavar="NAME", help="This metric; the main one and those with a floor if left out."
)
@json_option
def ageing_command(project: Path | None, metric: str | None, *, as_json: bool, **words: Any) -> None:
    """Quality by days since training, and what younger versions bring on the same days."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("metric", context=True),
        tables.text("version"),
        tables.text("part"),
        tables.text("compared_with", "less", drop=3),
        tables.figures("age_from", "age from"),
        tables.figures("age_to", "to"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("per_month", "a month", drop=5),
        tables.figures("p_adjusted", "p adjusted", drop=4),
        tables.text("counted_from", "counted from", drop=7),
        tables.figures("n", drop=2),
        tables.figures("n_rows", "rows", drop=6),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.ageing(scope, metric=metric), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip


@click.command("releases")
@project_argument
@scope_options
@json_option
def releases_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every release against the version live before it: keep, watch or roll back."""
    from app.commands import tables

    columns = (
        tables.day("released_at", "released"),
        tables.text("version", context=True),
        tables.text("version_before", "before it", context=True),
        tables.text("metric"),
        tables.text("recommendation"),
        tables.figures("paired_difference", "same days"),
        tables.between("paired_low", "paired_high", "interval", drop=2),
        tables.figures("same_weekday_difference", "by weekday", drop=1),
        tables.between("same_weekday_low", "same_weekday_high", "its interval", drop=4),
        tables.figures("before", drop=5),
        tables.figures("after", drop=5),
        tables.figures("p_adjusted", "p adjusted", drop=3),
        tables.figures("tolerance", drop=6),
        tables.figures("n_after", "n after", drop=7),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.releases(scope), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip
