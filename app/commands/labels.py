"""`assay labels` and its sisters: how many labels there are, how late they come, from whom, and what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("labels")
@project_argument
@scope_options
@json_option
def labels_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """How many predictions have a label, how many should by now, and how late labels come."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.figures("n"),
        tables.figures("n_labelled", "labelled", drop=3),
        tables.figures("coverage"),
        tables.between("ci_low", "ci_high", "interval", drop=4),
        tables.figures("expected_coverage", "expected"),
        tables.text("short"),
        tables.figures("delay_p50_seconds", "median delay (s)", drop=2),
        tables.figures("delay_p95_seconds", "95 % (s)", drop=5),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.labels(scope), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip


@click.command("label-delay")
@project_argument
@scope_options
@json_option
def label_delay_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """The curve by which labels arrive (Kaplan-Meier)."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.figures("seconds"),
        tables.figures("arrived"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("arrived_of_ever", "of those ever labelled", drop=1),
        tables.figures("n_at_risk", "at risk", drop=2),
    )
    answer(
        project, words, lambda bench, scope: bench.label_delay(scope), lambda _: columns, as_json=as_json,
        unused=("by", "grain"),
    )  # fmt: skip


@click.command("label-coverage")
@project_argument
@scope_options
@json_option
def label_coverage_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Which predictions get a label: coverage by decision and by score."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.text("by"),
        tables.text("group"),
        tables.figures("n"),
        tables.figures("coverage"),
        tables.between("ci_low", "ci_high", "interval", drop=2),
        tables.figures("difference", "against the rest", drop=1),
        tables.figures("p_adjusted", "p adjusted", drop=3),
        tables.text("selected"),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.label_coverage(scope), lambda _: columns, as_json=as_json,
        unused=("by", "grain"),
    )  # fmt: skip


@click.command("label-sources")
@project_argument
@scope_options
@json_option
def label_sources_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Every source of labels against the most trusted one."""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.text("source"),
        tables.text("trusted_source", "against", context=True),
        tables.figures("n"),
        tables.figures("n_both", "both"),
        tables.figures("agreement"),
        tables.between("agreement_ci_low", "agreement_ci_high", "interval", drop=2),
        tables.figures("kappa", drop=1),
        tables.figures("mean_difference", "mean difference", drop=3),
        tables.figures("delay_p50_seconds", "median delay (s)", drop=4),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.label_sources(scope), lambda _: columns, as_json=as_json,
        unused=("by", "grain"),
    )  # fmt: skip


@click.command("label-changes")
@project_argument
@scope_options
@json_option
def label_changes_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Labels that contradict an earlier one of the same prediction, by when they came."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.figures("n_reports", "reports"),
        tables.figures("n_repeats", "repeats", drop=2),
        tables.figures("n_contradictions", "contradictions"),
        tables.figures("share"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
        tables.figures("mean_change", "mean change", drop=3),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.label_changes(scope), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip


@click.command("label-feed")
@project_argument
@scope_options
@json_option
def label_feed_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Has the feed of labels stopped, does it contradict itself, does it take longer than it did?"""
    from app.commands import tables

    columns = (
        tables.text("version", context=True),
        tables.figures("n_reports", "reports"),
        tables.figures("silent_seconds", "silent for (s)"),
        tables.figures("usual_silence_seconds", "usually (s)", drop=1),
        tables.figures("expected_since", "expected since", drop=1),
        tables.text("silent"),
        tables.figures("n_contradictions", "contradictions"),
        tables.text("delay_changed", "delay changed"),
        tables.figures("mean_label_early", "early labels' mean", drop=3),
        tables.figures("mean_label_late", "late labels' mean", drop=3),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.label_feed(scope), lambda _: columns, as_json=as_json,
        unused=("by", "grain"),
    )  # fmt: skip


@click.command("label-weighted")
@project_argument
@scope_options
@json_option
def label_weighted_command(project: Path | None, *, as_json: bool, **words: Any) -> None:
    """Metrics as the labels that came say it, weighted for those still to come, and at worst and best."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("class", context=True),
        tables.text("metric"),
        tables.figures("value", "as they came"),
        tables.between("ci_low", "ci_high", "interval", drop=4),
        tables.figures("weighted_value", "weighted"),
        tables.between("weighted_ci_low", "weighted_ci_high", "interval", drop=1),
        tables.between("lowest", "highest", "worst to best", drop=2),
        tables.figures("n_labelled", "labelled", drop=3),
        tables.figures("n", drop=5),
        tables.remark(drop=1),
    )
    answer(
        project, words, lambda bench, scope: bench.label_weighted(scope), lambda _: columns, as_json=as_json,
        unused=("by",),
    )  # fmt: skip
