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
