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


KINDS = ("proportion", "mean", "ratio", "count", "quantile")
PRESET_NAMES = ("small-web-test", "guardrail", "model-canary", "a-a")
_TERMS = ("goal", "true_difference", "relative", "metrics", "power_for", "stopping", "looks", "boundary")
_PLAIN = (
    click.argument("kind", type=click.Choice(KINDS), required=False),
    click.option("--preset", type=click.Choice(PRESET_NAMES), help="A usual plan; other options change it."),
    click.option(
        "--baseline", type=NUMBER, help="Share, mean, ratio, mean count or quantile of the control."
    ),
    click.option("--difference", type=NUMBER, help="The effect to be seen: arm minus control."),
    click.option("--lift", type=NUMBER, help="The same relative to the baseline's size: 0.05 or 5%."),
    click.option(
        "--n",
        "n_per_variant",
        type=WHOLE,
        help="Units an arm: alone it gives the detectable effect, with an effect the power.",
    ),
    click.option(
        "--sd",
        "standard_deviation",
        type=NUMBER,
        help="Of a unit's value; of a ratio: of its linearised value; of a count: Poisson where left out.",
    ),
    click.option("--alpha", type=NUMBER, help="Of the whole experiment.  [default: 0.05]"),
    click.option("--power", type=NUMBER, help="Chance to see the effect.  [default: 0.8]"),
    click.option(
        "--variants", type=click.INT, help="Arms with the control.  [default: 2, or as many as shares]"
    ),
    click.option(
        "--shares", type=SHARES, help="Of the arms, control first: 0.5,0.3,0.2; equal where left out."
    ),
    click.option("--one-sided", is_flag=True, default=None, help="Test only the effect's own direction."),
    click.option("--down", "fall", is_flag=True, help="With --n alone: the detectable fall, not the rise."),
    click.option(
        "--no-correction",
        is_flag=True,
        help="Plan each of several comparisons at alpha itself, not Holm's first step.",
    ),
    click.option("--daily-units", type=NUMBER, help="Units a day, over all arms; gives the days."),
)
_MORE = (
    click.option(
        "--goal",
        type=click.Choice(["difference", "non-inferiority", "equivalence"]),
        help="Show an effect, or rule one out: the effect is then the margin.  [default: difference]",
    ),
    click.option(
        "--true-difference",
        type=NUMBER,
        help="Arm minus control as it truly is, with a margin.  [default: 0]",
    ),
    click.option(
        "--relative",
        is_flag=True,
        default=None,
        help="Test the lift, or take the margin relative to the control.",
    ),
    click.option("--metrics", type=click.INT, help="Metrics that are corrected for together.  [default: 1]"),
    click.option(
        "--power-for",
        type=click.Choice(["each", "all"]),
        help="Power of each comparison, or of all together.  [default: each]",
    ),
    click.option(
        "--correlation", type=NUMBER, help="Of each unit's value with a covariate from before (CUPED)."
    ),
    click.option("--r2", type=NUMBER, help="Or the share of the variance that covariates explain."),
    click.option("--design-effect", type=NUMBER, help="How many times as many units clusters cost."),
    click.option("--icc", type=NUMBER, help="Or the correlation within clusters, with --cluster-size."),
    click.option("--cluster-size", type=NUMBER, help="Units of a cluster on average."),
    click.option(
        "--cluster-variation", type=NUMBER, help="Standard deviation of cluster sizes / their mean."
    ),
    click.option(
        "--stopping",
        type=click.Choice(["fixed", "group-sequential", "always-valid"]),
        help="When it may stop.  [default: fixed]",
    ),
    click.option("--looks", type=click.INT, help="How often it is looked at.  [default: 1, 5 or 28]"),
    click.option(
        "--boundary",
        type=click.Choice(
            ["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"]
        ),
        help="Of a group-sequential design.  [default: lan-demets-obrien-fleming]",
    ),
    click.option(
        "--quantile", type=NUMBER, help="Which one, for KIND quantile; with --density instead of --sd."
    ),
    click.option("--density", type=NUMBER, help="Of the values at the quantile: the share of units per 1."),
)


def _options(command: Any) -> Any:
    for option in reversed((*_PLAIN, *_MORE)):
        command = option(command)
    return command


