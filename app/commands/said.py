"""What people say about alerts: `assay acknowledge`, `silence`, `end-silence`, `note`, and `said` to read it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import locations
from app.commands.common import (
    json_option,
    one_project,
    project_argument,
    say,
    terminal_width,
    write,
    write_records,
)

if TYPE_CHECKING:
    from analytics.project import Project

Records = list[dict[str, Any]]
BY = click.option("--by", required=True, metavar="WHO", help="Who says so; there is no log-in.")
NOTE = click.option("--note", default="", help="What else is worth knowing.")
ALERT = click.option("--alert", metavar="NAME", help="The rule; the whole project if left out.")
VALUE = click.option("--segment-value", metavar="VALUE", help="Only this value of the rule's segment.")


@click.command("acknowledge")
@project_argument
@click.option("--alert", required=True, metavar="NAME", help="The rule that fires.")
@VALUE
@BY
@NOTE
@json_option
def acknowledge_command(project: Path | None, alert: str, by: str, *, as_json: bool, **said: Any) -> None:
    """Keep that somebody knows about an alert that fires now; its next firing is news again."""
    from analytics.workbench import open_workbench

    with closing(open_workbench(_only(project, alert))) as bench:
        kept = bench.acknowledge(alert, by=by, segment_value=said["segment_value"], note=said["note"])
        record = _record("acknowledgement", kept)
    _answer(record, f"{kept.acknowledged_by} knows about {alert}", as_json=as_json)


@click.command("silence")
@project_argument
@ALERT
@VALUE
@click.option("--for", "lasts", metavar="DURATION", help='How long from now on: "2 hours", "3 days".')
@click.option("--until", metavar="TIME", help="Or until this instant.")
@BY
@NOTE
@json_option
def silence_command(project: Path | None, alert: str | None, by: str, *, as_json: bool, **said: Any) -> None:
    """Send nothing about an alert, or about a whole project, for a while; a silence always has an end."""
    from analytics.workbench import open_workbench

    with closing(open_workbench(_only(project, alert))) as bench:
        ends_at = _end(bench.project, said["lasts"], said["until"])
        kept = bench.silence(
            alert, by=by, ends_at=ends_at, segment_value=said["segment_value"], note=said["note"]
        )
        until = f"{kept.ends_at.astimezone(bench.project.zone):%Y-%m-%d %H:%M} ({bench.project.zone.key})"
        record = _record("silence", kept)
    _answer(
        record,
        f"silence {kept.id}: nothing is told of {alert or kept.project} until {until}",
        as_json=as_json,
    )


@click.command("end-silence")
@project_argument
@click.argument("number", type=int)
@BY
@json_option
def end_silence_command(project: Path | None, number: int, by: str, *, as_json: bool) -> None:
    """End the silence with this NUMBER now."""
    from analytics.workbench import open_workbench

    with closing(open_workbench(_only(project, None))) as bench:
        record = _record("silence", bench.end_silence(number, by=by))
    _answer(record, f"silence {number} is over", as_json=as_json)


@click.command("note")
@project_argument
@click.argument("text")
@ALERT
@VALUE
@BY
@json_option
def note_command(
    project: Path | None, text: str, alert: str | None, by: str, *, as_json: bool, **said: Any
) -> None:
    """Keep a note, TEXT, on an alert or on a whole project; the Alerts page shows it."""
    from analytics.workbench import open_workbench

    with closing(open_workbench(_only(project, alert))) as bench:
        record = _record("note", bench.add_note(alert, by=by, note=text, segment_value=said["segment_value"]))
    _answer(record, f"note {record['number']} is kept", as_json=as_json)


@click.command("said")
@project_argument
@json_option
def said_command(project: Path | None, *, as_json: bool) -> None:
    """What people said about the alerts of PROJECT: who knows, what is silenced until when, and notes."""
    from analytics.alerts.said import read_said
    from analytics.project import find_projects, read_project
    from analytics.store import open_store
    from app.commands import tables

    store, records, shown = open_store(), Records(), []
    for file in find_projects(project or locations.sample_logs()):
        read = read_project(file)
        said = read_said(store, read.name)
        found = [
            *(_record("acknowledgement", one) for one in said.acknowledgements),
            *(_record("silence", one) for one in said.silences),
            *(_record("note", one) for one in said.notes),
        ]
        if not found:
            continue
        records += sorted(found, key=lambda record: record["said_at"])
        columns = [
            tables.figures("number"), tables.text("kind", context=True), tables.text("alert", context=True),
            tables.text("segment_value", "value"), tables.text("said_by", "by"), tables.moment("said_at"),
            tables.moment("until"), tables.text("note", drop=1),
        ]  # fmt: skip
        shown.append(tables.render(read.name, found, columns, read.zone, terminal_width()))
    if not records:
        say(f"nobody has said anything about alerts in {store.place.shown}")
    if as_json:
        write_records(records)
    else:
        write("\n".join(shown))


def _record(kind: str, kept: Any) -> dict[str, Any]:
    """One flat record for whatever was said."""
    by, at = {
        "acknowledgement": ("acknowledged_by", "acknowledged_at"), "silence": ("silenced_by", "silenced_at"),
        "note": ("written_by", "written_at"),
    }[kind]  # fmt: skip
    return {
        "project": kept.project, "kind": kind, "number": kept.id, "alert": kept.alert,
        "segment_value": kept.segment_value, "said_by": getattr(kept, by), "said_at": getattr(kept, at).isoformat(),
        "firing_since": kept.firing_since.isoformat() if kind == "acknowledgement" else None,
        "since": kept.starts_at.isoformat() if kind == "silence" else None,
        "until": kept.until.isoformat() if kind == "silence" else None,
        "ended_by": kept.ended_by if kind == "silence" else None, "note": kept.note,
    }  # fmt: skip


def _answer(record: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    from app.commands.tables import plain

    if as_json:
        write_records([record])
    else:
        write(f"{plain(sentence)}\n")


def _end(project: Project, lasts: str | None, until: str | None) -> datetime:
    from analytics.durations import parse_duration
    from analytics.scope import parse_instant

    if (lasts is None) == (until is None):
        raise click.UsageError('a silence has an end: say --for "2 hours", or --until TIME')
    now = datetime.now(UTC)
    if until is not None:
        return parse_instant(until, project.zone, now)
    try:
        length = parse_duration(lasts or "")
        # a moment more, so that a whole hour is one
        return now + max(length, timedelta(seconds=1))
    except (ValueError, OverflowError) as problem:
        raise click.BadParameter(str(problem), param_hint="--for") from None


def _only(path: Path | None, alert: str | None) -> Path:
    """The one project that is meant: the only one there, or the only one with this rule."""
    from analytics.errors import AssayError, ProjectError
    from analytics.project import find_projects, read_project

    path = path or locations.sample_logs()
    files = find_projects(path)
    if len(files) == 1:
        return files[0]
    if alert is None:
        return one_project(path)
    found = []
    for file in files:
        try:
            if alert in read_project(file).alerts:
                found.append(file)
        except AssayError as problem:
            say(f"skipped {file.parent.name}: {problem}")
    if len(found) != 1:
        many = ", ".join(file.parent.name for file in found) or "none"
        raise ProjectError(f'{path}: one project must declare the alert "{alert}"; found {many}')
    return found[0]
