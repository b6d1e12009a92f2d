"""`assay experiment-health`: can it be trusted? `assay experiment-ages`: does the effect last?"""

from __future__ import annotations

import textwrap
from typing import Any

import click

from app.commands.common import Answer, terminal_width
from app.commands.experiment_answers import answer_about, experiment_options


@click.command("experiment-health")
@experiment_options
def experiment_health_command(words: tuple[str, ...], *, as_json: bool, **asked: Any) -> None:
    """Every check of an experiment: what its own logs say for or against trusting it.

    The split (looked at daily), imbalance before, units in several arms and broken logs block a verdict. The others
    warn. Of a broken split: since when, in which segments, and every usual cause with what the logs say about it.
    """
    answer_about(
        words,
        asked,
        lambda bench, name, scope, _: bench.health(name, scope),
        None,
        as_json=as_json,
        text=_told,
    )


def _told(answer: Answer) -> str:
    """One finding a paragraph: what is found is a sentence, which no column holds."""
    from app.commands import tables

    width, lines = max(terminal_width(), 60), [answer.project, ""]
    for record in answer.records:
        name = f"{record['name']} ({record['cause']})" if record["name"] == "srm_cause" else record["name"]
        lines += textwrap.wrap(
            f"{record['level']:<8}{tables.plain(name)}: {tables.plain(record['sentence'])}",
            width,
            subsequent_indent=" " * 8,
        )
    return "\n".join(lines) + "\n"


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
