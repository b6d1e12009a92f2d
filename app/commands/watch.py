"""`assay watch`: look at the alerts again and again, and tell whoever is to be told; `assay messages`: what was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import locations
from app.commands.common import json_option, project_argument, say, terminal_width, write, write_records

if TYPE_CHECKING:
    from analytics.alerts.addresses import Addresses
    from analytics.store.outbox import Delivery, Draft, Message

Records = list[dict[str, Any]]


@click.command("watch")
@project_argument
@click.option("--once", is_flag=True, help="Look once, send what is due, and end; for cron.")
@click.option(
    "--dry-run", is_flag=True, help="Print the messages it would send now; nothing is sent or kept."
)
@click.option(
    "--interval",
    metavar="DURATION",
    help="Between two looks; the shortest cadence of the rules, at most 5 minutes, if left out.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve every number for Prometheus on this port of this machine; 0 takes a free one.",
)
@json_option
def watch_command(
    project: Path | None,
    interval: str | None,
    metrics_port: int | None,
    *,
    once: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Look at the rules of PROJECT again and again, and tell whoever is to be told.

    Addresses are Apprise URLs, blank separated, in ASSAY_NOTIFY, or by severity in ASSAY_NOTIFY_PAGE and
    ASSAY_NOTIFY_TICKET; ASSAY_URL is the address of the app, for links. Ends with the message that is being sent
    when asked to (SIGTERM, Ctrl-C).
    """
    from analytics.alerts.addresses import app_address, find_addresses
    from analytics.alerts.send import send
    from analytics.store import open_store
    from app.watching import watching

    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run; `assay messages --json` gives what was told")
    addresses, base, pause = find_addresses(), app_address(), _pause(interval)
    path = project or locations.sample_logs()
    _require_rules(path)
    with watching(path, open_store(), addresses, base, send, say) as watcher:
        if dry_run:
            _print_drafts(watcher.would_tell(), as_json=as_json)
            return 2 if watcher.failed else 0
        _warn(addresses, base)
        if once:
            return 0 if watcher.once() else 2
        with _metrics(path, metrics_port):
            watcher.run(pause)
    return 0


@click.command("messages")
@project_argument
@click.option("--open", "only_open", is_flag=True, help="Only those that have not reached somebody yet.")
@click.option("-k", "limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@json_option
def messages_command(project: Path | None, limit: int, *, only_open: bool, as_json: bool) -> None:
    """What was told about the alerts of PROJECT, to whom, and what is still on its way, the newest first."""
    from analytics.project import find_projects, read_project
    from analytics.store import open_store
    from analytics.store.outbox import deliveries, messages
    from app.commands import tables

    store, records, shown = open_store(), Records(), []
    for file in find_projects(project or locations.sample_logs()):
        read = read_project(file)
        reached: dict[int, list[Delivery]] = {}
        for delivery in deliveries(store, read.name, limit * 20):
            reached.setdefault(delivery.message.id, []).append(delivery)
        found = [
            record
            for message in messages(store, read.name, limit)
            for record in _records(message, reached.get(message.id, []))
            if not only_open or record["state"] in {"waiting", "sending", "given_up"}
        ]
        if not found:
            continue
        records += found
        columns = [
            tables.text("number", context=True),
            tables.moment("written_at"),
            tables.text("title"),
            tables.text("address"),
            tables.text("state"),
            tables.figures("tries", drop=1),
            tables.text("problem", drop=2),
        ]
        shown.append(tables.render(read.name, found, columns, read.zone, terminal_width()))
    if not records:
        say(f"no message {'waits' if only_open else 'is kept'} in {store.place.shown}")
    if as_json:
        write_records(records)
    else:
        write("\n".join(shown))


@contextmanager
def _metrics(path: Path, port: int | None) -> Iterator[None]:
    """Serve the numbers for Prometheus while the watcher runs, where a port was named."""
    if port is None:
        yield
        return
    from app.exporter.server import start_metrics_server

    server = start_metrics_server(path, port)
    say(f"numbers for Prometheus: http://127.0.0.1:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _pause(text: str | None) -> timedelta | None:
    from analytics.durations import parse_duration

    if text is None:
        return None
    try:
        pause = parse_duration(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--interval") from None
    if pause < timedelta(seconds=1):
        raise click.BadParameter("at least 1 second", param_hint="--interval")
    return pause


def _require_rules(path: Path) -> None:
    from analytics.errors import AssayError, ProjectError
    from analytics.project import find_projects, read_project

    problems = []
    for file in find_projects(path):
        try:
            if read_project(file).alerts:
                return
        except AssayError as problem:
            problems.append(str(problem))
    raise ProjectError(
        "; ".join(problems) or f"{path}: no project here declares a rule; write an [alerts.NAME] section"
    )


def _warn(addresses: Addresses, base: str) -> None:
    from analytics.alerts.send import check

    if not addresses.by_name:
        say("ASSAY_NOTIFY names no address: what fires is kept and shown, and nobody is told")
    for name, address in addresses.by_name.items():
        problem = check(address)
        if problem is not None:
            say(f"{name}: {problem}")
    if not base:
        say("ASSAY_URL is not set: links in messages are without the address of the app")


def _print_drafts(drafts: list[tuple[str, Draft]], *, as_json: bool) -> None:
    if as_json:
        write_records(
            [
                {
                    "project": project, "kind": draft.kind, "severity": draft.severity, "title": draft.title,
                    "body": draft.body, "addresses": ", ".join(draft.addresses),
                }
                for project, draft in drafts
            ]
        )  # fmt: skip
        return
    if not drafts:
        say("nothing would be told now")
    for _, draft in drafts:
        to = ", ".join(draft.addresses) or ("whoever was told" if draft.kind == "over" else "nobody")
        write(f"To {to}\n{draft.title}\n\n{draft.body}\n\n")


def _records(message: Message, reached: list[Delivery]) -> Records:
    common = {
        "project": message.project, "number": message.number, "kind": message.kind, "severity": message.severity,
        "title": message.title, "at": message.at.isoformat(), "written_at": message.written_at.isoformat(),
    }  # fmt: skip
    if not reached:
        nobody = {
            "address": None,
            "state": "for nobody",
            "tries": 0,
            "unsure": 0,
            "problem": None,
            "done_at": None,
        }
        return [{**common, **nobody}]
    return [
        {
            **common, "address": one.address, "state": one.state.replace("_", " "), "tries": one.tries,
            "unsure": one.unsure, "problem": one.problem or None,
            "done_at": None if one.done_at is None else one.done_at.isoformat(),
        }
        for one in reached
    ]  # fmt: skip
