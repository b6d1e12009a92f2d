"""`assay drill`, `assay chaos`, `assay backtest`: would we notice, what did we see, would this rule have fired?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import locations
from app.commands.check import split_words
from app.commands.common import json_option, project_argument, say, terminal_width, write, write_records

if TYPE_CHECKING:
    from analytics.drills.drill import Drill, DrillPlan
    from analytics.workbench import Workbench

KINDS = (
    "labels_flipped", "feature_null", "feature_scaled", "feature_shifted", "feature_stale", "feature_swapped",
    "scores_biased", "scores_frozen", "labels_delayed", "requests_delayed", "traffic_lost", "traffic_doubled",
    "version_swapped", "burst",
)  # fmt: skip


@click.command("drill")
@project_argument
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What goes wrong.")
@click.option(
    "--start", required=True, metavar="TIME", help="When it begins; every further seed a week later."
)
@click.option("--end", metavar="TIME", help="When it ends; three days later if left out.")
@click.option(
    "--severity", "severities", type=click.FloatRange(0, 1), multiple=True,
    help="From 0 to 1 (repeatable); .25, .5 and 1 if left out.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 10), default=2, show_default=True, help="Runs of each severity."
)
@click.option("--feature", metavar="NAME", help="Of a fault in a feature.")
@click.option("--other", metavar="NAME", help="What it is swapped with.")
@click.option("--where", multiple=True, metavar="SEGMENT=VALUE", help="Only there (repeatable).")
@click.option("--version", metavar="NAME", help="Only this version.")
@click.option("--rule", "rules", multiple=True, metavar="NAME", help="Only these rules (repeatable).")
@click.option(
    "--watch",
    default="7 days",
    show_default=True,
    metavar="DURATION",
    help="How long after its end is watched.",
)
@json_option
def drill_command(project: Path | None, *, as_json: bool, **said: Any) -> None:
    """Plant faults in a copy of the logs and replay the alert rules: what is told, when, and what stays silent.

    The logs themselves are never touched. PROJECT is one project; the sample flights if left out.
    """
    from analytics.drills.drill import Drill
    from analytics.project import find_projects
    from analytics.workbench import open_workbench

    files = find_projects(project or locations.sample_logs() / "flights")
    if len(files) > 1:
        raise click.UsageError("a drill is about one project; name its file or folder")
    with closing(open_workbench(files[0])) as bench:
        for step in bench.drill(_plan(bench, said)):
            if isinstance(step, Drill):
                _show_drill(bench, step, as_json=as_json)
            else:
                say(f"{step.done + 1} of {step.total}: {step.doing}")


def _plan(bench: Workbench, said: dict[str, Any]) -> DrillPlan:
    from datetime import timedelta

    from analytics.drills.drill import DrillPlan
    from analytics.drills.kinds import SEVERITIES
    from analytics.durations import parse_duration
    from analytics.errors import ScopeError
    from analytics.scope import parse_instant

    zone, now = bench.project.zone, bench.now()
    start = parse_instant(said["start"], zone, now)
    end = parse_instant(said["end"], zone, now) if said["end"] else start + timedelta(days=3)
    try:
        watch = parse_duration(said["watch"])
    except ValueError as error:
        raise ScopeError(f"--watch: {error}") from error
    return DrillPlan(
        said["kind"], start, end - start, tuple(said["severities"]) or SEVERITIES, said["seeds"], said["where"],
        said["feature"], said["version"], said["other"], said["rules"], watch,
    )  # fmt: skip


def _show_drill(bench: Workbench, drill: Drill, *, as_json: bool) -> None:
    from analytics.results import record
    from app.commands import tables

    zone, name = bench.project.zone, bench.project.name
    runs = {run.run: run for run in drill.runs}
    records = []
    for row in drill.rows:
        run = runs.get(row.run)
        more = {
            field: getattr(run, field, None)
            for field in ("n_hit", "wrong_before", "wrong_without", "n_before", "explained")
        }
        records.append({"project": name, **record(row, zone), **more})
    for note in drill.notes:
        say(f"{name}: {note}")
    if as_json:
        write_records(records)
        return
    severities = (
        tables.figures("severity"), tables.figures("runs"), tables.figures("told"),
        tables.figures("delay_hours", "median h"),
        tables.between("delay_shortest", "delay_longest", "from - to", drop=2),
        tables.figures("rules", drop=1),
        tables.text("first", "first rule", drop=3), tables.figures("extra_wrong", "extra wrong", drop=4),
        tables.remark(drop=5),
    )  # fmt: skip
    rules = (
        tables.figures("severity"), tables.figures("seed"), tables.text("alert"), tables.text("state"),
        tables.figures("delay_hours", "delay h"), tables.figures("pages", drop=3), tables.moment("told_at"),
        tables.text("segment_value", "segment", drop=1), tables.text("sentence", drop=5),
    )  # fmt: skip
    width = terminal_width()
    whole = [record(row, zone) for row in drill.severities]
    shown = (
        tables.render(f"{name}: by severity", whole, severities, zone, width),
        tables.render(f"{name}: by rule; severity 0 is the untouched replay", records, rules, zone, width),
    )
    write(f"{tables.plain(drill.sentence)}\n\n" + "\n".join(shown))


@click.command("chaos")
@click.argument("words", nargs=-1, metavar="[PROJECT] [NAME]...")
@click.option("--as-of", metavar="TIME", help="With what was known then.")
@json_option
def chaos_command(words: tuple[str, ...], as_of: str | None, *, as_json: bool) -> None:
    """Faults that were real ([[chaos]]), as experiments: expectation against outcome, blast radius, recovery."""
    from analytics.project import find_projects
    from analytics.workbench import open_workbench
    from app.commands import tables

    path, names = split_words(words)
    files = find_projects(path)
    found = []
    for file in files:
        with closing(open_workbench(file)) as bench:
            if len(files) > 1 and not bench.project.chaos:
                continue
            results = bench.chaos(bench.scope(as_of=as_of), names=names)
            found.append((bench.project.name, results))
    if not found:
        say("no project here declares a [[chaos]] window")
    if as_json:
        write_records([{"project": name, **one} for name, results in found for one in results.to_records()])
        return
    columns = (
        tables.text("chaos", context=True), tables.text("part"), tables.text("metric"), tables.text("version", drop=4),
        tables.text("segment_value", "segment"), tables.figures("value"), tables.figures("usual", drop=3),
        tables.figures("difference"), tables.between("ci_low", "ci_high", "interval"),
        tables.figures("p_adjusted", "p adjusted", drop=2), tables.text("outcome"), tables.remark(drop=1),
    )  # fmt: skip
    for name, results in found:
        records = results.to_records()
        said = [tables.plain(record["sentence"]) for record in records if record["sentence"]]
        write(
            "\n".join(said) + "\n\n" + tables.render(name, records, columns, results.zone, terminal_width())
        )


@click.command("backtest")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] NAME")
@click.option(
    "--pages-per-month", type=click.FloatRange(0), help="Also suggest the limit that sends so many."
)
@click.option("--start", metavar="TIME", help="From then on; from the first prediction if left out.")
@click.option("--end", metavar="TIME", help="Until then; now if left out.")
@json_option
def backtest_command(
    words: tuple[str, ...], pages_per_month: float | None, *, as_json: bool, **said: Any
) -> None:
    """Would this rule have fired? Its firings over the past at its real cadence, pages a month, and better limits."""
    from analytics.workbench import open_workbench
    from app.commands import tables

    if len(words) > 2:
        raise click.UsageError(f"name one project and one rule, found {len(words)} words")
    path = Path(words[0]) if len(words) == 2 else locations.sample_logs() / "flights"
    name = words[-1]
    with closing(open_workbench(path)) as bench:
        results = bench.backtest(bench.scope(**said), name=name, pages_per_month=pages_per_month)
        project = bench.project.name
    for note in results.notes:
        say(f"{project}: {note}")
    records = results.to_records()
    if as_json:
        write_records([{"project": project, **record} for record in records])
        return
    columns = (
        tables.text("part"), tables.moment("start"), tables.moment("end"), tables.moment("fired_at"),
        tables.text("version", drop=3), tables.text("segment_value", "segment", drop=2), tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=1), tables.figures("threshold", "limit"),
        tables.figures("n", drop=5), tables.figures("delay_hours", "delay h", drop=4), tables.text("incident", drop=6),
        tables.remark(drop=7),
    )  # fmt: skip
    said_first = [
        tables.plain(r["sentence"]) for r in records if r["part"] in {"whole", "limit"} and r["sentence"]
    ]
    write(
        "\n".join(said_first)
        + "\n\n"
        + tables.render(f"{project}: {name}", records, columns, results.zone, terminal_width())
    )
