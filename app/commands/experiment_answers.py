"""What all commands about one experiment share: ``[PROJECT] NAME``, the window, ``--json``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app import locations
from app.commands.common import Answer, json_option, print_json, print_tables, say, write
from app.commands.experiment import declaring
from app.commands.typed_numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.results import Results
    from analytics.scope import Scope
    from analytics.workbench import Workbench
    from app.commands.tables import Column

    Question = Callable[[Workbench, str, Scope, float | None], Results[Any]]

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("words", nargs=-1, required=True, metavar="[PROJECT] NAME"),
    click.option("--start", metavar="TIME", help="Only units first exposed from this instant on."),
    click.option("--end", metavar="TIME", help="Only what happened before this instant."),
    click.option("--as-of", metavar="TIME", help="Answer with what was known then."),
    click.option(
        "--confidence", type=NUMBER, help="Of every interval; 1 - the experiment's alpha if left out."
    ),
    json_option,
)


def experiment_options(command: Command) -> Command:
    """``[PROJECT] NAME``, ``--start``, ``--end``, ``--as-of``, ``--confidence``, ``--json``; it takes them as words."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def answer_about(
    words: tuple[str, ...],
    asked: dict[str, Any],
    question: Question,
    columns: Callable[[Answer], Sequence[Column]] | None,
    *,
    as_json: bool,
    text: Callable[[Answer], str] = str,
) -> None:
    """Put a question to every project that declares the experiment, and print what they answer.

    Args:
        words: a project and a name, or a name on the sample logs.
        asked: the window and the confidence as typed.
        question: what to ask of a workbench, given the name, the scope and the confidence (None: as declared).
        columns: how the answer of one project is tabled; None where it is told by ``text``.
        as_json: print records instead.
        text: what the answer of one project says, where no table does.
    """
    from analytics.workbench import open_workbench

    if len(words) > 2:
        raise click.UsageError(f"name one project and one experiment, found {len(words)} words")
    path = Path(words[0]) if len(words) == 2 else locations.sample_logs()
    confidence = asked.pop("confidence")
    known = asked if confidence is None else {**asked, "confidence": confidence}
    answers = []
    for file in declaring(path, words[-1], alone=len(words) == 1):
        with closing(open_workbench(file)) as bench:
            found = question(bench, words[-1], bench.scope(**known), confidence)
            project = bench.project.name
        answers.append(Answer(project, found.zone, found.to_records(), found.notes, frozenset()))
    for one in answers:
        for note in one.notes:
            say(f"{one.project}: {note}")
    if as_json:
        print_json(answers)
    elif columns is None:
        write("\n".join(map(text, answers)))
    else:
        print_tables(answers, columns)
