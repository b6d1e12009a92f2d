"""`assay features`: what the inputs, scores, decisions and labels are like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("features")
@project_argument
@scope_options
@click.option(
    "--split",
    type=click.Choice(["label", "decision", "outcome"]),
    help="One answer for each label, each decision, or right and wrong (regression: close and far).",
)
@json_option
def features_command(project: Path | None, *, as_json: bool, split: str | None, **words: Any) -> None:
    """Mean, spread, quantiles, top value and missing rate of every feature, score, decision and label."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("group", context=True),
        tables.text("group_value"),
        tables.text("feature"),
        tables.text("role", drop=9),
        tables.figures("n", drop=4),
        tables.figures("missing_rate", "missing", drop=2),
        tables.figures("mean"),
        tables.between("mean_ci_low", "mean_ci_high", "interval", drop=6),
        tables.figures("standard_deviation", "spread", drop=3),
        tables.figures("p05", drop=5),
        tables.figures("p50"),
        tables.figures("p95", drop=5),
        tables.text("top_value", "top value", drop=1),
        tables.figures("top_share", "its share", drop=1),
        tables.figures("n_values", "values", drop=7),
        tables.remark(drop=2),
    )
    answer(
        project, words, lambda bench, scope: bench.features(scope, split), lambda _: columns, as_json=as_json
    )
