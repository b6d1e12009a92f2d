"""`assay calibration-test`, `recalibration`, `mix`, `baselines`, `deciles`: do the scores mean what they say?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("calibration-test")
@project_argument
@scope_options
@json_option
def calibration_test_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Are the scores right: gap, Spiegelhalter's test, calibration line and error."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.figures("mean_score", "mean score"),
        tables.figures("mean_label", "mean label"),
        tables.figures("gap"),
        tables.between("gap_ci_low", "gap_ci_high", "interval", drop=2),
        tables.figures("gap_p_adjusted", "p adjusted", drop=1),
        tables.figures("spiegelhalter_z", "Spiegelhalter z", drop=3),
        tables.figures("p_adjusted", "its p adjusted", drop=3),
        tables.figures("slope", drop=4),
        tables.figures("calibration_error_debiased", "error, debiased", drop=5),
        tables.text("miscalibrated"),
        tables.figures("n_labelled", "labelled", drop=6),
        tables.remark(drop=3),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.calibration_tests(scope),
        lambda _: columns,
        as_json=as_json,
    )


@click.command("recalibration")
@project_argument
@scope_options
@json_option
def recalibration_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """What mapping the scores anew would bring, tried forward in time."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.text("class", context=True),
        tables.text("method"),
        tables.text("metric"),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("difference"),
        tables.between("difference_ci_low", "difference_ci_high", "its interval", drop=1),
        tables.figures("p_adjusted", "p adjusted", drop=2),
        tables.figures("n", drop=4),
        tables.text("parameters", drop=5),
        tables.remark(drop=3),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.recalibration(scope)[0],
        lambda _: columns,
        as_json=as_json,
        unused=("by", "grain"),
    )


@click.command("mix")
@project_argument
@scope_options
@json_option
def mix_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """How often each class was predicted, and how often it came."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class"),
        tables.figures("predicted"),
        tables.figures("expected", "mean score"),
        tables.figures("came"),
        tables.figures("decided_difference", "predicted - came"),
        tables.between("decided_ci_low", "decided_ci_high", "interval", drop=1),
        tables.figures("p_adjusted", "p adjusted", drop=2),
        tables.figures("expected_difference", "mean score - came", drop=3),
        tables.figures("n_labelled", "labelled", drop=4),
        tables.remark(drop=3),
    )
    answer(project, words, lambda bench, scope: bench.mix(scope), lambda _: columns, as_json=as_json)


@click.command("baselines")
@project_argument
@scope_options
@json_option
def baselines_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """The model beside one answer for all, and beside the last known label again."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.segment(),
        tables.text("class", context=True),
        tables.text("metric"),
        tables.figures("value"),
        tables.text("baseline"),
        tables.figures("baseline_value", "its value"),
        tables.figures("difference"),
        tables.between("difference_ci_low", "difference_ci_high", "interval", drop=1),
        tables.text("better"),
        tables.figures("n", drop=2),
        tables.remark(drop=3),
    )
    answer(project, words, lambda bench, scope: bench.baselines(scope), lambda _: columns, as_json=as_json)


@click.command("deciles")
@project_argument
@scope_options
@json_option
def deciles_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """A regression by tenth of its predictions: mean label, and the spread of the errors."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.between("bin_low", "bin_high", "predicted", drop=1),
        tables.figures("mean_prediction", "mean prediction"),
        tables.figures("mean_label", "mean label"),
        tables.between("ci_low", "ci_high", "interval of the mean label"),
        tables.figures("residual_low", "error p05", drop=2),
        tables.figures("residual_median", "p50", drop=2),
        tables.figures("residual_high", "p95", drop=2),
        tables.figures("n"),
        tables.remark(drop=3),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.deciles(scope),
        lambda _: columns,
        as_json=as_json,
        unused=("by",),
    )
