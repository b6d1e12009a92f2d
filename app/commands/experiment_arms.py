"""`assay experiment-arms`: every arm by itself, over all days and day by day."""

from __future__ import annotations

from typing import Any

import click

from app.commands.experiment_answers import answer_about, experiment_options


@click.command("experiment-arms")
@experiment_options
def experiment_arms_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every metric in every arm by itself: over all units, and over those first exposed on each day."""
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant", context=True),
        tables.text("day"),
        tables.figures("n"),
        tables.figures("mean", "value"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.remark(drop=1),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.experiment_arms(name, scope, confidence=confidence),
        lambda _: columns,
        as_json=as_json,
    )
