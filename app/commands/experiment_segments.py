"""`assay experiment-segments`: among whom is the effect different, and how much of that is chance?"""

from __future__ import annotations

from typing import Any

import click

from app.commands.experiment_answers import answer_about, experiment_options


@click.command("experiment-segments")
@experiment_options
@click.option("--metric", metavar="NAME", help="One metric only; all of the experiment's if left out.")
def experiment_segments_command(
    words: tuple[str, ...], metric: str | None, *, as_json: bool, **asked: Any
) -> None:
    """The effect of every arm among the units of every value of every declared segment.

    Effects are pulled towards what the values of a segment share, and tested for being the same in all of them; tests
    are corrected for everything that is looked at of a metric. Values with under 20 units of an arm are one, (other).
    """
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("variant", context=True),
        tables.text("segment"),
        tables.text("segment_value", "value"),
        tables.figures("n", drop=4),
        tables.figures("n_control", drop=4),
        tables.figures("difference"),
        tables.between("ci_low", "ci_high", "interval", drop=1),
        tables.figures("shrunken", drop=2),
        tables.between("shrunken_ci_low", "shrunken_ci_high", "interval of it", drop=2),
        tables.figures("elsewhere", drop=3),
        tables.figures("different_p_adjusted", "p of a difference"),
        tables.remark(drop=7),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.segment_effects(
            name, scope, metric=metric, confidence=confidence
        ),
        lambda _: columns,
        as_json=as_json,
    )
