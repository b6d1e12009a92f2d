"""`assay experiment`: did the variant win, from the logs?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analytics.errors import AssayError, ExperimentError
from app import locations
from app.commands.common import json_option, say, terminal_width, write, write_records
from app.commands.typed_numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("experiment")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] NAME")
@click.option("--start", metavar="TIME", help="Only units first exposed from this instant on.")
@click.option("--end", metavar="TIME", help="Only what happened before this instant.")
@click.option("--as-of", metavar="TIME", help="Answer with what was known then.")
@click.option("--confidence", type=NUMBER, help="Of every interval; 1 - the experiment's alpha if left out.")
@click.option(
    "--method", "methods", multiple=True, metavar="NAME", help="Compare by this method besides; repeatable."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the whole scorecard to a file instead: a page that stands alone (.html), or every record (.csv).",
)  # fmt: skip
@json_option
def experiment_command(
    words: tuple[str, ...],
    confidence: float | None,
    methods: tuple[str, ...],
    output: Path | None,
    *,
    as_json: bool,
    **window: Any,
) -> None:
    """Every metric of every arm of an experiment against its control, the split, and the verdict.

    With a single argument it is the NAME, on the sample logs. In a workspace every project that declares
    NAME answers.
    """
    if len(words) > 2:
        raise click.UsageError(f"name one project and one experiment, found {len(words)} words")
    path = Path(words[0]) if len(words) == 2 else locations.sample_logs()
    if output is not None:
        _save(output, only(path, words[-1], alone=len(words) == 1), words[-1], (window, confidence))
        return
    answers = [
        _ask(file, words[-1], window, (confidence, methods), as_json=as_json)
        for file in declaring(path, words[-1], alone=len(words) == 1)
    ]
    if as_json:
        write_records([record for records, _ in answers for record in records])
    else:
        write("\n".join(text for _, text in answers))


def _ask(
    file: Path,
    name: str,
    window: dict[str, Any],
    how: tuple[float | None, tuple[str, ...]],
    *,
    as_json: bool,
) -> tuple[list[dict[str, Any]], str]:
    """Records and text of one project's answer."""
    from analytics.workbench import open_workbench
    from app.commands.comparisons import text

    confidence, methods = how
    with closing(open_workbench(file)) as bench:
        scope = bench.scope(**(window if confidence is None else {**window, "confidence": confidence}))
        results = bench.experiment(name, scope, confidence=confidence, methods=methods)
        # read and analysed once: the workbench keeps the scorecard that the records are from
        card = bench.scorecard(scope, name=name, confidence=confidence)
        project = bench.project.name
    said = (card.decision.sentence, card.correction) if as_json else (card.correction,)
    if methods:
        said = (*said, f"Not corrected, and no part of the verdict: {', '.join(methods)}.")
    for note in (*said, *card.health.notes):
        say(f"{project}: {note}")
    records = results.to_records()
    title = f"{project} · {name}"
    shown = "" if as_json else text(title, card.decision.sentence, records, results.zone, terminal_width())
    return [{"project": project, **record} for record in records], shown


def _save(output: Path, file: Path, name: str, how: tuple[dict[str, Any], float | None]) -> None:
    """Write the scorecard of one project to a file."""
    from analytics.workbench import open_workbench
    from app.export.file import check_ending, save

    check_ending(output)
    window, confidence = how
    with closing(open_workbench(file)) as bench:
        scope = bench.scope(**(window if confidence is None else {**window, "confidence": confidence}))
        card = bench.scorecard(scope, name=name, confidence=confidence)
        save(output, bench, card, scope)
    say(f"{bench.project.name}: the scorecard of {name} is in {output}")


def only(path: Path, name: str, *, alone: bool) -> Path:
    """The one project file that declares an experiment of this name.

    Raises:
        AssayError: none does, or several do.
    """
    files = declaring(path, name, alone=alone)
    if len(files) > 1:
        names = ", ".join(file.parent.name for file in files)
        raise ExperimentError(f'{path}: several projects declare "{name}" ({names}); name one of them')
    return files[0]


def declaring(path: Path, name: str, *, alone: bool) -> list[Path]:
    """The project files that declare an experiment of this name.

    Raises:
        AssayError: none does; with the nearest name.
    """
    from analytics.project import find_projects, read_project

    files = find_projects(path)
    declared: dict[Path, Sequence[str]] = {}
    for file in files:
        try:
            declared[file] = tuple(read_project(file).experiments)
        except AssayError as error:
            if len(files) == 1:
                raise
            say(f"skipped {file.parent.name}: {error}")
    found = [file for file, names in declared.items() if name in names]
    if not found:
        raise ExperimentError(
            _unknown(path, name, [known for names in declared.values() for known in names], alone=alone)
        )
    return found


def _unknown(path: Path, name: str, known: Sequence[str], *, alone: bool) -> str:
    from difflib import get_close_matches

    if alone and name and Path(name).exists():
        return f"{name} is a path; name the experiment after it: assay experiment {name} NAME"
    if not known:
        return f"{path}: no experiment is declared; an [experiments.NAME] section declares one"
    near = get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"declared: {', '.join(sorted(set(known)))}"
    return f'{path}: there is no experiment "{name}"; {hint}'
