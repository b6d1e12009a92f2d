"""`assay aggregate`: bring stored aggregates up to date, so that a page's cost does not grow with the logs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analytics.errors import AssayError
from app import locations
from app.commands.common import json_option, project_argument, say, write, write_records

if TYPE_CHECKING:
    from analytics.building.build import Build, Progress
    from analytics.building.verify import Verified
    from analytics.project import Project

    Tell = Callable[[Progress], None]


@click.command("aggregate")
@project_argument
@click.option(
    "--verify",
    is_flag=True,
    help="Compare what is stored with a rebuild from scratch; exit status 1 if it differs.",
)
@click.option("--rebuild", is_flag=True, help="Forget what is stored and build everything anew.")
@json_option
def aggregate_command(project: Path | None, *, verify: bool, rebuild: bool, as_json: bool) -> int:
    """Bring the stored aggregates of PROJECT up to date: only new or changed files are read.

    Several may run at once, and one that is stopped goes on where it was. They lie in the user's cache folder, or
    where ASSAY_AGGREGATES or aggregates.path of the project file says.
    """
    from analytics.project import find_projects, read_project

    files = find_projects(project or locations.sample_logs())
    records: list[dict[str, Any]] = []
    failed: list[AssayError] = []
    for file in files:
        try:
            read = read_project(file)
            if read.predictions is None:
                say(f"{read.name}: has no predictions to aggregate")
                continue
            records += _verified(file) if verify else [_built(read, anew=rebuild)]
        except AssayError as error:
            if len(files) == 1:
                raise
            say(f"{file.parent.name}: {error}")
            failed.append(error)
    if failed and not records:
        raise AssayError("nothing here can be aggregated")
    if as_json:
        write_records(records)
    elif not verify:
        write("".join(f"{_sentence(record)}\n" for record in records))
    return int(verify and any(record["problem"] for record in records))


def _built(project: Project, *, anew: bool) -> dict[str, Any]:
    # not by way of the workbench: what all the other questions need takes longer to import than many a build takes
    from analytics.building.build import bring_up_to_date

    with _bar(project.name) as tell:
        found: Build = bring_up_to_date(project, tell, anew=anew)
    return {
        "project": project.name,
        "days": found.days,
        "rows": found.rows,
        "parts": found.parts,
        "kept": found.kept,
        "aggregates": found.aggregates,
        "bytes": found.n_bytes,
        "damaged": found.damaged,
        "seconds": round(found.seconds, 3),
    }


def _sentence(record: dict[str, Any]) -> str:
    size = f"{record['bytes'] / 2**20:,.1f} MB in all"
    if not record["parts"]:
        text = f"{record['project']}: {record['aggregates']} aggregates are up to date; {size}"
    else:
        made = f"{record['days']:,} days of {record['rows']:,} rows, {record['aggregates']} aggregates"
        text = f"{record['project']}: {made}, {record['seconds']:,.1f} s; {size}"
    return text + (f"; {record['damaged']} damaged files left out" if record["damaged"] else "")


def _verified(file: Path) -> list[dict[str, Any]]:
    """A record a difference, and one of the whole comparison where there is none."""
    from analytics.workbench import open_workbench

    with closing(open_workbench(file)) as bench, _bar(bench.project.name) as tell:
        found: Verified = bench.verify_aggregates(tell)
    name = bench.project.name
    for one in found.differences[:20]:
        split = f" by {' and '.join(one.segments)}" if one.segments else ""
        say(f"{name}: {one.aggregate}{split}, {one.day or 'reference'}: {one.problem}")
    say(f"{name}: {found.parts:,} parts compared, {len(found.differences):,} differ")
    if not found.differences:
        return [
            {
                "project": name,
                "aggregate": None,
                "segments": None,
                "day": None,
                "problem": None,
                "parts": found.parts,
            }
        ]
    return [
        {
            "project": name,
            "aggregate": one.aggregate,
            "segments": ", ".join(one.segments) or None,
            "day": None if one.day is None else one.day.isoformat(),
            "problem": one.problem,
            "parts": found.parts,
        }
        for one in found.differences
    ]


@contextmanager
def _bar(name: str) -> Iterator[Tell]:
    """A progress bar on standard error where that is a terminal, and nothing in a log."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=1000, label=name, file=sys.stderr) as bar:

        def tell(progress: Progress) -> None:
            done = 1000 * progress.rows // max(progress.all_rows, 1)
            bar.label = f"{name}, {progress.stage}"
            bar.update(max(done - int(bar.pos), 0))

        yield tell
