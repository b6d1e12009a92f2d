"""`assay row`, `neighbours`, `map`: one row looked at closely, the rows like it, and rows on a map of errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.common import Answer, answer, json_option, project_and_word, project_argument, scope_options
from app.commands.examples import example_columns

if TYPE_CHECKING:
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column

AS_OF = click.option("--as-of", metavar="TIME", help="Answer with what was known then.")
ROW = click.argument("words", nargs=-1, required=True, metavar="[PROJECT] ROW")


@click.command("row")
@ROW
@click.option(
    "--show",
    default="features",
    show_default=True,
    type=click.Choice(["features", "versions", "history"]),
    help="Its features as they lie among the reference; every version on the same request; its unit's rows.",
)
@AS_OF
@json_option
def row_command(words: tuple[str, ...], show: str, as_of: str | None, *, as_json: bool) -> None:
    """One row: what is unusual about it, versions side by side, its unit's history.

    ROW is its id, or FILE:ROW as `assay examples` gives them.
    """
    project, key = project_and_word(words, "row")

    def asked(bench: Workbench, scope: Scope) -> Results[Any]:
        found: Results[Any] = getattr(bench.row(scope, key=key), show)
        return found

    columns = feature_columns if show == "features" else example_columns
    answer(project, {"as_of": as_of}, asked, columns, as_json=as_json)


@click.command("neighbours")
@ROW
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many rows.")
@scope_options
@json_option
def neighbours_command(words: tuple[str, ...], k: int, *, as_json: bool, **scope: Any) -> None:
    """The rows most like one row, by all its features, within a window.

    ROW is its id, or FILE:ROW as `assay examples` gives them.
    """
    project, key = project_and_word(words, "row")
    answer(
        project,
        scope,
        lambda bench, wanted: bench.neighbours(wanted, key=key, k=k),
        neighbour_columns,
        as_json=as_json,
        unused=("by", "grain", "confidence"),
    )


@click.command("map")
@project_argument
@click.option(
    "--of", default="features", show_default=True, metavar="features|COLUMN", help="An embedding column."
)
@click.option("--method", default="pca", show_default=True, type=click.Choice(["pca", "umap"]))
@click.option("--points", is_flag=True, help="The rows and their places, not the clusters.")
@scope_options
@json_option
def map_command(
    project: Path | None, of: str, method: Any, *, points: bool, as_json: bool, **words: Any
) -> None:
    """Clusters of the costliest rows on a map of sampled rows, named by what they have in common."""

    def asked(bench: Workbench, scope: Scope) -> Results[Any]:
        found = bench.error_points(scope, of=of, method=method)
        return found.points if points else found.clusters

    columns = point_columns if points else cluster_columns
    answer(project, words, asked, columns, as_json=as_json, unused=("by", "grain"))


def feature_columns(_: Answer) -> list[Column]:
    """A feature and how it lies among the reference."""
    from app.commands import tables

    return [
        tables.text("feature"),
        tables.text("value"),
        tables.text("finding"),
        tables.figures("quantile"),
        tables.figures("share"),
        tables.figures("low", drop=1),
        tables.figures("high", drop=1),
        tables.text("reason", drop=2),
    ]


def neighbour_columns(found: Answer) -> list[Column]:
    """The distance and what differs, then what an example says."""
    from app.commands import tables

    known = [column for column in example_columns(found) if column.title not in {"rank", "reason", "problem"}]
    return [tables.figures("rank"), tables.figures("distance"), tables.text("differs"), *known]


def cluster_columns(_: Answer) -> list[Column]:
    """A cluster, what it has in common, and how costly its region is."""
    from app.commands import tables

    return [
        tables.figures("cluster"),
        tables.text("name"),
        tables.figures("share_inside", drop=1),
        tables.figures("share_elsewhere", drop=1),
        tables.figures("n_costly"),
        tables.figures("n"),
        tables.figures("value", "costly share"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("mean_loss"),
    ]


def point_columns(_: Answer) -> list[Column]:
    """A row and its place."""
    from app.commands import tables

    names = ("x", "y", "loss", "cluster", "score")
    known = [tables.text(name) for name in ("label", "decision", "version", "id")]
    return [*(tables.figures(name) for name in names), *known]