@click.command("power")
@_options
@json_option
def power_command(*, as_json: bool, **words: Any) -> None:
    """Plan an experiment: an effect gives the units, --n the detectable effect, both the power.

    Normal approximation, two-sided unless --one-sided, without continuity correction. No logs are read.
    """
    _refuse(words)
    from analytics.experiments.power import power_of, sentence

    row = power_of(**_asked(words))
    if as_json:
        from analytics.results import record

        write_records([record(row, _utc())])
        return
    write(f"{sentence(row)}\n\n{_table(row)}\nAssumed: {row.assumption}.\n")


def _refuse(words: dict[str, Any]) -> None:
    """Options that contradict each other.

    Raises:
        UsageError: with what to write instead.
    """
    for name in ("kind", "baseline"):
        if words[name] is None and words["preset"] is None:
            what = "argument 'KIND'" if name == "kind" else "option '--baseline'"
            raise click.UsageError(f"Missing {what}, or a --preset to start from")
    effect = [name for name in ("difference", "lift") if words[name] is not None]
    if effect and words["fall"]:
        raise click.UsageError(f"--down goes with --n alone; a fall is a negative --{effect[0]}")
    if effect and words["n_per_variant"] is not None and words["power"] is not None:
        raise click.UsageError("--n with an effect gives the power; leave --power out")
    pairs = (("correlation", "r2"), ("design_effect", "icc"), ("standard_deviation", "density"))
    for first, second in pairs:
        if words[first] is not None and words[second] is not None:
            names = " or ".join(_option(name) for name in (first, second))
            raise click.UsageError(f"give either {names}, not both")
    for first, second in (("icc", "cluster_size"), ("cluster_variation", "icc"), ("quantile", "density")):
        if (words[first] is None) != (words[second] is None) and not (
            first == "cluster_variation" and words[first] is None
        ):
            raise click.UsageError(f"{_option(first)} and {_option(second)} go together")


def _option(name: str) -> str:
    return "--sd" if name == "standard_deviation" else f"--{name.replace('_', '-')}"


def _asked(words: dict[str, Any]) -> dict[str, Any]:
    """What `power_of` takes, a preset's words under those that were typed."""
    from dataclasses import replace

    from analytics.experiments.power import Terms, quantile_deviation
    from analytics.experiments.presets import preset

    start = None if words["preset"] is None else preset(words["preset"])
    asked: dict[str, Any] = dict(start.words) if start is not None else {}
    names = (
        "kind", "baseline", "difference", "lift", "n_per_variant", "standard_deviation", "alpha", "power", "variants",
        "shares", "one_sided", "daily_units",
    )  # fmt: skip
    typed = {name: words[name] for name in names if words[name] is not None}
    if "lift" in typed or "difference" in typed:
        asked = {name: value for name, value in asked.items() if name not in {"lift", "difference"}}
    if words["density"] is not None:
        typed["standard_deviation"] = quantile_deviation(words["quantile"], words["density"])
    terms = replace(start.terms if start is not None else Terms(), **_terms(words))
    correction = "none" if words["no_correction"] else "holm"
    return asked | typed | {"terms": terms, "correction": correction, "fall": words["fall"]}


def _terms(words: dict[str, Any]) -> dict[str, Any]:
    from analytics.errors import ExperimentError
    from analytics.stats.design_effect import planned_design_effect

    found = {name: words[name] for name in _TERMS if words[name] is not None}
    if words["r2"] is not None:
        found["r2"] = words["r2"]
    if words["correlation"] is not None:
        if not -1 < words["correlation"] < 1:
            raise ExperimentError(
                f"a correlation lies between -1 and 1, such as 0.6, found {words['correlation']:g}"
            )
        found["r2"] = words["correlation"] ** 2
    if words["design_effect"] is not None:
        found["design_effect"] = words["design_effect"]
    if words["icc"] is not None:
        if not 0 <= words["icc"] <= 1 or words["cluster_size"] < 1 or (words["cluster_variation"] or 0) < 0:
            raise ExperimentError(
                "a correlation within clusters lies between 0 and 1, a cluster has a unit or more, and a variation is "
                "not negative"
            )
        found["design_effect"] = planned_design_effect(
            words["icc"], words["cluster_size"], words["cluster_variation"] or 0.0
        )
    return found


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
        *([tables.figures("n_expected", "used on average", drop=3)] if row.stopping != "fixed" else []),
        _words("mde_absolute", "difference" if row.goal == "difference" else "margin"),
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
