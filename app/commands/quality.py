"""`assay quality`, `confusion`, `roc`, `calibration`: how good is the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("quality")
@project_argument
@scope_options
@json_option
def quality_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every metric with its interval, for each window and version."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.text("metric"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
        tables.figures("n_labelled", "labelled", drop=2),
        tables.figures("n", drop=4),
        tables.remark(drop=3),
    )
    answer(project, words, lambda bench, scope: bench.quality(scope), lambda _: columns, as_json=as_json)


@click.command("confusion")
@project_argument
@scope_options
@json_option
def confusion_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """True class by decision, in counts and shares of the true class."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("true_class", "true class"),
        tables.text("decided_class", "decided"),
        tables.figures("n"),
        tables.figures("share_of_true", "share of true"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
    )
    answer(project, words, lambda bench, scope: bench.confusion(scope), lambda _: columns, as_json=as_json)


@click.command("roc")
@project_argument
@scope_options
@json_option
def roc_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Rates at every threshold, and where the logged decisions stand."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("class", context=True),
        tables.figures("threshold"),
        tables.figures("true_positive_rate", "true positive rate"),
        tables.figures("false_positive_rate", "false positive rate"),
        tables.figures("precision", drop=1),
        tables.figures("decision_rate", "decision rate", drop=3),
        tables.figures("n", drop=2),
        tables.text("operating_point", "as decided", drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.roc(scope),
        lambda _: columns,
        as_json=as_json,
        unused=("by", "confidence"),
    )


@click.command("calibration")
@project_argument
@scope_options
@json_option
def calibration_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Mean score against mean label, by bins of the score."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.between("bin_low", "bin_high", "score bin"),
        tables.figures("n"),
        tables.figures("mean_score", "mean score"),
        tables.figures("mean_label", "mean label"),
        tables.between("ci_low", "ci_high", "interval of the mean label", drop=1),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.calibration(scope),
        lambda _: columns,
        as_json=as_json,
    )
