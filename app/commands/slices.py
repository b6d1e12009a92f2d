"""`assay slices`, `slice-trend`, `slice-compare`, `error-map` and `error-tree`: slices worth believing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options

_METRIC = click.option(
    "--metric",
    metavar="NAME",
    help="A mean of one number a row: log_loss, brier_score, accuracy, cost, mean_absolute_error, mean_squared_error, "
    "error_rate, mean_latency. The loss of the task where left out.",
)


@click.command("slices")
@project_argument
@scope_options
@_METRIC
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 3), help="Conditions at most.")
@click.option("--support", default=0.01, show_default=True, type=float, help="Smallest share of the rows.")
@click.option(
    "-k", default=10, show_default=True, type=click.IntRange(1, 100), help="Slices of each version."
)
@json_option
def slices_command(
    project: Path | None,
    metric: str | None,
    *,
    depth: int,
    support: float,
    k: int,
    as_json: bool,
    **words: Any,
) -> None:
    """Slices of up to three conditions that are worse, found on some rows and confirmed on others."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.figures("rank", "#"),
        tables.text("slice"),
        tables.text("confirmed"),
        tables.figures("n"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=4),
        tables.figures("value_elsewhere", "elsewhere"),
        tables.figures("difference", drop=1),
        tables.between("difference_ci_low", "difference_ci_high", "its interval", drop=2),
        tables.figures("p_adjusted", "p adjusted"),
        tables.figures("share_of_loss", "share of loss", drop=3),
        tables.figures("value_shrunken", "luck taken out", drop=5),
        tables.figures("n_confirming", "confirmed on", drop=6),
        tables.text("reason", drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.slices(scope, metric=metric, depth=depth, support=support, k=k),
        lambda _: columns,
        as_json=as_json,
        unused=("grain", "by"),
    )


_SLICE = click.option(
    "--slice", "slice_", multiple=True, required=True, metavar="FIELD=VALUE",
    help="A condition of the slice, as --where takes it (repeatable: different fields mean and).",
)  # fmt: skip


@click.command("slice-trend")
@project_argument
@_SLICE
@scope_options
@_METRIC
@json_option
def slice_trend_command(
    project: Path | None, metric: str | None, *, slice_: tuple[str, ...], as_json: bool, **words: Any
) -> None:
    """The metric of a slice and of all other rows, window by window (--grain)."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.figures("n"),
        tables.figures("share", drop=3),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("value_elsewhere", "elsewhere"),
        tables.between("elsewhere_ci_low", "elsewhere_ci_high", "its interval", drop=2),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.slice_trend(scope, slice_, metric=metric),
        lambda _: columns,
        as_json=as_json,
        unused=("by",),
    )


@click.command("slice-compare")
@project_argument
@_SLICE
@scope_options
@json_option
def slice_compare_command(
    project: Path | None, *, slice_: tuple[str, ...], as_json: bool, **words: Any
) -> None:
    """Everything about a slice beside all other rows: quality, features, labels, latency, failures."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("kind"),
        tables.text("name"),
        tables.figures("n", drop=4),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("value_elsewhere", "elsewhere"),
        tables.figures("difference"),
        tables.between("difference_ci_low", "difference_ci_high", "its interval", drop=2),
        tables.figures("by_chance", "by chance", drop=5),
        tables.figures("p_adjusted", "p adjusted"),
        tables.text("differs"),
        tables.text("worse", drop=1),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.slice_compare(scope, slice_),
        lambda _: columns,
        as_json=as_json,
        unused=("grain", "by"),
    )


@click.command("error-map")
@project_argument
@scope_options
@_METRIC
@click.option(
    "--x", metavar="FIELD", help="A feature or segment; the pair that stands out where both are left out."
)
@click.option("--y", metavar="FIELD", help="Another one.")
@json_option
def error_map_command(
    project: Path | None, metric: str | None, *, x: str | None, y: str | None, as_json: bool, **words: Any
) -> None:
    """The metric for every pair of values of two fields, luck taken out."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.text("x", context=True),
        tables.text("x_value", "x value"),
        tables.text("y", context=True),
        tables.text("y_value", "y value"),
        tables.figures("n"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=2),
        tables.figures("value_shrunken", "luck taken out"),
        tables.figures("difference", drop=3),
        tables.figures("p_adjusted", "p adjusted"),
        tables.text("worse"),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.error_map(scope, metric=metric, x=x, y=y),
        lambda _: columns,
        as_json=as_json,
        unused=("grain", "by"),
    )


@click.command("error-tree")
@project_argument
@scope_options
@_METRIC
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 3), help="Questions to a leaf.")
@json_option
def error_tree_command(
    project: Path | None, metric: str | None, *, depth: int, as_json: bool, **words: Any
) -> None:
    """Where the metric differs most, as a tree: grown on some rows, measured on others."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("metric", context=True),
        tables.figures("node"),
        tables.figures("parent"),
        tables.text("condition"),
        tables.figures("n"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=2),
        tables.figures("gap", "apart"),
        tables.between("gap_ci_low", "gap_ci_high", "its interval", drop=3),
        tables.figures("share_of_loss", "share of loss", drop=1),
        tables.remark(drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.error_tree(scope, metric=metric, depth=depth),
        lambda _: columns,
        as_json=as_json,
        unused=("grain", "by"),
    )
