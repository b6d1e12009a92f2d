"""`assay decide` and `assay decisions`: who decided what on an experiment, on which numbers, when."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from app import locations
from app.commands.common import json_option, project_and_word, say, terminal_width, write, write_records
from app.commands.experiment import declaring, only
from app.commands.typed_numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.workbench import Workbench
    from app.commands.tables import Column

    Records = list[dict[str, Any]]


@click.command("decide")
@click.argument("words", nargs=-1, required=True, metavar="[PROJECT] NAME")
@click.option("--call", type=click.Choice(["ship", "hold", "stop"]), required=True, help="What was decided.")
@click.option("--by", "decided_by", required=True, metavar="WHO", help="Who decided; there is no log-in.")
@click.option("--note", default="", help="Why.")
@click.option("--variant", metavar="ARM", help="The arm it is about, where there are several.")
@click.option("--corrects", type=int, metavar="NUMBER", help="The decision this one takes the place of.")
@click.option("--start", metavar="TIME", help="Only units first exposed from this instant on.")
@click.option("--end", metavar="TIME", help="Only what happened before this instant.")
@click.option("--as-of", metavar="TIME", help="On what was known then.")
@click.option("--confidence", type=NUMBER, help="Of every interval; 1 - the experiment's alpha if left out.")
@json_option
def decide_command(
    words: tuple[str, ...], confidence: float | None, call: str, *, as_json: bool, **said: Any
) -> None:
    """Keep a decision on an experiment beside the numbers it is taken on.

    Nothing is ever changed or removed: a decision that was wrong is corrected by another one.
    """
    from analytics.experiments.ledger import decision_sentence
    from analytics.results import record
    from analytics.workbench import open_workbench
    from app.commands.tables import plain

    path, name = project_and_word(words, "experiment")
    file = only(path or locations.sample_logs(), name, alone=len(words) == 1)
    window = {key: said.pop(key) for key in ("start", "end", "as_of")}
    with closing(open_workbench(file)) as bench:
        scope = bench.scope(**(window if confidence is None else {**window, "confidence": confidence}))
        row = bench.decide(name, scope, decision=call, confidence=confidence, **said)
        records = [{"project": bench.project.name, **record(row, bench.project.zone)}]
        place = bench.store.place.shown
    say(f"decision {row.decision_id} is kept in {place}")
    if as_json:
        write_records(records)
    else:
        write(f"{plain(decision_sentence(row))}.\n{plain(row.sentence)}\n")


@click.command("decisions")
@click.argument("words", nargs=-1, metavar="[PROJECT] [NAME]")
@click.option("--since", is_flag=True, help="Every number then, and with all that is known now.")
@click.option(
    "--reproduce", is_flag=True, help="Every number then, and computed anew from what was known then."
)
@json_option
def decisions_command(words: tuple[str, ...], *, since: bool, reproduce: bool, as_json: bool) -> None:
    """Who decided what on which numbers, the oldest first, and what has changed since.

    With a single argument it is a PROJECT where there is such a file or folder, else the NAME of an experiment
    of the sample logs.
    """
    from analytics.project import find_projects
    from analytics.store import open_store
    from analytics.workbench import open_workbench

    if len(words) > 2:
        raise click.UsageError(f"name one project and one experiment, found {len(words)} words")
    if since and reproduce:
        raise click.UsageError("--since and --reproduce are two questions: ask one of them")
    path, name = _either(words)
    known: Literal["now", "then"] | None = "now" if since else "then" if reproduce else None
    records: Records = []
    shown = []
    for file in find_projects(path):
        with closing(open_workbench(file)) as bench:
            found = _found(bench, name, known)
            if not found:
                continue
            records += [{"project": bench.project.name, **record} for record in found]
            shown.append(_table(bench, found, anew=known is not None))
    if not records:
        if name is not None:
            declaring(path, name, alone=len(words) == 1)  # says which names there are
        say(f"no decision{f' on {name}' if name else ''} is kept in {open_store().place.shown}")
    if as_json:
        write_records(records)
    else:
        write("\n".join(shown))


def _found(bench: Workbench, name: str | None, known: Literal["now", "then"] | None) -> Records:
    from analytics.errors import AssayError, ProjectError

    declared = bench.project.experiments
    try:
        rows = bench.decisions(name)
    except ProjectError:
        # of a workspace only some projects declare it
        return []
    if known is None:
        return rows.to_records()
    records: Records = []
    for decision in rows:
        if decision.experiment not in declared:
            say(
                f"{bench.project.name}: {decision.experiment} is not declared any more: it cannot be computed anew"
            )
            continue
        try:
            records += bench.since(decision.experiment, decision.decision_id, known).to_records()
        except AssayError as problem:
            say(f"{bench.project.name}: decision {decision.decision_id}: {problem}")
    return records


def _table(bench: Workbench, records: Sequence[Mapping[str, Any]], *, anew: bool) -> str:
    from app.commands import tables
    from app.formats import percent

    def lift(when: str) -> Column:
        return tables.Column(
            f"lift {when}", lambda record, _: percent(record.get(f"lift_{when}")), right=True
        )

    columns: list[Column] = [tables.figures("decision_id", "number"), tables.text("experiment", context=True)]
    if anew:
        columns += [
            tables.text("metric"),
            tables.text("variant"),
            tables.text("changed"),
            tables.text("badge_then", "then"),
            tables.text("badge_now", "now"),
            lift("then"),
            lift("now"),
            tables.figures("n_then", "n then", drop=2),
            tables.figures("n_now", "n now", drop=2),
        ]
    else:
        columns += [
            tables.text("decision"),
            tables.text("variant"),
            tables.text("word", "scorecard"),
            tables.text("decided_by", "by"),
            tables.moment("decided_at"),
            tables.text("note", drop=1),
            tables.figures("corrects"),
            tables.figures("corrected_by", "corrected by"),
        ]
    return tables.render(bench.project.name, records, columns, bench.project.zone, terminal_width())


def _either(words: tuple[str, ...]) -> tuple[Path, str | None]:
    """A project and an experiment; a single word is a project where there is one, else an experiment."""
    if not words:
        return locations.sample_logs(), None
    if len(words) == 2:
        return Path(words[0]), words[1]
    return (Path(words[0]), None) if Path(words[0]).exists() else (locations.sample_logs(), words[0])
