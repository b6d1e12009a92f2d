"""`assay check`: does any alert rule fire? `assay incidents`: what fires together, and why?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import locations
from app.commands.common import json_option, say, terminal_width, write, write_records

if TYPE_CHECKING:
    from analytics.workbench import Workbench

Records = list[dict[str, Any]]
FIRES = 1
_WORDS = click.argument("words", nargs=-1, metavar="[PROJECT] [NAME]...")
_AS_OF = click.option("--as-of", metavar="TIME", help="How it stood then, with what was known then.")


@click.command("check")
@_WORDS
@_AS_OF
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write a report for CI besides: one test case for each alert.",
)  # fmt: skip
@json_option
def check_command(words: tuple[str, ...], as_of: str | None, junit: Path | None, *, as_json: bool) -> int:
    """Every target of every alert rule (or of those NAMEd) as it stands now; exit status 1 if one fires.

    The first word is a PROJECT where there is such a file or folder. A silenced alert does not count.
    """
    from app.commands import tables

    columns = (
        tables.text("state"),
        tables.text("alert"),
        tables.text("severity", drop=5),
        tables.text("version", drop=2),
        tables.text("segment_value", "segment", drop=1),
        tables.figures("value"),
        tables.between("ci_low", "ci_high", "interval", drop=3),
        tables.figures("threshold", "limit"),
        tables.moment("since"),
        tables.text("sentence", drop=6),
    )
    found = _answers(words, as_of, "check")
    records = [record for _, _, each in found for record in each]
    if junit is not None:
        from app.commands.junit import junit_report

        junit.write_bytes(junit_report(records))
        say(f"wrote {junit}")
    _show(found, columns, as_json=as_json)
    fires = [record for record in records if record["state"] == "firing"]
    if fires and not as_json:
        write(f"{len(fires)} of {len(records)} alerts fire.\n")
    return FIRES if fires else 0


@click.command("incidents")
@_WORDS
@_AS_OF
@json_option
def incidents_command(words: tuple[str, ...], as_of: str | None, *, as_json: bool) -> None:
    """What fires, by what belongs together: the likeliest common cause first, and what to do."""
    from app.commands import tables

    columns = (
        tables.figures("incident"),
        tables.text("severity"),
        tables.text("state", drop=3),
        tables.moment("since"),
        tables.text("rules", drop=2),
        tables.figures("n_targets", "alerts", drop=4),
        tables.text("action"),
        tables.text("sentence"),
    )
    _show(_answers(words, as_of, "incidents"), columns, as_json=as_json)


def _answers(words: tuple[str, ...], as_of: str | None, question: str) -> list[tuple[str, Any, Records]]:
    """Name, zone and records of every project that has rules; an error where none has."""
    from analytics.errors import AssayError, ProjectError
    from analytics.project import find_projects
    from analytics.workbench import open_workbench

    path, names = split_words(words)
    files = find_projects(path)
    answers: list[tuple[str, Any, Records]] = []
    failed: list[str] = []
    for file in files:
        try:
            with closing(open_workbench(file)) as bench:
                if not bench.project.alerts and len(files) > 1:
                    continue
                answers.append((bench.project.name, bench.project.zone, _ask(bench, names, as_of, question)))
        except AssayError as error:
            if len(files) == 1:
                raise
            failed.append(f"{file.parent.name}: {error}")
    if not answers:
        raise ProjectError("; ".join(failed) or f"{path}: no project here declares an [alerts.NAME]")
    for reason in failed:
        say(f"skipped {reason}")
    return answers


def split_words(words: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """The project and the names of rules: the first word is a project where it leads to something on disk."""
    if words and (Path(words[0]).exists() or "/" in words[0]):
        return Path(words[0]), tuple(words[1:])
    return locations.sample_logs(), tuple(words)


def _ask(bench: Workbench, names: Sequence[str], as_of: str | None, question: str) -> Records:
    from analytics.alerts.said import read_said, with_said
    from analytics.results import Results
    from analytics.scope import parse_instant

    at = parse_instant(as_of, bench.project.zone, bench.now()) if as_of else None
    if question == "incidents":
        return bench.incidents(names, at=at).to_records()
    found = bench.check(names, at=at)
    for note in found.notes:
        say(f"{bench.project.name}: {note}")
    said = read_said(bench.store, bench.project.name)
    return Results(with_said(found, said), found.zone).to_records()


def _show(found: Sequence[tuple[str, Any, Records]], columns: Sequence[Any], *, as_json: bool) -> None:
    from app.commands import tables

    if as_json:
        write_records([{"project": name, **record} for name, _, records in found for record in records])
        return
    shown = [
        tables.render(name, [_listed(record) for record in records], columns, zone, terminal_width())
        for name, zone, records in found
    ]
    write("\n".join(shown))


def _listed(record: dict[str, Any]) -> dict[str, Any]:
    """A record whose list of rules reads as text."""
    return record | {"rules": ", ".join(record["alerts"])} if "alerts" in record else record
