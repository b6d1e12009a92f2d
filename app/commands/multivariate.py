"""`assay multivariate`: did the features move together, and what did texts and embeddings do?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

if TYPE_CHECKING:
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column


@click.command("multivariate")
@project_argument
@click.option("--features", "what", flag_value="features", help="Which features carry the classifier.")
@click.option("--rows", "what", flag_value="rows", help="The rows that look least like the reference.")
@click.option("--profile", "what", flag_value="profile", help="Plain measures of texts and embeddings.")
@click.option(
    "-k", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many rows of --rows."
)
@scope_options
@json_option
def multivariate_command(
    project: Path | None, *, what: str | None, k: int, as_json: bool, **words: Any
) -> None:
    """All features together against the reference, and text and embedding columns."""
    columns = {None: _records, "features": _features, "rows": _rows, "profile": _profile}[what]
    answer(
        project,
        words,
        lambda bench, scope: _ask(bench, scope, what, k),
        lambda _: columns(),
        as_json=as_json,
        unused=("by",),
    )


def _ask(bench: Workbench, scope: Scope, what: str | None, k: int) -> Results[Any]:
    match what:
        case "features":
            return bench.carriers(scope)
        case "rows":
            return bench.newest(scope, k)
        case "profile":
            return bench.profile(scope)
    return bench.multivariate(scope)


def _records() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.window(),
        tables.text("version", context=True),
        tables.text("reference_version", context=True, drop=9),
        tables.text("method"),
        tables.text("feature", drop=8),
        tables.text("drifted"),
        tables.figures("value"),
        tables.figures("ci_low", "low", drop=4),
        tables.figures("ci_high", "high", drop=4),
        tables.figures("null_low", "usual from", drop=5),
        tables.figures("null_high", "usual to"),
        tables.figures("p_adjusted", "p adjusted"),
        tables.figures("effect", drop=3),
        tables.figures("n_sampled", "rows looked at", drop=6),
        tables.remark(drop=2),
    )


def _features() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.window(),
        tables.text("version", context=True),
        tables.text("feature"),
        tables.figures("value", "AUC lost without it"),
        tables.figures("ci_low", "low", drop=4),
        tables.figures("ci_high", "high", drop=4),
        tables.figures("auc_alone", "AUC alone", drop=3),
        tables.figures("auc", "AUC of all", drop=5),
        tables.remark(drop=2),
    )


def _rows() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.window(),
        tables.text("version", context=True),
        tables.figures("rank"),
        tables.text("id"),
        tables.text("timestamp", drop=3),
        tables.figures("reference_beyond", "share of reference beyond"),
        tables.text("file", drop=4),
        tables.figures("row", drop=4),
    )


def _profile() -> tuple[Column, ...]:
    from app.commands import tables

    return (
        tables.window(),
        tables.text("version", context=True),
        tables.text("feature"),
        tables.text("measure"),
        tables.figures("value"),
        tables.figures("value_reference", "reference"),
        tables.figures("difference"),
        tables.figures("difference_ci_low", "low", drop=4),
        tables.figures("difference_ci_high", "high", drop=4),
        tables.figures("p_adjusted", "p adjusted", drop=3),
        tables.remark(drop=2),
    )
