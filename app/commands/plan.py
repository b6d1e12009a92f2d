"""`assay plan`: how long would an experiment take, from what the logs hold?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from analytics.errors import AssayError
from app import locations
from app.commands.common import json_option, say, terminal_width, write, write_records
from app.commands.typed_numbers import NUMBER, SHARES

if TYPE_CHECKING:
    from analytics.experiments.plan_rows import PlanAsk
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column

    Question = Callable[[Workbench, str | None, Scope, PlanAsk], Results[Any]]

_OPTIONS = (
    click.argument("words", nargs=-1, metavar="[PROJECT] [METRIC|EXPERIMENT]"),
    click.option("--lift", type=NUMBER, help="To be seen, relative to the baseline.  [default: 5%]"),
    click.option("--difference", type=NUMBER, help="The same in the metric's own units."),
    click.option("--alpha", type=NUMBER, help="Of the whole experiment.  [default: 0.05, or as declared]"),
    click.option("--power", type=NUMBER, help="Wanted of each comparison.  [default: 0.8, or as declared]"),
    click.option("--shares", type=SHARES, help="Of the arms, control first: 0.9,0.1.  [default: equal halves]"),
    click.option("--one-sided", is_flag=True, default=None, help="Look for the effect's own direction only."),
    click.option(
        "--looks", type=click.IntRange(1, 50), help="Of the group-sequential design.  [default: 5, or as declared]"
    ),
    click.option(
        "--boundary",
        type=click.Choice(
            ["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"]
        ),
        help="Of the group-sequential design.",
    ),
    click.option(
        "--within", type=click.INT, default=28, show_default=True, help="Days in which a decision is wanted."
    ),
    click.option(
        "--traffic", type=NUMBER, default=1.0, show_default=True, help="Share of the units that enter: 0.2 or 20%."
    ),
    click.option(
        "--covariate-days", type=click.INT, help="How far CUPED looks back; 0 for none.  [default: as declared]"
    ),
    click.option(
        "--whole-clusters/--split-clusters",
        default=None,
        help="Whether all units of a cluster get one arm.  [default: as the experiment did]",
    ),
    click.option("--end", metavar="TIME", help="Where the logs that are read end.  [default: their last whole day]"),
    click.option("--as-of", metavar="TIME", help="Answer with what was known then."),
    click.option("--confidence", default=0.95, show_default=True, type=float, help="Of every interval."),
    json_option,
)  # fmt: skip


def _options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("plan")
@_options
def plan_command(**typed: Any) -> None:
    """How long an experiment takes: one answer for each metric and way of stopping, the soonest first.

    With the name of a METRIC its baseline is that of every unit in the logs; with that of an EXPERIMENT its control,
    arms, metrics, margins and covariate are taken; without a name every metric is ranked.
    """
    from app.commands import tables

    columns = (
        tables.text("stopping"),
        tables.figures("rank", drop=3),
        tables.text("metric"),
        tables.figures("days"),
        tables.figures("days_low", "low", drop=4),
        tables.figures("days_high", "high", drop=4),
        tables.figures("n_total", "units in all"),
        tables.figures("days_expected", "days on average", drop=2),
        _share("power_within", "power in time"),
        _share("mde_within_relative", "lift seen in time", drop=1),
        _share("smallest_share", "smallest arm", drop=5),
        tables.remark(drop=6),
    )
    _answer(typed, lambda bench, name, scope, ask: bench.plan(name, scope, asked=ask), columns)


@click.command("plan-days")
@_options
def plan_days_command(**typed: Any) -> None:
    """Power, units and the detectable effect by day of the experiment, for every way of stopping."""
    from app.commands import tables

    columns = (
        tables.text("metric", context=True),
        tables.text("stopping"),
        tables.figures("day"),
        tables.figures("units"),
        tables.figures("units_low", "low", drop=4),
        tables.figures("units_high", "high", drop=4),
        _share("power", "power"),
        _share("power_low", "low", drop=3),
        _share("power_high", "high", drop=3),
        tables.figures("mde_absolute", "effect seen", drop=2),
        _share("mde_relative", "lift seen", drop=2),
    )
    _answer(typed, lambda bench, name, scope, ask: bench.plan_days(name, scope, asked=ask), columns)


@click.command("plan-horizons")
@_options
def plan_horizons_command(**typed: Any) -> None:
    """Baseline and variance of the metrics over one to four weeks: both grow with the time a unit is followed."""
    from app.commands import tables

    columns = (
        tables.text("metric"),
        tables.figures("days"),
        tables.figures("n", "units"),
        tables.figures("baseline"),
        tables.figures("ci_low", "low", drop=2),
        tables.figures("ci_high", "high", drop=2),
        tables.figures("standard_deviation", "standard deviation"),
        tables.figures("variance_ratio", "variance, of the first", drop=1),
        tables.figures("r2", drop=4),
        tables.figures("design_effect", "design effect", drop=3),
        tables.figures("n_total", "units in all"),
        tables.remark(drop=5),
    )
    _answer(typed, lambda bench, name, scope, ask: bench.plan_horizons(name, scope, asked=ask), columns)


@click.command("plan-traffic")
@_options
def plan_traffic_command(**typed: Any) -> None:
    """Units a day by weekday."""
    from app.commands import tables

    columns = (
        tables.text("source"),
        tables.text("weekday"),
        tables.figures("units"),
        tables.figures("ratio", "of the mean"),
        tables.figures("days", "days of logs", drop=1),
    )
    _answer(typed, lambda bench, name, scope, ask: bench.plan_traffic(name, scope, asked=ask), columns)


def _share(name: str, title: str, *, drop: int = 0) -> Column:
    from app.commands import tables
    from app.formats import percent

    def cell(record: Mapping[str, Any], _: ZoneInfo) -> str:
        return "–" if record[name] is None else percent(record[name])

    return tables.Column(title, cell, right=True, drop=drop)


def _answer(typed: dict[str, Any], question: Question, columns: Sequence[Column]) -> None:
    from analytics.experiments.plan_rows import PlanAsk
    from app.commands import tables

    as_json, words = typed.pop("as_json"), typed.pop("words")
    window = {name: typed.pop(name) for name in ("end", "as_of", "confidence")}
    ask = PlanAsk(**typed)
    files, name = _projects(words)
    records: list[dict[str, Any]] = []
    for file in files:
        with closing(_open(file)) as bench:
            results = question(bench, name, bench.scope(**window), ask)
            project = bench.project.name
        for note in results.notes:
            say(f"{project}: {note}")
        found = results.to_records()
        records += [{"project": project, **record} for record in found]
        if not as_json:
            title = project if name is None else f"{project} · {name}"
            write(tables.render(title, found, columns, results.zone, terminal_width()))
    if as_json:
        write_records(records)


def _open(file: Path) -> Workbench:
    from analytics.workbench import open_workbench

    return open_workbench(file)


def _projects(words: tuple[str, ...]) -> tuple[list[Path], str | None]:
    """The projects that are asked, and the metric or experiment.

    Raises:
        UsageError: there are too many words.
        AssayError: no project declares the name, or any metric.
    """
    from analytics.project import find_projects, read_project

    if len(words) > 2:
        raise click.UsageError(f"name one project and one metric or experiment, found {len(words)} words")
    alone = len(words) == 1 and Path(words[0]).exists()
    name = None if not words or alone else words[-1]
    path = Path(words[0]) if len(words) == 2 or alone else locations.sample_logs()
    files = find_projects(path)
    if len(files) == 1:
        return list(files), name
    known = {}
    for file in files:
        try:
            project = read_project(file)
        except AssayError as error:
            say(f"skipped {file.parent.name}: {error}")
            continue
        known[file] = {*project.metrics, *project.experiments}
    found = [file for file, names in known.items() if (names if name is None else name in names)]
    if not found:
        from difflib import get_close_matches

        every = sorted(set().union(*known.values()))
        near = get_close_matches(name or "", every, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(every) or 'none'}"
        raise AssayError(f'{path}: there is no metric and no experiment "{name}"; {hint}')
    return found, name
