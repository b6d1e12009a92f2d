"""`assay power`: how many units, which effect, which power, and for how many days?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.commands.common import json_option, terminal_width, write, write_records
from app.commands.typed_numbers import NUMBER, SHARES, WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from analytics.experiments.rows import PowerRow
    from app.commands.tables import Column


@click.command("power")
@click.argument("kind", type=click.Choice(["proportion", "mean", "ratio", "count"]))
@click.option(
    "--baseline", required=True, type=NUMBER, help="Share, mean, ratio or mean count of the control."
)
@click.option("--difference", type=NUMBER, help="The effect to be seen: arm minus control.")
@click.option("--lift", type=NUMBER, help="The same relative to the baseline's size: 0.05 or 5%.")
@click.option(
    "--n",
    "n_per_variant",
    type=WHOLE,
    help="Units an arm: alone it gives the detectable effect, with an effect the power.",
)
@click.option(
    "--sd",
    "standard_deviation",
    type=NUMBER,
    help="Of a unit's value; of a ratio: of its linearised value; of a count: Poisson where left out.",
)
@click.option("--alpha", default=0.05, show_default=True, type=NUMBER, help="Of the whole experiment.")
@click.option("--power", type=NUMBER, help="Chance to see the effect.  [default: 0.8]")
@click.option("--variants", type=click.INT, help="Arms with the control.  [default: 2, or as many as shares]")
@click.option("--shares", type=SHARES, help="Of the arms, control first: 0.5,0.3,0.2; equal where left out.")
@click.option("--one-sided", is_flag=True, help="Test only the effect's own direction.")
@click.option("--down", "fall", is_flag=True, help="With --n alone: the detectable fall, not the rise.")
@click.option(
    "--no-correction",
    is_flag=True,
    help="Plan each of several comparisons at alpha itself, not Holm's first step.",
)
@click.option("--daily-units", type=NUMBER, help="Units a day, over all arms; gives the days.")
@json_option
def power_command(*, as_json: bool, no_correction: bool, power: float | None, **words: Any) -> None:
    """Plan an experiment: an effect gives the units, --n the detectable effect, both the power.

    Normal approximation, two-sided unless --one-sided, without continuity correction. No logs are read.
    """
    effect = [name for name in ("difference", "lift") if words[name] is not None]
    if effect and words["fall"]:
        raise click.UsageError(f"--down goes with --n alone; a fall is a negative --{effect[0]}")
    if effect and words["n_per_variant"] is not None and power is not None:
        raise click.UsageError("--n with an effect gives the power; leave --power out")
    from analytics.experiments.power import power_of, sentence

    row = power_of(
        power=0.8 if power is None else power, correction="none" if no_correction else "holm", **words
    )
    if as_json:
        from analytics.results import record

        write_records([record(row, _utc())])
        return
    write(f"{sentence(row)}\n\n{_table(row)}\nAssumed: {row.assumption}.\n")


def _utc() -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")


def _table(row: PowerRow) -> str:
    from analytics.results import record
    from app.commands import tables

    uneven = len(set((row.n_by_variant or "").split(", "))) > 1
    columns = [
        tables.figures("n_per_variant", "units an arm"),
        *([tables.text("n_by_variant", "by arm, control first", drop=4)] if uneven else []),
        tables.figures("n_total", "in all"),
        _words("mde_absolute", "difference"),
        _words("mde_relative", "lift", drop=2),
        _words("power", "power"),
        tables.figures("days"),
        _words("alpha_per_comparison", "alpha of a comparison", drop=3),
    ]
    return tables.render(f"plan · {row.kind}", [record(row, _utc())], columns, None, terminal_width())


def _words(name: str, title: str, *, drop: int = 0) -> Column:
    from app.charts import experiment_words
    from app.commands import tables
    from app.formats import percent

    def cell(record: Mapping[str, Any], _: ZoneInfo) -> str:
        value = record[name]
        if name == "mde_absolute":
            return experiment_words.difference(record["kind"], value)
        if name == "mde_relative":
            return experiment_words.lift(value)
        if name == "power":
            return percent(value)
        return f"{value:.3g}"

    return tables.Column(title, cell, right=True, drop=drop)
