"""`assay drift`: which inputs, scores, decisions and labels moved, beyond noise?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.common import answer, json_option, project_argument, scope_options


@click.command("drift")
@project_argument
@scope_options
@click.option(
    "--against",
    default="reference",
    show_default=True,
    metavar="reference|previous|last-week|version=NAME|segment=COLUMN=VALUE",
    help="What each window is compared with.",
)
@json_option
def drift_command(project: Path | None, *, as_json: bool, against: str, **words: Any) -> None:
    """Every feature, the score, the decision and the label against the reference, or something else."""
    from app.commands import tables

    columns = (
        tables.window(),
        tables.text("version", context=True),
        tables.text("against", context=True, drop=9),
        tables.text("reference_version", context=True, drop=9),
        tables.text("feature"),
        tables.text("role", drop=7),
        tables.text("drifted"),
        tables.figures("total_variation", "total variation"),
        tables.figures("p_adjusted", "p adjusted"),
        tables.figures("psi"),
        tables.figures("noise_floor", "noise floor", drop=4),
        tables.figures("missing_rate", "missing", drop=5),
        tables.figures("unseen_rate", "unseen", drop=6),
        tables.figures("n", drop=3),
        tables.figures("n_reference", "n reference", drop=8),
        tables.remark(drop=2),
    )
    answer(
        project,
        words,
        lambda bench, scope: bench.drift(scope, against),
        lambda _: columns,
        as_json=as_json,
        unused=("by", "confidence"),
    )
