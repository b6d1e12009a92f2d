"""What all commands that compute share: PROJECT, the scope options, ``--json``, and a workspace's answers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from analytics.errors import AssayError
from app import locations

if TYPE_CHECKING:
    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column

    Question = Callable[[Workbench, Scope], Results[Any]]
    Columns = Callable[["Answer"], Sequence[Column]]

Command = TypeVar("Command", bound=Callable[..., Any])
WIDTH_WITHOUT_TERMINAL = 120

project_argument = click.argument("project", required=False, type=click.Path(path_type=Path))
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON array of flat records, nothing else."
)

_SCOPE = (
    click.option("--start", metavar="TIME", help="First instant: 2013-03-01, 2013-03-01T14:00, or -7d."),
    click.option("--end", metavar="TIME", help="First instant after the window."),
    click.option("--as-of", metavar="TIME", help="Answer with what was known then."),
    click.option(
        "--version", "versions", multiple=True, metavar="NAME", help="Only this version (repeatable)."
    ),
    click.option(
        "--where",
        multiple=True,
        metavar="SEGMENT=VALUE",
        help="Only these rows (repeatable: the same segment twice means or, different segments mean and).",
    ),
    click.option("--by", metavar="SEGMENT", help="One answer for each value of this segment."),
    click.option(
        "--grain",
        default="all",
        show_default=True,
        metavar="all|5min|15min|hour|day|week|month",
        help="One answer for each such window.",
    ),
    click.option("--confidence", default=0.95, show_default=True, type=float, help="Of every interval."),
)
_WITHOUT_EFFECT = {"by": None, "grain": "all", "confidence": 0.95}


def scope_options(command: Command) -> Command:
    """The scope options, the same for every command; it takes them as ``**words``."""
    # the first option of the list stands first in --help
    for option in reversed(_SCOPE):
        command = option(command)
    return command


@dataclass(frozen=True)
class Answer:
    """What one project of a workspace answered.

    Attributes:
        project: its name.
        zone: the zone its times are in.
        records: flat, one a result.
        notes: what was left out.
        roles: the logged columns that play a role, such as the id; a record names them by it.
    """

    project: str
    zone: ZoneInfo
    records: list[dict[str, Any]]
    notes: tuple[str, ...]
    roles: frozenset[str]


def one_project(path: Path | None) -> Path:
    """The file of the one project that is meant; the sample workspace, where nothing is named, holds several.

    Raises:
        ProjectError: there is no project, or there are several.
    """
    from analytics.errors import ProjectError
    from analytics.project import find_projects

    path = path or locations.sample_logs()
    files = find_projects(path)
    if len(files) > 1:
        names = ", ".join(file.parent.name for file in files)
        raise ProjectError(f"{path}: holds several projects ({names}); name one of them")
    return files[0]


def project_and_word(words: tuple[str, ...], what: str) -> tuple[Path | None, str]:
    """PROJECT (None: the sample logs) and the one word after it: a row, a queue, an experiment."""
    if len(words) > 2:
        raise click.UsageError(f"name one project and one {what}, found {len(words)} words")
    return (Path(words[0]) if len(words) == 2 else None), words[-1]


def answer(
    project: Path | None,
    words: dict[str, Any],
    question: Question,
    columns: Columns,
    *,
    as_json: bool,
    unused: Sequence[str] = (),
) -> None:
    """Put a question to every project of a file, folder or workspace, and print what they answer.

    Args:
        project: as typed; the sample workspace where left out.
        words: the scope as typed.
        question: what to ask of each project.
        columns: how the answer of one project is tabled.
        as_json: print records instead.
        unused: scope options that mean nothing to this question.

    Raises:
        AssayError: no project could answer.
    """
    for name in unused:
        if words[name] != _WITHOUT_EFFECT[name]:
            say(f"--{name} has no effect here")
    words = words | {name: _WITHOUT_EFFECT[name] for name in unused}
    answers = collect(project or locations.sample_logs(), words, question)
    for found in answers:
        for note in found.notes:
            say(f"{found.project}: {note}")
    if as_json:
        print_json(answers)
    else:
        print_tables(answers, columns)


def collect(path: Path, words: dict[str, Any], question: Question) -> list[Answer]:
    """The answers of every project that can answer; the others are named on standard error."""
    from analytics.project import find_projects
    from analytics.workbench import open_workbench

    files = find_projects(path)
    answers: list[Answer] = []
    failed: dict[str, AssayError] = {}
    for file in files:
        try:
            with closing(open_workbench(file)) as bench:
                results = question(bench, bench.scope(**words))
                section = bench.project.predictions
                roles = frozenset(section.roles().values() if section is not None else ())
                found = Answer(bench.project.name, results.zone, results.to_records(), results.notes, roles)
        except AssayError as error:
            if len(files) == 1:
                raise
            failed[str(file.parent.name)] = error
        else:
            answers.append(found)
    reasons = [f"{name}: {error}" for name, error in failed.items()]
    if not answers:
        raise AssayError(f"no project here can answer: {'; '.join(reasons)}")
    for reason in reasons:
        say(f"skipped {reason}")
    return answers


def print_json(answers: Sequence[Answer]) -> None:
    """One array of all records on standard output; the project stands first in each."""
    write_records([{"project": found.project, **record} for found in answers for record in found.records])


def print_tables(answers: Sequence[Answer], columns: Columns) -> None:
    """A table for each project, as wide as the terminal."""
    from app.commands.tables import render

    width = terminal_width()
    shown = (render(found.project, found.records, columns(found), found.zone, width) for found in answers)
    write("\n".join(shown))


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 40)).columns


def write(text: str) -> None:
    """Text on standard output; a terminal that cannot show a character gets a question mark, not a traceback."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def write_records(records: Sequence[Mapping[str, Any]]) -> None:
    """One JSON array of flat records on standard output, and nothing else."""
    import orjson

    click.echo(orjson.dumps(records, option=orjson.OPT_APPEND_NEWLINE), nl=False)


def say(message: str) -> None:
    """A message for people, on standard error, in one line."""
    click.echo(f"assay: {' '.join(message.split())}", err=True)
