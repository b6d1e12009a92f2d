"""`assay experiment-methods`: which methods suit a metric, what each says, and why the default is the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.commands.common import terminal_width, write, write_records
from app.commands.experiment_answers import answer_about, experiment_options

if TYPE_CHECKING:
    from analytics.experiments.method_rows import KindRow

KINDS = ("mean", "count", "proportion", "ratio", "quantile", "retention", "funnel")


@click.command("experiment-methods")
@experiment_options
@click.option("--metric", metavar="NAME", help="Only this one.")
def experiment_methods_command(
    words: tuple[str, ...], *, metric: str | None, as_json: bool, **asked: Any
) -> None:
    """Every method that suits each metric of an experiment, side by side, the default first.

    With the name of a kind instead (mean, count, proportion, ratio, quantile, retention, funnel): the methods for it,
    when to use each, and why the default is the default. None of the comparisons is corrected; badges and verdict
    stand on the default.
    """
    if len(words) == 1 and words[0] in KINDS:
        _of_kind(words[0], as_json=as_json)
        return
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("control", context=True),
        tables.text("variant"),
        tables.text("method"),
        tables.text("is_default", "default", drop=2),
        tables.figures("difference"),
        tables.between("ci_low", "ci_high", "difference interval"),
        tables.figures("lift", drop=4),
        tables.between("lift_ci_low", "lift_ci_high", "lift interval", drop=3),
        tables.figures("p_value", "p"),
        tables.text("when", drop=6),
        tables.text("warnings", drop=5),
        tables.remark(drop=1),
    )
    answer_about(
        words,
        asked,
        lambda bench, name, scope, confidence: bench.experiment_methods(
            name, scope, metric=metric, confidence=confidence
        ),
        lambda _: columns,
        as_json=as_json,
    )


def _of_kind(kind: str, *, as_json: bool) -> None:
    from dataclasses import asdict

    from analytics.ask.methods import kinds_of
    from app.commands import tables

    rows = kinds_of(kind)
    records = [asdict(row) for row in rows]
    if as_json:
        write_records(records)
        return
    columns = (
        tables.text("method"),
        tables.text("intervals", drop=2),
        tables.text("reads", drop=3),
        tables.text("allows_clusters", "allows clusters", drop=1),
        tables.text("when"),
    )
    table = tables.render(f"methods for a {kind}", records, columns, None, terminal_width())
    write(f"{_sentences(rows)}\n\n{table}")


def _sentences(rows: tuple[KindRow, ...]) -> str:
    """What the defaults are, and why."""
    plain = next(row for row in rows if row.is_default)
    clustered = next(row for row in rows if row.is_default_with_clusters)
    told = f"Default: {plain.method}. {plain.why_default}"
    if clustered is not plain:
        told += f"\nWhere units come in clusters: {clustered.method}. {clustered.why_default}"
    return told
