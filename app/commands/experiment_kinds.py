"""`assay experiment-funnel`: how far units came. `assay experiment-exposures`: who counts, who does not, and why."""

from __future__ import annotations

from typing import Any

import click

from app.commands.experiment_answers import answer_about, experiment_options


@click.command("experiment-funnel")
@experiment_options
def experiment_funnel_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every step of every funnel of an experiment: its share of all exposed units, and the rate from step to step.

    Shares compare arms. Rates describe one arm only: who reaches a step is changed by the arm itself.
    """
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant"),
        tables.figures("step"),
        tables.text("condition", drop=6),
        tables.figures("n", drop=4),
        tables.figures("reached", drop=3),
        tables.figures("share"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
        tables.figures("rate", "of the step before"),
        tables.between("rate_ci_low", "rate_ci_high", "interval of it", drop=5),
        tables.figures("difference", "share less control's"),
        tables.between("difference_ci_low", "difference_ci_high", "interval of that", drop=2),
        tables.remark(drop=7),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.funnel(name, scope, confidence=confidence),
        lambda _: columns,
        as_json=as_json,
    )


@click.command("experiment-exposures")
@experiment_options
def experiment_exposures_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every state of units, exposures and rows of an experiment, with how many are in it and whether they count."""
    from app.commands import tables

    columns = (
        tables.text("state"),
        tables.text("variant"),
        tables.text("metric", drop=1),
        tables.figures("n"),
        tables.figures("share"),
        tables.text("counted", drop=2),
        tables.text("enters"),
        tables.text("meaning", drop=3),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, _: bench.exposure_states(name, scope),
        lambda _: columns,
        as_json=as_json,
    )
