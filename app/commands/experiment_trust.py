"""`assay experiment-health`: can it be trusted? `assay experiment-ages`: does the effect last?"""

from __future__ import annotations

from typing import Any

import click

from app.commands.experiment_answers import answer_about, experiment_options


@click.command("experiment-health")
@experiment_options
def experiment_health_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every check of an experiment: what its own logs say for or against trusting it.

    The split (looked at daily), imbalance before, units in several arms and broken logs block a verdict. The others
    warn. Of a broken split: since when, in which segments, and every usual cause with what the logs say about it.
    """
    from app.commands import tables

    columns = (
        tables.text("level"),
        tables.text("name", context=True),
        tables.text("sentence"),
        tables.text("cause", drop=1),
        tables.figures("p_value", "p", drop=2),
        tables.figures("n", drop=3),
        tables.text("query", drop=4),
    )
    answer_about(
        words, asked, lambda bench, name, scope, _: bench.health(name, scope), lambda _: columns, as_json=as_json
    )


@click.command("experiment-ages")
@experiment_options
def experiment_ages_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """The effect of every metric and arm by day since a unit's first exposure: does it wear off, does it grow?

    Day 0 is a unit's first 24 hours. Only units that were followed for all of the days enter.
    """
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant"),
        tables.figures("day"),
        tables.figures("n", drop=4),
        tables.figures("n_control", "n of control", drop=5),
        tables.figures("mean", drop=3),
        tables.figures("mean_control", "control", drop=3),
        tables.figures("difference"),
        tables.between("ci_low", "ci_high", "interval"),
        tables.figures("lift", drop=1),
        tables.remark(drop=6),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.ages(name, scope, confidence=confidence),
        lambda _: columns,
        as_json=as_json,
    )
