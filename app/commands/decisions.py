"""`assay thresholds`, `gain`, `coverage`: where to decide, whom to review, what to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("thresholds")
@project_argument
@scope_options
@click.option(
    "--goal",
    "goals",
    multiple=True,
    metavar="cost|precision=P|recall=R|budget=K",
    help="What the threshold must serve (repeatable; K rows a day). Left out: cost where [costs] are declared, "
    "recall=0.9, precision=0.8, and [quality] review_budget.",
)
@json_option
def thresholds_command(project: Path | None, goals: tuple[str, ...], *, as_json: bool, **words: Any) -> None:
    """The best threshold for a goal with its interval, and what it gains over the logged decisions."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.text("goal"),
        tables.figures("target"),
        tables.figures("threshold"),
        tables.between("threshold_low", "threshold_high", "interval", drop=1),
        tables.figures("present_threshold", "in use", drop=3),
        tables.text("metric", drop=2),
        tables.figures("value"),
        tables.figures("present_value", "as decided"),
        tables.figures("gain"),
        tables.between("gain_ci_low", "gain_ci_high", "interval of gain"),
        tables.figures("n_labelled", "labelled", drop=4),
        tables.remark(drop=5),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.thresholds(scope, goals),
        lambda _: columns,
        as_json=as_json,
    )


@click.command("gain")
@project_argument
@scope_options
@click.option(
    "--budget",
    type=float,
    metavar="K",
    help="Rows people can review a day; [quality] review_budget if left out.",
)
@json_option
def gain_command(project: Path | None, budget: float | None, *, as_json: bool, **words: Any) -> None:
    """What reviewing the highest scores finds: gain, lift and precision, by share and at a budget a day."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.text("review"),
        tables.figures("share_reviewed", "share reviewed"),
        tables.figures("reviewed_per_day", "a day", drop=3),
        tables.figures("recall"),
        tables.between("recall_ci_low", "recall_ci_high", "interval of recall", drop=1),
        tables.figures("precision"),
        tables.between("precision_ci_low", "precision_ci_high", "interval of precision", drop=2),
        tables.figures("lift"),
        tables.figures("n_reviewed", "labelled reviewed", drop=4),
        tables.remark(drop=5),
    )
    answer(project, words, lambda bench, scope: bench.gain(scope, budget), lambda _: columns, as_json=as_json)


@click.command("coverage")
@project_argument
@scope_options
@click.option(
    "--certain-by",
    type=click.Choice(["top", "distance"]),
    default="top",
    show_default=True,
    help="top: the largest probability; distance (binary): from the threshold in use, in log-odds.",
)
@json_option
def coverage_command(project: Path | None, certain_by: str, *, as_json: bool, **words: Any) -> None:
    """Quality when only the surest share is answered, and how many rows a day are then refused."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("metric"),
        tables.figures("share_answered", "answered"),
        tables.figures("answered_from", "from confidence", drop=3),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
        tables.figures("change", "against all", drop=2),
        tables.figures("refused_per_day", "refused a day"),
        tables.figures("n_labelled", "labelled", drop=4),
        tables.remark(drop=5),
    )
    chosen: Any = certain_by
    answer(
        project, words, lambda bench, scope: bench.coverage(scope, chosen), lambda _: columns, as_json=as_json
    )
